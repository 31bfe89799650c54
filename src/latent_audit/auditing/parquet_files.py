"""Parquet files of columns: their sizes are judged by the file's own notes before anything is unpacked."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from latent_audit.auditing.border import border, printable, short, some
from latent_audit.auditing.dialect import is_number
from latent_audit.auditing.judge import CHOOSE
from latent_audit.auditing.parquet_sizes import refuse_large
from latent_audit.auditing.sheet import Plan, Sheet, Wanted, plan
from latent_audit.base.errors import InputError

BATCH_ROWS = 1024  # lists that are held at a time beside the array that they fill


def read_parquet(path: Path, wanted: Wanted) -> Sheet:
    """The columns of a parquet file; a row index that pandas stored beside them is not one of them.

    Raises
    ------
    InputError : not a parquet file, columns of one name, values too large to be numbers or classes, no such label.
    """
    try:
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise InputError(
            f"{path.name}: a parquet file needs pyarrow, which is not installed: pip install 'latent-audit[parquet]', "
            "or save the codes as .npy or .csv"
        ) from None

    with border(path.name, "parquet file; write it again"), parquet.ParquetFile(path) as file:
        names = list(file.schema_arrow.names)
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(f"{path.name}: more than one column is called {some(repeated)}; rename them.")
        of_pandas = _notes_of_pandas(file)
        stored = _stored_index(of_pandas, names)
        kept = [name for name in names if name not in stored or name == wanted.label or name in wanted.patterns]
        planned = plan(kept, wanted, path.name)
        notes = [f"{path.name}: left out, pandas stored it as the row index: {printable(name)!r}" for name in stored
                 if name not in kept and not name.startswith("__")]  # fmt: skip
        if not wanted.patterns:
            planned = _without_categories(planned, file, of_pandas, path.name)
        asked = [*planned.read, *([planned.label] if planned.label else [])]
        refuse_large(file.metadata.num_rows, asked, path)
        return _sheet(file, planned, [*notes, *planned.notes], path)


def _notes_of_pandas(file: Any) -> dict[str, Any]:
    """What pandas wrote into the file about its columns; nothing where it did not write it."""
    written = (file.metadata.metadata or {}).get(b"pandas")
    notes = {} if written is None else json.loads(written)
    return notes if isinstance(notes, dict) else {}


def _stored_index(notes: dict[str, Any], names: list[str]) -> list[str]:
    """The columns that pandas wrote for its row index, where there are others."""
    stored = [name for name in notes.get("index_columns", []) if isinstance(name, str) and name in names]
    return stored if len(stored) < len(names) else []


def _without_categories(planned: Plan, file: Any, notes: dict[str, Any], where: str) -> Plan:
    """Numbers that pandas stored as categories are classes."""
    listed = notes.get("columns") or []
    named = {one.get("name") for one in listed if isinstance(one, dict) and one.get("pandas_type") == "categorical"}
    found = [name for name in planned.read if name in named and _is_numeric(file.schema_arrow.field(name).type)]
    if not found:
        return planned
    note = f"{where}: left out, of categories: {some([printable(name) for name in found])}; {CHOOSE}"
    return planned._replace(read=[name for name in planned.read if name not in found], notes=[*planned.notes, note])


def _sheet(file: Any, planned: Plan, notes: list[str], path: Path) -> Sheet:
    n = file.metadata.num_rows
    numbers: dict[str, np.ndarray] = {}
    lists: dict[str, np.ndarray] = {}
    integers: set[str] = set()
    text: dict[str, tuple[int, str]] = {}
    for name in planned.read:
        kind = file.schema_arrow.field(name).type
        if _is_list(kind):
            lists[name] = _lists(file, name, n, f"{path.name}, column {short(printable(name))!r}")
        elif _is_numeric(kind):
            numbers[name] = _numbers(_column(file, name))
            integers |= {name} if _is_integer(kind) else set()
        else:
            numbers[name], text[name] = np.full(n, np.nan), _first_text(file, name)
    labels = None if planned.label is None else _labels(path, _plain_label(file, planned.label, path.name))
    lengths = {len(part) for part in (*numbers.values(), *lists.values(), *([] if labels is None else [labels]))}
    if lengths - {n}:
        raise InputError(f"{path.name}: not a readable parquet file (its columns differ in length); write it again.")
    return Sheet(numbers, integers, text, labels, planned.label, notes, lists)


def _column(file: Any, name: str) -> Any:
    return file.read(columns=[name]).column(name)


def _labels(path: Path, name: str) -> np.ndarray:
    """The column as objects, one for each different text, however many rows have it and however long it is."""
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, read_dictionary=[name]) as file:
            column = _column(file, name)
    except OSError:  # so it refuses to share values that are stored by what they have in common
        with parquet.ParquetFile(path) as file:
            column = _column(file, name).dictionary_encode()
    return column.to_pandas().to_numpy(dtype=object)


def _plain_label(file: Any, name: str, where: str) -> str:
    import pyarrow as pa

    if pa.types.is_nested(kind := file.schema_arrow.field(name).type):
        raise InputError(f"{where}: labels must be one value per row, but column {printable(name)!r} holds {kind}.")
    return name


def _is_integer(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_integer(kind)


def _is_numeric(kind: Any) -> bool:
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(is_kind(kind) for is_kind in (
        pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null
    ))  # fmt: skip


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    listed = any(is_kind(kind) for is_kind in (
        pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view,
        pa.types.is_large_list_view,
    ))  # fmt: skip
    return listed and _is_numeric(kind.value_type)


def _numbers(column: Any) -> np.ndarray:
    """A column of numbers as float64, NaN where it has nothing."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    return column.to_numpy(zero_copy_only=False).astype(np.float64)


