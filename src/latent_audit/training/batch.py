"""A batch in parts: the terms of some images under one draw each, and their share of the batch's mean gradient.

A batch's gradient is always the sum of its parts' gradients, so that whoever computes a part changes no byte.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.autoencoder import Autoencoder, ModelSpec
from latent_audit.models.elbo import PIXEL_LOSS, elbo_terms, objective
from latent_audit.models.image import to_unit_interval

TERMS: tuple[str, ...] = ("objective", "recon_nll", "kl")


@dataclass(frozen=True)
class TrainingRun:
    """All that defines one arm's training, except its seed and its device."""

    arm: str
    model: ModelSpec
    reconstruction: str
    beta: float | None
    epochs: int
    batch_size: int
    learning_rate: float
    precision: str


class Part(NamedTuple):
    """Some images of a split, by index, and a draw for each; `batch_size` counts the images of the whole batch whose
    mean gradient is asked for, and is None where only the terms are.
    """

    split: str
    rows: Tensor
    eps: Tensor
    batch_size: int | None


class Outcome(NamedTuple):
    """The sums of a part's terms over its images, (3,), and its gradient by every parameter, if it was asked for."""

    sums: Tensor
    gradients: list[Tensor]


def outcome(model: Autoencoder, images: dict[str, Tensor], part: Part, run: TrainingRun) -> Outcome:
    """What `part` of uint8 `images` gives under the weights that `model` has now."""
    with torch.set_grad_enabled(part.batch_size is not None):
        terms = batch_terms(model, images[part.split][part.rows], part.eps, run)
        if part.batch_size is None:
            return Outcome(terms.double().sum(dim=0), [])
        gradients = torch.autograd.grad(terms[:, 0].sum() / part.batch_size, list(model.parameters()))
        return Outcome(terms.detach().sum(dim=0), list(gradients))


def resident(splits: dict[str, LoadedSplit], device: torch.device) -> dict[str, Tensor]:
    """The images of every split on `device`; on a CPU they stay where they are mapped."""
    return {name: torch.from_numpy(np.asarray(split.images)).to(device) for name, split in splits.items()}


def draw(n: int, run: TrainingRun, generator: torch.Generator) -> Tensor:
    """The (n, latent) standard normal draws of a batch: on the CPU, so that a seed's are the same on every device."""
    return torch.randn(n, run.model.latent_dim, generator=generator)


def batch_terms(model: Autoencoder, batch: Tensor, eps: Tensor, run: TrainingRun) -> Tensor:
    """objective, recon_nll and kl of each image of a uint8 batch, as (batch, 3), at z = mu + sigma * eps."""
    return terms_of(model, to_unit_interval(batch), eps, run)


def terms_of(forward: Callable[..., tuple], x: Tensor, eps: Tensor, run: TrainingRun) -> Tensor:
    """The terms of `batch_terms` from a forward pass (x, eps) -> mu, logvar, logits."""
    low = run.precision == "bfloat16"
    with torch.autocast(x.device.type, torch.bfloat16, enabled=low, cache_enabled=False):  # no weight is met twice
        mu, logvar, logits = forward(x, eps)
    n_pixels = run.model.image.n_pixels
    pixel_loss = PIXEL_LOSS[run.reconstruction](logits, x)
    terms = elbo_terms(pixel_loss, mu, logvar, reconstruction=run.reconstruction, n_pixels=n_pixels)
    minimised = objective(pixel_loss, terms.kl, beta=run.beta, n_pixels=n_pixels)
    return torch.stack((minimised, terms.recon_nll, terms.kl), dim=1)
