"""Fidelity and variety of generated images, from balls that reach to the k-th nearest neighbour in feature space."""

from collections.abc import Iterator

import numpy as np

from latent_audit.base.errors import InputError
from latent_audit.diagnostics.generation_distances import as_pair

NEIGHBOURS = 5  # Naeem et al. (2020), who choose 5
_DISTANCES_AT_ONCE = 2**20  # 8 MiB of float64 per block
_ROUNDING = 64 * np.finfo(np.float64).eps  # relative; squared distances below are copies of one point


def manifold_scores(x: np.ndarray, y: np.ndarray, *, k: int = NEIGHBOURS) -> dict[str, float]:
    """Precision, recall, density and coverage of generated (sample, feature) rows x against real rows y.

    A ball around each row reaches to its k-th nearest neighbour in its own set, border included. precision: share of x
    inside any ball of y. recall: share of y inside any ball of x. density: mean number of balls of y that hold a row of
    x, over k (1 in expectation for equal distributions, unbounded above; (k + 1) / k for the very same rows). coverage:
    share of the balls of y that hold any row of x. Time O(n^2), memory O(n).

    Raises
    ------
    InputError : not two finite (row, column) arrays of one width with at least k + 1 rows each, or k < 1.

    References
    ----------
    Kynkäänniemi et al. (2019), arXiv:1904.06991, equations 1-2; Naeem et al. (2020), arXiv:2002.09797, section 3.
    """
    if k < 1:
        raise InputError(f"manifold_scores: k must be at least 1, got {k}.")
    x, y = as_pair(x, y, where=f"manifold_scores (k = {k})", minimum=k + 1)
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre  # distances do not change, and nothing is lost to a large mean
    radius_x, radius_y = _ball_radii(x, k), _ball_radii(y, k)
    balls_holding = np.empty(len(x), dtype=np.int64)
    recalled, covered = np.zeros(len(y), dtype=bool), np.zeros(len(y), dtype=bool)
    for rows, square in _squared_distances(x, y):
        inside = square <= radius_y
        balls_holding[rows] = inside.sum(axis=1)
        covered |= inside.any(axis=0)
        recalled |= (square <= radius_x[rows, None]).any(axis=0)
    return {
        "precision": float((balls_holding > 0).mean()),
        "recall": float(recalled.mean()),
        "density": float(balls_holding.mean() / k),
        "coverage": float(covered.mean()),
    }


def _ball_radii(x: np.ndarray, k: int) -> np.ndarray:
    """Squared distance of each row to its k-th nearest other row."""
    radii = np.empty(len(x))
    for rows, square in _squared_distances(x, x):
        radii[rows] = np.partition(square, k, axis=1)[:, k]  # place 0 is the row itself
    return radii


def _squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks (rows of x, their squared distances to all of y); distances within rounding of 0 are 0."""
    step = max(1, _DISTANCES_AT_ONCE // len(y))
    square_x, square_y = (x * x).sum(axis=1), (y * y).sum(axis=1)
    for start in range(0, len(x), step):
        rows = slice(start, start + step)
        scale = square_x[rows, None] + square_y
        square = x[rows] @ y.T
        square *= -2.0
        square += scale
        scale *= _ROUNDING
        square[square <= scale] = 0.0
        yield rows, square
