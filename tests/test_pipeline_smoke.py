"""A few real images from a mirror to the codes of an arm; tests/test_pipeline.py goes on to the page with digits."""

import os

import numpy as np
import pytest

from latent_audit.runs.studies import apply_overlay, read_overlay
from workspaces import copy_project, keep_arms, run, set_params, without_git

pytestmark = pytest.mark.pipeline


@pytest.mark.skipif("LATENT_AUDIT_MIRROR" not in os.environ, reason="LATENT_AUDIT_MIRROR is not set")
def test_the_smoke_overlay_encodes_fashion_mnist(tmp_path):
    folder = without_git(copy_project(tmp_path / "fashion"))
    overlay = read_overlay(folder, "smoke")
    apply_overlay(folder / "params.yaml", overlay)
    set_params(folder, {"dataset": "fashion_mnist", "seeds": overlay["seeds"][:1]})
    keep_arms(folder, "beta_vae")
    output = run(folder, "dvc", "repro", "encode@beta_vae")
    assert "fashion_mnist: 600 train and" in output
    with np.load(folder / "codes/beta_vae/seed-0.npz") as codes:
        assert codes["z"].shape == (600, 2)
