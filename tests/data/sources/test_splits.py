import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_audit.data.sources.splits import stratified_order, train_test_positions

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=80).map(np.array)


@settings(derandomize=True, deadline=None)
@given(LABELS)
def test_is_a_permutation_whose_prefixes_hold_every_class_in_proportion(labels):
    order = stratified_order(labels, "any")
    assert sorted(order) == list(range(len(labels)))
    present, counts = np.unique(labels, return_counts=True)
    for n in range(len(present), len(labels) + 1):
        kept = (labels[order[:n], None] == present).sum(0)
        assert (kept >= 1).all()
        assert (np.abs(kept - counts * n / len(labels)) <= len(present)).all()


def test_depends_on_the_purpose_and_on_nothing_else():
    labels = np.arange(300) % 3
    np.testing.assert_array_equal(stratified_order(labels, "a", "b"), stratified_order(labels, "a", "b"))
    assert (stratified_order(labels, "a", "b") != stratified_order(labels, "a", "c")).any()


def test_split_takes_the_share_of_each_class_and_misses_nobody():
    labels = np.repeat([0, 1, 2], [500, 300, 200])
    train, test = train_test_positions(labels, 0.15, "any")
    assert (len(train), len(test)) == (850, 150)
    np.testing.assert_array_equal(np.bincount(labels[test]), [75, 45, 30])
    assert sorted([*train, *test]) == list(range(1000))
