"""Scalars per seed -> the verdict on each claim of the ledger."""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError
from latent_audit.base.measures import POINTS, Metric, range_of
from latent_audit.claims.intervals import Interval, mean_interval
from latent_audit.claims.ledger import CLAIMS, Claim, Term
from latent_audit.claims.observations import FRECHET

COLUMNS = (
    "claim_id", "claim", "source", "statistic", "arms", "code", "effect", "low", "high", "margin", "direction",
    "n_seeds", "verdict", "figure", "values",
)  # fmt: skip
UNITS = ("nats", "share", "sd", "ln_ratio")


def verdict(interval: Interval, direction: str, margin: float) -> str:
    """`supported` where the whole interval lies beyond the margin in the claim's direction, `contradicted` where it
    lies wholly on the other side, `inconclusive` where the margin is inside it or there is no interval (one seed)."""
    if not np.isfinite([interval.low, interval.high]).all():
        return "inconclusive"
    above, below = interval.low > margin, interval.high < margin
    holds, fails = (above, below) if direction == ">" else (below, above)
    return "supported" if holds else "contradicted" if fails else "inconclusive"


def claims_table(
    observations: pd.DataFrame, arms: Mapping[str, float | None], margins: Mapping[str, float]
) -> pd.DataFrame:
    """One row per claim and combination of arms that can play its roles.

    Parameters
    ----------
    observations : tidy scalars, columns arm, seed, code, metric, value (one row per arm, seed, code and metric).
    arms : the arms of the study in order, each with its beta_kl; None marks an autoencoder.
    margins : the values that the ledger's margin names refer to.

    Returns
    -------
    COLUMNS, with `values` a JSON list of the per-seed effects. A claim whose metric was not measured is left out, but
    one on FD-clf is put to the FD of random features where that was measured in its place (data without classes).

    Raises
    ------
    InputError : a margin is missing, or two arms that are compared were not measured on the same seeds.
    """
    if missing := sorted({claim.margin for claim in CLAIMS} - set(margins)):
        raise InputError(
            f"diagnostics.margins lacks {', '.join(missing)}; fix each margin in params.yaml before looking"
        )
    scores = {key: rows.set_index("seed")["value"] for key, rows in observations.groupby(["arm", "code", "metric"])}
    rows = [
        row
        for claim in _of_measured(CLAIMS, set(observations["metric"]))
        for cast in _casts(claim, arms)
        if (row := _row(claim, cast, scores, float(margins[claim.margin]))) is not None
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _of_measured(claims: Iterable[Claim], measured: Set[str]) -> Iterator[Claim]:
    """The claims, each term on the Fréchet distance that was measured."""
    trained, random = FRECHET

    def term(one: Term) -> Term:
        other = one.metric.replace(trained, random)
        return one._replace(metric=other) if one.metric not in measured and other in measured else one

    for claim in claims:
        yield claim._replace(left=term(claim.left), right=None if claim.right is None else term(claim.right))


def effects_by_unit(claims: pd.DataFrame, metrics: Mapping[str, Metric]) -> dict[str, pd.DataFrame]:
    """The effects of `claims_table`, apart by unit (nats, share, sd, ln_ratio), for `dvc plots`: columns claim, effect.

    `claim` names the arms as well. ln_ratio: the natural logarithm of a ratio. A unit without a row is an empty table.
    metrics : what is known of each metric.
    """
    units = [_unit(str(statistic), metrics) for statistic in claims["statistic"]]
    rows = claims.assign(unit=units, claim=claims["claim_id"] + ", " + claims["arms"])
    return {unit: rows.loc[rows["unit"] == unit, ["claim", "effect"]].reset_index(drop=True) for unit in UNITS}


def _unit(statistic: str, metrics: Mapping[str, Metric]) -> str:
    """nats; share of what lies in [0, 1] and of differences of such; else sd (standard deviations)."""
    if statistic.startswith("ln("):
        return "ln_ratio"
    metric = statistic.removeprefix("difference of ").split(" - ")[0]
    unit = metrics[metric].unit if metric in metrics else ""
    if unit == POINTS or range_of(metric, metrics) == (0.0, 1.0):
        return "share"
    return "nats" if unit.startswith("nats") else "sd"


def _casts(claim: Claim, arms: Mapping[str, float | None]) -> Iterator[dict[str, str]]:
    by_role: dict[str, Sequence[str]] = {
        "ae": [arm for arm, beta_kl in arms.items() if beta_kl is None],
        "vae": [arm for arm, beta_kl in arms.items() if beta_kl is not None],
    }
    roles = [term.role for term in (claim.left, claim.right) if term is not None]
    if "weak" in roles:
        ordered = sorted(by_role["vae"], key=lambda arm: arms[arm])  # type: ignore[arg-type, return-value]
        yield from ({"weak": weak, "strong": strong} for weak, strong in itertools.pairwise(ordered))
        return
    for names in itertools.product(*(by_role[role] for role in roles)):
        yield dict(zip(roles, names, strict=True))


def _row(
    claim: Claim, cast: Mapping[str, str], scores: Mapping[tuple, pd.Series], margin: float
) -> dict[str, object] | None:
    terms = [term for term in (claim.left, claim.right) if term is not None]
    series = [scores.get((cast[term.role], term.code, term.metric)) for term in terms]
    if any(values is None for values in series):
        return None
    effects = _effects(claim, cast, *series)  # type: ignore[arg-type]
    interval = mean_interval(effects.tolist())
    return {
        "claim_id": claim.claim_id, "claim": claim.claim, "source": claim.source,
        "statistic": _statistic(claim, terms), "arms": " vs ".join(cast[term.role] for term in terms),
        "code": claim.code, "effect": interval.mean, "low": interval.low, "high": interval.high,
        "margin": margin, "direction": claim.direction, "n_seeds": interval.n_seeds,
        "verdict": verdict(interval, claim.direction, margin), "figure": claim.figure,
        "values": json.dumps([float(f"{value:.6g}") for value in effects]),
    }  # fmt: skip


def _effects(claim: Claim, cast: Mapping[str, str], left: pd.Series, right: pd.Series | None = None) -> pd.Series:
    if right is None or claim.right is None:
        return left.sort_index()
    if odd := sorted(set(left.index) ^ set(right.index)):
        names = f"{cast[claim.left.role]!r}, {cast[claim.right.role]!r}"
        raise InputError(
            f"claim {claim.claim_id!r}: seeds {odd} have a score for only one of {names}; run `dvc repro` for the "
            "missing cells or drop those seeds in params.yaml"
        )
    left, right = left.sort_index(), right.sort_index()
    return np.log(left / right) if claim.scale == "log_ratio" else left - right


def _statistic(claim: Claim, terms: Sequence[Term]) -> str:
    names = [term.metric for term in terms]
    if len(names) == 1:
        return names[0]
    if claim.scale == "log_ratio":
        return f"ln({names[0]} / {names[1]})"
    return f"difference of {names[0]}" if names[0] == names[1] else f"{names[0]} - {names[1]}"
