"""The whole pipeline on a few real images, where a mirror has them."""

import os

import pytest

from workspaces import copy_project, run, set_params

pytestmark = pytest.mark.pipeline


@pytest.mark.skipif("LATENT_AUDIT_MIRROR" not in os.environ, reason="LATENT_AUDIT_MIRROR is not set")
def test_the_smoke_overlay_runs_on_fashion_mnist(tmp_path):
    folder = copy_project(tmp_path / "fashion")
    set_params(folder, {"dataset": "fashion_mnist", "seeds": [0]})
    (folder / ".dvc/config.local").write_text("[core]\n    no_scm = true\n")
    run(folder, "dvc", "repro")
    assert (folder / "reports/fashion_mnist.html").exists()
