"""Corrupted inputs, whole-batch statistics, and what a part may not change."""

import copy
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from latent_audit.base.randomness import generator_for
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.autoencoder import build
from latent_audit.models.elbo import cross_entropy
from latent_audit.models.image import to_unit_interval
from latent_audit.training.batch import (
    NOISE,
    Corruption,
    Part,
    Streams,
    batch_terms,
    draw,
    is_divisible,
    outcome,
    resident,
)
from latent_audit.training.fit import fit, streams_of
from latent_audit.training.fit_arm import checkpoint_folder
from latent_audit.training.fit_stacked import fit_stacked
from latent_audit.training.helper_process import HelperProcess
from splits import make_splits
from training.replicas import same

CPU = torch.device("cpu")


def streams() -> Streams:
    return streams_of(0, "train", 1)


def with_settings(run, **settings):
    return replace(run, model=replace(run.model, settings=settings))


# --- corruption ------------------------------------------------------------------------------------------------------


def test_gaussian_noise_is_added_and_clipped():
    corruption = Corruption("gaussian", 0.5)
    x, noise = torch.tensor([0.5, 0.5, 0.5, 0.0, 1.0]), torch.tensor([0.4, 2.0, -3.0, -1.0, -0.5])
    torch.testing.assert_close(corruption(x, noise), torch.tensor([0.7, 1.0, 0.0, 0.0, 0.75]))


def test_gaussian_noise_has_the_level_as_its_deviation():
    corruption, shape = Corruption("gaussian", 0.1), (100, 1, 16, 16)
    x = torch.full(shape, 0.5)
    shift = corruption(x, corruption.draw(shape, generator_for(0, "x"))) - 0.5  # five deviations from a border
    n = shift.numel()
    assert abs(shift.mean()) < 5 * 0.1 / n**0.5
    assert abs(shift.std() - 0.1) < 5 * 0.1 / (2 * n) ** 0.5


def test_masking_sets_the_share_of_its_level_to_zero_and_leaves_the_rest():
    corruption, shape = Corruption("masking", 0.3), (100, 1, 16, 16)
    x = torch.rand(shape, generator=generator_for(0, "x")) + 0.5
    shown = corruption(x, corruption.draw(shape, generator_for(1, "x")))
    masked = shown == 0
    assert abs(masked.double().mean() - 0.3) < 5 * (0.3 * 0.7 / masked.numel()) ** 0.5
    assert torch.equal(shown[~masked], x[~masked])


@pytest.mark.parametrize("kind", ["gaussian", "masking"])
def test_the_encoder_sees_the_corrupted_image_and_the_target_is_clean(tiny_splits, tiny_run, kind):
    run = tiny_run("ae", corruption=Corruption(kind, 0.4))
    model, data, rows = build(run.model, seed=0), resident(tiny_splits, CPU)["train"], torch.arange(7)
    draws = draw(7, run, streams())
    assert draws[NOISE].shape == (7, 1, 16, 16)
    x = to_unit_interval(data.images[rows])
    shown = Corruption(kind, 0.4)(x, draws[NOISE])
    with torch.no_grad():
        terms = batch_terms(model, data, rows, draws, run)
        expected = cross_entropy(model.decode(model.encode(shown)[0]), x)
    torch.testing.assert_close(terms[:, 1], expected)


def test_a_corruption_shifts_no_other_draw(tiny_run):
    plain, noisy = (draw(5, tiny_run("vae", corruption=c), streams()) for c in (None, Corruption("masking", 0.5)))
    assert torch.equal(plain["eps"], noisy["eps"])


def test_a_denoising_arm_trains_alike_stacked_and_with_a_helper(tiny_splits, tiny_run, monkeypatch):
    monkeypatch.setattr("latent_audit.training.helper_process.WORTH", 0)
    run = tiny_run("ae", corruption=Corruption("gaussian", 0.3), epochs=1)
    alone = fit(tiny_splits, run, seed=4, device=CPU)
    helpers = []

    def open_helper(model):
        helpers.append(HelperProcess(model, run, partial(dict, tiny_splits)))
        assert helpers[0].ready(60)
        return helpers[0]

    assert same(alone, fit(tiny_splits, run, seed=4, device=CPU, open_helper=open_helper))
    assert len(helpers) == 1
    (stacked,) = fit_stacked(tiny_splits, run, seeds=(4,), device=CPU)
    for row, other in zip(stacked.history, alone.history, strict=True):
        assert row["objective"] == pytest.approx(other["objective"], rel=1e-5)
    assert not same(alone, fit(tiny_splits, replace(run, corruption=None), seed=4, device=CPU))


def test_labels_and_corruption_belong_to_the_checkpoints_key(prepared, tiny_run, tmp_path):
    run = tiny_run("ae")
    folders = {
        checkpoint_folder(tmp_path, prepared, replace(run, corruption=one), ["cpu"])
        for one in (None, Corruption("gaussian", 0.3), Corruption("gaussian", 0.4), Corruption("masking", 0.3))
    }
    assert len(folders) == 4
    folders.add(checkpoint_folder(tmp_path, prepared, with_settings(run, kernel=4), ["cpu"]))
    folders.add(checkpoint_folder(tmp_path, prepared, replace(run, model=replace(run.model, n_classes=5)), ["cpu"]))
    assert len(folders) == 6
    labels = np.load(prepared / "train_labels.npy")
    labels[0] = 4
    np.save(prepared / "train_labels.npy", labels)
    assert checkpoint_folder(tmp_path, prepared, run, ["cpu"]) not in folders


