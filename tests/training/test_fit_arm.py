"""latent_audit.training.fit_arm: real worker processes on tiny data, and the name of a checkpoint folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import latent_audit
from latent_audit.training import fit_arm as replicate
from latent_audit.training.fit_arm import checkpoint_folder, train_replicate, train_replicates
from latent_audit.training.helper_process import HelperProcess
from training.replicas import same

CPU = torch.device("cpu")
HERE = ["cpu", "avx2"]  # a device class


def test_a_seeds_bytes_do_not_depend_on_the_seeds_beside_it(prepared, tiny_run, tmp_path):
    run = tiny_run("vae")
    ticks = []
    (alone,) = train_replicates(prepared, run, tmp_path / "one", seeds=[7], device=CPU, on_tick=lambda tick: None)
    beside, other = train_replicates(prepared, run, tmp_path / "two", seeds=[7, 3], device=CPU, on_tick=ticks.append)
    assert same(alone, beside)
    assert {row["seed"] for row in other.history} == {3}
    assert not torch.equal(alone.weights["decoder.8.weight"], other.weights["decoder.8.weight"])
    assert sorted((tick.seed, tick.epoch) for tick in ticks) == [(3, 1), (3, 2), (7, 1), (7, 2)]
    assert {path.name for path in (tmp_path / "two").iterdir()} == {"seed-7.safetensors", "seed-3.safetensors"}


def test_a_worker_resumes_from_its_checkpoint(prepared, tiny_run, tmp_path):
    run, ticks = tiny_run("ae"), []
    first = train_replicate(prepared, run, tmp_path, CPU, seed=1, send=ticks.append)
    assert len(ticks) == 2
    again = train_replicate(prepared, run, tmp_path, CPU, seed=1, send=ticks.append)
    assert len(ticks) == 2  # nothing was left to train
    assert again.history == first.history


@pytest.mark.parametrize("spare", [True, False])
def test_a_second_process_where_a_core_is_idle(prepared, tiny_run, tmp_path, monkeypatch, spare):
    seconds = []

    class Awaited(HelperProcess):
        def __init__(self, *arguments: Any):
            super().__init__(*arguments)
            assert self.ready(60)
            seconds.append(self)

    monkeypatch.setattr(replicate, "HelperProcess", Awaited)
    monkeypatch.setattr(replicate, "core_to_spare", lambda: spare)
    monkeypatch.setattr("latent_audit.training.helper_process.WORTH", 0)
    run = tiny_run("vae")
    ours = train_replicate(prepared, run, tmp_path / "one", CPU, seed=3, send=lambda tick: None)
    assert len(seconds) == spare
    monkeypatch.undo()
    alone = train_replicate(prepared, run, tmp_path / "two", CPU, seed=3, send=lambda tick: None)
    assert same(ours, alone)


def test_a_checkpoint_folder_is_named_by_all_that_defines_the_run(prepared, tiny_run, tmp_path):
    run = tiny_run("vae")
    folder = checkpoint_folder(tmp_path, prepared, run, HERE)
    assert folder.parent == tmp_path
    assert folder == checkpoint_folder(tmp_path, prepared, tiny_run("vae"), HERE)
    changes = {
        "arm": "other", "reconstruction": "mse", "beta": 65.0, "epochs": 3, "batch_size": 20, "learning_rate": 2e-3,
        "precision": "bfloat16", "model": replace(run.model, latent_dim=3), "classes": (1,),
    }  # fmt: skip
    folders = {
        checkpoint_folder(tmp_path, prepared, replace(run, **{key: value}), HERE) for key, value in changes.items()
    }
    folders.add(checkpoint_folder(tmp_path, prepared, run, ["cuda", "a GPU", "avx2"]))
    folders.add(checkpoint_folder(tmp_path, prepared, run, ["cpu", "avx2", "avx512_f"]))
    assert len(folders) == len(changes) + 2
    assert folder not in folders


@pytest.mark.parametrize("split", ["train", "test"])
def test_other_images_have_another_checkpoint_folder(prepared, tiny_run, tmp_path, split):
    before = checkpoint_folder(tmp_path, prepared, tiny_run(), HERE)
    images = np.load(prepared / f"{split}_images.npy")
    images[0, 0, 0, 0] ^= 1
    np.save(prepared / f"{split}_images.npy", images)
    assert checkpoint_folder(tmp_path, prepared, tiny_run(), HERE) != before


@pytest.mark.parametrize(
    "module",
    [
        "training/fit.py",
        "models/elbo.py",
        "models/architectures/conv.py",
        "base/densities.py",
        "base/randomness.py",
        "data/prepared.py",
        "compute/workers.py",
    ],
)
def test_changed_code_has_another_checkpoint_folder(prepared, tiny_run, tmp_path, monkeypatch, module):
    """Whatever a replicate's bytes go through is hashed (the hash itself is tested in test_checkpoint.py)."""
    hashed: set[Path] = set()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: hashed.add(self.resolve()) or read(self))
    checkpoint_folder(tmp_path, prepared, tiny_run(), HERE)
    assert Path(latent_audit.__file__).resolve().parent / module in hashed


def test_a_network_with_batch_statistics_opens_no_helper_for_its_tests_alone(prepared, tiny_run, tmp_path, monkeypatch):
    class Refused(HelperProcess):
        def __init__(self, *given: Any):
            pytest.fail("its batches are not halved")

    monkeypatch.setattr(replicate, "HelperProcess", Refused)
    monkeypatch.setattr(replicate, "core_to_spare", lambda: True)
    monkeypatch.setattr("latent_audit.training.helper_process.WORTH", 0)
    run = tiny_run("ae", epochs=1)
    run = replace(run, model=replace(run.model, settings={"norm": "batch"}))
    train_replicate(prepared, run, tmp_path, CPU, seed=0, send=lambda tick: None)


def test_seeds_with_batch_statistics_train_one_after_the_other_on_an_accelerator(
    prepared, tiny_run, tmp_path, monkeypatch
):
    run = tiny_run("ae", epochs=1)
    run = replace(run, model=replace(run.model, settings={"norm": "batch"}))
    monkeypatch.setattr(replicate, "fit_stacked", lambda *given, **named: pytest.fail("they cannot be stacked"))
    called = []
    monkeypatch.setattr(replicate, "map_seeds", lambda work, seeds, **named: called.append(tuple(seeds)))
    replicate.train_replicates(
        prepared, run, tmp_path, seeds=(0, 1), device=torch.device("meta"), on_tick=lambda tick: None
    )
    assert called == [(0, 1)]


def test_an_arm_trains_on_its_own_classes_alone(prepared, tiny_run, tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(replicate, "fit", lambda splits, *given, **named: seen.update(splits))
    run = replace(tiny_run("ae"), classes=(1, 2))
    train_replicate(prepared, run, tmp_path, CPU, seed=0, send=lambda tick: None)
    for name, split in seen.items():
        labels = np.load(prepared / f"{name}_labels.npy")
        assert set(split.labels) == {1, 2} and len(split.images) == np.isin(labels, [1, 2]).sum()
    assert set(seen) == {"train", "test"}


def test_what_an_arm_may_leave_out_is_not_in_the_name_of_its_checkpoints(prepared, tiny_run, tmp_path, monkeypatch):
    named = []
    monkeypatch.setattr(replicate.checkpoint, "run_key", lambda definition: named.append(definition["run"]) or "x")
    for classes in (None, (1,)):
        checkpoint_folder(tmp_path, prepared, replace(tiny_run("vae"), classes=classes), HERE)
    assert "classes" not in named[0] and named[1]["classes"] == (1,)
