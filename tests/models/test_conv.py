"""latent_audit.models.architectures.conv: sizes by hand, and the layers against torch's own."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from latent_audit.models.architectures.conv import PLAIN, ConvDecoder, ConvEncoder, bottleneck_shape
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape


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
    assert bottleneck_shape(ImageShape(*image)) == bottleneck


@pytest.mark.parametrize("image", [(1, 28, 28), (1, 32, 28), (3, 30, 32)])
def test_sides_must_be_multiples_of_eight(image):
    with pytest.raises(ValueError, match=rf"{image[1]}x{image[2]} is not a multiple of 8; choose data.pad_to"):
        bottleneck_shape(ImageShape(*image))


@pytest.mark.parametrize(("family", "encoder"), [("ae", 96_770), ("vae", 100_868)])
def test_parameter_counts_by_hand(family, encoder):
    # 32x32x1, two code dimensions.
    # encoder: 9*1*32+32 = 320; 9*32*64+64 = 18,496; 9*64*128+128 = 73,856; each head 2048*2+2 = 4,098
    # decoder: 2*2048+2048 = 6,144; 9*128*128+128 = 147,584; 9*128*64+64 = 73,792; 9*64*32+32 = 18,464; 9*32*1+1 = 289
    model = build(ModelSpec(family, "conv", ImageShape(1, 32, 32), 2), seed=0)
    assert n_parameters(model.encoder) == encoder == 320 + 18_496 + 73_856 + 4_098 * (1 if family == "ae" else 2)
    assert n_parameters(model.decoder) == 246_273 == 6_144 + 147_584 + 73_792 + 18_464 + 289


def test_tensor_names_and_shapes_of_the_decoder():
    # public: the report's JavaScript decodes with these
    decoder = ConvDecoder(ImageShape(1, 32, 32), 2)
    assert {name: tuple(value.shape) for name, value in decoder.state_dict().items()} == {
        "project.weight": (2048, 2), "project.bias": (2048,),
        "up.0.weight": (128, 128, 3, 3), "up.0.bias": (128,),
        "up.1.weight": (128, 64, 3, 3), "up.1.bias": (64,),
        "up.2.weight": (64, 32, 3, 3), "up.2.bias": (32,),
        "out.weight": (1, 32, 3, 3), "out.bias": (1,),
    }  # fmt: skip


@pytest.mark.parametrize("image", [(1, 32, 32), (3, 16, 24), (1, 8, 8)])
@pytest.mark.parametrize("latent_dim", [1, 3])
def test_shapes(image, latent_dim):
    image = ImageShape(*image)
    encoder, decoder = ConvEncoder(image, latent_dim, ("mu", "logvar")), ConvDecoder(image, latent_dim)
    mu, logvar = encoder(torch.zeros(4, *image))
    assert mu.shape == logvar.shape == (4, latent_dim)
    assert decoder(mu).shape == (4, *image)


@pytest.fixture(autouse=True)
def forked():
    """Modules made here by hand draw from torch's global stream; `build` is what keeps it still in src."""
    with torch.random.fork_rng(devices=[]):
        yield


def test_encoder_is_the_written_out_network(model):
    encoder = model.encoder.double()
    x = noise(2, 3, 16, 24)
    tensors = encoder.state_dict()
    expected = x
    for index in range(3):
        expected = F.conv2d(
            expected, tensors[f"down.{index}.weight"], tensors[f"down.{index}.bias"], stride=2, padding=1
        )
        expected = expected.clamp_min(0)
    expected = expected.reshape(2, 128 * 2 * 3)
    mu, logvar = encoder(x)
    torch.testing.assert_close(mu, expected @ tensors["heads.mu.weight"].T + tensors["heads.mu.bias"])
    torch.testing.assert_close(logvar, expected @ tensors["heads.logvar.weight"].T + tensors["heads.logvar.bias"])


def test_decoder_is_the_written_out_network(model):
    decoder = model.decoder.double()
    with torch.no_grad():
        for index, parameter in enumerate(decoder.parameters()):
            parameter.add_(0.1 * noise(*parameter.shape, seed=index))  # biases that are not zero
    z = noise(4, 5)
    tensors = decoder.state_dict()
    expected = (z @ tensors["project.weight"].T + tensors["project.bias"]).reshape(4, 128, 2, 3)
    for index in range(3):
        layer = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1).double()
        layer.weight = nn.Parameter(tensors[f"up.{index}.weight"])
        layer.bias = nn.Parameter(tensors[f"up.{index}.bias"])
        expected = layer(expected).clamp_min(0)
    expected = F.conv2d(expected, tensors["out.weight"], tensors["out.bias"], padding=1)
    torch.testing.assert_close(decoder(z), expected)


def test_the_memory_format_changes_no_number(model):
    decoder, z = model.decoder.double(), noise(3, 5)
    channels_last = decoder(z)
    decoder.layers = PLAIN._replace(memory_format=torch.contiguous_format)
    torch.testing.assert_close(decoder(z), channels_last)
