"""latent_audit.models.elbo against torch.distributions, and the two conventions of beta."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from latent_audit.models.elbo import (
    PIXEL_LOSS,
    ElboTerms,
    cross_entropy,
    elbo_terms,
    objective_of,
    recon_nll,
    squared_error,
)
from latent_audit.models.settings import pixels_per_unit_beta

SHAPE = (5, 3, 4, 4)
N_PIXELS = 48


def uniform(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def logits() -> torch.Tensor:
    return 8 * uniform(*SHAPE, seed=1) - 4


@pytest.fixture
def x() -> torch.Tensor:
    return uniform(*SHAPE, seed=2)


def test_cross_entropy_by_hand():
    # logits 0 say 1/2 of each pixel: ln 2 nats whatever x is
    found = cross_entropy(torch.zeros(2, 1, 2, 2, dtype=torch.float64), uniform(2, 1, 2, 2))
    torch.testing.assert_close(found, torch.full((2,), 4 * math.log(2), dtype=torch.float64))


def test_cross_entropy_of_black_and_white_is_bernoullis(logits, x):
    binary = x.round()
    expected = -Bernoulli(logits=logits).log_prob(binary).sum(dim=(1, 2, 3))
    torch.testing.assert_close(cross_entropy(logits, binary), expected)
    torch.testing.assert_close(recon_nll(cross_entropy(logits, binary), "bce", N_PIXELS), expected)


def test_cross_entropy_of_grey_is_the_expected_bernoulli(logits, x):
    of = {value: -Bernoulli(logits=logits).log_prob(torch.full_like(x, value)) for value in (0.0, 1.0)}
    torch.testing.assert_close(cross_entropy(logits, x), (x * of[1.0] + (1 - x) * of[0.0]).sum(dim=(1, 2, 3)))


def test_squared_error_by_hand():
    # sigmoid(0) = 1/2 against white: (1/2)^2 for each of 4 pixels
    torch.testing.assert_close(squared_error(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)), torch.tensor([1.0]))


def test_mse_nll_is_a_unit_variance_gaussians_with_its_constant(logits, x):
    expected = -Normal(logits.sigmoid(), 1.0).log_prob(x).sum(dim=(1, 2, 3))
    torch.testing.assert_close(recon_nll(squared_error(logits, x), "mse", N_PIXELS), expected)


def test_a_perfect_reconstruction_still_costs_the_gaussians_constant():
    logits = torch.zeros(1, 1, 2, 2, dtype=torch.float64)
    nll = recon_nll(squared_error(logits, torch.full_like(logits, 0.5)), "mse", 4)
    assert nll.item() == pytest.approx(2 * math.log(2 * math.pi), rel=1e-12)


def test_extreme_logits_stay_finite():
    logits = torch.tensor([200.0, -200.0]).reshape(1, 1, 1, 2)
    right, wrong = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2), torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2)
    assert cross_entropy(logits, right).item() == 0
    assert cross_entropy(logits, wrong).item() == 400


@pytest.mark.parametrize("reconstruction", ["bce", "mse"])
def test_elbo_terms_against_torch_distributions(logits, x, reconstruction):
    mu, logvar = 4 * uniform(5, 2, seed=3) - 2, 4 * uniform(5, 2, seed=4) - 2
    pixel_loss = PIXEL_LOSS[reconstruction](logits, x)
    terms = elbo_terms(pixel_loss, mu, logvar, reconstruction=reconstruction, n_pixels=N_PIXELS)
    prior = Normal(torch.zeros(2).double(), torch.ones(2).double())
    torch.testing.assert_close(terms.kl, kl_divergence(Normal(mu, (0.5 * logvar).exp()), prior).sum(dim=1))
    torch.testing.assert_close(terms.recon_nll, recon_nll(pixel_loss, reconstruction, N_PIXELS))
    torch.testing.assert_close(terms.elbo(), -terms.recon_nll - terms.kl)


def test_the_elbo_of_a_linear_gaussian_model_is_its_evidence():
    """Tipping & Bishop (1999): with the exact posterior E_q[log p(x|z)] - KL = log p(x), whatever q's samples are.

    x = w z + e, z and e standard normal: p(x) = N(0, 1 + w^2), q(z|x) = N(w x / (1 + w^2), 1 / (1 + w^2)).
    """
    w, x = 1.7, torch.tensor([-2.0, 0.3, 4.0], dtype=torch.float64)
    variance = 1 / (1 + w**2)
    mu, logvar = (w * x * variance)[:, None], torch.full((3, 1), math.log(variance)).double()
    expected_squared_error = (x - w * mu[:, 0]).square() + w**2 * variance
    terms = elbo_terms(expected_squared_error, mu, logvar, reconstruction="mse", n_pixels=1)
    torch.testing.assert_close(terms.elbo(), Normal(0.0, math.sqrt(1 + w**2)).log_prob(x))


def test_objective_by_hand():
    pixel_loss, kl = torch.tensor([96.0, 48.0]), torch.tensor([3.0, 5.0])
    # the book's: beta times the mean pixel loss, plus the KL
    torch.testing.assert_close(objective_of(pixel_loss, kl, beta=500.0, n_pixels=48), torch.tensor([1003.0, 505.0]))
    torch.testing.assert_close(objective_of(pixel_loss, kl, beta=None, n_pixels=48), torch.tensor([2.0, 1.0]))


@pytest.mark.parametrize("reconstruction", ["bce", "mse"])
@pytest.mark.parametrize("beta", [10.0, 500.0])
def test_the_books_objective_is_higgins_times_a_constant(logits, x, reconstruction, beta):
    """beta * mean pixel loss + KL = (recon_nll + beta_kl * KL) / beta_kl + constant: the same gradients but for scale.

    beta_kl is n_pixels / beta for bce, n_pixels / (2 beta) for mse, whose NLL is half the squared error.
    """
    beta_kl = N_PIXELS / beta if reconstruction == "bce" else N_PIXELS / (2 * beta)
    assert beta_kl == pytest.approx(pixels_per_unit_beta(N_PIXELS, reconstruction) / beta)
    leaves = [
        logits.requires_grad_(),
        (uniform(5, 2, seed=3) - 0.5).requires_grad_(),
        uniform(5, 2, seed=4).requires_grad_(),
    ]
    _, mu, logvar = leaves
    pixel_loss = PIXEL_LOSS[reconstruction](logits, x)
    terms = elbo_terms(pixel_loss, mu, logvar, reconstruction=reconstruction, n_pixels=N_PIXELS)
    book = objective_of(pixel_loss, terms.kl, beta=beta, n_pixels=N_PIXELS).mean()
    higgins = (terms.recon_nll + beta_kl * terms.kl).mean()
    gradients = [torch.autograd.grad(loss, leaves, retain_graph=True) for loss in (book, higgins)]
    for ours, theirs in zip(*gradients, strict=True):
        assert ours.abs().max() > 0
        torch.testing.assert_close(ours, theirs / beta_kl)


def test_elbo_terms_have_no_beta():
    assert ElboTerms._fields == ("recon_nll", "kl")
