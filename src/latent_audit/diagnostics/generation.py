"""How close generated images come to real ones, from a network's features, and class probabilities, of both."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Metric, share

KID_SUBSETS, KID_SUBSET_ROWS = 100, 1_000  # as usual for KID
NEIGHBOURS = 5  # Naeem et al. (2020), who choose 5
MANIFOLD_ROWS = 5_000  # rows of each set behind precision, recall, density and coverage
_DISTANCES_AT_ONCE = 2**20  # 8 MiB of float64 per block
_ROUNDING = 64 * np.finfo(np.float64).eps  # relative; squared distances below are copies of one point

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
    x, y = _as_pair(generated_features, real_features, where="score", minimum=max(4, k + 1))
    of_classes: dict[str, float] = {}
    if generated_probabilities is not None and real_probabilities is not None:
        p, q = _as_pair(generated_probabilities, real_probabilities, where="score, probabilities", minimum=1)
        if len(p) != len(x) or len(q) != len(y):
            raise InputError(
                f"score: needs one row of probabilities per row of features, got {len(p)} for {len(x)} generated and "
                f"{len(q)} for {len(y)} real images."
            )
        of_classes = class_scores(p, q)
    rows = {"fd_clf" if of_classes else "fd_random": frechet_distance(x, y)}
    rows["kid"], rows["kid_sd"] = kid(x, y, rng=rng)
    few, real_few = _subsample(x, MANIFOLD_ROWS, rng), _subsample(y, MANIFOLD_ROWS, rng)
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


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """|m_x - m_y|^2 + tr(S_x + S_y - 2 (S_x S_y)^(1/2)), means and 1/n covariances of two (sample, feature) sets.

    The trace of the root is the sum of the singular values of R_x R_y', where S = R'R comes from a QR decomposition of
    the centred rows: no matrix is inverted or rooted, so singular covariances (dead features, fewer rows than
    features) are exact as well. Biased upwards for few rows: compare at equal n only.

    Raises
    ------
    InputError : not two finite (row, column) arrays of one width with at least two rows each.

    References
    ----------
    Heusel et al. (2017), arXiv:1706.08500, equation 6 (whose code divides by n - 1).
    """
    x, y = _as_pair(x, y, where="frechet_distance", minimum=2)
    (mean_x, root_x), (mean_y, root_y) = _moments(x), _moments(y)
    overlap = np.linalg.svd(root_x @ root_y.T, compute_uv=False).sum()
    spread = (root_x * root_x).sum() + (root_y * root_y).sum() - 2 * overlap
    return float(((mean_x - mean_y) ** 2).sum() + max(spread, 0.0))


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean, and R with R'R the covariance (1/n)."""
    mean = x.mean(axis=0)
    return mean, np.asarray(np.linalg.qr((x - mean) / np.sqrt(len(x)), mode="r"))


