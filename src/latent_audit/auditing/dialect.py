"""How a text file of columns is written: what stands between its cells, its decimal mark, and its line of names."""

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

from latent_audit.auditing.border import some
from latent_audit.base.errors import InputError

ROW_NAMES = "row names"  # how the column is called that R writes without a name
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright bars", " ": "spaces"}
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d+")
_SEPARATOR_LINE = re.compile(r"""["']?sep=.["']?\s*""", re.IGNORECASE)


class Dialect(NamedTuple):
    """What stands between two cells, and the mark before the decimals: a point or a comma."""

    separator: str
    decimal: str

    def cells(self, lines: Sequence[str]) -> list[list[str]]:
        """The lines in cells, without those that are empty."""
        return [line for line in csv.reader(lines, **self.options) if line]

    @property
    def options(self) -> dict:
        """For `csv.reader`."""
        return {"delimiter": self.separator, "skipinitialspace": self.separator == " "}

    @property
    def note(self) -> str | None:
        """What a reader should know, where it is not commas and points."""
        decimal = "" if self.decimal == "." else " and commas before the decimals"
        return f"read with {SEPARATORS[self.separator]} between cells{decimal}" if self != PLAIN else None


PLAIN = Dialect(",", ".")


def dialect_of(lines: Sequence[str]) -> Dialect:
    """The separator by which most cells of the lines are numbers, commas before all others.

    Commas are before the decimals where some number has one there and none has a point.
    """
    best, most = PLAIN, -float("inf")
    for separator in SEPARATORS:
        alike = _alike(Dialect(separator, ".").cells(lines))
        if not alike or (separator != "," and len(alike[0]) < 2):
            continue
        cells = [cell.strip() for row in alike for cell in row]
        numbers = [cell for cell in cells if is_number(cell)]
        commas = [cell for cell in cells if _COMMA_NUMBER.fullmatch(cell)]
        if any("." in cell for cell in numbers):
            commas = []  # between the thousands, if anything
        if (score := 2 * len([*numbers, *commas]) - len(cells)) > most:
            best, most = Dialect(separator, "," if commas else "."), score
    return best


def _alike(rows: Sequence[list[str]]) -> list[list[str]]:
    """The rows after the first that are as long, or those that are longer by the names of the rows."""
    if not rows:
        return []
    return rows_named(rows) or [row for row in rows[1:] if len(row) == len(rows[0])]


def rows_named(rows: Sequence[list[str]]) -> list[list[str]]:
    """The rows after the first, if each begins with its name and the first has none for those, as R writes them."""
    rest = [row for row in rows[1:] if row]
    if not rest or any(len(row) != len(rows[0]) + 1 for row in rest) or not any(row[-1].strip() for row in rest):
        return []
    names = [row[0].strip() for row in rest]
    is_code = any(is_number(name) and not is_integer(name) for name in names)
    is_halved = len(rows[0]) == 1 and all(is_integer(cell) for row in rest for cell in row)  # 12,5 with a decimal comma
    return [] if is_code or is_halved or len({*names}) < len(names) else rest


def table_of(lines: Sequence[str]) -> tuple[int, list[str]]:
    """How many lines stand above the table, and the table's lines from that of the names on.

    Above it may stand comments that begin with # (the last of them can hold the names, as `numpy.savetxt` writes them)
    and a line `sep=;`, which is for Excel.
    """
    above = int(bool(lines) and _SEPARATOR_LINE.fullmatch(lines[0]) is not None)
    first = next((k for k, line in enumerate(lines) if k >= above and not line.startswith("#")), None)
    if first is None or first == above:
        return above, list(lines[above:])
    body, names = list(lines[first:]), lines[first - 1].lstrip("#").lstrip(" ")
    cells = dialect_of([names, *body]).cells([names, *body]) if names.strip() else []
    if len(cells) > 1 and len(cells[0]) == len(cells[1]) and any(is_number(cell) for cell in cells[1]):
        return first - 1, [names, *body]
    return first, body


class Header(NamedTuple):
    """The names of the columns, whether the first line gave them, and notes on how it was read."""

    names: list[str]
    given: bool
    notes: list[str]


def header_of(rows: Sequence[Sequence[str]], where: str) -> Header:
    """The names in the first row, judged beside some rows after it; a column without a name is called as by pandas.

    Raises
    ------
    InputError : an empty first line, one that looks like a code, or columns of one name.
    """
    first = [cell.strip() for cell in rows[0]] if rows else []
    if not any(first):
        raise InputError(f"{where}: its first line is empty; write one line of names, then one line per code.")
    if rows_named([first, *map(list, rows[1:])]):
        note = f"{where}: the first line has no name for the first column, which holds the names of the rows, as of R"
        return Header(_distinct([ROW_NAMES, *first], where), True, [note])
    if all(is_number(cell) for cell in first):
        if _are_names(first, [list(row) for row in rows[1:]]):
            shown = first[0] if len(first) == 1 else f"{first[0]} to {first[-1]}"
            return Header(first, True, [f"{where}: the first line, {shown}, is read as the names of the columns"])
        note = f"{where}: the first line holds numbers only and is read as the first code"
        return Header([str(index) for index in range(len(first))], False, [note])
    if numbers := [cell for cell in first if is_number(cell) and not cell.isdecimal()]:
        raise InputError(
            f"{where}: the first line looks like a code, not like names: it holds {numbers[0]!r}; write a line of "
            "names above it."
        )
    return Header(_distinct([name or f"Unnamed: {index}" for index, name in enumerate(first)], where), True, [])


def _distinct(names: list[str], where: str) -> list[str]:
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{where}: more than one column is called {some(repeated)}; rename them.")
    return names


def _are_names(first: list[str], rest: list[list[str]]) -> bool:
    """Whether a first line of numbers counts columns: 0 to d - 1, or other whole numbers above real ones."""
    if first == [str(index) for index in range(len(first))]:  # what pandas calls columns that were given no name
        return True
    values = [float(cell) for cell in first]
    below = [cell.strip() for row in rest for cell in row]
    if len(values) > 1 and all(value.is_integer() and value - k == values[0] for k, value in enumerate(values)):
        return any(is_number(cell) and not float(cell).is_integer() for cell in below)
    whole = all(_INTEGER.fullmatch(cell) for cell in first) and len({*first}) == len(first)
    return whole and bool(below) and not any(_INTEGER.fullmatch(cell) for cell in below)


def is_number(cell: object) -> bool:
    """Whether the cell reads as a number; Python's float would read 1_2 as 12, here it is text."""
    if isinstance(cell, bool) or "_" in str(cell):
        return False
    try:
        float(cell)  # pyright: ignore[reportArgumentType]  # what float refuses is no number
    except (ValueError, TypeError):
        return False
    return True


def is_integer(cell: str) -> bool:
    """Whether the cell is written as a whole number, without a point."""
    return _INTEGER.fullmatch(cell.strip()) is not None
