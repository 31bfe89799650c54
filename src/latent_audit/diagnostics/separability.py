"""How well classes can be told apart in a code, and how alike two codes of the same samples are."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.neighbors import KNeighborsClassifier

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Measure, Metric, share
from latent_audit.diagnostics.checks import as_labels
from latent_audit.diagnostics.codes import Codes

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

SILHOUETTE_ROWS = 5_000  # its distance matrix is rows x rows
PROBE_ITERATIONS = 1_000
MOST_TO_SPLIT = 100_000  # of more, a seeded part is halved to tell the classes apart
ROWS_TO_SPLIT = 40  # two halves of 20, the least that a diagnostic takes


def separability(
    train: Codes | np.ndarray,
    train_labels: np.ndarray,
    test: Codes | np.ndarray,
    test_labels: np.ndarray,
    *,
    rng: np.random.Generator,
    neighbours: int = 15,
) -> pd.DataFrame:
    """Rows `metric value` of how much the code knows about the classes.

    knn_accuracy : accuracy on test codes of the majority of the nearest train codes, raw units.
    linear_probe_accuracy : logistic regression (L2, C = 1) fitted on train codes standardised by their own mean and sd.
    linear_probe_converged : 1 if its solver met its tolerance within 1,000 iterations, else 0.
    silhouette, silhouette_whitened : mean (b - a) / max(a, b) of the test codes (at most 5,000 seeded rows), by class;
        NaN where the rows hold fewer than two classes or only singletons, or no direction has spread.
    kmeans_ari : adjusted Rand index of k-means (k = number of classes, 10 starts) on standardised test codes.
    majority_accuracy : of always answering the commonest train class; the floor of the first two.

    Parameters
    ----------
    train, test : (sample, latent) codes of the two splits; labels : one per row, integers or strings.

    Raises
    ------
    InputError : bad codes or labels, unequal latent sizes, too few rows for the neighbours.

    References
    ----------
    Alain & Bengio (2016), arXiv:1610.01644; Rousseeuw (1987); Hubert & Arabie (1985).
    """
    fitted, scored = Codes.of(train, where="separability, train"), Codes.of(test, where="separability, test")
    _same_width(fitted, scored)
    names, known = as_labels(train_labels, n=len(fitted), where="separability, train")
    if not 1 <= neighbours <= len(fitted):
        raise InputError(f"separability: neighbours must be 1..{len(fitted)} (the train rows), got {neighbours}.")
    test_names, wanted = as_labels(test_labels, n=len(scored), where="separability, test")
    if names.dtype.kind != test_names.dtype.kind:
        raise InputError(
            f"separability: train labels are {names.dtype} and test labels {test_names.dtype}; use one kind."
        )
    train_class, test_class = names[known], test_names[wanted]
    with _many_classes_allowed():
        probe_accuracy, converged = _linear_probe(fitted, train_class, scored, test_class)
        neighbourhood = KNeighborsClassifier(n_neighbors=neighbours).fit(fitted.values, train_class)
        nearest = neighbourhood.predict(scored.values)
        silhouettes, ari = _silhouettes(scored, wanted, rng), _kmeans_ari(scored, wanted, rng)
    return pd.DataFrame(
        [
            ("knn_accuracy", float((nearest == test_class).mean())),
            ("linear_probe_accuracy", probe_accuracy),
            ("linear_probe_converged", converged),
            *silhouettes,
            ("kmeans_ari", ari),
            ("majority_accuracy", float((test_class == names[np.bincount(known).argmax()]).mean())),
        ],
        columns=["metric", "value"],
    )


@contextmanager
def _many_classes_allowed() -> Iterator[None]:
    """Whole-number classes are classes, however few rows each has: scikit-learn need not ask about a regression."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The number of unique classes is greater than 50%")
        yield


def _same_width(first: Codes, second: Codes) -> None:
    if first.shape[1] != second.shape[1]:
        raise InputError(
            f"separability: train codes have {first.shape[1]} dimensions and test codes {second.shape[1]}; "
            "both must come from the same model."
        )


def _linear_probe(train: Codes, train_class, test: Codes, test_class) -> tuple[float, float]:
    """Accuracy on test, and whether the solver converged (1.0 or 0.0)."""
    # The warning becomes a row of the table.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe = LogisticRegression(max_iter=PROBE_ITERATIONS).fit(train.standardised, train_class)
    converged = float(np.max(probe.n_iter_) < PROBE_ITERATIONS)
    found = probe.predict(train.standardisation(test.values))
    return float((found == test_class).mean()), converged


def _silhouettes(x: Codes, index: np.ndarray, rng: np.random.Generator) -> list[tuple[str, float]]:
    rows = np.sort(rng.choice(len(x), SILHOUETTE_ROWS, replace=False)) if len(x) > SILHOUETTE_ROWS else slice(None)
    classes = index[rows]
    defined = 2 <= len(np.unique(classes)) < len(classes)
    values = []
    for name, transform in (("silhouette", "raw"), ("silhouette_whitened", "whitened")):
        mapped = x.transformed(transform)
        spread = mapped.shape[1] > 0 and np.ptp(x.values, axis=0).max() > 0
        values.append((name, float(silhouette_score(mapped[rows], classes)) if defined and spread else np.nan))
    return values


