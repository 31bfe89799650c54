"""latent_audit.training.checkpoint: what is resumed is what was saved, and nothing else is."""

import json
import os
import time

import pytest
import torch
from safetensors.torch import save_file

from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.family import Batch, Objective
from latent_audit.models.image import ImageShape
from latent_audit.training import adam
from latent_audit.training.checkpoint import KEPT_SECONDS, Progress, code_hash, expire, restore, run_key, save

HISTORY = [
    {"seed": 0, "epoch": 1, "split": "train", "objective": 0.1 + 0.2, "recon_nll": 1 / 3, "kl": 0.0, "elbo": -1.0}
]


def fresh(family: str = "vae", *, latent_dim: int = 2, seed: int = 0, **settings):
    model = build(ModelSpec(family, "conv", ImageShape(1, 8, 8), latent_dim, settings), seed=seed)
    return model, adam.adam(model.parameters(), 0.01)


def step(model, optimizer, *numbers: int) -> None:
    for index in numbers:
        eps = torch.randn(4, model.spec.latent_dim, generator=torch.Generator().manual_seed(index))
        x = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(index))
        batch = Batch(x, x, torch.zeros(4, dtype=torch.int64))
        loss = model(batch, {"eps": eps}, Objective("bce", 64.0))["objective"].mean()
        adam.step(optimizer, list(torch.autograd.grad(loss, list(model.parameters()))), index)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / ".checkpoints" / "seed-0.safetensors"
    model, optimizer = fresh()
    step(model, optimizer, 1, 2, 3)
    save(path, model, optimizer, Progress(1, HISTORY))
    return path, model, optimizer


def equal(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    ours, theirs = first.state_dict(), second.state_dict()
    return set(ours) == set(theirs) and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_weights_and_history_come_back_exactly(saved):
    path, model, _ = saved
    other, others = fresh(seed=9)
    assert restore(path, other, others) == Progress(1, HISTORY)  # floats to the last bit
    assert equal(model, other)


def test_adam_comes_back_exactly(saved):
    path, model, optimizer = saved
    other, others = fresh(seed=9)
    restore(path, other, others)
    step(model, optimizer, 4, 5)
    step(other, others, 4, 5)  # Adam's moments go on as if nothing had happened
    assert equal(model, other)


def test_running_statistics_come_back_exactly(tmp_path):
    model, optimizer = fresh(norm="batch")
    step(model, optimizer, 1, 2, 3)
    save(tmp_path / "a", model, optimizer, Progress(1, HISTORY))
    other, others = fresh(seed=9, norm="batch")
    restore(tmp_path / "a", other, others)
    assert equal(model, other)
    assert {name for name, _ in other.named_buffers()} >= {"encoder.body.1.running_mean", "encoder.body.1.running_var"}
    assert other.get_buffer("encoder.body.1.num_batches_tracked") == 3
    step(model, optimizer, 4)
    step(other, others, 4)
    assert equal(model, other)


def test_no_checkpoint_is_a_fresh_start_in_silence(tmp_path, capsys):
    model, optimizer = fresh()
    assert restore(tmp_path / "none", model, optimizer) == Progress(0, [])
    assert equal(model, fresh()[0])
    assert capsys.readouterr() == ("", "")


def damage(path, kind: str) -> None:
    whole = path.read_bytes()
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut short":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "text":
        path.write_text("no checkpoint")
    elif kind == "no metadata":
        save_file({"model.x": torch.zeros(1)}, path)
    elif kind == "broken history":
        save_file({"model.x": torch.zeros(1)}, path, metadata={"epochs_done": "1", "history": "[{"})
    else:
        save_file({"model.x": torch.zeros(1)}, path, metadata={"epochs_done": "1", "history": "[]"})


@pytest.mark.parametrize("kind", ["empty", "cut short", "text", "no metadata", "broken history", "other tensors"])
def test_a_damaged_checkpoint_is_set_aside_with_a_line(saved, capsys, kind):
    path = saved[0]
    damage(path, kind)
    model, optimizer = fresh()
    assert restore(path, model, optimizer) == Progress(0, [])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ignoring the damaged checkpoint seed-0.safetensors (")
    assert err.endswith("); this seed starts afresh\n")
    assert not path.exists()
    assert equal(model, fresh()[0])


@pytest.mark.parametrize("other", [{"latent_dim": 3}, {"family": "ae"}], ids=["other latent_dim", "other family"])
def test_another_networks_checkpoint_leaves_no_trace(saved, other):
    model, optimizer = fresh(**other)
    assert restore(saved[0], model, optimizer) == Progress(0, [])
    assert equal(model, fresh(**other)[0])


def test_a_checkpoint_without_adams_state_is_damaged(tmp_path):
    path = tmp_path / "seed-0.safetensors"
    model, optimizer = fresh()
    tensors = {f"model.{name}": value.contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, path, metadata={"epochs_done": "1", "history": json.dumps(HISTORY)})
    assert restore(path, model, optimizer) == Progress(0, [])


def test_saving_replaces_whole(saved):
    path, model, optimizer = saved
    save(path, model, optimizer, Progress(2, HISTORY * 2))
    assert restore(path, *fresh()) == Progress(2, HISTORY * 2)
    assert list(path.parent.iterdir()) == [path]


def test_run_key_names_what_defines_the_run():
    definition = {"beta": 500.0, "data": ["ab"], "run": {"epochs": 5}}
    key = run_key(definition)
    assert key == run_key(dict(reversed(definition.items())))
    assert len(key) == 32
    for other in ({"beta": 256.0}, {"data": ["ac"]}, {"run": {"epochs": 6}}, {"device": "cuda"}):
        assert run_key(definition | other) != key


def test_code_hash_follows_names_and_contents(tmp_path):
    (tmp_path / "fit.py").write_text("a = 1\n")
    (tmp_path / "notes.txt").write_text("not code")
    before = code_hash(tmp_path)
    assert code_hash(tmp_path) == before
    (tmp_path / "notes.txt").write_text("still not code")
    assert code_hash(tmp_path) == before
    (tmp_path / "fit.py").write_text("a = 2\n")
    changed = code_hash(tmp_path)
    assert changed != before
    (tmp_path / "fit.py").rename(tmp_path / "gif.py")
    assert code_hash(tmp_path) not in (before, changed)


def test_only_checkpoints_in_which_nothing_was_written_for_a_day_expire(tmp_path):
    for name, age in (("old", KEPT_SECONDS + 60), ("young", KEPT_SECONDS - 60)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "seed-0.safetensors").write_bytes(b"x")
        then = time.time() - age
        os.utime(tmp_path / name / "seed-0.safetensors", (then, then))
        os.utime(tmp_path / name, (then, then))
    (tmp_path / "train-vae.lock").touch()
    os.utime(tmp_path / "train-vae.lock", (0, 0))
    expire(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"young", "train-vae.lock"}
