"""Codes in columns, .csv and .parquet: every column but the labels is a dimension, and must be numbers throughout."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from latent_audit.audit_arrays import refuse_bomb
from latent_audit.errors import InputError

LABEL_COLUMNS = ("labels", "label")  # taken as the labels where none were named
MISSING = ["", "nan", "NaN", "NA", "N/A", "null", "None"]  # in a dimension: a number that is not there


class Columns(NamedTuple):
    """codes (sample, latent) float64 and finite; labels as the file has them, and the column they came from."""

    codes: np.ndarray
    names: list[str]
    labels: np.ndarray | None
    label_column: str | None


def read_csv(path: Path, label_column: str | None) -> Columns:
    """Codes from comma-separated text in UTF-8, with or without a line of names.

    Raises
    ------
    InputError : lines of different lengths, columns of text, of one name or of none, missing numbers, no such label.
    """
    names, has_header = _scan(path)
    chosen = _label_column(names, label_column, path)
    frame = pd.read_csv(
        path, header=0 if has_header else None, names=names, index_col=False, encoding="utf-8-sig",
        dtype={chosen: str} if chosen else None, float_precision="round_trip", low_memory=False,
        keep_default_na=False, na_values={name: MISSING for name in names if name != chosen},
    )  # fmt: skip
    return _split(frame, chosen, path)


def read_parquet(path: Path, label_column: str | None) -> Columns:
    """Codes from a parquet file; a row index that pandas stored beside the columns is not a dimension.

    Raises
    ------
    InputError : not a parquet file, columns of text, lists or of one name, missing numbers, no such label.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            names = list(file.schema_arrow.names)
            packed = path.stat().st_size
            refuse_bomb(8 * file.metadata.num_rows * len(names), packed, path.name)
            if repeated := sorted({name for name in names if names.count(name) > 1}):
                raise InputError(f"{path.name}: more than one column is called {repeated}; rename them.")
            frame = file.read().to_pandas()
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError(f"{path.name}: not a readable parquet file ({reason}); write it again.") from None
    frame = frame.reset_index(drop=True)
    frame.columns = [str(name) for name in frame.columns]
    return _split(frame, _label_column(list(frame.columns), label_column, path), path)


def _scan(path: Path) -> tuple[list[str], bool]:
    """The names of the columns and whether the first line gave them; every line must have as many cells."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            first = next(lines, [])
            ragged = [(lines.line_num, len(line)) for line in lines if line and len(line) != len(first)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path.name}: not a text file in UTF-8 ({error}); is it really a .csv?") from None
    if not any(first):
        raise InputError(f"{path.name}: its first line is empty; write one line of names, then one line per code.")
    if ragged:
        shown = ", ".join(f"line {line} has {cells}" for line, cells in ragged[:3])
        raise InputError(
            f"{path.name}: the first line has {len(first)} cells, but {len(ragged):,} lines have another number: "
            f"{shown}{', ...' if len(ragged) > 3 else ''}; every line needs one cell per column."
        )
    if all(_is_number(cell) for cell in first):
        return [f"column_{index}" for index in range(len(first))], False
    names = [cell.strip() for cell in first]
    if "" in names:
        raise InputError(
            f"{path.name}: column {names.index('') + 1} has no name; if it is a row index, write the file without it "
            "(to_csv(index=False)), else name it."
        )
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{path.name}: more than one column is called {repeated}; rename them.")
    return names, True


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _label_column(names: list[str], asked: str | None, path: Path) -> str | None:
    if asked is None:
        return next((name for name in LABEL_COLUMNS if name in names), None)
    if asked not in names:
        raise InputError(f"{path.name}: no column '{asked}' for --labels; it has {_some(names)}.")
    return asked


def _split(frame: pd.DataFrame, label_column: str | None, path: Path) -> Columns:
    dimensions = frame.drop(columns=[label_column]) if label_column else frame
    names = [str(name) for name in dimensions.columns]
    text = [name for name, kind in zip(names, dimensions.dtypes, strict=True) if not _is_numeric(kind)]
    if text:
        example = dimensions[text[0]].iloc[0] if len(dimensions) else ""
        hint = _separator(names) or (
            f"name the column of classes with --labels, e.g. --labels {text[0]}, and leave out the rest"
        )
        raise InputError(
            f"{path.name}: {len(text)} column{'s' * (len(text) > 1)} not of numbers: {_some(text)} (the first holds "
            f"{str(example)[:40]!r}); every column but the labels is a dimension: {hint}."
        )
    if not names:
        raise InputError(f"{path.name}: no column is left to be a dimension besides the labels '{label_column}'.")
    codes = dimensions.to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse_missing(codes, names, path)
    labels = None if label_column is None else frame[label_column].to_numpy(dtype=object)
    return Columns(codes, names, labels, label_column)


def _is_numeric(kind) -> bool:
    numeric = pd.api.types.is_numeric_dtype(kind)
    return numeric and not pd.api.types.is_bool_dtype(kind) and not pd.api.types.is_complex_dtype(kind)


def _separator(names: list[str]) -> str:
    """What to do where all the text stands in one column because something other than a comma separates it."""
    other = next((mark for mark in (";", "\t", "|") if len(names) == 1 and mark in names[0]), None)
    return f"its cells seem to be separated by {other!r}: write commas instead" if other else ""


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
