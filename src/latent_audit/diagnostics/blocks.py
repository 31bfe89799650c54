"""Latent maps, sequences and wide codes, read a block of samples at a time: what lies on a disk is never held whole."""

import mmap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from latent_audit.base.errors import InputError
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.checks import LARGEST_CODE, MINIMUM_ROWS
from latent_audit.diagnostics.short_floats import is_short_float, widened

BLOCK_VALUES = 2**22  # 32 MiB of float64
KINDS = {2: "codes", 3: "sequences", 4: "maps"}  # by the number of axes
Read = Callable[[int, int], np.ndarray]


@dataclass(frozen=True, eq=False)
class Maps:
    """Latents (sample, channel, position) behind a function that reads a few samples of them.

    kind : "maps" (sample, channel, height, width), "sequences" (sample, token, channel: height 1, a position is a
    token) or "codes" (sample, channel: one position). read : samples from the first number up to the second, as float64
    (sample, channel, position); it is called at the borders of `blocks` alone.
    """

    n: int
    channels: int
    height: int
    width: int
    kind: str
    read: Read

    @classmethod
    def of(cls, array: Any, *, where: str) -> "Maps":
        """Maps over an array of two to four axes: of numpy, a memory map, an HDF5 data set or a sparse matrix.

        Raises
        ------
        InputError : no real numbers, other axes, an empty axis, fewer than 20 samples.
        """
        shape = tuple(int(length) for length in array.shape)
        if array.dtype.kind not in "fiu" and not is_short_float(array.dtype):
            raise InputError(f"{where}: codes must be real numbers, got dtype {array.dtype}; convert them to float.")
        if len(shape) not in KINDS:
            raise InputError(
                f"{where}: codes must be (sample, latent), sequences (sample, token, latent) or latent maps (sample, "
                f"channel, height, width), got {len(shape)} axes, {shape}; put what is of one sample on one of these."
            )
        if 0 in shape[1:]:
            raise InputError(f"{where}: shape {shape} has an empty axis; codes must have at least one column.")
        if shape[0] < MINIMUM_ROWS:
            raise InputError(
                f"{where}: needs at least {MINIMUM_ROWS} rows of codes, got {shape[0]}; encode the whole split, not "
                "one batch."
            )
        channels, height, width = {2: (*shape[1:], 1, 1), 3: (shape[-1], 1, shape[1]), 4: shape[1:]}[len(shape)]
        return cls(shape[0], channels, height, width, KINDS[len(shape)], _reader(array, channels, height * width))

    @property
    def positions(self) -> int:
        """Positions of a map, tokens of a sequence."""
        return self.height * self.width

    @property
    def shape(self) -> tuple[int, ...]:
        """As the array has it that was given."""
        of_kind = {"codes": (self.channels,), "sequences": (self.width, self.channels)}
        return (self.n, *of_kind.get(self.kind, (self.channels, self.height, self.width)))

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """The number of its first sample, and a block (sample, channel, position) float64; in order."""
        rows = max(1, BLOCK_VALUES // (self.channels * self.positions))
        for start in range(0, self.n, rows):
            yield start, self.read(start, min(start + rows, self.n))

    def only(self, channels: Sequence[int]) -> "Maps":
        """Some of the channels."""
        kept = list(channels)
        return replace(self, channels=len(kept), read=lambda start, stop: self.read(start, stop)[:, kept])

    def changed(self, change: Callable[[np.ndarray], np.ndarray]) -> "Maps":
        """The same with a function of each value applied to what is read."""
        return replace(self, read=lambda start, stop: change(self.read(start, stop)))


def drawn_maps(mu: Maps, logvar: Maps, seed: int) -> Maps:
    """One draw of N(mu, exp(logvar)) per sample; the same seed gives the same draw, however often a block is read."""

    def read(start: int, stop: int) -> np.ndarray:
        noise = rng_for(seed, "audit", "posterior", str(start)).standard_normal(
            (stop - start, mu.channels, mu.positions)
        )
        return mu.read(start, stop) + np.exp(0.5 * logvar.read(start, stop)) * noise

    return replace(mu, read=read)


def refuse_unreal(block: np.ndarray, start: int, where: str) -> None:
    """InputError where a block that begins at sample `start` has NaN, infinite or absurdly large values."""
    largest = np.abs(block).max()  # NaN where there is one
    if largest <= LARGEST_CODE:
        return
    bad = ~(np.abs(block) <= LARGEST_CODE)
    samples, channels = np.flatnonzero(bad.any(axis=(1, 2))) + start, np.flatnonzero(bad.any(axis=(0, 2)))
    raise InputError(
        f"{where}: codes are NaN, infinite or beyond {LARGEST_CODE:g}, first in sample {samples[0]} (counted from 0), "
        f"channel {channels[0]}; drop such samples or look for a diverged training run."
    )


def _reader(array: Any, channels: int, positions: int) -> Read:
    def read(start: int, stop: int) -> np.ndarray:
        part = array[start:stop]
        part = np.asarray(part.toarray() if hasattr(part, "toarray") else part)
        values = widened(part)
        if values.ndim == 3:
            values = values.swapaxes(1, 2)  # the channels of a sequence stand last
        whole = np.array(values, dtype=np.float64, order="C").reshape(stop - start, channels, positions)
        _let_go(array)
        return whole

    return read


def _let_go(array: Any) -> None:
    """Give back the memory of a file's pages that were read: they stand in the file."""
    own = array
    while isinstance(own, np.ndarray):
        array, own = own, own.base
    if isinstance(own, mmap.mmap) and getattr(array, "mode", "") in ("r", "r+") and hasattr(mmap, "MADV_DONTNEED"):
        own.madvise(mmap.MADV_DONTNEED)
