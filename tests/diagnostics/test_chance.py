"""latent_audit.diagnostics.chance: p-values beyond the draws, and the best of many."""

import numpy as np
import pytest
from scipy import stats

from latent_audit.diagnostics.chance import best_of, tail_p


def test_among_the_draws_it_is_their_rank():
    draws = np.arange(1.0, 100.0)
    assert tail_p(50.0, draws) == pytest.approx((1 + 50) / 100)
    assert tail_p(0.0, draws) == 1.0
    assert tail_p(0.0, draws, two_sided=True) <= 1.0
    assert np.isnan(tail_p(np.nan, draws)) and np.isnan(tail_p(1.0, np.array([1.0, np.nan])))
    assert tail_p(np.inf, draws) == 0.0


@pytest.mark.parametrize("law", [stats.norm, stats.chi2(3), stats.expon, stats.gumbel_r])
def test_the_tail_goes_on_and_errs_towards_1(law):
    draws = law.rvs(size=(400, 199), random_state=np.random.default_rng(1))
    for p in (0.01, 0.002):
        found = np.array([tail_p(law.isf(p), null) for null in draws])
        assert 0.5 * p < np.exp(np.log(found).mean()) < 4 * p
    assert tail_p(law.isf(1e-6), draws[0]) < 1e-3


def test_equal_draws_have_no_tail():
    assert tail_p(1.0, np.ones(99)) == 1.0
    assert tail_p(2.0, np.ones(99)) == pytest.approx(1 / 100)


def test_the_smallest_of_m_uniform_p_values_is_uniform_again(rng):
    p = rng.uniform(size=(2000, 30))
    assert stats.kstest([best_of(np.log(row)) for row in p], "uniform").pvalue > 0.001
    assert best_of(np.array([np.nan, np.log(0.5)])) == pytest.approx(0.5)
    assert best_of(np.array([-800.0, 0.0])) == pytest.approx(2 * np.exp(-700.0) * np.exp(-100.0), rel=1e-6, abs=0)
    assert np.isnan(best_of(np.array([np.nan])))
