"""Codes, labels and images from files that somebody else wrote, or one sentence about what is wrong with them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from latent_audit.auditing.arrays import read_npy
from latent_audit.auditing.beside import ATTRIBUTES, FACTORS, INDICES
from latent_audit.auditing.border import border
from latent_audit.auditing.columns import read_columns
from latent_audit.auditing.labels import LABEL_SUFFIXES, label_array, label_file_of, why_no_classes, without_heading
from latent_audit.auditing.paths import at_home, named_by, refuse_absent
from latent_audit.auditing.pickles import conversion
from latent_audit.auditing.sheet import Taken, Wanted
from latent_audit.auditing.stack import as_matrix, dimensions, some_of
from latent_audit.auditing.stores import STORES, Asked, Found, of_store
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.blocks import Maps
from latent_audit.diagnostics.decomposition import why_no_draw
from latent_audit.diagnostics.forms import Form, formed, needs_form
from latent_audit.diagnostics.inputs import drawn, refuse_wide

COLUMNS = (".csv", ".parquet", ".tsv")
SUFFIXES = (".npy", ".npz", ".csv", ".parquet", ".tsv", ".safetensors", ".h5ad")
PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zip", ".zst")
WIDEST_IMAGE = 1000  # pixels a side: sixteen stand side by side in one picture of the page


class ForeignCodes(NamedTuple):
    """z, mu, logvar (sample, latent) float64; labels (sample,) integers or strings; what a reader should be told.

    label_file : the file that the labels came from, None if it is the file of the codes or there are none.
    columns : role (z, mu, logvar, labels) -> the columns of the file, or the dimensions of an array, that it is made
        of; a role without an entry is made of all there are.
    beside : see `beside.names_beside`. form : of latent maps and of very many dimensions, which rows all of these are.
    """

    z: np.ndarray
    mu: np.ndarray | None
    logvar: np.ndarray | None
    labels: np.ndarray | None
    label_file: Path | None
    notes: list[str]
    columns: Mapping[str, Sequence[str]] = {}
    beside: Mapping[str, np.ndarray] = {}
    form: Form | None = None

    @property
    def n_samples(self) -> int:
        """How many the file has."""
        return len(self.z) if self.form is None else self.form.n

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the codes in the file."""
        return self.z.shape if self.form is None else self.form.shape


def read_foreign(
    path: Path,
    *,
    labels: str | None = None,
    seed: int = 0,
    columns: Sequence[str] = (),
    array: str | None = None,
    reduce: str | None = None,
) -> ForeignCodes:
    """Codes from a file of SUFFIXES, and their labels if there are any.

    Parameters
    ----------
    labels : the name of an array of the file or of a column, or else a .npy, .csv or .txt file of labels. None takes
        the array or the column `labels` or `label`.
    seed : of the draw of z where a file has mu and logvar but no z, and of whatever is a part of the codes.
    columns : names or patterns of the columns that are the codes (numbers from 0 of an array); none of them takes all
        that can be codes by their names and by what they hold.
    array : which array of an .npz, .safetensors or .h5ad is z. reduce : on how many dimensions, see `reduce.spec_of`.

    Raises
    ------
    InputError : anything that is not codes, latent maps or sequences of at least 20 samples with one label each.
    """
    suffix, asked = path.suffix.lower(), Asked(labels, columns, seed, array, reduce)
    if suffix not in SUFFIXES:
        do = "unpack it first" if suffix in PACKED_SUFFIXES else "save the codes as one of these"
        why = "" if (converted := conversion(path)) is None else f" It is {converted}"
        raise InputError(f"{path}: the suffix must be one of {', '.join(SUFFIXES)}; {do}.{why}")
    refuse_absent(path)
    if array is not None and suffix not in STORES:
        instead = "--columns chooses the codes of it" if suffix in COLUMNS else "it holds one array"
        raise InputError(f"{path}: --array {array!r} is of {', '.join(STORES)}; {instead}.")
    read = _of_columns if suffix in COLUMNS else _of_npy if suffix == ".npy" else of_store
    with named_by(path):
        found = _with_labels(read(path, asked), path)
        return _codes(found, path, asked)


