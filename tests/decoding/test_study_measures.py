"""Measures of single studies: traversals, sharpness, denoising, anomalies, each on models whose answer is known."""

import numpy as np
import pytest
import torch
from torch import nn

from latent_audit.critic.network import Critic
from latent_audit.decoding.anomaly import MEASURE as ANOMALY
from latent_audit.decoding.anomaly import code_scores, image_scores, mahalanobis
from latent_audit.decoding.denoising import LEVELS, denoising_table, noisy
from latent_audit.decoding.sharpness import high_frequency_power, sharpness
from latent_audit.decoding.traversal import Traversals, path, silent, traversal_table, traverse
from latent_audit.diagnostics.fitted import fit_mixture
from latent_audit.models.autoencoder import Autoencoder, ModelSpec, build
from latent_audit.models.image import ImageShape

CPU = torch.device("cpu")
IMAGE = ImageShape(1, 8, 8)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


class Known(Autoencoder):
    """A decoder whose pixel k is the sigmoid of the weighted codes, and an encoder that gives the images back."""

    def __init__(self, weights):
        nn.Module.__init__(self)
        self.weights = torch.tensor(weights, dtype=torch.float32)  # (latent,): what every pixel's logit is made of
        self.spec = ModelSpec("ae", "conv", IMAGE, len(weights))

    def decode(self, z, condition=None):
        return (z @ self.weights)[:, None, None, None].expand(-1, *IMAGE)


class Nobody(Critic):
    """A critic without classes."""

    def __init__(self):
        nn.Module.__init__(self)
        self.classify = None

    def features(self, x):
        return x.flatten(1)


class Bright(Critic):
    """A critic of two classes: dark, and brighter than one half."""

    def __init__(self):
        nn.Module.__init__(self)

    def features(self, x):
        return x.mean(dim=(1, 2, 3))[:, None] - 0.5

    def classify(self, feature):
        return torch.cat([-feature, feature], dim=1)


def test_a_path_moves_one_dimension_from_minus_3_to_3_and_leaves_the_others():
    along = path(np.array([[5.0, 6.0, 7.0]]), 1)
    assert along.shape == (1, 13, 3)
    np.testing.assert_allclose(along[0, :, 1], np.linspace(-3, 3, 13))
    assert (along[0, :, 0] == 5).all() and (along[0, :, 2] == 7).all()


def test_a_traversal_measures_the_slope_of_each_dimension_and_names_the_silent_one():
    found = traverse(Known([0.02, 0.0, 2.0]), Bright(), np.zeros((3, 3)), device=CPU)
    ends = 1 / (1 + np.exp(-6.0)) - 1 / (1 + np.exp(6.0))
    assert found.pixels[2] == pytest.approx(ends / 6, abs=1e-3)  # monotone: the steps add up to the whole
    assert found.pixels[1] == 0
    assert found.classes[2] == pytest.approx(1 / 6)  # one change over six units
    assert found.classes[1] == 0
    assert silent(found.pixels).tolist() == [0, 1]
    table = traversal_table(found, np.array([0.1, 0.0, 2.0])).set_index(["metric", "of"])["value"]
    assert table["silent_dimensions", "raw"] == 2 and table["traversal_kl", "dim_2"] == 2


def test_a_critic_without_classes_leaves_their_rows_out():
    found = traverse(Known([1.0, 0.5, 0.2]), Nobody(), np.zeros((2, 3)), device=CPU)
    assert np.isnan(found.classes).all()
    assert set(traversal_table(found, None)["metric"]) == {"traversal_pixels", "silent_dimensions"}
    assert isinstance(found, Traversals)


