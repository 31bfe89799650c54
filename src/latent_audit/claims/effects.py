"""Scalars per seed -> the verdict on each claim of the ledger."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError
from latent_audit.base.measures import POINTS, Metric, range_of
from latent_audit.claims.intervals import Interval, mean_interval, next_interval, p_against, told_by_values, within
from latent_audit.claims.ledger import CLAIMS, Claim, Term
from latent_audit.claims.observations import FRECHET
from latent_audit.claims.roles import Arms, casts
from latent_audit.claims.verdicts import verdict
from latent_audit.diagnostics.multiplicity import holm

COLUMNS = (
    "claim_id", "claim", "source", "statistic", "bracket", "arms", "code", "effect", "low", "high", "next_low",
    "next_high", "margin", "direction", "n_seeds", "p_value", "p_holm", "verdict", "figure", "by_values", "values",
)  # fmt: skip
BALLS, MASS = "hole_fraction", "hole_mass"  # with what follows either, as in hole_fraction_train
UNITS = ("nats", "share", "sd", "ln_ratio")


class Effects(NamedTuple):
    """An effect seed by seed. lower, upper : the ends of its bracket, the same where there is one estimate alone."""

    lower: pd.Series
    upper: pd.Series

    @property
    def middle(self) -> list[float]:
        """The middle of each seed's bracket."""
        return ((self.lower + self.upper) / 2).tolist()


