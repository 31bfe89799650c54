"""Mean and central moments of more values than are held at once, merged from parts (Pébay 2008, SAND2008-6212)."""

from functools import reduce
from typing import NamedTuple

import numpy as np


class Moments(NamedTuple):
    """Of `n` values each: mean, and sums of the deviations' squares, cubes and fourth powers, arrays of one shape."""

    n: int
    mean: np.ndarray
    m2: np.ndarray
    m3: np.ndarray
    m4: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """1/n."""
        return self.m2 / self.n

    @property
    def skew(self) -> np.ndarray:
        """Biased g1; NaN without spread."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.m2 > 0, np.sqrt(self.n) * self.m3 / self.m2**1.5, np.nan)

    @property
    def excess_kurtosis(self) -> np.ndarray:
        """Biased g2; NaN without spread."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.m2 > 0, self.n * self.m4 / self.m2**2 - 3.0, np.nan)

    def pooled(self) -> "Moments":
        """All of the arrays' entries as one lot of values."""
        parts = [Moments(self.n, *(field.ravel()[k] for field in self[1:])) for k in range(self.mean.size)]
        return reduce(merged, parts)


class Spread(NamedTuple):
    """Of `n` values each: mean, and sums of the deviations' squares."""

    n: int
    mean: np.ndarray
    m2: np.ndarray


def moments_of(x: np.ndarray, axis: tuple[int, ...]) -> Moments:
    """Of the values along `axis`."""
    mean = x.mean(axis=axis, keepdims=True)
    away = x - mean
    square = away * away
    m3 = np.multiply(square, away, out=away).sum(axis=axis)
    m2 = square.sum(axis=axis)
    m4 = np.multiply(square, square, out=square).sum(axis=axis)
    return Moments(x.size // mean.size, mean.squeeze(axis), m2, m3, m4)


def merged(a: Moments | None, b: Moments) -> Moments:
    """Of the values of both; None is no values."""
    if a is None:
        return b
    n, gap = a.n + b.n, b.mean - a.mean
    m3 = a.m3 + b.m3 + gap**3 * a.n * b.n * (a.n - b.n) / n**2 + 3 * gap * (a.n * b.m2 - b.n * a.m2) / n
    m4 = a.m4 + b.m4 + gap**4 * a.n * b.n * (a.n**2 - a.n * b.n + b.n**2) / n**3
    m4 = m4 + 6 * gap**2 * (a.n**2 * b.m2 + b.n**2 * a.m2) / n**2 + 4 * gap * (a.n * b.m3 - b.n * a.m3) / n
    return Moments(n, a.mean + gap * b.n / n, a.m2 + b.m2 + gap**2 * a.n * b.n / n, m3, m4)


def spread_of(x: np.ndarray) -> Spread:
    """Of the values along the first axis."""
    mean = x.mean(axis=0)
    return Spread(len(x), mean, ((x - mean) ** 2).sum(axis=0))


def spreads_merged(a: Spread | None, b: Spread) -> Spread:
    """Of the values of both; None is no values."""
    if a is None:
        return b
    n, gap = a.n + b.n, b.mean - a.mean
    return Spread(n, a.mean + gap * b.n / n, a.m2 + b.m2 + gap**2 * a.n * b.n / n)
