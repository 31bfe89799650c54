import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from latent_audit.base.errors import InputError
from latent_audit.diagnostics import mixture
from latent_audit.diagnostics.decomposition import decomposition, per_dimension_rate


def draw(rng, n, d, *, std=0.3, spread=0.2):
    mu = rng.standard_normal((n, d)) * np.sqrt(max(1 - std**2, 0))
    logvar = 2 * np.log(std) + spread * rng.standard_normal((n, d))
    return mu, logvar, mu + np.exp(logvar / 2) * rng.standard_normal((n, d))


def measure(mu, logvar, z):
    return decomposition(mu, logvar, z).set_index("metric")["value"]


def naive(mu, logvar, z):
    """The (point, component, dimension) array in full."""
    log_density = stats.norm.logpdf(z[:, None], mu[None], np.exp(logvar / 2)[None])
    n = len(z)
    own = log_density[np.arange(n), np.arange(n)].sum(axis=1)
    prior = stats.norm.logpdf(z).sum(axis=1)
    values = {"kl": (own - prior).mean()}
    without = log_density.copy()
    without[np.arange(n), np.arange(n)] = -np.inf
    for ending, densities, count in (("", log_density, n), ("_loo", without, n - 1)):
        joint = special.logsumexp(densities.sum(axis=2), axis=1) - np.log(count)
        marginal = (special.logsumexp(densities, axis=1) - np.log(count)).sum(axis=1)
        values[f"index_code_mi{ending}"] = (own - joint).mean()
        values[f"total_correlation{ending}"] = (joint - marginal).mean()
        values[f"dimwise_kl{ending}"] = (marginal - prior).mean()
        values[f"marginal_kl{ending}"] = (joint - prior).mean()
    values["kl_closed_form"] = (0.5 * (mu**2 + np.exp(logvar) - 1 - logvar)).sum(axis=1).mean()
    return values


def divided(name):
    return name.startswith(("total_correlation", "dimwise_kl", "marginal_kl"))


@pytest.mark.parametrize("std", [1e-4, 0.02, 0.3, 0.99, 3.0])
def test_agrees_with_the_full_array(rng, std):
    arrays = draw(rng, 400, 3, std=std)
    found, expected = measure(*arrays), naive(*arrays)
    if expected["index_code_mi"] > np.log(400) - 2:
        assert std < 0.1
        expected |= {name: np.nan for name in expected if divided(name)}
    assert found.drop(["marginal_kl_perfect", "total_correlation_perfect"]).to_dict() == pytest.approx(
        expected, rel=1e-7, abs=1e-7, nan_ok=True
    )


@pytest.mark.parametrize(("n_apart", "n"), [(40, 400), (150, 1200)])
def test_agrees_where_some_codes_are_alone_and_most_are_not(rng, n_apart, n):
    mu, logvar, z = draw(rng, n, 2, std=0.9)
    logvar[:n_apart] = -20.0
    mu[:n_apart] *= 20
    z[:n_apart] = mu[:n_apart] + np.exp(-10) * rng.standard_normal((n_apart, 2))
    found = measure(mu, logvar, z).drop(["marginal_kl_perfect", "total_correlation_perfect"])
    assert found.to_dict() == pytest.approx(naive(mu, logvar, z), rel=1e-6, abs=1e-6)


def test_blocks_agree_with_the_full_array(rng):
    n = 2 * mixture.TILE + 3
    mu, logvar, z = draw(rng, n, 2, std=0.2)
    full = stats.norm.logpdf(z[:, None], mu[None], np.exp(logvar / 2)[None]).sum(axis=2)
    assert mixture.log_joint(z, mu, logvar) == pytest.approx(special.logsumexp(full, axis=1) - np.log(n), rel=1e-10)


def test_columns_join_those_of_joint(rng):
    table = decomposition(*draw(rng, 50, 2))
    assert list(table.columns) == ["metric", "value", "p_value", "null_low", "null_high", "n_p"]
    assert (table["n_p"] == 50).all() and table["p_value"].isna().all()


