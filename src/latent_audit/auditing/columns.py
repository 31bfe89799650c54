"""Codes in columns, .csv and .parquet: every column but the labels is a dimension, and must be numbers throughout."""

import csv
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from latent_audit.auditing.arrays import reason, refuse_bomb
from latent_audit.base.errors import InputError

LABEL_COLUMNS = ("labels", "label")  # taken as the labels where none were named
HEADINGS = (*LABEL_COLUMNS, "class", "classes", "target", "y")  # what a column of labels is often called
MISSING = ("", "NA", "N/A", "null", "None")  # besides nan; in a dimension: a number that is not there


class Columns(NamedTuple):
    """codes (sample, latent) float64 and finite; labels as the file has them, and the column they came from.

    notes : how the first line of a .csv was read, where that was a choice.
    """

    codes: np.ndarray
    labels: np.ndarray | None
    label_column: str | None
    notes: list[str]


def read_csv(path: Path, label_column: str | None) -> Columns:
    """Codes from comma-separated text in UTF-8, with or without a line of names.

    Raises
    ------
    InputError : lines of different lengths, columns of text, of one name or of none, missing numbers, no such label.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            first = [cell.strip() for cell in next(lines, [])]
            names, has_header, notes = _names(first, path)
            chosen = _label_column(names, label_column, path)
            place = None if chosen is None else names.index(chosen)
            rows = _Rows(names, place)
            if not has_header:
                rows.add(first, 1)
            for line in lines:
                rows.add(line, lines.line_num)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path.name}: not a text file in UTF-8 ({reason(error)}); is it really a .csv?") from None
    if rows.ragged:
        shown = ", ".join(f"line {line} has {cells}" for line, cells in rows.ragged[:3])
        raise InputError(
            f"{path.name}: the first line has {len(first)} cells, but {len(rows.ragged):,} lines have another number: "
            f"{shown}{', ...' if len(rows.ragged) > 3 else ''}; every line needs one cell per column."
        )
    names = [name for name in names if name != chosen]
    _refuse_text(rows.text, names, path)
    codes = np.array(rows.numbers, dtype=np.float64).reshape(len(rows.numbers), len(names))
    _refuse_missing(codes, names, path)
    labels = None if chosen is None else np.array(rows.labels, dtype=object)
    return Columns(codes, labels, chosen, notes)


class _Rows:
    """The lines of a .csv so far: numbers, labels (the cell at `place`), and what is wrong with them."""

    def __init__(self, names: list[str], place: int | None):
        self._width, self._place = len(names), place
        self._dimensions = [name for index, name in enumerate(names) if index != place]
        self.numbers: list[np.ndarray] = []
        self.labels: list[str] = []
        self.ragged: list[tuple[int, int]] = []  # line, cells
        self.text: dict[str, tuple[int, str]] = {}  # column -> the first row that is no number, and what it holds

    def add(self, line: list[str], number: int) -> None:
        """Take one line of the file; `number` counts from 1."""
        if not line:
            return
        if len(line) != self._width:
            self.ragged.append((number, len(line)))
            return
        if self._place is not None:
            self.labels.append(line.pop(self._place).strip())
        values = _floats(line)
        if values is None:
            values = [self._number(cell, name) for cell, name in zip(line, self._dimensions, strict=True)]
        self.numbers.append(np.array(values))

    def _number(self, cell: str, name: str) -> float:
        if not _is_number(cell) and cell.strip() not in MISSING:
            self.text.setdefault(name, (len(self.numbers), cell))
        return float(cell) if _is_number(cell) else np.nan


def read_parquet(path: Path, label_column: str | None) -> Columns:
    """Codes from a parquet file; a row index that pandas stored beside the columns is not a dimension.

    Raises
    ------
    InputError : not a parquet file, columns of text, lists or of one name, missing numbers, no such label.
    """
    from pyarrow import parquet

    with _readable(path), parquet.ParquetFile(path) as file:
        names = list(file.schema_arrow.names)
        refuse_bomb(8 * file.metadata.num_rows * len(names), path.stat().st_size, path.name)
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(f"{path.name}: more than one column is called {repeated}; rename them.")
        frame = file.read().to_pandas()
    frame.columns = [str(name) for name in frame.columns]
    chosen = _label_column(list(frame.columns), label_column, path)
    dimensions = frame.drop(columns=[chosen]) if chosen else frame
    names = list(dimensions.columns)
    text = {
        name: _first_text(dimensions[name].to_numpy(dtype=object))
        for name, kind in dimensions.dtypes.items()
        if not _is_numeric(kind)
    }
    _refuse_text(text, names, path)
    codes = dimensions.to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse_missing(codes, names, path)
    return Columns(codes, None if chosen is None else frame[chosen].to_numpy(dtype=object), chosen, [])


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What pyarrow, and pandas over its notes in the file, raise for a damaged file becomes one sentence."""
    import pyarrow as pa

    try:
        yield
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, LookupError, AttributeError, MemoryError) as error:
        raise InputError(f"{path.name}: not a readable parquet file ({reason(error)}); write it again.") from None


