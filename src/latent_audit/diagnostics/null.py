"""What each joint statistic is by chance: Monte Carlo on true draws of N(0, I), kept in memory per size and seed."""

from functools import lru_cache

import numpy as np
from scipy import special

from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.coverage import hole_fraction, hole_radius, hole_rows, subsample
from latent_audit.diagnostics.multivariate_shape import gaussian_tc, henze_zirkler_beta, shape_statistics
from latent_audit.diagnostics.parallel import in_order
from latent_audit.diagnostics.prior_distance import mean_pair_distance, prior_median_distance, prior_statistics

W2_EXCESS = 1.35  # E[n W2^2] - ln ln n of n draws of N(0, 1): simulated 1.42 (se .03) at n = 1,000, 1.32 (.05) at 1e4
SHAPE_METRICS = ("mardia_b1p", "mardia_b2p", "henze_zirkler", "gaussian_tc", "hole_fraction_whitened")
HOLES = {"hole_fraction": "raw", "hole_fraction_whitened": "whitened"}
HOLE_DRAWS = 99
TWO_SIDED = ("mardia_b2p",)


@lru_cache(maxsize=64)
def radius_of(n: int, latent_dim: int, seed: int) -> float:
    """The hole radius that belongs to n codes in `latent_dim` dimensions, drawn once per seed."""
    return hole_radius(n, latent_dim, rng=rng_for(seed, "hole-radius", str(n), str(latent_dim)))


def prior_row(x: Codes, *, rng: np.random.Generator, projections: int) -> dict[str, float]:
    """Every statistic but the holes whose null is "is N(0, I)"."""
    return prior_statistics(x.values, rng=rng, projections=projections)


def shape_row(x: Codes) -> dict[str, float]:
    """Every statistic but the holes that fits mean and covariance first; NaN without spread or more rows than
    dimensions."""
    moving = int((np.ptp(x.values, axis=0) > 0).sum())
    # with one row more than dimensions they are the same for any data
    if len(x) <= moving + 1 or x.whitening.rank == 0:
        return dict.fromkeys(SHAPE_METRICS[:3], np.nan) | {"gaussian_tc": gaussian_tc(x)}
    return shape_statistics(x.whitened) | {"gaussian_tc": gaussian_tc(x)}


def hole_value(x: Codes, metric: str, *, rng: np.random.Generator, seed: int) -> float:
    """The ball count of the codes, raw or whitened, at the most of them that it takes; NaN where it says nothing."""
    values = x.values if HOLES[metric] == "raw" else x.whitened
    rows = hole_rows(*values.shape)
    if rows == 0 or (HOLES[metric] == "whitened" and len(x) <= values.shape[1] + 1):
        return float("nan")
    used = subsample(values, rows, rng=rng)
    return hole_fraction(used, radius_of(*used.shape, seed), rng=rng)


@lru_cache(maxsize=16)
def null_table(kind: str, n: int, latent_dim: int, draws: int, projections: int, seed: int) -> dict[str, np.ndarray]:
    """`draws` values under N(0, I) of each statistic of `kind` ("prior" or "shape"); read only, computed once."""

    def draw(number: int) -> dict[str, float]:
        rng = rng_for(seed, "joint-null", kind, str(n), str(latent_dim), str(number))
        x = Codes(rng.standard_normal((n, latent_dim)))
        return prior_row(x, rng=rng, projections=projections) if kind == "prior" else shape_row(x)

    rows = in_order(draw, range(draws))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@lru_cache(maxsize=16)
def hole_null(metric: str, n: int, latent_dim: int, draws: int, seed: int) -> np.ndarray:
    """`draws` ball counts of n draws of N(0, I), drawn at that very n; read only, computed once."""
    radius_of(hole_rows(n, latent_dim), latent_dim, seed)  # before the threads, so that it is drawn once

    def draw(number: int) -> float:
        rng = rng_for(seed, metric, str(n), str(latent_dim), str(number))
        return hole_value(Codes(rng.standard_normal((n, latent_dim))), metric, rng=rng, seed=seed)

    return np.array(in_order(draw, range(draws)))


