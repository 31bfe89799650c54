"""Codes, labels and images from files that somebody else wrote, or one sentence about what is wrong with them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from latent_audit.auditing.arrays import open_npz, read_npy
from latent_audit.auditing.beside import ENTRIES, INDICES, read_beside
from latent_audit.auditing.border import border, some
from latent_audit.auditing.columns import read_columns
from latent_audit.auditing.labels import LABEL_SUFFIXES, label_array, label_file_of, why_no_classes, without_heading
from latent_audit.auditing.paths import at_home, named_by, refuse_absent
from latent_audit.auditing.sheet import Taken, Wanted
from latent_audit.auditing.stack import as_matrix, dimensions, of_arrays
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.decomposition import why_no_draw
from latent_audit.diagnostics.ground_truth import Indices
from latent_audit.diagnostics.inputs import drawn, refuse_wide

COLUMNS = (".csv", ".parquet", ".tsv")
SUFFIXES = (".npy", ".npz", ".csv", ".parquet", ".tsv")
PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zip", ".zst")
LABEL_ARRAYS = ("labels", "label")  # of an .npz, where none was named
WIDEST_IMAGE = 1000  # pixels a side: sixteen stand side by side in one picture of the page


class ForeignCodes(NamedTuple):
    """z, mu, logvar (sample, latent) float64; labels (sample,) integers or strings; what a reader should be told.

    label_file : the file that the labels came from, None if it is the file of the codes or there are none.
    columns : role (z, mu, logvar, labels) -> the columns of the file, or the dimensions of an array, that it is made
        of; a role without an entry is made of all there are.
    """

    z: np.ndarray
    mu: np.ndarray | None
    logvar: np.ndarray | None
    labels: np.ndarray | None
    label_file: Path | None
    notes: list[str]
    columns: Mapping[str, Sequence[str]] = {}
    beside: Mapping[str, np.ndarray] = {}


class Asked(NamedTuple):
    """labels: an array, a column or a file, None for what is called so. columns: patterns. seed: of the draw of z."""

    labels: str | None
    columns: Sequence[str]
    seed: int


def read_foreign(path: Path, *, labels: str | None = None, seed: int = 0, columns: Sequence[str] = ()) -> ForeignCodes:
    """Codes from a .npy, .npz, .csv, .tsv or .parquet file, and their labels if there are any.

    Parameters
    ----------
    labels : the name of an array of the .npz or of a column, or else a .npy, .csv or .txt file of labels. None takes
        the array or the column `labels` or `label`.
    seed : of the draw of z where a file has mu and logvar but no z.
    columns : names or patterns of the columns that are the codes (numbers from 0 of an array); none of them takes all
        that can be codes by their names and by what they hold.

    Raises
    ------
    InputError : anything that is not codes of at least 20 rows and 1 to 2,048 dimensions with one label per row.
    """
    if path.suffix.lower() not in SUFFIXES:
        do = "unpack it first" if path.suffix.lower() in PACKED_SUFFIXES else "save the codes as one of these"
        raise InputError(f"{path}: the suffix must be one of {', '.join(SUFFIXES)}; {do}.")
    refuse_absent(path)
    read = _of_columns if path.suffix.lower() in COLUMNS else {".npy": _of_npy, ".npz": _of_npz}[path.suffix.lower()]
    with named_by(path):
        codes = read(path, Asked(labels, columns, seed))
        return codes if codes.labels is None else _with_labels(codes, path)


def _with_labels(codes: ForeignCodes, path: Path) -> ForeignCodes:
    """The codes with labels that tell classes apart, or without them and with a note."""
    with named_by(codes.label_file or path):
        labels = _labels(codes, path)
    alone = why_no_classes(labels, (codes.label_file or path).name)
    return codes._replace(labels=None if alone else labels, notes=[*codes.notes, *alone])


def _labels(codes: ForeignCodes, path: Path) -> np.ndarray:
    """The labels as `label_array` gives them, one for every code."""
    where = path.name if codes.label_file is None else codes.label_file.name
    with border(where, "list of labels; write it again"):
        raw = np.asarray(codes.labels)
        given = label_array(raw if codes.label_file is None else without_heading(raw, where, len(codes.z)), where)
    if len(given) != len(codes.z):
        raise InputError(
            f"{where}: {len(given):,} labels for {len(codes.z):,} codes in {path.name}; "
            "give one label per row, in the same order."
        )
    return given


def read_images(path: Path, n: int) -> np.ndarray:
    """uint8 (sample, channel, height, width) of the n samples, in the order of their codes; read as it is looked at.

    Raises
    ------
    InputError : not a .npy of uint8, not (N, H, W) or (N, C, H, W) with one channel or three, or not n of them.
    """
    with named_by(path):
        return _images_in(path, n)


def _images_in(path: Path, n: int) -> np.ndarray:
    if path.suffix.lower() != ".npy":
        raise InputError(f"{path}: --images must be a .npy file of uint8.")
    refuse_absent(path)
    with border(path.name, ".npy of images; write it again"):
        images = read_npy(path)
    if images.dtype != np.uint8:
        raise InputError(f"{path.name}: images must be uint8, 0 to 255, got {images.dtype}; scale and convert them.")
    if images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        raise InputError(f"{path.name}: shape {images.shape} has the channels last; transpose(0, 3, 1, 2) them.")
    if images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise InputError(
            f"{path.name}: images must be (N, H, W) or (N, C, H, W) with 1 or 3 channels, got {images.shape}."
        )
    if max(images.shape[2:]) > WIDEST_IMAGE:
        raise InputError(
            f"{path.name}: images of {images.shape[2]} x {images.shape[3]} pixels; make them at most {WIDEST_IMAGE} a "
            "side, they are shown small."
        )
    if len(images) != n:
        raise InputError(f"{path.name}: {len(images):,} images for {n:,} codes; give one per row, in the same order.")
    return images


def _of_npy(path: Path, asked: Asked) -> ForeignCodes:
    z, notes = as_matrix(read_npy(path), path.name)
    kept, said = dimensions(z, asked.columns, path.name)
    columns = {} if kept is None else {"z": [str(k) for k in kept]}
    codes = Taken(z if kept is None else z[:, kept], None, None, columns, [*notes, *said])
    given, label_file = (None, None) if asked.labels is None else label_file_of(
        asked.labels, f"{path.name} has no names inside"
    )  # fmt: skip
    return _codes(codes, given, label_file, path, asked)


def _of_npz(path: Path, asked: Asked) -> ForeignCodes:
    with open_npz(path) as archive:
        own = asked.labels or next((name for name in LABEL_ARRAYS if name in archive.names), None)
        besides = read_beside([name for name in archive.names if name != own], archive.read, path.name)
        if INDICES in besides:
            return _of_indices(besides, archive.names, path.name)
        others = [name for name in archive.names if name != own and name not in besides]
        codes = of_arrays(others, archive.read, path.name, patterns=asked.columns, what="array")
        given = archive.read(own) if own in archive.names else None
    label_file = None
    if asked.labels is not None and given is None:
        given, label_file = label_file_of(asked.labels, f"{path.name} has the arrays {some(archive.names)}")
    return _codes(codes, given, label_file, path, asked)._replace(beside=besides)


def _of_indices(besides: Mapping[str, np.ndarray], names: Sequence[str], where: str) -> ForeignCodes:
    """A discrete code: the indices stand for z, and nothing else of the file is looked at."""
    values = Indices.of(besides[INDICES], besides.get(ENTRIES), where=where).values
    unused = [name for name in names if name not in (INDICES, ENTRIES)]
    notes = [f"{where}: indices of a codebook are audited; not used: {some(unused)}"] if unused else []
    return ForeignCodes(values.astype(np.float64), None, None, None, None, notes, {}, besides)


def _of_columns(path: Path, asked: Asked) -> ForeignCodes:
    labels = asked.labels
    from_file = labels is not None and Path(labels).suffix.lower() in LABEL_SUFFIXES and at_home(Path(labels)).is_file()
    found = read_columns(path, Wanted(None if from_file else labels, asked.columns, elsewhere=from_file))
    given, label_file = found.labels, None
    codes, column = found.taken, found.label_column
    for array in (codes.z, codes.mu, codes.logvar):
        if array is not None:
            as_matrix(array, path.name)
    if from_file:
        given, label_file = label_file_of(str(labels), "")
    elif column is not None and labels is None:
        codes = codes._replace(notes=[*codes.notes, f"column '{column}' is taken as the labels"])
    if column is not None and not from_file:
        codes = codes._replace(columns=codes.columns | {"labels": [column]})
    return _codes(codes, given, label_file, path, asked)


def _codes(codes: Taken, labels: np.ndarray | None, label_file: Path | None, path: Path, asked: Asked) -> ForeignCodes:
    """With z, where the file has none: a draw of N(mu, exp(logvar)), or mu itself."""
    z, mu, logvar, columns, notes = codes
    if logvar is not None:
        refuse_wide(logvar, path.name)
    if z is not None:
        if mu is not None and logvar is not None:
            reasons = why_no_draw(mu, logvar, z, remedy="Leave z out to have it drawn")
            notes = [*notes, *(f"warning: {path.name}: {what}" for what in reasons)]
    elif mu is not None and logvar is not None:
        z, notes = (
            drawn(mu, logvar, asked.seed),
            [*notes, f"no z: one draw of N(mu, exp(logvar)) per row, seed {asked.seed}"],
        )
    elif mu is not None:
        z, notes = mu, [*notes, "no z and no logvar: the code is deterministic, z = mu"]
    assert z is not None  # a file has z or mu, else it was refused
    return ForeignCodes(z, mu, logvar, labels, label_file, notes, columns)
