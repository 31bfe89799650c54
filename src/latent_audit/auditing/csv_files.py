"""Text files of columns, read line by line into one growing array: no more memory than the numbers need."""

import csv
from array import array
from collections.abc import Iterator
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import IO

import numpy as np

from latent_audit.auditing.border import border, reason
from latent_audit.auditing.dialect import Dialect, dialect_of, header_of, is_integer, is_number, table_of
from latent_audit.auditing.sheet import Sheet, Wanted, plan
from latent_audit.base.errors import InputError

MISSING = ("", "NA", "N/A", "null", "None")  # besides nan; in a dimension: a number that is not there
LONGEST_LINE = 2**24  # characters
LOOKED_AT = 30  # lines that tell how the file is written
PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zX", b"\x28\xb5\x2f\xfd")  # gzip, zip, bzip2, xz, zstd
_WIDE_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_csv(path: Path, wanted: Wanted) -> Sheet:
    """The columns of text in UTF-8: cells between commas, semicolons, tabs, bars or spaces, with or without names.

    Raises
    ------
    InputError : lines of different lengths, columns of one name, a first line that is a code with text, no such label.
    """
    try:
        with border(path.name, "file of columns; write it again"), path.open("rb") as start:
            encoding = _WIDE_MARKS.get(start.read(2), "utf-8-sig")
            with path.open(encoding=encoding, newline="") as file:
                return _sheet(_lines(file, path.name), path.name, wanted)
    except InputError as error:
        if isinstance(error.__cause__, UnicodeError | csv.Error):
            raise InputError(
                f"{path.name}: not a text file in UTF-8 ({reason(error.__cause__)}); {_advice(path)}"
            ) from None
        raise


def _advice(path: Path) -> str:
    """What to do with a file that is no text, by its first bytes."""
    with path.open("rb") as file:
        start = file.read(4)
    packed = start.startswith(PACKED)
    return "it is compressed: unpack it first." if packed else "is it really a .csv? Save text as UTF-8."


def _lines(file: IO[str], where: str) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise InputError(f"{where}: a line of it is longer than {LONGEST_LINE:,} characters; is it really a .csv?")
        yield line


def _sheet(lines: Iterator[str], where: str, wanted: Wanted) -> Sheet:
    above, start = table_of(list(islice(lines, LOOKED_AT)))
    dialect = dialect_of(start)
    header = header_of(list(csv.reader(start, **dialect.options)), where)
    planned = plan(header.names, wanted, where)
    rows = _Rows(header.names, planned.read, planned.label, dialect)
    reader = csv.reader(chain(start, lines), **dialect.options)
    for index, line in enumerate(reader):
        if line and (index or not header.given):
            rows.add(line, above + reader.line_num)
    if rows.n_ragged:
        shown = ", ".join(f"line {line} has {cells}" for line, cells in rows.ragged)
        title = " Is the first line a title? Then leave it out." if len(header.names) == 1 else ""
        raise InputError(
            f"{where}: the first line has {len(header.names)} cells, but {rows.n_ragged:,} lines have another number: "
            f"{shown}{', ...' if rows.n_ragged > 3 else ''}; every line needs one cell per column.{title}"
        )
    said = [] if dialect.note is None else [f"{where}: {dialect.note}"]
    values = np.frombuffer(rows.numbers) if rows.numbers else np.empty(0)
    values = values.reshape(rows.n, len(planned.read))
    return Sheet(
        dict(zip(planned.read, values.T, strict=True)), rows.integers, rows.text,
        None if planned.label is None else np.array(rows.labels, dtype=object), planned.label,
        [*said, *header.notes, *planned.notes],
    )  # fmt: skip


class _Rows:
    """The lines of the file so far: numbers, labels, and what is wrong with them."""

    def __init__(self, names: list[str], read: list[str], label: str | None, dialect: Dialect):
        self._width, self._read, self._decimal = len(names), read, dialect.decimal
        self._places = [names.index(name) for name in read]
        self._pick = itemgetter(*self._places) if len(read) > 1 else lambda line: [line[k] for k in self._places]
        self._label = None if label is None else names.index(label)
        self._known: dict[str, str] = {}  # one string per class, however many rows have it
        self.n = self.n_ragged = 0
        self.numbers = array("d")
        self.labels: list[str] = []
        self.ragged: list[tuple[int, int]] = []  # line, cells: the first three
        self.integers: set[str] = set()  # columns whose first cell is written as a whole number
        self.text: dict[str, tuple[int, str]] = {}  # column -> the first row that is no number, and what it holds

    def add(self, line: list[str], number: int) -> None:
        """Take one line of the file; `number` counts from 1."""
        if len(line) == self._width + 1 and line[-1] == "" and self._width > 0:
            line = line[:-1]  # a separator at the end
        if len(line) != self._width:
            self.n_ragged += 1
            self.ragged = [*self.ragged, (number, len(line))][:3]
            return
        if self._label is not None:
            text = line[self._label].strip()
            self.labels.append(self._known.setdefault(text, text))
        cells = self._pick(line)
        if self.n == 0:
            self.integers = {name for name, cell in zip(self._read, cells, strict=True) if is_integer(cell)}
        self.numbers.extend(self._floats(cells))
        self.n += 1

    def _floats(self, cells: list[str]) -> list[float]:
        together = "".join(cells)
        if "_" not in together and (self._decimal == "." or "." not in together):
            try:
                return [float(cell) if self._decimal == "." else float(cell.replace(",", ".")) for cell in cells]
            except ValueError:
                pass
        return [self._number(cell, name) for cell, name in zip(cells, self._read, strict=True)]

    def _number(self, cell: str, name: str) -> float:
        """NaN where nothing is or where it is text: among decimal commas a point is between thousands, if anything."""
        plain = cell if self._decimal == "." else cell.replace(".", "?").replace(",", ".")
        if is_number(plain):
            return float(plain)
        if cell.strip() not in MISSING:
            self.text.setdefault(name, (self.n, cell))
        return np.nan
