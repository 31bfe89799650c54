"""Values of the arms over their seeds: taken from the tables, and written as mean and range."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from latent_audit.claims.intervals import groups, told_by_values
from latent_audit.report.study import Study
from latent_audit.report.tables import number, percent

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
ROUND = re.compile(r"(\d\d)\.0\b")


def values_words(values: Sequence[float], form: Callable[[float], str]) -> str:
    """The values in order, the unit once: "24, 30, 45, 94, 96.5%"."""
    texts = [ROUND.sub(r"\1", form(value)) for value in sorted(values)]
    return ", ".join([*(UNIT.sub("", text) for text in texts[:-1]), *texts[-1:]])


def groups_words(values: Sequence[float], form: Callable[[float], str]) -> str:
    """Where the values lie, as one or two ranges: "24 to 45% or 94 to 96.5%"."""
    ranges = [
        f"{UNIT.sub('', form(group[0]))} to {form(group[-1])}" if group[0] < group[-1] else form(group[0])
        for group in groups(values)
    ]
    return ROUND.sub(r"\1", " or ".join(ranges))


def listed_seeds(entry: Mapping[str, Any] | None, form: Callable[[float], str]) -> str:
    """The seeds of an entry of metrics.json one by one, where a mean with an interval would mislead; else empty."""
    if entry is None or not entry.get("by_values"):
        return ""
    return values_words(entry["values"], form)


def by_arm(study: Study, values: pd.DataFrame, form: Callable[[float], str] = number) -> str:
    """ "AE 0.42 (0.38–0.45), VAE 0.09 (0.08–0.10)": mean and range over seeds for each arm that has values.

    Shares whose mean would mislead (`intervals.told_by_values`) are listed: "AE 24, 30, 45, 94, 96.5%".

    Raises
    ------
    ValueError : no arm has any, so the sentence would be empty of its finding.
    """
    parts = []
    for arm, name in study.names.items():
        x = values.loc[values["arm"] == arm, "value"].to_numpy()
        if len(x) > 1 and form is percent and told_by_values(x.tolist(), 0, 1):
            parts.append(f"{name} {values_words(x.tolist(), form)}")
        elif len(x) > 1:
            parts.append(f"{name} {form(x.mean())} ({form(x.min())}–{form(x.max())})")
        elif len(x):
            parts.append(f"{name} {form(x[0])}")
    if not parts:
        raise ValueError("a caption lacks its numbers: no arm has a value of what it is about")
    return ", ".join(parts)


def over_seeds(study: Study) -> str:
    """How to read the brackets: the range over the seeds, or that there is one seed only."""
    n = len(study.seeds)
    return f"Brackets: range over {n} seeds." if n > 1 else "One seed: no spread can be shown."


def is_finite(value: float | None) -> bool:
    """Whether a table's cell holds a number."""
    return value is not None and bool(np.isfinite(value))
