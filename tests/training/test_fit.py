"""latent_audit.training.fit: bytes per seed, resumption, history, and what stops it."""

import numpy as np
import pytest
import torch

from latent_audit.base.errors import InputError
from latent_audit.base.randomness import generator_for
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.autoencoder import build
from latent_audit.models.elbo import cross_entropy
from latent_audit.models.image import to_unit_interval
from latent_audit.training import checkpoint
from latent_audit.training.adam import adam, step
from latent_audit.training.batch import Data, Streams, batch_terms, draw
from latent_audit.training.fit import fit, history_row, refuse_nan
from training.replicas import same

CPU = torch.device("cpu")


def data_of(split: LoadedSplit) -> Data:
    return Data(torch.from_numpy(split.images), torch.from_numpy(split.labels))


@pytest.mark.parametrize("family", ["ae", "vae"])
def test_a_seed_decides_every_byte(tiny_splits, tiny_run, family):
    run = tiny_run(family)
    first, again, other = (fit(tiny_splits, run, seed=seed, device=CPU) for seed in (3, 3, 4))
    assert same(first, again)
    assert not any(
        torch.equal(first.weights[name], other.weights[name]) for name in first.weights if name.endswith("weight")
    )


def test_weights_are_float32_by_the_models_names(tiny_splits, tiny_run):
    run = tiny_run("vae", epochs=1)
    weights = fit(tiny_splits, run, seed=0, device=CPU).weights
    assert set(weights) == set(build(run.model, seed=0).state_dict())
    assert all(value.dtype == torch.float32 and value.is_contiguous() for value in weights.values())


@pytest.mark.parametrize("family", ["ae", "vae"])
def test_history_has_a_row_per_epoch_and_split(tiny_splits, tiny_run, family):
    history = fit(tiny_splits, tiny_run(family, epochs=3), seed=7, device=CPU).history
    assert [(row["seed"], row["epoch"], row["split"]) for row in history] == [
        (7, epoch, split) for epoch in (1, 2, 3) for split in ("train", "test")
    ]
    terms = {"ae": ["objective", "recon_nll"], "vae": ["objective", "recon_nll", "kl", "elbo"]}[family]
    for row in history:
        assert list(row) == ["seed", "epoch", "split", *terms]
        # the book's objective from the row's own terms: 64 * mean pixel loss + KL, or the mean pixel loss
        weight, kl = (64 / 256, row["kl"]) if family == "vae" else (1 / 256, 0)
        assert row["objective"] == pytest.approx(weight * row["recon_nll"] + kl, rel=1e-6)
        if family == "vae":
            assert row["elbo"] == pytest.approx(-(row["recon_nll"] + kl), rel=1e-6)
            assert kl > 0


@pytest.mark.parametrize("reconstruction", ["bce", "mse"])
def test_training_lowers_the_objective(tiny_splits, tiny_run, reconstruction):
    run = tiny_run("ae", epochs=12, learning_rate=5e-3, reconstruction=reconstruction)
    history = [row["objective"] for row in fit(tiny_splits, run, seed=0, device=CPU).history if row["split"] == "test"]
    assert history[-1] < 0.95 * history[0]


def test_the_test_rows_are_of_the_whole_split_with_the_epochs_last_weights(tiny_splits, tiny_run):
    run = tiny_run("ae", epochs=1)
    replicate = fit(tiny_splits, run, seed=0, device=CPU)
    model = build(run.model, seed=0)
    model.load_state_dict(replicate.weights)
    x = to_unit_interval(torch.from_numpy(tiny_splits["test"].images))
    with torch.no_grad():
        expected = cross_entropy(model.decode(model.encode(x)[0]), x).mean().item()
    assert replicate.history[1]["recon_nll"] == pytest.approx(expected, rel=1e-5)