# --- batch statistics ------------------------------------------------------------------------------------------------


@pytest.fixture
def normed(tiny_run):
    return with_settings(tiny_run("vae"), norm="batch", widths=(4, 8))


def test_a_batch_is_halved_only_where_no_image_feels_the_others(tiny_run, normed):
    assert is_divisible(build(tiny_run("vae").model, seed=0))
    assert not is_divisible(build(normed.model, seed=0))


def test_statistics_are_those_of_whole_batches(tiny_splits, normed, monkeypatch):
    """60 images in batches of 25, 25 and 10: three updates an epoch, each of all images of its batch."""
    seen = []

    def spy(model, data, rows, draws, run):
        seen.append((model.training, len(rows)))
        return batch_terms(model, data, rows, draws, run)

    monkeypatch.setattr("latent_audit.training.batch.batch_terms", spy)
    weights = fit(tiny_splits, normed, seed=0, device=CPU).weights
    assert seen == [(True, 25), (True, 25), (True, 10), (False, 40)] * 2
    assert weights["encoder.body.1.num_batches_tracked"] == 6


def test_one_batch_moves_the_running_mean_by_the_momentum(tiny_splits, normed):
    run = replace(normed, epochs=1, batch_size=60)
    weights = fit(tiny_splits, run, seed=0, device=CPU).weights
    first = build(run.model, seed=0).encoder.body[0]
    with torch.no_grad():
        maps = first(to_unit_interval(torch.from_numpy(tiny_splits["train"].images)))
    torch.testing.assert_close(weights["encoder.body.1.running_mean"], 0.01 * maps.mean(dim=(0, 2, 3)))
    expected = 0.99 + 0.01 * maps.var(dim=(0, 2, 3))
    torch.testing.assert_close(weights["encoder.body.1.running_var"], expected)


def test_testing_leaves_the_running_statistics_alone(tiny_splits, normed):
    model, data = build(normed.model, seed=0), resident(tiny_splits, CPU)
    before = copy.deepcopy(model.state_dict())
    part = Part("test", torch.arange(40), draw(40, normed, streams()), None)
    scores = outcome(model, data, part, normed).sums
    assert not model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with torch.no_grad():  # a fresh norm takes mean 0 and variance 1, not those of the images
        expected = batch_terms(model, data["test"], part.rows, part.draws, normed).double().sum(dim=0)
    assert torch.equal(scores, expected)
    outcome(model, data, part._replace(split="train", batch_size=40), normed)
    assert model.training
    assert model.encoder.body[1].num_batches_tracked == 1


@pytest.mark.parametrize("settings", [{"norm": "batch", "widths": (4, 4, 4, 4)}, {"norm": "batch", "hidden": (6,)}])
def test_a_last_batch_of_one_image_goes_with_the_one_before(tiny_splits, tiny_run, settings):
    """A feature map of one pixel, or a linear layer's norm, cannot be normalised over a single image."""
    splits = {**tiny_splits, "train": LoadedSplit(*(part[:51] for part in tiny_splits["train"]))}
    run, ticks = with_settings(tiny_run("ae", epochs=1), **settings), []
    replicate = fit(splits, run, seed=0, device=CPU, on_tick=ticks.append)
    assert replicate.weights["encoder.body.1.num_batches_tracked"] == 2  # 25 and 26
    assert [tick.images_done for tick in ticks] == [51]
    assert ticks[0].terms["objective"] == pytest.approx(replicate.history[0]["objective"])


def test_a_lone_last_image_is_a_batch_where_there_are_no_statistics(tiny_splits, tiny_run):
    splits = {**tiny_splits, "train": LoadedSplit(*(part[:51] for part in tiny_splits["train"]))}
    run = tiny_run("vae", epochs=1)
    alone = fit(splits, run, seed=0, device=CPU)
    (stacked,) = fit_stacked(splits, run, seeds=(0,), device=CPU)
    assert stacked.history[0]["objective"] == pytest.approx(alone.history[0]["objective"], rel=1e-5)


def test_a_killed_run_with_batch_statistics_ends_in_the_same_bytes(tiny_splits, normed, tmp_path):
    whole = fit(tiny_splits, replace(normed, epochs=3), seed=1, device=CPU)
    path = tmp_path / "seed-1.safetensors"
    fit(tiny_splits, replace(normed, epochs=2), seed=1, device=CPU, checkpoint_path=path)
    assert same(whole, fit(tiny_splits, replace(normed, epochs=3), seed=1, device=CPU, checkpoint_path=path))


@pytest.mark.parametrize("architecture", ["conv", "dense"])
@pytest.mark.parametrize("family", ["ae", "vae"])
def test_images_of_any_side_train_under_either_architecture(tiny_run, family, architecture):
    run = tiny_run(family, image=(3, 18, 21), epochs=1)
    run = replace(run, model=replace(run.model, architecture=architecture, settings={"activation": "leaky_relu"}))
    history = fit(make_splits(3, 18, 21), run, seed=0, device=CPU).history
    assert len(history) == 2  # of the training and of the test split
    assert all(torch.isfinite(torch.tensor(row["objective"])) for row in history)
