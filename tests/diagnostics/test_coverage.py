import numpy as np
import pytest
from scipy import special, stats
from scipy.spatial.distance import cdist

from latent_audit.base.errors import InputError
from latent_audit.diagnostics import coverage


@pytest.mark.parametrize("latent_dim", [1, 2, 16, 17, 60])
def test_nearest_distance_agrees_with_the_full_matrix(rng, latent_dim):
    points, codes = rng.standard_normal((2, 150, latent_dim))
    assert coverage.nearest_distance(points, codes) == pytest.approx(cdist(points, codes).min(axis=1), rel=1e-7)


def test_true_prior_draws_have_one_percent_of_holes(rng):
    table = coverage.holes(rng.standard_normal((2000, 2)), rng=rng).set_index("metric")
    assert list(table.index) == ["hole_fraction", "hole_fraction_whitened"]
    assert list(table.columns) == ["value", "radius", "null_low", "null_high", "n", "latent_dim"]
    for _, row in table.iterrows():
        assert row["null_low"] < 0.012 and row["null_high"] > 0.008
        assert row["value"] == pytest.approx(0.01, abs=5 * np.sqrt(2 * 0.01 / 2000))  # two binomial errors of 1%


def test_a_point_mass_leaves_everything_but_a_disc(rng):
    # Codes all at 0 in d = 2: the fraction is P(|Z| > r) = exp(-r^2 / 2).
    row = coverage.holes(np.zeros((1000, 2)), rng=rng, draws=5).iloc[0]
    expected = np.exp(-(row["radius"] ** 2) / 2)
    assert row["value"] == pytest.approx(expected, abs=5 * np.sqrt(expected * (1 - expected) / 1000))
    assert coverage.holes(np.zeros((1000, 2)), rng=rng, draws=5).iloc[1][["value", "null_low"]].isna().all()


def test_wrong_units_leave_raw_holes_that_whitening_closes_and_a_half_plane_leaves_half(rng):
    z = rng.standard_normal((3000, 2))
    table = coverage.holes(z * [1, 100], rng=rng, draws=10).set_index("metric")
    assert table.loc["hole_fraction", "value"] > 2 * table.loc["hole_fraction", "null_high"]
    assert table.loc["hole_fraction_whitened", "value"] < 2 * table.loc["hole_fraction_whitened", "null_high"]
    half = np.abs(z[:, :1]) * [1, 0] + z * [0, 1]
    assert coverage.holes(half, rng=rng, draws=10)["value"][0] == pytest.approx(0.5, abs=0.15)


def test_many_codes_and_many_dimensions(rng):
    table = coverage.holes(rng.standard_normal((coverage.HOLE_ROWS + 50, 2)), rng=rng, draws=2)
    assert table["n"].tolist() == [coverage.HOLE_ROWS] * 2
    assert coverage.holes(rng.standard_normal((250, 20)), rng=rng, draws=5)["value"].isna().all()


def test_same_seed_same_numbers():
    x = np.random.default_rng(1).standard_normal((200, 2))
    first, same, other = (coverage.holes(x, rng=np.random.default_rng(s), draws=5) for s in (1, 1, 2))
    assert first.equals(same) and not first.equals(other)


def test_location_agrees_with_the_t_test_of_scipy(rng):
    x = np.hstack([0.2 + rng.standard_normal((100, 2)), np.zeros((100, 1)), np.ones((100, 1))])
    table = coverage.location(x)
    oracle = stats.ttest_1samp(x[:, :2], 0.0)
    assert table["t"][:2].to_numpy() == pytest.approx(oracle.statistic)
    assert table["p_value"][:2].to_numpy() == pytest.approx(oracle.pvalue)
    assert table["t"].tolist()[2:] == [0.0, np.inf]
    assert table["p_value"].tolist()[2:] == [1.0, 0.0]


def test_symmetry_energy_of_two_points_by_hand():
    # X = {1, 3}: (1/4)[(2 - 0) + (4 - 2) + (4 - 2) + (6 - 0)] = 3
    assert coverage.symmetry_energy(np.array([[1.0], [3.0]])) == pytest.approx(3.0)


def test_symmetry_energy_is_half_the_squared_energy_distance_of_scipy(rng):
    x = rng.exponential(size=200)
    # scipy.stats.energy_distance is the square root of 2 E|X-Y| - E|X-X'| - E|Y-Y'| with Y = -X
    assert 2 * coverage.symmetry_energy(x[:, None]) == pytest.approx(stats.energy_distance(x, -x) ** 2)


def test_sign_flip_test_finds_asymmetry_and_only_that(rng):
    z = rng.standard_normal((300, 2))
    symmetric, shifted = coverage.sign_flip_test(z, rng=rng), coverage.sign_flip_test(z + 0.5, rng=rng)
    assert symmetric["p_value"][0] > 0.01
    assert shifted["p_value"][0] == pytest.approx(1 / 1000)
    assert coverage.sign_flip_test(z + 0.5, rng=rng, centre=True)["p_value"][0] > 0.01
    skewed = coverage.sign_flip_test(rng.exponential(size=(300, 2)) - 1, rng=rng, centre=True)
    assert skewed["p_value"][0] < 0.01 and skewed["metric"][0] == "symmetry_energy_centred"
    assert coverage.sign_flip_test(z, rng=rng, rows=50)["n_p"][0] == 50


def test_sign_flip_p_is_uniform_under_the_null(rng):
    p = [coverage.sign_flip_test(rng.standard_normal((60, 2)), rng=rng, flips=199)["p_value"][0] for _ in range(200)]
    assert stats.kstest(p, "uniform").statistic < 0.115


def test_perfectly_symmetric_codes_have_the_largest_p(rng):
    x = rng.standard_normal((100, 2))
    table = coverage.sign_flip_test(np.vstack([x, -x]), rng=rng)
    assert table["value"][0] == pytest.approx(0, abs=1e-12)
    assert table["p_value"][0] == 1.0


def test_bounds_against_the_prior(rng):
    x = rng.standard_normal((10_000, 2))
    table = coverage.bounds(x).set_index("metric")
    assert table.loc["max_abs_z", "value"] == np.abs(x).max()
    # median of the largest of 20,000: Phi(m)^... with (2 Phi(m) - 1)^20000 = 1/2
    m = table.loc["max_abs_z", "expected"]
    assert (2 * special.ndtr(m) - 1) ** 20_000 == pytest.approx(0.5)
    for name in ("beyond_3sd_fraction", "beyond_3sd_radius_fraction"):
        expected = table.loc[name, "expected"]
        assert expected == pytest.approx(0.0027, abs=1e-5)  # 68-95-99.7 rule
        assert abs(table.loc[name, "value"] - expected) < 5 * np.sqrt(expected / 10_000)


def test_errors_name_the_function(rng):
    for function in (coverage.location, coverage.bounds):
        with pytest.raises(InputError, match=function.__name__):
            function(np.zeros((3, 2)))
    for function in (coverage.holes, coverage.sign_flip_test):
        with pytest.raises(InputError, match="at least 20 rows"):
            function(np.zeros((3, 2)), rng=rng)


@pytest.mark.parametrize("latent_dim", [2, 20])
def test_nearest_distance_does_not_feel_a_large_mean(rng, latent_dim):
    points, codes = rng.standard_normal((30, latent_dim)), rng.standard_normal((50, latent_dim))
    expected = cdist(points, codes).min(axis=1)
    np.testing.assert_allclose(coverage.nearest_distance(points + 1e7, codes + 1e7), expected, rtol=1e-6)
