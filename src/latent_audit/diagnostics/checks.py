"""The border of the package: what an array of codes must look like before anything is computed from it."""

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError

MINIMUM_ROWS = 20  # D'Agostino's kurtosis test is not defined below 20
LARGEST_CODE = 1e100  # fourth powers of codes below this stay finite in float64


class OneClassWarning(UserWarning):
    """Labels of a single class: what needs two of them is left out."""


def _some(indices: np.ndarray) -> str:
    """At most five of the indices in words, and how many more there are."""
    shown = ", ".join(str(i) for i in indices[:5])
    return f"[{shown}]" if len(indices) <= 5 else f"[{shown}, and {len(indices) - 5} more]"


def as_codes(x: np.ndarray, *, where: str, minimum: int = MINIMUM_ROWS) -> np.ndarray:
    """A float64 (sample, latent) array of finite codes, or an InputError that says which rows and columns are wrong.

    Parameters
    ----------
    x : (sample, latent) real numbers of any dtype.
    where : name of the caller, the first word of the message.
    minimum : the smallest number of rows for which the caller's statistic is defined.

    Raises
    ------
    InputError : not two-dimensional, no column, not numbers, fewer than `minimum` rows, NaN, infinite or beyond 1e100.
    """
    raw = np.asarray(x)
    if raw.ndim != 2 or raw.shape[1] == 0:
        raise InputError(
            f"{where}: codes must be a (sample, latent) array with at least one column, got shape {raw.shape}; "
            "reshape a single dimension to (n, 1)."
        )
    if raw.dtype.kind not in "fiu":
        raise InputError(f"{where}: codes must be real numbers, got dtype {raw.dtype}; convert them to float first.")
    if len(raw) < minimum:
        raise InputError(
            f"{where}: needs at least {minimum} rows of codes, got {len(raw)}; encode the whole split, not one batch."
        )
    codes = raw.astype(np.float64)
    bad = ~(np.abs(codes) <= LARGEST_CODE)  # true for NaN as well
    if bad.any():
        rows, columns = np.flatnonzero(bad.any(axis=1)), np.flatnonzero(bad.any(axis=0))
        raise InputError(
            f"{where}: codes are NaN, infinite or beyond {LARGEST_CODE:g} in {len(rows)} of {len(codes)} rows, "
            f"{_some(rows)}, columns {_some(columns)}; drop those rows or look for a diverged training run."
        )
    return codes


def as_labels(labels: np.ndarray, *, n: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    """`class_index` of at least two classes.

    Raises
    ------
    InputError : not one label per row, missing labels, or a single class.
    """
    names, index = class_index(labels, n=n, where=where)
    if len(names) < 2:
        raise InputError(f"{where}: needs at least two classes, got only {names.tolist()}; leave the labels out.")
    return names, index


def class_index(labels: np.ndarray, *, n: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    """The sorted distinct labels, integers or text, and the class index of each of the n rows.

    Whole numbers stored as floats are integers; other floats, bytes and objects are taken as text.

    Raises
    ------
    InputError : not one label per row, or missing labels.
    """
    raw = np.asarray(labels)
    if raw.shape != (n,):
        raise InputError(f"{where}: needs one label per row of codes, got {n} rows and labels of shape {raw.shape}.")
    if raw.dtype.kind == "f" and not np.isfinite(raw).all():
        raise InputError(f"{where}: labels are NaN or infinite in rows {_some(np.flatnonzero(~np.isfinite(raw)))}.")
    if raw.dtype.kind in "OMm" and (missing := np.asarray(pd.isna(raw))).any():
        raise InputError(f"{where}: labels are missing in rows {_some(np.flatnonzero(missing))}; drop or name them.")
    if raw.dtype.kind == "f" and (raw == np.rint(raw)).all() and np.abs(raw).max(initial=0) < 2**63:
        raw = raw.astype(np.int64)
    elif raw.dtype.kind == "S":
        raw = np.char.decode(raw, "utf-8", "backslashreplace")  # what is not UTF-8 stays apart
    elif raw.dtype.kind in "fO":
        raw = raw.astype(str)
    names, index = np.unique(raw, return_inverse=True)
    return names, index.reshape(-1)