def kid(
    x: np.ndarray,
    y: np.ndarray,
    *,
    rng: np.random.Generator,
    subsets: int = KID_SUBSETS,
    subset_rows: int = KID_SUBSET_ROWS,
) -> tuple[float, float]:
    """Mean and standard deviation (1/subsets) over seeded subsets of the unbiased MMD^2, kernel (x.y / d + 1)^3.

    x, y are (sample, feature). Subsets are drawn without replacement and hold `subset_rows` rows of each set, at most
    half of the smaller set. The expectation is 0 for equal distributions, so single values may be negative.

    Raises
    ------
    InputError : not two finite (row, column) arrays of one width with at least four rows each.

    References
    ----------
    Bińkowski et al. (2018), arXiv:1801.01401; Gretton et al. (2012).
    """
    x, y = _as_pair(x, y, where="kid", minimum=4)
    rows = min(subset_rows, min(len(x), len(y)) // 2)
    values = [_mmd2(_subsample(x, rows, rng), _subsample(y, rows, rng)) for _ in range(subsets)]
    return float(np.mean(values)), float(np.std(values))


def _mmd2(x: np.ndarray, y: np.ndarray) -> float:
    return _mean_off_diagonal(_kernel(x, x)) + _mean_off_diagonal(_kernel(y, y)) - 2 * _kernel(x, y).mean()


def _mean_off_diagonal(square: np.ndarray) -> float:
    n = len(square)
    return (square.sum() - np.trace(square)) / (n * (n - 1))


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    linear = (x / x.shape[1]) @ y.T
    linear += 1.0
    cube = linear * linear
    cube *= linear
    return cube


def manifold_scores(x: np.ndarray, y: np.ndarray, *, k: int = NEIGHBOURS) -> dict[str, float]:
    """Precision, recall, density and coverage of generated (sample, feature) rows x against real rows y.

    A ball around each row reaches to its k-th nearest neighbour in its own set, border included. precision: share of x
    inside any ball of y. recall: share of y inside any ball of x. density: mean number of balls of y that hold a row of
    x, over k (1 in expectation for equal distributions, unbounded above; (k + 1) / k for the very same rows). coverage:
    share of the balls of y that hold any row of x. Time O(n^2), memory O(n).

    Raises
    ------
    InputError : not two finite (row, column) arrays of one width with at least k + 1 rows each, or k < 1.

    References
    ----------
    Kynkäänniemi et al. (2019), arXiv:1904.06991, equations 1-2; Naeem et al. (2020), arXiv:2002.09797, section 3.
    """
    if k < 1:
        raise InputError(f"manifold_scores: k must be at least 1, got {k}.")
    x, y = _as_pair(x, y, where=f"manifold_scores (k = {k})", minimum=k + 1)
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre  # distances do not change, and nothing is lost to a large mean
    radius_x, radius_y = _ball_radii(x, k), _ball_radii(y, k)
    balls_holding = np.empty(len(x), dtype=np.int64)
    recalled, covered = np.zeros(len(y), dtype=bool), np.zeros(len(y), dtype=bool)
    for rows, square in _squared_distances(x, y):
        inside = square <= radius_y
        balls_holding[rows] = inside.sum(axis=1)
        covered |= inside.any(axis=0)
        recalled |= (square <= radius_x[rows, None]).any(axis=0)
    return {
        "precision": float((balls_holding > 0).mean()),
        "recall": float(recalled.mean()),
        "density": float(balls_holding.mean() / k),
        "coverage": float(covered.mean()),
    }


def _ball_radii(x: np.ndarray, k: int) -> np.ndarray:
    """Squared distance of each row to its k-th nearest other row."""
    radii = np.empty(len(x))
    for rows, square in _squared_distances(x, x):
        radii[rows] = np.partition(square, k, axis=1)[:, k]  # place 0 is the row itself
    return radii


def _squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks (rows of x, their squared distances to all of y); distances within rounding of 0 are 0."""
    step = max(1, _DISTANCES_AT_ONCE // len(y))
    square_x, square_y = (x * x).sum(axis=1), (y * y).sum(axis=1)
    for start in range(0, len(x), step):
        rows = slice(start, start + step)
        scale = square_x[rows, None] + square_y
        square = x[rows] @ y.T
        square *= -2.0
        square += scale
        scale *= _ROUNDING
        square[square <= scale] = 0.0
        yield rows, square


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


def _subsample(x: np.ndarray, rows: int, rng: np.random.Generator) -> np.ndarray:
    return x[rng.choice(len(x), rows, replace=False)] if len(x) > rows else x


def _as_pair(x: np.ndarray, y: np.ndarray, *, where: str, minimum: int) -> tuple[np.ndarray, np.ndarray]:
    """Both as finite float64 arrays of one width."""
    x, y = _as_rows(x, f"{where}, first set", minimum), _as_rows(y, f"{where}, second set", minimum)
    if x.shape[1] != y.shape[1]:
        raise InputError(
            f"{where}: the sets have {x.shape[1]} and {y.shape[1]} columns; both must come from one critic."
        )
    return x, y


def _as_rows(values: np.ndarray, where: str, minimum: int) -> np.ndarray:
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InputError(f"{where}: must be a (sample, column) array, got shape {rows.shape}.")
    if len(rows) < minimum:
        raise InputError(f"{where}: needs at least {minimum} rows, got {len(rows)}; judge more images.")
    if not np.isfinite(rows).all():
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        raise InputError(f"{where}: NaN or infinite in {len(bad)} of {len(rows)} rows, the first is row {bad[0]}.")
    return rows
