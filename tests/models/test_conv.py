"""latent_audit.models.architectures.conv: sizes by hand, and the layers against torch's own."""

import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from latent_audit.base.errors import InputError
from latent_audit.models.architectures.conv import bottleneck_shape, padded
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape
from latent_audit.models.layers import Crop, Pad
from latent_audit.models.modules import keep_contiguous


def n_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def model():
    return build(ModelSpec("vae", "conv", ImageShape(3, 16, 24), 5), seed=1)


def test_image_shape():
    assert ImageShape(1, 32, 32).n_pixels == 1024
    assert ImageShape(3, 64, 64).n_pixels == 12288


@pytest.mark.parametrize(
    ("image", "bottleneck"),
    [((1, 32, 32), (128, 4, 4)), ((3, 64, 64), (128, 8, 8)), ((1, 8, 24), (128, 1, 3))],
)
def test_bottleneck(image, bottleneck):
    assert bottleneck_shape(ImageShape(*image), (32, 64, 128)) == bottleneck


@pytest.mark.parametrize(
    ("image", "n_stages", "whole"),
    [((1, 28, 28), 3, (1, 32, 32)), ((1, 28, 28), 2, (1, 28, 28)), ((3, 30, 33), 3, (3, 32, 40))],
)
def test_padded(image, n_stages, whole):
    assert padded(ImageShape(*image), n_stages) == whole


@pytest.mark.parametrize(("family", "encoder"), [("ae", 96_770), ("vae", 100_868)])
def test_parameter_counts_by_hand(family, encoder):
    # 32x32x1, two code dimensions.
    # encoder: 9*1*32+32 = 320; 9*32*64+64 = 18,496; 9*64*128+128 = 73,856; each head 2048*2+2 = 4,098
    # decoder: 2*2048+2048 = 6,144; 9*128*128+128 = 147,584; 9*128*64+64 = 73,792; 9*64*32+32 = 18,464; 9*32*1+1 = 289
    model = build(ModelSpec(family, "conv", ImageShape(1, 32, 32), 2), seed=0)
    assert n_parameters(model.encoder) == encoder == 320 + 18_496 + 73_856 + 4_098 * (1 if family == "ae" else 2)
    assert n_parameters(model.decoder) == 246_273 == 6_144 + 147_584 + 73_792 + 18_464 + 289


def test_shapes_of_the_decoders_tensors():
    decoder = build(ModelSpec("ae", "conv", ImageShape(1, 32, 32), 2), seed=0).decoder
    assert [tuple(value.shape) for value in decoder.state_dict().values()] == [
        (2048, 2), (2048,), (128, 128, 3, 3), (128,), (128, 64, 3, 3), (64,), (64, 32, 3, 3), (32,),
        (1, 32, 3, 3), (1,),
    ]  # fmt: skip


@pytest.mark.parametrize("image", [(1, 32, 32), (3, 16, 24), (1, 8, 8), (1, 28, 28), (3, 64, 64), (1, 27, 30)])
@pytest.mark.parametrize(
    "settings", [{}, {"kernel": 4, "norm": "batch"}, {"kernel": 5, "widths": (4, 6), "hidden": (9,)}]
)
def test_shapes(image, settings):
    image = ImageShape(*image)
    model = build(ModelSpec("vae", "conv", image, 3, settings), seed=0)
    heads = model.heads(torch.zeros(4, *image))
    assert {name: value.shape for name, value in heads.items()} == {"mu": (4, 3), "logvar": (4, 3)}
    assert model.decode(heads["mu"]).shape == (4, *image)


def convolutions(module: nn.Module) -> list[nn.Module]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]


@pytest.mark.parametrize("kernel", [3, 4, 5])
def test_encoder_is_the_written_out_network(kernel):
    encoder = build(ModelSpec("vae", "conv", ImageShape(3, 16, 24), 5, {"kernel": kernel}), seed=1).encoder.double()
    x = noise(2, 3, 16, 24)
    expected = x
    for layer in convolutions(encoder):
        expected = F.conv2d(expected, layer.weight, layer.bias, stride=2, padding={3: 1, 4: 1, 5: 2}[kernel])
        expected = expected.clamp_min(0)
    expected = expected.reshape(2, 128 * 2 * 3)
    values = encoder(x)
    for name, head in encoder.heads.items():
        torch.testing.assert_close(values[name], expected @ head.weight.T + head.bias)


