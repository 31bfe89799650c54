"""Weights in whole steps: what they change, where they are left alone, and the layers as torch computes them."""

import numpy as np
import pytest
import torch
from torch import nn

from latent_audit.base.layers import Layer
from latent_audit.decoding.stepped import SMALL, in_steps, stepped, through
from latent_audit.models.layers import Crop, Pad, exported


def linear(weight: np.ndarray) -> Layer:
    return Layer("linear", {}, {"weight": weight.astype(np.float32)})


def test_steps_follow_size_and_number():
    rng = np.random.default_rng(0)
    first, last = in_steps([linear(rng.standard_normal((64, 64))), linear(9 * rng.standard_normal((8, 128)))], 4)
    # 4,096 numbers of root mean square 1: 2^-4 sqrt(4096 / 2^17) = 2^-6.5; 1,024 of root mean square 9: 9 * 2^-7.5
    assert first.settings["steps"]["weight"] == pytest.approx(2**-6.5, rel=0.05)
    assert last.settings["steps"]["weight"] == pytest.approx(9 * 2**-7.5, rel=0.05)
    numbers = first.weights["weight"] / first.settings["steps"]["weight"]
    np.testing.assert_allclose(numbers, np.rint(numbers), atol=1e-3)


def test_small_arrays_zeros_and_outliers_are_left_alone():
    outlier = np.full((2, SMALL), 1e-3)
    outlier[0, 0] = 6e4  # its root mean square is 1,300: in steps of it all the others would be 0
    for weight in (np.ones((2, 3)), np.zeros((40, 40)), outlier, np.full((40, 40), np.nan)):
        (found,) = in_steps([linear(weight)], 8)
        assert "steps" not in found.settings
        np.testing.assert_array_equal(found.weights["weight"], weight.astype(np.float32))


def test_the_coarsest_steps_that_will_do_are_taken():
    rng = np.random.default_rng(1)
    layers, x = [linear(rng.standard_normal((64, 64)))], rng.standard_normal((20, 64))
    fine, coarse = (stepped(layers, x, tolerance=t)[0].settings["steps"]["weight"] for t in (0.01, 0.1))
    assert fine < coarse
    for tolerance in (0.01, 0.1):
        error = (through(stepped(layers, x, tolerance=tolerance), x) - through(layers, x)).abs().max()
        assert tolerance / 4 < error <= tolerance
    assert stepped(layers, x, tolerance=0.0) == layers


def test_the_layers_do_what_the_modules_do():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Embedding(7, 30), nn.Flatten(), nn.Linear(60, 2 * 5 * 6), nn.ELU(0.7), nn.Unflatten(1, (2, 5, 6)),
            nn.BatchNorm2d(2), nn.Tanh(), nn.Conv2d(2, 3, 3, stride=(1, 2), padding=1), nn.LeakyReLU(0.1),
            Pad(9, 8), nn.ConvTranspose2d(3, 2, (4, 3), stride=2, padding=1, output_padding=1), nn.ReLU(),
            Crop(7, 10), nn.Sigmoid(),
        ).eval()  # fmt: skip
        for name, values in model.named_buffers():
            if name.endswith("running_mean"):
                values.normal_()
    z = np.array([[0, 6], [3, 3], [5, 1]])
    with torch.no_grad():
        expected = model(torch.from_numpy(z))
    torch.testing.assert_close(through(exported(model, (2,)), z.astype(np.float64)), expected)
