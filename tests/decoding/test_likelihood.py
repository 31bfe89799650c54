import math

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from latent_audit.base.errors import InputError
from latent_audit.decoding import likelihood
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape

# p(x|z) = N(Wz, s^2 I) with orthogonal columns in W, so that the exact posterior is diagonal.
W = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
NOISE = 0.5


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def nll(z, x):
    return -Normal(z @ W.T, NOISE).log_prob(x).sum(dim=1)


def exact_posterior(x):
    # Tipping & Bishop (1999): posterior precision W'W / s^2 + I
    variance = 1 / ((W * W).sum(dim=0) / NOISE**2 + 1)
    mu = x @ W * variance / NOISE**2
    return mu, variance.log().expand_as(mu)


def wide_posterior(x):
    mu, logvar = exact_posterior(x)
    return mu, logvar + 1.0


@pytest.fixture
def x():
    return torch.randn(20, 3, dtype=torch.float64, generator=generator(1))


def evidence(x):
    covariance = W @ W.T + NOISE**2 * torch.eye(3, dtype=torch.float64)
    return float(MultivariateNormal(torch.zeros(3, dtype=torch.float64), covariance).log_prob(x).mean())


def bounds(x, encode, n_samples=50, seed=0):
    table = likelihood.likelihood_bounds(x, encode=encode, nll=nll, n_samples=n_samples, generator=generator(seed))
    assert list(table.columns) == ["metric", "value"]
    return table.set_index("metric")["value"]


def test_with_the_exact_posterior_every_bound_is_the_evidence(x):
    value = bounds(x, exact_posterior)
    assert value.index.tolist() == ["elbo_k1", "iwae_50", "rate", "distortion", "elbo"]
    assert value["elbo_k1"] == pytest.approx(evidence(x), abs=1e-10)
    assert value["iwae_50"] == pytest.approx(evidence(x), abs=1e-10)
    # with the closed-form rate the sampling noise of the distortion stays
    assert value["elbo"] == pytest.approx(evidence(x), abs=5 * 2 / math.sqrt(20 * 50))


def test_a_wide_posterior_loses_its_divergence_and_more_samples_win_it_back(x):
    one, few, many = (bounds(x, wide_posterior, n_samples=k) for k in (1, 5, 2000))
    assert one["elbo_k1"] == one["iwae_1"]
    # per dimension KL(N(m, e v) || N(m, v)) = (e - 1 - 1) / 2
    gap = 2 * 0.5 * (math.e - 2)
    assert many["elbo_k1"] == pytest.approx(evidence(x) - gap, abs=5 * 3 / math.sqrt(20 * 2000))
    assert many["elbo"] == pytest.approx(many["elbo_k1"], abs=5 * 5 / math.sqrt(20 * 2000))
    assert few["elbo_k1"] < few["iwae_5"] and many["iwae_2000"] == pytest.approx(evidence(x), abs=0.05)


def test_rate_and_distortion_by_hand():
    # q = p and a decoder of constant cost: nothing sent, the cost paid
    def prior(x):
        return torch.zeros(len(x), 2, dtype=x.dtype), torch.zeros(len(x), 2, dtype=x.dtype)

    table = likelihood.likelihood_bounds(
        torch.zeros(3, 1, dtype=torch.float64),
        encode=prior,
        nll=lambda z, x: torch.full((len(z),), 7.0, dtype=z.dtype),
        n_samples=10,
        generator=generator(),
    ).set_index("metric")["value"]
    assert table.tolist() == pytest.approx([-7, -7, 0, 7, -7])


def test_batches_do_not_change_the_numbers(x, monkeypatch):
    whole = bounds(x, wide_posterior)
    monkeypatch.setattr(likelihood, "BATCH", 150)
    assert bounds(x, wide_posterior).tolist() == pytest.approx(whole.tolist(), rel=1e-12)
    assert bounds(x, wide_posterior, seed=1).tolist() != pytest.approx(whole.tolist(), rel=1e-6)


@pytest.mark.parametrize("reconstruction", ["bce", "mse"])
def test_a_vae_gets_every_row_from_its_first_images(reconstruction, monkeypatch):
    monkeypatch.setattr(likelihood, "N_IMAGES", 6)
    image = ImageShape(1, 8, 8)
    model = build(ModelSpec("vae", "conv", image, 2), seed=0).eval()
    images = np.random.default_rng(0).integers(0, 256, (40, *image), dtype=np.uint8)  # the first 6, then a quarter

    def scores(some):
        return likelihood.likelihood_scores(
            model, some, reconstruction=reconstruction, generator=generator(), device=torch.device("cpu")
        ).set_index("metric")["value"]

    value = scores(images)
    assert value.equals(scores(np.concatenate([images[:6], 255 - images[6:]])))
    assert scores(images[:8]).equals(scores(np.concatenate([images[:2], 255 - images[2:8]])))
    assert not scores(images[:8]).equals(value)
    assert value["elbo"] == pytest.approx(-value["rate"] - value["distortion"])
    assert value["elbo_k1"] <= value["iwae_50"] and value["rate"] >= 0
    if reconstruction == "mse":  # 64 unit-variance Gaussians cost at least their constant
        assert value["distortion"] > 32 * math.log(2 * math.pi)


def test_an_autoencoder_has_no_likelihood():
    image = ImageShape(1, 8, 8)
    table = likelihood.likelihood_scores(
        build(ModelSpec("ae", "conv", image, 2), seed=0),
        np.zeros((5, *image), dtype=np.uint8),
        reconstruction="bce", generator=generator(), device=torch.device("cpu"),
    )  # fmt: skip
    assert list(table.columns) == ["metric", "value"] and table.empty


def test_nothing_to_bound_is_refused(x):
    for some, n_samples in ((x[:0], 5), (x, 0)):
        with pytest.raises(InputError, match="needs an image and a sample"):
            bounds(some, exact_posterior, n_samples=n_samples)
