"""latent_audit.models.own_gradients against torch's own layers and gradients."""

import copy

import pytest
import torch
from torch import nn

from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.family import Batch, Objective
from latent_audit.models.image import ImageShape
from latent_audit.models.modules import Layers, use_own_gradients
from latent_audit.models.own_gradients import (
    Geometry,
    conv_relu,
    gradient_of_relu,
    gradient_of_weight,
    is_conv_relu,
    is_same_conv,
    product_of_patches,
    same_conv,
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
def test_same_conv_is_the_layer(channels):
    own, x = nn.Conv2d(5, channels, 3, padding=1).double(), torch.randn(2, 5, 6, 4, dtype=torch.float64)
    torch.testing.assert_close(same_conv(own, x), own(x))


@pytest.mark.parametrize("kind", ["down", "up"])
def test_gradients_of_conv_relu_are_those_of_finite_differences(kind):
    own, size = layer(kind, 2, 3), {"down": (4, 6), "up": (2, 3)}[kind]
    x = torch.randn(2, 2, *size, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *parameters: conv_relu(own, x), (x, *own.parameters()))


@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_of_same_conv_are_those_of_finite_differences(channels):
    own = nn.Conv2d(2, channels, 3, padding=1).double()
    x = torch.randn(2, 2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *parameters: same_conv(own, x), (x, *own.parameters()))


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


@pytest.mark.parametrize("side", [5, 7])
def test_a_wide_layer_in_bfloat16_may_have_odd_sides(side):
    """The smaller map has then more than half of the larger one's pixels along each side."""
    own, x = layer("down", 64, 8), torch.randn(2, 64, side, side, dtype=torch.float64)
    y = own(x)
    gradient = torch.randn_like(y)
    expected = torch.autograd.grad(y, own.weight, gradient)[0]
    low = gradient_of_weight(gradient.bfloat16(), x.bfloat16(), own.weight.bfloat16(), Geometry.of(own))
    assert (low - expected).abs().max() < 2**-6 * expected.abs().max()


def test_what_has_gradients_of_its_own():
    down, up = layer("down", 3, 4), layer("up", 3, 4)
    assert is_conv_relu(down, [nn.ReLU(), nn.Tanh()])
    assert is_conv_relu(up, [nn.ReLU()])
    assert not is_conv_relu(down, [])
    assert not is_conv_relu(down, [nn.LeakyReLU()])
    assert not is_conv_relu(nn.Conv2d(3, 4, 4, stride=2, padding=1), [nn.ReLU()])
    assert not is_conv_relu(nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False), [nn.ReLU()])
    assert not is_conv_relu(nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=2), [nn.ReLU()])
    assert not is_conv_relu(nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1), [nn.ReLU()])
    assert is_same_conv(nn.Conv2d(32, 3, 3, padding=1))
    assert not is_same_conv(nn.Conv2d(32, 9, 3, padding=1))
    assert not is_same_conv(nn.Conv2d(32, 3, 3, padding=1, padding_mode="reflect"))


@pytest.mark.parametrize(
    ("image", "settings"),
    [
        ((1, 32, 32), {}), ((3, 16, 24), {}), ((1, 28, 28), {}), ((1, 28, 28), {"kernel": 4}),
        ((3, 16, 16), {"kernel": 5}),
        ((3, 16, 16), {"norm": "batch", "activation": "leaky_relu"}), ((1, 16, 16), {"hidden": (7,)}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("low", [False, True], ids=["float32", "bfloat16"])
def test_a_network_has_the_same_values_and_gradients(image, settings, low):
    plain = build(ModelSpec("vae", "conv", ImageShape(*image), 3, settings), seed=2)
    ours = copy.deepcopy(plain)
    use_own_gradients(ours)
    assert all(module.own_gradients for module in ours.modules() if isinstance(module, Layers))
    x, eps = torch.rand(6, *image), torch.randn(6, 3)
    batch = Batch(x, x, torch.zeros(6, dtype=torch.int64))

    def run(model, enabled):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled, cache_enabled=False):
            terms = model(batch, {"eps": eps}, Objective("mse", 100.0))
        loss = terms["objective"].sum()
        return terms["recon_nll"], *torch.autograd.grad(loss, list(model.parameters()))

    # where a norm follows, the gradient of a bias is 0 but for rounding: compared with the whole gradient's length
    found, other, exact = run(ours, low), run(plain, low), run(plain, False)
    scale = torch.cat([gradient.flatten() for gradient in exact[1:]]).norm()
    for own, theirs, reference in zip(found, other, exact, strict=True):
        assert own.dtype == torch.float32
        rounding = (theirs - reference).norm() + 1e-6 * reference.norm()  # what torch's own layers lose by bfloat16
        assert (own - reference).norm() < 1.5 * rounding + (1e-6 + 1e-3 * low) * scale
