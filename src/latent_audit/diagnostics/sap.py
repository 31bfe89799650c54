"""SAP: how much better the best single dimension predicts a factor than the second best."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from latent_audit.base.measures import Measure, share
from latent_audit.diagnostics.disentanglement import SECTION, TABLE, Grounded, gap, scored

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject


def sap(data: Grounded, rng: np.random.Generator) -> dict[str, float]:
    """The gap of the two best dimensions, mean over factors: of predictions by thresholds, and of squared correlation.

    sap : balanced accuracy on unseen samples of as many intervals of one dimension as the factor has values, fitted to
    balanced errors. A perfect code has 1 - 1 / n_values, since a dimension that knows nothing is right in 1 / n_values.
    sap_r2 : squared correlation with the factor's place among its values: for factors whose values have an order.

    References
    ----------
    Kumar et al. (2018), arXiv:1711.00848, section 3 (thresholds for discrete attributes, R2 for continuous ones).
    """
    fitted, unseen = data.halves(rng)
    accuracy = np.zeros((data.codes.shape[1], data.factors.shape[1]))
    for k in range(data.factors.shape[1]):
        for j in range(data.codes.shape[1]):
            accuracy[j, k] = _by_thresholds(fitted, unseen, j, k)
    return {"sap": float(gap(accuracy).mean()), "sap_r2": float(gap(_squared_correlations(data)).mean())}


def _by_thresholds(fitted: Grounded, unseen: Grounded, j: int, k: int) -> float:
    values, counts = np.unique(fitted.factors[:, k], return_counts=True)
    if len(values) < 2:
        return 0.0
    weight = (counts.sum() / counts)[np.searchsorted(values, fitted.factors[:, k])]
    tree = DecisionTreeClassifier(max_leaf_nodes=len(values), random_state=0)
    tree.fit(fitted.codes[:, [j]], fitted.factors[:, k], sample_weight=weight)
    right, truth = tree.predict(unseen.codes[:, [j]]) == unseen.factors[:, k], unseen.factors[:, k]
    return float(np.mean([right[truth == value].mean() for value in np.unique(truth)]))


def _squared_correlations(data: Grounded) -> np.ndarray:
    """(latent, factor); 0 where a dimension is constant."""
    codes, factors = data.codes - data.codes.mean(axis=0), data.factors - data.factors.mean(axis=0)
    scale = np.sqrt(np.outer((codes**2).sum(axis=0), (factors**2).sum(axis=0)))
    constant = np.ptp(data.codes, axis=0) == 0
    found = np.divide(codes.T @ factors, scale, out=np.zeros(scale.shape), where=scale > 0) ** 2
    found[constant] = 0.0
    return found


def _rows(subject: "Subject") -> pd.DataFrame:
    return scored(subject, sap, "sap")


MEASURE = Measure(
    "sap",
    needs=frozenset({"factors"}),
    metrics=(
        share("sap", "separated attribute predictability, by thresholds", unit="", better="higher", section=SECTION,
              title="SAP", sentence="how much more often intervals of the best dimension name a factor’s value than "
              "those of the second; a perfect code has 1 less one over the number of values"),
        share("sap_r2", "separated attribute predictability, by squared correlation", unit="", better="higher",
              section=SECTION, title="SAP, ordered factors"),
    ),
    rows=_rows,
    table=TABLE,
    order=210,
)  # fmt: skip
