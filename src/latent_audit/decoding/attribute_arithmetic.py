"""Arithmetic with codes and attributes, on arrays: directions, what they change, analogies, the middle of two codes.

`score` stands for a decoder with a judge behind it: codes (sample, latent) to scores (sample, attribute).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from latent_audit.decoding.attribute_judge import Attributes
from latent_audit.diagnostics.directions import difference_of_means, probe_normal

Score = Callable[[np.ndarray], np.ndarray]
ALPHAS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # how often a direction is added
MEANS, PROBE = "means", "probe"
LEAST_CHANGE = 0.1  # real gaps, between the ends of alpha: of less there is nothing to leak
EXAMPLES = 3  # codes that are averaged for each term of an analogy
TRIPLES = 128  # analogies of a pair of attributes


class Analogy(NamedTuple):
    """With `attribute` and with `other`, less the same without `attribute`, plus without both: how often the picture
    then has `attribute` and not `other`; chance: of the same sums of pictures that were dealt out anew."""

    attribute: str
    other: str
    success: float
    chance: float


def directions_of(
    codes: Float[np.ndarray, "sample latent"], has: Bool[np.ndarray, "sample attribute"]
) -> dict[str, Float[np.ndarray, "attribute latent"]]:
    """By `means` the difference of means of the codes with and without each attribute; by `probe` the normal of a
    linear probe, as long as that difference.

    References
    ----------
    Larsen et al. (2016), arXiv:1512.09300, section 4.2 (difference of means).
    """
    units, lengths = zip(*(difference_of_means(codes, column) for column in has.T), strict=True)
    length = np.array(lengths)[:, None]
    normals = np.stack([probe_normal(codes, column) for column in has.T])
    norm = np.linalg.norm(normals, axis=1, keepdims=True)
    return {MEANS: np.stack(units) * length, PROBE: normals / np.where(norm > 0, norm, 1.0) * length}


def effect_table(
    codes: Float[np.ndarray, "sample latent"],
    names: Sequence[str],
    directions: Mapping[str, Float[np.ndarray, "attribute latent"]],
    judged: Sequence[str],
    score: Score,
) -> pd.DataFrame:
    """Rows attribute, by, alpha, on, effect: how the mean score on attribute `on` changes as alpha times the direction
    of `attribute`, found `by` means or probe, is added to each code."""
    start = score(codes)
    rows = []
    for by, vectors in directions.items():
        for name, vector in zip(names, vectors, strict=True):
            for alpha in ALPHAS:
                moved = start if alpha == 0 else score(codes + alpha * vector)
                change = (moved - start).mean(axis=0)
                rows += [(name, by, alpha, on, float(x)) for on, x in zip(judged, change, strict=True)]
    return pd.DataFrame(rows, columns=["attribute", "by", "alpha", "on", "effect"])


def changes(effects: pd.DataFrame, by: str = MEANS) -> pd.DataFrame:
    """The effect between both ends of alpha: a row per attribute whose direction is added, a column per one judged."""
    own = effects[effects["by"] == by]
    wide = own.pivot(index=["attribute", "alpha"], columns="on", values="effect")
    ends = wide.xs(max(ALPHAS), level="alpha") - wide.xs(min(ALPHAS), level="alpha")
    return ends.loc[list(dict.fromkeys(own["attribute"])), list(dict.fromkeys(own["on"]))]


def leakage(change: pd.DataFrame, over: Callable[[np.ndarray], float]) -> dict[str, float]:
    """Attribute -> o / (a + o): a, the change of the attribute itself (0 where it goes the wrong way), o, `over` the
    absolute changes of the others. 0: nothing else changes; NaN where nothing changes by LEAST_CHANGE, or nothing
    else is judged."""
    found = {}
    for name, row in change.iterrows():
        own, others = max(0.0, float(row[name])), row.drop(name).abs().to_numpy(dtype=float)
        other = float(over(others)) if len(others) else np.nan
        found[str(name)] = other / (own + other) if max(own, other) >= LEAST_CHANGE else np.nan
    return found


def halves_of(
    scores: Float[np.ndarray, "sample attribute"], has: Bool[np.ndarray, "sample attribute"]
) -> Float[np.ndarray, " attribute"]:
    """Half-way between the mean scores of pictures with and without each attribute; NaN where one kind is missing."""

    def mean(of: np.ndarray) -> np.ndarray:
        n = of.sum(axis=0)
        return np.divide((scores * of).sum(axis=0), n, out=np.full(len(n), np.nan), where=n > 0)

    return (mean(has) + mean(~has)) / 2


def analogy(
    codes: Float[np.ndarray, "sample latent"],
    attributes: tuple[Bool[np.ndarray, " sample"], Bool[np.ndarray, " sample"]],
    score: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    half: tuple[float, float],
    *,
    rng: np.random.Generator,
) -> float:
    """How often with-both less without-the-first plus without-both has the first attribute, and not the second.

    NaN where one of the three kinds of codes is rarer than EXAMPLES. Each term is a mean of three codes.

    Parameters
    ----------
    attributes : which codes have the first and the second. score : codes -> scores on the first and on the second.
    half : the scores from which a picture has either.

    References
    ----------
    Radford et al. (2016), arXiv:1511.06434, section 6.3.2 (means of three).
    """
    first, second = attributes
    kinds = [np.flatnonzero(kind) for kind in (first & second, ~first & second, ~first & ~second)]
    if min(len(kind) for kind in kinds) < EXAMPLES:
        return float("nan")
    plus, minus, base = (
        np.stack([codes[rng.choice(kind, EXAMPLES, replace=False)].mean(axis=0) for _ in range(TRIPLES)])
        for kind in kinds
    )
    has, other = score(plus - minus + base)
    return float(((has > half[0]) & (other < half[1])).mean())


def analogies(
    codes: Float[np.ndarray, "sample latent"],
    has: Attributes,
    split: str,
    chosen: Sequence[str],
    score: Score,
    half: Float[np.ndarray, " attribute"],
    *,
    rng: np.random.Generator,
) -> list[Analogy]:
    """Of each chosen attribute with the one that all are crossed with: Male where that is there, else the first."""
    other = "Male" if "Male" in chosen else chosen[0]
    found, column = [], has.names.index
    for name in chosen:
        if name == other:
            continue
        first, second = column(name), column(other)
        pair = has.has[split][:, [first, second]]

        def both(z: np.ndarray, first: int = first, second: int = second) -> tuple[np.ndarray, np.ndarray]:
            scores = score(z)
            return scores[:, first], scores[:, second]

        dealt = pair[rng.permutation(len(pair))]
        halves = float(half[first]), float(half[second])
        success, chance = (analogy(codes, (p[:, 0], p[:, 1]), both, halves, rng=rng) for p in (pair, dealt))
        found.append(Analogy(name, other, success, chance))
    return found


def great_circle_middle(
    first: Float[np.ndarray, "sample latent"], second: Float[np.ndarray, "sample latent"]
) -> Float[np.ndarray, "sample latent"]:
    """Half-way along the great circle about 0, the lengths weighed alike; the straight middle of opposite codes.

    References
    ----------
    Shoemake (1985), slerp at t = 1/2; White (2016), arXiv:1609.04468.
    """
    cosine = (first * second).sum(axis=1) / np.maximum(
        np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1), np.finfo(float).tiny
    )
    half = np.cos(np.arccos(np.clip(cosine, -1.0, 1.0)) / 2)[:, None]  # sin(t/2) / sin(t) = 1 / (2 cos(t/2))
    straight = (first + second) / 2
    return np.where(half > 1e-6, straight / np.maximum(half, 1e-6), straight)


def kept_ends(
    middle: Float[np.ndarray, "pair feature"],
    first: Float[np.ndarray, "pair feature"],
    second: Float[np.ndarray, "pair feature"],
) -> tuple[float, float]:
    """What the middle of a morph keeps of its ends: its mean distance to both, over the distance of two ends of
    different pairs; and how often it is nearer to its own ends than to those of the next pair."""
    to_own = (_distance(middle, first) + _distance(middle, second)) / 2
    to_next = (_distance(middle, np.roll(first, 1, axis=0)) + _distance(middle, np.roll(second, 1, axis=0))) / 2
    chance = _distance(first, np.roll(second, 1, axis=0)).mean()
    return float(to_own.mean() / chance) if chance > 0 else float("nan"), float((to_own < to_next).mean())


def _distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.linalg.norm(first - second, axis=1)
