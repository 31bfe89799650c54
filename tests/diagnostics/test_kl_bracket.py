"""The two estimates of each part of the KL: known truths, the side each errs on, and where neither is said."""

import tracemalloc

import numpy as np
import pytest
from scipy import special, stats

from latent_audit.diagnostics import mixture
from latent_audit.diagnostics import perfect_encoder as perfect
from latent_audit.diagnostics.decomposition import decomposition
from latent_audit.diagnostics.parallel import single_threaded_blas

SEEDS = range(8)


def encoder(seed, n, std, *, covariance=None):
    """mu, logvar, z of an encoder with q(z) = N(0, covariance) and posterior sds `std`, one per dimension."""
    rng, std = np.random.default_rng(seed), np.asarray(std, dtype=float)
    covariance = np.eye(len(std)) if covariance is None else covariance
    mu = rng.multivariate_normal(np.zeros(len(std)), covariance - np.diag(std**2), n)
    return mu, np.tile(2 * np.log(std), (n, 1)), mu + std * rng.standard_normal((n, len(std)))


def over_seeds(n, std, *, covariance=None):
    """(metric -> mean over SEEDS, metric -> its standard error)."""
    tables = [
        decomposition(*encoder(seed, n, std, covariance=covariance), seed=seed).set_index("metric")["value"].to_numpy()
        for seed in SEEDS
    ]
    names = decomposition(*encoder(0, 20, std)).metric
    mean, se = np.mean(tables, axis=0), np.std(tables, axis=0, ddof=1) / np.sqrt(len(SEEDS))
    return dict(zip(names, mean, strict=True)), dict(zip(names, se, strict=True))


@pytest.mark.parametrize("std", [1e-6, 0.01, 0.3, 0.9])
@pytest.mark.parametrize("n", [60, 2 * mixture.TILE + 1])  # a last tile of one code, and its own component
def test_densities_of_the_others_equal_brute_force(std, n):
    mu, logvar, z = encoder(3, n, [std, std])
    full = stats.norm.logpdf(z[:, None], mu[None], np.exp(logvar / 2)[None])
    full[np.arange(n), np.arange(n)] = -np.inf
    expected = special.logsumexp(full.sum(axis=2), axis=1) - np.log(n - 1)
    assert mixture.log_joint_of_others(z, mu, logvar) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert mixture.log_joint_of_others(z, mu, logvar, rows=7) == pytest.approx(expected[:7], rel=1e-9, abs=1e-9)
    marginals = mixture.log_marginals_of_others(z, mu, logvar, mixture.log_marginals(z, mu, logvar))
    assert marginals == pytest.approx(special.logsumexp(full, axis=1) - np.log(n - 1), rel=1e-6, abs=1e-6)


