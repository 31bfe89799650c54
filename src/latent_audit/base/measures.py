"""What is measured, described once: a metric's words, unit and range, and what a measure of several metrics needs.

A measure is a file of `diagnostics/` (arrays alone) or `decoding/` (needs a decoder or a critic) that holds a `MEASURE`
beside the function that computes it; `discover` finds it there. Everything else reads its description.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from math import inf, isfinite
from pathlib import Path
from typing import Any, Self

import pandas as pd

from latent_audit.base.tables import read_json, write_json

NEEDS = frozenset({"labels", "posterior", "decoder", "critic", "train", "factors", "attributes", "outsider"})
BETTER = ("higher", "lower", "none")
SHARE, POINTS = "share", "points"  # units of what is written in percent, and of differences of shares
PLAIN = "raw"  # the value of a qualifier that leaves a metric its own name
FILE = "measures.json"
OF_LABELS = ("area_tv",)  # metrics whose chance is that of shuffled labels: they ask nothing of N(0, I)


@dataclass(frozen=True)
class Metric:
    """One number: its name in the tables, and everything that is said of it wherever it is shown.

    words : what it is, as a fragment of a sentence, without its unit. unit : "" for none, "share" for what is shown in
    percent, "points" for a difference of shares. low, high : what it cannot leave; intervals are clipped to it.
    better : "higher", "lower" or "none". section : of the page; one that the page has not got is added to it.
    sentence : a definition, shown with the number. title : a short heading; without it the words serve.
    """

    name: str
    words: str
    unit: str = ""
    low: float = -inf
    high: float = inf
    better: str = "none"
    section: str = "normality"
    sentence: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or not self.words or not self.section:
            raise ValueError(f"metric {self.name!r}: needs a name of letters, digits and _, words and a section")
        if self.better not in BETTER or not self.low < self.high:
            raise ValueError(
                f"metric {self.name!r}: better must be one of {', '.join(BETTER)} and low below high, got "
                f"{self.better!r}, {self.low} and {self.high}"
            )

    def of(self, qualifier: str, words: str, title: str = "") -> Self:
        """The same number of one of several things: `fd_clf` of draws from the prior is `fd_clf_prior`.

        words : what follows the words that are there, with its space or comma; title : the same of the title.
        """
        own = f"{self.title or self.words}, {title}" if title else ""
        return replace(self, name=f"{self.name}_{qualifier}", words=self.words + words, title=own)

    @property
    def phrase(self) -> str:
        """The words with the unit, where a reader needs it."""
        return f"{self.words}, in {self.unit}" if self.unit not in ("", SHARE, POINTS) else self.words

    @property
    def short(self) -> str:
        """The title, or the words."""
        return self.title or self.words

    @property
    def label(self) -> str:
        """The title with the unit, for the head of a column."""
        return f"{self.short}, {self.unit}" if self.unit not in ("", SHARE, POINTS) else self.short

    @property
    def heading(self) -> str:
        """Of a panel: the title, and which direction is better."""
        text = self.short[:1].upper() + self.short[1:]
        return text if self.better == "none" else f"{text}, {self.better} is better"


def share(name: str, words: str, unit: str = SHARE, **more: Any) -> Metric:
    """A metric that cannot leave [0, 1]; with unit "" it is not shown in percent."""
    return Metric(name, words, unit, low=0.0, high=1.0, **more)


@dataclass(frozen=True)
class Measure:
    """A function that gives the rows of some metrics.

    needs : which of `NEEDS` must be there. rows : takes a subject (`diagnostics.subject`, `decoding.subject`) and gives
    metric -> value, or a table with at least the columns metric and value; None where these codes have no such number.
    table : which the rows join; a measure in `decoding/` has its own. qualifier : a column of the table whose
    values end a metric's name in summaries. order : its place in the table; equal ones stand by name.
    """

    name: str
    needs: frozenset[str]
    metrics: tuple[Metric, ...]
    rows: Callable[[Any], Mapping[str, float] | pd.DataFrame | None]
    table: str = "joint"
    qualifier: str | None = None
    order: int = 100

    def __post_init__(self) -> None:
        if unknown := sorted(self.needs - NEEDS):
            raise ValueError(f"measure {self.name!r}: needs {unknown}, which is none of {', '.join(sorted(NEEDS))}")

    def of(self, subject: Any) -> pd.DataFrame | None:
        """The rows for a subject, as a table.

        Raises
        ------
        ValueError : a row of a metric that the measure does not describe.
        """
        found = self.rows(subject)
        if found is None:
            return None
        table: pd.DataFrame
        if isinstance(found, pd.DataFrame):
            table = found
        else:
            table = pd.DataFrame(list(found.items()), columns=["metric", "value"])
        given = {str(metric) for metric in table["metric"]}
        if strange := sorted(given - {metric.name for metric in self.metrics}):
            raise ValueError(f"measure {self.name!r}: gives {', '.join(strange)}, which its `metrics` do not describe")
        return table


Applies = Callable[[Measure], bool]  # which measures a family lets apply


def every_measure(measure: Measure) -> bool:
    """The `Applies` that leaves nothing out."""
    return True


@lru_cache
def discover(package: str) -> tuple[Measure, ...]:
    """The `MEASURE` of every file of a package, in their order.

    Raises
    ------
    ValueError : two measures of one name, or two different descriptions of one metric.
    """
    folder = importlib.import_module(package)
    names = sorted(found.name for found in pkgutil.iter_modules(folder.__path__))
    modules = [importlib.import_module(f"{package}.{name}") for name in names]
    measures = [module.MEASURE for module in modules if hasattr(module, "MEASURE")]
    names = [measure.name for measure in measures]
    metrics = {metric for measure in measures for metric in measure.metrics}
    for what, found in (("measures", names), ("metrics", [metric.name for metric in metrics])):
        if twice := sorted({name for name in found if found.count(name) > 1}):
            raise ValueError(f"{package}: its {what} {', '.join(twice)} are described twice, and not alike")
    return tuple(sorted(measures, key=lambda measure: (measure.order, measure.name)))


def applicable(measures: Iterable[Measure], there: frozenset[str], applies: Applies) -> list[Measure]:
    """The measures whose needs are all there and that apply."""
    return [measure for measure in measures if measure.needs <= there and applies(measure)]


def described(measures: Iterable[Measure]) -> dict[str, Metric]:
    """Every metric of the measures by its name."""
    return {metric.name: metric for measure in measures for metric in measure.metrics}


def write_described(path: Path, metrics: Mapping[str, Metric]) -> None:
    """Write the descriptions, in their order; what has no bound has null there."""
    rows = [{key: _bounded(value) for key, value in asdict(metric).items()} for metric in metrics.values()]
    write_json(path, rows)


def read_described(path: Path) -> dict[str, Metric]:
    """The descriptions that `write_described` wrote; InputError where there are none."""
    return of_rows(read_json(path))


def of_rows(rows: Iterable[Mapping[str, Any]]) -> dict[str, Metric]:
    """Descriptions from what stands in such a file."""
    metrics = [Metric(**{**row, "low": _or(row["low"], -inf), "high": _or(row["high"], inf)}) for row in rows]
    return {metric.name: metric for metric in metrics}


def range_of(metric: str, metrics: Mapping[str, Metric]) -> tuple[float, float]:
    """The smallest and the largest value that a metric can have; of one without a description nothing is known."""
    return (metrics[metric].low, metrics[metric].high) if metric in metrics else (-inf, inf)


def phrase_of(metric: str, metrics: Mapping[str, Metric]) -> str:
    """A metric in plain words; one without a description keeps its own name, with spaces."""
    return metrics[metric].phrase if metric in metrics else metric.replace("_", " ")


def _bounded(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
