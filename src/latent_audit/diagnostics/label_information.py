"""What a code knows of the label, in nats; and the audit class by class, beside the pooled one."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

from latent_audit.base.measures import Measure, Metric
from latent_audit.diagnostics.goodness_of_fit import ks_statistic

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

TABLE, SECTION = "separability", "codes"
MOST_ROWS, FEWEST = 20_000, 40  # rows that are halved; below, halves say nothing
SHRUNK = (0.01, 0.1, 0.5)  # towards the pooled covariance
MOST_DIMENSIONS = 200  # of a covariance per class
LEAST_OF_EACH = 4  # so that every part has one
LEAST_OF_CLASS = 20  # codes of a class below which its distance is noise


def label_information(
    codes: Float[np.ndarray, "sample latent"], label: Int[np.ndarray, " sample"], *, rng: np.random.Generator
) -> float:
    """A lower bound of I(z; y) in nats: H(y) minus the cross-entropy of a classifier on unseen codes, 0 at least.

    Logistic regression and a Gaussian per class, shrunk, are fitted to a half; what is best on a quarter is scored on
    another.

    References
    ----------
    Barber & Agakov (2003), The IM algorithm, NeurIPS, equation 3.
    """
    order = rng.permutation(len(codes))[:MOST_ROWS]
    order = order[np.argsort(label[order], kind="stable")]  # every class in every part
    fit, choose, score = order[::2], order[1::4], order[3::4]
    centre, spread = codes[fit].mean(axis=0), codes[fit].std(axis=0)
    x = (codes - centre) / np.where(spread > 0, spread, 1.0)
    names, index = np.unique(label, return_inverse=True)
    index, share = index.reshape(-1), np.bincount(index[fit], minlength=len(names)) / len(fit)
    if (np.bincount(index[fit], minlength=len(names)) < 2).any():
        return float("nan")
    asked = np.concatenate([choose, score])
    guesses = [_logistic(x[fit], index[fit], x[asked])]
    if x.shape[1] <= MOST_DIMENSIONS:
        guesses += [_gaussians(x[fit], index[fit], x[asked], share, amount) for amount in SHRUNK]
    losses = [-guess[np.arange(len(asked)), index[asked]] for guess in guesses]
    best = int(np.argmin([loss[: len(choose)].mean() for loss in losses]))
    entropy = -(share * np.log(share)).sum()
    return max(0.0, float(entropy - losses[best][len(choose) :].mean()))


def _logistic(x: np.ndarray, index: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(asked, class) log probabilities."""
    return LogisticRegression(max_iter=200, C=1.0, tol=1e-3).fit(x, index).predict_log_proba(asked)


def _gaussians(x: np.ndarray, index: np.ndarray, asked: np.ndarray, share: np.ndarray, amount: float) -> np.ndarray:
    """(asked, class) log probabilities under a Gaussian per class, its covariance shrunk towards the pooled one."""
    means = np.stack([x[index == k].mean(axis=0) for k in range(len(share))])
    pooled = np.cov((x - means[index]).T, ddof=0).reshape(x.shape[1], x.shape[1]) + 1e-6 * np.eye(x.shape[1])
    logs = []
    for k, mean in enumerate(means):
        own = np.cov(x[index == k].T, ddof=0).reshape(pooled.shape)
        factor = np.linalg.cholesky((1 - amount) * own + amount * pooled)
        off = np.linalg.solve(factor, (asked - mean).T)
        logs.append(np.log(share[k]) - 0.5 * (off**2).sum(axis=0) - np.log(np.diagonal(factor)).sum())
    logs = np.stack(logs, axis=1)
    return logs - logsumexp(logs, axis=1, keepdims=True)


def by_class(codes: Float[np.ndarray, "sample latent"], label: Int[np.ndarray, " sample"]) -> dict[str, float]:
    """class_ks_d_max : KS distance to N(0, 1) of the worst dimension of the worst class. class_mean_max : distance of a
    class's mean from 0, the largest. Of classes of at least 20 codes; NaN without any."""
    distances, means = [], []
    for name in np.unique(label):
        own = codes[label == name]
        if len(own) >= LEAST_OF_CLASS:
            distances.append(float(ks_statistic(np.sort(own, axis=0)).max()))
            means.append(float(np.linalg.norm(own.mean(axis=0))))
    if not distances:
        return {"class_ks_d_max": float("nan"), "class_mean_max": float("nan")}
    return {"class_ks_d_max": max(distances), "class_mean_max": max(means)}


def _rows(subject: "Subject") -> dict[str, float] | None:
    """None of few rows, in all or of a class, and of mu where z is there too: what the prior is promised to is z."""
    assert subject.labels is not None
    label = np.unique(subject.labels, return_inverse=True)[1].reshape(-1)
    if len(label) < FEWEST or np.bincount(label).min() < LEAST_OF_EACH or subject.code != "z":
        return None
    found = label_information(subject.codes.values, label, rng=subject.rng("label information"))
    return {"label_information_nats": found} | by_class(subject.codes.values, label)


MEASURE = Measure(
    "label_information",
    needs=frozenset({"labels"}),
    metrics=(
        Metric("label_information_nats", "information of the code about the class, at least", "nats", 0.0,
               section=SECTION, title="class from code, information", sentence="the entropy of the classes less the "
               "cross-entropy of the best of a few classifiers on unseen codes"),
        Metric("class_ks_d_max", "KS distance to N(0, 1) of the worst dimension within a class", low=0.0, high=1.0,
               section=SECTION, title="KS distance within a class"),
        Metric("class_mean_max", "distance of a class’s mean from 0, the largest", "code units", 0.0, section=SECTION),
    ),
    rows=_rows,
    table=TABLE,
    order=62,
)  # fmt: skip
