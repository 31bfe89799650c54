"""Priors over grids of entries: probabilities that sum to one, counts by hand, and draws that follow them."""

import itertools

import numpy as np
import pytest

from latent_audit.diagnostics.grid_prior import PRIORS, draw, fit, log_probability


@pytest.mark.parametrize("kind", PRIORS)
def test_the_probabilities_of_all_grids_sum_to_one(kind, rng):
    prior = fit(rng.integers(0, 2, (30, 4)), 2, 2)
    grids = np.array(list(itertools.product(range(2), repeat=4)))
    assert np.exp(log_probability(prior, grids, kind)).sum() == pytest.approx(1.0)


def test_an_even_draw_costs_ln_entries_at_each_place(rng):
    prior = fit(rng.integers(0, 8, (50, 4)), 8, 2)
    assert log_probability(prior, np.zeros((1, 4), int), "uniform").tolist() == pytest.approx([-4 * np.log(8)])


def test_frequencies_of_a_place_by_hand():
    """Three 0 and one 1 of two entries, smoothed by the two kinds seen (Witten & Bell): (3 + 2 / 2) / 6."""
    prior = fit(np.array([[0], [0], [0], [1]]), 2, 1)
    assert np.exp(log_probability(prior, np.array([[0]]), "marginal"))[0] == pytest.approx(4 / 6)


def test_what_hangs_on_its_neighbours_is_cheaper_after_them(rng):
    """Rows of equal entries: after the first, nothing is left to be said; by frequency, every place costs ln 4."""
    grids = np.repeat(rng.integers(0, 4, (4000, 1)), 4, axis=1)
    prior = fit(grids[:3000], 4, 4)
    cost = {kind: -log_probability(prior, grids[3000:], kind).mean() for kind in PRIORS}
    assert cost["autoregressive"] == pytest.approx(np.log(4), abs=0.02)
    assert cost["marginal"] == pytest.approx(4 * np.log(4), abs=0.02)
    drawn = draw(prior, 400, "autoregressive", rng=rng)
    assert (drawn == drawn[:, :1]).mean() > 0.99
    assert (draw(prior, 400, "marginal", rng=rng)[:, 1:] == drawn[:, :1]).mean() < 0.5


def test_the_upper_neighbour_counts_as_well(rng):
    """Columns of equal entries in a grid of two rows: the left neighbour says nothing, the upper one all."""
    top = rng.integers(0, 4, (6000, 3))
    prior = fit(np.concatenate([top, top], axis=1), 4, 3)
    drawn = draw(prior, 300, "autoregressive", rng=rng)
    assert (drawn[:, :3] == drawn[:, 3:]).mean() > 0.95


def test_draws_have_the_frequencies(rng):
    grids = rng.choice(3, (2000, 2), p=[0.6, 0.3, 0.1])
    drawn = draw(fit(grids, 3, 2), 5000, "marginal", rng=rng)
    share = np.bincount(drawn[:, 0], minlength=3) / 5000
    assert np.allclose(share, np.bincount(grids[:, 0], minlength=3) / 2000, atol=5 * np.sqrt(0.25 / 5000))


def test_places_that_fill_no_rows():
    with pytest.raises(ValueError, match="5 places do not fill rows of 2"):
        fit(np.zeros((3, 5), int), 2, 2)
