"""Parquet files whose notes lie about rows and sizes: the pages themselves are asked, and nothing is unpacked."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from latent_audit.auditing.files import read_foreign
from latent_audit.auditing.parquet_pages import unpacked_bytes
from latent_audit.base.errors import InputError

N = 60
Z = np.random.default_rng(4).standard_normal((N, 2))
GIANT = 2**26 + 1  # bytes: more than a column may hold


def varint(value: int, length: int | None = None) -> bytes:
    """A whole number as Thrift writes it; in more bytes than it needs, as it may."""
    value, out = 2 * value, []
    while value > 127 or len(out) + 1 < (length or 1):
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def written(table: pa.Table, **options) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, store_schema=False, **options)
    return buffer.getvalue()


def lying(whole: bytes, old: bytes, new: bytes) -> bytes:
    """The file with all places of its notes changed that are `old`."""
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    assert old in whole[start:]
    return whole[:start] + whole[start:].replace(old, new)


@pytest.mark.parametrize("options", [{}, {"compression": "none", "use_dictionary": False}, {"data_page_size": 64},
                                     {"data_page_version": "2.0"}, {"row_group_size": 7}])  # fmt: skip
def test_pages_say_what_true_notes_say(options: dict):
    whole = written(pa.table({"a": Z[:, 0], "label": ["x", "y", None] * 20, "e": Z.tolist()}), **options)
    notes = parquet.ParquetFile(io.BytesIO(whole)).metadata
    for group in (notes.row_group(k) for k in range(notes.num_row_groups)):
        for part in (group.column(k) for k in range(notes.num_columns)):
            start = min(part.data_page_offset, part.dictionary_page_offset or part.data_page_offset)
            found = unpacked_bytes(io.BytesIO(whole), start, part.total_compressed_size, "x")
            assert 0 < found < part.total_uncompressed_size  # which has the pages' headers too


def test_plain_numbers_take_eight_bytes_each():
    whole = written(pa.table({"a": Z[:, 0]}), compression="none", use_dictionary=False)
    part = parquet.ParquetFile(io.BytesIO(whole)).metadata.row_group(0).column(0)
    found = unpacked_bytes(io.BytesIO(whole), part.data_page_offset, part.total_compressed_size, "x")
    assert 8 * N <= found <= 8 * N + 16  # and which of them are there


def test_a_giant_behind_notes_that_call_it_small_is_refused(tmp_path: Path):
    column = pa.DictionaryArray.from_arrays(pa.array(np.arange(N, dtype=np.int8) % 2), pa.array(["x" * GIANT, "y"]))
    whole = written(pa.table({"a": Z[:, 0], "b": Z[:, 1], "label": column}))
    size = parquet.ParquetFile(io.BytesIO(whole)).metadata.row_group(0).column(2).total_uncompressed_size
    assert size > GIANT
    true = varint(size)
    (tmp_path / "codes.parquet").write_bytes(lying(whole, true, varint(100, len(true))))
    notes = parquet.ParquetFile(tmp_path / "codes.parquet").metadata
    assert notes.row_group(0).column(2).total_uncompressed_size == 100
    with pytest.raises(InputError, match=r"column 'label' unpacks to 67,108,\d+ bytes for 60 values"):
        read_foreign(tmp_path / "codes.parquet")


@pytest.mark.parametrize(("length", "is_refused"), [(200_000, True), (20, False)])
def test_values_that_share_their_beginnings_are_counted_in_full(tmp_path: Path, length: int, is_refused: bool):
    labels = ["x" * length + str(k % 7) for k in range(1000)]  # of 200,000 characters: 200 MB in a file of a kilobyte
    columns = pa.table({"a": np.linspace(-2, 2, 1000), "label": labels})
    path = tmp_path / "codes.parquet"
    parquet.write_table(columns, path, use_dictionary=False, compression="zstd",
                        column_encoding={"a": "PLAIN", "label": "DELTA_BYTE_ARRAY"})  # fmt: skip
    if is_refused:
        with pytest.raises(InputError, match=r"column 'label' unpacks to [\d,]+ bytes for 1,000 values"):
            read_foreign(path)
    else:
        assert len(set(read_foreign(path).labels)) == 7


@pytest.mark.parametrize("rows", [0, 59, 61, 2**40])
@pytest.mark.parametrize("place", ["file", "part"])
def test_a_count_of_rows_that_is_not_that_of_the_parts_is_refused(tmp_path: Path, rows: int, place: str):
    whole = written(pa.table({"a": Z[:, 0], "b": Z[:, 1], "name_of_it": ["x"] * N}))
    # num_rows is field 3 of the file, before the list of parts, and of a part, after its bytes
    before, after = (b"\x16", b"\x19") if place == "file" else (b"\x16", b"\x26")
    changed = lying(whole, before + varint(N) + after, before + varint(rows) + after)
    grown = len(changed) - len(whole)
    size = int.from_bytes(whole[-8:-4], "little") + grown
    (tmp_path / "codes.parquet").write_bytes(changed[:-8] + size.to_bytes(4, "little") + changed[-4:])
    notes = parquet.ParquetFile(tmp_path / "codes.parquet").metadata
    assert (notes.num_rows if place == "file" else notes.row_group(0).num_rows) == rows
    with pytest.raises(InputError, match=r"codes\.parquet: not a readable parquet file \(it counts [\d,]+ rows"):
        read_foreign(tmp_path / "codes.parquet")


@pytest.mark.parametrize(
    "content", [b"", b"\x15", b"\x00", b"\x15\x00\x15\xff", b"\xff" * 40, b"\x1b" * 40, b"\x1c" * 40]
)
def test_what_is_no_page_is_said(content: bytes):
    with pytest.raises(InputError, match="no page begins at byte 0"):
        unpacked_bytes(io.BytesIO(content), 0, 100, "x")
