"""Tables as R, numpy, Excel and others write them, and values that look like numbers: read as meant, or refused."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latent_audit.auditing.dialect import dialect_of, table_of
from latent_audit.auditing.files import read_foreign
from latent_audit.auditing.frames import ColumnsWarning
from latent_audit.auditing.labels import label_array
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.audit import audit

N = 30
Z = np.random.default_rng(8).standard_normal((N, 3))
LABELS = np.arange(N) % 2
FRAME = pd.DataFrame(Z, columns=["a", "b", "c"])


def stored(folder: Path, content: str | bytes, name: str = "codes.csv") -> Path:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def as_by_r(frame: pd.DataFrame, mark: str, *, quote: str = '"', names: str = "{}") -> str:
    """What R's write.table writes: names of rows without a heading, text in quotation marks."""
    lines = [mark.join(f"{quote}{name}{quote}" for name in frame.columns)]
    for row, values in enumerate(frame.astype(object).itertuples(index=False), start=1):
        cells = [f"{quote}{value}{quote}" if isinstance(value, str) else repr(value) for value in values]
        lines.append(mark.join([f"{quote}{names.format(row)}{quote}", *cells]))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("mark", [" ", "\t", ",", ";"])
@pytest.mark.parametrize("names", ["{}", "cell_{}"])
@pytest.mark.parametrize("quote", ['"', ""])
def test_names_of_rows_without_a_heading_are_no_column(tmp_path: Path, mark: str, names: str, quote: str):
    frame = FRAME.assign(label=np.where(LABELS, "x", "y"))
    codes = read_foreign(stored(tmp_path, as_by_r(frame, mark, quote=quote, names=names)))
    np.testing.assert_array_equal(codes.z, Z)
    assert codes.columns["z"] == ["a", "b", "c"]
    assert codes.labels.tolist() == frame["label"].tolist()
    assert any("holds the names of the rows" in note for note in codes.notes)
    assert any("'row names'" in note for note in codes.notes)


def test_names_of_rows_beside_one_column_and_beside_numbered_ones(tmp_path: Path):
    one = read_foreign(stored(tmp_path, as_by_r(FRAME[["a"]], " ")))
    np.testing.assert_array_equal(one.z, Z[:, :1])
    numbered = read_foreign(stored(tmp_path, as_by_r(FRAME.set_axis(["1", "2", "3"], axis=1), "\t")))
    np.testing.assert_array_equal(numbered.z, Z)


def test_a_code_is_never_the_name_of_a_row(tmp_path: Path):
    lines = "".join(f"{x!r},{y!r}\n" for x, y in Z[:, :2].tolist())
    for title in ("a\n", "my codes\n"):
        with pytest.raises(InputError, match=r"the first line has 1 cells.*Is the first line a title\?"):
            read_foreign(stored(tmp_path, title + lines))


def test_a_column_with_decimal_commas_is_not_halved(tmp_path: Path):
    with pytest.raises(InputError, match="the first line has 1 cells, but 30 lines have another number"):
        read_foreign(stored(tmp_path, "a\n" + "".join(f"{row},{row}\n" for row in range(100, 130))))


def test_a_separator_at_the_end_of_every_line_is_no_column(tmp_path: Path):
    lines = "".join(f"{x!r},{y!r},\n" for x, y in Z[:, :2].tolist())
    for heading in ("a,b\n", "a,b,\n"):
        codes = read_foreign(stored(tmp_path, heading + lines))
        np.testing.assert_array_equal(codes.z, Z[:, :2])
        assert codes.columns["z"] == ["a", "b"]


ABOVE = {
    "names after a mark": ("# a b c\n", " "),
    "names after a mark, by commas": ("#a,b,c\n", ","),
    "more than names": ("# made by a script\n# a,b,c\n", ","),
    "a comment above the names": ("# made by a script, for a test\n#\na,b,c\n", ","),
    "Excel's line": ("sep=;\na;b;c\n", ";"),
}


