"""Bad parameters and arms, given to the pipeline as a user gives them; more of what is refused is in test_params.py."""

import shutil
import subprocess
import sys

import pytest

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
        ("device=mps", "device: mps is not available"),
    ],
)
def test_bad_parameters_stop_with_words_and_no_traceback(workspace, setting, words):
    output = run(workspace, "dvc", "exp", "run", "-S", setting, expect=255)
    assert words in output
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
def test_a_stage_refuses_bad_parameters_with_words_and_status_2(workspace, key, value, words):
    set_params(workspace, {key: value})
    output = run(workspace, sys.executable, "stages/download.py", expect=2)
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
