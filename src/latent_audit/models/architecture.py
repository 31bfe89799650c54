"""What an architecture is to this package: its settings, and how it builds an encoder and a decoder.

A new one is a file in `architectures/` that defines ARCHITECTURE.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from latent_audit.models.modules import ACTIVATIONS


@dataclass(frozen=True)
class Architecture:
    """One entry of the registry.

    settings : its settings and their defaults, all of which the `model` section of params.yaml may set.
    encoder : (image, heads, condition, **settings) -> Encoder. `heads` has the size of each head by name; `condition`
        is the number of further inputs beside the image (a one-hot label), 0 for none.
    decoder : (image, code_dim, **settings) -> nn.Sequential from codes (batch, code_dim) to pixel logits (batch,
        channel, height, width): modules in a row, so that the page can decode with it (see `models/layers.py`).
    check : (image, **settings) raises ValueError in words where the network cannot be built for such images.
    """

    name: str
    settings: Mapping[str, Any]
    encoder: Callable[..., "Encoder"]
    decoder: Callable[..., nn.Sequential]
    check: Callable[..., None] = lambda image, **settings: None


class Encoder(nn.Module):
    """x -> the value of each head: `body` from an image to features, `top` from features and condition to the heads."""

    def __init__(
        self, body: nn.Sequential, top: nn.Sequential, n_features: int, heads: Mapping[str, int], activation: str
    ):
        super().__init__()
        self.body, self.top = body, top
        self.heads = nn.ModuleDict({name: nn.Linear(n_features, size) for name, size in heads.items()})
        self.activate = ACTIVATIONS[activation]()  # of the first head, which is the code or its mean

    def forward(self, x: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        """The value of each head (batch, size), by name, for images (batch, channel, height, width) in [0, 1]."""
        features = self.body(x).flatten(start_dim=1)
        features = self.top(features if condition is None else _beside(features, condition))
        values = {name: head(features) for name, head in self.heads.items()}
        first = next(iter(values))
        return values | {first: self.activate(values[first])}


def _beside(features: Tensor, condition: Tensor) -> Tensor:
    return torch.cat((features, condition.to(features.dtype)), dim=1)
