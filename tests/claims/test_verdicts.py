"""latent_audit.claims.verdicts: every place that an interval can have."""

import numpy as np
import pytest

from latent_audit.claims.intervals import Interval
from latent_audit.claims.verdicts import VERDICTS, verdict

INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("low", "high", "margin", "larger", "smaller"),
    [  # what is said of "larger by more than the margin", and of "smaller than the margin"
        (0.2, 0.4, 0.1, "supported", "contradicted"),
        (0.2, 0.2, 0.1, "supported", "contradicted"),
        (-0.4, -0.2, 0.1, "contradicted", "supported"),  # the opposite sign
        (-0.4, -0.01, 0.1, "contradicted", "supported"),  # the opposite sign, and it may matter
        (-0.09, -0.01, 0.1, "negligible", "supported"),  # the opposite sign, and too little to matter
        (0.0, 0.05, 0.1, "negligible", "supported"),
        (-0.05, 0.05, 0.1, "negligible", "supported"),
        (-1.2, 0.8, 1.0, "negligible", "supported"),  # of what is claimed there is less than 1, whatever the sign
        (-3.0, 0.2, 1.0, "negligible", "supported"),
        (-3.0, 0.0, 1.0, "negligible", "supported"),
        (0.05, 0.4, 0.1, "inconclusive", "inconclusive"),
        (-0.4, 0.4, 0.1, "inconclusive", "inconclusive"),
        (0.1, 0.4, 0.1, "inconclusive", "inconclusive"),  # a margin on the edge is inside
        (0.0, 0.1, 0.1, "inconclusive", "inconclusive"),
        (0.1, 0.1, 0.1, "inconclusive", "inconclusive"),
        (-0.4, -0.2, 0.0, "contradicted", "supported"),
        (NAN, NAN, 0.1, "inconclusive", "inconclusive"),  # one seed
        (0.2, INF, 0.1, "inconclusive", "inconclusive"),
        (0.2, NAN, 0.1, "inconclusive", "inconclusive"),
    ],
)
def test_verdict(low, high, margin, larger, smaller):
    interval = Interval((low + high) / 2, low, high, 5)
    assert verdict(interval, ">", margin) == larger
    assert verdict(interval, "<", margin) == smaller
    assert {larger, smaller} <= set(VERDICTS)
