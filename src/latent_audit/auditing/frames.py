"""Data frames of codes, of pandas or polars, judged like the columns of a file."""

import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from latent_audit.auditing.border import border, printable, short, some
from latent_audit.auditing.columns import of_lists
from latent_audit.auditing.dialect import is_number
from latent_audit.auditing.judge import CHOOSE
from latent_audit.auditing.parquet_files import refuse_ragged
from latent_audit.auditing.sheet import Plan, Sheet, Taken, Wanted, plan, taken
from latent_audit.base.errors import InputError

LISTS = (list, tuple, np.ndarray)


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
    series = {name: frame[frame.columns[names.index(name)]] for name in planned.read}
    categories = [name for name, column in series.items() if "categor" in str(column.dtype).lower()]
    columns = {name: np.asarray(column) for name, column in series.items() if name not in categories}
    try:
        sheet = _sheet(columns, planned, where)
        found = (of_lists if sheet.lists else taken)(sheet, (), where)
    except InputError as error:
        raise InputError(_for_python(str(error))) from None
    left = [f"{where}: column {planned.label!r} is no code"] if planned.label else []
    left += [f"{where}: left out, of categories: {some(categories)}"] if categories else []
    for note in [*left, *planned.notes, *found.notes[bool(sheet.lists) :]]:  # the first says that lists are the codes
        warnings.warn(note.split("; ")[0], ColumnsWarning, stacklevel=4)
    return found


def _sheet(columns: Mapping[str, np.ndarray], planned: Plan, where: str) -> Sheet:
    numbers, text, integers, lists = {}, {}, set(), {}
    for name, column in columns.items():
        if column.ndim == 2 or (len(column) and isinstance(column[0], LISTS)):
            lists[name] = _matrix(column, f"{where}, column {short(printable(name))!r}")
            continue
        try:
            if column.dtype.kind in "bcmM":  # numpy would make numbers of dates, and of half a complex number
                raise TypeError
            numbers[name] = column.astype(np.float64)
        except (TypeError, ValueError):
            row = next((row for row, value in enumerate(column.tolist()) if not is_number(value)), 0)
            numbers[name], text[name] = np.full(len(column), np.nan), (row, str(column[row]))
        integers |= {name} if column.dtype.kind in "iu" else set()
    return Sheet(numbers, integers, text, None, planned.label, planned.notes, lists)


def _matrix(column: np.ndarray, where: str) -> np.ndarray:
    """A column of lists of one length as (sample, latent)."""
    if column.ndim == 2:
        return column
    lengths = np.array([len(value) if isinstance(value, LISTS) else np.nan for value in column])
    refuse_ragged(lengths, int(lengths[0]), 0, where)
    with border(where, "column of lists of numbers"):
        return np.array([np.asarray(value, dtype=np.float64) for value in column])


def _for_python(message: str) -> str:
    """What to do, without the options of the command."""
    asked = r"say --labels .*?; else choose the codes with --columns"
    message = re.sub(asked, "give it as `labels`; else drop it", message)
    message = re.sub(r"; if '.*?' holds the classes, say --labels .*?(?=; )", "", message)
    return message.replace(CHOOSE, "give a frame of the columns that are codes").replace(" with --columns", "")
