"""The critic: a small convolutional network, whose features, and labels where there are any, judge decoded images."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_audit.base.randomness import generator_for
from latent_audit.models.image import ImageShape

WIDTHS = (32, 64)
N_FEATURES = 64


class Critic(nn.Module):
    """Two conv + max-pool stages with batch normalisation, a feature layer and a linear classifier.

    `classify` is None where there are no classes (n_classes = 0): such a critic has features alone.
    """

    def __init__(self, image: ImageShape, n_classes: int):
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in zip((image.channels, *WIDTHS[:-1]), WIDTHS, strict=True):
            layers += [
                nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
                nn.MaxPool2d(2),
                nn.BatchNorm2d(n_out),
                nn.ReLU(),
            ]
        self.convolutions = nn.Sequential(*layers, nn.MaxPool2d(2))
        shrinkage = 2 ** (len(WIDTHS) + 1)
        flat = WIDTHS[-1] * (image.height // shrinkage) * (image.width // shrinkage)
        self.embed = nn.Sequential(nn.Linear(flat, N_FEATURES), nn.ReLU())
        self.classify = nn.Linear(N_FEATURES, n_classes) if n_classes else None

    def features(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch feature"]:
        """The layer before the classifier, in which generated and real images are compared."""
        return self.embed(self.convolutions(x).flatten(start_dim=1))

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch label"]:
        """Class logits; only of a critic with classes."""
        assert self.classify is not None
        return self.classify(self.features(x))


def build_critic(image: ImageShape, n_classes: int, *, seed: int) -> Critic:
    """A fresh critic; its weights come from the stream (seed, critic, init)."""
    state = int(generator_for(seed, "critic", "init").initial_seed() % 2**63)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(state)
        return Critic(image, n_classes).to(memory_format=torch.channels_last)
