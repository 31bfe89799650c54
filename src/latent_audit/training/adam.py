"""Adam as Keras takes its steps: epsilon stands beside the root of the raw second moment, before bias correction.

References: Kingma & Ba (2015), arXiv:1412.6980, the last lines of section 2 ("epsilon hat"). PyTorch's own optimizer
adds epsilon after the correction, as in their algorithm 1. Under a mean loss, whose gradients are near epsilon, the
difference is felt.
"""

# torch's functions over lists of tensors: one launch each on a GPU.
# pyright: reportPrivateImportUsage=false

import math
from collections.abc import Iterable

import torch
from torch import Tensor

DECAY = (0.9, 0.999)  # of the first and of the second moment
EPSILON = 1e-7  # Keras' default, which the book's models were trained with


class Adam:
    """Both moments of every parameter's gradient, and the steps they give; all of it in place.

    `first` and `second` are the moments, in the order of the parameters: with the parameters, all of its state.
    """

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float):
        self.learning_rate = learning_rate
        self.parameters = [parameter.detach() for parameter in parameters]  # the same memory, outside autograd
        self.first = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.second = [torch.zeros_like(parameter) for parameter in self.parameters]

    def step(self, gradients: list[Tensor], number: int) -> None:
        """Take step `number`, counted from 1, along one gradient per parameter."""
        decay, decay_of_squares = DECAY
        torch._foreach_lerp_(self.first, gradients, 1 - decay)
        torch._foreach_mul_(self.second, decay_of_squares)
        torch._foreach_addcmul_(self.second, gradients, gradients, 1 - decay_of_squares)
        scales = torch._foreach_sqrt(self.second)
        torch._foreach_add_(scales, EPSILON)
        rate = self.learning_rate * math.sqrt(1 - decay_of_squares**number) / (1 - decay**number)
        torch._foreach_addcdiv_(self.parameters, self.first, scales, -rate)
