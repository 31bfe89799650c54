"""latent_audit.claims.intervals against a hand value and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from latent_audit.claims.intervals import mean_interval, within


def test_by_hand():
    # mean 2, sd 1, n 3: t_{0.975, 2} = 4.30265 (any table), half width 4.30265 / sqrt(3) = 2.48414
    interval = mean_interval([1.0, 2.0, 3.0])
    assert interval.mean == 2
    assert (interval.low, interval.high) == pytest.approx((2 - 2.48414, 2 + 2.48414), abs=1e-5)
    assert interval.n_seeds == 3


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", [2, 5, 30])
def test_against_scipy(n, level):
    values = np.random.default_rng(n).normal(3, 2, n)
    expected = stats.t.interval(level, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert mean_interval(values.tolist(), level=level)[1:3] == pytest.approx(expected, rel=1e-12)


def test_one_seed_has_no_interval():
    interval = mean_interval([4.0])
    assert interval.mean == 4
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.n_seeds == 1


def test_equal_seeds_have_an_interval_of_no_width():
    assert mean_interval([2.0, 2.0, 2.0]) == (2, 2, 2, 3)


def test_an_undefined_seed_makes_all_undefined():
    interval = mean_interval([1.0, np.nan, 3.0])
    assert np.isnan(interval[:3]).all()
    assert interval.n_seeds == 3


def test_an_infinite_seed_is_no_warning():
    interval = mean_interval([1.0, np.inf, 3.0])
    assert interval.mean == np.inf
    assert np.isnan([interval.low, interval.high]).all()


def test_coverage_is_nominal():
    rng, draws = np.random.default_rng(0), 2000
    hits = [low <= 1 <= high for _, low, high, _ in (mean_interval(rng.normal(1, 3, 5).tolist()) for _ in range(draws))]
    assert abs(np.mean(hits) - 0.95) < 5 * np.sqrt(0.95 * 0.05 / draws)


@settings(derandomize=True, deadline=None)
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8), shift=st.floats(-1e3, 1e3))
def test_contains_its_mean_and_moves_with_the_data(values, shift):
    interval, moved = mean_interval(values), mean_interval([value + shift for value in values])
    assert interval.low <= interval.mean <= interval.high
    scale = max(1.0, *(abs(value) for value in values), abs(shift))
    assert moved.low == pytest.approx(interval.low + shift, abs=1e-8 * scale)
    assert mean_interval(values[::-1]).mean == pytest.approx(interval.mean, abs=1e-9 * scale)


def test_a_share_has_no_interval_beyond_0_and_1():
    wide = mean_interval([0.23, 0.29, 0.40, 0.95, 0.97])
    assert wide.high > 1
    assert within(wide, 0, 1) == wide._replace(high=1.0)
    assert within(wide, -np.inf, np.inf) == wide
    single = within(mean_interval([0.5]), 0, 1)
    assert np.isnan(single.low) and np.isnan(single.high)
