"""Priors over a grid of codebook entries: even, by frequency, and one entry after another given what was drawn before.

The third counts entries after their left and upper neighbours and falls back to fewer neighbours where it has seen
little: the smallest autoregressive prior there is, fitted in a second and the same everywhere.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

PRIORS = ("uniform", "marginal", "autoregressive")
ROWS_AT_ONCE = 2_000


class GridPrior(NamedTuple):
    """Counts of a training set of grids (rows x columns) of `entries` entries.

    at_place : (place, entry) counts. after_left, after_both : counts of an entry after its left neighbour, and after
    its left and upper ones (None where such pairs would be too many).
    """

    rows: int
    columns: int
    entries: int
    at_place: np.ndarray
    after_left: sparse.csr_array
    after_both: sparse.csr_array


def fit(indices: Int[np.ndarray, "sample place"], entries: int, columns: int) -> GridPrior:
    """Count a training set; places run along the rows of the grid.

    Raises
    ------
    ValueError : places that do not fill rows of `columns`.
    """
    n_places = indices.shape[1]
    if n_places % columns:
        raise ValueError(f"grid prior: {n_places} places do not fill rows of {columns}")
    at_place = np.stack([np.bincount(column, minlength=entries) for column in indices.T])
    left, up = _neighbours(indices, columns, entries)
    size = entries + 1  # the border has an index of its own
    return GridPrior(
        n_places // columns, columns, entries, at_place,
        _counts(left.ravel(), indices.ravel(), (size, entries)),
        _counts((left * size + up).ravel(), indices.ravel(), (size * size, entries)),
    )  # fmt: skip


def log_probability(
    prior: GridPrior, indices: Int[np.ndarray, "sample place"], kind: str
) -> Float[np.ndarray, " sample"]:
    """ln p of each grid, nats, under one of PRIORS."""
    total = np.zeros(len(indices))
    for place in range(indices.shape[1]):
        for start in range(0, len(indices), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            p = _next(prior, indices[part, :place], place, kind)
            total[part] += np.log(p[np.arange(len(p)), indices[part, place]])
    return total


def draw(prior: GridPrior, n: int, kind: str, *, rng: np.random.Generator) -> Int[np.ndarray, "n place"]:
    """`n` grids from one of PRIORS."""
    grids = np.zeros((n, prior.rows * prior.columns), dtype=np.int64)
    for place in range(grids.shape[1]):
        uniform = rng.random(n)
        for start in range(0, n, ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            p = _next(prior, grids[part, :place], place, kind)
            cumulated = p.cumsum(axis=1)
            below = cumulated < uniform[part, None] * cumulated[:, -1:]
            grids[part, place] = np.minimum(below.sum(axis=1), prior.entries - 1)
    return grids


def _next(prior: GridPrior, before: np.ndarray, place: int, kind: str) -> np.ndarray:
    """(sample, entry) probabilities at `place`, given the places before it.

    Each count is smoothed by the next simpler one, as much as it has different followers (Witten & Bell, 1991).
    """
    n, entries = len(before), prior.entries
    even = np.full((1, entries), 1 / entries)
    if kind == "uniform":
        return np.repeat(even, n, axis=0)
    own = _smoothed(prior.at_place[[place]].astype(np.float64), even)
    if kind == "marginal":
        return np.repeat(own, n, axis=0)
    if kind != "autoregressive":
        raise ValueError(f"unknown prior {kind!r}; choose one of {', '.join(PRIORS)}")
    border = np.full(n, entries)
    left = before[:, place - 1] if place % prior.columns else border
    up = before[:, place - prior.columns] if place >= prior.columns else border
    given_left = _smoothed(prior.after_left[left].toarray(), np.repeat(own, n, axis=0))
    return _smoothed(prior.after_both[left * (entries + 1) + up].toarray(), given_left)


def _smoothed(counts: np.ndarray, simpler: np.ndarray) -> np.ndarray:
    kinds = np.maximum((counts > 0).sum(axis=1, keepdims=True), 1)
    return (counts + kinds * simpler) / (counts.sum(axis=1, keepdims=True) + kinds)


def _neighbours(indices: np.ndarray, columns: int, entries: int) -> tuple[np.ndarray, np.ndarray]:
    """The entry to the left and the one above each place; `entries` beyond the border."""
    grid = indices.reshape(len(indices), -1, columns)
    left, up = np.full_like(grid, entries), np.full_like(grid, entries)
    left[:, :, 1:], up[:, 1:] = grid[:, :, :-1], grid[:, :-1]
    return left.reshape(indices.shape), up.reshape(indices.shape)


def _counts(context: np.ndarray, entry: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    ones = np.ones(len(entry))
    return sparse.coo_array((ones, (context, entry)), shape=shape).tocsr()
