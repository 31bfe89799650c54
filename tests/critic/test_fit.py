"""latent_audit.critic.fit on classes that a glance tells apart."""

import numpy as np
import pytest
import torch

from latent_audit.base.errors import InputError
from latent_audit.critic.fit import Schedule, accuracy, fit_critic, is_poor, majority_accuracy, random_critic
from latent_audit.critic.network import build_critic
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.image import ImageShape, to_unit_interval

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
    assert critic.classify is not None
    with torch.no_grad():
        critic.classify.weight.zero_()
        critic.classify.bias.copy_(torch.tensor([0.0, 0, 0, 9, 0]))  # always class 3
    images = np.repeat(tiny_splits["test"].images[:1], 501, axis=0)  # more than one batch of 500
    labels = np.array([3] * 100 + [1] * 400 + [3])
    assert accuracy(critic, LoadedSplit(images, labels), device=CPU) == 101 / 501


def test_without_classes_the_weights_are_random_and_every_feature_lives(tiny_splits):
    critic = random_critic(tiny_splits["train"], seed=3, device=CPU)
    assert critic.classify is None and not critic.training
    x = to_unit_interval(torch.from_numpy(np.array(tiny_splits["train"].images)))
    with torch.no_grad():
        raw = critic.embed[0](critic.convolutions(x).flatten(start_dim=1))
    torch.testing.assert_close(raw.mean(dim=0), torch.zeros(raw.shape[1]), atol=1e-4, rtol=0)
    torch.testing.assert_close(raw.std(dim=0, correction=0), torch.ones(raw.shape[1]), atol=1e-3, rtol=0)


def test_random_weights_depend_on_the_seed_alone(tiny_splits):
    before = torch.random.get_rng_state()
    first, again, other = (
        random_critic(tiny_splits["train"], seed=seed, device=CPU).state_dict() for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["embed.0.weight"], other["embed.0.weight"])
    assert torch.equal(before, torch.random.get_rng_state())


def test_random_features_of_constant_pictures_are_finite():
    split = LoadedSplit(np.full((30, 1, 16, 16), 7, dtype=np.uint8), np.zeros(30, dtype=np.int64))
    critic = random_critic(split, seed=0, device=CPU)
    assert all(torch.isfinite(tensor).all() for tensor in critic.state_dict().values())


def test_a_critic_is_poor_below_half_way_from_the_commonest_class_to_certainty():
    labels = np.array([0] * 6 + [1] * 4)
    assert majority_accuracy(labels) == 0.6
    assert is_poor(0.4, 0.6) and is_poor(0.79, 0.6)
    assert not is_poor(0.81, 0.6) and not is_poor(0.9, 0.1)
