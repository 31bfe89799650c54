"""Plain words for the statistics of claims.csv, and the finding that an effect amounts to."""

import re
from collections.abc import Callable, Mapping
from math import exp, isfinite
from typing import Any

from latent_audit.report.study import OF_CLASSIFIER, OF_RANDOM
from latent_audit.report.tables import number, percent, set_number


def points(share: float) -> str:
    """A difference of two shares, in percentage points."""
    return f"{number(100 * share, 2)} percentage points"


FRECHET = {distance.metric: distance.name for distance in (OF_CLASSIFIER, OF_RANDOM)}
DENSITIES = {
    "prior": "N(0, I)",
    "box": "the bounding box",
    "gaussian": "a fitted Gaussian",
    "gmm": "a fitted mixture of ten Gaussians",
}
METRICS: dict[str, tuple[str, Callable[[float], str]]] = {
    "centre_offset": ("distance of the mean from 0, in the codes’ own sd", number),
    "asymmetry": ("asymmetry about 0 (0 none, 1 all far on one side)", number),
    "excess_reach": ("how far the largest coordinate lies beyond the prior’s own largest, in the prior’s sd", number),
    "hole_fraction": ("share of prior draws that land in a hole", percent),
    "hole_fraction_whitened": ("share of prior draws in a hole, codes whitened first", percent),
    "ks_d_max": ("largest KS distance of a dimension to N(0, 1)", number),
    "ks_d_max_standardised": ("largest KS distance to N(0, 1), codes standardised first", number),
    "marginal_kl": ("KL of all codes together to the prior, in nats", number),
    "total_correlation": ("dependence between dimensions (total correlation), in nats", number),
    "area_tv": ("share of the square’s area to move until classes are equal", percent),
    "knn_gain": ("k-NN accuracy beyond that of naming the commonest class", points),
    "recon_nll": ("reconstruction error, in nats per image", number),
    **{
        f"{metric}_{sampler}": (f"{name} of draws from {source}", number)
        for metric, name in FRECHET.items()
        for sampler, source in DENSITIES.items()
    },
    "midpoint_confidence": ("the critic’s confidence half-way between two images", percent),
    "jump_rate_codes": ("share of small steps that change the class", percent),
}
SIDES = {">": "above", "<": "below"}


def metric_words(metric: str) -> str:
    """A metric in plain words; one without an entry keeps its own name, with spaces."""
    return METRICS[metric][0] if metric in METRICS else metric.replace("_", " ")


def statistic_words(statistic: str) -> str:
    """The statistic of a claim in plain words: a metric, `difference of m`, `m - n`, or `ln(m / n)`."""
    if match := re.fullmatch(r"difference of (\w+)", statistic):
        return f"difference in {metric_words(match[1])}"
    if match := re.fullmatch(r"ln\((\w+) / (\w+)\)", statistic):
        return f"log ratio: {metric_words(match[1])}, to {metric_words(match[2])}"
    if match := re.fullmatch(r"(\w+) - (\w+)", statistic):
        return f"{metric_words(match[1])}, less {metric_words(match[2])}"
    return metric_words(statistic)


def finding_words(row: Mapping[str, Any], arms: list[str]) -> str:
    """What was found, as a sentence: the effect in words, for the arms by name.

    Parameters
    ----------
    row : one claim of claims.csv. arms : the arms it compares, by name for readers, in the order of the difference.
    """
    effect = float(row["effect"])
    if not isfinite(effect):
        return "The effect could not be computed: a value is missing."
    statistic = str(row["statistic"])
    if (match := re.fullmatch(r"difference of (\w+)", statistic)) and len(arms) == 2:
        words, form = METRICS.get(match[1], (metric_words(match[1]), number))
        size = points(abs(effect)) if form is percent else number(abs(effect))
        return f"{arms[0]} {'higher' if effect > 0 else 'lower'} than {arms[1]} by {size}: {words}."
    if (match := re.fullmatch(r"ln\((\w+) / (\w+)\)", statistic)) and len(arms) == 2:
        first, second = _distance(match[1]), _distance(match[2])
        for name in FRECHET.values():
            second = second.removeprefix(f"{name} ")
        return f"{arms[0]}’s {first} is {number(exp(effect))} times that of {arms[1]} {second}."
    words, form = METRICS.get(statistic, (statistic_words(statistic), number))
    return f"{form(effect)}: {words}."


def reason_words(row: Mapping[str, Any]) -> str:
    """Why the verdict is what it is, from the interval and the margin, in the units of `finding_words`."""
    side, form = SIDES[row["direction"]], _form(str(row["statistic"]))
    margin = form(float(row["margin"]), set_number)
    if not isfinite(float(row["low"])):
        return f"One seed gives no interval; the claim holds {side} {margin}."
    where = {
        "supported": f"all of it {side} the margin of {margin}",
        "contradicted": f"none of it {side} the margin of {margin}",
        "inconclusive": f"on both sides of the margin of {margin}",
    }[row["verdict"]]
    return f"95% interval {form(row['low'], number)} to {form(row['high'], number)}, {where}."


def _form(statistic: str) -> Callable[[float, Callable[[float], str]], str]:
    """How an end of an interval is written: shares as percent, differences of shares in points, logs as ratios."""
    if re.fullmatch(r"ln\(.*\)", statistic):
        return lambda value, plain: f"{number(exp(value))} times"
    match = re.fullmatch(r"difference of (\w+)", statistic)
    shown = METRICS.get(match[1] if match else statistic, ("", number))[1]
    if shown not in (percent, points):
        return lambda value, plain: plain(value)

    def share(value: float, plain: Callable[[float], str]) -> str:
        size = plain(round(100 * value, 10)) if plain is set_number else number(100 * value, 2)
        return f"{size}%" if shown is percent and not match else f"{size} point{'' if size == '1' else 's'}"

    return share


def _distance(metric: str) -> str:
    source = {"prior": "from its prior", "box": "from its box", "gaussian": "from its fitted Gaussian",
              "gmm": "from its fitted mixture"}  # fmt: skip
    distance, _, sampler = metric.rpartition("_")
    return (
        f"{FRECHET[distance]} ({source[sampler]})"
        if distance in FRECHET and sampler in source
        else metric_words(metric)
    )
