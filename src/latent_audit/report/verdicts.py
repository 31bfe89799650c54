"""The top of the page: each claim with its verdict, the arms at a glance, and the answer in one paragraph."""

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup

from latent_audit.report.metric_text import finding_words, reason_words
from latent_audit.report.seed_summary import hole_limit, is_finite, per_seed, worst_dimension
from latent_audit.report.study import Study, beta_words
from latent_audit.report.svg import interval_svg
from latent_audit.report.tables import number, percent, set_number

VERDICTS = ("supported", "contradicted", "inconclusive")


class Case(NamedTuple):
    """One claim put to one arm, or to one pair of arms."""

    arms: str
    code: str
    verdict: str
    finding: str
    reason: str
    plot: Markup


class Claim(NamedTuple):
    """One claim of the literature, and every case of it."""

    claim: str
    source: str
    anchor: str
    cases: list[Case]


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
    fd_own: float


def claims(study: Study) -> list[Claim]:
    """The rows of claims.csv made ready for the page, one entry per claim, in the table's order.

    Raises
    ------
    ValueError : a verdict other than supported, contradicted, inconclusive.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in study.claims.to_dict("records"):
        if row["verdict"] not in VERDICTS:
            raise ValueError(f"claim {row['claim_id']!r}: verdict {row['verdict']!r} is none of {', '.join(VERDICTS)}")
        groups.setdefault(str(row["claim_id"]), []).append(row)
    return [_claim(rows, study) for rows in groups.values()]


def _claim(rows: list[dict[str, Any]], study: Study) -> Claim:
    numbers = [x for row in rows for x in (row["effect"], row["low"], row["high"], row["margin"], 0.0, *_values(row))]
    domain = min(filter(isfinite, numbers)), max(filter(isfinite, numbers))
    first = rows[0]
    return Claim(
        first["claim"],
        first["source"],
        str(first["figure"]).lstrip("#"),
        [_case(row, domain, study) for row in rows],
    )


def _case(row: Mapping[str, Any], domain: tuple[float, float], study: Study) -> Case:
    arms = [study.names.get(arm, arm) for arm in re.split(r"\s+vs\s+|\s*[,;]\s*", str(row["arms"]).strip())]
    given = row.get("finding")
    finding = given if isinstance(given, str) else finding_words(row, arms, study.measures)
    reason = reason_words(row, study.measures)
    plot = interval_svg(
        effect=row["effect"],
        low=row["low"],
        high=row["high"],
        margin=row["margin"],
        direction=row["direction"],
        values=_values(row),
        domain=domain,
        verdict=row["verdict"],
        alt=f"{finding} {reason}",
    )
    return Case(" − ".join(arms) if len(arms) > 1 else arms[0], row["code"], row["verdict"], finding, reason, plot)


def _values(row: Mapping[str, Any]) -> list[float]:
    return json.loads(row["values"]) if isinstance(row["values"], str) else []


def at_a_glance(study: Study) -> list[Glance]:
    """One line per arm; NaN where something was not measured."""

    def mean(table: pd.DataFrame, arm: str, **where: str) -> float:
        for column, value in where.items():
            table = table[table[column] == value] if column in table else table.iloc[:0]
        return float(table.loc[table["arm"] == arm, "value"].mean())

    fd = per_seed(study, "generation", study.distance.metric, code=None)
    return [
        Glance(
            arm,
            study.names[arm],
            beta_words(description),
            mean(per_seed(study, "joint", "hole_fraction"), arm),
            mean(worst_dimension(study, "ks_d"), arm),
            mean(per_seed(study, "reconstruction", "recon_nll", code=None), arm),
            mean(per_seed(study, "separability", "knn_accuracy"), arm),
            mean(fd, arm, sampler="prior"),
            mean(fd, arm, sampler="gmm"),
            mean(fd, arm, sampler="reconstruction"),
        )
        for arm, description in study.arms.items()
    ]


def answer(study: Study) -> list[str]:
    """The answer: a headline, then what it rests on, from the tables and the margins that were set beforehand."""
    glance, margins = at_a_glance(study), study.params.get("diagnostics", {}).get("margins", {})
    null = per_seed(study, "joint", "hole_fraction")["null_high"].mean()
    sentences = [_headline(study, margins)]
    holes = ", ".join(f"{line.name} {percent(line.holes)}" for line in glance if is_finite(line.holes))
    if holes:
        chance = f"; true draws of the prior, as many, would leave at most {percent(null)}" if is_finite(null) else ""
        sentences.append(f"A draw from N(0, I) lands where the model has put no data this often: {holes}{chance}.")
    distance = ", ".join(f"{line.name} {number(line.distance)}" for line in glance)
    limit = f" (margin for “normal enough”: {set_number(margins['ks_d'])})" if "ks_d" in margins else ""
    sentences.append(
        f"The codes’ largest distance from a standard normal, on KS’s scale of 0 to 1, is {distance}{limit}."
    )
    fd = [line for line in glance if is_finite(line.fd_prior) and is_finite(line.fd_fitted)]
    if fd:
        pairs = ", ".join(f"{line.name} {number(line.fd_prior)} → {number(line.fd_fitted)}" for line in fd)
        sentences.append(
            f"Drawing from a density fitted to the codes instead of the prior changes the distance of new images to "
            f"real ones ({study.distance.name}, lower is better): {pairs}."
        )
    own = ", ".join(f"{line.name} {number(line.fd_own)}" for line in fd if is_finite(line.fd_own))
    if own:
        sentences.append(
            f"By the same measure the arms’ own reconstructions of test images are at {own}: what the decoder blurs, "
            "no choice of codes brings back."
        )
    return sentences


def _headline(study: Study, margins: Mapping[str, float]) -> str:
    """Which arms may be sampled from N(0, I): those whose whole interval of holes lies within margin and chance."""
    limit = hole_limit(study)
    if limit is None:
        return "No margin on holes was set, so the numbers stand without a verdict on sampling from the prior."
    holes = {name: _side(study, arm, "hole_fraction", limit) for arm, name in study.names.items()}
    covered = {arm: name for arm, name in study.names.items() if holes[name] == "within"}
    shapes: dict[str, list[str]] = {}
    for arm, name in covered.items():
        shapes.setdefault(_normality(study, arm, margins), []).append(name)
    parts = []
    for words, names in shapes.items():
        parts.append(f"{'Yes' if words == NORMAL else 'With care'} for {_listed(names)}: few holes, {words}.")
    if open_ := [f"{name} ({_span(study, arm)})" for arm, name in study.names.items() if holes[name] == "open"]:
        parts.append(
            f"Undecided for {_listed(open_)}: the share of draws in holes may lie on either side of the limit, "
            f"{percent(limit)}."
        )
    if beyond := [name for name, side in holes.items() if side == "beyond"]:
        every = "any of these arms" if len(beyond) == len(holes) > 1 else _listed(beyond)
        parts.append(f"Not for {every}: too much of the prior is without codes, by the limit of {percent(limit)}.")
    return " ".join(parts)


NORMAL = "near-normal codes"


def _normality(study: Study, arm: str, margins: Mapping[str, float]) -> str:
    """How normal the codes of an arm are, in words: each dimension, and all together where that was measured."""
    each = _side(study, arm, "ks_d_max", margins.get("ks_d", np.nan))
    measured = "marginal_kl" in study.metrics.get(arm, {}) and "marginal_kl" in margins
    joint = _side(study, arm, "marginal_kl", margins["marginal_kl"]) if measured else each
    if each == "beyond":
        return "though the codes are not normal"
    if joint == "beyond":
        return "though the codes taken together are not normal"
    return NORMAL if each == joint == "within" else "though it is undecided whether the codes are normal"


def _side(study: Study, arm: str, metric: str, limit: float) -> str:
    """On which side of `limit` the whole interval over seeds lies: within, beyond, or open."""
    interval = study.metrics.get(arm, {}).get(metric, {})
    low, high = interval.get("low"), interval.get("high")
    if is_finite(high) and high < limit:
        return "within"
    return "beyond" if is_finite(low) and low > limit else "open"


def _span(study: Study, arm: str) -> str:
    interval = study.metrics.get(arm, {}).get("hole_fraction", {})
    if not is_finite(interval.get("low")):
        return "one seed, no interval"
    return f"{percent(interval['low'])} to {percent(interval['high'])}"


def tally(study: Study) -> dict[str, int]:
    """Number of claims per verdict, every verdict named."""
    counts = study.claims["verdict"].value_counts()
    return {verdict: int(counts.get(verdict, 0)) for verdict in VERDICTS}


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
