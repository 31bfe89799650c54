"""What a data set is to this package: a way to fetch its files and a way to read them as images with labels."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np

NONE: Mapping[str, Any] = MappingProxyType({})


class Split(NamedTuple):
    """One split, not yet read: `labels` (n,) int64; `read` turns positions (k,) into images uint8 (k, C, H, W).

    `extras` holds further arrays of n rows, each saved as `<name>_<split>.npy`.
    """

    labels: np.ndarray
    read: Callable[[np.ndarray], np.ndarray]
    extras: Mapping[str, np.ndarray] = NONE


class Source(NamedTuple):
    """A data set read from its raw files: two splits of images of one shape (C, H, W), and what must be said of them.

    `columns` names the columns of each of the splits' extras; `notes` are sentences that a reader of results must see.
    """

    train: Split
    test: Split
    image_shape: tuple[int, int, int]
    classes: list[str]
    terms: str | None = None
    images_may_be_shown: bool = True
    columns: Mapping[str, list[str]] = NONE
    notes: tuple[str, ...] = ()


class Fetch(Protocol):
    """Fill `raw_dir` with the data set's files, each checked, each whole or absent."""

    def __call__(self, raw_dir: Path, *, mirror: str | None, path: Path | None) -> None: ...


class Read(Protocol):
    """Read `raw_dir` lazily; `label` and `image_size` mean what the data set's module says, None its default."""

    def __call__(self, raw_dir: Path, *, label: str | None, image_size: int | None) -> Source: ...


class Dataset(NamedTuple):
    """One line of the registry."""

    fetch: Fetch
    read: Read
