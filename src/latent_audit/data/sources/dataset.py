"""What a data set is to this package: a way to fetch its files and a way to read them as images with labels."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np

NONE: Mapping[str, Any] = MappingProxyType({})


class Treatment(NamedTuple):
    """How pictures become squares of 8 bits: parameters `data.fit` (None: the data set's own) and `data.background`."""

    fit: str | None = None
    background: str = "white"


TREATMENT = Treatment()


class DamagedPictures(Exception):
    """Pictures of a split that cannot be read: `reasons` by their position in it."""

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__(f"{len(reasons)} pictures cannot be read")
        self.reasons = reasons


class Split(NamedTuple):
    """One split, not yet read: `labels` (n,) int64; `read` turns positions (k,) into images uint8 (k, C, H, W).

    Where some of them are damaged, `read` raises DamagedPictures with all of those; `names` (n,) are then their names.

    `extras` holds further arrays of n rows, each saved as `<name>_<split>.npy`.
    """

    labels: np.ndarray
    read: Callable[[np.ndarray], np.ndarray]
    extras: Mapping[str, np.ndarray] = NONE
    names: Sequence[str] = ()


class Source(NamedTuple):
    """A data set read from its raw files: two splits of images of one shape (C, H, W), and what must be said of them.

    `columns` names the columns of each of the splits' extras; `notes` are sentences that a reader of results must see.
    `damaged`: reason by name of the pictures that were found unreadable, and are in no split.
    """

    train: Split
    test: Split
    image_shape: tuple[int, int, int]
    classes: list[str]
    terms: str | None = None
    images_may_be_shown: bool = True
    columns: Mapping[str, list[str]] = NONE
    notes: tuple[str, ...] = ()
    damaged: Mapping[str, str] = NONE


class Fetch(Protocol):
    """Fill `raw_dir` with the data set's files, each checked, each whole or absent."""

    def __call__(self, raw_dir: Path, *, mirror: str | None, path: Path | None) -> None: ...


class Read(Protocol):
    """Read `raw_dir` lazily; `label` and `image_size` mean what the data set's module says, None its default."""

    def __call__(
        self, raw_dir: Path, *, label: str | None, image_size: int | None, treatment: Treatment = TREATMENT
    ) -> Source: ...


class Origins(Protocol):
    """The user's own files that `fetch` would take, sorted: (name, path or URL); None where they cannot be reached."""

    def __call__(self, *, mirror: str | None, path: Path | None) -> Sequence[tuple[str, Path | str]] | None: ...


class Counts(NamedTuple):
    """How many images the two splits have."""

    train: int
    test: int


class Expect(Protocol):
    """The most images that there can be, before anything is fetched; None where that is not known."""

    def __call__(self, path: Path | None) -> Counts | None: ...


class Place(Protocol):
    """The user's own folder or archive that a split's names are relative to; None: there is none."""

    def __call__(self, *, mirror: str | None, path: Path | None) -> Path | None: ...


def nowhere(*, mirror: str | None, path: Path | None) -> Path | None:
    """What is fetched by its checksums has no place of the user's."""
    return None


class Dataset(NamedTuple):
    """One line of the registry.

    side : pixels a side before padding, where `data.image_size` is null; sets that are resized take it.
    origins : None where what is fetched is the same everywhere, by its published checksums.
    expect : so that a parameter which counts more images than there are is refused before any work.
    classes : as `read` gives them, so that one which is not there is refused before any work; none: not known before.
    """

    fetch: Fetch
    read: Read
    side: int
    origins: Origins | None = None
    expect: Expect = lambda path: None
    place: Place = nowhere
    classes: tuple[str, ...] = ()
