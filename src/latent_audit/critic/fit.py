"""Train the critic: Adam with a one-cycle learning rate on the cross-entropy of the labels."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from latent_audit.base.errors import InputError
from latent_audit.base.randomness import generator_for
from latent_audit.critic.network import Critic, build_critic
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.image import ImageShape, to_unit_interval


class Schedule(NamedTuple):
    """Passes over the training split, images per step, and the peak learning rate."""

    epochs: int
    batch_size: int
    learning_rate: float


def fit_critic(
    splits: dict[str, LoadedSplit],
    schedule: Schedule,
    *,
    n_classes: int,
    seed: int,
    device: torch.device,
    on_epoch: Callable[[int, float], None],
) -> tuple[Critic, float]:
    """The trained critic in evaluation mode, and its accuracy on the whole test split.

    Raises
    ------
    InputError : the loss stops being finite.
    """
    images = torch.from_numpy(np.asarray(splits["train"].images)).to(device)
    labels = torch.from_numpy(np.asarray(splits["train"].labels)).to(device)
    critic = build_critic(ImageShape(*images.shape[1:]), n_classes, seed=seed).to(device)
    optimizer = torch.optim.Adam(critic.parameters(), lr=schedule.learning_rate, fused=True)
    steps = -(-len(images) // schedule.batch_size)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, schedule.learning_rate, total_steps=steps * schedule.epochs)
    for epoch in range(1, schedule.epochs + 1):
        critic.train()
        order = torch.randperm(len(images), generator=generator_for(seed, "critic", "shuffle", str(epoch)))
        losses = [
            _step(critic, optimizer, rate, images[batch], labels[batch])
            for batch in order.to(device).split(schedule.batch_size)
        ]
        mean = float(torch.stack(losses).mean())
        if not np.isfinite(mean):
            raise InputError(f"critic: the loss is not finite in epoch {epoch}; lower critic.learning_rate")
        on_epoch(epoch, mean)
    return critic.eval(), accuracy(critic.eval(), splits["test"], device=device)


def _step(
    critic: Critic,
    optimizer: torch.optim.Optimizer,
    rate: torch.optim.lr_scheduler.LRScheduler,
    images: Tensor,
    labels: Tensor,
) -> Tensor:
    loss = F.cross_entropy(critic(to_unit_interval(images)), labels)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    rate.step()
    return loss.detach()


@torch.no_grad()
def accuracy(critic: Critic, split: LoadedSplit, *, device: torch.device) -> float:
    """Share of the split's images whose label the critic names."""
    images, labels = torch.from_numpy(np.asarray(split.images)), torch.from_numpy(np.asarray(split.labels))
    right = [
        (critic(to_unit_interval(batch.to(device))).argmax(dim=1).cpu() == truth).sum()
        for batch, truth in zip(images.split(500), labels.split(500), strict=True)
    ]
    return float(torch.stack(right).sum()) / len(images)