@pytest.mark.parametrize("kernel", [3, 4, 5])
def test_decoder_is_the_written_out_network(kernel):
    decoder = build(ModelSpec("vae", "conv", ImageShape(3, 16, 24), 5, {"kernel": kernel}), seed=1).decoder.double()
    with torch.no_grad():
        for index, parameter in enumerate(decoder.parameters()):
            parameter.add_(0.1 * noise(*parameter.shape, seed=index))  # biases that are not zero
    z = noise(4, 5)
    expected = (z @ decoder[0].weight.T + decoder[0].bias).reshape(4, 128, 2, 3)
    *up, last = convolutions(decoder)
    padding, beyond = {3: (1, 1), 4: (1, 0), 5: (2, 1)}[kernel]
    for layer in up:
        expected = F.conv_transpose2d(expected, layer.weight, layer.bias, 2, padding, output_padding=beyond).clamp_min(
            0
        )
    torch.testing.assert_close(decoder(z), F.conv2d(expected, last.weight, last.bias, padding=1))


def test_a_side_that_cannot_be_halved_is_padded_inside_and_cropped_again():
    """28x28 in three stages: what the network of 32x32 gives for the image with two pixels of zeros around it."""
    small = build(ModelSpec("ae", "conv", ImageShape(1, 28, 28), 2), seed=0)
    large = build(ModelSpec("ae", "conv", ImageShape(1, 32, 32), 2), seed=0)
    large.load_state_dict(dict(zip(large.state_dict(), small.state_dict().values(), strict=True)))
    x = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    whole = torch.zeros(2, 1, 32, 32)
    whole[:, :, 2:30, 2:30] = x
    assert torch.equal(small.encode(x)[0], large.encode(whole)[0])
    code = small.encode(x)[0]
    assert torch.equal(small.decode(code), large.decode(code)[:, :, 2:30, 2:30])


def test_crop_undoes_pad():
    x = noise(2, 3, 27, 30)
    whole = Pad(32, 32)(x)
    assert whole.shape == (2, 3, 32, 32)
    assert whole.square().sum() == pytest.approx(x.square().sum())
    assert torch.equal(Crop(27, 30)(whole), x)


def test_the_memory_format_changes_no_number(model):
    decoder, z = model.decoder.double(), noise(3, 5)
    channels_last = decoder(z)
    keep_contiguous(decoder)
    torch.testing.assert_close(decoder(z), channels_last)


def kinds(layers: nn.Module) -> list[str]:
    return [type(module).__name__ for module in layers]


def test_the_network_of_four_norms_and_leaky_relus_at_64x64x3():
    settings = {"widths": (8, 16, 16, 16), "norm": "batch", "activation": "leaky_relu"}
    model = build(ModelSpec("vae", "conv", ImageShape(3, 64, 64), 20, settings), seed=0)
    assert kinds(model.encoder.body) == ["Conv2d", "BatchNorm2d", "LeakyReLU"] * 4
    assert kinds(model.decoder) == [
        "Linear", "FeatureMap", *["ConvTranspose2d", "BatchNorm2d", "LeakyReLU"] * 4, "Conv2d",
    ]  # fmt: skip
    assert model.encoder.heads["mu"].in_features == 16 * 4 * 4
    assert torch.equal(model.encoder.body[2](torch.tensor([-1.0, 2.0])), torch.tensor([-0.3, 2.0]))  # Keras' slope


def test_hidden_layers_are_mirrored_unless_the_decoder_has_its_own():
    def linear(**settings):
        model = build(ModelSpec("ae", "conv", ImageShape(1, 16, 16), 2, {"widths": (4, 8), **settings}), seed=0)
        sides = (model.encoder.top, model.encoder.heads.values(), model.decoder)
        return [[(m.in_features, m.out_features) for m in side if isinstance(m, nn.Linear)] for side in sides]

    assert linear(hidden=(16, 5)) == [[(128, 16), (16, 5)], [(5, 2)], [(2, 5), (5, 16), (16, 128)]]
    assert linear(hidden=(16,), decoder_hidden=()) == [[(128, 16)], [(16, 2)], [(2, 128)]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widths": ()}, r"model\.widths: the conv architecture needs at least one stage"),
        ({"kernel": 2}, r"model\.kernel: 2; the conv architecture takes 3, 4, 5"),
        (
            {"widths": (4,) * 7},
            r"model\.widths: 7 stages halve an image 7 times, and one of 16x16 would be mostly border",
        ),
        ({"dropout": 0.5}, r"model\.dropout: the architecture 'conv' has no such setting; it has widths, kernel, norm"),
    ],
)
def test_a_network_that_cannot_be_built(settings, message):
    with pytest.raises(InputError, match=message):
        build(ModelSpec("ae", "conv", ImageShape(1, 16, 16), 2, settings), seed=0)


def test_a_network_is_pickled_whatever_else_is_loaded(model):
    """A module that has torch's names, as array_api_compat has, must not be taken for torch."""
    import array_api_compat.torch  # noqa: F401

    copy = pickle.loads(pickle.dumps(model))
    z = noise(2, 5).float()
    assert torch.equal(copy.decoder(z), model.decoder(z))
