"""Codes in columns, .csv, .tsv and .parquet: every column is a dimension but the labels, and what is no code."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from latent_audit.auditing.border import printable, short, some
from latent_audit.auditing.csv_files import read_csv
from latent_audit.auditing.judge import CHOOSE
from latent_audit.auditing.parquet_files import read_parquet
from latent_audit.auditing.roles import role_of
from latent_audit.auditing.sheet import LABEL_COLUMNS, Sheet, Taken, Wanted, taken
from latent_audit.auditing.stack import as_matrix, dimensions, of_arrays, some_of
from latent_audit.base.errors import InputError

HEADINGS = (*LABEL_COLUMNS, "class", "classes", "target", "y")  # what a column of labels is often called


class Columns(NamedTuple):
    """What the columns hold, the labels as the file has them, and the column that these came from."""

    taken: Taken
    labels: np.ndarray | None
    label_column: str | None


def read_columns(path: Path, wanted: Wanted) -> Columns:
    """The codes of a file of columns; see `audit_csv`, `audit_parquet` for what is read and `audit_sheet` for the rest.

    Raises
    ------
    InputError : see there.
    """
    read = read_parquet if path.suffix.lower() == ".parquet" else read_csv
    sheet = read(path, wanted)
    found = (of_lists if sheet.lists else taken)(sheet, wanted.patterns, path.name)
    columns = {role: [printable(name) for name in names] for role, names in found.columns.items()}
    label = None if sheet.label_column is None else printable(sheet.label_column)
    return Columns(found._replace(columns=columns, notes=[*sheet.notes, *found.notes]), sheet.labels, label)


def of_lists(sheet: Sheet, patterns: Sequence[str], where: str) -> Taken:
    """Columns of lists: one is z, several are what they are called; columns of single numbers beside them are none."""
    lists = dict(sheet.lists)
    if len(lists) > 1 and "mu" not in map(role_of, lists) and "z" not in lists:
        raise InputError(f"{where}: which column of lists holds the codes, {some(list(lists))}? Say --columns NAME.")
    if patterns and sheet.numbers:
        raise InputError(
            f"{where}: --columns chooses a column of lists, {some(list(sheet.lists))}, and single numbers, "
            f"{some(list(sheet.numbers))}; choose the one or the others."
        )
    if len(lists) == 1:
        found = _of_list(sheet, where)
    else:
        found = of_arrays(list(lists), lists.__getitem__, where, what="column")
    notes = [f"{where}: the lists in {some(list(sheet.lists))} are the codes, a number a dimension", *found.notes]
    if sheet.numbers:
        notes.append(f"{where}: left out beside them: {some([printable(name) for name in sheet.numbers])}; {CHOOSE}")
    return found._replace(notes=notes)


def _of_list(sheet: Sheet, where: str) -> Taken:
    """The codes of the one column of lists, whatever it is called."""
    ((name, lists),) = sheet.lists.items()
    matrix, _ = as_matrix(lists, f"{where}, column {short(printable(name))!r}")
    kept, notes = dimensions(matrix, (), where)
    columns = {} if kept is None else {"z": [str(k) for k in kept]}
    return Taken(some_of(matrix, kept), None, None, columns, notes)
