"""Codes, labels and images from files of every kind, and every way in which such a file can be wrong."""

import io
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from latent_audit.auditing import arrays as audit_arrays
from latent_audit.auditing.files import read_foreign, read_images
from latent_audit.auditing.labels import label_array
from latent_audit.base.errors import InputError

RNG = np.random.default_rng(42)
Z = RNG.standard_normal((30, 3))
LABELS = np.arange(30) % 3
NAMES = np.array(["bag", "coat", "shoe"])[LABELS]


def frame() -> pd.DataFrame:
    return pd.DataFrame(Z, columns=["a", "b", "c"])


def npy(folder: Path, array: np.ndarray, name: str = "codes.npy") -> Path:
    np.save(folder / name, array)
    return folder / name


def npz(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "codes.npz", **arrays)
    return folder / "codes.npz"


def text(folder: Path, content: str | bytes, name: str = "codes.csv") -> Path:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def columns(folder: Path, table: pd.DataFrame, suffix: str) -> Path:
    path = folder / f"codes{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    return path


# --- what is read ---------------------------------------------------------------------------------------------------


def test_every_format_gives_the_same_codes_and_labels(tmp_path: Path):
    table = frame().assign(kind=NAMES)
    np.save(tmp_path / "kind.npy", NAMES)
    read = [
        read_foreign(npy(tmp_path, Z), labels=str(tmp_path / "kind.npy")),
        read_foreign(npz(tmp_path, z=Z, kind=NAMES), labels="kind"),
        read_foreign(columns(tmp_path, table, ".csv"), labels="kind"),
        read_foreign(columns(tmp_path, table, ".parquet"), labels="kind"),
    ]
    for codes in read:
        np.testing.assert_array_equal(codes.z, Z)
        assert codes.labels.tolist() == NAMES.tolist()
        assert (codes.mu, codes.logvar, codes.notes) == (None, None, [])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint16, ">f8"])
def test_any_real_type_becomes_float64(tmp_path: Path, dtype):
    codes = read_foreign(npy(tmp_path, np.abs(Z * 10).astype(np.int8).astype(dtype)))
    assert codes.z.dtype == np.dtype(np.float64)
    np.testing.assert_array_equal(codes.z, np.abs(Z * 10).astype(np.int8))


def test_fortran_order_and_one_axis(tmp_path: Path):
    np.testing.assert_array_equal(read_foreign(npy(tmp_path, np.asfortranarray(Z))).z, Z)
    flat = read_foreign(npy(tmp_path, Z[:, 0]))
    np.testing.assert_array_equal(flat.z, Z[:, :1])
    assert "one dimension" in flat.notes[0]


