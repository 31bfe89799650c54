"""Intervals over seeds: the replicate is the seed, and differences between arms are paired by it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t

LEAST_IN_A_GROUP = 2  # seeds on either side of a gap, so that one odd seed makes no group
LEAST_GAP = 0.1  # of what a measure can be: a smaller spread misleads nobody


class Interval(NamedTuple):
    """A mean over seeds and an interval about it; `low` and `high` are NaN for a single seed."""

    mean: float
    low: float
    high: float
    n_seeds: int


def mean_interval(values: Sequence[float], *, level: float = 0.95) -> Interval:
    """Student's t interval of the mean over seeds.

    Parameters
    ----------
    values : one number per seed; an undefined one (NaN) makes the whole interval NaN.

    References
    ----------
    Student (1908), "The probable error of a mean", Biometrika 6(1).
    """
    return _about_the_mean(values, level, lambda n: 1 / n)


def next_interval(values: Sequence[float], *, level: float = 0.95) -> Interval:
    """Student's t interval of one further seed: the mean, plus or minus t s sqrt(1 + 1/n).

    Never narrower than `mean_interval`, and it does not shrink to nothing with more seeds.

    References
    ----------
    Hahn & Meeker (1991), Statistical Intervals, section 4.7.
    """
    return _about_the_mean(values, level, lambda n: 1 + 1 / n)


def _about_the_mean(values: Sequence[float], level: float, variance) -> Interval:
    """The mean plus or minus t s sqrt(variance(n))."""
    array = np.asarray(values, dtype=np.float64)
    n_seeds, mean = len(array), float(array.mean())
    if n_seeds < 2 or not np.isfinite(array).all():
        return Interval(mean, np.nan, np.nan, n_seeds)
    half = float(t.ppf(0.5 + level / 2, n_seeds - 1)) * float(array.std(ddof=1)) * np.sqrt(variance(n_seeds))
    return Interval(mean, mean - half, mean + half, n_seeds)


def p_against(values: Sequence[float], margin: float) -> float:
    """Two-sided p of Student's t test that the mean over seeds is `margin`; NaN where there is no interval.

    It is the smallest alpha at which the (1 - alpha) interval of the mean leaves the margin out: below .05 exactly
    where `mean_interval` does.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) < 2 or not np.isfinite(array).all():
        return float("nan")
    off, error = abs(float(array.mean()) - margin), float(array.std(ddof=1)) / np.sqrt(len(array))
    if error == 0:
        return 0.0 if off > 0 else 1.0
    return float(2 * t.sf(off / error, len(array) - 1))


def within(interval: Interval, low: float, high: float) -> Interval:
    """The part of an interval that the quantity can take; it covers the truth just as often as the whole."""
    ends = np.clip([interval.low, interval.high], low, high).tolist()
    return interval._replace(low=ends[0], high=ends[1])


def groups(values: Sequence[float]) -> list[list[float]]:
    """The values in order: as two lists where they fall into two groups, else as one.

    Two groups are divided by a gap of more than half the range that has at least two values on either side.
    """
    ordered = sorted(values)
    steps = np.diff(ordered)[LEAST_IN_A_GROUP - 1 : len(ordered) - LEAST_IN_A_GROUP]
    if not len(steps) or not np.isfinite(ordered).all() or steps.max() <= (ordered[-1] - ordered[0]) / 2:
        return [ordered]
    cut = int(steps.argmax()) + LEAST_IN_A_GROUP
    return [ordered[:cut], ordered[cut:]]


def told_by_values(values: Sequence[float], low: float, high: float) -> bool:
    """Whether seeds are to be shown one by one, because a mean with an interval would mislead.

    So it is for a quantity between the finite ends `low` and `high` whose interval of the mean reaches beyond an end,
    or whose values fall into two groups; either only where the values, or the groups, lie a tenth of that range apart.
    """
    if not np.isfinite([low, high]).all() or not np.isfinite(values).all():
        return False
    interval, apart, least = mean_interval(values), groups(values), LEAST_GAP * (high - low)
    cut_off = interval.low < low or interval.high > high
    gap = apart[1][0] - apart[0][-1] if len(apart) > 1 else 0.0
    return bool(gap > least or (cut_off and max(values) - min(values) > least))
