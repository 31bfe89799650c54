import numpy as np
import pytest
from scipy import stats

from latent_audit.diagnostics import goodness_of_fit as gof


def sorted_column(values) -> np.ndarray:
    return np.sort(np.asarray(values, dtype=float))[:, None]


def test_statistics_agree_with_scipy(rng):
    x = 0.1 + 1.1 * rng.standard_normal(400)
    ordered = sorted_column(x)
    ks, cvm = stats.kstest(x, "norm"), stats.cramervonmises(x, "norm")
    assert gof.ks_statistic(ordered)[0] == pytest.approx(ks.statistic, rel=1e-12)
    assert np.exp(gof.ks_log_p(gof.ks_statistic(ordered), 400))[0] == pytest.approx(ks.pvalue, rel=1e-9)
    assert gof.cvm_statistic(ordered)[0] == pytest.approx(cvm.statistic, rel=1e-12)
    assert np.exp(gof.cvm_log_p(gof.cvm_statistic(ordered), 400))[0] == pytest.approx(cvm.pvalue, rel=1e-9)


def test_ad_statistic_agrees_with_scipys_monte_carlo_statistic(rng):
    # goodness_of_fit(statistic="ad") with fully specified parameters is case 0
    x = 0.1 + rng.standard_normal(60)
    oracle = stats.goodness_of_fit(
        stats.norm, x, known_params={"loc": 0, "scale": 1}, statistic="ad", n_mc_samples=99, rng=rng
    )
    assert gof.ad_statistic(sorted_column(x))[0] == pytest.approx(oracle.statistic, rel=1e-12)


@pytest.mark.parametrize(
    ("a2", "p"),
    # Quantiles of the limit law as printed by Marsaglia & Marsaglia (2004), JSS 9(2), section 1.
    [(1.9329578327415937, 0.10), (2.4923671600, 0.05), (3.8781250216, 0.01)],
)
def test_ad_p_reproduces_published_quantiles(a2, p):
    assert np.exp(gof.ad_log_p(np.array([a2]), 10**9))[0] == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize(
    ("a2", "p"),
    # Stephens (1974), JASA 69, table 1, case 0: upper tail points as tabulated from simulation.
    [(1.248, 0.25), (1.933, 0.10), (2.492, 0.05), (3.070, 0.025), (3.857, 0.01)],
)
def test_ad_p_reproduces_the_table_of_stephens(a2, p):
    assert np.exp(gof.ad_log_p(np.array([a2]), 10**6))[0] == pytest.approx(p, rel=0.03)


def test_ad_p_is_uniform_under_the_null_at_a_small_n(rng):
    n, draws = 20, 20_000
    ordered = np.sort(rng.standard_normal((n, draws)), axis=0)
    a2 = gof.ad_statistic(ordered)
    for level in (0.5, 0.1, 0.05, 0.01):
        critical = np.quantile(a2, 1 - level)
        p = np.exp(gof.ad_log_p(np.array([critical]), n))[0]
        assert abs(p - level) < 5 * np.sqrt(level * (1 - level) / draws)


def test_tail_of_the_limit_laws_agrees_with_inverting_the_characteristic_function():
    # Second opinion: Imhof (1961), Biometrika 48: P(sum lambda_k Z_k^2 > x) by numerical integration.
    k = np.arange(1, 3000)
    for weights, log_p, x in (
        (1 / (k * (k + 1.0)), gof.ad_log_p, 4.5),
        (1 / (k * np.pi) ** 2, gof.cvm_log_p, 0.9),
    ):
        u = (np.arange(1, 40_000) - 0.5) * 0.02
        angle = 0.5 * (np.arctan(np.outer(u, weights[:600])).sum(1) + u * weights[600:].sum()) - 0.5 * x * u
        decay = np.exp(0.25 * np.log1p(np.outer(u, weights[:600]) ** 2).sum(1))
        imhof = 0.5 + np.sum(np.sin(angle) / (u * decay)) * 0.02 / np.pi
        assert np.exp(log_p(np.array([x]), 10**7))[0] == pytest.approx(imhof, rel=2e-3)


@pytest.mark.parametrize("n", [20, 5_000])
@pytest.mark.parametrize("log_p", [gof.ad_log_p, gof.cvm_log_p])
def test_log_p_is_continuous_decreasing_and_finite_far_out(log_p, n):
    x = np.concatenate([np.linspace(0.09, 20, 400), [150, 199.9, 200.1, 300, 1e4, 1e9, 1e15]])
    values = log_p(x, n)
    assert np.isfinite(values).all() and (values <= 0).all()
    assert (np.diff(values) <= 1e-12).all()
    near = log_p(np.array([199.999, 200.001]), n)
    assert abs(near[1] - near[0]) < 0.02


def test_cvm_switches_to_the_tail_without_a_jump():
    w2 = np.linspace(2.8, 3.2, 41)
    steps = np.diff(gof.cvm_log_p(w2, 10_000))
    assert (np.abs(steps + np.pi**2 / 2 * 0.01) < 0.01).all()  # the slope of the tail is -pi^2 / 2


def test_ks_log_p_joins_the_exact_p_and_stays_finite_at_distance_one():
    log_p = gof.ks_log_p(np.array([0.2399, 0.2401, 0.5, 0.9, 1.0]), 5_000)
    # kstwo.logsf is still good at 1e-253
    assert log_p[1] == pytest.approx(np.log(stats.kstwo.sf(0.2401, 5_000)), rel=1e-10)
    assert np.isfinite(log_p).all() and (np.diff(log_p) < 0).all()
    # Massart (1990): p <= 2 exp(-2 n D^2) for every n and D
    assert (log_p <= np.log(2) - 2 * 5_000 * np.array([0.2399, 0.2401, 0.5, 0.9, 1.0]) ** 2).all()


def test_ks_log_p_at_a_distance_above_one_half_is_twice_the_one_sided_p():
    # For D >= 1/2 the two one-sided events exclude each other: Smirnov's formula by scipy.special.
    from scipy import special

    assert gof.ks_log_p(np.array([0.8]), 900)[0] == pytest.approx(gof._log_smirnov(0.8, 900) + np.log(2))
    assert gof._log_smirnov(0.6, 200) == pytest.approx(np.log(special.smirnov(200, 0.6)), rel=1e-9)
