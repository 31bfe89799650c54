"""How much of the prior is short of codes, at a resolution that does not depend on how many codes there are.

The ball count of `coverage.holes` grows with n, and says nothing beyond a few dimensions. Here a place counts as empty
where fewer than half the codes are found that N(0, I) would put into a ball of 0.5% of its mass.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special, stats
from scipy.stats import qmc

from latent_audit.base.measures import Measure, share
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.chance import tail_p
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.coverage import subsample
from latent_audit.diagnostics.moment_tests import correlations
from latent_audit.diagnostics.parallel import in_order, single_threaded_blas
from latent_audit.diagnostics.search_tree import search_tree

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

RESOLUTION, EXPECTED = 0.005, 8  # prior mass of a ball, and the codes to be expected in it: fewer codes, larger balls
DENSE = 0.5  # of the codes to be expected: below, a place is empty
SPACE = 3  # dimensions up to which the whole space is looked at; beyond, planes
LOG_POINTS = 11  # 2,048 places to look at in the whole space, a quarter of them in each plane
ROWS = 20_000  # a seeded part of more codes
DRAWS = 99
ITERATIONS = 20  # of a fixed point that is reached to three digits
MOST_PAIRED = 256  # dimensions beyond which neither pairs nor principal axes are searched
RANDOM_PLANES, AXIS_PAIRS, ODD_AXES = 4, 8, 4


def empty_mass(
    x: Codes | np.ndarray,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    null_rows: int = 1000,
    null_seed: int = 0,
) -> pd.DataFrame:
    """P_{Z ~ N(0, I)}[codes near Z are less than half as dense as N(0, I)], less what chance alone gives.

    "Near" is the ball about Z that holds a share s = 0.5% of the prior (more where that makes fewer than 8 codes): it
    should hold s n codes, and counts as empty with less than half. Of true draws a share c = P(Bin(n, s) < s n / 2)
    would be empty by chance, so the value H solves share = H + (1 - H) c(H), at least 0, where c(H) has s / (1 - H)
    for the codes that stand where they may: a region without codes counts with its mass whether there are 300 codes or
    100,000, as long as it is larger than a ball. Z are 2,048 scrambled Sobol points.

    Up to 3 dimensions in the whole space; beyond, the largest over planes: pairs of dimensions that depend most on each
    other, the widest and the narrowest principal axes (both up to 256 dimensions), pairs of the dimensions that are the
    oddest one by one, and four random planes; they are
    chosen on a random half of the codes and measured on the other, and the other way round: the mean of both. A hole
    that no plane shows is not found.

    Returns
    -------
    One row `hole_mass` with columns as `moment_tests.moment_tests` gives; p and band by `draws` samples of N(0, I) of
    min(n, null_rows) codes, searched likewise, so that p errs towards 1 for more codes; `where`: the plane.
    """
    codes = Codes.of(x, where="empty_mass")
    used = Codes(subsample(codes.values, ROWS, rng=rng)) if len(codes) > ROWS else codes
    value, where = emptiest(used, rng=rng)
    n_p = min(len(codes), null_rows)
    with single_threaded_blas():
        null = null_values(n_p, codes.shape[1], draws, null_seed)
    low, high = np.quantile(null, [0.025, 0.975])
    row = ("hole_mass", value, tail_p(value, null), low, high, len(used), where)
    return pd.DataFrame([row], columns=["metric", "value", "p_value", "null_low", "null_high", "n_p", "where"])


def emptiest(codes: Codes, *, rng: np.random.Generator) -> tuple[float, str]:
    """The value of `empty_mass`, and the dimensions of the plane that has it."""
    d = codes.shape[1]
    if d <= SPACE:
        return mass_in(codes.values, LOG_POINTS), ""
    order = rng.permutation(len(codes))
    halves = [codes.values[part] for part in np.array_split(order, 2)]
    worst = []
    for chosen_on, measured_on in (halves, halves[::-1]):
        planes = _planes(Codes(chosen_on), rng)
        found = [(mass_in(measured_on @ basis, LOG_POINTS - 2), name) for basis, name in planes]
        worst.append(max(found, key=lambda one: one[0]))
    return float(np.mean([value for value, _ in worst])), max(worst)[1]


def mass_in(x: np.ndarray, log_points: int) -> float:
    """The share of empty places of the (sample, latent) codes x in their whole space, less chance."""
    n, d = x.shape
    resolution = resolution_of(n)
    points, radius = _places(d, log_points, resolution)
    counts = search_tree(x).query_ball_point(points, radius, return_length=True)
    most = np.ceil(DENSE * resolution * n) - 1
    seen, empty = float((counts <= most).mean()), 0.0
    for _ in range(ITERATIONS):  # where codes are, they are denser for what is empty elsewhere
        chance = float(stats.binom.cdf(most, n, min(1.0, resolution / (1 - empty))))
        empty = min(max(0.0, (seen - chance) / (1 - chance)), 1 - resolution)
    return empty


def resolution_of(n: int) -> float:
    """The prior mass of a ball with n codes."""
    return max(RESOLUTION, min(0.5, EXPECTED / n))


@lru_cache(maxsize=8)
def _places(d: int, log_points: int, resolution: float) -> tuple[np.ndarray, np.ndarray]:
    """Points spread as N(0, I_d), and the radius about each that holds `resolution` of it (noncentral chi2)."""
    uniform = qmc.Sobol(d, scramble=True, rng=rng_for(0, "empty-mass", str(d))).random_base2(log_points)
    points = special.ndtri(np.clip(uniform, 1e-9, 1 - 1e-9))
    squared = stats.ncx2.ppf(resolution, d, (points * points).sum(axis=1))
    return points, np.sqrt(squared)


def _planes(codes: Codes, rng: np.random.Generator) -> list[tuple[np.ndarray, str]]:
    """Orthonormal bases (latent, 2) of the planes that are looked at, with their dimensions in words."""
    d = codes.shape[1]
    pairs = {tuple(sorted(pair)) for pair in (_dependent_pairs(codes) if d <= MOST_PAIRED else [])}
    mean_square, fourth = (codes.values**2).mean(axis=0), (codes.values**4).mean(axis=0)
    odd = np.argsort(-(np.abs(mean_square - 1) + np.abs(fourth / 3 - 1)), kind="stable")[:ODD_AXES].tolist()
    pairs |= {(min(a, b), max(a, b)) for k, a in enumerate(odd) for b in odd[k + 1 :]}
    planes = [(_axes(d, i, j), f"{i}, {j}") for i, j in sorted(pairs)]
    if d <= MOST_PAIRED:
        vectors = np.linalg.eigh(codes.values.T @ codes.values)[1]
        planes += [(vectors[:, -2:], "widest axes"), (vectors[:, :2], "narrowest axes")]
    random = (np.linalg.qr(rng.standard_normal((d, 2)))[0] for _ in range(RANDOM_PLANES))
    return planes + [(basis, "a random plane") for basis in random]


def _axes(d: int, i: int, j: int) -> np.ndarray:
    basis = np.zeros((d, 2))
    basis[[i, j], [0, 1]] = 1.0
    return basis


def _dependent_pairs(codes: Codes) -> list[tuple[int, int]]:
    r, moving = correlations(codes)
    if len(moving) < 2:
        return []
    square = codes.standardised[:, moving] ** 2 - 1
    both = np.maximum(np.abs(r), np.abs(square.T @ square / len(codes)) / 2)
    first, second = np.triu_indices(len(moving), 1)
    top = np.argsort(-both[first, second], kind="stable")[:AXIS_PAIRS]
    return [(int(moving[first[k]]), int(moving[second[k]])) for k in top]


@lru_cache(maxsize=16)
def null_values(n: int, latent_dim: int, draws: int, seed: int) -> np.ndarray:
    """The value for `draws` samples of n rows of N(0, I); read only, computed once per size and seed."""

    def draw(number: int) -> float:
        rng = rng_for(seed, "empty-mass-null", str(n), str(latent_dim), str(number))
        return emptiest(Codes(rng.standard_normal((n, latent_dim))), rng=rng)[0]

    return np.array(in_order(draw, range(draws)))


def _rows(subject: "Subject") -> pd.DataFrame | None:
    if subject.code != "z":
        return None
    settings = subject.settings
    return empty_mass(
        subject.codes, rng=subject.rng("empty-mass"), draws=min(DRAWS, settings.null_draws),
        null_rows=settings.null_rows, null_seed=subject.seed,
    )  # fmt: skip


MEASURE = Measure(
    "empty_mass",
    needs=frozenset(),
    metrics=(
        share(
            "hole_mass", "share of the prior with less than half its codes, beyond chance", better="lower",
            section="holes", title="prior mass short of codes", sentence="places where fewer than half the codes are "
            "found that N(0, I) would put there, at a resolution of 0.5% of its mass: few, not none",
        ),
    ),
    rows=_rows,
    order=18,
)  # fmt: skip
