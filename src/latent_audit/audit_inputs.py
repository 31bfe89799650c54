"""What a caller hands over as codes: arrays, tensors, lists, data frames; as numpy arrays with the names of columns."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from latent_audit.audit_border import some
from latent_audit.audit_dialect import is_number
from latent_audit.audit_sheet import Sheet, Taken, Wanted, plan, taken
from latent_audit.diagnostics.decomposition import LARGEST_LOGVAR
from latent_audit.errors import InputError
from latent_audit.randomness import rng_for

_SHORT_FLOATS = ("bfloat16", "float8", "float6", "float4")


class ColumnsWarning(UserWarning):
    """Of columns of a data frame that are no codes and were left out."""


def as_array(values: Any) -> Any:
    """The values as a numpy array; a torch tensor is detached and fetched, short floats become float32. None stays."""
    if values is None or isinstance(values, np.ndarray):
        return _of_known_type(values)
    if callable(getattr(values, "detach", None)):  # a tensor of torch, which need not be imported to be asked
        values = values.detach()
        if str(getattr(values, "dtype", "")).removeprefix("torch.").startswith(_SHORT_FLOATS):
            values = values.float()
        values = values.cpu()
    return _of_known_type(np.asarray(values))


def _of_known_type(array: np.ndarray | None) -> np.ndarray | None:
    if array is not None and array.dtype.kind == "V" and array.dtype.name.startswith(_SHORT_FLOATS):
        return array.astype(np.float32)
    return array


def is_frame(values: Any) -> bool:
    """Whether the values are a data frame, of pandas or polars."""
    return hasattr(values, "columns") and hasattr(values, "shape") and not isinstance(values, np.ndarray)


def of_frame(frame: Any, where: str) -> Taken:
    """The codes of a data frame, judged like the columns of a file.

    Warns
    -----
    ColumnsWarning : columns were left out because they are no codes.

    Raises
    ------
    InputError : no column left, columns of text, missing numbers.
    """
    names = [str(name) for name in frame.columns]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{where}: more than one column is called {some(repeated)}; rename them.")
    planned = plan(names, Wanted(None, ()), where)
    numbers, text, integers = {}, {}, set()
    for name in planned.read:
        column = np.asarray(frame[frame.columns[names.index(name)]])
        try:
            numbers[name] = column.astype(np.float64)
        except (TypeError, ValueError):
            row = next((row for row, value in enumerate(column.tolist()) if not is_number(value)), 0)
            numbers[name], text[name] = np.full(len(column), np.nan), (row, str(column[row]))
        integers |= {name} if column.dtype.kind in "iu" else set()
    found = taken(Sheet(numbers, integers, text, None, planned.label, planned.notes), (), where)
    left = [f"{where}: column {planned.label!r} is no code"] if planned.label else []
    for note in [*left, *planned.notes, *found.notes]:
        warnings.warn(note.split("; ")[0], ColumnsWarning, stacklevel=4)
    return found


def drawn(mu: np.ndarray, logvar: np.ndarray, seed: int) -> np.ndarray:
    """One draw of N(mu, exp(logvar)) per row, (sample, latent); the same seed gives the same draw."""
    noise = rng_for(seed, "audit", "posterior").standard_normal(logvar.shape)
    return mu + np.exp(0.5 * logvar) * noise


def refuse_wide(logvar: np.ndarray, where: str) -> None:
    """InputError where a log variance is beyond what a float64 can be drawn and divided by."""
    if (worst := np.abs(logvar).max()) > LARGEST_LOGVAR:
        raise InputError(
            f"{where}: logvar reaches {worst:g} in absolute value, allowed are {LARGEST_LOGVAR:g}; "
            "is it a variance or a diverged run?"
        )


def with_names(per_dim: Any, columns: Mapping[str, Sequence[str]], latent_dim: int) -> Any:
    """per_dim with `name`, the column of the user's file or frame, beside `dim`; as it is where there are no names."""
    full = {code: names for code, names in columns.items() if len(names) == latent_dim}
    if not full or all(list(names) == [str(index) for index in range(latent_dim)] for names in full.values()):
        return per_dim
    first = next(iter(full.values()))
    names = [full.get(code, first)[dim] for code, dim in zip(per_dim["code"], per_dim["dim"], strict=True)]
    named = per_dim.copy()
    named.insert(named.columns.get_loc("dim") + 1, "name", names)
    return named
