"""A batch in parts: the terms of some images under one draw each, and their share of the batch's mean gradient.

A batch's gradient is the sum of its parts' gradients, so that whoever computes a part changes no byte. Where an image's
output depends on the images beside it (batch statistics), a batch is one part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from latent_audit.data.prepared import LoadedSplit
from latent_audit.models import registry
from latent_audit.models.autoencoder import Autoencoder, ModelSpec
from latent_audit.models.family import Batch, Objective
from latent_audit.models.image import to_unit_interval
from latent_audit.models.modules import has_batch_statistics

NOISE = "noise"  # the draws of a corruption, beside those of the family


@dataclass(frozen=True)
class Corruption:
    """What the encoder is shown instead of an image: `gaussian` noise of sd `level`, clipped to [0, 1], or `masking`,
    pixels set to 0 with probability `level`. The target stays clean. Vincent et al. (2008).
    """

    kind: str
    level: float

    def __call__(self, x: Tensor, noise: Tensor) -> Tensor:
        """`x` corrupted by `noise`: standard normal draws, or uniform ones, a number per pixel."""
        if self.kind == "gaussian":
            return (x + self.level * noise).clamp(0, 1)
        return torch.where(noise < self.level, torch.zeros_like(x), x)

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """The noise that this kind takes."""
        return (torch.randn if self.kind == "gaussian" else torch.rand)(shape, generator=generator)


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
    corruption: Corruption | None = None
    classes: tuple[int, ...] | None = None  # the labels that the arm sees; None: all

    @property
    def objective(self) -> Objective:
        """What the family minimises."""
        return Objective(self.reconstruction, self.beta)

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the family's terms, in the order in which their sums are kept."""
        return registry.family(self.model.family).terms


class Data(NamedTuple):
    """A split where it is computed with: uint8 images (image, channel, height, width), labels (image,) int64."""

    images: Tensor
    labels: Tensor


class Part(NamedTuple):
    """Some images of a split, by index, and their draws by name, a row for each image; `batch_size` counts the images
    of the whole batch whose mean gradient is asked for, and is None where only the terms are.
    """

    split: str
    rows: Tensor
    draws: dict[str, Tensor]
    batch_size: int | None


class Outcome(NamedTuple):
    """The sums of a part's terms over its images, (term,), and its gradient by every parameter, if it was asked for."""

    sums: Tensor
    gradients: list[Tensor]


def outcome(model: Autoencoder, data: Mapping[str, Data], part: Part, run: TrainingRun) -> Outcome:
    """What `part` gives under the weights that `model` has now: in training mode where a gradient is asked for."""
    wanted = part.batch_size is not None
    if model.training is not wanted:
        model.train(wanted)
    with torch.set_grad_enabled(wanted):
        terms = batch_terms(model, data[part.split], part.rows, part.draws, run)
        if part.batch_size is None:
            return Outcome(terms.double().sum(dim=0), [])
        objective = terms[:, 0].sum() / part.batch_size
        gradients = torch.autograd.grad(objective, list(model.parameters()), materialize_grads=True)
        return Outcome(terms.detach().sum(dim=0), list(gradients))


def resident(splits: Mapping[str, LoadedSplit], device: torch.device) -> dict[str, Data]:
    """Images and labels of every split on `device`; on a CPU they stay where they are mapped."""
    return {
        name: Data(
            torch.from_numpy(np.asarray(split.images)).to(device), torch.from_numpy(np.asarray(split.labels)).to(device)
        )
        for name, split in splits.items()
    }


class Streams(NamedTuple):
    """The generators of one seed, split and epoch: of the family's draws, and of a corruption's noise."""

    posterior: torch.Generator
    corruption: torch.Generator


def draw(n: int, run: TrainingRun, streams: Streams) -> dict[str, Tensor]:
    """The draws of a batch of `n` by name: on the CPU, so that a seed's are the same on every device."""
    shapes = registry.family(run.model.family).draws(run.model.latent_dim)
    draws = {name: torch.randn(n, *shape, generator=streams.posterior) for name, shape in shapes.items()}
    if run.corruption is not None:
        draws[NOISE] = run.corruption.draw((n, *run.model.image), streams.corruption)
    return draws


def is_divisible(model: Autoencoder) -> bool:
    """Whether a batch may be computed in parts: no image's terms depend on the images beside it."""
    return model.family.per_image and not has_batch_statistics(model)


def batch_terms(model: Autoencoder, data: Data, rows: Tensor, draws: Mapping[str, Tensor], run: TrainingRun) -> Tensor:
    """The family's terms of each image of a batch, as (batch, term)."""
    x = to_unit_interval(data.images[rows])
    return terms_of(model, as_batch(x, data.labels[rows], draws, run), draws, run)


def as_batch(x: Tensor, labels: Tensor, draws: Mapping[str, Tensor], run: TrainingRun) -> Batch:
    """Images in [0, 1] as what the family is given: with a corrupted input where the arm asks for one."""
    return Batch(x, x if run.corruption is None else run.corruption(x, draws[NOISE]), labels)


def terms_of(model: object, batch: Batch, draws: Mapping[str, Tensor], run: TrainingRun) -> Tensor:
    """The terms of `batch_terms` from a callable (batch, draws, objective) -> Terms."""
    low = run.precision == "bfloat16"
    with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=low, cache_enabled=False):  # no weight twice
        terms = model(batch, draws, run.objective)  # type: ignore[operator]
    return torch.stack([terms[name].float() for name in run.terms], dim=1)
