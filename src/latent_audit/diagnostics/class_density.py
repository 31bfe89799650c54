"""A Gaussian per class, shrunk as far as held-out codes ask for: which class a place of a wide code belongs to.

Beyond a few dimensions nearest neighbours answer another question: a class that is a little more concentrated than the
others is nearest to almost every place (a hub; Radovanović et al. 2010, JMLR 11), whatever the densities are.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.nearest_classes import Owners, nearest_class
from latent_audit.diagnostics.parallel import single_threaded_blas
from latent_audit.diagnostics.transforms import RANK_TOLERANCE

GAMMAS = (0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0)
LAMBDAS = (1.0, 0.9, 0.75, 0.5, 0.25, 0.1, 0.0)
HELD_OUT, MOST_HELD_OUT = 0.2, 2_000
MOST_DIMENSIONS = 512  # the work grows with the cube
MOST_ROWS = 25_000  # of more codes, a seeded part stands for all
WORSE = 0.05  # accuracy that the densities may lack to nearest neighbours
FEWEST_DRAWS, MOST_WORK = 2_000, 5e9  # prior draws, of which there are fewer where all that is multiplied is more
COMPARED = 10_000  # draws that the areas of shuffled labels are counted over
LARGEST_SHAPES = 3e9  # classes x rank^3, beyond which all classes share one shape


class Amount(NamedTuple):
    """How far covariances are shrunk: the pooled one by gamma towards a sphere, a class's own by lam towards a target.

    own_scale : whether the target is the pooled covariance in the size of the class's own, or the pooled one itself.
    """

    gamma: float
    lam: float
    own_scale: bool


class ClassDensity(NamedTuple):
    """Gaussians in coordinates where the pooled covariance is 1: x -> (x - centre) @ matrix.

    means : (class, rank). axes : (class, rank, rank) principal axes, None where all classes are spheres. variances :
    (class, rank) along them. log_share : (class,) ln of the class's share of the codes.
    """

    centre: np.ndarray
    matrix: np.ndarray
    means: np.ndarray
    axes: np.ndarray | None
    variances: np.ndarray
    log_share: np.ndarray

    def most_probable(self, x: np.ndarray) -> np.ndarray:
        """(sample,) index of the class of largest posterior probability, with the shares as prior."""
        y = (x - self.centre) @ self.matrix
        scores = np.empty((len(y), len(self.means)))
        for k, (mean, variance) in enumerate(zip(self.means, self.variances, strict=True)):
            off = y - mean if self.axes is None else (y - mean) @ self.axes[k]
            scores[:, k] = self.log_share[k] + _log_density(off, variance)
        return scores.argmax(axis=1)


class _Pooled(NamedTuple):
    """Codes along the principal axes of the pooled within-class covariance: x -> (x - centre) @ matrix."""

    centre: np.ndarray
    matrix: np.ndarray
    variances: np.ndarray
    means: np.ndarray
    counts: np.ndarray

    def shrunk(self, gamma: float) -> np.ndarray:
        return (1 - gamma) * self.variances + gamma * self.variances.mean()


def density_owners(
    codes: Codes, index: np.ndarray, n_classes: int, *, neighbours: int, draws: int, shuffles: int,
    rng: np.random.Generator,
) -> Owners:  # fmt: skip
    """The most probable class of draws from N(0, I), by the Gaussians and the classes' shares of the codes.

    A fifth of the codes is held out to choose the shrinkage and to compare with nearest neighbours. Nobody owns
    anything where the densities read the class worse than these, by more than 5 points and three standard errors, nor
    beyond 512 dimensions.
    """
    nobody = Owners(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty((0, 0), dtype=np.int64))
    if codes.shape[1] > MOST_DIMENSIONS or not (np.ptp(codes.values, axis=0) > 0).any():
        return nobody
    with single_threaded_blas():
        return _owners(codes, index, n_classes, nobody, neighbours, draws, shuffles, rng)


def _owners(codes: Codes, index, n_classes, nobody: Owners, neighbours, draws, shuffles, rng) -> Owners:
    if len(codes) > MOST_ROWS:
        used = np.sort(rng.choice(len(codes), MOST_ROWS, replace=False))
        codes, index = codes.rows(used), index[used]
    rest, out = split(index, rng)
    if not np.isin(index[out], index[rest]).any():  # of no class are there two codes
        return nobody
    fitted, held = codes.rows(rest), codes.rows(out)
    amount = chosen_amount(fitted, index[rest], held, index[out], n_classes)
    right = fit(fitted, index[rest], amount, n_classes).most_probable(held.values) == index[out]
    nearest = nearest_class(held.values, fitted.values, index[rest], min(neighbours, len(fitted))) == index[out]
    lacking = nearest.astype(float) - right
    accuracies = {"density_accuracy": float(right.mean()), "knn_accuracy": float(nearest.mean())}
    if lacking.mean() > max(WORSE, 3 * lacking.std() / np.sqrt(len(lacking))):
        return nobody._replace(**accuracies)
    density = fit(codes, index, amount, n_classes)
    work = n_classes * density.matrix.shape[1] ** (1 if density.axes is None else 2)
    places = rng.standard_normal((_affordable(draws, work), codes.shape[1]))
    owners = density.most_probable(places)
    compared = _affordable(min(COMPARED, draws), shuffles * n_classes * density.matrix.shape[1])
    shuffled = shuffled_owners(
        codes, index, places[:compared], n_classes, gamma=amount.gamma, rounds=shuffles, rng=rng
    )  # fmt: skip
    return Owners(owners, owners[:compared], shuffled, **accuracies)


def _affordable(draws: int, work: int) -> int:
    """So many draws, or fewer where each is so much work, but never below a floor."""
    return int(min(draws, max(FEWEST_DRAWS, MOST_WORK / max(work, 1))))


def split(index: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows to fit on and rows to score on: a fifth of each class (at most 2,000 rows in all) is held out."""
    order = rng.permutation(len(index))
    by_class = order[np.argsort(index[order], kind="stable")]
    share = min(HELD_OUT, MOST_HELD_OUT / len(index))
    held_before = np.floor(np.arange(len(index) + 1) * share)
    out = np.diff(held_before) > 0
    return np.sort(by_class[~out]), np.sort(by_class[out])