def claims_table(
    observations: pd.DataFrame, arms: Arms, margins: Mapping[str, float], metrics: Mapping[str, Metric]
) -> pd.DataFrame:
    """One row per claim and combination of arms that can play its roles and be compared.

    Parameters
    ----------
    observations : tidy scalars, columns arm, seed, code, metric, value (one row per arm, seed, code and metric).
    arms : the arms of the study in order, each with its arm.json (`roles.casts`).
    margins : the values that the ledger's margin names refer to.
    metrics : what is known of each metric; intervals end where a metric, or the difference of two, does.

    Returns
    -------
    COLUMNS. `effect`, `low`, `high`: mean over seeds and its 95% interval; `next_low`, `next_high`: 95% of one further
    seed. Of a quantity with two estimates the effect lies half-way between both, each interval holds those of both, and
    `bracket` names the lower one (else it is empty). `p_value` is of "the mean is the
    margin", two-sided: below .05 where the verdict is decided; `p_holm` the same after Holm's correction for all rows
    that have one. `by_values`: the seeds are to be shown one by one (`intervals.told_by_values`); `values`: a JSON list
    of the per-seed effects. A claim whose metric was not measured is left out, but one on FD-clf is put to the FD of
    random features where that was measured in its place (data without classes), and one on the count of balls to the
    prior mass without codes beyond three dimensions.

    Raises
    ------
    InputError : a margin is missing, or two arms that are compared were not measured on the same seeds.
    """
    if missing := sorted({claim.margin for claim in CLAIMS} - set(margins)):
        raise InputError(
            f"diagnostics.margins lacks {', '.join(missing)}; fix each margin in params.yaml before looking"
        )
    measured = _measured(observations)
    observations = observations[observations["metric"].isin(measured)]
    scores = {key: rows.set_index("seed")["value"] for key, rows in observations.groupby(["arm", "code", "metric"])}
    rows = [
        row
        for claim in _of_measured(CLAIMS, measured)
        for cast in casts(claim, arms)
        if (row := _row(claim, cast, scores, float(margins[claim.margin]), metrics)) is not None
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.assign(p_holm=holm(table["p_value"].to_numpy(dtype=np.float64)))


def _measured(observations: pd.DataFrame) -> set[str]:
    """The metrics that have a value; of the counts of balls, those that every arm has, where all have the mass, too."""
    named = set(observations["metric"])
    counts = values_per_arm(observations)
    balls = {metric for metric in named if metric.startswith(BALLS)}
    missing = {metric: counts[metric] == 0 for metric in balls}
    return named - {
        metric for metric, of in missing.items() if of.all() or (of.any() and metric.replace(BALLS, MASS) in named)
    }


def values_per_arm(table: pd.DataFrame) -> pd.Series:
    """How many values each metric has, indexed by (metric, arm); 0 where the arm has rows of it without a value."""
    return table.groupby(["metric", "arm"])["value"].count()


def hole_measure(joint: pd.DataFrame) -> str:
    """The measure of holes of a study: the count of balls, or, with an arm that lacks it, the mass without codes."""
    counts = values_per_arm(joint[joint["metric"] == BALLS])
    return MASS if (counts == 0).any() else BALLS


def _of_measured(claims: Iterable[Claim], measured: Set[str]) -> Iterator[Claim]:
    """The claims, each term on the Fréchet distance and the holes that were measured, and without the estimate that was
    not."""

    def term(one: Term) -> Term:
        instead = (BALLS, MASS) if one.metric.startswith(BALLS) else FRECHET
        other = one.metric.replace(*instead)
        metric = other if one.metric not in measured and other in measured else one.metric
        return one._replace(metric=metric, lower=one.lower if one.lower in measured else None)

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


def _row(
    claim: Claim,
    cast: Mapping[str, str],
    scores: Mapping[tuple, pd.Series],
    margin: float,
    metrics: Mapping[str, Metric],
) -> dict[str, object] | None:
    terms = [term for term in (claim.left, claim.right) if term is not None]
    brackets = [_bracket(term, cast, scores) for term in terms]
    if any(bracket is None for bracket in brackets):
        return None
    effects = _effects(claim, cast, *brackets)  # type: ignore[arg-type]
    ends = _range(claim, terms, metrics)
    mean, further = (within(_spanned(effects, interval), *ends) for interval in (mean_interval, next_interval))
    lower = list(dict.fromkeys(term.lower for term in terms if term.lower is not None))
    return {
        "claim_id": claim.claim_id, "claim": claim.claim, "source": claim.source,
        "statistic": _statistic(claim, terms), "bracket": ", ".join(lower),
        "arms": " vs ".join(dict.fromkeys(cast[term.role] for term in terms)), "code": claim.code,
        "effect": mean.mean, "low": mean.low, "high": mean.high, "next_low": further.low, "next_high": further.high,
        "margin": margin, "direction": claim.direction, "n_seeds": mean.n_seeds,
        "p_value": _p(effects, margin), "p_holm": np.nan, "verdict": verdict(mean, claim.direction, margin),
        "figure": claim.figure, "by_values": told_by_values(effects.middle, *ends),
        "values": json.dumps([float(f"{value:.6g}") for value in effects.middle]),
    }  # fmt: skip


def _bracket(term: Term, cast: Mapping[str, str], scores: Mapping[tuple, pd.Series]) -> Effects | None:
    """Both estimates of a term; an arm that lacks the lower one has the upper one twice."""
    upper = scores.get((cast[term.role], term.code, term.metric))
    if upper is None:
        return None
    lower = scores.get((cast[term.role], term.code, term.lower), upper).reindex(upper.index)
    return Effects(lower.sort_index(), upper.sort_index())


def _effects(claim: Claim, cast: Mapping[str, str], left: Effects, right: Effects | None = None) -> Effects:
    """left, or left less right (or the log of their ratio): its lowest by the lower left and the upper right end."""
    if right is None or claim.right is None:
        return left
    if odd := sorted(set(left.upper.index) ^ set(right.upper.index)):
        names = f"{cast[claim.left.role]!r}, {cast[claim.right.role]!r}"
        raise InputError(
            f"claim {claim.claim_id!r}: seeds {odd} have a score for only one of {names}; run `dvc repro` for the "
            "missing cells or drop those seeds in params.yaml"
        )
    if claim.scale == "log_ratio":
        return Effects(np.log(left.lower / right.upper), np.log(left.upper / right.lower))
    return Effects(left.lower - right.upper, left.upper - right.lower)


def _spanned(effects: Effects, interval) -> Interval:
    """The interval that holds those of both estimates, NaN where one is; its mean is half-way between theirs."""
    lower, upper = interval(effects.lower.tolist()), interval(effects.upper.tolist())
    ends = np.array([lower[1:3], upper[1:3]])
    return Interval((lower.mean + upper.mean) / 2, float(ends.min()), float(ends.max()), upper.n_seeds)


def _p(effects: Effects, margin: float) -> float:
    """The larger p of both ends, for the row is decided where both are, on one side; 1 with the margin between them."""
    ends = [values.tolist() for values in effects]
    sides = {float(np.sign(np.mean(values) - margin)) for values in ends}
    p = float(np.max([p_against(values, margin) for values in ends]))  # NaN stays
    return p if len(sides) == 1 or np.isnan(p) else 1.0


def _range(claim: Claim, terms: Sequence[Term], metrics: Mapping[str, Metric]) -> tuple[float, float]:
    """What the statistic can be."""
    ends = [range_of(term.metric, metrics) for term in terms]
    if len(ends) == 1:
        return ends[0]
    if claim.scale == "log_ratio":
        return (-np.inf, np.inf)
    return (ends[0][0] - ends[1][1], ends[0][1] - ends[1][0])


def _statistic(claim: Claim, terms: Sequence[Term]) -> str:
    names = [term.metric for term in terms]
    if len(names) == 1:
        return names[0]
    if claim.scale == "log_ratio":
        return f"ln({names[0]} / {names[1]})"
    return f"difference of {names[0]}" if names[0] == names[1] else f"{names[0]} - {names[1]}"
