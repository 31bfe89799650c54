"""The area under the ROC curve, from ranks."""

import numpy as np
from scipy.stats import rankdata


def rank_auc(score: np.ndarray, positive: np.ndarray) -> float:
    """The probability that a positive sample scores above a negative one, ties counting a half; NaN without both.

    References
    ----------
    Mann & Whitney (1947); Hanley & McNeil (1982), Radiology 143.
    """
    n_positive, n = int(positive.sum()), len(score)
    if not 0 < n_positive < n:
        return float("nan")
    ranks = rankdata(score)[positive].sum()
    return float((ranks - n_positive * (n_positive + 1) / 2) / (n_positive * (n - n_positive)))
