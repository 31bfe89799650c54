"""The class of the nearest codes, and who owns the places that areas are counted over."""

from typing import NamedTuple

import numpy as np
from sklearn.neighbors import NearestNeighbors

from latent_audit.diagnostics.search_tree import search_tree


class Owners(NamedTuple):
    """Class index of each place, (place,), all alike in prior mass; empty where no density says whose it is.

    compared, shuffled : of some places (place,), and (shuffle, place) of the same ones with labels dealt out anew.
    density_accuracy, knn_accuracy : on held-out codes; None where the owners are those of the nearest codes.
    """

    owners: np.ndarray
    compared: np.ndarray
    shuffled: np.ndarray
    density_accuracy: float | None = None
    knn_accuracy: float | None = None


def nearest(points: np.ndarray, codes: np.ndarray, neighbours: int) -> np.ndarray:
    """(point, neighbours) row numbers of the nearest codes (sample, latent), the nearest first."""
    if codes.shape[1] <= 16:
        return search_tree(codes).query(points, k=neighbours)[1].reshape(len(points), -1)
    search = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(codes)
    return search.kneighbors(points, return_distance=False)


def majority(votes: np.ndarray, n_classes: int) -> np.ndarray:
    """Commonest class of each row of (point, neighbours) class indices; of tied ones that of the earliest voter."""
    row = np.repeat(np.arange(len(votes)), votes.shape[1])
    counts = np.bincount(row * n_classes + votes.ravel(), minlength=len(votes) * n_classes).reshape(-1, n_classes)
    of_voter = np.take_along_axis(counts, votes, axis=1)
    return np.take_along_axis(votes, of_voter.argmax(axis=1)[:, None], axis=1)[:, 0]  # argmax: the first, the nearest


def nearest_class(points: np.ndarray, codes: np.ndarray, index: np.ndarray, neighbours: int) -> np.ndarray:
    """Majority class of the nearest codes of each point; of tied classes the one with the nearest member."""
    return majority(index[nearest(points, codes, neighbours)], int(index.max()) + 1)