def _with_labels(found: Found, path: Path) -> Found:
    """What was found with labels that tell classes apart, one for every code; or without them and with a note."""
    if found.labels is None:
        return found
    n = next(codes.shape[0] for codes in found.codes[:3] if codes is not None)
    with named_by(found.label_file or path):
        labels = _labels(found.labels, found.label_file, path, n)
    alone = why_no_classes(labels, (found.label_file or path).name)
    codes = found.codes._replace(notes=[*found.codes.notes, *alone])
    return found._replace(labels=None if alone else labels, codes=codes)


def _labels(labels: np.ndarray, label_file: Path | None, path: Path, n: int) -> np.ndarray:
    """The labels as `label_array` gives them."""
    where = path.name if label_file is None else label_file.name
    with border(where, "list of labels; write it again"):
        raw = np.asarray(labels)
        given = label_array(raw if label_file is None else without_heading(raw, where, n), where)
    if len(given) != n:
        raise InputError(
            f"{where}: {len(given):,} labels for {n:,} codes in {path.name}; give one label per row, in the same order."
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


def _of_npy(path: Path, asked: Asked) -> Found:
    z, notes = as_matrix(read_npy(path), path.name)
    kept, said = dimensions(z, asked.columns, path.name)
    columns = {} if kept is None else {"z": [str(k) for k in kept]}
    codes = Taken(some_of(z, kept), None, None, columns, [*notes, *said])
    given, label_file = (None, None) if asked.labels is None else label_file_of(
        asked.labels, f"{path.name} has no names inside"
    )  # fmt: skip
    return Found(codes, given, label_file)


def _of_columns(path: Path, asked: Asked) -> Found:
    labels = asked.labels
    from_file = labels is not None and Path(labels).suffix.lower() in LABEL_SUFFIXES and at_home(Path(labels)).is_file()
    found = read_columns(path, Wanted(None if from_file else labels, asked.columns, elsewhere=from_file))
    given, label_file = found.labels, None
    codes, column = found.taken, found.label_column
    judged = (a if a is None or isinstance(a, Maps) else as_matrix(a, path.name)[0] for a in codes[:3])
    codes = codes._replace(**dict(zip(("z", "mu", "logvar"), judged, strict=True)))
    if from_file:
        given, label_file = label_file_of(str(labels), "")
    elif column is not None and labels is None:
        codes = codes._replace(notes=[*codes.notes, f"column '{column}' is taken as the labels"])
    if column is not None and not from_file:
        codes = codes._replace(columns=codes.columns | {"labels": [column]})
    return Found(codes, given, label_file)


def _codes(found: Found, path: Path, asked: Asked) -> ForeignCodes:
    """Rows of what is to be audited in parts; and z, where the file has none: a draw of N(mu, exp(logvar)), or mu."""
    (z, mu, logvar, columns, notes), labels, label_file, beside = found
    form = None
    if INDICES not in beside and needs_form(z, mu, logvar, reduce=asked.reduce):
        form = formed(
            z, mu, logvar, labels=labels, reduce=asked.reduce, seed=asked.seed, where=path.name,
            one_each=bool({FACTORS, ATTRIBUTES} & set(beside)),
        )  # fmt: skip
        z, mu, logvar, labels, notes = form.z, form.mu, form.logvar, form.labels, [*notes, *form.notes]
        columns = columns if form.reduction is None else {role: columns[role] for role in columns if role == "labels"}
        beside = {name: form.rows_of(array, name) if name in (FACTORS, ATTRIBUTES) else array
                  for name, array in beside.items()}  # fmt: skip
    assert not isinstance(z, Maps) and not isinstance(mu, Maps) and not isinstance(logvar, Maps)  # they need a form
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
    return ForeignCodes(z, mu, logvar, labels, label_file, notes, columns, beside, form)
