"""Modularity: does a dimension know one factor only? Explicitness: can a factor's values be read off linearly?"""

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Float
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from latent_audit.base.measures import Measure, share
from latent_audit.diagnostics.disentanglement import SECTION, TABLE, Grounded, scored
from latent_audit.diagnostics.mutual_information import in_bins
from latent_audit.diagnostics.rank_auc import rank_auc

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

PROBE_ITERATIONS = 300


def modularity(information: Float[np.ndarray, "latent factor"]) -> float:
    """1 - (sum of squared information about the other factors) / (largest squared x (n_factors - 1)), mean over
    dimensions; a dimension that knows nothing counts as 0, NaN of a single factor.

    References
    ----------
    Ridgeway & Mozer (2018), arXiv:1802.05312, section 3.1; empty dimensions as Locatello et al. (2019).
    """
    n_factors = information.shape[1]
    if n_factors < 2:
        return float("nan")
    squared = information**2
    largest = squared.max(axis=1)
    others = squared.sum(axis=1) - largest
    deviation = np.divide(others, largest * (n_factors - 1), out=np.ones(len(squared)), where=largest > 0)
    return float((1 - deviation).mean())


def explicitness(data: Grounded, rng: np.random.Generator) -> float:
    """AUC of a logistic regression for each value of each factor against the others, on unseen samples: 0.5 is chance.

    References
    ----------
    Ridgeway & Mozer (2018), arXiv:1802.05312, section 3.2.
    """
    fitted, unseen = data.halves(rng)
    centre, scale = fitted.codes.mean(axis=0), fitted.codes.std(axis=0)
    x, asked = ((part.codes - centre) / np.where(scale > 0, scale, 1.0) for part in (fitted, unseen))
    areas = []
    for k in range(data.factors.shape[1]):
        truth = unseen.factors[:, k]
        if len(np.unique(fitted.factors[:, k])) < 2:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            probe = LogisticRegression(max_iter=PROBE_ITERATIONS, C=100.0).fit(x, fitted.factors[:, k])
        probability = probe.predict_proba(asked)
        known = [(place, value) for place, value in enumerate(probe.classes_) if 0 < (truth == value).mean() < 1]
        areas.append(np.mean([rank_auc(probability[:, place], truth == value) for place, value in known]))
    return float(np.mean(areas)) if areas else float("nan")


def _rows(subject: "Subject") -> pd.DataFrame:
    def score(data: Grounded, rng: np.random.Generator) -> dict[str, float]:
        return {
            "modularity": modularity(in_bins(data.codes, data.factors)),
            "explicitness": explicitness(data, rng),
        }

    return scored(subject, score, "modularity")


MEASURE = Measure(
    "modularity",
    needs=frozenset({"factors"}),
    metrics=(
        share("modularity", "each dimension knows one factor (modularity)", unit="", better="higher", section=SECTION,
              title="modularity"),
        share("explicitness", "AUC of reading a factor’s values off linearly (explicitness)", unit="", better="higher",
              section=SECTION, title="explicitness"),
    ),
    rows=_rows,
    table=TABLE,
    order=240,
)  # fmt: skip
