"""Bad parameters and arms, given to the pipeline as a user gives them; tests/settings has what else is refused."""

import re
import runpy
import shutil
import sys

import pytest
from ruamel.yaml import YAML

from import_graph import ROOT
from latent_audit.base.errors import InputError
from latent_audit.settings.whole import load_whole
from workspaces import ARMS, TINY, committed_copy, keep_arms, run, set_params, stages_that_ran

pytestmark = pytest.mark.pipeline
HOSTILE = ("a; touch x", "$(touch x)", "`touch x`", "'; touch x; '", '"; touch x; "', "a\ntouch x", "-h")
OUTSIDE = "../params"


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """A committed copy in which nothing has run."""
    return committed_copy(tmp_path_factory.mktemp("input") / "one")


@pytest.fixture
def workspace(committed, tmp_path):
    """A copy of it for one refusal: DVC leaves the parameter that was refused in params.yaml."""
    return shutil.copytree(committed, tmp_path / "copy", symlinks=True)


@pytest.fixture
def params(tmp_path):
    """The tiny study's params.yaml alone."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    set_params(tmp_path, TINY)
    keep_arms(tmp_path, *ARMS)
    return tmp_path / "params.yaml"


def add_arms(path, *names: str) -> None:
    yaml = YAML()
    content = yaml.load(path.read_text(encoding="utf-8"))
    content["arms"] |= {name: {"family": "ae", "watch": "beta"} for name in names}
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("beta=-1", "beta: Input should be greater than 0"),
        ("+diagnostics.margins.ks=1", "diagnostics.margins: unknown: ks"),
    ],
)
def test_dvc_stops_at_bad_parameters_with_words_and_no_traceback(workspace, setting, words):
    output = run(workspace, "dvc", "exp", "run", "-S", setting, expect=255)
    assert words in output
    assert "`git checkout params.yaml` takes back" in output
    assert "Traceback" not in output
    assert stages_that_ran(output) == ["check"]


def test_the_check_refuses_with_words_and_status_2(workspace):
    set_params(workspace, {"nonsense": 1})
    output = run(workspace, sys.executable, "stages/check.py", expect=2)
    assert "nonsense: unknown key" in output
    assert "Traceback" not in output
    assert not (workspace / "data").exists()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("seeds", [1, 1], "repeated"),
        ("seeds", [], "seeds: give at least 1 seed"),
        ("seeds", [2**63], "seeds.0"),
        ("data.pad_to", 16, "data.pad_to: 16 is less than the 28 pixels"),
        ("data.limit", 5, "data.limit"),
        ("train.momentum", 0.9, "train.momentum: unknown key"),
        ("diagnostics.neighbors", 100_000, "diagnostics.neighbors: 100,000 is more than data.limit 200"),
        ("model.latent_dim", 0, "model.latent_dim: "),
        ("dataset", "imagenet", "dataset: "),
        ("dataset", "/x", "dataset: must be a plain name"),
    ],
)
def test_bad_parameters_are_refused_with_words(params, key, value, words):
    set_params(params.parent, {key: value})
    with pytest.raises(InputError, match=re.escape(words)):
        load_whole(params)


@pytest.mark.parametrize("stage", ["train", "encode", "decode", "diagnose"])
def test_an_unknown_arm_is_refused_with_the_names_there_are(stage, params, monkeypatch):
    main = runpy.run_path(str(ROOT / f"stages/{stage}.py"))["main"]
    monkeypatch.chdir(params.parent)
    with pytest.raises(InputError, match=r"unknown arm 'gan'; params\.yaml has the arms ae, beta_vae"):
        main("gan")


def test_an_unknown_arm_ends_a_stage_with_status_2(workspace):
    output = run(workspace, sys.executable, "stages/train.py", "gan", expect=2)
    assert "unknown arm 'gan'" in output and "Traceback" not in output


@pytest.mark.parametrize("name", [*HOSTILE, OUTSIDE])
def test_the_name_of_an_arm_is_a_plain_word(params, name):
    add_arms(params, name)
    with pytest.raises(InputError, match="arms: arm names"):
        load_whole(params)


@pytest.mark.parametrize(
    ("names", "words"), [(HOSTILE, "arms: arm names"), ((OUTSIDE,), "overlapping output")], ids=["hostile", "outside"]
)
def test_no_shell_and_no_folder_ever_sees_the_name_of_an_arm(workspace, names, words):
    add_arms(workspace / "params.yaml", *names)
    assert words in run(workspace, "dvc", "repro", expect=255)
    assert not (workspace / "x").exists()
    assert not (workspace / "models").exists()
    assert (workspace / "params/book.yaml").exists()


@pytest.mark.parametrize("name", ["digits; touch x", "../../params"])
def test_no_folder_is_made_of_a_data_set_that_is_unknown(workspace, name):
    set_params(workspace, {"dataset": name})
    output = run(workspace, "dvc", "repro", expect=255)
    assert "dataset: must be a plain name" in output or "overlapping output" in output
    assert not (workspace / "x").exists()
    assert (workspace / "params/book.yaml").exists()