def at_rows(metric: str, null: np.ndarray, *, n_p: int, n: int, latent_dim: int) -> np.ndarray:
    """Draws of the null at n_p rows as they would be at n: moved by centre and spread, exactly known or in the limit
    (`_scale`)."""
    if n == n_p:
        return null
    centre_p, spread_p = _scale(metric, n_p, latent_dim)
    centre, spread = _scale(metric, n, latent_dim)
    return np.maximum(0.0, centre + (null - centre_p) * spread / spread_p)


def _scale(metric: str, n: int, d: int) -> tuple[float, float]:
    """Centre and spread (up to a constant factor) of a statistic at n rows of N(0, I_d).

    Degenerate V-statistics (mmd2, energy) have an exact mean, the excess of the diagonal over n, and spread 1/n. Sliced
    W2: n W2^2 grows as ln ln n (del Barrio et al. 1999) above a constant; its maximum over principal axes also spreads
    like sqrt(d / n) (Bai & Yin 1993). KS: Stephens' (1970) effective sqrt n. Mardia: exact moments of Mardia (1974),
    Sankhya B 36. Gaussian TC: a product of independent betas. Henze-Zirkler: the moments of their theorem 3.2.
    """
    if metric.startswith("mmd2_"):
        median = prior_median_distance(d)
        h = {"half_median": median / 2, "median": median, "double_median": 2 * median}
        h2 = h.get(metric.removeprefix("mmd2_rbf_"), 1.0) ** 2
        return (1 - (h2 / (h2 + 2)) ** (d / 2)) / n, 1 / n
    if metric == "symmetry_energy":
        return 0.0, 1 / n  # the mean over sign flips is E|2x| / n, whatever the law of x: all of it scales
    if metric == "energy_d2":
        return mean_pair_distance(d) / n, 1 / n
    if metric in ("sliced_w2", "max_sliced_w2"):
        return 0.0, np.sqrt((np.log(np.log(n)) + (d if metric == "max_sliced_w2" else W2_EXCESS)) / n)
    if metric == "radius_ks":
        return 0.0, 1 / (np.sqrt(n) + 0.12 + 0.11 / np.sqrt(n))
    return {"mardia_b1p": _b1p, "mardia_b2p": _b2p, "gaussian_tc": _tc, "henze_zirkler": _hz}[metric](n, d)


def _b1p(n: int, d: int) -> tuple[float, float]:
    return d * (d + 2) / ((n + 1) * (n + 3)) * ((n + 1) * (d + 1) - 6), 1 / n


def _b2p(n: int, d: int) -> tuple[float, float]:
    variance = 8 * d * (d + 2) * (n - 3) * (n - d - 1) * (n - d + 1) / ((n + 1) ** 2 * (n + 3) * (n + 5))
    return d * (d + 2) * (n - 1) / (n + 1), np.sqrt(max(variance, 0.0)) if n > d + 1 else 1.0


def _tc(n: int, d: int) -> tuple[float, float]:
    """-ln|R|/2 with |R| a product over j = 2..d of Beta((n - j)/2, (j - 1)/2); Muirhead (1982), theorem 5.1.3."""
    j = np.arange(2, d + 1)
    a, total = (n - j) / 2, (n - 1) / 2
    mean = 0.5 * (special.digamma(total) - special.digamma(a)).sum()
    variance = 0.25 * (special.polygamma(1, a) - special.polygamma(1, total)).sum()
    return float(mean), float(np.sqrt(variance)) if d > 1 else 1.0


def _hz(n: int, d: int) -> tuple[float, float]:
    """Mean and standard deviation in the limit of fixed beta; Henze & Zirkler (1990), theorem 3.2."""
    b2 = henze_zirkler_beta(n, d) ** 2
    a, w = 1 + 2 * b2, (1 + b2) * (1 + 3 * b2)
    mean = 1 - a ** (-d / 2) * (1 + d * b2 / a + d * (d + 2) * b2**2 / (2 * a**2))
    variance = 2 * (1 + 4 * b2) ** (-d / 2)
    variance += 2 * a**-d * (1 + 2 * d * b2**2 / a**2 + 3 * d * (d + 2) * b2**4 / (4 * a**4))
    variance -= 4 * w ** (-d / 2) * (1 + 3 * d * b2**2 / (2 * w) + d * (d + 2) * b2**4 / (2 * w**2))
    return mean, np.sqrt(max(variance, 1e-300))
