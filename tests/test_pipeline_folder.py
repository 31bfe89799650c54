"""A flat folder of a user's own pictures, which have no classes, through the whole pipeline to the page."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from workspaces import copy_project, keep_arms, run, set_params, without_git

pytestmark = pytest.mark.pipeline


def draw(folder, n: int) -> None:
    """n grey pictures of 8x8 pixels: a soft spot somewhere."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[:8, :8]
    for index, (x, y) in enumerate(rng.uniform(1, 6, (n, 2))):
        spot = 255 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 3)
        Image.fromarray(spot.astype(np.uint8)).save(folder / f"{index:04d}.png")


def test_a_flat_folder_runs_to_the_page_and_nothing_is_said_of_classes(tmp_path):
    draw(tmp_path / "pictures", 700)
    folder = without_git(copy_project(tmp_path / "study"))
    keep_arms(folder, "beta_vae")
    own = {"dataset": "folder", "data.path": str(tmp_path / "pictures"), "data.image_size": 8, "data.pad_to": 8}
    set_params(folder, own | {"seeds": [0], "data.limit": None})
    output = run(folder, "dvc", "repro")
    assert "no classes to learn" in output
    assert "on these 64 pixels it is beta_kl 0.25 (on 1,024 pixels: 4)" in output
    critic = json.loads((folder / "critic/critic.json").read_text())
    assert critic["classes"] == [] and critic["accuracy"] is None
    for name in ("classes.csv", "separability.csv", "class_map.npz"):
        assert not (folder / "diagnostics/beta_vae" / name).exists()
    measured = set(json.loads((folder / "reports/metrics.json").read_text())["beta_vae"])
    assert "fd_random_prior" in measured
    assert not [name for name in measured if name.startswith(("fd_clf", "knn_", "area_", "confidence_", "jump_"))]
    claimed = set(pd.read_csv(folder / "reports/claims.csv")["claim_id"])
    assert "vae_few_holes" in claimed and not claimed & {"labels_group", "vae_equal_areas", "vae_interpolates"}
    page = (folder / "reports/folder.html").read_text(encoding="utf-8")
    assert "These images have no classes that could be told apart" in page
    assert "FD-clf" not in page.replace("fd_clf", "")