def fit(codes: Codes, index: np.ndarray, amount: Amount, n_classes: int) -> ClassDensity:
    """The Gaussians of the classes by regularised discriminant analysis; Friedman (1989), JASA 84.

    Each class counts one further code whose scatter is the pooled covariance, so that none is singular; a class without
    codes owns nothing.
    """
    pooled = _pooled(codes, index, n_classes)
    scale = np.sqrt(pooled.shrunk(amount.gamma))
    matrix, means = pooled.matrix / scale, pooled.means / scale
    axes, own = _shapes((codes.values - pooled.centre) @ matrix - means[index], index, n_classes, amount.lam < 1)
    variances = _shrunk(own, amount)
    return ClassDensity(pooled.centre, matrix, means, axes, variances, _log_share(pooled.counts))


def chosen_amount(codes: Codes, index: np.ndarray, held: Codes, held_index: np.ndarray, n_classes: int) -> Amount:
    """The amount of shrinkage under which held-out codes are likeliest, given their class.

    Of those within one standard error of the best, the most shrunk (Breiman et al. 1984, section 3.4.3).
    """
    pooled = _pooled(codes, index, n_classes)
    known = pooled.counts[held_index] > 0
    held_index = held_index[known]
    off = (held.values[known] - pooled.centre) @ pooled.matrix - pooled.means[held_index]
    gamma = max(GAMMAS, key=lambda one: _log_density(off, pooled.shrunk(one)).mean())

    scale, rank = np.sqrt(pooled.shrunk(gamma)), len(pooled.variances)
    within = (codes.values - pooled.centre) @ pooled.matrix / scale - pooled.means[index] / scale
    shaped = n_classes * rank**3 <= LARGEST_SHAPES
    axes, own = _shapes(within, index, n_classes, shaped)
    off = off / scale
    if axes is not None:
        for k in np.unique(held_index):
            off[held_index == k] = off[held_index == k] @ axes[k]
    amounts = [Amount(gamma, lam, size) for lam in (LAMBDAS if shaped else LAMBDAS[:1]) for size in (False, True)]
    scores = np.array([_log_density(off, _shrunk(own, amount)[held_index]) for amount in amounts])
    behind = scores[scores.mean(axis=1).argmax()] - scores
    return amounts[int(np.argmax(behind.mean(axis=1) <= behind.std(axis=1) / np.sqrt(behind.shape[1])))]


