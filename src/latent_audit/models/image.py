"""What an image is to a network: its shape, and uint8 pixels as numbers in [0, 1]."""

from math import prod
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor


class ImageShape(NamedTuple):
    """Channels, height and width of an image, in pixels."""

    channels: int
    height: int
    width: int

    @property
    def n_pixels(self) -> int:
        """C * H * W, the number of terms in a reconstruction loss."""
        return prod(self)


def to_unit_interval(
    images: UInt8[Tensor, "batch channel height width"],
) -> Float[Tensor, "batch channel height width"]:
    """uint8 pixels 0..255 as float32 in [0, 1], channels last in memory."""
    return images.to(torch.float32, memory_format=torch.channels_last).div_(255)
