"""Who says whether a decoded picture has an attribute: a linear classifier of pictures, trained on real ones.

It sees the critic's features and the picture at 16 pixels a side, and is Fisher's discriminant of these, shrunk. Its
scores are linear, so changes can be added up: 0 is where real pictures without the attribute lie on average, 1 where
those with it do.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch.nn.functional import adaptive_avg_pool2d

from latent_audit.base.errors import InputError
from latent_audit.critic.network import Critic
from latent_audit.decoding.generation import BATCH, judge
from latent_audit.diagnostics.rank_auc import rank_auc
from latent_audit.models.image import to_unit_interval

SIDE = 16  # pixels
MOST_IMAGES = 20_000  # of the training split that it learns from
SHRINKAGE = (1e-3, 1e-2, 1e-1, 1.0)  # added to the variance of each input, which is 1; the best on a part held back
HELD_BACK = 4  # a quarter of what it learns from
LEAST_OF_EACH = 10  # real pictures with an attribute, and without it, in either split
LEAST_AUC = 0.65  # on real test pictures: an attribute that is told worse is not judged


class Attributes(NamedTuple):
    """names of the attributes; which picture of the `train` and the `test` split has which, (sample, attribute)."""

    names: tuple[str, ...]
    has: Mapping[str, Bool[np.ndarray, "sample attribute"]]

    def only(self, kept: Bool[np.ndarray, " attribute"]) -> "Attributes":
        """Some of the attributes."""
        names = tuple(name for name, keep in zip(self.names, kept, strict=True) if keep)
        return Attributes(names, {split: has[:, kept] for split, has in self.has.items()})


class Judge(NamedTuple):
    """score = inputs @ weights + bias, (sample, attribute). auc, accuracy : (attribute,) on real test pictures, of a
    pair with and without, and balanced at a score of 1/2."""

    weights: Float[np.ndarray, "input attribute"]
    bias: Float[np.ndarray, " attribute"]
    auc: Float[np.ndarray, " attribute"]
    accuracy: Float[np.ndarray, " attribute"]

    def scores(self, inputs: Float[np.ndarray, "sample input"]) -> Float[np.ndarray, "sample attribute"]:
        """0: as real pictures without the attribute on average; 1: as those with it."""
        return inputs @ self.weights + self.bias

    def only(self, kept: Bool[np.ndarray, " attribute"]) -> "Judge":
        """Of some of the attributes."""
        return Judge(self.weights[:, kept], self.bias[kept], self.auc[kept], self.accuracy[kept])


def inputs_of(critic: Critic, images: np.ndarray, *, device: torch.device) -> Float[np.ndarray, "sample input"]:
    """The critic's features of uint8 images, and their pixels at 16 a side, or at their own size if it is smaller."""
    small = []
    for start in range(0, len(images), BATCH):
        x = to_unit_interval(torch.from_numpy(np.array(images[start : start + BATCH])))
        side = (min(SIDE, x.shape[2]), min(SIDE, x.shape[3]))
        small.append(adaptive_avg_pool2d(x, side).flatten(start_dim=1).double().numpy())
    return np.concatenate([judge(critic, images, device=device).features, np.concatenate(small)], axis=1)


def enough(attributes: Attributes) -> Attributes:
    """The attributes that ten pictures of each split have, and ten lack."""
    counts = [np.minimum(has.sum(axis=0), (~has).sum(axis=0)) for has in attributes.has.values()]
    return attributes.only(np.min(counts, axis=0) >= LEAST_OF_EACH)


def fit_judge(
    train: Float[np.ndarray, "sample input"],
    has_train: Bool[np.ndarray, "sample attribute"],
    test: Float[np.ndarray, "other input"],
    has_test: Bool[np.ndarray, "other attribute"],
    *,
    rng: np.random.Generator,
) -> Judge:
    """The judge of attributes that both kinds of picture of either split are there for.

    References
    ----------
    Fisher (1936), "The use of multiple measurements in taxonomic problems"; Hastie, Tibshirani & Friedman (2009), The
    Elements of Statistical Learning, section 4.2 (it is least squares on the labels).

    Raises
    ------
    InputError : an attribute that all pictures of a split have, or none.
    """
    if any((has.all(axis=0) | ~has.any(axis=0)).any() for has in (has_train, has_test)):
        raise InputError("fit_judge: every attribute needs pictures with it and without it, in either split.")
    order = rng.permutation(len(train))
    held, kept = order[::HELD_BACK], np.delete(order, np.s_[::HELD_BACK])
    found = [_auc(train[held] @ w, has_train[held]) for w in _discriminants(train[kept], has_train[kept])]
    best = int(np.argmax([np.nanmean(auc) for auc in found]))
    weights = _discriminants(train, has_train)[best]
    raw = test @ weights
    with_it, without = _means(raw, has_test), _means(raw, ~has_test)
    gap = np.where(with_it != without, with_it - without, 1.0)
    scale = np.where(gap > 0, gap, np.inf)  # told the wrong way round: no score, as no change is to be believed
    calibrated = Judge(weights / scale, -without / scale, _auc(raw, has_test), np.empty(0))
    right = (calibrated.scores(test) > 0.5) == has_test
    return calibrated._replace(accuracy=(_means(right, has_test) + _means(right, ~has_test)) / 2)


def _means(values: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Column by column the mean of the rows that `of` marks."""
    return (values * of).sum(axis=0) / of.sum(axis=0)


def _auc(scores: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Of each attribute; NaN where one kind is missing."""
    return np.array([rank_auc(column, own) for column, own in zip(scores.T, has.T, strict=True)])


def _discriminants(x: np.ndarray, has: np.ndarray) -> list[np.ndarray]:
    """(input, attribute) of each amount of SHRINKAGE, for inputs as they are."""
    spread = x.std(axis=0)
    scale = np.where(spread > 0, spread, np.inf)
    centred = (x - x.mean(axis=0)) / scale
    y = has - has.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(x))
    rotated = vectors.T @ (centred.T @ y) / len(x)
    return [(vectors @ (rotated / (values[:, None] + amount))) / scale[:, None] for amount in SHRINKAGE]
