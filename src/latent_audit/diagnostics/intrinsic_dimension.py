"""How many dimensions the codes fill: by their covariance (effective rank), and by distances to nearest neighbours."""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.measures import Measure, Metric
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.coverage import subsample
from latent_audit.diagnostics.parallel import in_order, single_threaded_blas
from latent_audit.diagnostics.search_tree import search_tree

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

RANK_ROWS = 25_000  # codes behind the covariance
ROWS = 2_000  # codes whose neighbours are looked for: both estimates depend on how many there are
LEAST_ROWS = 50
KEPT = 0.9  # of the ratios of TwoNN: the largest are left out, Facco et al. (2017)
FEWEST, MOST = 10, 20  # neighbours of Levina & Bickel (2004), who average over 10 to 20
NULL_DRAWS = 19  # the band is their range
TREE_DIMENSIONS = 6  # beyond, a k-d tree that looks for 20 neighbours is slower than all pairs
_DISTANCES_AT_ONCE = 2**21  # 16 MiB of float64 per block


def effective_rank(x: Codes | np.ndarray) -> float:
    """exp of the entropy of the singular values, as shares of their sum, of the centred (sample, latent) codes.

    From 1 (all on a line) to the number of dimensions (the same spread in every direction); NaN without any spread.

    References
    ----------
    Roy & Vetterli (2007), "The effective rank", EUSIPCO, definition 1.
    """
    codes = Codes.of(x, where="effective_rank").values
    centred = np.where(np.ptp(codes, axis=0) > 0, codes - codes.mean(axis=0), 0.0)
    scale = np.abs(centred).max()
    if scale == 0:
        return float("nan")
    centred = centred / scale
    small = centred.T @ centred if centred.shape[0] > centred.shape[1] else centred @ centred.T
    singular = np.sqrt(np.maximum(np.linalg.eigvalsh(small), 0.0))
    share = singular[singular > 1e-7 * singular.max()] / singular.sum()  # the square root of rounding is no direction
    return float(np.exp(-(share * np.log(share)).sum()))


def two_nn(distances: np.ndarray) -> float:
    """Intrinsic dimension by the ratio mu of the distances to the second and the first neighbour.

    -ln(1 - F(mu)) is d ln mu: the slope through 0 of the smallest nine tenths, by least squares.

    Parameters
    ----------
    distances : (sample, neighbour) ascending distances to the others, at least two, the first not 0.

    References
    ----------
    Facco, d'Errico, Rodriguez & Laio (2017), Scientific Reports 7, 12140.
    """
    n = len(distances)
    log_mu = np.sort(np.log(distances[:, 1] / distances[:, 0]))[: int(KEPT * n)]
    rise = -np.log1p(-np.arange(1, len(log_mu) + 1) / n)
    square = float(log_mu @ log_mu)
    return float(log_mu @ rise / square) if square > 0 else float("nan")


def levina_bickel(distances: np.ndarray) -> float:
    """Intrinsic dimension by maximum likelihood of the distances to k neighbours, averaged over k from 10 to 20.

    With k neighbours at T_1 <= ... <= T_k the inverse is the mean over codes of sum_{j<k} ln(T_k / T_j) / (k - 1). So
    MacKay & Ghahramani (2005) correct it: Levina & Bickel average the dimensions themselves, which is too high.

    Parameters
    ----------
    distances : (sample, neighbour) ascending distances to the others, at least 20, the first not 0.

    References
    ----------
    Levina & Bickel (2004), "Maximum likelihood estimation of intrinsic dimension", NeurIPS, equation 8.
    """
    logs = np.log(distances[:, :MOST])
    found = []
    for k in range(FEWEST, MOST + 1):
        inverse = float((logs[:, k - 1, None] - logs[:, : k - 1]).mean())
        found.append(1 / inverse if inverse > 0 else np.nan)
    return float(np.mean(found))


