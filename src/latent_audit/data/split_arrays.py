"""One split of a data set as arrays on disk: at most `limit` images of it, padded, without those that are damaged."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np

from latent_audit.base.atomic import atomic_path
from latent_audit.data.sources.damage import Extent
from latent_audit.data.sources.dataset import DamagedPictures, Split
from latent_audit.data.sources.splits import stratified_order

CHUNK = 1024  # images in memory at a time


class Written(NamedTuple):
    """Positions in the split that are kept and, by position, why others are not; the extent of the images."""

    kept: np.ndarray
    damaged: dict[int, str]
    extent: Extent


def write_split(
    out_dir: Path, name: str, split: Split, shape: tuple[int, int, int], pad: list[int], limit: int | None, dataset: str
) -> Written:
    """Write one split, again where pictures turned out to be damaged: then without them, others in their place."""
    damaged: dict[int, str] = {}
    while True:
        rows = kept(split.labels, limit, dataset, name, without=damaged)
        found, extent = _write_images(out_dir / f"{name}_images.npy", split, rows, shape, pad)
        if not found:
            break
        damaged |= found
    _write_array(out_dir / f"{name}_labels.npy", split.labels[rows].astype(np.int64))
    for extra, values in split.extras.items():
        _write_array(out_dir / f"{extra}_{name}.npy", values[rows])
    return Written(rows, damaged, extent)


def kept(labels: np.ndarray, limit: int | None, dataset: str, split: str, without: Collection[int] = ()) -> np.ndarray:
    """Positions of the images that `limit` keeps, ascending: a seeded choice in which every class has its share."""
    if limit is None or limit >= len(labels) - len(without):
        return np.setdiff1d(np.arange(len(labels)), list(without))
    order = stratified_order(labels, dataset, split, "limit")
    return np.sort(order[~np.isin(order, list(without))][:limit])


def _write_images(
    target: Path, split: Split, rows: np.ndarray, shape: tuple[int, int, int], pad: list[int]
) -> tuple[dict[int, str], Extent]:
    """Why pictures are damaged, by position (then the file is not of use), and the extent of the images."""
    channels, height, width = shape
    top, bottom, left, right = pad
    padded = (len(rows), channels, top + height + bottom, left + width + right)
    damaged: dict[int, str] = {}
    extent = Extent.of_none(shape)
    with atomic_path(target) as temporary:
        images = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=padded)
        if hasattr(os, "posix_fallocate"):  # a full disk is an error here; later, at a mapped page, it kills
            with temporary.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, temporary.stat().st_size)
        for start in range(0, len(rows), CHUNK):
            try:
                chunk = split.read(rows[start : start + CHUNK])
            except DamagedPictures as error:
                damaged |= error.reasons
                continue
            extent = extent.with_images(chunk)
            images[start : start + CHUNK, :, top : top + height, left : left + width] = chunk
        images.flush()
    return damaged, extent


def _write_array(target: Path, values: np.ndarray) -> None:
    with atomic_path(target) as temporary, temporary.open("wb") as stream:
        np.save(stream, values)
