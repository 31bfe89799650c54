"""reports/index.html: every report in a folder with its headline numbers, read from the pages themselves."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from latent_audit.base.errors import InputError
from latent_audit.base.measures import SHARE
from latent_audit.report.render import Section, content_policy, environment, text_of
from latent_audit.report.tables import number, percent

INDEX = "index.html"
VERDICTS = ("supported", "contradicted", "inconclusive")
MEASURES = ("hole_fraction", "ks_d_max", "recon_nll", "knn_accuracy", "fd_clf_prior", "fd_clf_gmm")


class Entry(NamedTuple):
    """A report in a few numbers. arms : cells under `headings`, as written. seeds : how many, None if not said."""

    file: str
    dataset: str
    seeds: int | None
    reduced: bool
    tally: dict[str, int]
    headings: list[str]
    arms: list[list[str]]
    intervals: bool = False


class _Page(HTMLParser):
    """The text of the few parts of a report that its headline numbers stand in."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = self.summary = self.eyebrow = ""
        self.banner = False
        self.tally: dict[str, int] = {}
        self.rows: list[list[str]] = []  # of the table of arms; the first row is its head
        self._into = self._verdict = ""
        self._in_glance = self._in_tally = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where the reader is."""
        given = dict(attrs)
        classes = (given.get("class") or "").split()
        if tag == "title" and not self.title:
            self._into = "title"
        elif tag == "script":
            self._into = "summary" if given.get("id") == "summary" else ""
        elif tag == "p" and "eyebrow" in classes:
            self._into = "eyebrow"
        elif tag == "p":
            self._in_tally = "tally" in classes
        elif "banner" in classes:
            self.banner = True
        elif "badge" in classes and self._in_tally:
            self._verdict = next((name[2:] for name in classes if name.startswith("v-")), "")
        elif tag == "b" and self._verdict and self._verdict not in self.tally:
            self._into = "count"
        elif tag == "table":
            self._in_glance = "glance" in classes
        elif self._in_glance and tag == "tr":
            self.rows.append([])
        elif self._in_glance and tag in ("th", "td"):
            self.rows[-1].append("")
            self._into = "cell"

    def handle_endtag(self, tag: str) -> None:
        """Note what has ended."""
        if tag == "table":
            self._in_glance = False
        if tag == "p":
            self._in_tally = False
        if tag in ("title", "script", "p", "b", "th", "td"):
            self._into = ""

    def handle_data(self, data: str) -> None:
        """Keep the text of the places that are looked for."""
        if self._into in ("title", "summary", "eyebrow"):
            setattr(self, self._into, getattr(self, self._into) + data)
        elif self._into == "cell":
            self.rows[-1][-1] += data
        elif self._into == "count" and data.strip().isdigit():
            self.tally[self._verdict] = int(data)
            self._verdict = ""


def index_page(folder: Path) -> tuple[str, int]:
    """index.html of `folder`, and the number of reports in it.

    Raises
    ------
    InputError : there is no such folder, or a page in it cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; run from the project's root, after `make demo` or `dvc repro`")
    entries, others = [], {}
    for path in sorted(folder.glob("*.html")):
        if path.name == INDEX:
            continue
        page = _parsed(path)
        found = _entry(path.name, page)
        if found is not None:
            entries.append(found)
        else:
            others[path.name] = page.title.removesuffix("· latent-audit").strip() or path.name
    entries.sort(key=lambda entry: (entry.reduced, entry.dataset))
    return _render(entries, others), len(entries)


def _parsed(path: Path) -> _Page:
    page = _Page()
    try:
        page.feed(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); remove it or make it again with `dvc repro`") from None
    return page


def _entry(file: str, page: _Page) -> Entry | None:
    """The headline numbers: from the page's own summary, else from the table of arms it shows; None for other pages."""
    if page.summary:
        return _of_summary(file, page.summary)
    if len(page.rows) < 2:
        return None
    dataset, seeds = _of_eyebrow(page.eyebrow, file)
    tally = {verdict: page.tally[verdict] for verdict in VERDICTS if verdict in page.tally}
    rows = [[" ".join(cell.split()) for cell in row] for row in page.rows]
    return Entry(file, dataset, seeds, page.banner, tally, rows[0], rows[1:])


def _of_eyebrow(words: str, file: str) -> tuple[str, int | None]:
    """Data set and number of seeds of "latent-audit · data · arms · 3 seeds"."""
    parts = [part.strip() for part in words.split("·")]
    counted = [part.split()[0] for part in parts if part.split()[-1:] in (["seeds"], ["seed"])]
    dataset = parts[1] if len(parts) > 1 else file.removesuffix(".html").replace("_", "-")
    return dataset, int(counted[0]) if counted and counted[0].isdigit() else None


def _of_summary(file: str, text: str) -> Entry:
    try:
        content = json.loads(text)
        arms = content["arms"]
        present = [key for key in MEASURES if any(arm.get(key) is not None for arm in arms)]
        known = content.get("measures", {})
        units = {key: known.get(key, {}).get("unit", "") for key in present}
        rows = [[arm["name"], arm["weight"], *(_written(arm, key, units[key]) for key in present)] for arm in arms]
        return Entry(
            file,
            str(content["dataset"]).replace("_", "-"),
            len(content["seeds"]),
            bool(content["reduced"]),
            {verdict: int(content["verdicts"].get(verdict, 0)) for verdict in VERDICTS},
            ["arm", "weight", *(known.get(key, {}).get("label", key.replace("_", " ")) for key in present)],
            rows,
            any(f"{key}_low" in arm for key in present for arm in arms),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file}: its summary cannot be read ({error!r}); make it again: `dvc repro`") from None


def _written(arm: dict[str, Any], key: str, unit: str) -> str:
    """A mean, and its interval over seeds where the summary has one."""
    form = percent if unit == SHARE else number
    if arm.get(key) is None:
        return "–"
    low, high = arm.get(f"{key}_low"), arm.get(f"{key}_high")
    return form(arm[key]) + (f" ({form(low)} to {form(high)})" if low is not None and high is not None else "")


def _render(entries: list[Entry], others: dict[str, str]) -> str:
    script = text_of("report.js")
    sections = [Section(f"report-{index}", entry.dataset) for index, entry in enumerate(entries, start=1)]
    sections += [Section("others", "Other pages")] if others else []
    return (
        environment()
        .get_template("index.html")
        .render(
            entries=entries,
            others=others,
            sections=sections,
            style=Markup(text_of("style.css") + text_of("runs.css")),
            script=Markup(script),
            policy=content_policy(script),
        )
    )
