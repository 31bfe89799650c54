"""The user's own pictures through DVC: a changed folder is noticed by a plain `dvc repro`, damage stops nothing."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workspaces import committed_copy, run, set_params, stages_that_ran

pytestmark = pytest.mark.pipeline
WATCHED = "stages/sources/dvc.yaml:watched@folder"
N = 670


def draw(path: Path, seed: int) -> None:
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (9, 12), dtype=np.uint8)).save(path)


def meta(folder: Path) -> dict:
    return json.loads((folder / "data/prepared/folder/meta.json").read_text())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A workspace whose pictures, three of them damaged, are prepared; what that said, and what was prepared."""
    root = tmp_path_factory.mktemp("own")
    pictures = root / "my pictures"
    pictures.mkdir()
    for i in range(N):
        draw(pictures / f"{i:03}.png", i)
    for i in range(3):
        (pictures / f"{i:03}.png").write_bytes((pictures / f"{i:03}.png").read_bytes()[: 40 * i])
    folder = committed_copy(root / "one")
    set_params(folder, {"dataset": "folder", "data.path": str(pictures), "data.limit": None})
    output = run(folder, "dvc", "repro", "preprocess")
    return folder, pictures, output, meta(folder)


def test_damaged_pictures_stop_nothing_and_are_named_under_their_own_path(finished):
    _, pictures, output, prepared = finished
    assert stages_that_ran(output) == ["check", "download", "preprocess"]
    assert all(f"{pictures / name}: not an image" in output for name in ("000.png", "001.png", "002.png"))
    assert "_io.BytesIO" not in output
    assert prepared["n_train"] + prepared["n_test"] == N - 3
    assert "3 pictures cannot be read and were left out: 000.png, 001.png, 002.png." in prepared["notes"]


def test_strict_refuses_before_anything_is_prepared(finished, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "copy", symlinks=True)
    pictures = shutil.copytree(finished[1], tmp_path / "pictures")
    (pictures / "007.png").write_bytes(b"no picture")
    set_params(folder, {"data.path": str(pictures), "data.strict": True})
    output = run(folder, "dvc", "repro", "preprocess", expect=255)
    assert "pictures cannot be read" in output and str(pictures / "007.png") in output
    assert "Traceback" not in output


def test_a_fresh_clone_agrees_with_the_lock(finished, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "copy", symlinks=True)
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "results")
    run(tmp_path, "git", "clone", "-q", str(folder), "fresh")
    output = run(tmp_path / "fresh", "dvc", "repro", "--allow-missing", "--dry", "preprocess")
    assert stages_that_ran(output) == []


def test_an_unchanged_folder_is_only_looked_at_and_changes_are_noticed(finished):
    folder, pictures, *_ = finished
    output = run(folder, "dvc", "repro", "preprocess")
    assert stages_that_ran(output) == [] and f"folder: {N} files, as before" in output
    assert json.loads(run(folder, "dvc", "status", "--json", WATCHED, "download", "preprocess")) == {
        WATCHED: ["always changed"]
    }
    for i in range(3):
        (pictures / f"{i:03}.png").unlink()
    assert stages_that_ran(run(folder, "dvc", "repro", "preprocess")) == ["download", "preprocess"]
    assert not any("cannot be read" in note for note in meta(folder)["notes"])
    for i in range(100):
        draw(pictures / f"new{i}.png", 1000 + i)
    output = run(folder, "dvc", "repro", "preprocess")
    assert "100 new, 0 changed, 0 gone" in output
    assert meta(folder)["n_train"] + meta(folder)["n_test"] == N - 3 + 100
