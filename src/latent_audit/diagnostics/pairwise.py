"""Sums over all pairs of codes, in tiles of bounded memory: one pass for distances to the prior, one for shape."""

from collections.abc import Callable, Iterator

import numpy as np

from latent_audit.diagnostics.parallel import in_order

TILE = 512  # rows and columns of a block: 2 MiB of float64, so that a block stays in the cache


def _tiles(n: int) -> Iterator[tuple[slice, slice, bool]]:
    """The upper triangle of an n x n matrix in blocks, and whether the block is on the diagonal."""
    for i in range(0, n, TILE):
        for j in range(i, n, TILE):
            yield slice(i, min(i + TILE, n)), slice(j, min(j + TILE, n)), i == j


def prior_pair_means(x: np.ndarray, median: float) -> dict[str, float]:
    """Means over all n^2 ordered pairs (diagonal included) of the (sample, latent) codes x.

    `distance` |x_i - x_j|; `sum` |x_i + x_j|; `rbf` exp(-|x_i - x_j|^2 / 2); and `half_median`, `median`,
    `double_median` the same kernel with bandwidths median/2, median and 2 median (one exponential, then powers of it).
    """
    mean = x.mean(axis=0)
    centred = x - mean  # distances do not change, and nothing is lost to a large mean
    square = (centred * centred).sum(axis=1)
    doubled = square + 4 * centred @ mean + 2 * (mean @ mean)  # |x_i + x_j|^2 = doubled_i + doubled_j + 2 c_i c_j

    def of_tile(tile: tuple[slice, slice, bool]) -> np.ndarray:
        rows, columns, diagonal = tile
        product = 2 * (centred[rows] @ centred[columns].T)
        plus = np.add.outer(doubled[rows], doubled[columns])
        plus += product
        sums = [np.sqrt(np.maximum(plus, 0, out=plus), out=plus).sum()]
        apart = np.subtract(np.add.outer(square[rows], square[columns]), product, out=plus)
        np.maximum(apart, 0, out=apart)
        if diagonal:
            np.fill_diagonal(apart, 0.0)
        kernel = np.exp(np.multiply(apart, -0.5, out=product), out=product)
        sums.append(kernel.sum())
        np.exp(np.multiply(apart, -1 / (8 * median**2), out=kernel), out=kernel)
        for _ in range(3):
            sums.append(kernel.sum())
            np.square(np.square(kernel, out=kernel), out=kernel)  # half the bandwidth = the fourth power
        sums.append(np.sqrt(apart, out=apart).sum())
        return np.array(sums) * (1.0 if diagonal else 2.0)

    return _means(of_tile, len(x), ("sum", "rbf", "double_median", "median", "half_median", "distance"))


def shape_pair_means(white: np.ndarray, beta: float) -> dict[str, float]:
    """Means over all n^2 ordered pairs of whitened codes y (sample, rank).

    `cube` (y_i . y_j)^3 and `kernel` exp(-beta^2 |y_i - y_j|^2 / 2).
    """
    square = (white * white).sum(axis=1)

    def of_tile(tile: tuple[slice, slice, bool]) -> np.ndarray:
        rows, columns, diagonal = tile
        gram = white[rows] @ white[columns].T
        cube = float((gram * gram * gram).sum())
        gram *= 2
        gram -= np.add.outer(square[rows], square[columns])
        np.minimum(gram, 0, out=gram)
        if diagonal:
            np.fill_diagonal(gram, 0.0)
        gram *= 0.5 * beta**2
        return np.array([cube, np.exp(gram, out=gram).sum()]) * (1.0 if diagonal else 2.0)

    return _means(of_tile, len(white), ("cube", "kernel"))


def _means(of_tile: Callable, n: int, names: tuple[str, ...]) -> dict[str, float]:
    """Sums of the tiles, in their order, over n^2. Small samples are not worth the threads: their callers use them."""
    tiles = list(_tiles(n))
    sums = in_order(of_tile, tiles) if len(tiles) > 10 else [of_tile(tile) for tile in tiles]
    return {name: float(total) for name, total in zip(names, np.sum(sums, axis=0) / n**2, strict=True)}
