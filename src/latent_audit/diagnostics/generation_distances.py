"""Two sets of feature vectors as wholes: their Fréchet and kernel distances, and what such sets must look like."""

import numpy as np

from latent_audit.base.errors import InputError

KID_SUBSETS, KID_SUBSET_ROWS = 100, 1_000  # as usual for KID


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """|m_x - m_y|^2 + tr(S_x + S_y - 2 (S_x S_y)^(1/2)), means and 1/n covariances of two (sample, feature) sets.

    The trace of the root is the sum of the singular values of R_x R_y', where S = R'R comes from a QR decomposition of
    the centred rows: no matrix is inverted or rooted, so singular covariances (dead features, fewer rows than
    features) are exact as well. Biased upwards for few rows: compare at equal n only.

    Raises
    ------
    InputError : not two finite (row, column) arrays of one width with at least two rows each.

    References
    ----------
    Heusel et al. (2017), arXiv:1706.08500, equation 6 (whose code divides by n - 1).
    """
    x, y = as_pair(x, y, where="frechet_distance", minimum=2)
    (mean_x, root_x), (mean_y, root_y) = _moments(x), _moments(y)
    overlap = np.linalg.svd(root_x @ root_y.T, compute_uv=False).sum()
    spread = (root_x * root_x).sum() + (root_y * root_y).sum() - 2 * overlap
    return float(((mean_x - mean_y) ** 2).sum() + max(spread, 0.0))


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean, and R with R'R the covariance (1/n)."""
    mean = x.mean(axis=0)
    return mean, np.asarray(np.linalg.qr((x - mean) / np.sqrt(len(x)), mode="r"))


def kid(
    x: np.ndarray,
    y: np.ndarray,
    *,
    rng: np.random.Generator,
    subsets: int = KID_SUBSETS,
    subset_rows: int = KID_SUBSET_ROWS,
) -> tuple[float, float]:
    """Mean and standard deviation (1/subsets) over seeded subsets of the unbiased MMD^2, kernel (x.y / d + 1)^3.

    x, y are (sample, feature). Subsets are drawn without replacement and hold `subset_rows` rows of each set, at most
    half of the smaller set. The expectation is 0 for equal distributions, so single values may be negative.

    Raises
    ------
    InputError : not two finite (row, column) arrays of one width with at least four rows each.

    References
    ----------
    Bińkowski et al. (2018), arXiv:1801.01401; Gretton et al. (2012).
    """
    x, y = as_pair(x, y, where="kid", minimum=4)
    rows = min(subset_rows, min(len(x), len(y)) // 2)
    values = [_mmd2(subsample(x, rows, rng), subsample(y, rows, rng)) for _ in range(subsets)]
    return float(np.mean(values)), float(np.std(values))


def _mmd2(x: np.ndarray, y: np.ndarray) -> float:
    return _mean_off_diagonal(_kernel(x, x)) + _mean_off_diagonal(_kernel(y, y)) - 2 * _kernel(x, y).mean()


def _mean_off_diagonal(square: np.ndarray) -> float:
    n = len(square)
    return (square.sum() - np.trace(square)) / (n * (n - 1))


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    linear = (x / x.shape[1]) @ y.T
    linear += 1.0
    cube = linear * linear
    cube *= linear
    return cube


def subsample(x: np.ndarray, rows: int, rng: np.random.Generator) -> np.ndarray:
    """`rows` seeded rows of x, or all of it where it has no more."""
    return x[rng.choice(len(x), rows, replace=False)] if len(x) > rows else x


def as_pair(x: np.ndarray, y: np.ndarray, *, where: str, minimum: int) -> tuple[np.ndarray, np.ndarray]:
    """Both as finite float64 arrays of one width."""
    x, y = _as_rows(x, f"{where}, first set", minimum), _as_rows(y, f"{where}, second set", minimum)
    if x.shape[1] != y.shape[1]:
        raise InputError(
            f"{where}: the sets have {x.shape[1]} and {y.shape[1]} columns; both must come from one critic."
        )
    return x, y


def _as_rows(values: np.ndarray, where: str, minimum: int) -> np.ndarray:
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InputError(f"{where}: must be a (sample, column) array, got shape {rows.shape}.")
    if len(rows) < minimum:
        raise InputError(f"{where}: needs at least {minimum} rows, got {len(rows)}; judge more images.")
    if not np.isfinite(rows).all():
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        raise InputError(f"{where}: NaN or infinite in {len(bad)} of {len(rows)} rows, the first is row {bad[0]}.")
    return rows
