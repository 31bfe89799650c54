"""Intervals over seeds: the replicate is the seed, and differences between arms are paired by it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t


class Interval(NamedTuple):
    """A mean over seeds and its confidence interval; `low` and `high` are NaN for a single seed."""

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
    array = np.asarray(values, dtype=np.float64)
    n_seeds, mean = len(array), float(array.mean())
    if n_seeds < 2 or not np.isfinite(array).all():
        return Interval(mean, np.nan, np.nan, n_seeds)
    half = float(t.ppf(0.5 + level / 2, n_seeds - 1)) * float(array.std(ddof=1)) / np.sqrt(n_seeds)
    return Interval(mean, mean - half, mean + half, n_seeds)


def within(interval: Interval, low: float, high: float) -> Interval:
    """The part of an interval that the quantity can take; it covers the truth just as often as the whole."""
    ends = np.clip([interval.low, interval.high], low, high).tolist()
    return interval._replace(low=ends[0], high=ends[1])
