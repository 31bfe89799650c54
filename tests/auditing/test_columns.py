"""Which columns of a file are codes: row numbers, classes and counts are none; mu and logvar are what they are."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import latent_audit
from fuzz_arrays import fuzz
from latent_audit.auditing.command import Request, run_audit
from latent_audit.auditing.files import ForeignCodes, read_foreign
from latent_audit.auditing.frames import ColumnsWarning
from latent_audit.base.errors import InputError
from latent_audit.base.folder import refuse_foreign, whole_folder
from latent_audit.diagnostics.audit import AuditSettings, audit

RNG = np.random.default_rng(3)
N = 60
Z = RNG.standard_normal((N, 2))
FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
SUFFIXES = (".csv", ".parquet")


def frame() -> pd.DataFrame:
    return pd.DataFrame(Z, columns=["a", "b"])


def stored(folder: Path, table: pd.DataFrame, suffix: str, **options) -> Path:
    path = folder / f"codes{suffix}"
    table.to_csv(path, index=False, **options) if suffix == ".csv" else table.to_parquet(path, **options)
    return path


def assert_only_the_codes(codes: ForeignCodes, *named: str) -> None:
    np.testing.assert_array_equal(codes.z, Z)
    assert codes.columns["z"] == ["a", "b"]
    for name in named:
        assert any(repr(name) in note for note in codes.notes), (name, codes.notes)


NONE_OF_THEM = {
    "Unnamed: 0": np.arange(N), "index": np.arange(N) * 2.5, "id": np.arange(N)[::-1], "Image_ID": np.arange(N) * 7,
    "__index_level_0__": np.arange(N) * 3, "level_0": np.arange(N), "Label": np.arange(N) % 3, "TARGET": Z[:, 0],
    "class": np.array(["x", "y"])[np.arange(N) % 2], "y": np.arange(N) % 2, "cluster": np.arange(N) % 4,
    "epoch": np.full(N, 9), "split": np.array(["train", "test"])[np.arange(N) % 2], "fold": np.arange(N) % 5,
    "n_points": np.arange(N) % 17, "whatever": np.arange(1, N + 1), "shuffled": RNG.permutation(N),
    "file_name": np.array([f"{k}.png" for k in range(N)]), "loss": RNG.random(N), "KL": RNG.random(N),
    "recon_loss": RNG.random(N), "elbo": -RNG.random(N), "anomaly_score": RNG.random(N),
}  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", NONE_OF_THEM)
def test_a_column_that_is_no_code_is_left_out_by_name(tmp_path: Path, name: str, suffix: str):
    for place in (0, 2):
        table = frame()
        table.insert(place, name, NONE_OF_THEM[name])
        assert_only_the_codes(read_foreign(stored(tmp_path, table, suffix)), name)


def test_what_the_index_did_to_the_holes_it_does_no_longer(tmp_path: Path):
    frame().to_csv(tmp_path / "codes.csv")  # with pandas' row index, without a name
    assert_only_the_codes(read_foreign(tmp_path / "codes.csv"), "Unnamed: 0")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_dimensions_stay_dimensions(tmp_path: Path, suffix: str):
    plane = pd.DataFrame({"x": Z[:, 0], "y": Z[:, 1]})
    dead = pd.DataFrame({"z_0": Z[:, 0], "z_1": np.zeros(N), "z_2": np.arange(N) % 2})
    whole = pd.DataFrame(RNG.integers(-9, 9, (N, 3)), columns=["a", "b", "c"])
    for table in (plane, dead, whole):
        codes = read_foreign(stored(tmp_path, table, suffix))
        np.testing.assert_array_equal(codes.z, table.to_numpy(dtype=float))
        assert codes.columns["z"] == table.columns.tolist()


def test_whole_numbers_that_outnumber_the_real_ones_are_asked_about(tmp_path: Path):
    table = pd.DataFrame({"a": Z[:, 0], "p": np.arange(N) % 7, "q": np.arange(N) % 11})
    with pytest.raises(InputError, match=r"2 columns hold whole numbers, \['p', 'q'\].*--columns a"):
        read_foreign(stored(tmp_path, table, ".csv"))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("asked", [("a,b",), ("a", "b"), ("[ab]",), ("?",)])
def test_columns_are_chosen_by_names_and_patterns(tmp_path: Path, suffix: str, asked: tuple[str, ...]):
    table = frame().assign(target=np.arange(N) % 3, text="x")
    codes = read_foreign(stored(tmp_path, table, suffix), columns=asked)
    assert_only_the_codes(codes)
    everything = read_foreign(stored(tmp_path, table, suffix), columns=("target", "a"))
    assert everything.columns["z"] == ["a", "target"]
    with pytest.raises(InputError, match=r"--columns 'c\*' is no column of it; it has \['a', 'b', 'target', 'text'\]"):
        read_foreign(stored(tmp_path, table, suffix), columns=("c*",))


def test_arrays_are_judged_and_chosen_by_number(tmp_path: Path):
    np.save(tmp_path / "codes.npy", np.column_stack([np.arange(N), Z, np.arange(N) % 3]))
    codes = read_foreign(tmp_path / "codes.npy")
    np.testing.assert_array_equal(codes.z, Z)
    assert codes.columns["z"] == ["1", "2"]
    assert len(codes.notes) == 2
    np.testing.assert_array_equal(read_foreign(tmp_path / "codes.npy", columns=("2",)).z, Z[:, 1:])


@pytest.mark.parametrize("start", [0, 1, 5])
def test_a_line_of_consecutive_numbers_over_real_ones_is_one_of_names(tmp_path: Path, start: int):
    path = stored(tmp_path, pd.DataFrame(Z, columns=range(start, start + 2)), ".csv")
    codes = read_foreign(path)
    np.testing.assert_array_equal(codes.z, Z)
    assert codes.columns["z"] == [str(start), str(start + 1)]


@pytest.mark.parametrize("options", [{"sep": ";"}, {"sep": ";", "decimal": ","}, {"sep": "\t"}, {"decimal": ","}])
def test_other_separators_and_decimal_commas_are_read(tmp_path: Path, options: dict[str, str]):
    codes = read_foreign(stored(tmp_path, frame().assign(label=np.arange(N) % 2), ".csv", **options))
    np.testing.assert_allclose(codes.z, Z)
    assert codes.labels.tolist() == (np.arange(N) % 2).tolist()


SPREADS = {"logvar": lambda v: v, "log_var": lambda v: v, "sigma": lambda v: np.exp(v / 2),
           "std": lambda v: np.exp(v / 2), "var": np.exp, "log_sigma": lambda v: v / 2}  # fmt: skip
LOGVAR = -np.abs(RNG.standard_normal((N, 2)))


@pytest.mark.parametrize("name", SPREADS)
def test_a_posterior_is_taken_by_its_names(tmp_path: Path, name: str):
    spread = SPREADS[name](LOGVAR)
    np.savez(tmp_path / "codes.npz", mu=Z, other=np.zeros(3), **{name: spread})
    read = [read_foreign(tmp_path / "codes.npz")]
    assert any("not used: 'other'" in note for note in read[0].notes)
    for mean, mark in (("mu", "_"), ("mean", "."), ("z_mean", "-"), ("Mu", "")):
        names = [f"{role}{mark}{k}" for role in (mean, name) for k in range(2)]
        table = pd.DataFrame(np.hstack([Z, spread]), columns=names)
        read += [read_foreign(stored(tmp_path, table, suffix)) for suffix in SUFFIXES]
    for codes in read:
        np.testing.assert_array_equal(codes.mu, Z)
        np.testing.assert_allclose(codes.logvar, LOGVAR, atol=1e-12)
        np.testing.assert_allclose(codes.z, read[0].z, atol=1e-12)


def test_a_spread_that_is_none_is_refused_and_one_without_a_mean_is_named(tmp_path: Path):
    np.savez(tmp_path / "codes.npz", mu=Z, sigma=Z)
    with pytest.raises(InputError, match="'sigma': by its name a standard deviation, but not above 0 in"):
        read_foreign(tmp_path / "codes.npz")
    np.savez(tmp_path / "codes.npz", z=Z, sigma=np.abs(Z), y=np.arange(N))
    (note,) = read_foreign(tmp_path / "codes.npz").notes
    assert "'y', 'sigma' (there is no mu for it); if 'y' holds the classes, say --labels y" in note
    table = pd.DataFrame(np.hstack([Z, Z]), columns=["mu_0", "mu_1", "logvar_0", "logvar_2"])
    with pytest.raises(InputError, match=r"of mu and of logvar must be of the same dimensions, but \[1, 2\]"):
        read_foreign(stored(tmp_path, table, ".csv"))


def test_a_column_of_lists_is_the_codes(tmp_path: Path):
    path = stored(
        tmp_path, pd.DataFrame({"embedding": Z.tolist(), "label": np.arange(N) % 3, "loss": Z[:, 0]}), ".parquet"
    )
    codes = read_foreign(path)
    np.testing.assert_array_equal(codes.z, Z)
    assert codes.labels is not None
    assert any("'loss'" in note for note in codes.notes)
    with pytest.raises(InputError, match=r"column 'embedding': its lists must be of one length; the list of row 59"):
        read_foreign(stored(tmp_path, pd.DataFrame({"embedding": [*Z[1:].tolist(), [1.0]]}), ".parquet"))


def test_types_that_numpy_lacks_and_records_are_advised_on(tmp_path: Path):
    np.save(tmp_path / "short.npy", np.zeros((N, 2), dtype="V1"))
    with pytest.raises(InputError, match=r"short floats.*astype\(numpy.float32\)"):
        read_foreign(tmp_path / "short.npy")
    np.save(tmp_path / "records.npy", np.zeros(N, dtype=[("a", "f8"), ("b", "f4")]))
    with pytest.raises(InputError, match=r"fields are \['a', 'b'\].*structured_to_unstructured"):
        read_foreign(tmp_path / "records.npy")


def test_damaged_files_are_read_or_refused_and_never_a_traceback(tmp_path: Path):
    faults: list[str] = []
    fared = fuzz(500, tmp_path, seed=1, say=faults.append)
    assert faults == []
    assert fared["read"] > 20
    assert fared["refused"] > 100


def test_a_giant_in_a_dictionary_is_refused_before_it_is_unpacked(tmp_path: Path):
    column = pa.DictionaryArray.from_arrays(pa.array(np.arange(N) % 2), pa.array(["x" * 2**27, "y"]))
    parquet.write_table(pa.table({"a": Z[:, 0], "b": Z[:, 1], "label": column}), tmp_path / "codes.parquet")
    with pytest.raises(InputError, match=r"column 'label' unpacks to 134,\d+,\d+ bytes for 60 values"):
        read_foreign(tmp_path / "codes.parquet")
    assert_only_the_codes(read_foreign(tmp_path / "codes.parquet", columns=("a,b",), labels=str(_labels(tmp_path))))


def _labels(folder: Path) -> Path:
    path = folder / "y.txt"
    path.write_text("\n".join("ab"[k % 2] for k in range(N)))
    return path


def test_a_long_text_file_takes_no_more_memory_than_its_numbers(tmp_path: Path):
    path = tmp_path / "codes.csv"
    path.write_text("a,b\n" + "0.12345678,-1.23456789\n" * 400_000)
    lines = [
        "import resource, sys; from pathlib import Path; from latent_audit.auditing.files import read_foreign",
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss",
        "assert read_foreign(Path(sys.argv[1])).z.shape == (400_000, 2)",
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)",
    ]
    ran = subprocess.run([sys.executable, "-c", "\n".join(lines), path], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 64 * 1024  # KiB; the numbers are 6,250 of them


# --- from Python -----------------------------------------------------------------------------------------------------


def test_z_is_drawn_as_the_command_draws_it(tmp_path: Path):
    np.savez(tmp_path / "codes.npz", mu=Z, logvar=LOGVAR)
    command = read_foreign(tmp_path / "codes.npz", seed=4)
    drawn = audit(mu=Z, logvar=LOGVAR, seed=4, settings=FAST)
    given = audit(command.z, mu=Z, logvar=LOGVAR, seed=4, settings=FAST)
    pd.testing.assert_frame_equal(drawn.per_dim, given.per_dim)
    assert audit(mu=Z, settings=FAST).per_dim["code"].unique().tolist() == ["mu", "z"]
    with pytest.raises(InputError, match="needs codes: z, or mu"):
        audit(logvar=LOGVAR)


def test_tensors_with_a_gradient_and_short_ones_are_taken():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(Z, requires_grad=True)
    want = audit(Z, settings=FAST).per_dim
    pd.testing.assert_frame_equal(audit(tensor, labels=torch.arange(N) % 2, settings=FAST).per_dim, want)
    short = tensor.to(torch.bfloat16)
    pd.testing.assert_frame_equal(
        audit(short, settings=FAST).per_dim, audit(short.detach().float().numpy(), settings=FAST).per_dim
    )


def test_a_data_frame_has_the_names_of_its_columns():
    with pytest.warns(ColumnsWarning, match="'id'"):
        rows = audit(frame().assign(id=np.arange(N)), settings=FAST).per_dim
    assert rows[["dim", "name"]].to_numpy().tolist() == [[0, "a"], [1, "b"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "name" not in audit(pd.DataFrame(Z), settings=FAST).per_dim


def test_the_package_shows_its_public_names():
    assert dir(latent_audit) == ["Audit", "AuditSettings", "AuditTables", "audit", "audit_side_by_side"]


# --- the page and the folder -----------------------------------------------------------------------------------------


def test_the_taken_columns_are_in_terminal_page_and_json(tmp_path: Path):
    said: list[str] = []
    path = stored(tmp_path, frame().assign(id=np.arange(N)), ".csv")
    run_audit(Request(path, tmp_path / "out"), settings=FAST, say=said.append)
    assert "z: columns a, b" in said
    assert json.loads((tmp_path / "out/audit.json").read_text())["columns"] == {"z": ["a", "b"]}
    page = (tmp_path / "out/index.html").read_text()
    assert "z₀ · a" in page
    assert "z₁ · b" in page
    assert "z₂" not in page
    assert "columns of z" in page
    assert pd.read_csv(tmp_path / "out/per_dim.csv")["name"].tolist() == ["a", "b"]


def test_a_matplotlibrc_changes_nothing(tmp_path: Path):
    path = stored(tmp_path, frame(), ".csv")
    (tmp_path / "matplotlibrc").write_text(
        "text.usetex: True\nsavefig.bbox: tight\nsvg.image_inline: False\nxtick.direction: in\nfont.size: 30\n"
    )
    for out, given in (("plain", "/dev/null"), ("own", str(tmp_path / "matplotlibrc"))):
        (tmp_path / "at").mkdir(exist_ok=True)
        lines = "import sys; from latent_audit.cli import main; main()"
        asked = ["audit", str(path), "--out", str(tmp_path / out)]
        environment = {**_environment(), "MATPLOTLIBRC": given}
        subprocess.run([sys.executable, "-c", lines, *asked], check=True, cwd=tmp_path / "at", env=environment)
    for file in sorted((tmp_path / "plain").iterdir()):
        assert (tmp_path / "own" / file.name).read_bytes() == file.read_bytes(), file.name
    assert list((tmp_path / "at").iterdir()) == []


def _environment() -> dict[str, str]:
    import os

    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def earlier(folder: Path) -> Path:
    folder.mkdir()
    (folder / "audit.json").write_text('{"made_by": "us", "files": ["a.csv"]}')
    (folder / "a.csv").write_text("a")
    return folder


def test_what_file_managers_leave_is_nobodys(tmp_path: Path):
    folder = earlier(tmp_path / "out")
    (folder / ".DS_Store").write_text("x")
    (folder / "Thumbs.db").write_text("x")
    (folder / ".ipynb_checkpoints").mkdir()
    refuse_foreign(folder, marker="audit.json", made_by="us")
    (folder / "mine").mkdir()
    with pytest.raises(InputError, match=r"also holds \['mine'\]"):
        refuse_foreign(folder, marker="audit.json", made_by="us")


@pytest.mark.parametrize("marker", ["pipe", "huge", "deep"])
def test_a_marker_that_is_none_neither_hangs_nor_recurses(tmp_path: Path, marker: str):
    import os

    path = tmp_path / "audit.json"
    if marker == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("[" * 10**6 if marker == "deep" else " " * (2**24 + 1))
    with pytest.raises(InputError, match="is no earlier result"):
        refuse_foreign(tmp_path, marker="audit.json", made_by="us")


@pytest.mark.parametrize("known", [True, False])
def test_the_contents_of_a_mount_point_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool):
    from latent_audit.base import folder as module

    target = earlier(tmp_path / "out")
    (target / ".DS_Store").write_text("x")
    replace = module.os.replace

    def busy(source, to):
        if Path(source) == target:
            raise OSError(16, "Device or resource busy")
        replace(source, to)

    monkeypatch.setattr(module.os, "replace", busy)
    monkeypatch.setattr(module.os.path, "ismount", lambda path: known and Path(path) == target)
    with whole_folder(target) as new:
        (new / "b.csv").write_text("b")
    assert sorted(path.name for path in target.iterdir()) == [".DS_Store", "b.csv"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with pytest.raises(ZeroDivisionError), whole_folder(target) as new:
        (new / "c.csv").write_text(str(1 / 0))
    assert sorted(path.name for path in target.iterdir()) == [".DS_Store", "b.csv"]
