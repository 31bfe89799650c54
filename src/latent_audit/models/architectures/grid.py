"""A fully convolutional network: the code is a grid of vectors, one for each place of the image; no linear layer.

The code is laid out channel by channel, (width x rows x columns) numbers: latent_dim is rows x columns x width. It is
what a vector-quantised autoencoder takes; an AE or a VAE of such a code has a latent map.

References: van den Oord et al. (2017), arXiv:1711.00937, section 4.1, without its residual blocks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from latent_audit.base.errors import InputError
from latent_audit.models.architecture import Architecture, Encoder
from latent_audit.models.architectures.conv import KERNELS, bottleneck_shape
from latent_audit.models.image import ImageShape
from latent_audit.models.modules import ACTIVATIONS, FeatureMap, norm_2d

SETTINGS: Mapping[str, Any] = {
    "widths": (32, 64),  # channels after each stage of stride 2: two leave 8 x 8 of 32 x 32
    "kernel": 3,
    "norm": "none",
    "activation": "relu",
}


class GridEncoder(Encoder):
    """An encoder whose heads are convolutions of one pixel."""

    def __init__(self, body: nn.Sequential, grid: ImageShape, heads: Mapping[str, int]):
        super().__init__(body, nn.Sequential(), grid.n_pixels, {}, "none")
        self.heads = nn.ModuleDict(
            {
                name: nn.Sequential(FeatureMap(grid), nn.Conv2d(grid.channels, width_of(size, grid), 1), nn.Flatten())
                for name, size in heads.items()
            }
        )


def width_of(code_dim: int, grid: ImageShape) -> int:
    """Numbers at each place of the grid, for a code of so many in all.

    Raises
    ------
    InputError : they do not divide.
    """
    places = grid.height * grid.width
    if code_dim % places:
        raise InputError(
            f"model.latent_dim: {code_dim} numbers do not divide among the {grid.height} x {grid.width} places of the "
            f"grid architecture; give a multiple of {places} (and no family that adds a label: `conv` takes one)."
        )
    return code_dim // places


def build_encoder(
    image: ImageShape, heads: Mapping[str, int], condition: int, *, widths: Sequence[int], kernel: int, norm: str,
    activation: str,
) -> Encoder:  # fmt: skip
    """Stages of (stride-2 convolution, norm, activation), then a convolution of one pixel per head."""
    if condition:
        raise InputError("model.architecture: `grid` has no place for a label; take `conv` or `dense`.")
    body: list[nn.Module] = []
    for n_in, n_out in zip((image.channels, *widths[:-1]), widths, strict=True):
        body += [nn.Conv2d(n_in, n_out, kernel, stride=2, padding=(kernel - 1) // 2), *norm_2d(norm, n_out)]
        body += [ACTIVATIONS[activation]()]
    return GridEncoder(nn.Sequential(*body), bottleneck_shape(image, widths), heads)


def build_decoder(
    image: ImageShape, code_dim: int, *, widths: Sequence[int], kernel: int, norm: str, activation: str
) -> nn.Sequential:
    """A convolution from the grid, stages of (stride-2 transposed convolution, norm, activation), a last one."""
    grid = bottleneck_shape(image, widths)
    width = width_of(code_dim, grid)
    layers: list[nn.Module] = [
        FeatureMap((width, grid.height, grid.width)),
        nn.Conv2d(width, widths[-1], 3, padding=1),
        *norm_2d(norm, widths[-1]),
        ACTIVATIONS[activation](),
    ]
    up = tuple(reversed(widths))
    for n_in, n_out in zip((up[0], *up[:-1]), up, strict=True):
        layers += [
            nn.ConvTranspose2d(n_in, n_out, kernel, 2, padding=(kernel - 1) // 2, output_padding=kernel % 2),
            *norm_2d(norm, n_out),
            ACTIVATIONS[activation](),
        ]
    return nn.Sequential(*layers, nn.Conv2d(up[-1], image.channels, 3, padding=1))


def check(image: ImageShape, *, widths: Sequence[int], kernel: int, **others: object) -> None:
    """ValueError where there is no stage, no such kernel, or sides that cannot be halved so often."""
    if not widths:
        raise ValueError("model.widths: the grid architecture needs at least one stage")
    if kernel not in KERNELS:
        raise ValueError(f"model.kernel: {kernel}; the grid architecture takes {', '.join(map(str, KERNELS))}")
    unit = 2 ** len(widths)
    if image.height % unit or image.width % unit:
        raise ValueError(
            f"model.widths: {len(widths)} stages halve an image {len(widths)} times, which "
            f"{image.height}x{image.width} cannot be; give fewer, or a data.pad_to that {unit} divides"
        )


ARCHITECTURE = Architecture("grid", SETTINGS, build_encoder, build_decoder, check)