def neighbour_distances(x: np.ndarray, k: int) -> np.ndarray:
    """(sample, k) ascending distances of each row to the k nearest others; k-d tree up to 6 dimensions."""
    if x.shape[1] <= TREE_DIMENSIONS:
        return search_tree(x).query(x, k + 1)[0][:, 1:]
    x = x - x.mean(axis=0)
    square, nearest = (x * x).sum(axis=1), np.empty((len(x), k))
    step = max(1, _DISTANCES_AT_ONCE // len(x))
    for i in range(0, len(x), step):
        rows = np.arange(i, min(i + step, len(x)))
        apart = square[rows, None] + square - 2 * x[rows] @ x.T
        apart[np.arange(len(rows)), rows] = np.inf  # itself
        nearest[rows] = np.sort(np.partition(apart, k - 1, axis=1)[:, :k], axis=1)
    return np.sqrt(np.maximum(nearest, 0.0))


ESTIMATES: dict[str, Callable[[np.ndarray], float]] = {
    "intrinsic_dim_twonn": two_nn,
    "intrinsic_dim_mle": levina_bickel,
}


def of_neighbours(x: np.ndarray) -> dict[str, float]:
    """Both estimates of the (sample, latent) codes x, of each place once; NaN with fewer than 50 different codes."""
    different = np.unique(x, axis=0)
    if len(different) >= LEAST_ROWS:
        distances = neighbour_distances(different, MOST)
        distances = distances[distances[:, 0] > 0]  # nearer than rounding tells
    if len(different) < LEAST_ROWS or len(distances) < LEAST_ROWS:
        return dict.fromkeys(ESTIMATES, float("nan"))
    return {name: estimate(distances) for name, estimate in ESTIMATES.items()}


def intrinsic_dimension(x: Codes | np.ndarray, *, rng: np.random.Generator, null_seed: int = 0) -> pd.DataFrame:
    """Rows effective_rank, intrinsic_dim_twonn, intrinsic_dim_mle, with what as many draws of N(0, I) give.

    The estimates by neighbours are of at most 2,000 codes, a seeded part of more. In many dimensions they are far too
    low, as so few codes have no near neighbours: of 2,000 draws in 50 dimensions some 30. So they are to be read beside
    null_low and null_high, the range of 19 sets of so many true draws. None of the three is a test.

    Returns
    -------
    Columns `metric value p_value null_low null_high n_p where`; p_value NaN. NaN where codes have no spread, or fewer
    than 50 of them differ.
    """
    codes = Codes.of(x, where="intrinsic_dimension")
    wide, few = (subsample(codes.values, rows, rng=rng) for rows in (RANK_ROWS, ROWS))
    with single_threaded_blas():
        found = {"effective_rank": effective_rank(Codes(wide))} | of_neighbours(few)
        null = null_values(len(few), codes.shape[1], null_seed)
    rows = [
        (name, value, np.nan, *null.get(name, (np.nan, np.nan)), len(few) if name in null else len(wide), "")
        for name, value in found.items()
    ]
    return pd.DataFrame(rows, columns=["metric", "value", "p_value", "null_low", "null_high", "n_p", "where"])


@lru_cache(maxsize=16)
def null_values(n: int, latent_dim: int, seed: int) -> dict[str, tuple[float, float]]:
    """The range of both estimates over 19 sets of n draws of N(0, I)."""

    def draw(number: int) -> dict[str, float]:
        rng = rng_for(seed, "intrinsic-dimension", str(n), str(latent_dim), str(number))
        return of_neighbours(rng.standard_normal((n, latent_dim)))

    rows = in_order(draw, range(NULL_DRAWS))
    return {name: (min(row[name] for row in rows), max(row[name] for row in rows)) for name in rows[0]}


def _rows(subject: "Subject") -> pd.DataFrame:
    return intrinsic_dimension(subject.codes, rng=subject.rng("intrinsic-dimension"), null_seed=subject.seed)


MEASURE = Measure(
    "intrinsic_dimension",
    needs=frozenset(),
    metrics=(
        Metric("effective_rank", "effective rank of the codes", "dimensions", 1.0, section="codes",
               sentence="exp of the entropy of the codes’ singular values: how many directions share the spread"),
        Metric("intrinsic_dim_twonn", "intrinsic dimension by two neighbours (TwoNN)", "dimensions", 0.0,
               section="codes", sentence="from the ratio of the distances to the second and the first neighbour; too "
               "low in many dimensions, as it is for true draws"),
        Metric("intrinsic_dim_mle", "intrinsic dimension by likelihood (Levina–Bickel)", "dimensions", 0.0,
               section="codes", sentence="from the distances to 10 to 20 neighbours; too low in many dimensions, as it "
               "is for true draws"),
    ),
    rows=_rows,
    order=22,
)  # fmt: skip
