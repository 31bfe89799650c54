"""reports/index.html: every report in a folder with its headline numbers, from the summary that each page holds."""

import json
import os
import re
from collections.abc import Container
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError
from latent_audit.base.file_names import as_text
from latent_audit.base.measures import SHARE
from latent_audit.claims.verdicts import VERDICTS
from latent_audit.report.render import content_policy, environment, text_of
from latent_audit.report.sections import Section
from latent_audit.report.seed_summary import values_words
from latent_audit.report.tables import number, percent
from latent_audit.runs.git_here import tracked

INDEX = "index.html"
MEASURES = (
    "hole_fraction", "ks_d_max", "recon_nll", "knn_accuracy", "fd_clf_prior", "fd_clf_gmm", "fd_random_prior",
    "fd_random_gmm",
)  # fmt: skip


class Entry(NamedTuple):
    """A report in a few numbers. link : to its page. seeds : how many. arms : cells under `headings`, as written.

    name : its title, or its data set. study : the overlay that made it. sentence : its answer. picture : a data URI.
    """

    link: str
    name: str
    seeds: int
    reduced: bool
    tally: dict[str, int]
    headings: list[str]
    arms: list[list[str]]
    intervals: bool = False
    study: str = ""
    sentence: str = ""
    picture: str = ""


SUMMARY = re.compile(r'<script\b[^>]*\bid="summary"[^>]*>(.*?)</script>', re.DOTALL)
PICTURE = re.compile(r"data:image/(?:webp|png);base64,[A-Za-z0-9+/=]+")
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def write_index(folder: Path, out: Path | None = None) -> list[str]:
    """Write the index of `folder` to `out` (index.html in it); what to tell about it, a sentence each.

    An index that git keeps links to pages that git keeps: to whoever clones it, no other page is there.

    Raises
    ------
    InputError : there is no such folder, `out` lies elsewhere, or a page in the folder cannot be read.
    """
    target = out or folder / INDEX
    if target.parent.resolve() != folder.resolve():
        raise InputError(f"--out {out}: its links are relative, so it belongs into {folder}")
    kept = tracked(folder)
    only = kept if kept and target.name in kept else None
    page, count = index_page(folder, only=only, index=target.name)
    write_text(target, page)
    left_out = (
        [] if only is None else [path.name for path in _pages(folder, None, target.name) if path.name not in only]
    )
    words = [f"{target}: {count} report{'s' if count != 1 else ''}"]
    if left_out:
        words.append(
            f"git keeps {target.name}, but not {', '.join(left_out)}: left out; `git add` what belongs there, or list "
            f"all of them in a page of your own: `latent-audit index {folder} --out {folder / 'mine.html'}`"
        )
    return words


def index_page(folder: Path, *, only: Container[str] | None = None, index: str = INDEX) -> tuple[str, int]:
    """The page that lists `folder`, and the number of reports in it.

    Parameters
    ----------
    only : names of the pages that may be listed; None: all. index : the page's own name.

    Raises
    ------
    InputError : there is no such folder, or a page in it cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; run from the project's root, after `make demo` or `dvc repro`")
    entries, others = [], {}
    for path in _pages(folder, only, index):
        text, name = _text(path), as_text(path.name)
        summary = SUMMARY.search(text)
        if summary:
            entries.append(_of_summary(path.name, summary[1]))
        else:
            title = TITLE.search(text)
            words = " ".join(unescape(title[1]).split()) if title else ""
            others[path.name] = words.removesuffix("· latent-audit").strip() or name
    entries.sort(key=lambda entry: (entry.reduced, entry.study != "", entry.name))  # the main study first
    page = _render(entries, others)
    return page.encode("utf-8", "replace").decode(), len(entries)  # JSON may hold halves of characters


def _pages(folder: Path, only: Container[str] | None, index: str) -> list[Path]:
    names = {INDEX, index}
    found = [path for path in sorted(folder.glob("*.html")) if path.name not in names and path.is_file()]
    return [path for path in found if only is None or path.name in only]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); remove it or make it again with `dvc repro`") from None


def _of_summary(file: str, text: str) -> Entry:
    try:
        content = json.loads(text)
        arms = content["arms"]
        present = [key for key in MEASURES if any(arm.get(key) is not None for arm in arms)]
        known = content.get("measures", {})
        units = {key: known.get(key, {}).get("unit", "") for key in present}
        rows = [[arm["name"], arm["weight"], *(_written(arm, key, units[key]) for key in present)] for arm in arms]
        return Entry(
            _link(file),
            str(content.get("title") or str(content["dataset"]).replace("_", "-")),
            len(content["seeds"]),
            bool(content["reduced"]),
            {verdict: int(content["verdicts"][verdict]) for verdict in VERDICTS if verdict in content["verdicts"]},
            ["arm", "weight", *(known.get(key, {}).get("label", key.replace("_", " ")) for key in present)],
            rows,
            any(f"{key}_low" in arm for key in present for arm in arms),
            str(content.get("study") or ""),
            str(content.get("headline") or ""),
            _picture(content.get("picture")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{as_text(file)}: its summary cannot be read ({error!r}); make it again: `dvc repro`"
        ) from None


def _picture(uri: object) -> str:
    """The data URI of an image that an earlier page gives; nothing else of what a page may hold is shown."""
    return uri if isinstance(uri, str) and PICTURE.fullmatch(uri) else ""


def _written(arm: dict[str, Any], key: str, unit: str) -> str:
    """A mean, and its interval over seeds where the summary has one; or its seeds, where the summary has those."""
    form = percent if unit == SHARE else number
    if arm.get(key) is None:
        return "–"
    if arm.get(f"{key}_values"):
        return values_words(arm[f"{key}_values"], form)
    low, high = arm.get(f"{key}_low"), arm.get(f"{key}_high")
    return form(arm[key]) + (f" ({form(low)} to {form(high)})" if low is not None and high is not None else "")


def _render(entries: list[Entry], others: dict[str, str]) -> str:
    script = text_of("report.js")
    sections = [Section(f"report-{index}", entry.name) for index, entry in enumerate(entries, start=1)]
    sections += [Section("others", "Other pages")] if others else []
    return (
        environment()
        .get_template("index.html")
        .render(
            entries=entries,
            others={_link(name): words for name, words in others.items()},
            sections=sections,
            style=Markup(text_of("style.css") + text_of("runs.css")),
            script=Markup(script),
            policy=content_policy(script),
        )
    )


def _link(file: str) -> str:
    return quote(os.fsencode(file))
