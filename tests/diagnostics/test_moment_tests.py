"""latent_audit.diagnostics.moment_tests against scipy, exact laws, and codes whose departure is known."""

import numpy as np
import pytest
from scipy import stats

from latent_audit.diagnostics.moment_tests import DESCRIBED, moment_tests


def rows(x):
    return moment_tests(x).set_index("metric")


def test_one_dimension_is_the_textbook_test(rng):
    x = 0.1 + rng.standard_normal((50, 1))
    found = rows(x)
    z = np.sqrt(50) * abs(x.mean())
    assert found.loc["mean_max", "p_value"] == pytest.approx(2 * stats.norm.sf(z))
    assert found.loc["mean_length", "p_value"] == pytest.approx(2 * stats.norm.sf(z))
    square = 49 * x.var(ddof=1)
    sides = stats.chi2.cdf(square, 49), stats.chi2.sf(square, 49)
    assert found.loc["log_sd_max", "p_value"] == pytest.approx(2 * min(sides))
    assert "correlation_max" not in found.index


def test_one_pair_is_pearsons_test(rng):
    x = rng.standard_normal((40, 2))
    oracle = stats.pearsonr(x[:, 0], x[:, 1])
    found = rows(x).loc["correlation_max"]
    assert found["value"] == pytest.approx(abs(oracle.statistic))
    assert found["p_value"] == pytest.approx(oracle.pvalue)
    assert found["where"] == "0, 1"


@pytest.mark.parametrize(("n", "d"), [(30, 2), (100, 10), (40, 60)])
def test_every_p_is_uniform_under_the_null(n, d):
    sets = [rows(x)["p_value"] for x in np.random.default_rng(3).standard_normal((400, n, d))]
    for metric in (metric.name for metric in DESCRIBED if metric.name != "duplicate_dims"):
        p = np.array([one[metric] for one in sets])
        if np.isnan(p).all():
            continue
        assert (p < 0.05).mean() < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400), metric
        if metric != "correlation_rms":  # asymptotic
            assert stats.kstest(p, "uniform").pvalue > 1e-3, metric


def test_a_small_variance_in_one_of_fifty_is_found_by_its_number(rng):
    found = 0
    for _ in range(20):
        x = rng.standard_normal((10_000, 50))
        x[:, 17] *= np.sqrt(0.9)
        row = rows(x).loc["log_sd_max"]
        found += row["p_value"] < 0.002 and row["where"] == "17"
    assert found == 20


def test_a_small_correlation_in_two_of_fifty_is_found_by_their_numbers(rng):
    found = 0
    for _ in range(20):
        x = rng.standard_normal((10_000, 50))
        x[:, 9] = 0.1 * x[:, 4] + np.sqrt(0.99) * x[:, 9]
        row = rows(x).loc["correlation_max"]
        found += row["p_value"] < 0.002 and row["where"] == "4, 9"
    assert found == 20


def test_copies_are_counted_and_constants_have_no_correlation(rng):
    x = rng.standard_normal((60, 3))
    table = rows(np.column_stack([x, -x[:, 1], x[:, 0], np.full(60, 2.0)]))
    assert table.loc["duplicate_dims", "value"] == 2
    assert table.loc["correlation_max", ["value", "p_value"]].tolist() == [pytest.approx(1), 0.0]
    assert table.loc["log_sd_max", "value"] == np.inf and table.loc["log_sd_max", "where"] == "5"
    assert table.loc["log_sd_max", "p_value"] == 0.0