def shuffled_owners(
    codes: Codes, index: np.ndarray, places: np.ndarray, n_classes: int, *, gamma: float, rounds: int,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """(rounds, place) the class that owns each of the places (place, latent) once labels are dealt out anew.

    Without differences between classes one covariance is chosen for all, that of all codes.
    """
    one = _pooled(codes, np.zeros(len(codes), dtype=np.int64), 1)
    matrix = one.matrix / np.sqrt(one.shrunk(gamma))
    y, at = (codes.values - one.centre) @ matrix, (places - one.centre) @ matrix
    counts = np.bincount(index, minlength=n_classes)
    owners = np.empty((rounds, len(at)), dtype=np.int64)
    for k in range(rounds):
        means = _means(y, rng.permutation(index), counts)
        owners[k] = (at @ means.T + (_log_share(counts) - 0.5 * (means * means).sum(axis=1))).argmax(axis=1)
    return owners


def _pooled(codes: Codes, index: np.ndarray, n_classes: int) -> _Pooled:
    """Of the standardised codes, in the directions in which they have spread."""
    scale, centre = np.diagonal(codes.standardisation.matrix), codes.standardisation.mean
    total, vectors = np.linalg.eigh(codes.standardised.T @ codes.standardised / len(codes))
    flat = vectors[:, total > RANK_TOLERANCE * max(total[-1], 1e-300)]
    y, counts = codes.standardised @ flat, np.bincount(index, minlength=n_classes)
    means = _means(y, index, counts)
    off = y - means[index]
    values, turn = np.linalg.eigh(off.T @ off / len(off))
    values = np.maximum(values, RANK_TOLERANCE)
    return _Pooled(centre, scale[:, None] * (flat @ turn), values, means @ turn, counts)


def _means(y: np.ndarray, index: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(class, dimension); 0 of a class without codes."""
    member = sparse.csr_array((np.ones(len(y)), (index, np.arange(len(y)))), shape=(len(counts), len(y)))
    return member @ y / np.maximum(counts, 1)[:, None]


def _log_share(counts: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(counts / counts.sum())


def _shapes(off: np.ndarray, index: np.ndarray, n_classes: int, shaped: bool) -> tuple[np.ndarray | None, np.ndarray]:
    """Principal axes (class, rank, rank) and variances (class, rank) of each class's deviations from its mean.

    Not shaped: no axes, and the mean of the variances throughout.
    """
    rank, counts = off.shape[1], np.maximum(np.bincount(index, minlength=n_classes), 1)
    if not shaped:
        size = np.bincount(index, weights=(off * off).sum(axis=1), minlength=n_classes) / rank
        return None, np.tile(((size + 1) / counts)[:, None], rank)
    axes, variances = np.empty((n_classes, rank, rank)), np.empty((n_classes, rank))
    for k in range(n_classes):
        own = off[index == k]
        values, axes[k] = np.linalg.eigh(own.T @ own + np.eye(rank))
        variances[k] = np.maximum(values, 0.0) / counts[k]
    return axes, variances


def _shrunk(own: np.ndarray, amount: Amount) -> np.ndarray:
    """(class, rank) variances of the classes, of their own ones, where the pooled covariance is 1."""
    target = own.mean(axis=1, keepdims=True) if amount.own_scale else 1.0
    return (1 - amount.lam) * own + amount.lam * target


def _log_density(off: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """(sample,) ln density of deviations (sample, rank), up to a constant."""
    return -0.5 * ((off * off) / variances + np.log(variances)).sum(axis=1)
