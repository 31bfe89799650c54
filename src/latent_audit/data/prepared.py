"""The prepared data, as every later stage reads them: arrays and a description. Imports no data set."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from latent_audit.base.errors import InputError

FEWEST = 100  # images per split below which no diagnostic of a distribution means anything


class LoadedSplit(NamedTuple):
    """One split: `images` uint8 (N, C, H, W), `labels` int64 (N,).

    The images are mapped from disk, copy on write: what is written to them stays in memory (and torch.from_numpy, which
    warns of read-only arrays, takes them as they are).
    """

    images: np.ndarray
    labels: np.ndarray


class Meta(NamedTuple):
    """meta.json. `native_*` are pixels before padding, `pad` is [top, bottom, left, right] in pixels.

    `available_*` are the images of the whole split, `n_*` those kept by `limit`. `columns` names the columns of each
    extra array (`attributes`, `factors`); `notes` are sentences for the report. Where `images_may_be_shown` is False,
    no photo of the set may be published.
    """

    dataset: str
    classes: list[str]
    channels: int
    height: int
    width: int
    native_height: int
    native_width: int
    pad: list[int]
    n_train: int
    n_test: int
    limit: int | None
    available_train: int
    available_test: int
    raw_sha256: dict[str, str]
    terms: str | None
    images_may_be_shown: bool
    columns: dict[str, list[str]]
    notes: list[str]


def load_meta(prepared_dir: Path) -> Meta:
    """Read meta.json; an InputError says what to run where it is missing or not of this version."""
    path = prepared_dir / "meta.json"
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: not there; run `dvc repro preprocess`.") from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); run `dvc repro --force preprocess`.") from error
    if not isinstance(content, dict) or set(content) != set(Meta._fields):
        found = sorted(content) if isinstance(content, dict) else type(content).__name__
        raise InputError(
            f"{path}: its keys are {found}, not {sorted(Meta._fields)}; run `dvc repro --force preprocess`."
        )
    return Meta(**content)


def load_split(prepared_dir: Path, split: str, only: Sequence[int] | None = None) -> LoadedSplit:
    """Images and labels of `split`, "train" or "test"; of the labels `only`, in memory, where an arm sees no others.

    An InputError says what to run where they are missing, cut short or do not fit meta.json.
    """
    if split not in ("train", "test"):
        raise InputError(f"load_split: split {split!r}; it is 'train' or 'test'.")
    meta = load_meta(prepared_dir)
    images = load_array(prepared_dir / f"{split}_images.npy", mapped=True)
    labels = load_array(prepared_dir / f"{split}_labels.npy")
    n = meta.n_train if split == "train" else meta.n_test
    wanted = (n, meta.channels, meta.height, meta.width)
    if images.shape != wanted or images.dtype != np.uint8 or labels.shape != (n,) or labels.dtype != np.int64:
        raise InputError(
            f"{prepared_dir}: {split} has images {images.dtype} {images.shape}, labels {labels.dtype} {labels.shape}; "
            f"by meta.json they are uint8 {wanted} and int64; run `dvc repro --force preprocess`."
        )
    if only is None:
        return LoadedSplit(images, labels)
    rows = np.flatnonzero(np.isin(labels, only))
    return LoadedSplit(np.asarray(images[rows]), labels[rows])


def told_apart(prepared_dir: Path, only: Sequence[int] | None = None) -> list[str]:
    """The names of the classes; none where the training or the test images are all of one, so that nothing can be told.

    A flat folder has one class for everything; a class of two images may be missing from the test split. only : the
    labels that an arm sees; None: all.
    """
    n_present = [len(np.unique(_labels(prepared_dir, split, only))) for split in ("train", "test")]
    return load_meta(prepared_dir).classes if min(n_present) >= 2 else []


def class_of(classes: Sequence[str], asked: str | int, parameter: str) -> int:
    """The label of a class by its name, whatever the case, or else by its number.

    Raises
    ------
    InputError : there is none; the message names the `parameter` that asked, and lists those there are.
    """
    names = [name.casefold() for name in classes]
    if str(asked).casefold() in names:
        return names.index(str(asked).casefold())
    if str(asked).isdigit() and int(asked) < len(classes):
        return int(asked)
    raise InputError(f"{parameter}: there is no class {asked!r}; there are {', '.join(classes) or 'none'}.")


def labels_of(classes: Sequence[str], asked: Sequence[str | int], parameter: str) -> tuple[int, ...]:
    """The labels of the classes that an arm sees, in order.

    Raises
    ------
    InputError : there is no such class, or no class is left to be an outsider.
    """
    labels = tuple(sorted({class_of(classes, one, parameter) for one in asked}))
    if len(labels) == len(classes):
        raise InputError(f"{parameter}: all {len(classes)} classes: none is left to be an outsider; leave it out.")
    return labels


def counted(prepared_dir: Path, only: Sequence[int] | None, parameter: str) -> Meta:
    """meta.json with the images of the labels `only` counted.

    Raises
    ------
    InputError : they are too few in a split; the message names the `parameter` that chose them.
    """
    meta = load_meta(prepared_dir)
    if only is None:
        return meta
    n_train, n_test = (len(_labels(prepared_dir, split, only)) for split in ("train", "test"))
    if min(n_train, n_test) < FEWEST:
        raise InputError(
            f"{parameter}: {n_train} training and {n_test} test images; at least {FEWEST} of each are needed: raise "
            "data.limit, or give the arm more classes."
        )
    return meta._replace(n_train=n_train, n_test=n_test)


def _labels(prepared_dir: Path, split: str, only: Sequence[int] | None) -> np.ndarray:
    labels = load_array(prepared_dir / f"{split}_labels.npy")
    return labels if only is None else labels[np.isin(labels, only)]


def load_array(path: Path, *, mapped: bool = False) -> np.ndarray:
    """An array of the prepared folder, e.g. factors_train.npy; `mapped`: leave it on disk."""
    try:
        return np.load(path, mmap_mode="c" if mapped else None, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path}: not there; run `dvc repro preprocess`.") from None
    except (ValueError, EOFError) as error:
        raise InputError(f"{path}: not a whole .npy file ({error}); run `dvc repro --force preprocess`.") from error