def _kmeans_ari(x: Codes, index: np.ndarray, rng: np.random.Generator) -> float:
    """0 (chance) where the codes have fewer distinct rows than classes."""
    standard = x.standardised
    k = int(index.max()) + 1
    if len(np.unique(standard, axis=0)) < k:
        return 0.0
    start = int(rng.integers(2**31))
    means = KMeans(n_clusters=k, n_init=10, random_state=start)  # pyright: ignore[reportArgumentType]  # takes an int
    clusters = means.fit_predict(standard)
    return float(adjusted_rand_score(index, clusters))


def linear_cka(x: Codes | np.ndarray, y: Codes | np.ndarray) -> float:
    """Linear centred kernel alignment of two codes of the same samples, 0 to 1: |Y'X|_F^2 / (|X'X|_F |Y'Y|_F).

    Unchanged by rotation, shift and isotropic scale of either; NaN if either has no spread. Kornblith et al. (2019),
    arXiv:1905.00414, equation 4.
    """
    first, second = _centred_pair(x, y, "linear_cka")
    norm = np.linalg.norm(first.T @ first) * np.linalg.norm(second.T @ second)
    return float(np.linalg.norm(second.T @ first) ** 2 / norm) if norm > 0 else float("nan")


def procrustes_distance(x: Codes | np.ndarray, y: Codes | np.ndarray) -> float:
    """1 - (sum of singular values of X'Y)^2 of two centred codes of unit Frobenius norm; 0 iff they are similar.

    Similar: equal up to rotation, reflection, shift and isotropic scale. The narrower code is padded with zeros.
    Symmetric in x and y, 0 to 1, NaN if either has no spread. Gower (1975), Psychometrika 40; scipy's `procrustes`
    disparity.
    """
    first, second = _centred_pair(x, y, "procrustes_distance")
    norm = np.linalg.norm(first) * np.linalg.norm(second)
    if norm == 0:
        return float("nan")
    return float(max(0.0, 1 - (np.linalg.svd(first.T @ second, compute_uv=False).sum() / norm) ** 2))


def _centred_pair(x: Codes | np.ndarray, y: Codes | np.ndarray, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Both codes minus their mean; constant columns become exact zeros."""
    first, second = Codes.of(x, where=where).values, Codes.of(y, where=where).values
    if len(first) != len(second):
        raise InputError(
            f"{where}: both codes must be of the same samples in the same order, "
            f"got {len(first)} and {len(second)} rows."
        )
    centred = [np.where(np.ptp(c, axis=0) > 0, c - c.mean(axis=0), 0.0) for c in (first, second)]
    return centred[0], centred[1]


def _rows(subject: "Subject") -> pd.DataFrame | None:
    """Fitted on the reference; without one on a seeded half of each class, and None where halves would say nothing."""
    assert subject.labels is not None
    rng = subject.rng("probe")
    fitted = _halves(subject.codes, subject.labels, rng)  # drawn in either case, so that the later draws are the same
    if subject.reference is not None:
        fitted = (*subject.reference, subject.codes, subject.labels)
    if fitted is None:
        return None
    return separability(*fitted, rng=rng, neighbours=min(subject.settings.neighbours, len(fitted[0])))


def _halves(
    x: Codes, labels: np.ndarray, rng: np.random.Generator
) -> tuple[Codes, np.ndarray, Codes, np.ndarray] | None:
    """A random half of each class to fit on, the other to score; None where the halves would say nothing."""
    names, index = np.unique(labels, return_inverse=True)
    order = rng.permutation(len(x))[:MOST_TO_SPLIT]
    if len(x) < ROWS_TO_SPLIT or (np.bincount(index[order], minlength=len(names)) >= 2).sum() < 2:
        return None
    by_class = order[np.argsort(index[order], kind="stable")]
    first, second = np.sort(by_class[::2]), np.sort(by_class[1::2])
    return x.rows(first), labels[first], x.rows(second), labels[second]


MEASURE = Measure(
    "separability",
    needs=frozenset({"labels"}),
    metrics=(
        share("knn_accuracy", "accuracy of nearest neighbours", better="higher", section="codes",
              title="class from code, k-NN"),
        share("linear_probe_accuracy", "accuracy of a linear probe", better="higher", section="codes"),
        share("linear_probe_converged", "the probe converged, 1 = yes", unit="", section="codes"),
        Metric("silhouette", "silhouette of the classes", low=-1.0, high=1.0, better="higher", section="codes"),
        Metric("silhouette_whitened", "silhouette, after whitening", low=-1.0, high=1.0, better="higher",
               section="codes"),
        Metric("kmeans_ari", "k-means against classes, ARI", low=-1.0, high=1.0, better="higher", section="codes"),
        share("majority_accuracy", "always naming the commonest class", section="codes"),
    ),
    rows=_rows,
    table="separability",
    order=60,
)  # fmt: skip
