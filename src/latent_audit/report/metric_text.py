"""Plain words for the statistics of claims.csv, and the finding that an effect amounts to."""

import json
import re
from collections.abc import Callable, Mapping
from math import exp, isfinite
from typing import Any

from latent_audit.base.measures import POINTS, SHARE, Metric, phrase_of
from latent_audit.claims.intervals import groups
from latent_audit.report.seed_summary import groups_words, values_words
from latent_audit.report.tables import ABSENT, number, percent, percent_span, percents, set_number, span


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
    """What was found, as a sentence: the effect in words, for the arms by name; by seeds where a mean would mislead.

    Parameters
    ----------
    row : one claim of claims.csv. arms : the arms it compares, by name for readers, in the order of the difference.
    metrics : what is known of each metric.
    """
    effect = float(row["effect"])
    if not isfinite(effect):
        return _unknown(row)
    statistic = str(row["statistic"])
    listed = values_words(_seeds(row), _single(statistic, metrics)) if _by_values(row) else ""
    if (match := re.fullmatch(r"difference of (\w+)", statistic)) and len(arms) == 2:
        words, form = phrase_of(match[1], metrics), form_of(match[1], metrics)
        if listed:
            return f"{arms[0]} less {arms[1]}, seed by seed: {listed}: {words}."
        size = points(abs(effect)) if form is percent else number(abs(effect))
        return f"{arms[0]} {'higher' if effect > 0 else 'lower'} than {arms[1]} by {size}: {words}."
    if match := re.fullmatch(r"ln\((\w+) / (\w+)\)", statistic):
        first, second = _distance(match[1], metrics), _distance(match[2], metrics)
        second = second.removeprefix(first.split("(")[0])  # the same distance is named once
        other = f" of {arms[1]}" if len(arms) == 2 else ""
        return f"{arms[0]}’s {first} is {number(exp(effect))} times that{other} {second.strip()}."
    if listed:
        return f"{listed}, seed by seed: {statistic_words(statistic, metrics)}."
    return f"{form_of(statistic, metrics)(effect)}: {statistic_words(statistic, metrics)}."


def _unknown(row: Mapping[str, Any]) -> str:
    if _bracket(row):
        return "This cannot be told from so few codes."
    return "The effect could not be computed: a value is missing."


def reason_words(row: Mapping[str, Any], metrics: Metrics) -> str:
    """Why the verdict is what it is, from the interval and the margin, in the units of `finding_words`."""
    side, form = SIDES[row["direction"]], _form(str(row["statistic"]), metrics)
    margin = margin_words(row, metrics)
    if not isfinite(float(row["low"])):
        return f"{_no_interval(row)}; the claim holds {side} {margin}."
    opposite = f"all of it below {form(0.0, set_number)}"
    where = {
        "supported": f"all of it {side} the margin of {margin}",
        "negligible": f"all of it below the margin of {margin}, so too little to matter{_left_open(row)}",
        "contradicted": opposite if row["direction"] == ">" else f"none of it {side} the margin of {margin}",
        "inconclusive": f"on both sides of the margin of {margin}",
    }[row["verdict"]]
    of_what = ""
    if _bracket(row):
        of_what = " that holds those of two estimates, one too low and one too high"
    if _by_values(row):
        return f"95% interval of their mean{of_what}: {where}."
    return f"95% interval{of_what}{',' if of_what else ''} {interval_words(row, metrics)}, {where}."


def _left_open(row: Mapping[str, Any]) -> str:
    """What a negligible effect does not rule out: the opposite, where the interval reaches as far below 0."""
    return "; whether there is as much of the opposite stays open" if row["low"] < -abs(row["margin"]) else ""


def _no_interval(row: Mapping[str, Any]) -> str:
    if int(row.get("n_seeds", 1)) < 2:
        return "One seed gives no interval"
    if _bracket(row):
        return "There is no interval, because too few codes were measured for what they carry"
    return "There is no interval, because a seed has no value"


def interval_words(row: Mapping[str, Any], metrics: Metrics) -> str:
    """The 95% interval of a claim's row; its seeds where those are to be shown; or that there is none."""
    if not isfinite(float(row["low"])):
        return "one seed, no interval" if int(row.get("n_seeds", 1)) < 2 else "no interval"
    if _by_values(row):
        return values_words(_seeds(row), _single(str(row["statistic"]), metrics))
    return ends_words(row["low"], row["high"], str(row["statistic"]), metrics)


def ends_words(low: float, high: float, statistic: str, metrics: Metrics) -> str:
    """Both ends of an interval of a statistic, in its unit and to one precision."""
    if re.fullmatch(r"ln\(.*\)", statistic):
        return f"{span(exp(low), exp(high))} times"
    match = re.fullmatch(r"difference of (\w+)", statistic)
    shown = form_of(match[1] if match else statistic, metrics)
    if shown not in (percent, points):
        return span(low, high)
    if shown is percent and not match:
        return percent_span(low, high)
    return f"{' to '.join(percents([low, high]))} points"


def effect_words(row: Mapping[str, Any], metrics: Metrics) -> str:
    """The effect alone, in its unit: "8.5%", "1.9 times", "12 points", "0.12"."""
    form = _form(str(row["statistic"]), metrics)
    return form(float(row["effect"]), number) if isfinite(float(row["effect"])) else ABSENT


def margin_words(row: Mapping[str, Any], metrics: Metrics) -> str:
    """A claim's margin with its unit: "5 points", "1 nat per image", "1.11 times"."""
    statistic = str(row["statistic"])
    words = _form(statistic, metrics)(float(row["margin"]), set_number)
    metric = metrics.get(re.sub(r"^difference of ", "", statistic))
    unit = "" if metric is None or metric.unit in (SHARE, POINTS) else metric.unit
    if row["margin"] == 1 and unit.startswith("nats"):
        unit = unit.replace("nats", "nat", 1)
    return f"{words} {unit}".strip()


def next_seed_words(row: Mapping[str, Any], metrics: Metrics) -> str:
    """Where one further seed is to be expected, 95%; as the seeds fall where those are in groups; a dash: not known."""
    statistic = str(row["statistic"])
    if _by_values(row) and len(groups(_seeds(row))) > 1:
        return f"as these: {groups_words(_seeds(row), _single(statistic, metrics))}"
    low, high = (float(row.get(end, "nan")) for end in ("next_low", "next_high"))
    return ends_words(low, high, statistic, metrics) if isfinite(low) and isfinite(high) else ABSENT


def _by_values(row: Mapping[str, Any]) -> bool:
    return row.get("by_values") is not None and str(row["by_values"]) == "True"


def _bracket(row: Mapping[str, Any]) -> str:
    """The second estimate behind a row; tables made before there were any have no such column."""
    found = row.get("bracket")
    return found if isinstance(found, str) else ""


def _seeds(row: Mapping[str, Any]) -> list[float]:
    return json.loads(row["values"]) if isinstance(row["values"], str) else []


def _single(statistic: str, metrics: Metrics) -> Callable[[float], str]:
    """How one value of a statistic is written."""
    match = re.fullmatch(r"difference of (\w+)", statistic)
    form = form_of(match[1] if match else statistic, metrics)
    return points if match and form is percent else form


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
              "gmm": "from its fitted mixture", "reconstruction": "of its own reconstructions"}  # fmt: skip
    distance, _, sampler = metric.rpartition("_")
    return (
        f"{metrics[distance].short} ({source[sampler]})"
        if distance in metrics and sampler in source
        else phrase_of(metric, metrics)
    )
