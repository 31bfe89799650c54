import numpy as np
import pytest
from scipy import integrate, special, stats

from latent_audit.diagnostics import prior_distance as prior


def by_poisson_mixture(squared_norm: float, d: int) -> float:
    """E sqrt(noncentral chi2) = sum_k Poisson(k; |x|^2 / 2) sqrt 2 Gamma(d/2 + k + 1/2) / Gamma(d/2 + k), slowly."""
    rate = squared_norm / 2
    k = np.arange(max(0, int(rate - 14 * np.sqrt(rate + 1))), int(rate + 14 * np.sqrt(rate + 1)) + 30)
    ratio = np.exp(special.gammaln(d / 2 + k + 0.5) - special.gammaln(d / 2 + k))
    return float((stats.poisson.pmf(k, rate) * np.sqrt(2) * ratio).sum())


@pytest.mark.parametrize("d", [1, 2, 3, 16, 200, 2048])
def test_mean_distance_agrees_with_the_poisson_mixture(d):
    norms = np.array([0.0, 1e-6, 0.5, 3.0, 40.0, 1000.0])
    found = prior.mean_distance_to_prior(norms**2, d)
    assert found == pytest.approx([by_poisson_mixture(r**2, d) for r in norms], rel=1e-9)
    assert (np.diff(found) > 0).all()


def test_mean_distance_agrees_with_the_confluent_hypergeometric_function():
    t = np.linspace(0, 20, 9)
    for d in (1, 2, 5, 10):
        closed = np.sqrt(2) * special.gamma((d + 1) / 2) / special.gamma(d / 2) * special.hyp1f1(-0.5, d / 2, -t / 2)
        assert prior.mean_distance_to_prior(t, d) == pytest.approx(closed, rel=1e-12)


def test_mean_distance_in_one_dimension_is_the_folded_normal():
    x = np.array([0.0, 0.3, 2.0, 9.0])
    folded = np.sqrt(2 / np.pi) * np.exp(-(x**2) / 2) + x * (1 - 2 * special.ndtr(-x))
    assert prior.mean_distance_to_prior(x**2, 1) == pytest.approx(folded, rel=1e-12)


def test_mean_pair_distance_known_values():
    # d = 1, 2, 3: 2/sqrt(pi), sqrt(pi), 4/sqrt(pi)
    expected = [2 / np.sqrt(np.pi), np.sqrt(np.pi), 4 / np.sqrt(np.pi)]
    assert [prior.mean_pair_distance(d) for d in (1, 2, 3)] == pytest.approx(expected)


def statistics(x, projections=100):
    return prior.prior_statistics(x, rng=np.random.default_rng(0), projections=projections)


def test_energy_and_mmd_agree_with_numerical_integration_in_one_dimension(rng):
    x = 0.4 + 1.3 * rng.standard_normal(40)
    # energy distance = 2 int (F_n - Phi)^2 dt (Székely & Rizzo 2013, theorem 1)
    grid = np.linspace(-9, 9, 2_000_001)
    step = np.searchsorted(np.sort(x), grid, side="right") / 40
    assert statistics(x[:, None])["energy_d2"] == pytest.approx(
        2 * integrate.trapezoid((step - special.ndtr(grid)) ** 2, grid), abs=1e-5
    )
    z = np.linspace(-9, 9, 4001)
    density = stats.norm.pdf(z)
    cross = integrate.trapezoid(np.exp(-((x[:, None] - z) ** 2) / 2) * density, z, axis=1).mean()
    both = integrate.trapezoid(
        integrate.trapezoid(np.exp(-((z[:, None] - z) ** 2) / 2) * density, z, axis=1) * density, z
    )
    naive = np.exp(-((x[:, None] - x) ** 2) / 2).mean() - 2 * cross + both
    assert statistics(x[:, None])["mmd2_rbf"] == pytest.approx(naive, rel=1e-7)


def test_point_mass_at_zero_has_closed_forms():
    values = statistics(np.zeros((30, 2)))
    # MMD^2 = 1 - 2 (1/2) + 1/3; energy = 2 E|Z| - E|Z - Z'| = 2 sqrt(pi/2) - sqrt(pi); W2 = 1; all radii 0
    assert values["mmd2_rbf"] == pytest.approx(1 / 3)
    assert values["energy_d2"] == pytest.approx(2 * np.sqrt(np.pi / 2) - np.sqrt(np.pi))
    assert values["sliced_w2"] == pytest.approx(1) and values["max_sliced_w2"] == pytest.approx(1)
    assert values["radius_ks"] == pytest.approx(1) and values["symmetry_energy"] == pytest.approx(0)


def test_bandwidths_are_multiples_of_the_priors_median_distance():
    x = np.zeros((30, 3))
    h2 = 2 * stats.chi2.median(3)
    expected = 1 - 2 * (h2 / (h2 + 1)) ** 1.5 + (h2 / (h2 + 2)) ** 1.5
    assert statistics(x)["mmd2_rbf_median"] == pytest.approx(expected)


def test_max_sliced_finds_the_one_odd_direction(rng):
    x = rng.standard_normal((4000, 30))
    x[:, 7] *= 5  # W2(N(0, 25), N(0, 1)) = 4
    values = statistics(x)
    assert values["max_sliced_w2"] == pytest.approx(4, abs=5 * 5 / np.sqrt(8000))
    assert values["sliced_w2"] < 1.5


def test_rotations_and_reflections_change_nothing_but_the_random_projections(rng):
    x = 0.3 + rng.standard_normal((120, 3)) * [1, 2, 0.5]
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    base, turned = statistics(x), statistics(x @ rotation)
    for name in set(base) - {"sliced_w2", "max_sliced_w2"}:
        assert turned[name] == pytest.approx(base[name], rel=1e-9), name
    assert turned["sliced_w2"] == pytest.approx(base["sliced_w2"], rel=0.2)


def test_radius_agrees_with_scipy(rng):
    x = 1.1 * rng.standard_normal((300, 5))
    squared = (x**2).sum(axis=1)
    assert prior.radius_ks(squared, 5) == pytest.approx(stats.kstest(squared, "chi2", args=(5,)).statistic)


def test_extreme_sizes_stay_finite(rng):
    values = statistics(1000 / np.sqrt(600) * rng.standard_normal((40, 600)), projections=20)
    assert all(np.isfinite(v) and v >= 0 for v in values.values())


def test_the_axes_of_fewer_codes_than_dimensions_are_those_of_the_svd(rng):
    x = rng.standard_normal((30, 80)) * np.linspace(0.2, 3, 80)
    axes = prior._odd_axes(x)
    assert axes.T @ axes == pytest.approx(np.eye(30), abs=1e-10)
    _, singular, rows = np.linalg.svd(x, full_matrices=False)
    order = np.argsort(-np.abs(singular / np.sqrt(30) - 1), kind="stable")
    assert np.abs((rows[order] * axes.T).sum(axis=1)) == pytest.approx(np.ones(30))
    assert prior._odd_axes(np.zeros((5, 9))).shape == (9, 0)
