"""How many positions of a latent map are worth an independent one: from the correlation of positions over samples."""

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd

from latent_audit.diagnostics.running_moments import Spread

INFLATION = 0.05  # of the variance of a mean, which the correlation of the positions that are audited may cause
OFFSETS = 8  # places of a grid of positions that are looked at
CORRELATED, WORTH = 0.2, 0.5  # neighbours that correlate by so much, or positions worth less than so many, matter
SURE = 4.0  # standard errors
COLUMNS = ("scope", "height", "width", "correlation_down", "correlation_right", "effective_positions", "effective_n",
           "fixed_share")  # fmt: skip


class Field(NamedTuple):
    """What is known of the positions of some maps.

    n, height, width : samples, and the size of a map. position : mean and spread over the samples, (channel, position).
    whole : of the mean of each map, (channel,). kept : (sample, channel, height, width) a seeded few samples, with the
    means of the positions taken out; channels : which channels these are.
    """

    n: int
    height: int
    width: int
    position: Spread
    whole: Spread
    kept: np.ndarray
    channels: np.ndarray


def effective_positions(field: Field) -> np.ndarray:
    """(channel,) independent positions that a map is worth, from 1 (one number throughout) to all of them (noise).

    With the correlation r(p, q) of positions p and q over the samples, about the mean of each position: the smaller of
    P^2 / sum r, which is how many the mean of a map is worth (Bayley & Hammersley 1946), and P^2 / sum r^2, how many
    its mean square is worth, so that correlations of both signs do not cancel. Sum r is the variance of the maps' mean
    in units of a position's; sum r^2 is unbiased for normal values (Srivastava 2005, J. Japan Statist. Soc. 35), and of
    the samples and channels that were kept.
    """
    positions = field.height * field.width
    variance = field.position.m2.mean(axis=1) / (field.n - 1)
    of_mean = field.whole.m2 / (field.n - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(variance > 0, variance / of_mean, 1.0)
    found[field.channels] = np.fmin(found[field.channels], _of_squares(field.kept))
    return np.clip(found, 1.0, positions)


def _of_squares(kept: np.ndarray) -> np.ndarray:
    """P^2 / sum r^2 of each channel, (tr S)^2 / tr S^2 of the positions' covariance; NaN where it cannot be told."""
    m = len(kept)
    found = np.full(kept.shape[1], np.nan)
    if m < 4:
        return found
    for k in range(kept.shape[1]):
        x = kept[:, k].reshape(m, -1)
        x = x - x.mean(axis=0)
        gram = x @ x.T if m <= x.shape[1] else x.T @ x
        trace, square = float(np.trace(gram)) / (m - 1), float((gram * gram).sum()) / (m - 1) ** 2
        unbiased = (m - 1) ** 2 / ((m - 2) * (m + 1)) * (square - trace**2 / (m - 1))
        of_trace = trace**2 - 2 * unbiased / (m - 1)  # of (tr S)^2, likewise
        if unbiased > 0:
            found[k] = of_trace / unbiased
    return found


def spatial_table(field: Field) -> pd.DataFrame:
    """A row `pooled` (the mean over channels) and one per channel, in COLUMNS.

    correlation_down, correlation_right : of a position with the next one, of the samples that were kept; NaN without a
    next one. effective_positions : see there. effective_n : that times the samples. fixed_share : the part of the
    variance over positions and samples that lies between the positions' means, the same in every map.
    """
    positions = field.height * field.width
    effective = effective_positions(field)
    down, right = (np.full(len(effective), np.nan) for _ in range(2))
    x = field.kept
    down[field.channels] = _neighbours(x[:, :, :-1], x[:, :, 1:], x)
    right[field.channels] = _neighbours(x[..., :-1], x[..., 1:], x)
    within = field.position.m2.mean(axis=1) / (field.n - 1)
    between = np.maximum(0.0, field.position.mean.var(axis=1) - within * (1 - 1 / effective) / field.n)
    whole = np.where(within + between > 0, within + between, np.nan)
    table = pd.DataFrame({
        "scope": [str(k) for k in range(len(effective))], "height": field.height, "width": field.width,
        "correlation_down": down, "correlation_right": right, "effective_positions": effective,
        "effective_n": effective * field.n, "fixed_share": between / whole,
    })  # fmt: skip
    pooled: dict[str, object] = {name: float(table[name].mean()) for name in COLUMNS[3:]}
    of_all = float(np.clip(positions / (positions / effective).mean(), 1.0, positions))
    pooled |= {"scope": "pooled", "height": field.height, "width": field.width}
    pooled |= {"effective_positions": of_all, "effective_n": of_all * field.n}
    return pd.concat([pd.DataFrame([pooled]), table], ignore_index=True)[list(COLUMNS)]


def _neighbours(first: np.ndarray, second: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(channel,) correlation of each position with its neighbour, averaged over positions and samples."""
    if not first.size:
        return np.full(x.shape[1], np.nan)
    square = (x * x).mean(axis=(0, 2, 3))
    product = (first * second).mean(axis=(0, 2, 3))
    return np.where(square > 0, product / np.where(square > 0, square, 1.0), np.nan)


def grid_of(field: Field, most: int) -> tuple[int, int]:
    """Rows and columns of the finest grid of positions, at most `most` of them, that are as good as independent.

    As good as: the variance of the mean over such a grid, and of the mean square, is at most 1 + INFLATION times that
    of independent positions on average over the channels, and in none above that by more than two standard errors; by
    the samples that were kept. A grid of one position always is.
    """
    m = len(field.kept)
    effective = float(np.median(effective_positions(field)))
    for spacing in range(1, max(field.height, field.width)):
        rows, columns = max(1, field.height // spacing), max(1, field.width // spacing)
        if not 1 < rows * columns <= most or m < 4:
            continue
        inflated = _inflation(field, rows, columns)
        looks = min(OFFSETS, max(1.0, effective / (rows * columns)))
        error = np.sqrt(2 / ((m - 1) * looks))
        if inflated.mean() <= 1 + INFLATION and inflated.max() <= 1 + INFLATION + 2 * error:
            return rows, columns
    return 1, 1


def on_grid(field_size: tuple[int, int], grid: tuple[int, int], offset: np.ndarray) -> np.ndarray:
    """(offset, position) numbers of the positions of a grid that is moved by (offset, 2) rows and columns, round the
    edges of the map."""
    (height, width), (rows, columns) = field_size, grid
    down = (np.arange(rows) * height // rows + offset[:, :1]) % height
    right = (np.arange(columns) * width // columns + offset[:, 1:]) % width
    return (down[:, :, None] * width + right[:, None, :]).reshape(len(offset), rows * columns)


def _inflation(field: Field, rows: int, columns: int) -> np.ndarray:
    """(channel,) variance of a mean over a grid against independent positions, or of a mean square where it is more."""
    k = rows * columns
    steps = np.arange(OFFSETS)[:, None] * np.array([field.height // rows, field.width // columns]) // OFFSETS
    x = field.kept.reshape(*field.kept.shape[:2], -1)
    of_mean, of_squares = [], []
    for positions in on_grid((field.height, field.width), (rows, columns), steps):
        part = x[:, :, positions]
        variance = part.var(axis=0, ddof=1).mean(axis=1)
        moving = variance > 0
        ratio = part.mean(axis=2).var(axis=0, ddof=1) / np.where(moving, variance, 1.0)
        of_mean.append(np.where(moving, k * ratio, 1.0))
        of_squares.append(np.where(moving, k / _of_squares(part), 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN: too few samples to tell
        squares = np.nanmean(of_squares, axis=0)
    return np.fmax(np.mean(of_mean, axis=0), squares)


def neighbours_matter(table: pd.DataFrame, n_kept: int, n: int) -> bool:
    """Whether positions are correlated, for certain and by enough to matter.

    table : of `spatial_table`. n_kept, n : samples that the correlations and the effective positions are of.
    """
    channels = table[table["scope"] != "pooled"]
    height, width = int(table["height"].iloc[0]), int(table["width"].iloc[0])
    if height * width == 1:
        return False
    largest = []
    for name, pairs in (("correlation_down", (height - 1) * width), ("correlation_right", height * (width - 1))):
        found = channels[name].abs().max()
        if np.isfinite(found) and found > SURE / np.sqrt(n_kept * pairs):
            largest.append(found)
    worth = float(table.loc[table["scope"] == "pooled", "effective_positions"].iloc[0]) / (height * width)
    surely_less = 1 / worth > max(1 / WORTH, 1 + SURE * np.sqrt(2 / (n - 1)))
    return bool(max(largest, default=0.0) >= CORRELATED or surely_less)
