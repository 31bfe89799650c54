"""latent_audit.models.own_gradients against torch's own layers and gradients."""

import pytest
import torch
from torch import nn

from latent_audit.models.architectures.conv import PLAIN
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape
from latent_audit.models.own_gradients import (
    ONEDNN,
    Geometry,
    conv_relu,
    gradient_of_relu,
    gradient_of_weight,
    out,
    product_of_patches,
)


@pytest.fixture(autouse=True)
def forked():
    """Modules made here by hand draw from torch's global stream."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def layer(kind: str, n_in: int, n_out: int) -> nn.Conv2d | nn.ConvTranspose2d:
    if kind == "down":
        return nn.Conv2d(n_in, n_out, 3, stride=2, padding=1).double()
    return nn.ConvTranspose2d(n_in, n_out, 3, stride=2, padding=1, output_padding=1).double()


@pytest.mark.parametrize("kind", ["down", "up"])
def test_conv_relu_is_relu_of_the_layer(kind):
    own, x = layer(kind, 3, 4), torch.randn(2, 3, 6, 8, dtype=torch.float64)
    torch.testing.assert_close(conv_relu(own, x), torch.relu(own(x)))


@pytest.mark.parametrize("channels", [1, 3])
def test_out_is_the_layer(channels):
    own, x = nn.Conv2d(5, channels, 3, padding=1).double(), torch.randn(2, 5, 6, 4, dtype=torch.float64)
    torch.testing.assert_close(out(own, x), own(x))


@pytest.mark.parametrize("kind", ["down", "up"])
def test_gradients_of_conv_relu_are_those_of_finite_differences(kind):
    own, size = layer(kind, 2, 3), {"down": (4, 6), "up": (2, 3)}[kind]
    x = torch.randn(2, 2, *size, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *parameters: conv_relu(own, x), (x, *own.parameters()))


@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_of_out_are_those_of_finite_differences(channels):
    own = nn.Conv2d(2, channels, 3, padding=1).double()
    x = torch.randn(2, 2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *parameters: out(own, x), (x, *own.parameters()))


@pytest.mark.parametrize("kind", ["down", "up"])
def test_the_product_of_patches_is_the_weights_gradient(kind):
    own, x = layer(kind, 3, 4), torch.randn(2, 3, 6, 8, dtype=torch.float64)
    y = own(x)
    gradient = torch.randn_like(y)
    expected = torch.autograd.grad(y, own.weight, gradient)[0]
    small, large = (x, gradient) if kind == "up" else (gradient, x)
    torch.testing.assert_close(product_of_patches(small, large), expected)
    torch.testing.assert_close(gradient_of_weight(gradient, x, own.weight, Geometry.of(own)), expected)


@pytest.mark.parametrize("kind", ["down", "up"])
def test_wide_layers_in_bfloat16_agree_with_float64(kind):
    own, x = layer(kind, 64, 64), torch.randn(4, 64, 4, 4, dtype=torch.float64)
    y = own(x)
    gradient = torch.randn_like(y)
    expected = torch.autograd.grad(y, own.weight, gradient)[0]
    low = gradient_of_weight(gradient.bfloat16(), x.bfloat16(), own.weight.bfloat16(), Geometry.of(own))
    assert low.dtype == torch.bfloat16
    assert (low - expected).abs().max() < 2**-6 * expected.abs().max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_relu_passes_the_gradient_where_it_passed_the_value(dtype):
    x = torch.tensor([-2.0, -0.0, 0.0, 1e-38, 3.0, torch.inf, -torch.inf], dtype=dtype)
    gradient = torch.tensor([1.0, 1.0, 1.0, -5.0, 0.5, -0.25, 1.0], dtype=dtype)
    expected = torch.tensor([0, 0, 0, -5.0, 0.5, -0.25, 0], dtype=dtype)
    assert torch.equal(gradient_of_relu(gradient, torch.relu(x)), expected)


@pytest.mark.parametrize("image", [(1, 32, 32), (3, 16, 24)])
@pytest.mark.parametrize("low", [False, True], ids=["float32", "bfloat16"])
def test_a_network_has_the_same_values_and_gradients(image, low):
    model = build(ModelSpec("vae", "conv", ImageShape(*image), 3), seed=2)
    x, eps = torch.rand(6, *image), torch.randn(6, 3)

    def run(layers, enabled):
        model.encoder.layers = model.decoder.layers = layers
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled, cache_enabled=False):
            mu, logvar, logits = model(x, eps)
        loss = (logits.sigmoid() - x).square().sum() + mu.square().sum() + logvar.sum()
        return logits, *torch.autograd.grad(loss, list(model.parameters()))

    ours, plain, exact = run(ONEDNN, low), run(PLAIN, low), run(PLAIN, False)
    for own, other, reference in zip(ours, plain, exact, strict=True):
        assert own.dtype == torch.float32
        rounding = (other - reference).norm() + 1e-6 * reference.norm()  # what torch's own layers lose by bfloat16
        assert (own - reference).norm() < 1.5 * rounding
