"""Values of the arms over their seeds: taken from the tables, and written as mean and range."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from latent_audit.claims.intervals import groups, mean_interval, told_by_values, within
from latent_audit.report.study import Study
from latent_audit.report.tables import fixed, number, percent, percents

SHOWN_CODE = "z"


def per_seed(study: Study, table: str, metric: str, *, code: str | None = SHOWN_CODE) -> pd.DataFrame:
    """Rows arm, seed, value of one metric of a long table; empty where the table or the metric does not exist."""
    if table not in study.tables:
        return pd.DataFrame({"arm": [], "seed": [], "value": []})
    rows = study.tables[table]
    rows = rows[rows["metric"] == metric]
    if code is not None and "code" in rows:
        rows = rows[rows["code"] == code]
    return rows[rows["value"].notna()]


def worst_dimension(study: Study, column: str, *, code: str = SHOWN_CODE) -> pd.DataFrame:
    """Rows arm, seed, value: the largest absolute `column` over the code dimensions."""
    rows = study.tables["per_dim"]
    rows = rows[rows["code"] == code].assign(value=lambda table: table[column].abs())
    return rows.groupby(["arm", "seed"], sort=False, as_index=False)["value"].max()


def hole_limit(study: Study) -> float | None:
    """The share of prior draws in holes that is still few, as the ledger's claims have it; None: it was not set."""
    return study.params.get("diagnostics", {}).get("margins", {}).get("hole_limit")


UNIT = re.compile(r"(%| (?:percentage )?points?| times)$")


def together(values: Sequence[float], form: Callable[[float], str]) -> list[str]:
    """Values that are read together, all to the same precision, with the unit that `form` gives each."""
    if form is percent:
        return [f"{text}%" for text in percents(values)]
    if form is number:
        return fixed(values)
    return [form(value) for value in values]


def values_words(values: Sequence[float], form: Callable[[float], str]) -> str:
    """The values in order, the unit once: "24, 30, 45, 94, 96%"."""
    texts = together(sorted(values), form)
    return ", ".join([*(UNIT.sub("", text) for text in texts[:-1]), *texts[-1:]])


def groups_words(values: Sequence[float], form: Callable[[float], str]) -> str:
    """Where the values lie, as one or two ranges: "24 to 45% or 94 to 96%"."""
    ordered = sorted(values)
    texts = dict(zip(ordered, together(ordered, form), strict=True))
    return " or ".join(
        f"{UNIT.sub('', texts[group[0]])} to {texts[group[-1]]}" if group[0] < group[-1] else texts[group[0]]
        for group in groups(values)
    )


def listed_seeds(entry: Mapping[str, Any] | None, form: Callable[[float], str]) -> str:
    """The seeds of an entry of metrics.json one by one, where a mean with an interval would mislead; else empty."""
    if entry is None or not entry.get("by_values"):
        return ""
    return values_words(entry["values"], form)


def by_arm(study: Study, values: pd.DataFrame, form: Callable[[float], str] = number) -> str:
    """ "AE 0.42 (0.38 to 0.45), VAE 0.09 (0.08 to 0.10)": mean over seeds and its 95% interval, of arms with values.

    Shares whose mean would mislead (`intervals.told_by_values`) are listed: "AE 24, 30, 45, 94, 96%".

    Raises
    ------
    ValueError : no arm has any, so the sentence would be empty of its finding.
    """
    parts = []
    for arm, name in study.names.items():
        x = values.loc[values["arm"] == arm, "value"].to_numpy()
        if len(x):
            parts.append(f"{name} {_over_seeds(x.tolist(), form)}")
    if not parts:
        raise ValueError("a caption lacks its numbers: no arm has a value of what it is about")
    return ", ".join(parts)


def _over_seeds(values: list[float], form: Callable[[float], str]) -> str:
    if len(values) < 2:
        return form(values[0])
    if form is percent and told_by_values(values, 0, 1):
        return values_words(values, form)
    found = mean_interval(values)
    if form is percent:
        found = within(found, 0, 1)
    mean, low, high = together([found.mean, found.low, found.high], form)
    return f"{mean} ({low} to {high})" if low != high else mean


def over_seeds(study: Study) -> str:
    """What brackets are: the one meaning that they have on the page; or that there is one seed only."""
    n = len(study.seeds)
    words = f"Brackets: 95% interval of the mean over {n} seeds; dots are the seeds."
    return words if n > 1 else "One seed: no spread can be shown."


def is_finite(value: float | None) -> bool:
    """Whether a table's cell holds a number."""
    return value is not None and bool(np.isfinite(value))
