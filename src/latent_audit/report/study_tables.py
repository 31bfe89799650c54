"""The page's tables of a study: its arms, its parameters, and every dimension with its tests."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from latent_audit.figures.dimensions import dimension_name
from latent_audit.report.latent_captions import P_COLUMNS
from latent_audit.report.study import Study
from latent_audit.report.tables import data_table, number, plain, set_number

SMALLEST = 1e-300  # p-values below may be underflow
MOST_OF_BOTH = 8  # dimensions up to which the table has mu beside z
HEADINGS = {
    "arm": "arm",
    "code": "code",
    "dim": "dim",
    "mean": "mean",
    "std": "sd",
    "skew": "skew",
    "excess_kurtosis": "ex. kurtosis",
    "ks_d": "KS D",
    "w1": "W1",
    "ad_a2": "AD A²",
    "kl_nats": "KL, nats",
} | {f"{p}_holm": f"{p.removesuffix('_p').upper()} p, Holm" for p in P_COLUMNS}


def arm_table(study: Study) -> Markup:
    """What each arm is and how it was trained."""
    rows = [
        {
            "arm": study.names[arm],
            "family": info["family"].upper(),
            "β (on the mean pixel loss)": info["beta"],
            "β_KL (on the KL)": info["beta_kl"],
            "code dimensions": info["latent_dim"],
            "epochs": info["epochs"],
            "learning rate": info["learning_rate"],
            "batch": info["batch_size"],
            "precision": info["precision"],
        }
        for arm, info in study.arms.items()
    ]
    return data_table(
        pd.DataFrame(rows).astype(object), caption="The arms, with their weight in both conventions", form=set_number
    )


def dimension_table(study: Study) -> Markup:
    """Effects and adjusted p-values of every dimension of z, of mu where there are few; medians over seeds."""
    columns = ["arm", "code", "dim", "mean", "std", "skew", "excess_kurtosis", "ks_d", "w1", "ad_a2"]
    columns += [f"{p}_holm" for p in P_COLUMNS]
    table = study.tables["per_dim"]
    both = int(table["dim"].nunique()) <= MOST_OF_BOTH
    table, whose = (table, "mu and of z") if both else (table[table["code"] == "z"], "z")
    columns += [column for column in ("kl_nats",) if column in table]
    medians = table.groupby(["arm", "code", "dim"], sort=False, as_index=False)[columns[3:]].median()
    medians["arm"] = medians["arm"].map(dict(study.names))
    medians["dim"] = medians["dim"].map(dimension_name)
    return data_table(
        medians[columns],
        caption=f"Every dimension of {whose}: effects and adjusted p-values, medians over seeds",
        headings=HEADINGS,
        row_headers=3,
        forms=dict.fromkeys((f"{p}_holm" for p in P_COLUMNS), p_words),
    )


def p_words(p: float) -> str:
    """A p-value for reading; one below what a double holds is not 0."""
    return f"<{SMALLEST:.0e}".replace("e-", "e−") if 0 <= p < SMALLEST else number(p)


def parameters(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf of params.yaml under its dotted key, as it is written."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from parameters(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", plain(value)
