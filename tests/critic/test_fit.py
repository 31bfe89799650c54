"""latent_audit.critic.fit on classes that a glance tells apart."""

import numpy as np
import pytest
import torch

from latent_audit.base.errors import InputError
from latent_audit.critic.fit import Schedule, accuracy, fit_critic
from latent_audit.critic.network import build_critic
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.image import ImageShape

CPU = torch.device("cpu")


def train(splits, *, epochs: int = 6, batch_size: int = 20, learning_rate: float = 5e-3, seed: int = 0):
    losses: list[float] = []
    critic, score = fit_critic(
        splits, Schedule(epochs, batch_size, learning_rate), n_classes=5, seed=seed, device=CPU,
        on_epoch=lambda epoch, loss: losses.append(loss),
    )  # fmt: skip
    return critic, score, losses


def test_it_learns_the_bands(tiny_splits):
    critic, score, losses = train(tiny_splits)
    assert score > 0.9  # the classes are five rows of an image; chance is 0.2
    assert losses[-1] < losses[0]
    assert not critic.training
    assert score == accuracy(critic, tiny_splits["test"], device=CPU)


def test_a_seed_decides_every_byte(tiny_splits):
    (first, _, a), (again, _, b), (_, _, c) = (train(tiny_splits, epochs=1, seed=seed) for seed in (1, 1, 2))
    assert a == b != c
    ours, theirs = first.state_dict(), again.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_one_step_in_all(tiny_splits):
    assert len(train(tiny_splits, epochs=1, batch_size=60)[2]) == 1


def test_a_last_batch_of_one_image(tiny_splits):
    assert len(train(tiny_splits, epochs=1, batch_size=59)[2]) == 1


def test_a_diverging_critic_says_so(tiny_splits):
    with pytest.raises(InputError, match=r"critic: the loss is not finite in epoch 1; lower critic\.learning_rate"):
        train(tiny_splits, learning_rate=1e38)


def test_accuracy_counts_every_image(tiny_splits):
    critic = build_critic(ImageShape(1, 16, 16), 5, seed=0).eval()
    with torch.no_grad():
        critic.classify.weight.zero_()
        critic.classify.bias.copy_(torch.tensor([0.0, 0, 0, 9, 0]))  # always class 3
    images = np.repeat(tiny_splits["test"].images[:1], 501, axis=0)  # more than one batch of 500
    labels = np.array([3] * 100 + [1] * 400 + [3])
    assert accuracy(critic, LoadedSplit(images, labels), device=CPU) == 101 / 501
