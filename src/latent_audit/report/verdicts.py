"""The top of the page: each claim with its verdict, the arms at a glance, and the answer in one paragraph."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from latent_audit.report.captions import per_seed, worst_dimension
from latent_audit.report.study import Study, beta_words
from latent_audit.report.svg import interval_svg
from latent_audit.report.tables import number, percent

VERDICTS = ("supported", "contradicted", "inconclusive")


class Claim(NamedTuple):
    """One row of the verdict table, in words."""

    claim: str
    source: str
    verdict: str
    finding: str
    statistic: str
    effect: str
    interval: str
    plot: Markup
    anchor: str
    code: str
    margin: str
    arms: str


class Glance(NamedTuple):
    """One arm on one line."""

    arm: str
    name: str
    weight: str
    holes: float
    distance: float
    recon_nll: float
    probe: float
    fd_prior: float
    fd_fitted: float


def claims(study: Study) -> list[Claim]:
    """The rows of claims.csv made ready for the page.

    Raises
    ------
    ValueError : a verdict other than supported, contradicted, inconclusive.
    """
    return [_claim(row, study) for row in study.claims.to_dict("records")]


def _claim(row: Mapping[str, Any], study: Study) -> Claim:
    if row["verdict"] not in VERDICTS:
        raise ValueError(f"claim {row['claim_id']!r}: verdict {row['verdict']!r} is not one of {', '.join(VERDICTS)}")
    interval = f"{number(row['low'])} to {number(row['high'])}" if pd.notna(row["low"]) else "no interval"
    side = {">": "above", "<": "below"}[row["direction"]]
    margin = f"holds {side} {number(row['margin'])}" if pd.notna(row["margin"]) else ""
    alt = (
        f"{row['statistic']}: {number(row['effect'])}, 95% interval {interval}; the claim {margin or 'has no margin'}; "
        f"verdict {row['verdict']}."
    )
    plot = interval_svg(
        effect=row["effect"], low=row["low"], high=row["high"], margin=row["margin"], direction=row["direction"],
        values=json.loads(row["values"]) if isinstance(row["values"], str) else [], verdict=row["verdict"], alt=alt,
    )  # fmt: skip
    arms = ", ".join(study.names.get(arm.strip(), arm.strip()) for arm in str(row["arms"]).replace(";", ",").split(","))
    return Claim(
        row["claim"], row["source"], row["verdict"], row["finding"], row["statistic"], number(row["effect"]), interval,
        plot, str(row["figure"]).lstrip("#"), row["code"], margin, arms,
    )  # fmt: skip


def at_a_glance(study: Study) -> list[Glance]:
    """One line per arm; NaN where something was not measured."""

    def mean(table: pd.DataFrame, arm: str, **where: str) -> float:
        for column, value in where.items():
            table = table[table[column] == value] if column in table else table.iloc[:0]
        return float(table.loc[table["arm"] == arm, "value"].mean())

    fd = per_seed(study, "generation", "fd_clf", code=None)
    return [
        Glance(
            arm, study.names[arm], beta_words(description),
            mean(per_seed(study, "joint", "hole_fraction"), arm), mean(worst_dimension(study, "ks_d"), arm),
            mean(per_seed(study, "reconstruction", "recon_nll", code=None), arm),
            mean(per_seed(study, "separability", "knn_accuracy"), arm),
            mean(fd, arm, sampler="prior"), mean(fd, arm, sampler="gmm"),
        )
        for arm, description in study.arms.items()
    ]  # fmt: skip


def answer(study: Study) -> list[str]:
    """The answer in a few sentences, from the tables and the margins that were set beforehand."""
    glance = at_a_glance(study)
    margins = study.params.get("diagnostics", {}).get("margins", {})
    sentences = []
    holes = ", ".join(f"{line.name} {percent(line.holes)}" for line in glance if line.holes == line.holes)
    if holes:
        sentences.append(f"Draw a code from N(0, I) and it lands where the model has put no data this often: {holes}.")
    distance = ", ".join(f"{line.name} {number(line.distance, 2)}" for line in glance)
    if "ks_d" in margins:
        within = [line.name for line in glance if line.distance < margins["ks_d"]]
        verdict = f"{_listed(within)} within it" if within else "none is within it"
        sentences.append(
            f"The codes' largest distance from a standard normal (KS, 0 to 1) is {distance}; the margin for “normal "
            f"enough”, set before looking, was {number(margins['ks_d'])}: {verdict}."
        )
    fd = [line for line in glance if line.fd_prior == line.fd_prior and line.fd_fitted == line.fd_fitted]
    if fd:
        pairs = ", ".join(f"{line.name} {number(line.fd_prior, 2)} → {number(line.fd_fitted, 2)}" for line in fd)
        sentences.append(
            f"Sampling from a density fitted to the codes instead of the prior changes the distance of generated images to "
            f"real ones (FD-clf, lower is better): {pairs}."
        )
    return sentences


def tally(study: Study) -> dict[str, int]:
    """Number of claims per verdict, every verdict named."""
    counts = study.claims["verdict"].value_counts()
    return {verdict: int(counts.get(verdict, 0)) for verdict in VERDICTS}


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]} are" if len(names) > 1 else f"{names[0]} is"
