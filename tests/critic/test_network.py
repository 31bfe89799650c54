"""latent_audit.critic.network: shapes, seeds, and the link between features and logits."""

import pytest
import torch

from latent_audit.critic.network import N_FEATURES, build_critic
from latent_audit.models.image import ImageShape


@pytest.mark.parametrize("image", [(1, 32, 32), (3, 16, 24), (1, 8, 8)])
def test_shapes(image):
    critic = build_critic(ImageShape(*image), 7, seed=0).eval()
    x = torch.zeros(4, *image)
    assert critic.features(x).shape == (4, N_FEATURES)
    assert critic(x).shape == (4, 7)


@torch.no_grad()
def test_logits_are_a_linear_map_of_the_features():
    critic = build_critic(ImageShape(1, 16, 16), 5, seed=0).eval()
    x = torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    assert critic.classify is not None
    torch.testing.assert_close(critic(x), critic.features(x) @ critic.classify.weight.T + critic.classify.bias)
    assert (critic.features(x) >= 0).all()


def test_seeds():
    first, again, other = (build_critic(ImageShape(1, 16, 16), 5, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["classify.weight"], other["classify.weight"])


def test_the_global_stream_stays_put():
    before = torch.random.get_rng_state()
    build_critic(ImageShape(1, 16, 16), 5, seed=0)
    assert torch.equal(before, torch.random.get_rng_state())


@torch.no_grad()
def test_in_evaluation_mode_a_picture_is_judged_alone():
    critic = build_critic(ImageShape(1, 16, 16), 5, seed=0).eval()
    x = torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(critic(x)[:1], critic(x[:1]))


def test_without_classes_there_are_features_alone_and_the_same_ones():
    none, some = (build_critic(ImageShape(1, 16, 16), n, seed=0).eval() for n in (0, 5))
    x = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    assert none.classify is None
    torch.testing.assert_close(none.features(x), some.features(x))
