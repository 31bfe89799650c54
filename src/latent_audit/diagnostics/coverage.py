"""Prior mass that no code supports, symmetry about the origin, and bounds of the codes."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special, stats

from latent_audit.base.measures import Measure, Metric, share
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.search_tree import search_tree
from latent_audit.diagnostics.transforms import fit_affine

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

TREE_DIMENSIONS = 16  # beyond, a k-d tree visits nearly every point and brute force is faster
BALL_DIMENSIONS = 3  # beyond, the count of balls loses its meaning: codes all at 0 score .96 at d 2, .03 at d 50
HOLE_ROWS = 10_000  # the count grows with the number of codes: of more, a seeded part
RADIUS_DISTANCES = 40_000  # distances behind a hole radius
_DISTANCES_AT_ONCE = 2**22  # 32 MiB of float64 per block


def nearest_distance(points: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Euclidean distance of each point to its nearest code; k-d tree up to 16 dimensions, else chunked brute force."""
    if codes.shape[1] <= TREE_DIMENSIONS:
        return search_tree(codes).query(points)[0]
    centre = codes.mean(axis=0)
    points, codes = points - centre, codes - centre  # distances do not change, and nothing is lost to a large mean
    step = max(1, _DISTANCES_AT_ONCE // len(codes))
    square = (codes * codes).sum(axis=1)
    nearest = np.empty(len(points))
    for i in range(0, len(points), step):
        block = points[i : i + step]
        nearest[i : i + step] = (square - 2 * block @ codes.T).min(axis=1) + (block * block).sum(axis=1)
    return np.sqrt(np.maximum(nearest, 0.0))


def subsample(x: np.ndarray, rows: int, *, rng: np.random.Generator) -> np.ndarray:
    """`rows` rows of x without replacement, in their order; x itself if it has no more."""
    return x[np.sort(rng.choice(len(x), rows, replace=False))] if len(x) > rows else x


def hole_rows(n: int, latent_dim: int) -> int:
    """How many of n codes the hole fraction uses: at most 10,000; none beyond 3 dimensions (see `empty_mass`)."""
    return min(n, HOLE_ROWS) if 1 <= latent_dim <= BALL_DIMENSIONS else 0


def hole_radius(n: int, latent_dim: int, *, rng: np.random.Generator) -> float:
    """The 99% quantile of the distance from a draw of N(0, I) to the nearest of n independent ones.

    Pooled over as many pairs of sets as make 40,000 distances, so that a small n does not make it noisy.
    """
    pairs = (rng.standard_normal((2, n, latent_dim)) for _ in range(-(-RADIUS_DISTANCES // n)))
    return float(np.quantile(np.concatenate([nearest_distance(prior, codes) for prior, codes in pairs]), 0.99))


def hole_fraction(codes: np.ndarray, radius: float, *, rng: np.random.Generator) -> float:
    """Monte Carlo P(distance of Z ~ N(0, I) to the nearest code > radius), with as many prior draws as codes."""
    prior = rng.standard_normal(codes.shape)
    return float((nearest_distance(prior, codes) > radius).mean())


def holes(x: Codes | np.ndarray, *, rng: np.random.Generator, draws: int = 40) -> pd.DataFrame:
    """Prior mass out of reach of the codes, raw and whitened, against the same number of true prior draws.

    hole_fraction = P_{Z ~ N(0, I)}[distance of Z to the nearest code > r], r the 99% nearest-neighbour distance of the
    same number of true prior draws, so that codes which follow the prior score 0.01. It grows with n: compare at equal
    n only. At most 10,000 codes are used (a seeded subsample without replacement), with as many prior draws. Beyond 3
    dimensions it says nothing and is NaN (`empty_mass` goes on).

    Parameters
    ----------
    x : (sample, latent) codes. Whitened codes are centred and decorrelated with their own mean and 1/n covariance;
        directions without spread are dropped, so the prior there has fewer dimensions.
    draws : true prior samples behind each null band.

    Returns
    -------
    Rows `hole_fraction` and `hole_fraction_whitened`; columns `metric value radius null_low null_high n latent_dim`.
    The band is 2.5% to 97.5% of the same estimate on draws of N(0, I), whitened likewise for the second row; `n` the
    number of codes used. Codes without any spread have no whitened form: NaN.

    References
    ----------
    Rezende & Viola (2018), arXiv:1810.00597 ("holes"); Naeem et al. (2020), arXiv:2002.09797 (coverage).
    """
    codes = Codes.of(x, where="holes")
    used = subsample(codes.values, hole_rows(*codes.shape), rng=rng)
    rows = [_hole_row("hole_fraction", used, "raw", draws if len(used) else 0, rng)]
    affine = codes.whitening
    white = affine(used)
    rows.append(_hole_row("hole_fraction_whitened", white, "whitened", draws if affine.rank and len(used) else 0, rng))
    return pd.DataFrame(rows)


def _hole_row(metric: str, codes: np.ndarray, transform: str, draws: int, rng: np.random.Generator) -> dict:
    n, latent_dim = codes.shape
    row = dict.fromkeys(("value", "radius", "null_low", "null_high"), np.nan)
    if draws:
        radius = hole_radius(n, latent_dim, rng=rng)
        null = np.empty(draws)
        for i in range(draws):
            normal = rng.standard_normal((n, latent_dim))
            null[i] = hole_fraction(fit_affine(normal, transform)(normal), radius, rng=rng)
        low, high = np.quantile(null, [0.025, 0.975])
        value = hole_fraction(codes, radius, rng=rng)
        row = {"value": value, "radius": radius, "null_low": low, "null_high": high}
    return {"metric": metric, **row, "n": n, "latent_dim": latent_dim}


def location(x: Codes | np.ndarray) -> pd.DataFrame:
    """How far the centre is from 0, per dimension: `dim mean se t p_value`, p two-sided by Student's t with n - 1.

    `se` is the standard error of the mean (ddof 1). A constant dimension has se 0: t is +-inf, or 0 at the origin.
    """
    codes = Codes.of(x, where="location").values
    n = len(codes)
    mean = codes.mean(axis=0)
    se = np.where(np.ptp(codes, axis=0) > 0, codes.std(axis=0, ddof=1) / np.sqrt(n), 0.0)
    t = np.where(mean == 0, 0.0, np.copysign(np.inf, mean))
    np.divide(mean, se, out=t, where=se > 0)
    return pd.DataFrame(
        {"dim": np.arange(codes.shape[1]), "mean": mean, "se": se, "t": t, "p_value": 2 * stats.t.sf(np.abs(t), n - 1)}
    )


def symmetry_energy(x: np.ndarray) -> float:
    """Half the squared energy distance (V-statistic) of X and -X: (1/n^2) sum (|x_i + x_j| - |x_i - x_j|).

    Székely & Rizzo (2013), J. Stat. Plan. Inference 143(8). Zero iff symmetric; it includes the
    diagonal 2|x_i|, hence is positive for finite n.
    """
    return float(_symmetry_kernel(x).mean())


def _symmetry_kernel(x: np.ndarray) -> np.ndarray:
    """The (sample, sample) matrix |x_i + x_j| - |x_i - x_j|; signs s turn its entries into s_i s_j times themselves."""
    square = (x * x).sum(axis=1)
    total = square[:, None] + square[None, :]
    product = 2 * (x @ x.T)
    plus, minus = np.maximum(total + product, 0.0), np.maximum(total - product, 0.0)
    return np.sqrt(plus) - np.sqrt(minus)


def sign_flip_test(
    x: Codes | np.ndarray, *, rng: np.random.Generator, flips: int = 999, rows: int = 2000, centre: bool = False
) -> pd.DataFrame:
    """Is the code symmetric about 0 (centre=False) or about its mean (centre=True: shape alone, p approximate)?

    Energy test of X against -X; under symmetry every row may change its sign, so the p is that of random sign flips,
    (1 + #{flipped >= observed}) / (1 + flips): exact for centre=False.

    Parameters
    ----------
    rows : at most so many rows are used, a seeded subsample (the kernel matrix is rows x rows).

    Returns
    -------
    One row: `metric` ("symmetry_energy" or "symmetry_energy_centred") `value p_value n_p`.
    """
    codes = Codes.of(x, where="sign_flip_test").values
    used = subsample(codes, rows, rng=rng)
    observed, flipped = sign_flips(used - used.mean(axis=0) if centre else used, rng=rng, flips=flips)
    p = (1 + (flipped >= observed - 1e-12 * abs(observed)).sum()) / (1 + flips)
    name = "symmetry_energy_centred" if centre else "symmetry_energy"
    return pd.DataFrame({"metric": [name], "value": [observed], "p_value": [p], "n_p": [len(used)]})


def sign_flips(x: np.ndarray, *, rng: np.random.Generator, flips: int) -> tuple[float, np.ndarray]:
    """`symmetry_energy` of x, and of `flips` copies in which every row has a random sign; sample x sample memory."""
    kernel = _symmetry_kernel(x)
    signs = rng.choice(np.array([-1.0, 1.0]), size=(len(x), flips))
    return float(kernel.mean()), (signs * (kernel @ signs)).sum(axis=0) / len(x) ** 2


def bounds(x: Codes | np.ndarray) -> pd.DataFrame:
    """How far the codes reach, as rows `metric value expected`; expected is under N(0, I) at the same n (NaN: none).

    max_abs_z : largest coordinate; expected is the median of the largest of n * latent absolute normals.
    beyond_3sd_fraction : share of coordinates beyond 3 of the PRIOR's standard deviations; expected 2 Phi(-3) = 0.0027.
    beyond_3sd_radius_fraction : share of rows with |z| beyond the chi_latent quantile of the same probability.
    """
    codes = Codes.of(x, where="bounds").values
    n, latent_dim = codes.shape
    tail = 2 * special.ndtr(-3.0)
    expected_max = special.ndtri(0.5 * (1 + 0.5 ** (1 / (n * latent_dim))))
    radius = np.sqrt(stats.chi2.isf(tail, latent_dim))
    rows = [
        ("max_abs_z", np.abs(codes).max(), expected_max),
        ("beyond_3sd_fraction", (np.abs(codes) > 3).mean(), tail),
        ("beyond_3sd_radius_fraction", (np.sqrt((codes * codes).sum(axis=1)) > radius).mean(), tail),
    ]
    return pd.DataFrame(rows, columns=["metric", "value", "expected"])


def _rows(subject: "Subject") -> pd.DataFrame:
    reach = bounds(subject.codes)
    expected = reach.loc[reach["metric"] == "max_abs_z", "expected"].item()
    length = float(np.linalg.norm(subject.codes.values, axis=1).mean())
    more = pd.DataFrame([("expected_max_abs_z", expected), ("mean_norm", length)], columns=["metric", "value"])
    return pd.concat([reach.drop(columns="expected"), more], ignore_index=True)


MEASURE = Measure(
    "bounds",
    needs=frozenset(),
    metrics=(
        Metric("max_abs_z", "largest |z|", "code units", 0.0, section="codes"),
        Metric("expected_max_abs_z", "largest |z| to be expected of N(0, I)", "code units", 0.0, section="codes"),
        share("beyond_3sd_fraction", "share of coordinates beyond 3", section="codes"),
        share("beyond_3sd_radius_fraction", "share beyond the radius that holds 99.7% of N(0, I)", section="codes"),
        Metric("mean_norm", "mean length of a code", "code units", 0.0, section="codes"),
    ),
    rows=_rows,
    order=20,
)
