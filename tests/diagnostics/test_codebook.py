"""A discrete code: perplexity, use and what ties its positions, on codes whose numbers are known."""

import numpy as np
import pytest

from latent_audit import audit
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.codebook import codebook
from latent_audit.diagnostics.ground_truth import Indices


def measured(values, entries, rng) -> dict[str, float]:
    table = codebook(Indices.of(values, entries, where="test"), rng=rng)
    return table.set_index("metric")["value"].to_dict()


def test_a_codebook_of_one_entry_has_perplexity_1(rng):
    found = measured(np.zeros((50, 4), int), 1, rng)
    assert found["perplexity"] == 1
    assert found["used_share"] == 1
    assert found["dead_codes"] == found["entropy_nats"] == found["uniform_gap_nats"] == found["bits_per_sample"] == 0


def test_one_entry_used_of_many(rng):
    found = measured(np.full((50, 4), 7), 16, rng)
    assert found["perplexity"] == 1
    assert found["used_share"] == 1 / 16
    assert found["dead_codes"] == 15
    assert found["uniform_gap_nats"] == pytest.approx(np.log(16))
    assert found["bits_per_sample"] == 16  # 4 positions of log2 16


def test_even_use_has_the_perplexity_of_its_entries(rng):
    found = measured(np.arange(800).reshape(100, 8) % 32, 32, rng)
    assert found["perplexity"] == pytest.approx(32)
    assert found["dead_codes"] == 0
    assert found["uniform_gap_nats"] == pytest.approx(0, abs=1e-12)


def test_perplexity_of_a_half_and_two_quarters(rng):
    """Entropy 1.5 bits: 2^1.5."""
    assert measured(np.tile([0, 0, 1, 2], (30, 1)), 4, rng)["perplexity"] == pytest.approx(2**1.5)


def test_positions_that_hold_one_entry_each(rng):
    """The position says all of the entry: ln 4 nats; beyond that, neighbours say nothing."""
    found = measured(np.tile([0, 1, 2, 3], (50, 1)), 4, rng)
    assert found["position_nats"] == pytest.approx(np.log(4))
    assert found["neighbour_nats"] == pytest.approx(0, abs=1e-12)


def test_neighbours_that_are_equal_and_neighbours_that_are_free(rng):
    tied = np.repeat(rng.integers(0, 4, (2000, 1)), 3, axis=1)
    assert measured(tied, 4, rng)["neighbour_nats"] == pytest.approx(np.log(4), abs=0.01)
    free = rng.integers(0, 4, (2000, 3))
    assert measured(free, 4, rng)["neighbour_nats"] < 0.01
    assert np.isnan(measured(free[:, :1], 4, rng)["neighbour_nats"])


def test_a_grid_is_its_positions_in_a_row(rng):
    values = rng.integers(0, 8, (40, 3, 3))
    first, second = (measured(v, 8, np.random.default_rng(0)) for v in (values, values.reshape(40, 9)))
    assert first == second


def test_the_answer_of_an_audit_of_indices(rng):
    even = audit(indices=rng.integers(0, 8, (3000, 4)), entries=8)
    assert even.may_sample == "prior"
    uneven = audit(indices=rng.choice(8, (3000, 4), p=[0.5, *[0.5 / 7] * 7]), entries=8)
    assert uneven.may_sample == "fitted"
    tied = audit(indices=np.repeat(rng.integers(0, 8, (3000, 1)), 4, axis=1), entries=8)
    assert tied.may_sample == "no"
    assert len(even.per_dim) == len(even.joint) == 0
    assert even.codebook is not None
    assert "normality is left out" in even.judgement.advice[-1].lower()
    assert tied.reasons["metric"].tolist() == ["neighbour_nats"]
    assert "Not from the codebook" in tied._repr_html_()
    with pytest.raises(InputError, match="no density"):
        tied.recommended_prior()


def test_entries_that_belong_to_a_position_are_not_drawn_evenly(rng):
    """All entries are as frequent, and each stands at one position: even draws are never such a sample."""
    placed = audit(indices=np.tile(np.arange(8), (100, 1)), entries=8)
    assert placed.may_sample == "fitted"
    assert "a position says 2." in placed.verdict and placed.reasons["metric"].tolist() == ["position_nats"]
    few = audit(indices=rng.integers(0, 64, (60, 16)), entries=64)  # of so few, positions seem to differ
    assert few.codebook is not None and few.codebook.set_index("metric").loc["position_nats", "value"] > 0.4
    assert few.may_sample == "prior"


def test_a_grid_is_asked_down_its_columns_too(rng):
    below = np.repeat(rng.integers(0, 8, (2000, 1, 4)), 4, axis=1)  # a row like the one above it
    assert audit(indices=below, entries=8).may_sample == "no"
    assert audit(indices=below.transpose(0, 2, 1), entries=8).may_sample == "no"
    assert audit(indices=rng.integers(0, 8, (2000, 4, 4)), entries=8).may_sample == "prior"


@pytest.mark.parametrize(
    ("values", "entries", "message"),
    [
        (np.full((30, 2), -1), 4, "the smallest is -1"),
        (np.full((30, 2), 4), 4, "largest index is 4, and a codebook of 4 entries has 0 to 3"),
        (np.full((30, 2), 0.5), 4, "must be whole numbers"),
        (np.zeros((30, 2), int), None, "need `entries`"),
        (np.zeros((30, 2), int), 2.5, "one whole number"),
        (np.zeros((30, 2), int), [4, 4], "one whole number"),
        (np.zeros((30, 2), int), 0, "must be 1 to"),
        (np.zeros((10, 2), int), 4, "at least 20 rows"),
        (np.zeros((30, 0), int), 4, r"must be \(sample, position\)"),
    ],
)
def test_indices_that_are_none_are_refused_in_words(values, entries, message):
    with pytest.raises(InputError, match=message):
        audit(indices=values, entries=entries)


def test_entries_of_no_indices_are_refused(rng):
    with pytest.raises(InputError, match="give the indices too"):
        audit(rng.standard_normal((60, 2)), entries=4)
