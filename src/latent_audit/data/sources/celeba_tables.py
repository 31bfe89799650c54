"""CelebA's two tables, attributes and partition, in the official text layout and in the CSV layout of later copies."""

from pathlib import Path

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError


def read_attributes(path: Path) -> pd.DataFrame:
    """Attributes uint8 (0, 1), one row per image, indexed by file name, one column per attribute.

    Raises
    ------
    InputError
        Fewer or more rows than the first line promises, a value that is not -1, 0 or 1, a name that comes twice.
    """
    promised = None
    if path.suffix == ".txt":
        with path.open(encoding="utf-8") as stream:
            first = stream.readline().strip()
        if not first.isdecimal():
            raise InputError(f"{path}: its first line is {first[:40]!r}, and must be the number of images.")
        promised = int(first)
    table = _read_table(path, n_skipped=1 if path.suffix == ".txt" else 0, names=None)
    if promised is not None and promised != len(table):
        raise InputError(f"{path}: its first line promises {promised} images, and {len(table)} rows follow.")
    if not len(table.columns) or not np.isin(table.to_numpy(), (-1, 0, 1)).all():
        raise InputError(f"{path}: attributes must be -1 or 1 (or 0 or 1), and some are not: damaged or another file.")
    return (table > 0).astype(np.uint8)


def read_partition(path: Path) -> pd.Series:
    """Partition of each image, indexed by file name: 0 train, 1 validation, 2 test."""
    table = _read_table(path, n_skipped=0, names=["image", "partition"] if path.suffix == ".txt" else None)
    if table.shape[1] != 1 or not len(table) or not np.isin(table.to_numpy(), (0, 1, 2)).all():
        raise InputError(f"{path}: must hold a file name and 0, 1 or 2 per image: damaged or another file.")
    return table.iloc[:, 0]


def _read_table(path: Path, *, n_skipped: int, names: list[str] | None) -> pd.DataFrame:
    """First column as the index. The text layout has no name for it, which pandas understands as an index too."""
    separator = r"\s+" if path.suffix == ".txt" else ","
    try:
        with path.open(encoding="utf-8") as stream:
            for _ in range(n_skipped):
                stream.readline()
            columns = names or stream.readline().replace(",", " ").split()
            if path.suffix == ".txt" and names is None:
                columns = ["image", *columns]
            table = pd.read_csv(stream, sep=separator, names=columns, index_col=0, dtype={columns[0]: str})
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, IndexError) as error:
        raise InputError(f"{path}: not a table that can be read ({error}); fetch it again.") from error
    if table.index.has_duplicates:
        raise InputError(f"{path}: {table.index[table.index.duplicated()][0]!r} comes twice.")
    return table