def test_an_own_component_that_is_all_of_the_density_is_left_out_not_taken_off():
    # 1 - own / sum is 0 in float64 here: the others are 500 nats below
    mu, logvar = np.array([[0.0], [10.0], [-20.0]]), np.full((3, 1), -np.log(10))
    expected = np.logaddexp(*stats.norm.logpdf(0, [10, -20], 10**-0.5)) - np.log(2)
    assert mixture.log_joint_of_others(mu, mu, logvar)[0] == pytest.approx(expected, rel=1e-12)
    whole = mixture.log_marginals(mu, mu, logvar)
    assert mixture.log_marginals_of_others(mu, mu, logvar, whole)[0, 0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n", "std"), [(300, [0.3]), (1500, [0.05]), (1000, [0.2, 0.2]), (2000, [0.6] * 6)])
def test_the_estimates_err_to_either_side_of_a_perfect_encoder(n, std):
    mean, se = over_seeds(n, std)
    information = -np.log(std).sum()
    assert mean["index_code_mi"] - 3 * se["index_code_mi"] < information
    assert mean["index_code_mi_loo"] + 3 * se["index_code_mi_loo"] > information
    for name in ("marginal_kl", "dimwise_kl", "total_correlation"):
        assert mean[name] + 3 * se[name] > -1e-6 and mean[f"{name}_loo"] - 3 * se[f"{name}_loo"] < 1e-6


def test_the_estimates_err_to_either_side_of_known_dependence_and_distance():
    # q(z) = N(0, S): KL(q || p) = (tr S - 2 - ln det S) / 2, TC = -ln(1 - r^2) / 2
    covariance, std = np.array([[1.5, 0.6], [0.6, 0.8]]), np.array([0.2, 0.2])
    mean, se = over_seeds(1000, std, covariance=covariance)
    log_det = np.log(np.linalg.det(covariance))
    truth = {
        "marginal_kl": 0.5 * (2.3 - 2 - log_det),
        "total_correlation": 0.5 * (np.log(1.2) - log_det),
        "dimwise_kl": 0.5 * (2.3 - 2 - np.log(1.2)),
    }
    for name, value in truth.items():
        assert mean[f"{name}_loo"] - 3 * se[f"{name}_loo"] < value < mean[name] + 3 * se[name]
        assert mean[f"{name}_loo"] < mean[name]
    information = 0.5 * (log_det - 2 * np.log(0.04))
    assert mean["index_code_mi"] - 3 * se["index_code_mi"] < information < mean["index_code_mi_loo"]


def test_sixteen_dimensions_of_a_perfect_encoder_are_not_told_from_ten_thousand_codes():
    values = decomposition(*encoder(0, 10_000, [0.1] * 16)).set_index("metric")["value"]
    untold = [f"{name}{end}" for name in ("marginal_kl", "total_correlation") for end in ("", "_loo", "_perfect")]
    assert values[[*untold, "dimwise_kl", "dimwise_kl_loo"]].isna().all()
    assert values["kl"] == pytest.approx(16 * np.log(10), abs=0.1)
    assert values["index_code_mi"] == pytest.approx(np.log(10_000), abs=1e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_six_nats_in_two_dimensions_are_what_a_perfect_encoder_shows(seed):
    arrays = encoder(seed, 10_000, [np.exp(-3)] * 2)
    values = decomposition(*arrays, seed=seed).set_index("metric")["value"]
    for name in ("marginal_kl", "total_correlation"):
        assert values[f"{name}_loo"] < 0 < values[name]
        assert values[f"{name}_perfect"] == pytest.approx(values[name], abs=0.025)  # 5 sd of the difference
    assert 0.03 < values["total_correlation"] < 0.09  # the truth is 0


@pytest.mark.parametrize(("n", "std"), [(100, [0.4]), (500, [0.3, 0.3]), (500, [0.2, 0.9, 1.0]), (1000, [0.8] * 12)])
def test_the_perfect_encoder_has_the_error_of_the_mixture(n, std):
    mean, se = over_seeds(n, std)
    for name in ("marginal_kl", "total_correlation"):
        spread = np.hypot(se[name], se[f"{name}_perfect"])
        assert abs(mean[name] - mean[f"{name}_perfect"]) < 4 * spread + 1e-6


def test_the_perfect_encoder_has_the_rate_where_it_is_information_and_no_more():
    # all codes are 6 sd off, which is KL and no information
    mu, logvar, z = encoder(1, 800, [0.4, 0.4])
    plain, moved = (
        decomposition(mu + by, logvar, z + by).set_index("metric")["value"] for by in (0.0, np.array([6.0, 0.0]))
    )
    assert moved["kl_closed_form"] > plain["kl_closed_form"] + 15
    assert moved["marginal_kl_perfect"] == pytest.approx(plain["marginal_kl_perfect"], rel=0.1)


def test_dimensions_between_the_simulated_ones_are_interpolated():
    rates = np.linspace(0, 0.5, 24)
    with single_threaded_blas():
        found = np.array([perfect.perfect_encoder(rates, 500, rng=np.random.default_rng(seed)) for seed in SEEDS])
        each = np.array([perfect.perfect_encoder(rates[[j]], 500, rng=np.random.default_rng(99)) for j in range(24)])
    marginals = found[:, 0] - found[:, 1]
    se = marginals.std(ddof=1) / np.sqrt(len(SEEDS))
    assert abs(marginals.mean() - each[:, 0].sum()) < 5 * se
    assert (np.abs(each[:, 1]) < 1e-9).all()  # one dimension depends on nothing


def test_a_code_without_information_has_nothing_to_compare_with():
    arrays = np.zeros((100, 3)), np.zeros((100, 3)), np.random.default_rng(0).standard_normal((100, 3))
    values = decomposition(*arrays).set_index("metric")["value"]
    assert values.to_numpy() == pytest.approx(np.zeros(len(values)), abs=1e-8)


def test_the_seed_draws_the_perfect_encoder_and_nothing_else():
    arrays = encoder(2, 300, [0.5, 0.5])
    one, same, other = (decomposition(*arrays, seed=seed).set_index("metric")["value"] for seed in (1, 1, 2))
    assert one.equals(same)
    differ = set(one.index[one != other])
    assert differ == {"marginal_kl_perfect", "total_correlation_perfect"}


def test_memory_does_not_grow_with_the_square_of_the_codes():
    arrays = encoder(0, 6000, [0.9] * 4)
    tracemalloc.start()
    try:
        decomposition(*arrays)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100 * 2**20  # a square of 6,000 codes would take 288 MB
