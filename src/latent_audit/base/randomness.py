"""Named random streams: one generator per (seed, purpose), so that a new draw here cannot shift the draws there."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def stream_seed(seed: int, *purpose: str) -> int:
    """A 63-bit seed for the stream named by `seed` and `purpose`; equal names give equal streams on every platform."""
    digest = hashlib.blake2b("/".join((str(seed), *purpose)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def replicate_seed(seed: int, replicate: int) -> int:
    """The seed of what is drawn to measure one replicate: another in each, the same in every arm."""
    return stream_seed(seed, "replicate", str(replicate))


def rng_for(seed: int, *purpose: str) -> np.random.Generator:
    """NumPy generator of the stream (seed, purpose)."""
    return np.random.default_rng(stream_seed(seed, *purpose))


def generator_for(seed: int, *purpose: str, device: str = "cpu") -> "torch.Generator":
    """Torch generator of the stream (seed, purpose) on `device`."""
    import torch  # here, so that a stage which draws with NumPy alone does not pay for torch

    return torch.Generator(device).manual_seed(stream_seed(seed, *purpose))
