"""Codes, labels and images from files that somebody else wrote, or one sentence about what is wrong with them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from latent_audit.auditing.arrays import Archive, open_npz, read_npy
from latent_audit.auditing.columns import Columns, read_csv, read_parquet
from latent_audit.auditing.labels import LABEL_SUFFIXES, label_array, label_file_of, without_heading
from latent_audit.auditing.paths import refuse_absent
from latent_audit.base.errors import InputError
from latent_audit.base.limits import LARGEST_LATENT_DIM
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.checks import as_codes
from latent_audit.diagnostics.decomposition import LARGEST_LOGVAR, why_no_draw

SUFFIXES = (".npy", ".npz", ".csv", ".parquet")
WIDEST_IMAGE = 1000  # pixels a side: sixteen stand side by side in one picture of the page


class ForeignCodes(NamedTuple):
    """z, mu, logvar (sample, latent) float64; labels (sample,) integers or strings; what a reader should be told.

    label_file : the file that the labels came from, None if it is the file of the codes or there are none.
    """

    z: np.ndarray
    mu: np.ndarray | None
    logvar: np.ndarray | None
    labels: np.ndarray | None
    label_file: Path | None
    notes: list[str]


def read_foreign(path: Path, *, labels: str | None = None, seed: int = 0) -> ForeignCodes:
    """Codes from a .npy, .npz, .csv or .parquet file, and their labels if there are any.

    Parameters
    ----------
    labels : the name of an array of the .npz or of a column, or else a .npy, .csv or .txt file of labels. None takes
        the array `labels` of an .npz, and a column `labels` or `label`.
    seed : of the draw of z where an .npz has mu and logvar but no z.

    Raises
    ------
    InputError : anything that is not codes of at least 20 rows and 1 to 2,048 dimensions with one label per row.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: the suffix must be one of {', '.join(SUFFIXES)}; save the codes as one of these.")
    refuse_absent(path)
    read = {".npy": _of_npy, ".npz": _of_npz, ".csv": _of_columns, ".parquet": _of_columns}[path.suffix.lower()]
    codes = read(path, labels, seed)
    if codes.labels is not None:
        where = path.name if codes.label_file is None else codes.label_file.name
        listed = codes.labels if codes.label_file is None else without_heading(codes.labels, where, len(codes.z))
        given = label_array(listed, where)
        if len(given) != len(codes.z):
            raise InputError(
                f"{where}: {len(given):,} labels for {len(codes.z):,} codes in {path.name}; "
                "give one label per row, in the same order."
            )
        codes = codes._replace(labels=given)
    return codes


def read_images(path: Path, n: int) -> np.ndarray:
    """uint8 (sample, channel, height, width) of the n samples, in the order of their codes; read as it is looked at.

    Raises
    ------
    InputError : not a .npy of uint8, not (N, H, W) or (N, C, H, W) with one channel or three, or not n of them.
    """
    if path.suffix.lower() != ".npy":
        raise InputError(f"{path}: --images must be a .npy file of uint8.")
    refuse_absent(path)
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


def _of_npy(path: Path, labels: str | None, seed: int) -> ForeignCodes:
    z, notes = _matrix(read_npy(path), path.name)
    given, label_file = (None, None) if labels is None else label_file_of(labels, f"{path.name} has no names inside")
    return ForeignCodes(z, None, None, given, label_file, notes)


def _of_npz(path: Path, labels: str | None, seed: int) -> ForeignCodes:
    with open_npz(path) as archive:
        arrays, notes = {}, []
        for name in ("z", "mu", "logvar"):
            if name in archive.names:
                arrays[name], said = _matrix(archive.read(name), f"{path.name}, array '{name}'")
                notes += said
        _refuse_unequal(arrays, archive, path)
        names = archive.names
        own = "labels" if labels is None else labels
        given = archive.read(own) if own in names else None
    label_file = None
    if labels is not None and given is None:
        given, label_file = label_file_of(labels, f"{path.name} has the arrays {names}")
    mu, logvar = arrays.get("mu"), arrays.get("logvar")
    if "z" in arrays:
        z = arrays["z"]
        if mu is not None and logvar is not None:
            reasons = why_no_draw(mu, logvar, z, remedy="Leave z out to have it drawn")
            notes += [f"warning: {path.name}: {what}" for what in reasons]
    elif logvar is None:
        z, notes = arrays["mu"], [*notes, "no array 'z' and no 'logvar': the code is deterministic, z = mu"]
    else:
        noise = rng_for(seed, "audit", "posterior").standard_normal(logvar.shape)
        z = arrays["mu"] + np.exp(0.5 * logvar) * noise
        notes.append(f"no array 'z': one draw of N(mu, exp(logvar)) per row, seed {seed}")
    return ForeignCodes(z, mu, logvar, given, label_file, notes)


def _of_columns(path: Path, labels: str | None, seed: int) -> ForeignCodes:
    read = read_csv if path.suffix.lower() == ".csv" else read_parquet
    from_file = labels is not None and Path(labels).suffix.lower() in LABEL_SUFFIXES and Path(labels).is_file()
    columns: Columns = read(path, None if from_file else labels)
    codes, notes = _matrix(columns.codes, path.name)
    notes = [*columns.notes, *notes]
    given, label_file = columns.labels, None
    if from_file:
        given, label_file = label_file_of(str(labels), "")
    elif columns.label_column is not None and labels is None:
        notes.append(f"column '{columns.label_column}' is taken as the labels")
    return ForeignCodes(codes, None, None, given, label_file, notes)


def _matrix(array: np.ndarray, where: str) -> tuple[np.ndarray, list[str]]:
    """(sample, latent) float64, and what was done to get there; a single axis is one dimension."""
    if array.dtype.kind not in "fiu":
        hint = "take the real part or both as columns" if array.dtype.kind == "c" else "convert it with astype(float)"
        raise InputError(f"{where}: codes must be real numbers, got dtype {array.dtype}; {hint} and save it again.")
    if array.ndim not in (1, 2):
        raise InputError(
            f"{where}: codes must be (sample, latent), got shape {array.shape}; "
            "reshape them, e.g. z.reshape(len(z), -1)."
        )
    notes = [f"{where}: {len(array):,} numbers on one axis are read as one dimension"] if array.ndim == 1 else []
    matrix = array.reshape(len(array), -1) if array.size else array.reshape(len(array), *array.shape[1:] or (1,))
    if matrix.shape[1] > LARGEST_LATENT_DIM:
        raise InputError(
            f"{where}: {matrix.shape[1]:,} dimensions, at most {LARGEST_LATENT_DIM:,} are allowed; "
            "project them first (PCA) or choose columns."
        )
    return as_codes(matrix, where=where), notes


def _refuse_unequal(arrays: dict[str, np.ndarray], archive: Archive, path: Path) -> None:
    if not {"z", "mu"} & set(arrays):
        raise InputError(f"{path.name}: needs an array 'z' or 'mu', it has {archive.names}; name the codes 'z'.")
    if "logvar" in arrays and "mu" not in arrays:
        raise InputError(f"{path.name}: has 'logvar' without 'mu'; give both or neither.")
    if len({array.shape for array in arrays.values()}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise InputError(f"{path.name}: these must have one shape: {shapes}.")
    if "logvar" in arrays and (worst := np.abs(arrays["logvar"]).max()) > LARGEST_LOGVAR:
        raise InputError(
            f"{path.name}: logvar reaches {worst:g} in absolute value, allowed are {LARGEST_LOGVAR:g}; "
            "is it a variance or a diverged run?"
        )
