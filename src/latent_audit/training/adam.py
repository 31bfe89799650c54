"""PyTorch's Adam, taking the steps that Keras' takes: epsilon beside the root of the raw second moment.

References: Kingma & Ba (2015), arXiv:1412.6980, the last lines of section 2 ("epsilon hat"). PyTorch adds epsilon after
the bias correction, as in their algorithm 1; dividing its epsilon by the correction of the step undoes the difference.
Under a mean loss, whose gradients are near epsilon, it is felt.
"""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

DECAY = (0.9, 0.999)  # of the first and of the second moment
EPSILON = 1e-7  # Keras' default, which the book's models were trained with
MOMENTS = {"first": "exp_avg", "second": "exp_avg_sq"}  # PyTorch's names for them


def adam(parameters: Iterable[Tensor], learning_rate: float) -> torch.optim.Adam:
    """An optimizer whose moments are there from the start (zeros), so that a checkpoint can be loaded into them."""
    optimizer = torch.optim.Adam(parameters, learning_rate, DECAY, EPSILON)
    for parameter in optimizer.param_groups[0]["params"]:
        state = {own: torch.zeros_like(parameter, memory_format=torch.preserve_format) for own in MOMENTS.values()}
        optimizer.state[parameter] = {"step": torch.tensor(0.0), **state}
    return optimizer


def step(optimizer: torch.optim.Adam, gradients: Sequence[Tensor], number: int) -> None:
    """Take step `number`, counted from 1, along one gradient per parameter."""
    group = optimizer.param_groups[0]
    group["eps"] = EPSILON / math.sqrt(1 - DECAY[1] ** number)
    for parameter, gradient in zip(group["params"], gradients, strict=True):
        parameter.grad = gradient
        optimizer.state[parameter]["step"].fill_(number - 1)  # of a checkpoint, too: it is not stored
    optimizer.step()


def moments(optimizer: torch.optim.Adam) -> dict[str, list[Tensor]]:
    """Both moments of every parameter's gradient, where they lie, in the order of the parameters."""
    parameters = optimizer.param_groups[0]["params"]
    return {name: [optimizer.state[parameter][own] for parameter in parameters] for name, own in MOMENTS.items()}
