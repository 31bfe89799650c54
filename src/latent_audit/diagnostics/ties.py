"""Values that repeat: which dimensions are no draws of a continuous law, and which were only rounded a little."""

from typing import NamedTuple

import numpy as np
import pandas as pd

MATTERS = 0.1  # share of 1 / sqrt(n), the scale of D by chance, that ties may move D by
FEW_VALUES = 20  # at most so many different values are a choice of categories, not a rounded measurement
MOST_NAMED = 5  # dimensions in a line of `why_no_p`
TIED_KINDS = ("binary", "discrete", "rounded", "tied")
CONTINUOUS_TESTS = ("ks_p", "cvm_p", "ad_p", "shapiro_p")  # their p is of a law without ties
_OFTEN = 4.5  # standard deviations above the mean count of a value, beyond which it is no accident of rounding
_CLOSE, _CLOSE_SHARE = 0.1, 0.09  # see `_uneven`


class TiesWarning(UserWarning):
    """Dimensions that are not continuous; tests of a continuous law are left out there."""


class Ties(NamedTuple):
    """How the values of one column repeat.

    kind : "continuous", or one of TIED_KINDS. distinct : how many different values. effective_distinct : 1 over the sum
    of their squared shares, as many as there would be if all were as frequent.
    """

    kind: str
    distinct: int
    effective_distinct: float


def ties(ordered: np.ndarray) -> Ties:
    """How the values of a sorted column (sample,) repeat, and whether tests of a continuous law still hold.

    Ties move Kolmogorov's D by up to half the share of a tied value. They are let pass ("continuous") while that is
    below a tenth of 1 / sqrt(n), as in a normal code of 10,000 rows kept as float16, whose steps are 1/1,000 of its sd.
    Beyond, the kind is "binary" (two values), "discrete" (few), "rounded" (to a grid that is coarse for so many rows)
    or "tied" (single values that many rows share, or rows given twice).

    The typical share of a value is that of an even rounding of a normal law, sqrt(2) times the share of tied pairs.
    """
    n = len(ordered)
    first = np.flatnonzero(np.concatenate([[True], np.diff(ordered) > 0]))
    counts = np.diff(np.append(first, n)).astype(np.float64)
    distinct, effective = len(counts), float(n**2 / (counts**2).sum())
    if distinct == n:
        return Ties("continuous", distinct, effective)
    scale, typical = 1 / np.sqrt(n), np.sqrt(2) * (counts * (counts - 1)).sum() / (n * (n - 1))
    most = counts.max()
    likely = 2 * n * typical  # the steps of a float grow by factors of two
    by_chance = likely + _OFTEN * np.sqrt(likely)
    atom = most > max(4, 2 * MATTERS * scale * n, by_chance)
    twice = distinct <= 0.75 * n and _uneven(np.diff(ordered[first]))
    if not (atom or twice or typical / 2 > MATTERS * scale):
        return Ties("continuous", distinct, effective)
    if distinct <= min(FEW_VALUES, n / 4):
        return Ties("binary" if distinct == 2 else "discrete", distinct, effective)
    return Ties("tied" if atom or twice else "rounded", distinct, effective)


def _uneven(gaps: np.ndarray) -> bool:
    """Whether neighbouring gaps between different values differ as those of continuous draws do, and no grid's do.

    Of independent draws 2r / (1 + r), 18%, of neighbouring gaps have a ratio below r = 0.1; steps of a grid that ties a
    quarter of its values are seldom so unequal.
    """
    if len(gaps) < 2:
        return False
    ratio = np.minimum(gaps[1:], gaps[:-1]) / np.maximum(gaps[1:], gaps[:-1])
    return bool((ratio < _CLOSE).mean() > _CLOSE_SHARE)


def why_no_p(per_dim: pd.DataFrame) -> list[str]:
    """A line per code whose dimensions have values that repeat too often: which ones, and what is left out.

    per_dim : the rows of `per_dimension`, with a column `code`.
    """
    lines = []
    for code, rows in per_dim.groupby("code", sort=False):
        tied = rows[rows["ks_p"].isna()]
        if tied.empty:
            continue
        shown = [
            f"{row['dim']} ({row['kind']}, {row['distinct']:,} different values in {row['n']:,} rows)"
            for row in tied.head(MOST_NAMED).to_dict("records")
        ]
        more = f" and {len(tied) - MOST_NAMED:,} more" if len(tied) > MOST_NAMED else ""
        lines.append(
            f"{code}: {len(tied):,} of {len(rows):,} dimensions not continuous, {', '.join(shown)}{more}; the p of "
            "Kolmogorov-Smirnov, Cramér-von Mises, Anderson-Darling and Shapiro-Wilk are of a continuous law, and left "
            "out there"
        )
    return lines