def test_every_image_is_seen_once_an_epoch_in_an_order_of_its_own(tiny_splits, tiny_run, monkeypatch):
    numbered = tiny_splits["train"].images.copy()
    numbered[:, 0, 0, 0] = np.arange(60)
    seen: list[list[int]] = []

    def spy(model, data, rows, draws, run):
        seen.append(data.images[rows][:, 0, 0, 0].tolist())
        return batch_terms(model, data, rows, draws, run)

    monkeypatch.setattr("latent_audit.training.batch.batch_terms", spy)
    splits = {**tiny_splits, "train": LoadedSplit(numbered, tiny_splits["train"].labels)}
    fit(splits, tiny_run(), seed=0, device=CPU)
    # halves of 25, 25 and 10 images (the last batch is short, never dropped), then the test split
    assert [len(batch) for batch in seen] == [13, 12, 13, 12, 5, 5, 40] * 2
    first, second = ([image for half in seen[start : start + 6] for image in half] for start in (0, 7))
    assert sorted(first) == sorted(second) == list(range(60))
    assert first != second


@pytest.mark.parametrize("family", ["ae", "vae"])
def test_the_gradient_of_halves_is_the_whole_batchs(tiny_splits, tiny_run, family):
    """One step of Adam on 60 images against a step whose gradient PyTorch takes of the whole batch at once."""
    run = tiny_run(family, epochs=1, batch_size=60)
    weights = fit(tiny_splits, run, seed=1, device=CPU).weights
    model = build(run.model, seed=1)
    optimizer = adam(model.parameters(), run.learning_rate)
    order = torch.randperm(60, generator=generator_for(1, "shuffle", "1"))
    eps = torch.randn(60, 2, generator=generator_for(1, "posterior", "train", "1"))
    terms = batch_terms(model, data_of(tiny_splits["train"]), order, {"eps": eps}, run)
    step(optimizer, list(torch.autograd.grad(terms[:, 0].mean(), list(model.parameters()))), 1)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(weights[name], value, rtol=1e-3, atol=1e-5)


def test_batch_terms_are_of_the_draw(tiny_splits, tiny_run):
    run = tiny_run("vae")
    model, data = build(run.model, seed=0), data_of(tiny_splits["train"])
    with torch.no_grad():
        draws = draw(8, run, Streams(generator_for(0, "x"), generator_for(0, "y")))
        terms = batch_terms(model, data, torch.arange(8), draws, run)
        x = to_unit_interval(data.images[:8])
        mu, logvar = model.encode(x)
        z = mu + (0.5 * logvar).exp() * torch.randn(8, 2, generator=generator_for(0, "x"))
        recon, kl = cross_entropy(model.decode(z), x), 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)
    torch.testing.assert_close(terms, torch.stack((64 * recon / 256 + kl, recon, kl, -recon - kl), dim=1))


def test_bfloat16_trains_float32_weights(tiny_splits, tiny_run):
    run, exact = tiny_run("vae", epochs=1, precision="bfloat16"), tiny_run("vae", epochs=1)
    rounded, reference = (fit(tiny_splits, one, seed=0, device=CPU) for one in (run, exact))
    assert all(value.dtype == torch.float32 for value in rounded.weights.values())
    assert not same(rounded, reference)
    for row, other in zip(rounded.history, reference.history, strict=True):
        assert row["recon_nll"] == pytest.approx(other["recon_nll"], rel=2**-8)  # bfloat16 keeps 8 bits


# --- resumption ------------------------------------------------------------------------------------------------------


class KilledError(Exception):
    pass


@pytest.mark.parametrize("family", ["ae", "vae"])
def test_a_run_killed_after_any_epoch_ends_in_the_same_bytes(tiny_splits, tiny_run, tmp_path, monkeypatch, family):
    run = tiny_run(family, epochs=3)
    whole = fit(tiny_splits, run, seed=5, device=CPU)
    save = checkpoint.save
    for last in (1, 2, 3):
        path = tmp_path / f"killed-after-{last}.safetensors"

        def save_and_die(path, model, optimizer, progress, last=last):
            save(path, model, optimizer, progress)
            if progress.epochs_done == last:
                raise KilledError

        monkeypatch.setattr(checkpoint, "save", save_and_die)
        with pytest.raises(KilledError):
            fit(tiny_splits, run, seed=5, device=CPU, checkpoint_path=path)
        monkeypatch.setattr(checkpoint, "save", save)
        ticks = []
        resumed = fit(tiny_splits, run, seed=5, device=CPU, checkpoint_path=path, on_tick=ticks.append)
        assert same(resumed, whole)
        assert [(tick.epoch, tick.images_done, tick.images_resumed) for tick in ticks] == [
            (epoch, 60 * epoch, 60 * last) for epoch in range(last + 1, 4)
        ]


