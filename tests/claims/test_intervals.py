"""latent_audit.claims.intervals against a hand value and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from latent_audit.claims.intervals import groups, mean_interval, next_interval, p_against, told_by_values, within


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


def test_the_next_seed_by_hand():
    # mean 2, sd 1, n 3: 4.30265 sqrt(1 + 1/3) = 4.96828
    assert next_interval([1.0, 2.0, 3.0])[1:3] == pytest.approx((2 - 4.96828, 2 + 4.96828), abs=1e-5)
    assert np.isnan(next_interval([1.0])[1:3]).all()


def test_the_next_seed_falls_inside_as_often_as_it_should():
    rng, draws = np.random.default_rng(1), 2000
    sets = [rng.normal(1, 3, 6) for _ in range(draws)]
    hits = [low <= own[-1] <= high for own in sets for _, low, high, _ in [next_interval(own[:-1].tolist())]]
    assert abs(np.mean(hits) - 0.95) < 5 * np.sqrt(0.95 * 0.05 / draws)


def test_p_against_scipy_and_without_spread():
    values = np.random.default_rng(3).normal(1, 2, 7)
    assert p_against(values.tolist(), 0.3) == pytest.approx(stats.ttest_1samp(values, 0.3).pvalue)
    assert (p_against([2.0, 2.0], 1.0), p_against([2.0, 2.0], 2.0)) == (0.0, 1.0)
    assert np.isnan(p_against([2.0], 1.0)) and np.isnan(p_against([2.0, np.nan], 1.0))


@settings(derandomize=True, deadline=None)
@given(values=st.lists(st.floats(-10, 10), min_size=2, max_size=8), margin=st.floats(-3, 3))
def test_p_is_below_5_percent_exactly_where_the_interval_leaves_the_margin_out(values, margin):
    interval, p = mean_interval(values), p_against(values, margin)
    edge = min(abs(interval.low - margin), abs(interval.high - margin))
    if edge > 1e-9:
        assert (p < 0.05) == (not interval.low <= margin <= interval.high)


SEEDS = [0.94, 0.24, 0.965, 0.30, 0.45]  # the autoencoder's holes over five seeds


@pytest.mark.parametrize(
    ("values", "sizes"),
    [
        (SEEDS, [3, 2]),
        ([0.1, 0.2, 0.3, 0.4, 0.5], [5]),
        ([0.1, 0.1, 0.1, 0.1, 0.9], [5]),  # one odd seed is no group
        ([0.1, 0.9], [2]),
        ([0.1, 0.1, 0.9], [3]),
        ([0.1, 0.1, 0.9, 0.9], [2, 2]),
        ([0.5, 0.5, 0.5, 0.5], [4]),
        ([0.1, np.nan, 0.9, 0.9], [4]),
        ([], [0]),
    ],
)
def test_groups(values, sizes):
    assert [len(group) for group in groups(values)] == sizes


def test_a_mean_with_an_interval_is_not_told_where_it_would_mislead():
    assert told_by_values(SEEDS, 0, 1)
    assert told_by_values([0.0, 0.01, 0.2], 0, 1)  # the interval reaches below 0
    assert not told_by_values([0.0, 0.0, 0.003], 0, 1)  # it does, but not far
    assert told_by_values([0.3, 0.31, 0.6, 0.61], 0, 1)  # two groups
    assert not told_by_values([0.30, 0.301, 0.32, 0.321], 0, 1)  # two groups, but hardly apart
    assert not told_by_values([0.4, 0.41, 0.42, 0.43], 0, 1)
    assert not told_by_values(SEEDS, 0, np.inf)  # no share of anything
    assert not told_by_values([0.5], 0, 1)
    assert not told_by_values([0.5, np.nan], 0, 1)
