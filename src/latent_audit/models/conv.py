"""The book's convolutional encoder and decoder: three stride-2 3x3 stages, one linear map to and from the code."""

from math import prod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

WIDTHS = (32, 64, 128)
SHRINKAGE = 2 ** len(WIDTHS)


class ImageShape(NamedTuple):
    """Channels, height and width of an image, in pixels."""

    channels: int
    height: int
    width: int

    @property
    def n_pixels(self) -> int:
        """C * H * W, the number of terms in a reconstruction loss."""
        return prod(self)


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
        inputs = (image.channels, *WIDTHS[:-1])
        self.down = nn.ModuleList(
            nn.Conv2d(n_in, n_out, kernel_size=3, stride=2, padding=1)
            for n_in, n_out in zip(inputs, WIDTHS, strict=True)
        )
        self.heads = nn.ModuleDict({head: nn.Linear(bottleneck_shape(image).n_pixels, latent_dim) for head in heads})

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], ...]:
        """The value of each head, in the order in which they were named."""
        for layer in self.down:
            x = torch.relu(layer(x))
        features = x.flatten(start_dim=1)
        return tuple(head(features) for head in self.heads.values())


class ConvDecoder(nn.Module):
    """z -> logits of the pixels; their sigmoid is the decoder's mean."""

    def __init__(self, image: ImageShape, latent_dim: int):
        super().__init__()
        self.bottleneck = bottleneck_shape(image)
        self.memory_format = torch.channels_last  # 1.3x on CPU; vmap over stacked replicates wants contiguous_format
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
        x = x.contiguous(memory_format=self.memory_format)
        for layer in self.up:
            assert isinstance(layer, nn.ConvTranspose2d)
            x = torch.relu(_transposed(layer, x))
        return self.out(x)


def _transposed(layer: nn.ConvTranspose2d, x: Tensor) -> Tensor:
    # oneDNN's backward is slower when it is asked for the bias gradient in the same call, so the bias is added apart:
    # the same numbers, 1.10x in float32 and 1.37x in bfloat16 on one CPU thread.
    weight, bias = layer.weight, layer.bias  # not get_parameter: functional_call puts plain tensors in their place
    assert bias is not None
    return F.conv_transpose2d(x, weight, stride=2, padding=1, output_padding=1) + bias.to(x.dtype)[:, None, None]
