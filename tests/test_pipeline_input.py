"""Bad parameters and arms, given to the pipeline as a user gives them; more of what is refused is in test_params.py."""

import shutil
import subprocess
import sys

import pytest
from ruamel.yaml import YAML

from workspaces import committed_copy, environment, run, set_params

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """A committed copy in which nothing has run."""
    return committed_copy(tmp_path_factory.mktemp("input") / "one")


@pytest.fixture
def workspace(committed, tmp_path):
    """A copy of it for one refusal: DVC leaves the parameter that was refused in params.yaml."""
    return shutil.copytree(committed, tmp_path / "copy", symlinks=True)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("beta=-1", "beta: Input should be greater than 0"),
        ("seeds=[1,1]", "repeated"),
        ("data.pad_to=16", "pad_to"),
        ("data.limit=5", "data.limit"),
        ("+train.momentum=0.9", "train.momentum: unknown key"),
        ("+diagnostics.margins.ks=1", "diagnostics.margins: unknown: ks"),
        ("seeds=[9223372036854775808]", "seeds.0"),
        ("diagnostics.neighbors=100000", "diagnostics.neighbors: 100,000 is more than data.limit 200"),
        ("device=mps", "device: mps is not available"),
    ],
)
def test_bad_parameters_stop_with_words_and_no_traceback(workspace, setting, words):
    output = run(workspace, "dvc", "exp", "run", "-S", setting, expect=255)
    assert words in output
    assert ("`git checkout params.yaml` takes back" in output) == ("mps" not in setting)
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("seeds", [], "seeds: give at least 1 seed"),
        ("model.latent_dim", 0, "model.latent_dim: "),
        ("dataset", "imagenet", "dataset: "),
        ("nonsense", 1, "nonsense: unknown key"),
    ],
)
def test_the_check_refuses_bad_parameters_with_words_and_status_2(workspace, key, value, words):
    set_params(workspace, {key: value})
    output = run(workspace, sys.executable, "stages/check.py", expect=2)
    assert words in output
    assert "Traceback" not in output
    assert not (workspace / "data").exists()


def test_an_unknown_arm_is_refused_with_the_names_there_are(workspace):
    for stage in ("train", "encode", "decode", "diagnose"):
        result = subprocess.run(
            [sys.executable, f"stages/{stage}.py", "gan"],
            cwd=workspace, env=environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 2
        assert "unknown arm 'gan'; params.yaml has the arms ae, vae, beta_vae" in result.stderr


@pytest.mark.parametrize(
    "name", ["a; touch x", "$(touch x)", "`touch x`", "'; touch x; '", '"; touch x; "', "a\ntouch x", "../params", "-h"]
)
def test_no_shell_and_no_folder_ever_sees_the_name_of_an_arm(workspace, name):
    yaml, path = YAML(), workspace / "params.yaml"
    content = yaml.load(path.read_text(encoding="utf-8"))
    content["arms"][name] = {"family": "ae", "watch": "beta"}
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)
    output = run(workspace, "dvc", "repro", expect=255)
    assert "arms: arm names" in output or "overlapping output" in output
    assert not (workspace / "x").exists()
    assert not (workspace / "models").exists()
    assert (workspace / "params/book.yaml").exists()


@pytest.mark.parametrize("name", ["digits; touch x", "../../params", "/x"])
def test_no_folder_is_made_of_a_data_set_that_is_unknown(workspace, name):
    set_params(workspace, {"dataset": name})
    output = run(workspace, "dvc", "repro", expect=255)
    assert "dataset: must be a plain name" in output or "overlapping output" in output
    assert not (workspace / "x").exists()
    assert (workspace / "params/book.yaml").exists()
