import numpy as np
import pytest
from sklearn.datasets import load_iris

from latent_audit.diagnostics.multivariate_shape import gaussian_tc, henze_zirkler_beta, shape_statistics
from latent_audit.diagnostics.transforms import fit_affine


def measure(x):
    return shape_statistics(fit_affine(x, "whitened")(x))


def naive(x):
    """Full matrices and a plain inverse; covariance over n."""
    n, d = x.shape
    centred = x - x.mean(axis=0)
    gram = centred @ np.linalg.inv(centred.T @ centred / n) @ centred.T
    apart = np.diag(gram)[:, None] + np.diag(gram) - 2 * gram
    beta = 1 / np.sqrt(2) * ((2 * d + 1) * n / 4) ** (1 / (d + 4))
    kernel = np.exp(-(beta**2) / 2 * apart).sum() / n
    single = 2 * (1 + beta**2) ** (-d / 2) * np.exp(-(beta**2) / (2 * (1 + beta**2)) * np.diag(gram)).sum()
    hz = kernel - single + n * (1 + 2 * beta**2) ** (-d / 2)
    return {"mardia_b1p": (gram**3).mean(), "mardia_b2p": (np.diag(gram) ** 2).mean(), "henze_zirkler": hz}


def test_iris_setosa_gives_the_published_numbers():
    # Korkmaz, Goksuluk & Zararsiz (2014), R Journal 6(2), MVN package on setosa, four variables.
    values = measure(load_iris().data[:50])
    assert values["mardia_b1p"] == pytest.approx(3.079721, abs=1e-6)
    assert values["mardia_b2p"] == pytest.approx(26.53766, abs=1e-5)
    assert values["henze_zirkler"] == pytest.approx(0.9488453, abs=1e-6)


@pytest.mark.parametrize("shape", [(30, 1), (80, 4), (600, 7)])
def test_agrees_with_full_matrices(rng, shape):
    x = rng.standard_t(5, shape)
    assert measure(x) == pytest.approx(naive(x), rel=1e-8)


def test_affine_maps_change_nothing(rng):
    x = rng.exponential(size=(100, 3))
    moved = 50 + x @ rng.standard_normal((3, 3)) * [1, 1e3, 1e-3]
    assert measure(moved) == pytest.approx(measure(x), rel=1e-6)


def test_known_values_of_two_points():
    # x = -1, 1, equally often: y = x, b1p = mean (y_i y_j)^3 = 0, b2p = 1 (kurtosis of a coin)
    values = measure(np.tile([[-1.0], [1.0]], (20, 1)))
    assert values["mardia_b1p"] == pytest.approx(0, abs=1e-12) and values["mardia_b2p"] == pytest.approx(1)


def test_beta_of_the_paper():
    assert henze_zirkler_beta(100, 2) == pytest.approx((5 * 100 / 4) ** (1 / 6) / np.sqrt(2))


def test_gaussian_tc_of_a_correlated_pair():
    # exact sample correlation .6: TC = -ln(1 - .36) / 2
    a, b = np.tile([1.0, 1, -1, -1], 10), np.tile([1.0, -1, 1, -1], 10)
    x = np.column_stack([a, 0.6 * a + 0.8 * b])
    assert gaussian_tc(x) == pytest.approx(-0.5 * np.log(1 - 0.36))
    assert gaussian_tc(9 + x * [1e5, 1e-5]) == pytest.approx(-0.5 * np.log(1 - 0.36))
    assert gaussian_tc(np.column_stack([a, b])) == pytest.approx(0, abs=1e-12)


def test_gaussian_tc_of_duplicates_constants_and_too_few_rows(rng):
    z = rng.standard_normal((40, 2))
    assert gaussian_tc(np.hstack([z, z[:, :1]])) == np.inf
    assert gaussian_tc(np.hstack([z, np.full((40, 1), 0.1)])) == pytest.approx(gaussian_tc(z))
    assert gaussian_tc(np.ones((40, 3))) == 0.0
    assert np.isnan(gaussian_tc(rng.standard_normal((30, 30))))
