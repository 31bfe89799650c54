"""The book's convolutional network: stages of stride 2, linear layers to and from the code.

References: Foster (2023), Generative Deep Learning, 2nd ed., chapter 3. Padding is symmetric, where Keras pads below
and to the right: the same network up to a mirrored image.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from torch import nn

from latent_audit.models.architecture import Architecture, Encoder
from latent_audit.models.image import ImageShape
from latent_audit.models.layers import Crop, Pad
from latent_audit.models.modules import ACTIVATIONS, FeatureMap, linear_layers, norm_2d

SETTINGS: Mapping[str, Any] = {
    "widths": (32, 64, 128),  # channels after each stage, from the image on
    "kernel": 3,
    "norm": "none",
    "activation": "relu",
    "hidden": (),  # units of linear layers between the feature map and the code
    "decoder_hidden": None,  # None: those of the encoder in reverse
    "code_activation": "none",
}
KERNELS = (3, 4, 5)


def padded(image: ImageShape, n_stages: int) -> ImageShape:
    """`image` with zeros around it until its sides can be halved `n_stages` times."""
    unit = 2**n_stages
    return image._replace(height=-(-image.height // unit) * unit, width=-(-image.width // unit) * unit)


def bottleneck_shape(image: ImageShape, widths: Sequence[int]) -> ImageShape:
    """Shape of the feature map between the convolutions and the linear layers."""
    whole = padded(image, len(widths))
    return ImageShape(widths[-1], whole.height >> len(widths), whole.width >> len(widths))


def build_encoder(
    image: ImageShape, heads: Mapping[str, int], condition: int, *, widths: Sequence[int], kernel: int, norm: str,
    activation: str, hidden: Sequence[int], decoder_hidden: object, code_activation: str,
) -> Encoder:  # fmt: skip
    """Stages of (stride-2 convolution, norm, activation), then linear layers, then one linear head per name."""
    whole = padded(image, len(widths))
    body: list[nn.Module] = [] if whole == image else [Pad(whole.height, whole.width)]
    for n_in, n_out in zip((image.channels, *widths[:-1]), widths, strict=True):
        body += [nn.Conv2d(n_in, n_out, kernel, stride=2, padding=(kernel - 1) // 2), *norm_2d(norm, n_out)]
        body += [ACTIVATIONS[activation]()]
    sizes = (bottleneck_shape(image, widths).n_pixels + condition, *hidden)
    top = linear_layers(sizes, norm, activation)
    return Encoder(nn.Sequential(*body), nn.Sequential(*top), sizes[-1], heads, code_activation)


def build_decoder(
    image: ImageShape, code_dim: int, *, widths: Sequence[int], kernel: int, norm: str, activation: str,
    hidden: Sequence[int], decoder_hidden: Sequence[int] | None, code_activation: object,
) -> nn.Sequential:  # fmt: skip
    """Linear layers to the feature map, stages of (stride-2 transposed convolution, norm, activation), a last one."""
    whole, bottleneck = padded(image, len(widths)), bottleneck_shape(image, widths)
    sizes = (code_dim, *(tuple(reversed(hidden)) if decoder_hidden is None else decoder_hidden))
    layers = linear_layers(sizes, norm, activation)
    layers += [nn.Linear(sizes[-1], bottleneck.n_pixels), FeatureMap(bottleneck)]
    up = tuple(reversed(widths))
    for n_in, n_out in zip((up[0], *up[:-1]), up, strict=True):
        layers += [
            nn.ConvTranspose2d(n_in, n_out, kernel, 2, padding=(kernel - 1) // 2, output_padding=kernel % 2),
            *norm_2d(norm, n_out),
            ACTIVATIONS[activation](),
        ]
    layers += [nn.Conv2d(up[-1], image.channels, 3, padding=1)]
    if whole != image:
        layers += [Crop(image.height, image.width)]
    return nn.Sequential(*layers)


def check(image: ImageShape, *, widths: Sequence[int], kernel: int, **others: object) -> None:
    """ValueError where there is no stage, no such kernel, or a feature map that is mostly border."""
    if not widths:
        raise ValueError("model.widths: the conv architecture needs at least one stage; dense has none")
    if kernel not in KERNELS:
        raise ValueError(f"model.kernel: {kernel}; the conv architecture takes {', '.join(map(str, KERNELS))}")
    whole = padded(image, len(widths))
    if prod(whole) > 4 * prod(image):
        raise ValueError(
            f"model.widths: {len(widths)} stages halve an image {len(widths)} times, and one of "
            f"{image.height}x{image.width} would be mostly border; give fewer, or a larger data.pad_to"
        )


ARCHITECTURE = Architecture("conv", SETTINGS, build_encoder, build_decoder, check)
