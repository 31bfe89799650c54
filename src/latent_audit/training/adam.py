"""Adam as Keras takes its steps: epsilon stands beside the root of the raw second moment, before bias correction.

References: Kingma & Ba (2015), arXiv:1412.6980, the last lines of section 2 ("epsilon hat"). PyTorch adds epsilon after
the correction, as in their algorithm 1. Under a mean loss, whose gradients are near epsilon, the difference is felt.
"""

import math
from collections.abc import Iterable

import torch
from torch import nn

EPSILON = 1e-7  # Keras' default, which the book's models were trained with


def adam(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Adam:
    """The optimizer, with the default moments (.9, .999); its gradients must lie in memory as its parameters do."""
    return torch.optim.Adam(parameters, lr=learning_rate, fused=True)


def take_step(optimizer: torch.optim.Adam, number: int) -> None:
    """The optimizer's step `number`, counted from 1, with the gradients that its parameters hold."""
    for group in optimizer.param_groups:
        group["eps"] = EPSILON / math.sqrt(1 - group["betas"][1] ** number)
    optimizer.step()