@pytest.mark.parametrize("case", ABOVE)
def test_what_stands_above_a_table_is_put_aside(tmp_path: Path, case: str):
    start, mark = ABOVE[case]
    lines = "".join(mark.join(map(repr, row)) + "\n" for row in Z.tolist())
    codes = read_foreign(stored(tmp_path, start + lines))
    np.testing.assert_array_equal(codes.z, Z)
    assert codes.columns["z"] == ["a", "b", "c"]
    with pytest.raises(InputError, match=f"line {start.count(chr(10)) + N + 1} has 2"):
        read_foreign(stored(tmp_path, start + lines + f"1.5{mark}2.5\n"))


def test_a_comment_over_codes_alone_leaves_them_without_names():
    assert table_of(["# of the test split\n", "1.5,2.5\n", "3.5,4.5\n"]) == (1, ["1.5,2.5\n", "3.5,4.5\n"])
    assert table_of(["a,b\n", "#,1\n"]) == (0, ["a,b\n", "#,1\n"])
    assert table_of(["# nothing else\n"]) == (0, ["# nothing else\n"])


def test_commas_between_thousands_are_none_before_decimals(tmp_path: Path):
    assert dialect_of(["a;b\n", "0,5;1,5\n"]).decimal == ","
    assert dialect_of(["a;b\n", "1,234;1.5\n"]).decimal == "."
    thousands = "".join(f'"1,{row}",{x!r}\n' for row, x in zip(range(234, 264), Z[:, 0].tolist(), strict=True))
    with pytest.raises(InputError, match=r"'1,234'.*without a mark between the thousands"):
        read_foreign(stored(tmp_path, "a,b\n" + thousands))
    points = "".join(f"1.{row},5;0,{row}\n" for row in range(234, 264))
    with pytest.raises(InputError, match=r"'1\.234,5'.*without a mark between the thousands"):
        read_foreign(stored(tmp_path, "a;b\n" + points))


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "codes.csv", "it is compressed: unpack it first"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "codes.csv.gz", "the suffix must be one of .*; unpack it first"),
        ("größe,b\n1,2\n".encode("latin-1"), "codes.csv", r"is it really a \.csv\? Save text as UTF-8"),
    ],
    ids=["gzip", "gzip by name", "latin-1"],
)
def test_text_that_cannot_be_read_comes_with_the_way_on(tmp_path: Path, content: bytes, name: str, words: str):
    with pytest.raises(InputError, match=words):
        read_foreign(stored(tmp_path, content, name))


def test_labels_that_differ_stay_different():
    large = np.array([2**64 - 1, 2**63], dtype=np.uint64)
    assert label_array(large, "y").tolist() == [str(2**64 - 1), str(2**63)]
    assert label_array(np.array([b"a\xff", b"a\xfe"]), "y").tolist() == [r"a\xff", r"a\xfe"]
    for missing in ("NaN", "NaT", "None", ""):
        with pytest.raises(InputError, match="1 of 2 labels are missing"):
            label_array(np.array(["a", missing], dtype=object), "y")


def test_categories_are_no_codes(tmp_path: Path):
    frame = FRAME.assign(kind=pd.Categorical([1.5, 2.5] * (N // 2)))
    frame.to_parquet(tmp_path / "codes.parquet")
    codes = read_foreign(tmp_path / "codes.parquet")
    assert codes.columns["z"] == ["a", "b", "c"]
    assert any("of categories: ['kind']" in note for note in codes.notes)
    assert read_foreign(tmp_path / "codes.parquet", columns=("a,kind",)).columns["z"] == ["a", "kind"]
    with pytest.warns(ColumnsWarning, match=r"of categories: \['kind'\]"):
        assert audit(frame).per_dim["name"].tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    "values", [np.array([True, False] * (N // 2)), pd.date_range("2020", periods=N), np.full(N, 1j)],
    ids=["switches", "dates", "complex"],
)  # fmt: skip
def test_what_numpy_would_make_numbers_of_is_refused_in_a_frame(values):
    with pytest.raises(InputError, match=r"not of numbers: \['k'\].*give it as `labels`; else drop it") as caught:
        audit(FRAME.assign(k=values))
    assert "--" not in str(caught.value)
