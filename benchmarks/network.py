"""The network that every benchmark trains, the book's conv AE or VAE on 32x32 grey images, and its images."""

from pathlib import Path

import numpy as np

BATCH, SIDE, LATENT, RATE = 100, 32, 2, 5e-4
WIDTHS = (32, 64, 128)
WARM = 10 * BATCH  # images of the short epoch before the one that is timed
FLOP_PER_IMAGE = 6 * 14.54e6  # 14.54 M multiply-adds forward; backward costs twice forward


def images(n: int) -> np.ndarray:
    """`n` grey images, half their pixels black as in Fashion-MNIST, uint8 (n, 1, 32, 32)."""
    rng = np.random.default_rng(0)
    shape = (n, 1, SIDE, SIDE)
    return np.where(rng.random(shape) > 0.5, rng.integers(0, 256, shape), 0).astype(np.uint8)


def write_images(path: Path, n: int) -> None:
    """`n` random images to a .npy file, a piece at a time."""
    rng = np.random.default_rng(0)
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(n, 1, SIDE, SIDE))
    for start in range(0, n, 10_000):
        array[start : start + 10_000] = rng.integers(0, 256, array[start : start + 10_000].shape, dtype=np.uint8)
