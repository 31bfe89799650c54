"""How surprising a statistic is, from draws of it under the null hypothesis: p-values that go beyond the draws."""

import numpy as np

TAIL_SHARE = 0.1  # of the draws, the largest, which an exponential tail is fitted to


def tail_p(value: float, null: np.ndarray, *, two_sided: bool = False) -> float:
    """P(null >= value), with a tail that goes on beyond the draws; NaN where value or a draw is.

    Among the lower nine tenths of the draws it is (1 + #{null >= value}) / (B + 1), Davison & Hinkley (1997),
    equation 4.11. Above, the largest tenth give a tail: a generalised Pareto law of shape 0, as Knijnenburg et al.
    (2009), Bioinformatics 25(12), propose for permutation p-values. It falls off more slowly than the tails of sums,
    so p errs towards 1. The floor 1 / (B + 1) is gone.

    Parameters
    ----------
    null : (draw,) values under the null hypothesis. two_sided : twice the smaller side, at most 1.
    """
    if np.isnan(value) or np.isnan(null).any():
        return float("nan")
    if two_sided:
        return min(1.0, 2 * min(_upper(value, null), _upper(-value, -null)))
    return _upper(value, null)


def _upper(value: float, null: np.ndarray) -> float:
    if value == np.inf:
        return 0.0
    kept = max(10, round(TAIL_SHARE * len(null)))
    ordered = np.sort(null)
    if kept >= len(null) or value <= (below := ordered[-kept - 1]):
        return float((1 + (null >= value).sum()) / (len(null) + 1))
    beyond = ordered[ordered > below]
    if not len(beyond):
        return float(1 / (len(null) + 1))
    start = beyond[0]  # counts are few different values: their step is part of the scale
    scale = float((beyond - start).mean() * len(beyond) / max(1, len(beyond) - 1) + start - below)
    return float((len(beyond) + 1) / (len(null) + 1) * np.exp(-max(0.0, value - start) / scale))


def best_of(log_p: np.ndarray) -> float:
    """The p-value of the smallest of m independent ones (ln p): 1 - (1 - min p)^m, Šidák (1967), exact or conservative.

    Where the m tests depend on each other in the way that those of the dimensions of N(0, I) do not, it still holds for
    two-sided tests of Gaussian means (Šidák's inequality). NaN does not count; none gives NaN.
    """
    known = log_p[~np.isnan(log_p)]
    if not len(known):
        return float("nan")
    least = float(np.exp(known.min()))
    return 1.0 if least >= 1 else float(-np.expm1(len(known) * np.log1p(-least)))
