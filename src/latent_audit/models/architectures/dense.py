"""Linear layers only, on the pixels in a row: 784-512-256-20 and its kind, the first network of every tutorial."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from latent_audit.models.architecture import Architecture, Encoder
from latent_audit.models.image import ImageShape
from latent_audit.models.modules import FeatureMap, linear_layers

SETTINGS: Mapping[str, Any] = {
    "widths": (512, 256),  # units after each layer, from the image on
    "norm": "none",
    "activation": "relu",
    "code_activation": "none",
}


def build_encoder(
    image: ImageShape, heads: Mapping[str, int], condition: int, *, widths: Sequence[int], norm: str, activation: str,
    code_activation: str,
) -> Encoder:  # fmt: skip
    """Layers of (linear, norm, activation) on the pixels and the condition, then one linear head per name."""
    sizes = (image.n_pixels + condition, *widths)
    return Encoder(
        nn.Sequential(nn.Flatten()),
        nn.Sequential(*linear_layers(sizes, norm, activation)),
        sizes[-1],
        heads,
        code_activation,
    )


def build_decoder(
    image: ImageShape, code_dim: int, *, widths: Sequence[int], norm: str, activation: str, code_activation: object
) -> nn.Sequential:
    """The encoder's layers in reverse, and a linear one to the pixels."""
    sizes = (code_dim, *reversed(widths))
    return nn.Sequential(
        *linear_layers(sizes, norm, activation), nn.Linear(sizes[-1], image.n_pixels), FeatureMap(image)
    )


ARCHITECTURE = Architecture("dense", SETTINGS, build_encoder, build_decoder)
