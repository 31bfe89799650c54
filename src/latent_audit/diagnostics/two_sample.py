"""Can a classifier tell the codes from draws of N(0, I)? Its accuracy on codes that it has not seen is an effect size.

Lopez-Paz & Oquab (2017), arXiv:1610.06545 (classifier two-sample tests).
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from latent_audit.base.measures import Measure, Metric, share
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.coverage import subsample
from latent_audit.diagnostics.parallel import single_threaded

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

ROWS = 6_000  # codes, and as many draws; half to fit, half to score
FITTED = 4_000_000  # numbers that a classifier is fitted to at most: fewer codes in more dimensions
MOST_PAIRED = 32  # dimensions up to which the products of two are features of the logistic regression


class Told(NamedTuple):
    """How well codes and draws are told apart on held-out rows.

    auc : the probability that a code scores higher than a draw; p_value : of auc > 1/2, Mann & Whitney (1947).
    overlap : 2 (1 - accuracy), at most 1: the share that both laws have in common, an upper bound of 1 - their total
    variation distance. classifier : the better one, "quadratic" or "trees". n : held-out codes.
    """

    auc: float
    p_value: float
    overlap: float
    classifier: str
    n: int


def told_apart(codes: np.ndarray, draws: np.ndarray, *, rng: np.random.Generator) -> Told:
    """Fit two classifiers on a random half of both samples and score them on the other half.

    A logistic regression on coordinates, their squares, |x|^2 (and products of two, up to 32 dimensions), and boosted
    trees on coordinates and |x|^2. auc is of the better one; its p is doubled (Bonferroni). Under equal laws the
    held-out scores are exchangeable whatever was fitted, so the p holds.

    Parameters
    ----------
    codes, draws : (sample, latent) of the two laws, equally many rows.
    """
    n = min(len(codes), len(draws))
    codes, draws = rng.permutation(codes)[:n], rng.permutation(draws)[:n]
    half = n // 2
    fit = np.concatenate([codes[:half], draws[:half]])
    held = np.concatenate([codes[half:], draws[half:]])
    y_fit, y_held = (np.repeat([1, 0], [k, k]) for k in (half, n - half))
    with single_threaded():  # more threads than free cores wait for each other at every split of a tree
        scores = {"quadratic": _quadratic(fit, y_fit, held), "trees": _trees(fit, y_fit, held)}
    found = {name: _auc(score[y_held == 1], score[y_held == 0]) for name, score in scores.items()}
    name = max(found, key=lambda one: found[one][0])
    auc, p = found[name]
    accuracy = max(float(((score > 0) == y_held).mean()) for score in scores.values())
    return Told(auc, min(1.0, 2 * p), min(1.0, 2 * (1 - accuracy)), name, n - half)


def _auc(of_codes: np.ndarray, of_draws: np.ndarray) -> tuple[float, float]:
    result = stats.mannwhitneyu(of_codes, of_draws, alternative="greater", method="asymptotic")
    return float(result.statistic / (len(of_codes) * len(of_draws))), float(result.pvalue)


def _quadratic(fit: np.ndarray, labels: np.ndarray, held: np.ndarray) -> np.ndarray:
    scale = StandardScaler().fit(_features(fit))
    model = LogisticRegression(C=0.1, max_iter=200).fit(scale.transform(_features(fit)), labels)
    return model.decision_function(scale.transform(_features(held)))


def _features(x: np.ndarray) -> np.ndarray:
    d = x.shape[1]
    parts = [x, x * x, (x * x).sum(axis=1, keepdims=True)]
    if 2 <= d <= MOST_PAIRED:
        first, second = np.triu_indices(d, 1)
        parts.append(x[:, first] * x[:, second])
    return np.hstack(parts)


def _trees(fit: np.ndarray, labels: np.ndarray, held: np.ndarray) -> np.ndarray:
    def features(x: np.ndarray) -> np.ndarray:
        return np.hstack([x, (x * x).sum(axis=1, keepdims=True)])

    model = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=20, random_state=0,
        early_stopping=False,  # pyright: ignore[reportArgumentType] - its stubs know "auto" alone
    )  # fmt: skip
    return model.fit(features(fit), labels).decision_function(features(held))


def rows_for(n: int, latent_dim: int) -> int:
    """How many of n codes are used."""
    return int(min(n, ROWS, max(500, FITTED // (2 * latent_dim))))


def two_sample(x: Codes | np.ndarray, *, rng: np.random.Generator) -> pd.DataFrame:
    """Codes against as many draws of N(0, I): rows `c2st_auc` (with p) and `overlap`; see `told_apart`.

    At most 6,000 codes, a seeded part of more.
    """
    codes = Codes.of(x, where="two_sample")
    used = subsample(codes.values, rows_for(*codes.shape), rng=rng)
    told = told_apart(used, rng.standard_normal(used.shape), rng=rng)
    rows = [("c2st_auc", told.auc, told.p_value), ("overlap", told.overlap, np.nan)]
    table = pd.DataFrame(rows, columns=["metric", "value", "p_value"])
    return table.assign(null_low=np.nan, null_high=np.nan, n_p=told.n, where="")


def _rows(subject: "Subject") -> pd.DataFrame | None:
    if subject.code != "z":
        return None
    return two_sample(subject.codes, rng=subject.rng("two-sample"))


MEASURE = Measure(
    "two_sample",
    needs=frozenset(),
    metrics=(
        Metric(
            "c2st_auc", "how often a classifier ranks a code above a draw from N(0, I), 0.5 = it cannot tell", low=0.0,
            high=1.0, better="lower",
        ),
        share("overlap", "most that the codes’ law and N(0, I) can have in common", better="higher"),
    ),
    rows=_rows,
    order=16,
)  # fmt: skip