def test_sharpness_is_1_for_the_originals_less_for_a_blur_and_more_for_noise():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50, 1, 16, 16), dtype=np.uint8)
    blurred = (images / 4 + sum(np.roll(images, shift, axis) / 4 for shift, axis in ((1, 2), (1, 3)))
               + np.roll(images, (1, 1), (2, 3)) / 4).astype(np.uint8)  # fmt: skip
    assert sharpness(images, images) == pytest.approx(1)
    assert sharpness(blurred, images) < 0.5
    assert sharpness(images, (images // 2)) > 3.5  # four times the power, less the rounding
    assert np.isnan(sharpness(images, np.zeros_like(images)))


def test_power_of_a_wave_by_parseval():
    x = np.arange(16)
    wave = np.broadcast_to(np.cos(2 * np.pi * x * 5 / 16), (3, 1, 16, 16))  # 5/16 cycles per pixel: above the cutoff
    assert high_frequency_power(wave) == pytest.approx((wave[0] ** 2).sum())
    slow = np.broadcast_to(np.cos(2 * np.pi * x * 3 / 16), (3, 1, 16, 16))
    assert high_frequency_power(slow) == pytest.approx(0, abs=1e-20)


def test_noise_without_a_level_is_the_image_and_beyond_stays_a_picture():
    images = np.random.default_rng(0).integers(0, 256, (20, *IMAGE), dtype=np.uint8)
    np.testing.assert_allclose(noisy(images, 0.0, generator()).numpy() * 255, images, atol=1e-4)
    loud = noisy(images, 0.8, generator())
    assert loud.min() == 0 and loud.max() == 1


def test_the_error_of_doing_nothing_grows_with_the_level():
    model = build(ModelSpec("ae", "dense", IMAGE, 2, {"widths": (8,)}), seed=0).eval()
    images = np.full((200, *IMAGE), 128, dtype=np.uint8)
    table = denoising_table(model, images, generator=generator(), device=CPU)
    rows = table.set_index(["metric", "level"])["value"]
    assert rows["noise_mse", "0"] == 0
    assert rows["noise_mse", "0.1"] == pytest.approx(0.01, rel=0.05)  # nothing is clipped: the variance
    assert list(table[table["metric"] == "noise_mse"]["value"]) == sorted(rows["noise_mse"])
    assert len(table) == 2 * len(LEVELS)


def test_mahalanobis_is_the_norm_of_whitened_values_and_passes_over_directions_without_spread():
    rng = np.random.default_rng(0)
    reference = rng.standard_normal((4000, 2)) @ np.array([[2.0, 0.0], [1.0, 0.5]]) + 3
    covariance = np.cov(reference.T, ddof=0)
    values = rng.standard_normal((10, 2))
    off = values - reference.mean(axis=0)
    expected = np.sqrt((off @ np.linalg.inv(covariance) * off).sum(axis=1))
    np.testing.assert_allclose(mahalanobis(values, reference), expected)
    flat = np.column_stack([reference, np.full(4000, 7.0)])
    np.testing.assert_allclose(mahalanobis(np.column_stack([values, np.full(10, 7.0)]), flat), expected)


def test_scores_of_images_are_those_that_their_code_has():
    rng = np.random.default_rng(0)
    codes = {"mu": rng.standard_normal((50, 2)), "recon_nll": np.arange(50.0)}
    assert set(image_scores(codes)) == {"reconstruction"}
    full = image_scores(codes | {"logvar": np.zeros((50, 2))})
    np.testing.assert_allclose(full["kl"], 0.5 * (codes["mu"] ** 2).sum(axis=1))
    np.testing.assert_allclose(full["elbo"], full["kl"] + full["reconstruction"])


def test_codes_far_from_those_of_the_training_images_score_high():
    train = np.random.default_rng(1).standard_normal((500, 2))
    near, far = (code_scores(train[:50] + shift, train, fit_mixture(train, seed=0)) for shift in (0, 20))
    assert (far["mixture"] > near["mixture"].max()).all() and (far["mahalanobis"] > 10).all()
    flat = np.column_stack([train, np.zeros(500)])
    assert set(code_scores(flat[:50], flat, fit_mixture(flat, seed=0))) == {"mahalanobis"}  # a density of none
    assert set(code_scores(train[:50], train, None)) == {"mahalanobis"}


def test_every_score_against_every_outsider_is_described():
    names = {metric.name for metric in ANOMALY.metrics}
    assert {"auroc_elbo_mnist", "auprc_mixture_left_out", "fpr95_reconstruction_digits"} <= names
