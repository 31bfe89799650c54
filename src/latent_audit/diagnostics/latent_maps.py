"""Latent maps and sequences as codes of their channels, a row a position: which rows, and what is known of the rest.

Two passes over the samples, in blocks. The first has the moments of every channel and the correlation of positions,
which says how far apart they are as good as independent; the second takes positions so far apart, so that the number
of rows is an effective n and every test and band of chance holds as for codes.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.blocks import Maps, refuse_unreal
from latent_audit.diagnostics.goodness_of_fit import ks_log_p, ks_statistic
from latent_audit.diagnostics.multiplicity import holm
from latent_audit.diagnostics.running_moments import Moments, Spread, merged, moments_of, spread_of, spreads_merged
from latent_audit.diagnostics.scaling import scaling_table
from latent_audit.diagnostics.spatial import Field, grid_of, neighbours_matter, on_grid, spatial_table
from latent_audit.diagnostics.univariate import is_constant, moments

ROWS = 25_000  # positions that are audited: as many codes as the joint statistics take
ROW_VALUES = 2**26  # of them at most, 512 MiB
KEPT, KEPT_CHANNELS, KEPT_VALUES = 1000, 64, 2**23  # samples, channels and values whose correlations are looked at
SHOWN, SHOWN_SAMPLES, SHOWN_COLUMNS = 8, 10_000, 1024  # positions, samples of each, and columns, in `positions`


class MapTables(NamedTuple):
    """What is known of latent maps beside the audit of their rows.

    shape : of the array. kind : "maps" or "sequences". rows : positions that were audited. grid : rows and columns of
    the positions of each map, which is laid at a random place.
    scaling : see `scaling.scaling_table`. spatial : see `spatial.spatial_table`. positions : a row per channel of a
    seeded few positions: mean to excess_kurtosis, ks_d to N(0, 1) with its p over the samples. matter : whether the
    correlation of positions matters.
    """

    shape: tuple[int, ...]
    kind: str
    rows: int
    grid: tuple[int, int]
    scaling: pd.DataFrame
    spatial: pd.DataFrame
    positions: pd.DataFrame
    matter: bool


class MapRows(NamedTuple):
    """Positions as codes: z and what stands beside it (row, channel); sample (row,), the map that a row is of."""

    z: np.ndarray
    beside: list[np.ndarray]
    sample: np.ndarray
    tables: MapTables


class _First(NamedTuple):
    channel: Moments
    field: Field


def map_rows(z: Maps, beside: list[Maps], *, seed: int, one_each: bool, where: str) -> MapRows:
    """Seeded positions as rows, no more of a map than are as good as independent, at most 25,000.

    Parameters
    ----------
    beside : mu and logvar of the same positions. one_each : one position of a map, where labels are of maps.

    Raises
    ------
    InputError : NaN, infinite or absurdly large values.
    """
    first = _first_pass(z, seed, where)
    most = min(ROWS, max(1000, ROW_VALUES // z.channels))
    grid = (1, 1) if one_each or z.n > most // 2 else grid_of(first.field, most // z.n)
    samples = np.arange(z.n)
    if z.n > most:
        samples = np.sort(rng_for(seed, "latent-maps", "samples").choice(z.n, most, replace=False))
    parts, sample, shown = _second_pass(z, beside, samples, grid, seed, where)
    spatial = spatial_table(first.field)
    tables = MapTables(
        z.shape, z.kind, len(sample), grid, scaling_table(first.channel, parts[0]), spatial, shown,
        neighbours_matter(spatial, len(first.field.kept), z.n),
    )  # fmt: skip
    return MapRows(parts[0], parts[1:], sample, tables)


def _first_pass(z: Maps, seed: int, where: str) -> _First:
    rng = rng_for(seed, "latent-maps", "kept")
    channels = np.sort(rng.choice(z.channels, min(z.channels, KEPT_CHANNELS), replace=False))
    most = int(np.clip(KEPT_VALUES // (len(channels) * z.positions), 20, KEPT))
    chosen = np.sort(rng.choice(z.n, min(z.n, most), replace=False))
    channel: Moments | None = None
    position: Spread | None = None
    whole: Spread | None = None
    kept = []
    for start, block in z.blocks():
        refuse_unreal(block, start, where)
        inside = chosen[(chosen >= start) & (chosen < start + len(block))] - start
        kept.append(block[inside][:, channels])
        position = spreads_merged(position, spread_of(block))
        whole = spreads_merged(whole, spread_of(block.mean(axis=2)))
        channel = merged(channel, moments_of(block, (0, 2)))
    assert channel is not None and position is not None and whole is not None  # there are 20 samples or more
    centred = np.concatenate(kept) - position.mean[channels]
    field = Field(z.n, z.height, z.width, position, whole, centred.reshape(*centred.shape[:2], z.height, z.width),
                  channels)  # fmt: skip
    return _First(channel, field)


def _second_pass(
    z: Maps, beside: list[Maps], samples: np.ndarray, grid: tuple[int, int], seed: int, where: str
) -> tuple[list[np.ndarray], np.ndarray, pd.DataFrame]:
    """The rows of z and of what is beside it, the sample of each, and the table of a few positions."""
    rng = rng_for(seed, "latent-maps", "positions")
    few = rng_for(seed, "latent-maps", "shown")
    shown = np.sort(few.choice(z.positions, min(z.positions, int(np.clip(SHOWN_COLUMNS // z.channels, 1, SHOWN))),
                               replace=False))  # fmt: skip
    of_shown = np.zeros(z.n, dtype=bool)
    of_shown[few.choice(z.n, min(z.n, SHOWN_SAMPLES, max(100, 2**23 // (z.channels * len(shown)))), replace=False)] = (
        True
    )
    parts: list[list[np.ndarray]] = [[] for _ in range(1 + len(beside))]
    owners, looked_at = [], []
    for blocks in zip(z.blocks(), *(one.blocks() for one in beside), strict=True):
        start, block = blocks[0]
        inside = samples[(samples >= start) & (samples < start + len(block))] - start
        offset = rng.integers((z.height, z.width), size=(len(inside), 2))
        position = on_grid((z.height, z.width), grid, offset)
        for part, (_, values) in zip(parts, blocks, strict=True):
            refuse_unreal(values, start, where)
            part.append(values[inside[:, None], :, position].reshape(-1, z.channels))
        owners.append(np.repeat(inside + start, position.shape[1]))
        looked_at.append(block[of_shown[start : start + len(block)]][:, :, shown])
    table = _positions(np.concatenate(looked_at), shown, z.width)
    return [np.concatenate(part) for part in parts], np.concatenate(owners), table


def _positions(values: np.ndarray, shown: np.ndarray, width: int) -> pd.DataFrame:
    """Each channel (sample, channel, position) at a few positions; the samples are independent, so that p holds."""
    n, channels, _ = values.shape
    flat = np.ascontiguousarray(values.transpose(0, 2, 1)).reshape(n, -1)  # a column for a position and a channel
    distance = ks_statistic(np.sort(flat, axis=0))
    p = np.where(is_constant(flat), np.nan, np.exp(ks_log_p(distance, n)))
    table = pd.DataFrame({
        "row": np.repeat(shown // width, channels), "column": np.repeat(shown % width, channels),
        "channel": np.tile(np.arange(channels), len(shown)), "n": n, **moments(flat), "ks_d": distance, "ks_p": p,
    })  # fmt: skip
    return table.assign(ks_p_holm=holm(p))
