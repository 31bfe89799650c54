"""Two replicates compared."""

import torch

from latent_audit.training.fit import Replicate


def same(first: Replicate, second: Replicate) -> bool:
    """Equal to the last bit: every weight, by name and in order, and the history."""
    weights = zip(first.weights.items(), second.weights.items(), strict=True)
    return first.history == second.history and all(a == b and torch.equal(x, y) for (a, x), (b, y) in weights)
