"""Write "What each number means" of docs/audit.md from the registry of measures: no word of it is typed there.

python docs/measures.py
"""

from collections.abc import Iterable
from math import isinf
from pathlib import Path

from latent_audit.base.measures import POINTS, SHARE, Metric
from latent_audit.diagnostics.references import COLUMNS, NULLS, SOURCES
from latent_audit.diagnostics.tables_of_code import registered
from latent_audit.diagnostics.verdict import DESCRIBED

PAGE = Path(__file__).with_name("audit.md")
START, END = "<!-- measures: written by docs/measures.py -->", "<!-- measures end -->"
NEEDS = {"labels": "with labels", "posterior": "with mu and logvar", "train": "with a split to fit on",
         "factors": "with factors", "attributes": "with attributes"}  # fmt: skip
HEAD = ["| name | what it is | unit | range | better | held against | source |", "|---|---|---|---|---|---|---|"]


def main() -> None:
    """Replace what stands between the two marks."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def filled(page: str) -> str:
    """The page with the section between its marks written anew.

    Raises
    ------
    ValueError : the page lacks a mark.
    """
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"{PAGE.name}: lacks {START} or {END}")
    return f"{before}{START}\n{section()}{END}{after}"


def section() -> str:
    """A table for the columns of per_dim.csv, one for each measure, one for what stands in reasons.csv alone."""
    parts = [("`per_dim.csv`, a row per code and dimension", COLUMNS, "diagnostics/univariate.py")]
    for measure in registered():
        needs = "".join(f", {NEEDS.get(need, f'with {need}')}" for need in sorted(measure.needs))
        module = f"{measure.rows.__module__.removeprefix('latent_audit.').replace('.', '/')}.py"
        parts.append((f"`{measure.table}.csv`: {measure.name}{needs}", measure.metrics, module))
    parts.append(("`reasons.csv` alone: the worst dimension", DESCRIBED, "diagnostics/verdict.py"))
    return "\n".join(_table(*part) for part in parts)


def _table(title: str, metrics: Iterable[Metric], module: str) -> str:
    rows = [_row(metric, module) for metric in metrics]
    return "\n".join([f"**{title}**", "", *HEAD, *rows, ""])


def _row(metric: Metric, module: str) -> str:
    words = metric.words + (f"; {metric.sentence}" if metric.sentence else "")
    unit = {SHARE: "share", POINTS: "points"}.get(metric.unit, metric.unit)
    better = "" if metric.better == "none" else metric.better
    cells = [f"`{metric.name}`", words, unit, range_words(metric), better, NULLS.get(metric.name, "")]
    cells.append(SOURCES.get(metric.name, f"`{module}`"))
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def range_words(metric: Metric) -> str:
    """What a metric cannot leave: "0 to 1", "0 or more", "any"."""
    if isinf(metric.low):
        return "any" if isinf(metric.high) else f"up to {metric.high:g}"
    return f"{metric.low:g} or more" if isinf(metric.high) else f"{metric.low:g} to {metric.high:g}"


if __name__ == "__main__":
    main()