def test_far_apart_posteriors_know_their_index(rng):
    # One far-apart posterior per sample: I = ln N
    mu = np.column_stack([np.arange(50) * 100.0, rng.standard_normal(50)])
    logvar = np.zeros((50, 2))
    values = measure(mu, logvar, mu + rng.standard_normal((50, 2)))
    assert values["index_code_mi"] == pytest.approx(np.log(50), abs=1e-9)


def test_far_apart_posteriors_of_widely_different_widths(rng):
    mu = 1e3 * np.arange(60.0)[:, None] * [1, -1]
    logvar = np.tile([-40.0, 2.0], (60, 1))
    z = mu + np.exp(logvar / 2) * rng.standard_normal((60, 2))
    values = measure(mu, logvar, z)
    assert values["index_code_mi"] == pytest.approx(np.log(60), abs=1e-9)
    assert np.isnan(values["total_correlation"])
    # of the mixture each dimension alone tells the index too, so its TC = H(1) + H(2) - H = ln N
    joint, marginals = mixture.log_joint(z, mu, logvar), mixture.log_marginals(z, mu, logvar)
    assert (joint - marginals.sum(axis=1)).mean() == pytest.approx(np.log(60), abs=1e-9)


def test_identical_posteriors_know_nothing(rng):
    mu, logvar = np.full((80, 2), 2.0), np.zeros((80, 2))
    values = measure(mu, logvar, mu + rng.standard_normal((80, 2)))
    for name in ("index_code_mi", "total_correlation"):
        assert values[name] == pytest.approx(0, abs=1e-8)
    assert values["kl_closed_form"] == pytest.approx(4)  # KL(N(2,1) || N(0,1)) = 2 per dimension
    assert values["dimwise_kl"] == pytest.approx(values["kl"], abs=1e-8)


