"""Orders and splits in which every class has its share, fixed once for all: they do not depend on a run's seed."""

import math

import numpy as np

from latent_audit.base.randomness import rng_for
from latent_audit.data.sources.dataset import Counts

SPLIT_SEED = 0  # a data set's split is part of the data set, so that runs with other seeds see the same images


def stratified_order(labels: np.ndarray, *purpose: str) -> np.ndarray:
    """A seeded permutation of range(n), every prefix of which holds the classes in (almost) their proportions.

    Parameters
    ----------
    labels : (n,) non-negative integers.
    purpose : names the random stream, e.g. ("digits", "split").

    Returns
    -------
    (n,) positions. Within a class the order is random; the r-th of a class of c members stands at quantile r / c, so
    a prefix at least as long as the number of classes contains each of them.
    """
    shuffled = rng_for(SPLIT_SEED, "data", *purpose).permutation(len(labels))
    of_shuffled = labels[shuffled]
    counts = np.bincount(of_shuffled)
    by_class = np.argsort(of_shuffled, kind="stable")
    first_of_class = np.repeat(np.cumsum(counts) - counts, counts)
    rank = np.empty(len(labels), dtype=np.int64)
    rank[by_class] = np.arange(len(labels)) - first_of_class
    return shuffled[np.argsort(rank / counts[of_shuffled], kind="stable")]


def expected(n: int, test_share: float) -> Counts:
    """How many of n images `train_test_positions` puts into either split."""
    n_test = math.ceil(n * test_share)
    return Counts(n - n_test, n_test)


def train_test_positions(labels: np.ndarray, test_share: float, *purpose: str) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the train and of the test images: ceil(n * test_share) for the test, stratified by `labels`.

    Both come in stratified order, so that the first images of a split are not all of one class.
    """
    order = stratified_order(labels, *purpose)
    n_train = expected(len(labels), test_share).train
    return order[:n_train], order[n_train:]
