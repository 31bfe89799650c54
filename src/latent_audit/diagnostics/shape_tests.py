"""Tests of "is some normal" from skewness and kurtosis, and Shapiro-Wilk's p: what holds at n = 20 as at a million.

K2 and Jarque-Bera reach their chi-squared limit slowly, and in the tail last: of normal samples of 100 rows, 0.8% have
a Jarque-Bera p below 0.001 by the limit. Their p is of a simulated null, `shape_null.csv`, at every n.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

TABLE = Path(__file__).with_name("shape_null.csv")
# In which power of the statistic ln p is continued beyond the table. One far value moves JB by its eighth power and its
# own ln p by its square; K2 damps both parts. The limit law and the bounded tails of small n fall off faster than that.
TAIL_POWER = {"k2": 1 / 3, "jb": 1 / 4}
_TAIL_FROM = 1e-4  # the slope beyond the table is that from here to its end


def jb_statistic(skew: np.ndarray, excess_kurtosis: np.ndarray, n: int) -> np.ndarray:
    """n/6 (g1^2 + g2^2 / 4); Jarque & Bera (1980)."""
    return n / 6 * (skew**2 + excess_kurtosis**2 / 4)


def k2_statistic(skew: np.ndarray, excess_kurtosis: np.ndarray, n: int) -> np.ndarray:
    """Z(g1)^2 + Z(g2)^2 of the biased moments; D'Agostino & Pearson (1973), n >= 20."""
    return _skew_z(skew, n) ** 2 + _kurtosis_z(excess_kurtosis, n) ** 2


def _skew_z(skew: np.ndarray, n: int) -> np.ndarray:
    """Johnson's S_U approximation to the skewness of n normal values; D'Agostino (1970), Biometrika 57."""
    y = skew * np.sqrt((n + 1) * (n + 3) / (6 * (n - 2)))
    beta2 = 3 * (n**2 + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2) * (n + 5) * (n + 7) * (n + 9))
    w2 = np.sqrt(2 * (beta2 - 1)) - 1
    return np.arcsinh(y * np.sqrt((w2 - 1) / 2)) / np.sqrt(0.5 * np.log(w2))


def _kurtosis_z(excess_kurtosis: np.ndarray, n: int) -> np.ndarray:
    """The cube-root approximation to the kurtosis of n normal values; Anscombe & Glynn (1983), Biometrika 70."""
    mean = -6 / (n + 1)  # of the excess
    variance = 24 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5))
    skew = 6 * (n**2 - 5 * n + 2) / ((n + 7) * (n + 9)) * np.sqrt(6 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)))
    a = 6 + 8 / skew * (2 / skew + np.sqrt(1 + 4 / skew**2))
    below = 1 + (excess_kurtosis - mean) / np.sqrt(variance) * np.sqrt(2 / (a - 4))
    return (1 - 2 / (9 * a) - np.cbrt((1 - 2 / a) / below)) / np.sqrt(2 / (9 * a))


def k2_log_p(k2: np.ndarray, n: int) -> np.ndarray:
    """ln P(K2 >= k2) of n normal values, n >= 20; see `_log_p`."""
    return _log_p("k2", k2, n)


def jb_log_p(jb: np.ndarray, n: int) -> np.ndarray:
    """ln P(JB >= jb) of n normal values, n >= 20; see `_log_p`."""
    return _log_p("jb", jb, n)


def _log_p(test: str, values: np.ndarray, n: int) -> np.ndarray:
    """ln p by the simulated quantiles of n rows; NaN stays.

    Between simulated n each quantile runs linearly in ln n; beyond the last it nears that of chi-squared with 2 degrees
    of freedom as 1/n. Beyond the last quantile, p = 1e-5, ln p is linear in a root of the statistic (`TAIL_POWER`),
    which errs towards large p.
    """
    values = np.asarray(values, dtype=np.float64)
    levels, quantiles = _quantiles(test, n)
    power = TAIL_POWER[test]
    first = int(np.argmin(np.abs(levels - _TAIL_FROM)))
    reached, last = quantiles[first] ** power, quantiles[-1] ** power
    slope = np.log(levels[first] / levels[-1]) / (last - reached)
    near = np.interp(values, quantiles, np.log(levels))
    return np.where(values > quantiles[-1], np.log(levels[-1]) - slope * (values**power - last), near)


def _quantiles(test: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Levels of p, falling from 1, and the statistic of n rows that each belongs to."""
    table = _table(test)
    levels, sizes = table.columns.to_numpy(dtype=np.float64), table.index.to_numpy(dtype=np.float64)
    limit = -2 * np.log(levels)
    if n >= sizes[-1]:
        return levels, limit + (table.to_numpy()[-1] - limit) * sizes[-1] / n
    return levels, np.array([np.interp(np.log(n), np.log(sizes), column) for column in table.to_numpy().T])


@lru_cache
def _table(test: str) -> pd.DataFrame:
    """Quantiles, a row per n and a column per p, from 1 down."""
    rows = pd.read_csv(TABLE, comment="#")
    table = rows.pivot(index="n", columns="p", values=test)
    table[1.0] = 0.0
    return table[sorted(table.columns, reverse=True)]


def shapiro_log_p(w: np.ndarray, n: int) -> np.ndarray:
    """ln p of W by Royston's (1995, AS R94) normal approximation of ln(1 - W), n >= 12; finite where p underflows.

    In simulation, at n = 20 to 1,000, it is right at p = 0.001 and errs towards large p beyond.
    """
    log_n = np.log(n)
    mean = np.polyval([0.0038915, -0.083751, -0.31082, -1.5861], log_n)
    std = np.exp(np.polyval([0.0030302, -0.082676, -0.4803], log_n))
    return stats.norm.logsf((np.log(np.maximum(1 - w, 1e-300)) - mean) / std)
