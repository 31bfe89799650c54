"""Disentanglement, completeness and informativeness: which dimensions a forest uses to predict which factor."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Float
from sklearn.ensemble import RandomForestClassifier

from latent_audit.base.measures import Measure, share
from latent_audit.diagnostics.disentanglement import SECTION, TABLE, Grounded, scored

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

FOREST_ROWS, FOREST_NUMBERS = 2_000, 200_000  # samples that a forest is fitted to; times dimensions
FEWEST_TREES, MOST_TREES = 5, 20


def dci(data: Grounded, rng: np.random.Generator) -> dict[str, float]:
    """The three scores of the importances of a random forest for each factor; every split looks at all dimensions.

    dci_disentanglement : does a dimension serve one factor? 1 - entropy of its importances (base: number of factors),
    weighted by what it serves. dci_completeness : is a factor served by one dimension? 1 - entropy over dimensions,
    mean over factors. Of a single factor, or a single dimension, there is nothing to say: NaN. A code that serves
    nothing has 0. dci_informativeness : accuracy on unseen samples, mean over factors.

    References
    ----------
    Eastwood & Williams (2018), A framework for the quantitative evaluation of disentangled representations, ICLR;
    informativeness as accuracy after Locatello et al. (2019), who take boosted trees.
    """
    fitted, unseen = (part.rows(np.arange(_rows_of(part))) for part in data.halves(rng))
    latent_dim, n_factors = data.codes.shape[1], data.factors.shape[1]
    importance, accuracy = np.zeros((latent_dim, n_factors)), np.zeros(n_factors)
    n_trees, state = int(np.clip(4_000 // latent_dim, FEWEST_TREES, MOST_TREES)), int(rng.integers(2**31))
    for k in range(n_factors):
        forest = RandomForestClassifier(n_trees, max_features=1.0, random_state=state, n_jobs=1)  # pyright: ignore[reportArgumentType]
        forest.fit(fitted.codes, fitted.factors[:, k])
        importance[:, k] = forest.feature_importances_
        accuracy[k] = forest.score(unseen.codes, unseen.factors[:, k])
    return {
        "dci_disentanglement": disentanglement(importance),
        "dci_completeness": completeness(importance),
        "dci_informativeness": float(accuracy.mean()),
    }


def disentanglement(importance: Float[np.ndarray, "latent factor"]) -> float:
    """1 - entropy of each dimension's importances to base n_factors, weighted by its share of all importance."""
    if importance.shape[1] < 2:
        return float("nan")
    total = importance.sum()
    weight = importance.sum(axis=1) / total if total > 0 else np.full(len(importance), 1 / len(importance))
    return float((weight * _concentration(importance)).sum())


def completeness(importance: Float[np.ndarray, "latent factor"]) -> float:
    """1 - entropy of each factor's importances to base n_dimensions, mean over factors."""
    if importance.shape[0] < 2:
        return float("nan")
    return float(_concentration(importance.T).mean())


def _concentration(rows: np.ndarray) -> np.ndarray:
    """1 - normalised entropy of each row; 0 of a row of zeros."""
    total = rows.sum(axis=1, keepdims=True)
    share_ = np.divide(rows, total, out=np.full(rows.shape, 1 / rows.shape[1]), where=total > 0)
    entropy = -(share_ * np.log(np.where(share_ > 0, share_, 1.0))).sum(axis=1)
    return 1 - entropy / np.log(rows.shape[1])


def _rows_of(part: Grounded) -> int:
    return min(len(part.codes), max(200, min(FOREST_ROWS, FOREST_NUMBERS // part.codes.shape[1])))


def _rows(subject: "Subject") -> pd.DataFrame:
    return scored(subject, dci, "dci")


MEASURE = Measure(
    "dci",
    needs=frozenset({"factors"}),
    metrics=(
        share("dci_disentanglement", "each dimension serves one factor (DCI disentanglement)", unit="", better="higher",
              section=SECTION, title="DCI, disentanglement"),
        share("dci_completeness", "each factor is served by one dimension (DCI completeness)", unit="", better="higher",
              section=SECTION, title="DCI, completeness"),
        share("dci_informativeness", "accuracy of a forest that names the factors’ values (DCI informativeness)",
              better="higher", section=SECTION, title="DCI, informativeness"),
    ),
    rows=_rows,
    table=TABLE,
    order=220,
)  # fmt: skip
