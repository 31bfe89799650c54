"""The opening as one picture for README and for whoever links to the page: SVG that follows light and dark."""

from collections.abc import Sequence
from textwrap import wrap

from markupsafe import Markup, escape

from latent_audit.figures.style import arm_colours
from latent_audit.report.answer import answer
from latent_audit.report.opening import Column, columns
from latent_audit.report.pictures import Pictures
from latent_audit.report.render import reduced
from latent_audit.report.study import Study

COLUMN, GAP, SIDE = 288, 28, 24  # units of the drawing, which are pixels at its own size
STYLE = (
    ".ink{fill:#1d2733}.muted{fill:#586474}.paper{fill:#fff}.on{fill:#fff}.h-track{fill:#e9edf1}.h-seed{fill:currentColor}"
    ".h-share{fill:currentColor;opacity:.45}.h-interval{stroke:currentColor;stroke-width:4;opacity:.7}"
    ".h-limit{stroke:#1d2733;stroke-dasharray:3 2}.bar text{fill:#586474;font-size:8px}"
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Liberation Sans',sans-serif}"
    ".supported{fill:#1b6e3c}.contradicted{fill:#a3282a}.inconclusive{fill:#6b5200}.none{fill:#475262}"
    "@media (prefers-color-scheme:dark){.ink{fill:#e4e9ee}.muted,.bar text{fill:#a3aebb}.paper,.on{fill:#12171d}"
    ".h-track{fill:#262f38}.h-limit{stroke:#e4e9ee}.supported{fill:#7fd6a0}.contradicted{fill:#f59b98}"
    ".inconclusive{fill:#e3c669}.none{fill:#b7c3cf}}"
)


def hero_of(study: Study, pictures: Pictures) -> str:
    """The answer of a study as a picture; on reduced data it says that there is none."""
    few = bool(reduced(study))
    sentence = "Reduced data: not evidence." if few else answer(study)[0]
    return hero_svg(columns(study, pictures, judged=not few), sentence, colours=arm_colours(study.arms))


def hero_svg(shown: Sequence[Column], sentence: str, *, colours: dict[str, str]) -> str:
    """The columns side by side under one sentence; the same bytes for the same study.

    colours : arm -> hex colour.
    """
    width = 2 * SIDE + len(shown) * COLUMN + (len(shown) - 1) * GAP
    lines = wrap(sentence, max(40, int(width / 8.4)))
    top = 34 + 24 * len(lines)
    drawn = [_column(one, colours[one.arm], SIDE + k * (COLUMN + GAP), top) for k, one in enumerate(shown)]
    height = top + max((bottom for _, bottom in drawn), default=0) + 16
    said = "".join(
        f'<text x="{SIDE}" y="{36 + 24 * k}" class="ink" font-size="17" font-weight="600">{escape(line)}</text>'
        for k, line in enumerate(lines)
    )
    body = "".join(part for part, _ in drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img"><title>{escape(sentence)}</title><style>{STYLE}</style>'
        f'<rect width="{width}" height="{height}" class="paper"/>{said}{body}</svg>\n'
    )


def _column(one: Column, colour: str, left: int, top: int) -> tuple[str, int]:
    """An arm's column as SVG, and how far down it reaches from `top`."""
    words = escape(one.chip)
    wide = 18 + 7.6 * len(one.chip)
    parts = [
        f'<text x="0" y="18" font-size="19" font-weight="650" fill="{colour}">{escape(one.name)}</text>',
        f'<rect x="{COLUMN - wide:.0f}" y="0" width="{wide:.0f}" height="25" rx="12.5" class="{one.kind}"/>',
        f'<text x="{COLUMN - wide / 2:.0f}" y="17" font-size="13" font-weight="600" text-anchor="middle" class="on">'
        f"{words}</text>",
    ]
    y = 36
    for sheet in one.sheets:
        tall = round(COLUMN * sheet.height / sheet.width)
        parts.append(f'<text x="0" y="{y + 12}" font-size="12.5" class="muted">drawn from {escape(sheet.law)}</text>')
        parts.append(
            f'<image x="0" y="{y + 19}" width="{COLUMN}" height="{tall}" href="{sheet.uri}" '
            'style="image-rendering:pixelated"/>'
        )
        y += tall + 28
    bar = Markup(one.bar).replace("<svg ", f'<svg x="0" y="{y}" width="{COLUMN}" height="56" ', 1)
    parts.append(f'<g class="bar" color="{colour}">{bar}</g>')
    y += 60
    for line in wrap(one.holes, 46):
        y += 16
        parts.append(f'<text x="0" y="{y}" font-size="12.5" class="muted">{escape(line)}</text>')
    return f'<g transform="translate({left} {top})">{"".join(parts)}</g>', y
