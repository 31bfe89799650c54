"""How much a parquet file takes when it is read: asked before, of its notes and of its pages, which need not agree."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from latent_audit.auditing.arrays import refuse_bomb
from latent_audit.auditing.border import printable, short, some
from latent_audit.auditing.parquet_pages import unpacked_bytes
from latent_audit.base.errors import InputError

_PROBE = """
import json, sys
from pyarrow import parquet
with parquet.ParquetFile(sys.argv[1]) as file:
    whole = file.metadata
    groups = [whole.row_group(index) for index in range(whole.num_row_groups)]
    parts = [group.column(place) for group in groups for place in range(whole.num_columns)]
    starts = [min(p.data_page_offset, (p.has_dictionary_page and p.dictionary_page_offset) or 2**63) for p in parts]
    print(json.dumps({
        "rows": [group.num_rows for group in groups],
        "parts": [(p.path_in_schema, p.total_uncompressed_size, p.num_values, start, p.total_compressed_size,
                   "DELTA_BYTE_ARRAY" in p.encodings) for p, start in zip(parts, starts)],
    }))
"""
FREE_BYTES = 2**26  # a column may always hold so much, and beyond that
ROW_BYTES = 256  # so much a row on average: more is no class, and no number


def refuse_large(n: int, asked: list[str], path: Path) -> None:
    """InputError where a column would unpack to more than a number, a list of numbers or a class needs.

    Parameters
    ----------
    n : rows that the file says it has; it is held against its parts and columns. asked : the columns to be read.
    """
    size = path.stat().st_size
    unpacked, numbers = dict.fromkeys(asked, 0), dict.fromkeys(asked, 0)
    noted, repeating = _noted(path), set()
    with path.open("rb") as pages:
        for part in noted.parts:
            name = _owner(part.leaf, unpacked)
            if name is not None:
                numbers[name] += part.n_values
                repeating |= {name} if part.repeats else set()
                unpacked[name] += max(part.unpacked, unpacked_bytes(pages, part.start, part.packed, path.name))
    if n < 0 or sum(noted.rows) != n or min([*noted.rows, *(count - n for count in numbers.values())], default=0) < 0:
        raise InputError(
            f"{path.name}: not a readable parquet file (it counts {n:,} rows, its parts {sum(noted.rows):,} and its "
            f"columns {some(sorted(set(numbers.values())))}); write it again."
        )
    refuse_bomb(8 * sum(numbers.values()), size, path.name)
    for name, total in unpacked.items():
        most = max(FREE_BYTES, ROW_BYTES * max(numbers[name], 1))
        total = _repeated_bytes(path, name, at_most=most, longest=total) if name in repeating else total
        if total > most:
            raise InputError(
                f"{path.name}: column {short(printable(name))!r} unpacks to {total:,} bytes for {numbers[name]:,} "
                "values; that is neither a number nor a class. Leave the column out, or name the codes with --columns."
            )


def _repeated_bytes(path: Path, name: str, *, at_most: int, longest: int) -> int:
    """Bytes of a column whose values are stored by what they share with the one before, counted up to `at_most`.

    Of such a column the pages do not say how much it unpacks to. `longest` : bytes that no value exceeds.
    """
    from pyarrow import parquet

    total = 0
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=max(1, FREE_BYTES // max(longest, 1)), columns=[name]):
            total += batch.nbytes
            if total > at_most:
                break
    return total


class _Part(NamedTuple):
    """A stored column of a part of the file: its path, its bytes unpacked, its values, and where its pages lie.

    repeats : values are stored by what they share with the one before (DELTA_BYTE_ARRAY).
    """

    leaf: str
    unpacked: int
    n_values: int
    start: int
    packed: int
    repeats: bool


class _Noted(NamedTuple):
    """What the notes at the end of the file say: the rows of each part, and of each the stored columns."""

    rows: list[int]
    parts: list[_Part]


def _noted(path: Path) -> _Noted:
    """Asked for in a process of its own, which damaged notes end as a whole (pyarrow does not catch it)."""
    ran = subprocess.run([sys.executable, "-c", _PROBE, os.fsencode(path)], capture_output=True, check=False)
    if ran.returncode:
        raise InputError(
            f"{path.name}: not a readable parquet file (its notes on its columns are damaged); write it again."
        )
    noted = json.loads(ran.stdout)
    return _Noted(noted["rows"], [_Part(*part) for part in noted["parts"]])


def _owner(leaf: str, names: dict[str, int]) -> str | None:
    """The column that the stored column `leaf` belongs to: it is it, or lies inside it (`column.list.element`)."""
    parts = leaf.split(".")
    return next((name for k in range(len(parts), 0, -1) if (name := ".".join(parts[:k])) in names), None)
