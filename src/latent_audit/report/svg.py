"""SVG for a page: matplotlib's figures, shrunk and tied to the page's colours, and two small drawings of our own."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import isfinite
from typing import NamedTuple

from markupsafe import Markup

_DROPPED = {"metadata", "title", "desc", "style"}
_KEPT_ATTRIBUTES = re.compile(
    r"^(d|x|y|x1|x2|y1|y2|cx|cy|r|width|height|transform|style|points|clip-path|href|viewBox|id|preserveAspectRatio)$"
)
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_FONT_FAMILY = re.compile(r"font-family:[^;]*;?\s*|(font:[^;\"']*?\d+(?:\.\d+)?px)\s*[^;]*")


def inline_svg(
    source: str, *, name: str, alt: str, variables: Mapping[str, str], recode: Callable[[str], str] | None = None
) -> Markup:
    """A matplotlib SVG as an inline element: no ids but its own, colours as CSS variables, text in the page's font.

    Parameters
    ----------
    source : the file's text, saved with text kept as text (`svg.fonttype: none`).
    name : unique on the page; prefixes every id. alt : what the picture shows, in words.
    variables : hex colour -> name of the CSS variable that replaces it (the hex stays as its fallback).
    recode : what to make of each embedded image's data URI; None leaves it.
    """
    root = ET.fromstring(source)
    page = _Page(name, variables, recode, {})
    body = "".join(_write(child, page) for child in root)
    box = " ".join(_rounded(number) for number in root.attrib["viewBox"].split())
    return Markup(
        f'<svg viewBox="{box}" role="img" aria-labelledby="{name}-title"><title id="{name}-title">{escape(alt)}</title>'
        f"{body}</svg>"
    )


class _Page(NamedTuple):
    name: str
    variables: Mapping[str, str]
    recode: Callable[[str], str] | None
    ids: dict[str, str]

    def id_of(self, original: str) -> str:
        """The name that an id of the drawing has in the page, where no other drawing has it."""
        return self.ids.setdefault(original, f"{self.name}-{len(self.ids)}")


def _write(node: ET.Element, page: _Page) -> str:
    tag = _local(node.tag)
    if tag in _DROPPED:
        return ""
    attributes = {}
    for key, value in node.attrib.items():
        key = _local(key)
        if not _KEPT_ATTRIBUTES.match(key):
            continue
        if key == "id" and tag in {"g", "text", "svg", "image"}:
            continue
        attributes[key] = _attribute(key, value, page)
    inner = "".join(_write(child, page) for child in node)
    text = escape(node.text) if node.text and node.text.strip() else ""
    if tag == "g" and not attributes:
        return inner
    if tag in {"g", "defs"} and not inner:
        return ""
    written = "".join(f' {key}="{escape(value, quote=True)}"' for key, value in attributes.items() if value)
    return f"<{tag}{written}/>" if not (inner or text) else f"<{tag}{written}>{text}{inner}</{tag}>"


def _attribute(key: str, value: str, page: _Page) -> str:
    if key == "href" and value.startswith("data:"):
        return page.recode(value) if page.recode else value.replace("\n", "")
    if key == "href":
        return f"#{page.id_of(value[1:])}"
    if key == "id":
        return page.id_of(value)
    if key == "clip-path":
        return f"url(#{page.id_of(value[5:-1])})"
    if key == "style":
        return _style(value, page.variables)
    if key == "transform" and value.startswith("rotate(-0 "):
        return ""
    value = " ".join(value.split())
    if key in {"d", "transform", "x", "y", "width", "height", "points"}:
        value = _NUMBER.sub(lambda match: _rounded(match.group()), value)
        if key == "d":
            value = re.sub(r" ?([MLQCZ]) ?", r"\1", value)
    return value


def _style(value: str, variables: Mapping[str, str]) -> str:
    value = _FONT_FAMILY.sub(lambda match: _font_size(match.group(1)), value)
    for colour, variable in variables.items():
        value = value.replace(colour, f"var({variable},{colour})")
    value = re.sub(r"\s*([:;,])\s*", r"\1", value.strip()).rstrip(";")
    return _NUMBER.sub(lambda match: _rounded(match.group()), value)


def _font_size(font: str | None) -> str:
    if not font:
        return ""
    size = re.search(r"\d+(?:\.\d+)?px", font)
    weight = re.search(r"\b(bold|[5-9]00)\b", font)
    return (f"font-weight:{weight.group()};" if weight else "") + f"font-size:{size.group() if size else '9px'}"


def _rounded(number: str) -> str:
    return f"{round(float(number), 2):g}" if "." in number or "e" in number else number


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def hoist_styles(bodies: Sequence[Markup], *, prefix: str = "s") -> tuple[list[Markup], Markup]:
    """Replace every style attribute by a class that all of `bodies` share: the same markup, and the style sheet for it.

    Matplotlib writes the same few styles hundreds of times; as classes they cost half the bytes.
    """
    classes: dict[str, str] = {}

    def classed(match: re.Match) -> str:
        return f' class="{classes.setdefault(match.group(1), f"{prefix}{len(classes)}")}"'

    hoisted = [Markup(re.sub(r' style="([^"]*)"', classed, body)) for body in bodies]
    return hoisted, Markup("".join(f".{name}{{{style}}}" for style, name in classes.items()))


def interval_svg(
    *,
    effect: float,
    low: float,
    high: float,
    margin: float | None,
    direction: str,
    values: Sequence[float],
    domain: tuple[float, float],
    verdict: str,
    alt: str,
    ends: str = "",
    limit: str = "",
) -> Markup:
    """A claim's effect on one line: dots seeds, bar interval, upright mean, dashed margin, tint where it holds.

    All numbers are in the effect's own units; the axis covers `domain`, which plots of one claim share. ends, limit :
    the interval and the margin in words, written below the bar and above the dashed line.
    """
    left, right = domain
    pad = 0.07 * (right - left or 1)
    left, right = left - pad, right + pad

    def at(x: float) -> str:
        return f"{200 * (x - left) / (right - left):.1f}".rstrip("0").rstrip(".")

    parts = ['<line x1="0" x2="200" y1="22" y2="22" class="i-axis"/>']
    if margin is not None and isfinite(margin):
        start, end = (at(margin), "200") if direction == ">" else ("0", at(margin))
        parts.append(f'<rect x="{start}" y="4" width="{float(end) - float(start):.1f}" height="36" class="i-holds"/>')
        parts.append(f'<line x1="{at(margin)}" x2="{at(margin)}" y1="2" y2="42" class="i-margin"/>')
    parts.append(f'<line x1="{at(0)}" x2="{at(0)}" y1="18" y2="26" class="i-zero"/>')
    if isfinite(low) and isfinite(high):
        parts.append(f'<line x1="{at(low)}" x2="{at(high)}" y1="22" y2="22" class="i-bar"/>')
    parts += [f'<circle cx="{at(x)}" cy="33" r="2.3" class="i-seed"/>' for x in values if isfinite(x)]
    if isfinite(effect):
        parts.append(f'<line x1="{at(effect)}" x2="{at(effect)}" y1="14" y2="30" class="i-mean"/>')
    top, bottom = (14 if limit and margin is not None else 0), (14 if ends else 0)
    if top:
        parts.append(_label(limit, at(margin or 0.0), -3))
    if bottom:
        parts.append(_label(ends, at((low + high) / 2), 54))
    return Markup(
        f'<svg viewBox="-4 {-top} 208 {44 + top + bottom}" class="interval v-{escape(verdict, quote=True)}" role="img" '
        f'aria-label="{escape(alt, quote=True)}">{"".join(parts)}</svg>'
    )


def _label(words: str, x: str, y: float) -> str:
    """Words centred at x, but inside the picture; six units a letter."""
    half = min(3.1 * len(words), 100.0)
    return f'<text x="{min(max(float(x), half - 4), 204 - half):.0f}" y="{y:g}">{escape(words)}</text>'


def lattice_svg(uri: str, *, symbol: str, alt: str, ticks: Sequence[str], axes: tuple[str, str]) -> Markup:
    """A square sheet of decoded images with its axes; the sheet is a symbol that the page can draw again by its id."""
    size = 420
    step = size / (len(ticks) - 1)
    below = "".join(
        f'<text x="{24 + index * step:g}" y="{size + 15}" text-anchor="middle">{escape(tick)}</text>'
        f'<text x="19" y="{size - index * step + 3:g}" text-anchor="end">{escape(tick)}</text>'
        for index, tick in enumerate(ticks)
    )
    names = (
        f'<text x="{24 + size / 2:g}" y="{size + 29}" text-anchor="middle">{escape(axes[0])}</text>'
        f'<text transform="translate(-6 {size / 2:g}) rotate(-90)" text-anchor="middle">{escape(axes[1])}</text>'
    )
    return Markup(
        f'<svg viewBox="-16 -6 {size + 52} {size + 40}" class="lattice" role="img" '
        f'aria-label="{escape(alt, quote=True)}">'
        f'<defs><symbol id="{escape(symbol, quote=True)}" viewBox="0 0 1 1">'
        f'<image width="1" height="1" href="{uri}"/></symbol></defs>'
        f'<use href="#{escape(symbol, quote=True)}" x="24" y="0" width="{size}" height="{size}"/>{below}{names}</svg>'
    )
