"""Plain words for the statistics of claims.csv, and the finding that an effect amounts to."""

import re
from collections.abc import Callable, Mapping
from math import exp, isfinite
from typing import Any

from latent_audit.base.measures import POINTS, SHARE, Metric, phrase_of
from latent_audit.report.tables import number, percent, set_number


def points(share: float) -> str:
    """A difference of two shares, in percentage points."""
    return f"{number(100 * share, 2)} percentage points"


SIDES = {">": "above", "<": "below"}
Metrics = Mapping[str, Metric]
FORMS: dict[str, Callable[[float], str]] = {SHARE: percent, POINTS: points}


def form_of(metric: str, metrics: Metrics) -> Callable[[float], str]:
    """How values of a metric are written, by its unit."""
    return FORMS.get(metrics[metric].unit, number) if metric in metrics else number


def statistic_words(statistic: str, metrics: Metrics) -> str:
    """The statistic of a claim in plain words: a metric, `difference of m`, `m - n`, or `ln(m / n)`."""
    if match := re.fullmatch(r"difference of (\w+)", statistic):
        return f"difference in {phrase_of(match[1], metrics)}"
    if match := re.fullmatch(r"ln\((\w+) / (\w+)\)", statistic):
        return f"log ratio: {phrase_of(match[1], metrics)}, to {phrase_of(match[2], metrics)}"
    if match := re.fullmatch(r"(\w+) - (\w+)", statistic):
        return f"{phrase_of(match[1], metrics)}, less {phrase_of(match[2], metrics)}"
    return phrase_of(statistic, metrics)


def finding_words(row: Mapping[str, Any], arms: list[str], metrics: Metrics) -> str:
    """What was found, as a sentence: the effect in words, for the arms by name.

    Parameters
    ----------
    row : one claim of claims.csv. arms : the arms it compares, by name for readers, in the order of the difference.
    metrics : what is known of each metric.
    """
    effect = float(row["effect"])
    if not isfinite(effect):
        return "The effect could not be computed: a value is missing."
    statistic = str(row["statistic"])
    if (match := re.fullmatch(r"difference of (\w+)", statistic)) and len(arms) == 2:
        words, form = phrase_of(match[1], metrics), form_of(match[1], metrics)
        size = points(abs(effect)) if form is percent else number(abs(effect))
        return f"{arms[0]} {'higher' if effect > 0 else 'lower'} than {arms[1]} by {size}: {words}."
    if (match := re.fullmatch(r"ln\((\w+) / (\w+)\)", statistic)) and len(arms) == 2:
        first, second = _distance(match[1], metrics), _distance(match[2], metrics)
        second = second.removeprefix(first.split("(")[0])  # the same distance is named once
        return f"{arms[0]}’s {first} is {number(exp(effect))} times that of {arms[1]} {second}."
    return f"{form_of(statistic, metrics)(effect)}: {statistic_words(statistic, metrics)}."


def reason_words(row: Mapping[str, Any], metrics: Metrics) -> str:
    """Why the verdict is what it is, from the interval and the margin, in the units of `finding_words`."""
    side, form = SIDES[row["direction"]], _form(str(row["statistic"]), metrics)
    margin = form(float(row["margin"]), set_number)
    if not isfinite(float(row["low"])):
        return f"One seed gives no interval; the claim holds {side} {margin}."
    where = {
        "supported": f"all of it {side} the margin of {margin}",
        "contradicted": f"none of it {side} the margin of {margin}",
        "inconclusive": f"on both sides of the margin of {margin}",
    }[row["verdict"]]
    return f"95% interval {form(row['low'], number)} to {form(row['high'], number)}, {where}."


def _form(statistic: str, metrics: Metrics) -> Callable[[float, Callable[[float], str]], str]:
    """How an end of an interval is written: shares as percent, differences of shares in points, logs as ratios."""
    if re.fullmatch(r"ln\(.*\)", statistic):
        return lambda value, plain: f"{number(exp(value))} times"
    match = re.fullmatch(r"difference of (\w+)", statistic)
    shown = form_of(match[1] if match else statistic, metrics)
    if shown not in (percent, points):
        return lambda value, plain: plain(value)

    def share(value: float, plain: Callable[[float], str]) -> str:
        size = plain(round(100 * value, 10)) if plain is set_number else number(100 * value, 2)
        return f"{size}%" if shown is percent and not match else f"{size} point{'' if size == '1' else 's'}"

    return share


def _distance(metric: str, metrics: Metrics) -> str:
    source = {"prior": "from its prior", "box": "from its box", "gaussian": "from its fitted Gaussian",
              "gmm": "from its fitted mixture"}  # fmt: skip
    distance, _, sampler = metric.rpartition("_")
    return (
        f"{metrics[distance].short} ({source[sampler]})"
        if distance in metrics and sampler in source
        else phrase_of(metric, metrics)
    )