def _first_text(values: np.ndarray) -> tuple[int, str]:
    row = next((row for row, value in enumerate(values) if not _is_number(value)), 0)
    return row, str(values[row]) if len(values) else ""


def _names(first: list[str], path: Path) -> tuple[list[str], bool, list[str]]:
    """The names of the columns, whether the first line gave them, and notes on how it was read."""
    if not any(first):
        raise InputError(f"{path.name}: its first line is empty; write one line of names, then one line per code.")
    names = first
    if names == [str(index) for index in range(len(names))]:  # what pandas calls columns that were given no name
        return names, True, [f"{path.name}: the first line, 0 to {len(names) - 1}, is read as the names of the columns"]
    if all(_is_number(cell) for cell in names):
        note = f"{path.name}: the first line holds numbers only and is read as the first code"
        return [f"column_{index}" for index in range(len(names))], False, [note]
    if numbers := [cell for cell in names if _is_number(cell) and not cell.isdecimal()]:
        raise InputError(
            f"{path.name}: the first line looks like a code, not like names: it holds {numbers[0]!r}; write a line of "
            "names above it."
        )
    if "" in names:
        raise InputError(
            f"{path.name}: column {names.index('') + 1} has no name; if it is a row index, write the file without it "
            "(to_csv(index=False)), else name it."
        )
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{path.name}: more than one column is called {repeated}; rename them.")
    return names, True, []


def _floats(cells: list[str]) -> list[float] | None:
    """The cells as numbers, or None if one is not; Python's float would read 1_2 as 12, here it is text."""
    if "_" in "".join(cells):
        return None
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def _is_number(cell: object) -> bool:
    if isinstance(cell, bool) or "_" in str(cell):
        return False
    try:
        float(cell)  # pyright: ignore[reportArgumentType]  # what float refuses is no number
    except (ValueError, TypeError):
        return False
    return True


def _label_column(names: list[str], asked: str | None, path: Path) -> str | None:
    if asked is None:
        return next((name for name in LABEL_COLUMNS if name in names), None)
    if asked not in names:
        raise InputError(f"{path.name}: no column '{asked}' for --labels; it has {_some(names)}.")
    return asked


def _is_numeric(kind) -> bool:
    numeric = pd.api.types.is_numeric_dtype(kind)
    return numeric and not pd.api.types.is_bool_dtype(kind) and not pd.api.types.is_complex_dtype(kind)


def _refuse_text(text: dict[str, tuple[int, str]], names: list[str], path: Path) -> None:
    if not names:
        raise InputError(f"{path.name}: no column is left to be a dimension besides the labels.")
    if not text:
        return
    name, (row, value) = next(iter(text.items()))
    mark = next((mark for mark in (";", "\t", "|", " ") if len(names) == 1 and mark in names[0]), None)
    advice = f"the cells seem to be separated by {mark!r}, write commas instead"
    if mark is None:
        advice = (
            f"if it holds the classes, say --labels {shlex.quote(name)}; leave out what is no dimension, spread a "
            "list into columns"
        )
    raise InputError(
        f"{path.name}: {len(text)} column{'s' * (len(text) > 1)} not of numbers: {_some(list(text))}; row {row} "
        f"(counted from 0) of {name!r} holds {value[:40]!r}. Every column but the labels is a dimension: {advice}."
    )


def _refuse_missing(codes: np.ndarray, names: list[str], path: Path) -> None:
    bad = ~np.isfinite(codes)
    if bad.any():
        rows, columns = np.flatnonzero(bad.any(axis=1)), np.flatnonzero(bad.any(axis=0))
        raise InputError(
            f"{path.name}: codes are missing, NaN or infinite in {len(rows):,} of {len(codes):,} rows, "
            f"{_some(rows.tolist())} (counted from 0), columns {_some([names[i] for i in columns])}; drop those rows "
            "or look for a diverged training run."
        )


def _some(values: list) -> str:
    """At most five of the values, and how many more there are."""
    shown = ", ".join(repr(value) for value in values[:5])
    return f"[{shown}]" if len(values) <= 5 else f"[{shown}, and {len(values) - 5:,} more]"
