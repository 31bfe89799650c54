"""The book's convolutional encoder and decoder: three stride-2 3x3 stages, one linear map to and from the code."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_audit.base.layers import Layer
from latent_audit.models.image import ImageShape
from latent_audit.models.layers import exported

WIDTHS = (32, 64, 128)
SHRINKAGE = 2 ** len(WIDTHS)


class Layers(NamedTuple):
    """How a layer is run: functions of (layer, x), equal in value for every choice; and how activations lie in memory.

    `conv_relu` runs a (transposed) convolution and its ReLU, `out` the decoder's last convolution.
    """

    conv_relu: Callable[[Any, Tensor], Tensor]  # Any: what a ModuleList holds is a Module to a type checker
    out: Callable[[nn.Conv2d, Tensor], Tensor]
    memory_format: torch.memory_format


def _conv_relu(layer: nn.Module, x: Tensor) -> Tensor:
    return torch.relu(layer(x))


def _out(layer: nn.Module, x: Tensor) -> Tensor:
    return layer(x)


PLAIN = Layers(_conv_relu, _out, torch.channels_last)


def bottleneck_shape(image: ImageShape) -> ImageShape:
    """Shape of the feature map between the convolutions and the linear layers.

    Raises
    ------
    ValueError : height or width is not a multiple of 8.
    """
    if image.height % SHRINKAGE or image.width % SHRINKAGE:
        raise ValueError(
            f"the conv architecture halves an image {len(WIDTHS)} times: {image.height}x{image.width} is not a "
            f"multiple of {SHRINKAGE}; choose data.pad_to accordingly"
        )
    return ImageShape(WIDTHS[-1], image.height // SHRINKAGE, image.width // SHRINKAGE)


class ConvEncoder(nn.Module):
    """x -> one linear head per name in `heads` (the code; or mu and logvar).

    References: Foster (2023), Generative Deep Learning, 2nd ed., chapter 3. Padding is symmetric, where Keras pads
    below and to the right: the same network up to a mirrored image.
    """

    def __init__(self, image: ImageShape, latent_dim: int, heads: tuple[str, ...]):
        super().__init__()
        self.layers = PLAIN
        inputs = (image.channels, *WIDTHS[:-1])
        self.down = nn.ModuleList(
            nn.Conv2d(n_in, n_out, kernel_size=3, stride=2, padding=1)
            for n_in, n_out in zip(inputs, WIDTHS, strict=True)
        )
        self.heads = nn.ModuleDict({head: nn.Linear(bottleneck_shape(image).n_pixels, latent_dim) for head in heads})

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], ...]:
        """The value of each head, in the order in which they were named."""
        for layer in self.down:
            x = self.layers.conv_relu(layer, x)
        features = x.flatten(start_dim=1)
        return tuple(head(features) for head in self.heads.values())


class ConvDecoder(nn.Module):
    """z -> logits of the pixels; their sigmoid is the decoder's mean."""

    def __init__(self, image: ImageShape, latent_dim: int):
        super().__init__()
        self.layers = PLAIN
        self.bottleneck = bottleneck_shape(image)
        widths = tuple(reversed(WIDTHS))
        self.project = nn.Linear(latent_dim, self.bottleneck.n_pixels)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(n_in, n_out, kernel_size=3, stride=2, padding=1, output_padding=1)
            for n_in, n_out in zip((widths[0], *widths[:-1]), widths, strict=True)
        )
        self.out = nn.Conv2d(widths[-1], image.channels, kernel_size=3, padding=1)

    def forward(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        """Logits of the image decoded from `z`."""
        x = self.project(z).unflatten(1, tuple(self.bottleneck))
        x = x.contiguous(memory_format=self.layers.memory_format)
        for layer in self.up:
            x = self.layers.conv_relu(layer, x)
        return self.layers.out(self.out, x)

    def export(self) -> list[Layer]:
        """The layers from a code to the logits."""
        up = [part for layer in self.up for part in (layer, nn.ReLU())]
        return exported(nn.Sequential(self.project, nn.Unflatten(1, tuple(self.bottleneck)), *up, self.out))
