"""What a finished run says of its measures seed by seed, from whichever of its tables are there."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd

Values = dict[str, dict[str, dict[int, float]]]  # arm -> metric -> seed -> value


def table_of(text: str) -> pd.DataFrame:
    """A table as the stages write it; only an empty cell is missing."""
    return pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])


def of_summary(text: str | None, seeds: list[int], metrics: dict[str, dict[str, Any]]) -> dict[str, dict[int, float]]:
    """metric -> seed -> value; values that do not give the mean of metrics.json are of another run and left out."""
    if text is None:
        return {}
    table = table_of(text)
    table = table[(table["code"] == "z") & table["seed"].isin(seeds) & table["value"].notna()]
    return {
        str(metric): dict(zip(rows["seed"].tolist(), rows["value"].tolist(), strict=True))
        for metric, rows in table.groupby("metric")
        if metric in metrics and _agree(float(np.mean(rows["value"])), metrics[str(metric)]["mean"])
    }


def _agree(mean: float, stored: float | None) -> bool:
    return stored is not None and abs(mean - stored) <= 1e-5 * max(abs(stored), 1e-9)


def add_metrics(per_seed: Values, found: dict[str, Any], seeds: list[int]) -> None:
    """metrics.json has the seeds of every measure, in runs made since it has them."""
    for arm, own in per_seed.items():
        for metric, entry in found[arm].items():
            values = entry.get("values") if isinstance(entry, dict) else None
            if values is not None and len(values) == len(seeds) and None not in values:
                own.setdefault(metric, dict(zip(seeds, values, strict=True)))


def add_claims(per_seed: Values, claims: pd.DataFrame, seeds: list[int]) -> None:
    """Where DVC's cache lacks the tables, claims.csv still has the seeds of every statistic that is a plain metric."""
    for row in claims.to_dict("records"):
        arm, metric = str(row["arms"]), str(row["statistic"])
        bracket = row.get("bracket")
        if isinstance(bracket, str) and bracket:
            continue  # its values lie half-way between two estimates
        if arm in per_seed and metric.isidentifier() and row["code"] == "z" and isinstance(row["values"], str):
            values = json.loads(row["values"])
            if len(values) == len(seeds):
                per_seed[arm].setdefault(metric, dict(zip(seeds, values, strict=True)))