def test_z_is_drawn_or_is_mu_where_it_is_not_there(tmp_path: Path):
    logvar = np.full_like(Z, -2.0)
    first, again = (read_foreign(npz(tmp_path, mu=Z, logvar=logvar), seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.z, again.z)
    assert (first.z != read_foreign(npz(tmp_path, mu=Z, logvar=logvar), seed=6).z).all()
    standard = (first.z - Z) / np.exp(-1.0)
    assert abs(standard.mean()) < 5 / np.sqrt(Z.size)
    assert "one draw" in first.notes[0]
    deterministic = read_foreign(npz(tmp_path, mu=Z))
    np.testing.assert_array_equal(deterministic.z, Z)
    assert "z = mu" in deterministic.notes[0]


def test_labels_are_found_under_their_usual_name(tmp_path: Path):
    assert read_foreign(npz(tmp_path, z=Z, labels=LABELS)).labels.tolist() == LABELS.tolist()
    assert read_foreign(npz(tmp_path, z=Z, other=LABELS)).labels is None
    for name in ("labels", "label"):
        codes = read_foreign(columns(tmp_path, frame().assign(**{name: LABELS}), ".csv"))
        assert codes.z.shape == (30, 3)
        assert codes.labels.tolist() == LABELS.tolist()
        assert codes.notes == [f"column '{name}' is taken as the labels"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("y.txt", "\n".join(map(str, LABELS)) + "\n\n"),
        ("y.csv", "\r\n".join(map(str, LABELS))),
        ("y.csv", "class\n" + "\n".join(map(str, LABELS)) + "\n"),
        ("y.csv", "\ufeff" + "\n".join(f'"{label}"' for label in LABELS)),
    ],
    ids=["txt", "csv", "csv with a heading", "csv quoted with a byte order mark"],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", ".parquet"])
def test_a_file_of_labels_goes_with_every_format(tmp_path: Path, name: str, content: str, suffix: str):
    path = text(tmp_path, content, name)
    codes = {".npy": lambda: npy(tmp_path, Z), ".npz": lambda: npz(tmp_path, z=Z)}
    given = codes[suffix]() if suffix in codes else columns(tmp_path, frame(), suffix)
    read = read_foreign(given, labels=str(path))
    assert read.labels.tolist() == LABELS.tolist()
    assert read.label_file == path


def test_a_csv_may_do_without_names(tmp_path: Path):
    np.savetxt(tmp_path / "codes.csv", Z, delimiter=",", fmt="%.17g")
    bare = read_foreign(tmp_path / "codes.csv")
    np.testing.assert_array_equal(bare.z, Z)
    assert "first line holds numbers only" in bare.notes[0]
    pd.DataFrame(Z).to_csv(tmp_path / "codes.csv", index=False)  # its first line is 0,1,2
    counted = read_foreign(tmp_path / "codes.csv")
    np.testing.assert_array_equal(counted.z, Z)
    assert "read as the names" in counted.notes[0]


def test_a_header_that_python_2_wrote_is_read(tmp_path: Path):
    old = npy(tmp_path, Z).read_bytes().replace(b"(30, 3), }  ", b"(30L, 3L), }")
    np.testing.assert_array_equal(read_foreign(text(tmp_path, old, "codes.npy")).z, Z)


def test_a_stored_row_index_is_no_dimension(tmp_path: Path):
    frame().set_index(np.arange(30) * 7).to_parquet(tmp_path / "codes.parquet")
    np.testing.assert_array_equal(read_foreign(tmp_path / "codes.parquet").z, Z)


def test_whole_numbers_are_labels_as_text_or_not():
    for values in (LABELS, LABELS.astype(float), LABELS.astype(str), LABELS.astype(object), LABELS[:, None]):
        read = label_array(values, "y")
        assert read.dtype == np.int64
        assert read.tolist() == LABELS.tolist()
    assert label_array(np.array([True, False]), "y").tolist() == ["True", "False"]
    assert label_array(np.array([b"a", b"b"]), "y").tolist() == ["a", "b"]
    assert label_array(np.array(["NA", "None of it"]), "y").tolist() == ["NA", "None of it"]


def test_images_get_their_channel(tmp_path: Path):
    grey = RNG.integers(0, 255, (30, 8, 6), dtype=np.uint8)
    assert read_images(npy(tmp_path, grey, "i.npy"), 30).shape == (30, 1, 8, 6)
    assert read_images(npy(tmp_path, np.repeat(grey[:, None], 3, axis=1), "i.npy"), 30).shape == (30, 3, 8, 6)


# --- what is refused ------------------------------------------------------------------------------------------------


def bad_zip(folder: Path, damage: Callable[[bytes], bytes]) -> Path:
    return text(folder, damage(npz(folder, z=Z).read_bytes()), "codes.npz")


def claims_much(folder: Path) -> Path:
    """A .npz whose z is zeros that pack a thousand to one."""
    with zipfile.ZipFile(folder / "codes.npz", "w", zipfile.ZIP_DEFLATED) as file:
        buffer = io.BytesIO()
        np.save(buffer, np.zeros((20_000, 50)))
        file.writestr("z.npy", buffer.getvalue())
    return folder / "codes.npz"


def promises(folder: Path, shape: str) -> Path:
    """A .npy whose header promises more than the file holds."""
    return text(folder, npy(folder, Z).read_bytes().replace(b"(30, 3), }", f"{shape}, }}".encode())[:-4], "codes.npy")


def twice_named(folder: Path) -> Path:
    table = pa.table([pa.array(Z[:, 0]), pa.array(Z[:, 1])], names=["a", "a"])
    parquet.write_table(table, folder / "codes.parquet")
    return folder / "codes.parquet"


def with_hole(suffix: str) -> Callable[[Path], Path]:
    table = frame()
    table.loc[[3, 7], "b"] = np.nan
    return lambda folder: columns(folder, table, suffix)


LINES = frame().to_csv(index=False).splitlines()
REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "absent": (lambda f: f / "codes.npy", r"codes\.npy: there is no such file"),
    "folder": (lambda f: (f / "codes.npy").mkdir() or f / "codes.npy", "is a directory"),
    "empty": (lambda f: text(f, "", "codes.npy"), "the file is empty"),
    "suffix": (lambda f: text(f, "x", "codes.pkl"), r"suffix must be one of \.npy, \.npz, \.csv, \.parquet"),
    "text as npy": (lambda f: text(f, "1,2\n", "codes.npy"), r"not a \.npy array \(its first bytes are b'1,2"),
    "pickle as npy": (lambda f: text(f, pickle.dumps([1]), "codes.npy"), "a pickle, which is never opened here"),
    "objects": (lambda f: npy(f, np.array([{}] * 30)), "array of Python objects .* never opened"),
    "objects in npz": (lambda f: npz(f, z=np.array([{}] * 30)), "codes.npz, array 'z': an array of Python objects"),
    "broken header": (lambda f: text(f, b"\x93NUMPY\x01\x00\x10\x00{'descr': oops  }", "codes.npy"), "header cannot"),
    "unknown version": (lambda f: text(f, b"\x93NUMPY\x09\x00\x10\x00", "codes.npy"), "header cannot be read"),
    "cut npy": (lambda f: text(f, npy(f, Z).read_bytes()[:-8], "codes.npy"), r"needs 720 bytes and 712 are there"),
    "huge promise": (lambda f: promises(f, "(30, 3000000000)"), "the file is cut off|header cannot be read"),
    "cut npz": (lambda f: bad_zip(f, lambda b: b[:-30]), r"not a readable \.npz archive"),
    "damaged npz": (lambda f: bad_zip(f, lambda b: b.replace(Z[:1].tobytes(), bytes(24))), "Bad CRC-32"),
    "text as npz": (lambda f: text(f, "1,2\n", "codes.npz"), r"not a readable \.npz archive"),
    "no z": (lambda f: npz(f, a=Z, b=Z), r"needs an array 'z' or 'mu', it has \['a', 'b'\]"),
    "logvar alone": (lambda f: npz(f, z=Z, logvar=Z), "has 'logvar' without 'mu'"),
    "unequal": (lambda f: npz(f, mu=Z, logvar=Z[:, :2]), r"one shape: mu \(30, 3\), logvar \(30, 2\)"),
    "variance": (lambda f: npz(f, mu=Z, logvar=Z + 300), "logvar reaches 30"),
    "complex": (lambda f: npy(f, Z + 1j), "got dtype complex128; take the real part"),
    "bool": (lambda f: npy(f, Z > 0), "got dtype bool"),
    "strings": (lambda f: npy(f, Z.astype(str)), "got dtype <U"),
    "records": (lambda f: npy(f, np.zeros(30, dtype=[("a", "f8")])), "got dtype"),
    "no axis": (lambda f: npy(f, np.array(1.0)), r"codes must be \(sample, latent\), got shape \(\)"),
    "five axes": (lambda f: npy(f, np.zeros((30, 2, 2, 2, 2))), r"got 5 axes, \(30, 2, 2, 2, 2\)"),
    "no column": (lambda f: npy(f, np.zeros((30, 0))), "at least one column"),
    "few rows": (lambda f: npy(f, Z[:19]), "at least 20 rows of codes, got 19"),
    "no rows": (lambda f: npy(f, Z[:0]), "at least 20 rows of codes, got 0"),
    "NaN": (lambda f: npy(f, np.where(Z > 1.9, np.nan, Z)), r"codes\.npy: codes are NaN, infinite .* rows, \["),
    "infinite": (lambda f: npz(f, z=np.where(Z > 1.9, -np.inf, Z)), "codes.npz, array 'z': codes are NaN, infinite"),
    "hole in csv": (with_hole(".csv"), r"2 of 30 rows, \[3, 7\] \(counted from 0\), columns \['b'\]"),
    "hole in parquet": (with_hole(".parquet"), r"2 of 30 rows, \[3, 7\] \(counted from 0\), columns \['b'\]"),
    "text column": (
        lambda f: columns(f, frame().assign(kind=NAMES), ".csv"),
        r"1 column not of numbers: \['kind'\]; row 0 \(counted from 0\) of 'kind' holds 'bag'.*--labels kind",
    ),
    "text cell": (lambda f: text(f, "\n".join([*LINES[:5], "1,oops,2", *LINES[5:]])), "row 4 .* of 'b' holds 'oops'"),
    "text in parquet": (lambda f: columns(f, frame().assign(kind=NAMES), ".parquet"), "not of numbers: .*'kind'"),
    "underscore": (lambda f: text(f, "\n".join([*LINES[:5], "1,1_2,2", *LINES[5:]])), "of 'b' holds '1_2'"),
    "python in the header": (
        lambda f: text(f, b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16, "codes.npy"),
        "header cannot be read",
    ),
    "damaged pandas notes": (
        lambda f: text(
            f, columns(f, frame(), ".parquet").read_bytes().replace(b'{"index', b"{,index"), "codes.parquet"
        ),
        "not a readable parquet file|at least",
    ),
    "bool column": (lambda f: columns(f, frame().assign(on=True), ".parquet"), r"not of numbers: \['on'\]"),
    "lists as text": (
        lambda f: columns(f, pd.DataFrame({"embedding": [str(row) for row in Z.tolist()]}), ".csv"),
        r"not of numbers: \['embedding'\].*spread the list into columns",
    ),
    "long line": (lambda f: text(f, "\n".join([*LINES, "1,2,3,4"])), "3 cells, but 1 lines .*: line 32 has 4"),
    "short line": (lambda f: text(f, "\n".join([*LINES, "1,2"])), "line 32 has 2"),
    "same names": (lambda f: text(f, "\n".join(["a,b,a", *LINES[1:]])), r"more than one column is called \['a'\]"),
    "same in parquet": (twice_named, r"more than one column is called \['a'\]"),
    "blank csv": (lambda f: text(f, "\n\n"), "its first line is empty"),
    "picture as csv": (lambda f: text(f, b"\x89PNG\r\n\x1a\n\xff\xfe"), "not a text file in UTF-8"),
    "picture as parquet": (lambda f: text(f, b"\x89PNG\r\n\x1a\n" * 9, "codes.parquet"), "not a readable parquet file"),
    "cut parquet": (
        lambda f: text(f, columns(f, frame(), ".parquet").read_bytes()[:-9], "codes.parquet"),
        "not a readable parquet file",
    ),
    "labels only": (lambda f: columns(f, pd.DataFrame({"label": LABELS}), ".csv"), "no column is left"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_codes_are_refused(tmp_path: Path, case: str):
    make, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        read_foreign(make(tmp_path))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = claims_much(tmp_path)
    assert read_foreign(path).z.shape == (20_000, 50)  # 8 MB: nothing to fear
    monkeypatch.setattr(audit_arrays, "FREE_BYTES", 2**20)
    with pytest.raises(InputError, match=r"codes.npz, array 'z': [\d,]+ bytes claim to unpack to 8,000,128"):
        read_foreign(path)


def test_a_pickle_is_never_run(tmp_path: Path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    for path in (npy(tmp_path, np.array([Trap()] * 30, dtype=object)), npz(tmp_path, z=Z, y=np.array([Trap()] * 30))):
        with pytest.raises(InputError, match="never opened"):
            read_foreign(path, labels="y")
            read_foreign(path)
    assert not (tmp_path / "sprung").exists()


LABEL_CASES: dict[str, tuple[np.ndarray | str, str]] = {
    "absent": ("none.txt", r"there is no such file, and codes\.npy has no names inside"),
    "suffix": ("y.md", r"must be one of \.npy, \.csv, \.txt"),
    "count": ("\n".join(map(str, LABELS[:-1])), r"y\.txt: 29 labels for 30 codes in codes\.npy"),
    "missing": ("\n".join(["a"] * 3 + [""] + ["b"] * 26), r"1 of 30 labels are missing, in rows 3 "),
    "one-hot": (np.eye(3)[LABELS], r"got shape \(30, 3\); of a one-hot array take argmax"),
    "complex": (LABELS + 1j, "integers or text, got dtype complex128"),
    "objects": (NAMES.astype(object), "array of Python objects"),
    "NaN": (np.where(LABELS == 1, np.nan, 0.5), r"10 of 30 labels are missing, in rows 1, 4, 7, 10, 13, \.\.\."),
}


@pytest.mark.parametrize("case", LABEL_CASES)
def test_bad_labels_are_refused(tmp_path: Path, case: str):
    given, message = LABEL_CASES[case]
    if isinstance(given, np.ndarray):
        path = npy(tmp_path, given, "y.npy")
    else:
        path = tmp_path / given if given in ("none.txt", "y.md") else text(tmp_path, given, "y.txt")
        if given == "y.md":
            path.write_text("a")
    with pytest.raises(InputError, match=message):
        read_foreign(npy(tmp_path, Z), labels=str(path))


def test_a_name_that_is_not_there_lists_those_that_are(tmp_path: Path):
    with pytest.raises(InputError, match=r"no such file, and codes\.npz has the arrays \['z', 'kind'\]"):
        read_foreign(npz(tmp_path, z=Z, kind=NAMES), labels="classes")
    for suffix in (".csv", ".parquet"):
        with pytest.raises(InputError, match=r"no column 'classes' for --labels; it has \['a', 'b', 'c'\]"):
            read_foreign(columns(tmp_path, frame(), suffix), labels="classes")


IMAGES: dict[str, tuple[np.ndarray, str]] = {
    "count": (np.zeros((29, 4, 4), np.uint8), "29 images for 30 codes"),
    "type": (np.zeros((30, 4, 4)), "images must be uint8, 0 to 255, got float64"),
    "channels last": (np.zeros((30, 8, 8, 3), np.uint8), r"channels last; transpose\(0, 3, 1, 2\)"),
    "channels": (np.zeros((30, 2, 8, 8), np.uint8), "1 or 3 channels"),
    "axes": (np.zeros((30, 64), np.uint8), r"images must be \(N, H, W\)"),
}


@pytest.mark.parametrize("case", IMAGES)
def test_bad_images_are_refused(tmp_path: Path, case: str):
    array, message = IMAGES[case]
    with pytest.raises(InputError, match=message):
        read_images(npy(tmp_path, array, "i.npy"), 30)
    with pytest.raises(InputError, match=r"must be a \.npy file"):
        read_images(tmp_path / "i.png", 30)


def test_a_csv_whose_first_line_is_a_code_with_its_label_is_refused(tmp_path: Path):
    lines = "".join(f"{x:.2f},{y:.2f},a\n" for x, y in RNG.standard_normal((30, 2)))
    path = text(tmp_path, lines)
    with pytest.raises(InputError, match="the first line looks like a code, not like names"):
        read_foreign(path, labels="a")


def test_a_heading_of_a_label_file_is_never_a_label(tmp_path: Path):
    codes = npy(tmp_path, RNG.standard_normal((30, 2)))
    labels = text(tmp_path, "label\n" + "\n".join("ab"[row % 2] for row in range(29)), "y.csv")
    with pytest.raises(InputError, match="29 labels for 30 codes"):
        read_foreign(codes, labels=str(labels))
    labels = text(tmp_path, "y\n" + "\n".join("xy"[row % 2] for row in range(29)), "y.csv")  # here y is a class, too
    assert len(read_foreign(codes, labels=str(labels)).labels) == 30


@pytest.mark.parametrize(
    ("spread", "words"), [(1.0, None), (0.0, "z equals mu"), (3.0, r"averages [89]\.\d+ instead of 1")]
)
def test_z_that_is_no_draw_of_the_posterior_is_said_to_be_none(tmp_path: Path, spread: float, words: str | None):
    mu, logvar = RNG.standard_normal((1000, 2)), np.full((1000, 2), -1.0)
    z = mu + spread * np.exp(0.5 * logvar) * RNG.standard_normal((1000, 2))
    notes = read_foreign(npz(tmp_path, z=z, mu=mu, logvar=logvar)).notes
    assert [re.search(words, note) is not None for note in notes] == [True] if words else notes == []


def test_labels_that_cannot_be_printed_and_images_too_wide_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"'a\\x01' holds characters that cannot be printed"):
        label_array(np.array(["a\x01", "b"]), "y")
    with pytest.raises(InputError, match="at most 1000 a side"):
        read_images(npy(tmp_path, np.zeros((30, 4, 1001), np.uint8), "i.npy"), 30)


def test_a_name_too_long_for_the_system_is_an_error_in_words(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be reached"):
        read_foreign(tmp_path / f"{'x' * 300}.npy")
