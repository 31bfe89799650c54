"""The small modules that architectures are made of beside torch's own, and rows of layers."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

# Keras' own, which the book's networks have: torch's defaults are a slope of 0.01, eps 1e-5 and momentum 0.1.
LEAKY_SLOPE, NORM_EPS, NORM_MOMENTUM = 0.3, 1e-3, 0.01
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "none": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(LEAKY_SLOPE),
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class FeatureMap(nn.Unflatten):
    """(batch, feature) as (batch, channel, height, width), channels last in memory, as a CPU's convolutions want it."""

    def __init__(self, shape: tuple[int, int, int]):
        super().__init__(1, tuple(shape))
        self.channels_last = True  # not a torch.memory_format, which does not always survive pickling

    def forward(self, input: Tensor) -> Tensor:
        """The same numbers in their new shape."""
        memory = torch.channels_last if self.channels_last else torch.contiguous_format
        return super().forward(input).contiguous(memory_format=memory)


def keep_contiguous(model: nn.Module) -> None:
    """Have every `FeatureMap` in `model` leave memory as it is: what vmap can batch."""
    for module in model.modules():
        if isinstance(module, FeatureMap):
            module.channels_last = False


def has_batch_statistics(model: nn.Module) -> bool:
    """Whether an image's output depends on the images beside it while the network trains."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())


def norm_2d(name: str, channels: int) -> list[nn.Module]:
    """`batch` normalisation of a feature map as Keras sets it, or nothing for `none`."""
    return [nn.BatchNorm2d(channels, eps=NORM_EPS, momentum=NORM_MOMENTUM)] if name == "batch" else []


def _norm_1d(name: str, features: int) -> list[nn.Module]:
    """`batch` normalisation of features as Keras sets it, or nothing for `none`."""
    return [nn.BatchNorm1d(features, eps=NORM_EPS, momentum=NORM_MOMENTUM)] if name == "batch" else []


def linear_layers(sizes: Sequence[int], norm: str, activation: str) -> list[nn.Module]:
    """Linear layers from sizes[0] to sizes[-1] units by way of the others, each with its norm and its activation."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), *_norm_1d(norm, n_out), ACTIVATIONS[activation]()]
    return layers
