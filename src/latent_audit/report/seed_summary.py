"""Values of the arms over their seeds: taken from the tables, and written as mean and range."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from latent_audit.report.study import Study
from latent_audit.report.tables import number

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
    """The share of prior draws in holes that is still few: the margin, beyond what as many true draws would leave.

    None where no margin was set.
    """
    margins = study.params.get("diagnostics", {}).get("margins", {})
    chance = per_seed(study, "joint", "hole_fraction")["null_high"].mean()
    return margins["hole_fraction"] + (chance if is_finite(chance) else 0.0) if "hole_fraction" in margins else None


def by_arm(study: Study, values: pd.DataFrame, form: Callable[[float], str] = number) -> str:
    """ "AE 0.42 (0.38–0.45), VAE 0.09 (0.08–0.10)": mean and range over seeds for each arm that has values.

    Raises
    ------
    ValueError : no arm has any, so the sentence would be empty of its finding.
    """
    parts = []
    for arm, name in study.names.items():
        x = values.loc[values["arm"] == arm, "value"].to_numpy()
        if len(x) > 1:
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
