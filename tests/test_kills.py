"""SIGKILL at random moments of the pipeline: what comes out in the end is what an undisturbed run gives.

A few kills of a part by default; `LATENT_AUDIT_KILLS=30 pytest tests/test_kills.py` for thirty of the whole.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from latent_audit.runs.recover import recover
from workspaces import copy_project, environment, run, set_params, without_git

pytestmark = pytest.mark.pipeline
KILLS = int(os.environ.get("LATENT_AUDIT_KILLS", "0"))
FEW = 4  # without that variable: so many, while one arm trains and is encoded
TARGETS = () if KILLS else ("encode@beta_vae",)
VICTIMS = (
    "group",
    "dvc",
    "stage",
    "worker",
)  # everything; DVC alone, leaving an orphan; the script; a worker of it, or what forks them
STUCK = 600.0  # seconds in which the whole of it ends even on a machine that is busy otherwise
LONGEST = 12.0 if KILLS else 8.0  # seconds a run is let alone


def fresh(target: Path) -> Path:
    without_git(copy_project(target))
    set_params(target, {"train.epochs": 3})
    return target


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A run that nothing disturbed."""
    folder = fresh(tmp_path_factory.mktemp("kills") / "undisturbed")
    run(folder, "dvc", "repro", *TARGETS)
    return folder


def start(folder: Path, *targets: str) -> subprocess.Popen:
    return subprocess.Popen(
        ["dvc", "repro", *targets], cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def kill(process: subprocess.Popen, victim: str, rng: np.random.Generator) -> None:
    """SIGKILL the victim; where there is no such process at this moment, everything."""
    below = psutil.Process(process.pid).children(recursive=True)
    scripts = [one for one in below if runs_python(one, "stages/")]
    workers = [one for one in below if runs_python(one, "forkserver")]
    chosen = {"dvc": [psutil.Process(process.pid)], "stage": scripts, "worker": workers}.get(victim, [])
    if chosen:
        chosen[rng.integers(len(chosen))].kill()
        if victim == "dvc":
            return  # its orphan goes on while the next run starts
        try:
            # DVC sees its stage fail, and says so; or goes on to its end where the victim had just done its work
            process.wait(timeout=STUCK)
            return
        except subprocess.TimeoutExpired:
            pytest.fail(f"DVC waits for ever after its {victim} was killed")
    os.killpg(process.pid, signal.SIGKILL)


def runs_python(process: psutil.Process, what: str) -> bool:
    try:
        return any(what in argument for argument in process.cmdline())
    except psutil.Error:
        return False


def test_kills_at_random_moments_change_no_byte(undisturbed, tmp_path):
    expected = (undisturbed / "dvc.lock").read_bytes()
    rng, killed, rounds = np.random.default_rng(20261120), 0, 0
    while killed < (KILLS or FEW):
        rounds += 1
        folder = fresh(tmp_path / f"killed-{rounds}")
        finished = False
        while killed < (KILLS or FEW) and not finished:
            process = start(folder, *TARGETS)
            try:
                finished = process.wait(timeout=rng.uniform(1, LONGEST)) == 0
                assert finished or recover(folder), "a run that nobody killed ended with an error"
            except subprocess.TimeoutExpired:
                kill(process, VICTIMS[killed % len(VICTIMS)], rng)
                killed += 1
            process.wait()
        recover(folder)
        run(folder, "dvc", "repro", *TARGETS)
        assert (folder / "dvc.lock").read_bytes() == expected, f"after {killed} kills, round {rounds}"
        shutil.rmtree(folder)


def test_what_an_orphan_trained_is_not_trained_again(undisturbed, tmp_path):
    folder = shutil.copytree(undisturbed, tmp_path / "orphan", symlinks=True)
    shutil.rmtree(folder / ".checkpoints")
    set_params(folder, {"train.epochs": 2})
    process = start(folder, "train@beta_vae")
    while not (folder / ".checkpoints/train-beta_vae.lock").exists():
        assert process.poll() is None
        time.sleep(0.05)
    dvc = psutil.Process(process.pid)
    scripts = [one for one in dvc.children(recursive=True) if runs_python(one, "stages/train.py")]
    dvc.kill()
    process.wait()
    psutil.wait_procs(scripts, timeout=STUCK)
    assert len(list(folder.glob(".checkpoints/*/seed-*.safetensors"))) == 2
    recover(folder)
    output = run(folder, "dvc", "repro", "train@beta_vae")
    assert "Running stage 'train@beta_vae'" in output
    assert "epoch 1/2" not in output
