"""latent_audit.training.fit_stacked against fit, one seed at a time."""

import pytest
import torch

from latent_audit.base.errors import InputError
from latent_audit.models.autoencoder import build
from latent_audit.training import checkpoint
from latent_audit.training import fit_arm as replicate
from latent_audit.training.fit import fit
from latent_audit.training.fit_stacked import fit_stacked
from latent_audit.training.graphs import recorded

CPU = torch.device("cpu")
DEVICES = [
    pytest.param(CPU, id="cpu"),
    pytest.param(
        torch.device("cuda"), id="cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
    ),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("family", "reconstruction"), [("ae", "bce"), ("vae", "bce"), ("vae", "mse")])
def test_one_epoch_equals_fit_seed_by_seed(tiny_splits, tiny_run, device, family, reconstruction):
    run = tiny_run(family, epochs=1, reconstruction=reconstruction)
    stacked = fit_stacked(tiny_splits, run, seeds=(3, 8), device=device)
    for seed, ours in zip((3, 8), stacked, strict=True):
        alone = fit(tiny_splits, run, seed=seed, device=CPU)
        start = build(run.model, seed=seed).state_dict()
        assert set(ours.weights) == set(alone.weights)
        for name, value in ours.weights.items():
            assert value.device == CPU
            assert value.dtype == torch.float32
            # Adam's first steps have the length of the learning rate however small the gradient, so rounding may turn a
            # few of them: compared with the way each tensor went (two seeds differ by more than that way)
            went = (alone.weights[name] - start[name]).norm()
            assert (value - alone.weights[name]).norm() < 0.2 * went, name
        assert [list(row) for row in ours.history] == [list(row) for row in alone.history]
        for row, other in zip(ours.history, alone.history, strict=True):
            assert (row["seed"], row["epoch"], row["split"]) == (other["seed"], other["epoch"], other["split"])
            for term in run.terms:  # the KL is near zero after three steps
                assert row[term] == pytest.approx(other[term], rel=0.01 if term == "kl" else 1e-5)


def test_a_seed_does_not_feel_its_neighbours(tiny_splits, tiny_run):
    run = tiny_run("vae")
    pair = fit_stacked(tiny_splits, run, seeds=(0, 1), device=CPU)[1]
    other = fit_stacked(tiny_splits, run, seeds=(5, 1), device=CPU)[1]
    assert pair.history == other.history
    assert all(torch.equal(pair.weights[name], other.weights[name]) for name in pair.weights)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("family", ["ae", "vae"])
def test_a_killed_stack_ends_in_the_same_bytes(tiny_splits, tiny_run, tmp_path, monkeypatch, family):
    run, path, save = tiny_run(family, epochs=3), tmp_path / "seeds-3-8.safetensors", checkpoint.save
    whole = fit_stacked(tiny_splits, run, seeds=(3, 8), device=CPU)

    def save_and_die(path, model, optimizer, progress):
        save(path, model, optimizer, progress)
        raise KilledError

    monkeypatch.setattr(checkpoint, "save", save_and_die)
    with pytest.raises(KilledError):
        fit_stacked(tiny_splits, run, seeds=(3, 8), device=CPU, checkpoint_path=path)
    monkeypatch.setattr(checkpoint, "save", save)
    ticks = []
    resumed = fit_stacked(tiny_splits, run, seeds=(3, 8), device=CPU, checkpoint_path=path, on_tick=ticks.append)
    assert {(tick.epoch, tick.images_resumed) for tick in ticks} == {(2, 60), (3, 60)}
    for before, after in zip(whole, resumed, strict=True):
        assert before.history == after.history
        assert all(torch.equal(before.weights[name], after.weights[name]) for name in before.weights)


def test_a_full_accelerator_is_an_error_in_words(prepared, tiny_run, tmp_path, monkeypatch):
    def full(*args, **keywords):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nand much more")

    monkeypatch.setattr(replicate, "fit_stacked", full)
    with pytest.raises(InputError, match=r"2 seeds together do not fit .* Tried to allocate 20.00 MiB.\). Set fewer"):
        replicate.train_replicates(
            prepared, tiny_run(), tmp_path, seeds=(0, 1), device=torch.device("meta"), on_tick=lambda tick: None
        )


def test_ticks_and_history_of_every_seed(tiny_splits, tiny_run):
    ticks = []
    replicates = fit_stacked(tiny_splits, tiny_run("ae"), seeds=(4, 2), device=CPU, on_tick=ticks.append)
    assert [(tick.seed, tick.epoch, tick.images_done) for tick in ticks] == [
        (4, 1, 60), (2, 1, 60), (4, 2, 120), (2, 2, 120),
    ]  # fmt: skip
    for seed, trained in zip((4, 2), replicates, strict=True):
        assert [(row["seed"], row["epoch"], row["split"]) for row in trained.history] == [
            (seed, epoch, split) for epoch in (1, 2) for split in ("train", "test")
        ]


def test_a_diverging_run_says_where(tiny_splits, tiny_run):
    run = tiny_run("vae", arm="my_arm", learning_rate=1e6)
    with pytest.raises(InputError, match=r"arm 'my_arm', seed 6: the objective is not finite at epoch 1, batch 2"):
        fit_stacked(tiny_splits, run, seeds=(6, 7), device=CPU)


def test_a_run_that_diverges_in_its_last_step_is_refused_too(tiny_splits, tiny_run):
    run = tiny_run("vae", epochs=1, batch_size=60, learning_rate=1e30)
    with pytest.raises(InputError, match=r"seed 6: the objective is not finite at epoch 1"):
        fit_stacked(tiny_splits, run, seeds=(6, 7), device=CPU)


def test_off_cuda_nothing_is_recorded():
    def double(x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    assert recorded(double, torch.ones(2)) is double


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
def test_a_recorded_function_reads_what_it_closes_over_where_it_lies():
    scale = torch.ones(2, device="cuda")

    def scaled(x: torch.Tensor) -> torch.Tensor:
        return scale * x

    replay = recorded(scaled, torch.ones(2, device="cuda"))
    scale.mul_(3)
    assert replay(torch.full((2,), 5.0, device="cuda")).tolist() == [15.0, 15.0]
