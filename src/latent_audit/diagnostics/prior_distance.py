"""Distances between codes and the prior N(0, I) itself: the prior's terms are closed forms, never samples."""

import numpy as np
from scipy import special, stats

from latent_audit.diagnostics.pairwise import prior_pair_means
from latent_audit.diagnostics.wasserstein import w2_squared_to_normal

PRINCIPAL_AXES = 64  # at most so many are added to the random projections for the maximum
_VALUES_AT_ONCE = 2**22


def prior_median_distance(latent_dim: int) -> float:
    """Median of |Z - Z'| for two draws of N(0, I): sqrt(2 median of chi2_latent)."""
    return float(np.sqrt(2 * stats.chi2.median(latent_dim)))


def mean_pair_distance(latent_dim: int) -> float:
    """E|Z - Z'| = 2 Gamma((d+1)/2) / Gamma(d/2) for two independent draws of N(0, I_d)."""
    return float(2 * np.exp(special.gammaln((latent_dim + 1) / 2) - special.gammaln(latent_dim / 2)))


def mean_distance_to_prior(squared_norm: np.ndarray, latent_dim: int) -> np.ndarray:
    """E|x - Z|, Z ~ N(0, I_d), for codes with these |x|^2: sqrt 2 Gamma((d+1)/2) / Gamma(d/2) 1F1(-1/2; d/2; -|x|^2/2).

    Evaluated as (1 / 2 sqrt pi) int (1 - L(s)) s^(-3/2) ds, with the Laplace transform of the noncentral chi-squared
    L(s) = (1 + 2s)^(-d/2) exp(-|x|^2 s / (1 + 2s)), by the trapezoidal rule in ln s. The integrand is analytic and
    bounded for |Im ln s| < pi/2, so the step 1/4 has relative error exp(-4 pi^2) ~ 1e-17, whatever d and |x|.
    """
    flat = np.asarray(squared_norm, dtype=np.float64).ravel()
    step, reach = 0.25, 76.0  # cut tails: relative exp(-reach / 2) ~ 3e-17
    top = np.log(latent_dim + flat.max(initial=0.0) + 1.0)
    log_s = np.arange(-reach - top, reach, step)
    s = np.exp(log_s)
    weight = step / (2 * np.sqrt(np.pi)) * np.exp(-0.5 * log_s)
    base, slope = -0.5 * latent_dim * np.log1p(2 * s), -s / (1 + 2 * s)
    rows = max(1, _VALUES_AT_ONCE // len(s))
    blocks = [-np.expm1(base + flat[i : i + rows, None] * slope) @ weight for i in range(0, len(flat), rows)]
    return np.concatenate(blocks).reshape(np.shape(squared_norm))


def mmd2(pair_mean: float, squared_norm: np.ndarray, latent_dim: int, bandwidth: float) -> float:
    """Squared maximum mean discrepancy to N(0, I), kernel exp(-|x - y|^2 / (2 h^2)), V-statistic, never negative.

    mean k(x_i, x_j) - 2 mean (h2/(h2+1))^(d/2) exp(-|x_i|^2 / (2 (h2+1))) + (h2/(h2+2))^(d/2), h2 = h^2.
    Gretton et al. (2012), JMLR 13; the prior's terms: Baringhaus & Henze (1988), Metrika 35.
    """
    h2 = bandwidth**2
    cross = np.exp(0.5 * latent_dim * np.log(h2 / (h2 + 1)) - squared_norm / (2 * (h2 + 1))).mean()
    prior = np.exp(0.5 * latent_dim * np.log(h2 / (h2 + 2)))
    return max(float(pair_mean - 2 * cross + prior), 0.0)


def prior_statistics(x: np.ndarray, *, rng: np.random.Generator, projections: int) -> dict[str, float]:
    """Every distance of the (sample, latent) codes x to N(0, I) but the holes; definitions in `joint.joint`."""
    latent_dim = x.shape[1]
    squared_norm = (x * x).sum(axis=1)
    median = prior_median_distance(latent_dim)
    means = prior_pair_means(x, median)
    bandwidths = {"rbf": 1.0, "rbf_half_median": median / 2, "rbf_median": median, "rbf_double_median": 2 * median}
    statistics = {
        f"mmd2_{name}": mmd2(means[name.removeprefix("rbf_")], squared_norm, latent_dim, h)
        for name, h in bandwidths.items()
    }
    to_prior = mean_distance_to_prior(squared_norm, latent_dim).mean()
    energy = 2 * to_prior - means["distance"] - mean_pair_distance(latent_dim)
    w2_squared = sliced_w2_squared(x, _directions(x, rng=rng, projections=projections))
    return statistics | {
        "energy_d2": max(float(energy), 0.0),
        "sliced_w2": float(np.sqrt(w2_squared[:projections].mean())),
        "max_sliced_w2": float(np.sqrt(w2_squared.max())),
        "radius_ks": radius_ks(squared_norm, latent_dim),
        "symmetry_energy": means["sum"] - means["distance"],
    }


def _directions(x: np.ndarray, *, rng: np.random.Generator, projections: int) -> np.ndarray:
    """Unit vectors (latent, direction): random ones first, then principal axes of E[x x'] whose moments are oddest."""
    random = rng.standard_normal((x.shape[1], projections))
    random /= np.linalg.norm(random, axis=0)
    return np.hstack([random, _odd_axes(x)])


def _odd_axes(x: np.ndarray) -> np.ndarray:
    """At most 64 principal axes of E[x x'] (latent, axis), those whose root mean square is furthest from 1 first.

    With more dimensions than codes there are no more axes than codes: the others hold nothing but the lack of codes.
    """
    n, latent_dim = x.shape
    values, vectors = np.linalg.eigh(x.T @ x / n if latent_dim <= n else x @ x.T / n)
    kept = np.flatnonzero(values > 1e-12 * values.max()) if latent_dim > n else np.arange(latent_dim)
    odd = kept[np.argsort(-np.abs(np.sqrt(np.maximum(values[kept], 0)) - 1), kind="stable")[:PRINCIPAL_AXES]]
    return vectors[:, odd] if latent_dim <= n else x.T @ vectors[:, odd] / np.sqrt(n * values[odd])


def sliced_w2_squared(x: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Exact squared W2 between each projection x @ direction and N(0, 1); Bonneel et al. (2015), JMIV 51."""
    width = max(1, _VALUES_AT_ONCE // len(x))
    blocks = []
    for i in range(0, directions.shape[1], width):
        projected = np.ascontiguousarray((x @ directions[:, i : i + width]).T)
        projected.sort(axis=1)
        blocks.append(w2_squared_to_normal(projected.T))
    return np.concatenate(blocks)


def radius_ks(squared_norm: np.ndarray, latent_dim: int) -> float:
    """Kolmogorov's D between |x|^2 and the chi-squared law with `latent_dim` degrees of freedom."""
    n = len(squared_norm)
    cdf = stats.chi2.cdf(np.sort(squared_norm), latent_dim)
    return float(max((np.arange(1, n + 1) / n - cdf).max(), (cdf - np.arange(n) / n).max()))
