"""How far a code is from N(0, 1) per dimension, as it is, standardised, and whitened: the fair hearing."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.measures import PLAIN, Measure, Metric, share
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.goodness_of_fit import ks_statistic
from latent_audit.diagnostics.transforms import TRANSFORMS
from latent_audit.diagnostics.wasserstein import w1_to_normal

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

_VALUES_AT_ONCE = 2**22
WORST = (
    share(
        "ks_d_max", "largest KS distance of a dimension to N(0, 1)", unit="", better="lower",
        title="distance to N(0, 1), KS", sentence="Kolmogorov's D between a dimension and N(0, 1), the worst dimension",
    ),
    Metric(
        "w1_max", "largest Wasserstein-1 distance of a dimension to N(0, 1)", "code units", 0.0, better="lower",
        title="Wasserstein distance to N(0, 1)", sentence="the mean distance that a code must be moved",
    ),
)  # fmt: skip


def transformed_distances(codes: Codes, raw: pd.DataFrame) -> pd.DataFrame:
    """Rows `transform metric value`: ks_d_max and w1_max, the worst dimension, of each form that has a dimension left.

    raw : `univariate.per_dimension` of the codes, whose ks_d and w1 are those of the raw form.
    """
    rows = [(PLAIN, "ks_d_max", raw["ks_d"].max()), (PLAIN, "w1_max", raw["w1"].max())]
    width = max(1, _VALUES_AT_ONCE // len(codes))
    for transform in TRANSFORMS[1:]:
        mapped = codes.transformed(transform)
        ks_d, w1 = 0.0, 0.0
        for start in range(0, mapped.shape[1], width):
            ordered = np.sort(mapped[:, start : start + width], axis=0)
            ks_d, w1 = max(ks_d, ks_statistic(ordered).max()), max(w1, w1_to_normal(ordered).max())
        if mapped.shape[1]:
            rows += [(transform, "ks_d_max", ks_d), (transform, "w1_max", w1)]
    return pd.DataFrame(rows, columns=["transform", "metric", "value"])


def _rows(subject: "Subject") -> pd.DataFrame:
    return transformed_distances(subject.codes, subject.per_dim)


MEASURE = Measure(
    "transforms",
    needs=frozenset(),
    metrics=(*WORST, *(metric.of(name, f", codes {name} first") for metric in WORST for name in TRANSFORMS[1:])),
    rows=_rows,
    table="transforms",
    qualifier="transform",
    order=50,
)