def _lists(file: Any, name: str, n: int, where: str) -> np.ndarray:
    """A column of lists of numbers as (sample, latent), floats as stored; of the file a part is held at a time.

    Raises
    ------
    InputError : lists of different lengths, or missing ones.
    """
    import pyarrow as pa
    from pyarrow import compute

    rows, width, done = np.empty((0, 1)), -1, 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=[name]):
        column = batch.column(0)
        lengths = compute.call_function("list_value_length", [column]).to_numpy(zero_copy_only=False)
        if not done and len(lengths):
            width = -1 if lengths[0] != lengths[0] else int(lengths[0])  # a missing list has the length NaN
            short_float = column.type.value_type in (pa.float16(), pa.float32())
            rows = np.empty((n, max(width, 1)), column.type.value_type.to_pandas_dtype() if short_float else np.float64)
        refuse_ragged(lengths, width, done, where)
        if width:
            rows[done : done + len(column)] = _numbers(column.flatten()).reshape(len(column), width)
        done += len(column)
    return rows[:done, : max(width, 0)]


def refuse_ragged(lengths: np.ndarray, width: int, start: int, where: str) -> None:
    """InputError unless all lists, the first of which is that of row `start`, have `width` numbers."""
    odd = np.flatnonzero(lengths != width)
    if width >= 0 and not len(odd):
        return
    row = int(odd[0]) if len(odd) else 0
    held = "is missing" if lengths[row] != lengths[row] else f"has {int(lengths[row])} numbers"
    first = "" if width < 0 else f", the one of row 0 has {width}"
    raise InputError(
        f"{where}: its lists must be of one length; the list of row {start + row} (counted from 0) {held}{first}."
    )


def _first_text(file: Any, name: str) -> tuple[int, str]:
    """The first row of the column that is no number, of those at its start, and what it holds."""
    for batch in file.iter_batches(batch_size=100, columns=[name]):
        for row, value in enumerate(batch.column(0)):
            if not is_number(found := value.as_py()):
                return row, str(found)
        break
    return 0, str(file.schema_arrow.field(name).type)
