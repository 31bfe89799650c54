"""Data frames of codes, of pandas or polars, judged like the columns of a file."""

import warnings
from typing import Any

import numpy as np

from latent_audit.auditing.border import some
from latent_audit.auditing.dialect import is_number
from latent_audit.auditing.sheet import Sheet, Taken, Wanted, plan, taken
from latent_audit.base.errors import InputError


class ColumnsWarning(UserWarning):
    """Of columns of a data frame that are no codes and were left out."""


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
