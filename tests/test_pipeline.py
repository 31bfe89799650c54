"""The pipeline end to end, on scikit-learn's digits, in a scratch copy: what runs, what is skipped, which bytes."""

import json
import re
import shutil
import sys

import pytest

from workspaces import ARMS, committed_copy, run, set_params, stages_that_changed, stages_that_ran

pytestmark = pytest.mark.pipeline
OF_AN_ARM = ("train", "encode", "decode", "diagnose")


def of_arms(*stages: str, arms: tuple[str, ...] = ARMS) -> list[str]:
    return [f"{stage}@{arm}" for stage in stages for arm in arms]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A workspace in which the tiny study has run, committed, with the output of that first run."""
    folder = committed_copy(tmp_path_factory.mktemp("study") / "one")
    output = run(folder, "dvc", "repro")
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "results")
    return folder, output


@pytest.fixture
def workspace(finished, tmp_path):
    """A copy of the finished workspace for one scenario."""
    shutil.copytree(finished[0], tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"


def test_the_first_run_runs_every_stage_and_writes_what_it_declares(finished):
    folder, output = finished
    every = ["check", "download", "preprocess", "critic", "compare", "render"]
    assert sorted(stages_that_ran(output)) == sorted(every + of_arms(*OF_AN_ARM))
    metrics = json.loads((folder / "reports/metrics.json").read_text())
    assert set(metrics) == {"critic", *ARMS}
    assert metrics["ae"]["ks_d_max"]["n_seeds"] == 2
    assert (folder / "reports/digits.html").stat().st_size <= 3_000_000
    assert "REDUCED DATA" in (folder / "reports/digits.html").read_text(encoding="utf-8").upper()
    assert "vae_marginals" in (folder / "reports/claims.csv").read_text()


def test_the_second_run_skips_everything(workspace):
    assert stages_that_ran(run(workspace, "dvc", "repro")) == []
    assert stages_that_changed(workspace) == []


def test_a_forced_run_of_one_arm_and_what_the_arms_share_gives_the_same_bytes(workspace):
    """Of training and encoding the tests of kills show the same."""
    before = (workspace / "dvc.lock").read_bytes()
    shutil.rmtree(workspace / ".checkpoints")
    forced = ["check", "download", "preprocess", "critic", "decode@beta_vae", "diagnose@beta_vae", "compare", "render"]
    output = run(workspace, "dvc", "repro", "--force", "--no-run-cache", "--single-item", *forced)
    assert sorted(stages_that_ran(output)) == sorted(forced)
    assert (workspace / "dvc.lock").read_bytes() == before


def test_beta_retrains_one_arm_and_what_follows_from_it(workspace):
    output = run(workspace, "dvc", "exp", "run", "-S", "beta=500")
    own = of_arms(*OF_AN_ARM, arms=("beta_vae",))
    assert sorted(stages_that_ran(output)) == sorted(["check", *own, "compare", "render"])
    assert json.loads((workspace / "models/beta_vae/arm.json").read_text())["beta_kl"] == pytest.approx(2.048)


def test_epochs_retrain_every_arm_and_leave_data_and_critic_alone(workspace):
    set_params(workspace, {"train.epochs": 2})
    changed = ["check", *of_arms("train"), "render"]  # the page shows the parameters
    assert stages_that_changed(workspace) == sorted(changed)


def test_a_change_of_a_figure_renders_and_does_nothing_else(workspace):
    style = workspace / "src/latent_audit/figures/style.py"
    style.write_text(style.read_text(encoding="utf-8") + "\n# a comment\n", encoding="utf-8")
    assert stages_that_ran(run(workspace, "dvc", "repro", "--dry")) == ["render"]


def test_a_device_that_is_not_there_stops_with_words(workspace):
    output = run(workspace, "dvc", "exp", "run", "-S", "device=mps", "critic", expect=255)
    assert "device: mps is not available" in output
    assert "Traceback" not in output and "git checkout" not in output  # params.yaml is not what is wrong


def test_fewer_seeds_leave_no_stale_replicate_behind(workspace):
    output = run(workspace, "dvc", "exp", "run", "-S", "seeds=[1]", "encode@beta_vae")
    assert stages_that_ran(output) == ["check", "train@beta_vae", "encode@beta_vae"]
    assert sorted(path.name for path in (workspace / "codes/beta_vae").iterdir()) == ["seed-1.npz"]


def test_a_scratch_study_leaves_the_checkout_as_it_was_and_a_named_one_takes_what_it_has_run(workspace):
    kept = ("params.yaml", "dvc.lock", "reports/metrics.json", "reports/digits.html")
    before = {name: (workspace / name).read_bytes() for name in kept}
    (workspace / "params/named.yaml").write_text("title: Another title\n")
    study = (sys.executable, "-m", "latent_audit.cli", "study", "named")

    output = run(workspace, *study)
    assert stages_that_ran(output) == ["check", "compare", "render"]  # the rest is in DVC's cache
    assert "report: reports/named.html; tables, parameters and dvc.lock: reports/named/" in output
    found = sorted(path.name for path in (workspace / "reports/named").iterdir())
    assert found == ["claims.csv", "dvc.lock", "metrics.json", "params.yaml"]
    page = (workspace / ".workspaces/named/reports/digits.html").read_bytes()
    assert (workspace / "reports/named.html").read_bytes() == page
    assert "Another title" in page.decode()
    assert {name: (workspace / name).read_bytes() for name in before} == before

    output = run(workspace, *study, "--experiment")
    assert stages_that_ran(output) == ["render"]  # what git keeps, DVC does not
    assert re.findall(r"Stage '([^']+)' is cached", output) == ["check"]
    assert "named" in run(workspace, "dvc", "exp", "list")
    assert (workspace / "dvc.lock").read_bytes() == (workspace / ".workspaces/named/dvc.lock").read_bytes()
