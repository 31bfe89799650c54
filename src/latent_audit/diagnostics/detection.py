"""How well a score tells outsiders from images of the kind that was trained on: AUROC, AUPRC, FPR at 95% TPR."""

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from latent_audit.base.errors import InputError

TPR = 0.95  # share of the insiders that must pass


def detection(insiders: Float[np.ndarray, " sample"], outsiders: Float[np.ndarray, " other"]) -> dict[str, float]:
    """auroc, auprc and fpr95 of a score that is to be higher for outsiders.

    Raises
    ------
    InputError : one side is empty, or a score is NaN.
    """
    if not len(insiders) or not len(outsiders):
        raise InputError(f"detection: needs scores of both kinds, got {len(insiders)} and {len(outsiders)}.")
    if np.isnan(insiders).any() or np.isnan(outsiders).any():
        raise InputError("detection: a score is NaN.")
    return {
        "auroc": auroc(insiders, outsiders),
        "auprc": average_precision(insiders, outsiders),
        "fpr95": false_positive_rate(insiders, outsiders),
    }


def auroc(insiders: Float[np.ndarray, " sample"], outsiders: Float[np.ndarray, " other"]) -> float:
    """P(score of an outsider > score of an insider), ties by half. Hanley & McNeil (1982)."""
    n, m = len(insiders), len(outsiders)
    ranks = rankdata(np.concatenate([insiders, outsiders]))
    return float((ranks[n:].sum() - m * (m + 1) / 2) / (n * m))


def average_precision(insiders: Float[np.ndarray, " sample"], outsiders: Float[np.ndarray, " other"]) -> float:
    """Area below the precision-recall curve as sum of precision times step of recall, outsiders being the positives.

    Chance is the share of outsiders, m / (n + m). Tied scores are taken together. Davis & Goadrich (2006).
    """
    scores = np.concatenate([insiders, outsiders])
    positive = np.concatenate([np.zeros(len(insiders)), np.ones(len(outsiders))])
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # of each run of equal scores
    hits = np.cumsum(positive[order])[last]
    precision, recall = hits / (last + 1), hits / len(outsiders)
    return float(np.sum(precision * np.diff(recall, prepend=0.0)))


def false_positive_rate(insiders: Float[np.ndarray, " sample"], outsiders: Float[np.ndarray, " other"]) -> float:
    """Share of the outsiders that pass where the threshold lets 95% of the insiders pass (at least as many).

    References
    ----------
    Liang et al. (2018), arXiv:1706.02690, section 4.2: the insiders are the positives.
    """
    threshold = np.quantile(insiders, TPR, method="inverted_cdf")
    return float(np.mean(outsiders <= threshold))
