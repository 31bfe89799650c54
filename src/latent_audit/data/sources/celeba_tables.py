"""CelebA's two tables, attributes and partition, in the official text layout and in the CSV layout of later copies."""

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError
from latent_audit.data.sources.names import printable


def read_attributes(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Attributes uint8 (0, 1), one row per image, indexed by file name, one column per attribute; and what was odd.

    A first line that promises another number of images than follow, or that is missing, and a byte order mark are
    oddities: a sentence each.

    Raises
    ------
    InputError
        No rows, a value that is not -1, 0 or 1, a name that comes twice.
    """
    lines, notes = _lines(path)
    promised = None
    if path.suffix == ".txt":
        first = lines[0].strip() if lines else ""
        if first.isdecimal():
            promised, lines = int(first), lines[1:]
        else:
            notes.append(
                f"{path.name} does not begin with the number of images: its first line is taken for its names."
            )
    table = _read_table(path, lines, names=None)
    if not len(table.columns) or not len(table) or not np.isin(table.to_numpy(), (-1, 0, 1)).all():
        raise InputError(f"{path}: attributes must be -1 or 1 (or 0 or 1), and some are not: damaged or another file.")
    if promised is not None and promised != len(table):
        notes.append(f"{path.name} promises {promised} images in its first line, and {len(table)} rows follow.")
    return (table > 0).astype(np.uint8), notes


def read_partition(path: Path) -> tuple[pd.Series, list[str]]:
    """Partition of each image, indexed by file name: 0 train, 1 validation, 2 test; and what was odd."""
    lines, notes = _lines(path)
    table = _read_table(path, lines, names=["image", "partition"] if path.suffix == ".txt" else None)
    if table.shape[1] != 1 or not len(table) or not np.isin(table.to_numpy(), (0, 1, 2)).all():
        raise InputError(f"{path}: must hold a file name and 0, 1 or 2 per image: damaged or another file.")
    return table.iloc[:, 0], notes


def _lines(path: Path) -> tuple[list[str], list[str]]:
    """The lines that are not empty, and a sentence where a byte order mark stood before them."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a table that can be read ({error}); fetch it again.") from error
    notes = [f"{path.name} begins with a byte order mark, which was put aside."] if text.startswith("\ufeff") else []
    return [line for line in text.removeprefix("\ufeff").splitlines() if line.strip()], notes


def _read_table(path: Path, lines: list[str], *, names: list[str] | None) -> pd.DataFrame:
    """First column as the index. The text layout has no name for it, which pandas understands as an index too."""
    separator = r"\s+" if path.suffix == ".txt" else ","
    try:
        columns = names or lines[0].replace(",", " ").split()
        if path.suffix == ".txt" and names is None:
            columns = ["image", *columns]
        rows = StringIO("\n".join(lines if names else lines[1:]))
        table = pd.read_csv(rows, sep=separator, names=columns, index_col=0, dtype={columns[0]: str})
    except (pd.errors.ParserError, pd.errors.EmptyDataError, IndexError, ValueError) as error:
        raise InputError(f"{path}: not a table that can be read ({error}); fetch it again.") from error
    table.columns = [printable(str(name)) for name in table.columns]
    if table.index.has_duplicates:
        raise InputError(f"{path}: {table.index[table.index.duplicated()][0]!r} comes twice.")
    return table