def test_a_gaussian_aggregate_has_closed_forms(rng):
    # mu ~ N(0, S - s2 I), s2 = .25, gives q(z) -> N(0, S), S = [[1, .6], [.6, 1]]: TC = -ln(1 - .36)/2,
    # dwKL = 0, MI = ln(det S / s2^2)/2. Error: N = 4000 terms, plus the mixture's own bias of order 1/(N s^d).
    n, s2 = 4000, 0.25
    covariance = np.array([[1, 0.6], [0.6, 1]])
    mu = rng.multivariate_normal([0, 0], covariance - s2 * np.eye(2), n)
    logvar = np.full((n, 2), np.log(s2))
    values = measure(mu, logvar, mu + np.sqrt(s2) * rng.standard_normal((n, 2)))
    se = 1 / np.sqrt(n)  # the log-ratios have standard deviations below 1
    assert abs(values["total_correlation"] + 0.5 * np.log(1 - 0.36)) < 5 * se
    assert abs(values["dimwise_kl"]) < 5 * se
    assert abs(values["index_code_mi"] - 0.5 * np.log(0.64 / s2**2)) < 5 * se


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32),
    st.integers(20, 60),
    st.integers(1, 4),
    st.floats(0.001, 3),
    st.floats(0, 3),
    st.floats(0, 50),
)
def test_the_identity_the_cap_and_the_symmetries(seed, n, d, std, spread, scale):
    rng = np.random.default_rng(seed)
    mu, logvar, z = draw(rng, n, d, std=std, spread=spread)
    mu, z = mu * scale, z + mu * (scale - 1)
    values = measure(mu, logvar, z)
    tolerance = 1e-6 * max(1.0, abs(values["kl"]))
    known = values["index_code_mi"] <= np.log(n) - 2
    assert all(np.isfinite(value) == (known or not divided(name)) for name, value in values.items())
    for ending in ["", "_loo"] if known else []:
        rest = values[f"total_correlation{ending}"] + values[f"dimwise_kl{ending}"]
        assert values[f"index_code_mi{ending}"] + rest == pytest.approx(values["kl"], abs=tolerance)
        assert values[f"marginal_kl{ending}"] == pytest.approx(rest, abs=tolerance)
    assert values["index_code_mi"] <= np.log(n) + 1e-12
    assert values["kl_closed_form"] >= 0
    rows, sign = rng.permutation(n), rng.choice([-1.0, 1.0], d)
    moved = measure((mu * sign)[rows][:, ::-1], logvar[rows][:, ::-1], (z * sign)[rows][:, ::-1])
    assert moved.to_dict() == pytest.approx(values.to_dict(), rel=1e-6, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("std", [0.02, 0.1, 0.9])
def test_interpolated_marginals_are_exact_to_their_tolerance_everywhere(rng, std):
    mu, logvar, z = draw(rng, 3000, 2, std=std, spread=0.4)
    mu[0], z[0] = 9.0, 9.3  # an outlier
    found = mixture.log_marginals(z, mu, logvar)
    exact = np.column_stack([mixture._exact_marginal(z[:, j], mu[:, j], logvar[:, j]) for j in range(2)])
    assert np.abs(found - exact).max() < 1e-6 and np.abs(found - exact).mean() < mixture.TOLERANCE


def test_threads_do_not_change_a_bit(rng, monkeypatch):
    arrays = draw(rng, 1500, 3)
    many = measure(*arrays)
    assert many.notna().all()
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert measure(*arrays).equals(many)


def test_rate_of_a_live_a_collapsed_and_a_shifted_dimension(rng):
    n = 1000
    live = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    mu = np.column_stack([live, np.zeros(n), np.full(n, 2.0)])
    logvar = np.zeros((n, 3))
    table = per_dimension_rate(mu, logvar)
    assert list(table.columns) == ["dim", "kl_nats", "activity", "is_active", "collapsed_share", "is_collapsed"]
    assert table["kl_nats"].tolist() == pytest.approx([0.5, 0.0, 2.0])  # mu^2 / 2
    assert table["activity"].tolist() == pytest.approx([1, 0, 0])  # ddof 0
    assert table["is_active"].tolist() == [True, False, False]
    assert table["is_collapsed"].tolist() == [False, True, False]


def test_collapse_allows_delta_of_the_samples():
    mu = np.zeros((100, 1))
    mu[:2] = 1.0
    share = per_dimension_rate(mu, np.zeros((100, 1)))
    assert share["collapsed_share"][0] == pytest.approx(0.98) and not share["is_collapsed"][0]
    assert per_dimension_rate(mu, np.zeros((100, 1)), delta=0.02)["is_collapsed"][0]


def test_bad_input_is_refused_in_words(rng):
    mu, logvar, z = draw(rng, 30, 2)
    with pytest.raises(InputError, match="must have one shape"):
        decomposition(mu, logvar[:, :1], z)
    with pytest.raises(InputError, match="decomposition, logvar: codes are NaN"):
        decomposition(mu, np.full_like(logvar, np.nan), z)
    with pytest.raises(InputError, match="logvar reaches 500"):
        per_dimension_rate(mu, np.full_like(logvar, -500))
    with pytest.raises(InputError, match="at least 20 rows"):
        per_dimension_rate(mu[:3], logvar[:3])
    with pytest.raises(InputError, match="delta < 1"):
        per_dimension_rate(mu, logvar, delta=1.0)


@pytest.mark.parametrize("n_narrow", [1, 6])
def test_a_few_very_narrow_posteriors_are_not_lost_between_the_nodes(rng, n_narrow):
    n = 3000
    mu, logvar = 0.9 * rng.standard_normal((n, 1)), np.full((n, 1), -2.0)
    logvar[:n_narrow] = -16.0
    z = mu + np.exp(0.5 * logvar) * rng.standard_normal((n, 1))
    terms = -0.5 * ((z - mu.T) ** 2 * np.exp(-logvar.T) + logvar.T + np.log(2 * np.pi))
    exact = special.logsumexp(terms, axis=1) - np.log(n)
    np.testing.assert_allclose(mixture.log_marginals(z, mu, logvar)[:, 0], exact, atol=2e-8)
