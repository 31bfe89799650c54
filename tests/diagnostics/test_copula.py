"""latent_audit.diagnostics.copula: tables of two dimensions, scipy's chi2, and dependence that correlation misses."""

import numpy as np
import pytest
from scipy import stats

from latent_audit.diagnostics.copula import bins_of, copula, pair_statistics


def ring(rng, n, d):
    """Normal codes but for a disk that is missing in the plane of two dimensions."""
    x = rng.standard_normal((n, d))
    while (inside := (x[:, [3, 7]] ** 2).sum(axis=1) < 0.5).any():
        x[np.ix_(inside, [3, 7])] = rng.standard_normal((int(inside.sum()), 2))
    return x


def test_every_pair_has_the_chi2_that_scipy_has(rng):
    x = rng.standard_normal((400, 3)) @ np.array([[1, 0.4, 0], [0, 1, 0.2], [0, 0, 1.0]])
    found = pair_statistics(x, 4)
    cells = [np.searchsorted(np.quantile(x[:, j], [0.25, 0.5, 0.75]), x[:, j]) for j in range(3)]
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        table = np.histogram2d(cells[i], cells[j], bins=(np.arange(5), np.arange(5)))[0]
        assert found[i, j] == pytest.approx(stats.chi2_contingency(table, correction=False).statistic)
    assert np.diagonal(found) == pytest.approx(np.full(3, 400 * 3.0))  # of itself: V = 1


def test_ties_stay_in_one_cell_and_constant_dimensions_are_left_out(rng):
    x = np.column_stack([rng.integers(2, size=(1000, 3)), np.ones(1000)]).astype(float)
    row = copula(x, rng=rng).iloc[0]
    assert row["p_value"] > 1e-3 and row["value"] < 0.15
    assert copula(x[:, 2:], rng=rng).empty and copula(x[:, :1], rng=rng).empty


def test_a_hole_in_a_plane_of_fifty_is_named_where_nothing_correlates(rng):
    x = ring(rng, 1000, 50)
    assert abs(np.corrcoef(x[:, 3], x[:, 7])[0, 1]) < 0.12
    row = copula(x, rng=rng).iloc[0]
    assert row["where"] == "3, 7" and row["p_value"] < 1e-5 and row["value"] > 0.12


@pytest.mark.parametrize(("n", "d", "sets"), [(450, 40, 60), (1000, 60, 60)])
def test_of_independent_dimensions_the_worst_pair_is_below_5_percent_in_5_percent_of_sets(n, d, sets, rng):
    p = [copula(rng.standard_normal((n, d)), rng=rng)["p_value"][0] for _ in range(sets)]
    assert np.mean(np.array(p) < 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / sets)


def test_copies_have_all_of_it_and_few_codes_fewer_cells(rng):
    x = rng.standard_normal((500, 2))
    assert copula(np.column_stack([x, -x[:, 0]]), rng=rng)["value"][0] == pytest.approx(1, abs=0.02)
    assert [bins_of(n) for n in (450, 799, 800, 10**6)] == [3, 3, 4, 4]
    assert copula(x[:449], rng=rng).empty
