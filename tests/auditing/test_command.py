"""`latent-audit audit` as a person uses it: files in, a folder out, or one sentence, exit code 2 and no folder."""

import json
import os
import re
import shlex
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from browsers import assert_fit_to_be_seen
from latent_audit import cli
from latent_audit.auditing import command as audit_command
from latent_audit.auditing.command import Request, run_audit
from latent_audit.base.errors import InputError
from latent_audit.base.folder import whole_folder
from latent_audit.diagnostics.audit import AuditSettings, audit

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
FILES = [
    "audit.json", "classes.csv", "index.html", "joint.csv", "per_dim.csv", "reasons.csv", "regions.csv",
    "separability.csv", "transforms.csv",
]  # fmt: skip
N = 60
RNG = np.random.default_rng(11)
LABELS = np.arange(N) % 3
MU = RNG.standard_normal((N, 2)) + LABELS[:, None]
LOGVAR = np.full((N, 2), -1.0)  # so that 60 codes tell how its KL divides
NAMED = np.array(["bag", "coat", "shoe"])[LABELS]
Z = MU + np.exp(-0.5) * RNG.standard_normal((N, 2))
Run = Callable[..., int]


@pytest.fixture
def real_page():
    """For tests that look at the page: the figures are drawn. All others get a stub, which is faster by seconds."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """The command with a small calibration: what is tested here does not depend on its size."""
    if "real_page" not in request.fixturenames:
        monkeypatch.setattr(audit_command, "audit_page", lambda *_: "<!doctype html>\n")
    monkeypatch.setattr(audit_command.run_audit, "__kwdefaults__", audit_command.run_audit.__kwdefaults__ | {
        "settings": FAST
    })  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """run("audit codes.npz --out result") in an empty folder; the exit code."""
    monkeypatch.chdir(tmp_path)

    def start(line: str) -> int:
        monkeypatch.setattr(sys, "argv", ["latent-audit", *shlex.split(line)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    return start


def save_all(**labels: np.ndarray) -> None:
    """The same codes in all four formats, with one column of labels."""
    table = pd.DataFrame(Z, columns=["first", "second"]).assign(**labels)
    np.save("codes.npy", Z)
    np.savez("codes.npz", z=Z, **labels)
    table.to_csv("codes.csv", index=False)
    table.to_parquet("codes.parquet")
    for name, values in labels.items():
        np.save(f"{name}.npy", values)


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_four_formats_give_the_same_tables(run: Run, tmp_path: Path):
    save_all(kind=np.array(["bag", "coat", "shoe"])[LABELS])
    found = {}
    for suffix in ("npy", "npz", "csv", "parquet"):
        assert run(f"audit codes.{suffix} --labels {'kind.npy' if suffix == 'npy' else 'kind'} --out {suffix}") == 0
        found[suffix] = everything(tmp_path / suffix)
        assert sorted(found[suffix]) == FILES
    for name in (name for name in FILES if name.endswith(".csv") and name != "per_dim.csv"):
        assert len({tables[name] for tables in found.values()}) == 1, name
    rows = {suffix: pd.read_csv(tmp_path / suffix / "per_dim.csv") for suffix in found}
    assert rows["csv"].columns[:4].tolist() == ["code", "dim", "name", "n"]  # a file with names has them in one more
    assert rows["csv"]["name"].tolist() == rows["parquet"]["name"].tolist() == ["first", "second"]
    for suffix in found:
        pd.testing.assert_frame_equal(rows[suffix].drop(columns="name", errors="ignore"), rows["npy"])


def test_a_posterior_gets_rows_for_mu_and_z_and_its_kl_adds_up(run: Run, tmp_path: Path, capsys):
    np.savez("codes.npz", z=Z, mu=MU, logvar=LOGVAR, labels=LABELS)
    assert run("audit codes.npz --seed 3 --out result") == 0
    tables = {path.stem: pd.read_csv(path) for path in (tmp_path / "result").glob("*.csv")}
    assert all(table.columns[0] == "code" for table in tables.values())
    codes = {name: table["code"].unique().tolist() for name, table in tables.items()}
    assert [codes.pop(name) for name in ("reasons", "regions")] == [["z"], ["z"]]
    assert all(found == ["mu", "z"] for found in codes.values())
    rows = tables["joint"]
    value = rows[rows["code"] == "z"].set_index("metric")["value"]
    assert value["kl"] == pytest.approx(value[["index_code_mi", "total_correlation", "dimwise_kl"]].sum(), abs=1e-6)
    assert (value["active_units"], value["collapsed_units"]) == (2, 0)
    assert tables["classes"].columns.tolist() == [
        "code", "label", "class_name", "count", "share", "area", "centroid_0", "centroid_1"
    ]  # fmt: skip
    said = capsys.readouterr()
    assert said.out == ""
    assert "codes.npz: 60 x 2 (mu and logvar and z), 3 classes" in said.err
    assert "posterior: decomposition of the KL over all 60 rows" in said.err


def test_the_files_hold_what_the_api_returns(run: Run, tmp_path: Path):
    np.savez("codes.npz", z=Z, mu=MU, logvar=LOGVAR, labels=LABELS)
    run("audit codes.npz --seed 3 --out result")
    tables = audit(Z, mu=MU, logvar=LOGVAR, labels=LABELS, seed=3, settings=FAST)
    for name in ("per_dim", "joint", "classes", "separability", "transforms"):
        written = pd.read_csv(tmp_path / "result" / f"{name}.csv", dtype={"class_name": str})
        pd.testing.assert_frame_equal(written, getattr(tables, name), check_dtype=False, rtol=1e-9, atol=1e-12)


def test_audit_json_says_what_went_in(run: Run, tmp_path: Path):
    save_all(kind=LABELS)
    np.save("images.npy", np.zeros((N, 4, 4), np.uint8))
    assert run(f"audit codes.npy --labels {tmp_path / 'kind.npy'} --images images.npy --out a/b/result") == 0
    described = json.loads((tmp_path / "a/b/result/audit.json").read_text())
    assert described["made_by"] == "latent-audit audit"
    assert sorted([*described["files"], "audit.json"]) == FILES
    assert {role: file["name"] for role, file in described["input"].items()} == {
        "codes": "codes.npy", "labels": "kind.npy", "images": "images.npy"
    }  # fmt: skip
    assert (described["n"], described["latent_dim"], described["classes"], described["seed"]) == (N, 2, 3, 0)
    assert str(tmp_path) not in json.dumps(described)


def test_same_bytes_again_in_another_place_and_others_with_another_seed(run: Run, tmp_path: Path, real_page):
    np.savez("codes.npz", mu=MU, logvar=LOGVAR, labels=LABELS)  # z is drawn
    for folder, seed in (("one", 1), ("two", 1), ("three", 2)):
        assert run(f"audit codes.npz --seed {seed} --out {folder}") == 0
    assert everything(tmp_path / "one") == everything(tmp_path / "two")
    assert everything(tmp_path / "one")["per_dim.csv"] != everything(tmp_path / "three")["per_dim.csv"]


def test_without_labels_there_are_no_tables_of_classes(run: Run, tmp_path: Path):
    np.save("codes.npy", Z[:, 0])
    assert run("audit codes.npy --out result") == 0
    assert sorted(everything(tmp_path / "result")) == [
        "audit.json", "index.html", "joint.csv", "per_dim.csv", "reasons.csv", "regions.csv",
        "transforms.csv",
    ]  # fmt: skip
    assert pd.read_csv(tmp_path / "result/per_dim.csv")["dim"].tolist() == [0]


def test_labels_of_one_class_are_put_aside_and_said_to_be(run: Run, tmp_path: Path, capsys):
    np.savez("codes.npz", z=Z, labels=np.full(N, "cat"))
    assert run("audit codes.npz --out result") == 0
    said = "codes.npz: all 60 labels are cat; what needs two classes is left out"
    assert said in capsys.readouterr().err
    described = json.loads((tmp_path / "result/audit.json").read_text())
    assert said in described["notes"]
    assert described["classes"] is None
    assert not {"classes.csv", "separability.csv"} & set(described["files"])


def test_few_rows_leave_separability_out_and_say_so(run: Run, tmp_path: Path, capsys):
    np.savez("codes.npz", z=Z[:30], labels=LABELS[:30])
    assert run("audit codes.npz --out result") == 0
    assert not (tmp_path / "result/separability.csv").exists()
    assert "no separability.csv: it needs at least 40 rows" in capsys.readouterr().err


def test_the_page_is_fit_to_be_seen(run: Run, tmp_path: Path, real_page):
    np.savez("codes.npz", z=Z, mu=0.9 * Z, logvar=np.full_like(Z, -1.5), labels=LABELS)
    np.save("images.npy", RNG.integers(0, 255, (N, 8, 8), dtype=np.uint8))
    assert run("audit codes.npz --images images.npy --out result") == 0
    assert_fit_to_be_seen(tmp_path, (tmp_path / "result/index.html").read_text(encoding="utf-8"))


def test_the_page_escapes_what_it_is_told_and_loads_nothing(run: Run, tmp_path: Path, real_page):
    attack = "<script>alert(1)</script>"
    name = "<img src=x onerror=alert(2)>"
    pd.DataFrame(Z, columns=["first", "second"]).assign(
        **{name: np.array([attack, "coat", "shoe"])[LABELS]}
    ).to_csv("a&<b>.csv", index=False)  # fmt: skip
    np.save("images.npy", RNG.integers(0, 255, (N, 3, 8, 8), dtype=np.uint8))
    assert run(f"audit 'a&<b>.csv' --labels '{name}' --images images.npy --out result") == 0
    assert attack in pd.read_csv(tmp_path / "result/classes.csv")["class_name"].tolist()
    page = (tmp_path / "result/index.html").read_text()
    assert attack not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert name not in page
    assert "<b>.csv" not in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page
    assert "Content-Security-Policy" in page
    assert 'src="data:image/webp;base64,' in page


def test_a_duplicated_dimension_has_infinite_correlation_on_the_page_too(run: Run, tmp_path: Path, real_page):
    np.save("codes.npy", np.column_stack([Z, Z[:, 0], np.zeros(N)]))
    assert run("audit codes.npy --out result") == 0
    rows = pd.read_csv(tmp_path / "result/joint.csv").set_index("metric")["value"]
    assert rows["gaussian_tc"] == np.inf
    assert "∞" in (tmp_path / "result/index.html").read_text()


def test_the_example_in_the_documentation_says_what_it_gives(run: Run, root: Path, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setitem(run_audit.__kwdefaults__, "settings", AuditSettings())
    text = (root / "docs/audit.md").read_text()
    make, from_python = re.findall("```python\n(.*?)```", text, flags=re.DOTALL)
    (line,) = re.findall("```sh\nlatent-audit (.*)\n```", text)
    exec(make, {})
    assert run(line) == 0
    tables = {path.stem: pd.read_csv(path) for path in (tmp_path / "result").glob("*.csv")}
    holes = tables["joint"].set_index("metric").loc["hole_fraction"]
    assert f"`hole_fraction` {holes['value']:.3f}:" in text
    assert f"{holes['null_low']:.3f} to {holes['null_high']:.3f} " in text
    assert f"owns {tables['classes'].set_index('class_name')['area']['core']:.3f} of the prior" in text
    scores = tables["separability"].set_index("metric")["value"]
    assert f"reads the class in {scores['linear_probe_accuracy']:.2f} of cases" in text
    assert scores["knn_accuracy"] == 1
    capsys.readouterr()
    exec(from_python, {})
    assert float(capsys.readouterr().out) == pytest.approx(holes["value"], rel=1e-9)


def test_ties_are_said_in_the_terminal_and_kept(run: Run, tmp_path: Path, capsys):
    np.save("codes.npy", np.hstack([Z, (Z[:, :1] > 0) - 0.5]))
    assert run("audit codes.npy --out result") == 0
    said = "z: 1 of 3 dimensions not continuous, 2 (binary, 2 different values in 60 rows)"
    assert said in capsys.readouterr().err
    assert any(said in note for note in json.loads((tmp_path / "result/audit.json").read_text())["notes"])
    per_dim = pd.read_csv(tmp_path / "result/per_dim.csv")
    assert per_dim["kind"].tolist() == ["continuous", "continuous", "binary"]
    assert per_dim["ks_p_holm"].isna().tolist() == [False, False, True]
    np.save("short.npy", np.random.default_rng(0).standard_normal((3000, 2)).astype(np.float16))
    assert run("audit short.npy --out result") == 0
    assert "not continuous" not in capsys.readouterr().err


ESCAPE = "\x1b]0;owned\x07\x1b[31m"


def plain(text: str) -> bool:
    """Whether a terminal shows all of it and obeys none."""
    return "\u202e" not in text and all(c in "\n\t" or unicodedata.category(c) != "Cc" for c in text)


def test_control_characters_of_a_file_reach_neither_terminal_nor_page(run: Run, tmp_path: Path, real_page, capsys):
    names = [f"a{ESCAPE}", "b\u202e"]
    table = pd.DataFrame(Z, columns=names).assign(**{f"id{ESCAPE}": 1, f"kind{ESCAPE}": NAMED})
    table.to_csv(f"codes{ESCAPE}.csv", index=False)
    columns = shlex.join(["--columns", names[0], "--columns", names[1], "--labels", f"kind{ESCAPE}"])
    assert run(f"audit 'codes{ESCAPE}.csv' {columns} --out 'out{ESCAPE}'") == 0
    assert plain(capsys.readouterr().err)
    for path in (tmp_path / f"out{ESCAPE}").iterdir():
        assert plain(path.read_text(encoding="utf-8")), path.name
    assert r"a\x1b]0" in (tmp_path / f"out{ESCAPE}/index.html").read_text(encoding="utf-8")


BAD_NAMES = {
    "absent": "'no{0}.csv' --out result",
    "text": "'codes{0}.csv' --out result",
    "labels": "'codes{0}.csv' --labels 'y{0}' --out result",
    "label file": "'codes{0}.csv' --labels 'y{0}.txt' --columns a --out result",
    "columns": "'codes{0}.csv' --columns 'y{0}' --out result",
    "out": "'codes{0}.csv' --columns a --out 'codes{0}.csv'",
}


@pytest.mark.parametrize("case", BAD_NAMES)
def test_an_error_about_such_a_file_is_plain(run: Run, capsys, case: str):
    pd.DataFrame({"a": Z[:, 0], f"t{ESCAPE}": "x"}).to_csv(f"codes{ESCAPE}.csv", index=False)
    assert run(f"audit {BAD_NAMES[case].format(ESCAPE)}") == 2
    said = capsys.readouterr().err
    assert plain(said)
    assert r"\x1b]0;owned\x07" in said


def test_errors_name_the_path_that_was_given(run: Run, tmp_path: Path, capsys):
    (tmp_path / "mine").mkdir()
    np.save("mine/codes.npy", Z)
    np.save("codes.npy", np.zeros(3))
    Path("mine/y.txt").write_text("a\nb\n")
    for line, words in (
        ("codes.npy", "error: codes.npy: needs at least 20 rows"),
        ("mine/codes.npy --labels codes.npy", "error: codes.npy: 3 labels for 60 codes in codes.npy"),
        ("mine/codes.npy --labels mine/y.txt", "error: mine/y.txt: 2 labels for 60 codes"),
        ("mine/codes.npy --images mine/codes.npy", "error: mine/codes.npy: images must be uint8"),
        ("mine/codes.npy --columns 9", "error: mine/codes.npy: --columns '9' is no column"),
        ("mine/none.npy", "error: mine/none.npy: there is no such file"),
    ):
        assert run(f"audit {line} --out result") == 2
        assert words in capsys.readouterr().err


def test_a_pipe_is_no_file_and_home_is_expanded(run: Run, tmp_path: Path, monkeypatch, capsys):
    os.mkfifo(tmp_path / "codes.npy")
    assert run("audit codes.npy --out result") == 2
    assert "is no file but a pipe" in capsys.readouterr().err
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    np.save("home/z.npy", Z)
    assert run("audit '~/z.npy' '--out=~/result'") == 0
    assert (tmp_path / "home/result/audit.json").exists()


# --- the folder ------------------------------------------------------------------------------------------------------


def test_an_earlier_audit_is_replaced_whole(run: Run, tmp_path: Path):
    save_all(kind=LABELS)
    assert run("audit codes.npz --labels kind --out result") == 0
    assert run("audit codes.npz --out result") == 0
    assert "classes.csv" not in everything(tmp_path / "result")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_empty_folder_is_filled(run: Run, tmp_path: Path):
    np.save("codes.npy", Z)
    (tmp_path / "result").mkdir()
    assert run("audit codes.npy --out result") == 0
    assert (tmp_path / "result/index.html").exists()


def prepare_folder(case: str, folder: Path) -> None:
    if case == "file":
        folder.write_text("mine")
        return
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    if case == "foreign marker":
        (folder / "audit.json").write_text('{"made_by": "somebody else", "files": ["mine.txt"]}')
    if case == "more than an audit":
        (folder / "audit.json").write_text('{"made_by": "latent-audit audit", "files": ["joint.csv"]}')
    if case == "broken marker":
        (folder / "audit.json").write_text("{")


OCCUPIED = {
    "file": "is a file",
    "not empty": "holds 1 entries and is no earlier result",
    "foreign marker": "no audit.json of ours",
    "broken marker": "no audit.json of ours",
    "more than an audit": r"also holds \['mine.txt'\]",
}


@pytest.mark.parametrize("case", OCCUPIED)
def test_what_is_somebody_elses_is_left_alone(run: Run, tmp_path: Path, capsys, case: str):
    np.save("codes.npy", Z)
    prepare_folder(case, tmp_path / "result")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert run("audit codes.npy --out result") == 2
    assert re.search(OCCUPIED[case], capsys.readouterr().err)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_folder_that_cannot_be_made_is_said_before_the_work(run: Run, capsys):
    np.save("codes.npy", Z)
    Path("file").write_text("x")
    for out in ("file/result", "/proc/result"):
        assert run(f"audit codes.npy --out {out}") == 2
        assert "cannot be made there" in capsys.readouterr().err


def test_a_failure_half_way_leaves_the_earlier_audit_and_no_trace(run: Run, tmp_path: Path, monkeypatch):
    np.save("codes.npy", Z)
    assert run("audit codes.npy --out result") == 0
    before = everything(tmp_path / "result")
    monkeypatch.setattr(audit_command, "audit_page", lambda *_: 1 / 0)
    for out in ("result", "deep/new"):
        with pytest.raises(ZeroDivisionError):
            run_audit(Request(Path("codes.npy"), Path(out)), settings=FAST, say=lambda line: None)
    assert everything(tmp_path / "result") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codes.npy", "result"]


def test_a_rename_that_fails_puts_the_old_folder_back(tmp_path: Path, monkeypatch):
    (tmp_path / "result").mkdir()
    (tmp_path / "result/old").write_text("old")
    from latent_audit.base import folder as module

    calls, replace = [], module.os.replace

    def second_fails(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(module.os, "replace", second_fails)
    with pytest.raises(InputError, match="No space left"), whole_folder(tmp_path / "result") as new:
        (new / "new").write_text("new")
    assert everything(tmp_path / "result") == {"old": b"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


# --- bad input: one sentence, exit code 2, no folder -----------------------------------------------------------------


def bad(case: str) -> str:
    """Makes the bad file and gives the rest of the command line."""
    match case:
        case "absent":
            return "none.npy"
        case "suffix":
            Path("codes.mat").write_text("x")
            return "codes.mat"
        case "NaN":
            np.save("codes.npy", np.where(Z > 2, np.nan, Z))
        case "few rows":
            np.save("codes.npy", Z[:19])
        case "wide":
            np.save("codes.npy", np.zeros((20, 2049)))
            return "codes.npy --reduce none"
        case "objects":
            np.save("codes.npy", np.array([{}] * N))
        case "not an npy":
            Path("codes.npy").write_text("1,2\n")
        case "no such labels":
            np.savez("codes.npz", z=Z)
            return "codes.npz --labels kind"
        case "label count":
            np.savez("codes.npz", z=Z, labels=LABELS[1:])
            return "codes.npz"
        case "text column":
            pd.DataFrame(Z).assign(kind="bag").to_csv("codes.csv", index=False)
            return "codes.csv"
        case "ragged":
            Path("codes.csv").write_text("a,b\n" + "1,2\n" * 30 + "1\n")
            return "codes.csv"
        case "images":
            np.save("codes.npy", Z)
            np.save("images.npy", np.zeros((N - 1, 4, 4), np.uint8))
            return "codes.npy --images images.npy"
        case "seed":
            np.save("codes.npy", Z)
            return "codes.npy --seed -1"
    return "codes.npy"


MESSAGES = {
    "absent": "none.npy: there is no such file; check the path.",
    "suffix": "codes.mat: the suffix must be one of .npy, .npz, .csv, .parquet",
    "NaN": "codes.npy: codes are NaN, infinite or beyond",
    "few rows": "codes.npy: needs at least 20 rows of codes, got 19",
    "wide": "codes.npy: 2,049 dimensions, at most 2,048 are allowed",
    "objects": "codes.npy: an array of Python objects (a pickle inside), which is never opened here",
    "not an npy": "codes.npy: not a .npy array",
    "no such labels": "--labels kind: there is no such file, and codes.npz has the arrays ['z']",
    "label count": "codes.npz: 59 labels for 60 codes in codes.npz",
    "text column": "codes.csv: 1 column not of numbers: ['kind']",
    "ragged": "codes.csv: the first line has 2 cells, but 1 lines have another number: line 32 has 1",
    "images": "images.npy: 59 images for 60 codes",
    "seed": "--seed -1: a seed must be 0 or more",
}


@pytest.mark.parametrize("case", MESSAGES)
def test_bad_input_is_one_sentence_and_no_folder(run: Run, tmp_path: Path, capsys, case: str):
    rest = bad(case)
    before = sorted(tmp_path.rglob("*"))
    assert run(f"audit {rest} --out deep/result") == 2
    said = capsys.readouterr().err
    assert MESSAGES[case] in said
    assert sum(line.startswith("error: ") for line in said.splitlines()) == 1
    assert "Traceback" not in said
    assert sorted(tmp_path.rglob("*")) == before


def test_the_folder_one_stands_in_is_not_replaced(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    np.save(tmp_path.parent / "codes.npy", Z)
    assert run("audit ../codes.npy --out .") == 2
    assert "the folder you stand in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_class_called_like_a_formula_is_drawn_as_it_is_written(run: Run, tmp_path: Path, real_page):
    np.savez(tmp_path / "codes.npz", z=Z, labels=np.where(LABELS, "$10_$", "$50K-$100K"))
    assert run("audit codes.npz --out result") == 0
    page = (tmp_path / "result/index.html").read_text(encoding="utf-8")
    assert "$10_$" in page
    assert page.count("$50K-$100K") >= 2  # in the table and in the figures


def test_a_link_to_itself_is_an_error_in_words(run: Run, tmp_path: Path):
    (tmp_path / "loop").symlink_to("loop")
    np.save(tmp_path / "codes.npy", Z)
    assert run("audit codes.npy --out loop/result") == 2


def test_a_file_whose_name_is_not_utf_8_is_audited(tmp_path, real_page):
    np.save(tmp_path / "z.npy", np.random.default_rng(0).normal(size=(300, 2)))
    odd = tmp_path / os.fsdecode(b"caf\xe9.npy")
    (tmp_path / "z.npy").rename(odd)
    run_audit(Request(odd, tmp_path / "out", None, None, 0))
    assert "caf\ufffd.npy" in (tmp_path / "out/index.html").read_text(encoding="utf-8")