def test_keeping_checkpoints_changes_no_byte(tiny_splits, tiny_run, tmp_path):
    run = tiny_run()
    path = tmp_path / "a" / "seed-0.safetensors"
    assert same(
        fit(tiny_splits, run, seed=0, device=CPU, checkpoint_path=path), fit(tiny_splits, run, seed=0, device=CPU)
    )
    assert path.exists()


def test_a_damaged_checkpoint_costs_time_and_nothing_else(tiny_splits, tiny_run, tmp_path, capsys):
    run, path = tiny_run(), tmp_path / "seed-0.safetensors"
    whole = fit(tiny_splits, run, seed=0, device=CPU, checkpoint_path=path)
    path.write_bytes(path.read_bytes()[:1000])
    assert same(fit(tiny_splits, run, seed=0, device=CPU, checkpoint_path=path), whole)
    assert "ignoring the damaged checkpoint seed-0.safetensors" in capsys.readouterr().err


# --- progress and failure --------------------------------------------------------------------------------------------


def test_ticks(tiny_splits, tiny_run, monkeypatch):
    monkeypatch.setattr("latent_audit.training.fit.CHECK_EVERY", 2)
    ticks = []
    history = fit(tiny_splits, tiny_run(), seed=0, device=CPU, on_tick=ticks.append).history
    assert [(tick.epoch, tick.images_done) for tick in ticks] == [(1, 50), (1, 60), (2, 110), (2, 120)]
    assert {(tick.seed, tick.epochs, tick.images_total, tick.images_resumed) for tick in ticks} == {(0, 2, 120, 0)}
    for tick, row in zip(ticks[1::2], history[::2], strict=True):
        assert tick.terms == {name: row[name] for name in ("objective", "recon_nll", "kl", "elbo")}


@pytest.mark.parametrize("family", ["ae", "vae"])
def test_a_diverging_run_says_where(tiny_splits, tiny_run, family):
    run = tiny_run(family, arm="my_arm", learning_rate=1e6)
    message = r"arm 'my_arm', seed 2: the objective is not finite at epoch 1, batch 2; no model.*train\.learning_rate"
    with pytest.raises(InputError, match=message):
        fit(tiny_splits, run, seed=2, device=CPU)


def test_a_run_that_diverges_in_its_last_step_is_refused_too(tiny_splits, tiny_run):
    with pytest.raises(InputError, match="not finite"):
        fit(tiny_splits, tiny_run("vae", epochs=1, batch_size=60, learning_rate=1e30), seed=0, device=CPU)


def test_refuse_nan_names_the_first_bad_batch():
    refuse_nan(torch.ones(3, 3), "vae", 1, 2)
    for bad in (torch.nan, torch.inf, -torch.inf):
        sums = torch.ones(5, 3)
        sums[3, 2] = sums[4, 0] = bad
        with pytest.raises(InputError, match=r"arm 'vae', seed 1: .* at epoch 2, batch 4"):
            refuse_nan(sums, "vae", 1, 2)


def test_history_row(tiny_run):
    row = history_row(tiny_run("vae"), 3, 2, "test", torch.tensor([1.5, 200.0, 6.0, -206.0], dtype=torch.float64))
    assert row == {
        "seed": 3, "epoch": 2, "split": "test", "objective": 1.5, "recon_nll": 200.0, "kl": 6.0, "elbo": -206.0,
    }  # fmt: skip
