"""A Gaussian is recommended where it mends what decided against N(0, I), not where it is N(0, I) again."""

import numpy as np
import pandas as pd
import pytest

from latent_audit.diagnostics.advice import one_row
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.fitted import FittedPrior, fit_diagonal, fit_gaussian, standard_normal
from latent_audit.diagnostics.remedy import is_remedy, standardised

N = 1500
FIT = pd.Series({"log_likelihood": -3.0, "auc": 0.53})


def normal(d: int, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((N, d))


def quadrants(d: int) -> np.ndarray:
    """N(0, I) in each dimension, and no code where the first two differ in sign."""
    x = normal(d)
    x[:, 1] *= np.sign(x[:, 0] * x[:, 1])
    return x


def parity() -> np.ndarray:
    """Normal and independent two by two, in four of the eight octants."""
    x = normal(5)
    x[:, 2] *= np.sign(x[:, 0] * x[:, 1] * x[:, 2])
    return x


def disk() -> np.ndarray:
    """Without the codes about (0.5, 0)."""
    x = normal(2)
    return x[np.hypot(x[:, 0] - 0.5, x[:, 1]) > 0.7]


def correlated() -> np.ndarray:
    return normal(2) @ np.array([[1.0, 0.8], [0.0, 0.6]])


def copies() -> np.ndarray:
    x = normal(3)
    x[:, 1] = -x[:, 0]
    return x


def why(*metrics: str) -> pd.DataFrame:
    """Reasons; true draws leave up to 1.5% of the prior short of codes."""
    return pd.DataFrame({"metric": metrics, "value": 0.5, "null_high": 0.015, "n_p": N})


def decided(law: FittedPrior, x: np.ndarray, *metrics: str) -> bool:
    return is_remedy(law, FIT, FIT, why(*metrics), Codes(x), rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("make", "metric"),
    [
        (disk, "hole_mass"), (lambda: quadrants(2), "hole_mass"), (lambda: quadrants(10), "hole_mass"),
        (lambda: quadrants(10), "copula_max"), (parity, "triple_moment_max"), (parity, "hole_mass"),
    ],
)  # fmt: skip
def test_a_gaussian_does_not_mend_a_hole_or_a_dependence_of_another_shape(make, metric: str):
    x = make()
    assert not decided(fit_diagonal(x), x, "mean_max", metric)


@pytest.mark.parametrize("metric", ["hole_mass", "copula_max", "square_correlation_max"])
@pytest.mark.parametrize("make", [correlated, copies])
def test_what_a_correlation_makes_is_mended_by_the_gaussian_that_has_it(make, metric: str):
    x = make()
    assert decided(fit_gaussian(x), x, metric)
    assert not decided(fit_diagonal(x), x, metric)


def test_shift_and_scale_are_mended_by_one_gaussian_per_dimension():
    x = normal(2) * [1.0, 0.3] + [2.0, 0.0]  # most of the prior is empty
    assert decided(fit_diagonal(x), x, "hole_mass", "mean_max", "ks_d_max")
    assert not decided(standard_normal(2), x, "hole_mass")


def test_what_gaussians_have_is_left_to_the_classifier():
    assert decided(fit_diagonal(parity()), parity(), "mean_max", "log_sd_max")


@pytest.mark.parametrize(
    ("auc", "log_likelihood", "mends"),
    [(0.52, -9.0, True), (0.56, -2.9, True), (0.56, -3.1, False), (0.56, np.nan, False)],
)  # fmt: skip
def test_a_mixture_is_nearer_than_the_prior_by_classifier_or_likelihood(auc: float, log_likelihood: float, mends: bool):
    mixture = FittedPrior("mixture", np.ones(1), np.zeros((1, 2)), np.eye(2)[None])
    fit = pd.Series({"log_likelihood": log_likelihood, "auc": auc})
    prior = pd.Series({"log_likelihood": -3.0, "auc": 0.55})
    assert is_remedy(mixture, fit, prior, why("hole_mass"), Codes(disk()), rng=np.random.default_rng(0)) is mends


def test_standardised_codes_have_mean_0_and_covariance_1_along_what_has_a_spread():
    whole = standardised(correlated(), fit_gaussian(correlated()))
    np.testing.assert_allclose(np.cov(whole.T, ddof=0), np.eye(2), atol=1e-10)
    nearest = (np.sqrt(1.8) + np.sqrt(0.2)) / 2  # the diagonal of the root of a covariance with 0.8 beside its 1
    assert np.corrcoef(whole[:, 0], correlated()[:, 0])[0, 1] == pytest.approx(nearest, abs=0.01)
    part = standardised(copies(), fit_gaussian(copies()))
    assert part.shape == (N, 2)
    np.testing.assert_allclose(np.cov(part.T, ddof=0), np.eye(2), atol=1e-10)


def test_a_row_that_is_all_of_the_spread_is_named():
    x = normal(3)
    assert one_row(x) == ()
    assert one_row(np.zeros((30, 2))) == ()
    x[7] = 1e8  # of a diverged run: it alone makes all dimensions copies of each other
    assert one_row(x)[0].startswith("Look at row 7 (counted from 0): 100% of the spread")
