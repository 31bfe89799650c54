"""latent_audit.base.densities against known answers, torch.distributions and quadrature."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm
from torch.distributions import Normal, kl_divergence

from latent_audit.base.densities import kl_to_standard_normal


def as_numpy(value: float):
    return np.array([value])


def as_torch(value: float):
    return torch.tensor([value], dtype=torch.float64)


@pytest.mark.parametrize("array", [as_numpy, as_torch])
@pytest.mark.parametrize(
    ("mu", "logvar", "nats"),
    [
        (2.0, 0.0, 2.0),  # KL(N(2, 1) || N(0, 1)) = 2^2 / 2
        (0.0, 0.0, 0.0),
        (-3.0, 0.0, 4.5),
        (0.0, np.log(4.0), 1.5 - np.log(2.0)),  # (4 - 1 - ln 4) / 2
        (1.0, -np.log(2.0), (1 + 0.5 - 1 + np.log(2.0)) / 2),
    ],
)
def test_known_answers(array, mu, logvar, nats):
    assert float(kl_to_standard_normal(array(mu), array(logvar))[0]) == pytest.approx(nats, abs=1e-15)


def test_against_torch_distributions():
    rng = np.random.default_rng(0)
    mu, logvar = rng.normal(0, 3, (50, 4)), rng.normal(0, 2, (50, 4))
    posterior = Normal(torch.from_numpy(mu), torch.from_numpy(np.exp(0.5 * logvar)))
    expected = kl_divergence(posterior, Normal(torch.tensor(0.0).double(), torch.tensor(1.0).double()))
    torch.testing.assert_close(kl_to_standard_normal(torch.from_numpy(mu), torch.from_numpy(logvar)), expected)
    np.testing.assert_allclose(kl_to_standard_normal(mu, logvar), expected.numpy(), rtol=1e-12)


def test_against_quadrature():
    mu, sigma = 0.7, 0.4
    q = norm(mu, sigma)
    expected = quad(lambda z: q.pdf(z) * (q.logpdf(z) - norm.logpdf(z)), mu - 12 * sigma, mu + 12 * sigma)[0]
    assert kl_to_standard_normal(as_numpy(mu), as_numpy(2 * np.log(sigma)))[0] == pytest.approx(expected, abs=1e-9)


def test_one_value_per_element_in_the_callers_library_and_dtype():
    mu = np.zeros((5, 3), dtype=np.float32)
    assert kl_to_standard_normal(mu, mu).shape == (5, 3)
    assert kl_to_standard_normal(mu, mu).dtype == np.float32
    tensor = kl_to_standard_normal(torch.from_numpy(mu), torch.from_numpy(mu))
    assert isinstance(tensor, torch.Tensor)
    assert tensor.dtype == torch.float32


def test_gradient_is_that_of_the_formula():
    mu = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
    logvar = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    kl_to_standard_normal(mu, logvar).sum().backward()
    assert mu.grad is not None and logvar.grad is not None
    assert mu.grad.item() == pytest.approx(2.0)  # d/dmu = mu
    assert logvar.grad.item() == pytest.approx((np.e - 1) / 2)  # d/dlogvar = (exp(logvar) - 1) / 2


@settings(derandomize=True, deadline=None)
@given(mu=st.floats(-50, 50), logvar=st.floats(-30, 30))
def test_never_negative_and_even_in_mu(mu, logvar):
    kl = kl_to_standard_normal(as_numpy(mu), as_numpy(logvar))[0]
    assert kl >= -1e-12  # rounding of exp(logvar) - 1 - logvar near 0
    assert kl == kl_to_standard_normal(as_numpy(-mu), as_numpy(logvar))[0]
