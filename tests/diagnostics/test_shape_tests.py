import numpy as np
import pytest
from scipy import special, stats

from latent_audit.diagnostics.shape_tests import jb_log_p, jb_statistic, k2_log_p, k2_statistic

TESTS = {"k2": (k2_statistic, k2_log_p), "jb": (jb_statistic, jb_log_p)}


@pytest.mark.parametrize("n", [20, 21, 137, 3000])
def test_statistics_agree_with_scipy(rng, n):
    x = rng.standard_t(4, size=(n, 6))
    skew, kurtosis = stats.skew(x), stats.kurtosis(x)
    assert k2_statistic(skew, kurtosis, n) == pytest.approx(stats.normaltest(x).statistic, rel=1e-9)
    assert jb_statistic(skew, kurtosis, n) == pytest.approx(stats.jarque_bera(x, axis=0).statistic, rel=1e-9)


def test_far_beyond_the_simulated_sizes_p_is_that_of_chi_squared():
    x = np.array([0.0, 0.5, 2.0, 6.0, 12.0, 18.0])
    for _, log_p in TESTS.values():
        assert log_p(x, 10**7) == pytest.approx(stats.chi2.logsf(x, 2), rel=0.01, abs=1e-12)
        assert np.abs(log_p(x, 10**6) - log_p(x, 50_000)).max() < 0.2


@pytest.mark.parametrize("test", TESTS)
def test_p_falls_from_1_without_a_step_for_every_n(test):
    x = np.concatenate([np.linspace(0, 60, 500), np.geomspace(61, 1e9, 100)])
    for n in (20, 26, 99, 1234, 10**5, 10**8):
        log_p = TESTS[test][1](x, n)
        assert log_p[0] == 0 and (np.diff(log_p) < 0).all() and np.isfinite(log_p).all()
        assert np.diff(log_p[:500]).min() > -0.5
    assert np.isnan(TESTS[test][1](np.array([np.nan]), 50)).all()


def tilted(n: int, rests: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Skew, excess kurtosis and weight of normal samples whose largest value is integrated over instead of drawn.

    P(A) = n E P(A, the last value is the largest in absolute value | the others): Asmussen & Kroese (2006).
    """
    x = rng.standard_normal((rests, n - 1))
    sums = [(x**power).sum(axis=1)[:, None] for power in (1, 2, 3, 4)]
    log_tail = stats.norm.logsf(np.abs(x).max(axis=1))[:, None]
    steps, width = np.arange(60), 0.35
    largest = -special.ndtri_exp(log_tail - width * (steps + 0.5))
    weight = n * np.exp(log_tail) * -np.expm1(-width) * np.exp(-width * steps) / rests
    both = np.concatenate([largest, -largest], axis=1)
    mean, second, third, fourth = (
        (own + both**power) / n for own, power in zip(sums, (1, 2, 3, 4), strict=True)
    )  # fmt: skip
    variance = second - mean**2
    skew = (third - 3 * mean * second + 2 * mean**3) / variance**1.5
    kurtosis = (fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4) / variance**2 - 3
    return skew, kurtosis, np.concatenate([weight, weight], axis=1)


@pytest.mark.parametrize(("n", "rests"), [(20, 50_000), (35, 30_000), (100, 20_000), (400, 10_000)])
@pytest.mark.parametrize("test", TESTS)
def test_p_holds_in_the_tail(test, n, rests):
    # The true p of a statistic by importance sampling. Beyond 1e-5 ours may be too large, never much too small.
    statistic, log_p = TESTS[test]
    skew, kurtosis, weight = tilted(n, rests, np.random.default_rng(n))
    values = statistic(skew, kurtosis, n).ravel()
    order = np.argsort(-values)
    true_p = np.cumsum(weight.ravel()[order])
    for level, low, high in (
        (1e-3, 0.7, 1.4),
        (1e-4, 0.7, 1.6),
        (1e-5, 0.5, 2.0),
        (1e-6, 0.5, 10),
        (1e-8, 0.5, np.inf),
    ):
        value = values[order][np.searchsorted(true_p, level)]
        assert low < np.exp(log_p(np.array([value]), n))[0] / level < high, level


def test_the_limit_alone_would_not_hold(rng):
    # Of 100 normal rows the p of the limit falls below .001 in .8% (JB) and .4% (K2): ten million draws.
    limit = -2 * np.log(0.001)
    assert np.exp(jb_log_p(np.array([limit]), 100))[0] == pytest.approx(0.0081, rel=0.02)
    assert np.exp(k2_log_p(np.array([limit]), 100))[0] == pytest.approx(0.0041, rel=0.02)
