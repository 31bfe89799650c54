"""latent_audit.training.adam against the update written out in numpy."""

import numpy as np
import pytest
import torch

from latent_audit.training.adam import adam, moments, step


def keras_steps(weights: np.ndarray, gradients: np.ndarray, rate: float) -> np.ndarray:
    """w -= alpha sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps)."""
    m, v = np.zeros_like(weights), np.zeros_like(weights)
    for t, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        weights = weights - rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
    return weights


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e-8])  # gradients far above, near and below epsilon
def test_steps_are_those_of_the_formula(scale):
    rng = np.random.default_rng(3)
    start, gradients = rng.normal(size=7), scale * rng.normal(size=(5, 7))
    parameter = torch.tensor(start)
    optimizer = adam([parameter], 0.01)
    for number, gradient in enumerate(gradients, start=1):
        step(optimizer, [torch.tensor(gradient)], number)
    moved, expected = parameter.numpy() - start, keras_steps(start, gradients, 0.01) - start
    np.testing.assert_allclose(moved, expected, rtol=1e-6)


def test_small_gradients_move_less_than_under_pytorchs_adam():
    ours, theirs = torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64, requires_grad=True)
    gradient = theirs.grad = torch.full((1,), 1e-7, dtype=torch.float64)
    step(adam([ours], 0.01), [gradient], 1)
    torch.optim.Adam([theirs], lr=0.01, eps=1e-7).step()
    assert theirs.item() == pytest.approx(-0.01 / 2)  # g / (|g| + eps)
    assert ours.item() == pytest.approx(-0.01 / (1 + 1 / np.sqrt(0.001)))  # sqrt(1 - b2) g / (sqrt(1 - b2) |g| + eps)


def test_large_gradients_move_as_under_pytorchs_adam():
    generator = torch.Generator().manual_seed(0)
    ours, theirs = torch.zeros(2, 3, 4, 5), torch.zeros(2, 3, 4, 5, requires_grad=True)
    mine, others = adam([ours], 0.01), torch.optim.Adam([theirs], lr=0.01, eps=1e-7)
    for number in range(1, 6):
        theirs.grad = 100 + torch.randn(2, 3, 4, 5, generator=generator)
        step(mine, [theirs.grad], number)
        others.step()
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-5, atol=1e-7)


def test_a_gradient_may_lie_in_memory_as_it_likes():
    gradient = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    moved = []
    for parameter in (torch.zeros(4, 3, 2, 2), torch.zeros(4, 3, 2, 2).to(memory_format=torch.channels_last)):
        step(adam([parameter], 0.01), [gradient], 1)
        moved.append(parameter)
    assert torch.equal(*moved)


def test_moments_are_there_before_the_first_step_and_are_those_of_the_formula():
    optimizer, gradient = adam([torch.ones(3)], 0.01), torch.tensor([1.0, -2.0, 0.0])
    assert moments(optimizer) == {"first": [pytest.approx(torch.zeros(3))], "second": [pytest.approx(torch.zeros(3))]}
    step(optimizer, [gradient], 1)
    (first,), (second,) = moments(optimizer).values()
    torch.testing.assert_close(first, 0.1 * gradient)
    torch.testing.assert_close(second, 0.001 * gradient.square())
