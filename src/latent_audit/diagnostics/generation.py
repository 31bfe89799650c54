"""How close generated images come to real ones, from a network's features, and class probabilities, of both."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Metric, share
from latent_audit.diagnostics.generation_distances import as_pair, frechet_distance, kid, subsample
from latent_audit.diagnostics.generation_manifold import NEIGHBOURS, manifold_scores

MANIFOLD_ROWS = 5_000  # rows of each set behind precision, recall, density and coverage

DESCRIBED = (  # what `score` gives, of one set of images
    Metric("fd_clf", "FD-clf", low=0.0, better="lower", section="generation", title="FD-clf",
           sentence="Fréchet distance of decoded to real images in the critic's features"),
    Metric("fd_random", "FD of random features", low=0.0, better="lower", section="generation",
           title="FD of random features", sentence="Fréchet distance in the features of a network trained on nothing"),
    Metric("kid", "KID", better="lower", section="generation", title="KID: distance by kernels"),
    Metric("kid_sd", "sd of KID over its subsets", low=0.0, section="generation"),
    share("precision", "precision", better="higher", section="generation"),
    share("recall", "recall", better="higher", section="generation"),
    Metric("density", "density", low=0.0, better="higher", section="generation", title="density: fidelity"),
    share("coverage", "coverage", better="higher", section="generation", title="coverage: variety"),
    share("class_entropy", "evenness of the classes drawn, 1 = even", unit="", better="higher", section="generation",
          title="entropy of the classes drawn, 1 = even"),
    Metric("class_kl", "KL of the classes drawn to the real ones", "nats", 0.0, better="lower", section="generation"),
    share("confidence", "the critic’s confidence", better="higher", section="generation"),
    Metric("prediction_entropy", "entropy of the critic’s answer", "nats", 0.0, better="lower", section="generation"),
)  # fmt: skip


def score(
    generated_features: np.ndarray,
    generated_probabilities: np.ndarray | None,
    real_features: np.ndarray,
    real_probabilities: np.ndarray | None,
    *,
    rng: np.random.Generator,
    k: int = NEIGHBOURS,
) -> pd.DataFrame:
    """Rows `metric value` that compare a set of generated images with real ones.

    fd_clf : Fréchet distance of the features, squared feature units; not comparable with an Inception FID.
    fd_random : the same, where the features are of a network that was not trained (no probabilities, no fd_clf).
    kid, kid_sd : mean and standard deviation of the unbiased MMD^2 over subsets; may be negative.
    precision, recall, density, coverage : from k-nearest-neighbour balls, on at most 5,000 seeded rows of each set.
    class_entropy : entropy of the predicted classes / ln(number of classes); 1 when all are equally frequent.
    class_kl : KL(generated || real) of the predicted classes, nats.
    confidence, prediction_entropy : mean largest probability; mean entropy of the probabilities, nats.

    Parameters
    ----------
    generated_features, real_features : (sample, feature), one critic's; the sets may differ in size.
    generated_probabilities, real_probabilities : (sample, label), the same critic's on the same images; both None where
        there are no classes: the rows from class_entropy on are left out then.
    k : neighbours that set the radius of a ball. All values depend on the number of rows: compare at equal n only.

    Raises
    ------
    InputError : arrays that are not finite (row, column) ones, whose widths or lengths do not match, with fewer than
        max(4, k + 1) rows, or with fewer than two classes.
    """
    x, y = as_pair(generated_features, real_features, where="score", minimum=max(4, k + 1))
    of_classes: dict[str, float] = {}
    if generated_probabilities is not None and real_probabilities is not None:
        p, q = as_pair(generated_probabilities, real_probabilities, where="score, probabilities", minimum=1)
        if len(p) != len(x) or len(q) != len(y):
            raise InputError(
                f"score: needs one row of probabilities per row of features, got {len(p)} for {len(x)} generated and "
                f"{len(q)} for {len(y)} real images."
            )
        of_classes = class_scores(p, q)
    rows = {"fd_clf" if of_classes else "fd_random": frechet_distance(x, y)}
    rows["kid"], rows["kid_sd"] = kid(x, y, rng=rng)
    few, real_few = subsample(x, MANIFOLD_ROWS, rng), subsample(y, MANIFOLD_ROWS, rng)
    rows |= manifold_scores(few, real_few, k=k)
    return pd.DataFrame(list((rows | of_classes).items()), columns=["metric", "value"])


def class_scores(p: Float[np.ndarray, "sample label"], q: Float[np.ndarray, "other label"]) -> dict[str, float]:
    """The scores of `score` that need class probabilities: p of generated images, q of real ones."""
    counts, real_counts = class_histogram(p), class_histogram(q)
    return {
        "class_entropy": class_entropy(counts),
        "class_kl": class_kl(counts, real_counts),
        "confidence": float(p.max(axis=1).mean()),
        "prediction_entropy": prediction_entropy(p),
    }


def class_histogram(probabilities: np.ndarray) -> Int[np.ndarray, " label"]:
    """How many rows of (sample, label) probabilities have each class as their most probable one; ties go to the first.

    Raises
    ------
    InputError : not a (sample, label) array, or fewer than two labels.
    """
    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        raise InputError(
            f"class_histogram: needs (sample, label) probabilities of at least two classes, got shape "
            f"{probabilities.shape}."
        )
    return np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])


def class_entropy(counts: Int[np.ndarray, " label"]) -> float:
    """Entropy of a class histogram over ln(number of classes): 1 for equal shares, 0 for a single class."""
    share = counts[counts > 0] / counts.sum()
    return float(max(0.0, -(share * np.log(share)).sum()) / np.log(len(counts)))


def class_kl(counts: Int[np.ndarray, " label"], reference: Int[np.ndarray, " label"]) -> float:
    """KL(counts || reference) of two class histograms, nats, with 1/2 added to every count so that it stays finite.

    References: Krichevsky & Trofimov (1981) for the 1/2.
    """
    p, q = ((c + 0.5) / (c.sum() + 0.5 * len(c)) for c in (counts, reference))
    return float(max(0.0, (p * np.log(p / q)).sum()))


def prediction_entropy(probabilities: Float[np.ndarray, "sample label"]) -> float:
    """Mean over rows of the entropy of the class probabilities, nats; 0 when each row is certain."""
    safe = np.where(probabilities > 0, probabilities, 1.0)
    return float(-(safe * np.log(safe)).sum(axis=1).mean()) + 0.0
