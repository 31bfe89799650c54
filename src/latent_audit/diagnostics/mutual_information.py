"""Mutual information of each code dimension with each factor, in nats: counted, or exact under the posterior."""

import numpy as np
from jaxtyping import Float, Int
from sklearn.feature_selection import mutual_info_classif

BINS = 20  # of a dimension's own range, as Locatello et al. (2019) count
NEIGHBOURS = 3
EXACT_ROWS, EXACT_COST = 1_000, 2e8  # draws that are asked about, and exponentials altogether
FEW = 10  # rows for each different value, from which on the values are counted as they are

Table = Float[np.ndarray, "latent factor"]


def entropies(factors: Int[np.ndarray, "sample factor"]) -> Float[np.ndarray, " factor"]:
    """Entropy of each factor's values among the samples, nats."""
    return np.array([_entropy(np.bincount(column)) for column in factors.T])


def in_bins(codes: Float[np.ndarray, "sample latent"], factors: Int[np.ndarray, "sample factor"]) -> Table:
    """I(bin of z_j; v_k), each dimension in 20 bins of equal width over its own range."""
    low, span = codes.min(axis=0), np.ptp(codes, axis=0)
    scaled = np.divide(codes - low, span, out=np.zeros_like(codes), where=span > 0)
    return counted(np.minimum((scaled * BINS).astype(np.int64), BINS - 1), factors)


def counted(values: Int[np.ndarray, "sample latent"], factors: Int[np.ndarray, "sample factor"]) -> Table:
    """I of two whole numbers, by their joint counts."""
    found = np.zeros((values.shape[1], factors.shape[1]))
    for j, column in enumerate(values.T):
        column = np.unique(column, return_inverse=True)[1].reshape(-1)
        for k, factor in enumerate(factors.T):
            wide = int(factor.max()) + 1
            joint = np.bincount(column * wide + factor)
            found[j, k] = _entropy(np.bincount(column)) + _entropy(np.bincount(factor)) - _entropy(joint)
    return np.maximum(found, 0.0)


def of_values(
    codes: Float[np.ndarray, "sample latent"], factors: Int[np.ndarray, "sample factor"], *, rng: np.random.Generator
) -> Table:
    """I(z_j; v_k) of a code without a spread: of few values by their counts, else by nearest neighbours.

    References
    ----------
    Ross (2014), Mutual information between discrete and continuous data sets, PLoS ONE 9(2), equation 5.
    """
    found, state = np.zeros((codes.shape[1], factors.shape[1])), int(rng.integers(2**31))
    for j, column in enumerate(codes.T):
        values, index = np.unique(column, return_inverse=True)
        if FEW * len(values) <= len(column):
            found[j] = counted(index.reshape(-1, 1), factors)[0]
            continue
        for k, factor in enumerate(factors.T):
            estimate = mutual_info_classif(column[:, None], factor, n_neighbors=NEIGHBOURS, random_state=state)
            found[j, k] = estimate[0]
    return found


def of_posterior(
    mu: Float[np.ndarray, "sample latent"],
    logvar: Float[np.ndarray, "sample latent"],
    z: Float[np.ndarray, "sample latent"],
    factors: Int[np.ndarray, "sample factor"],
    *,
    rng: np.random.Generator,
) -> Table:
    """I(z_j; v_k) of q(z|x) and the factors, exact mixture densities of all samples at (at most 1,000) of the draws z.

    E[ln q(z_j | v_k) - ln q(z_j)], q(z_j) the mean of q(z_j | x_n) over all samples and q(z_j | v) over those whose
    factor is v.

    References
    ----------
    Chen et al. (2018), arXiv:1802.04942, appendix C.
    """
    n, latent_dim = mu.shape
    asked = rng.permutation(n)[: int(np.clip(EXACT_COST / (n * latent_dim), 50, EXACT_ROWS))]
    alike = [factor[:, None] == factor[asked] for factor in factors.T]  # (sample, asked) of each factor
    counts = [np.bincount(factor)[factor[asked]] for factor in factors.T]
    found = np.zeros((latent_dim, factors.shape[1]))
    for j in range(latent_dim):
        log_q = -0.5 * ((z[asked, j] - mu[:, j, None]) ** 2 * np.exp(-logvar[:, j, None]) + logvar[:, j, None])
        density = np.exp(log_q - log_q.max(axis=0))  # up to a factor that both share
        whole = np.log(density.sum(axis=0) / n)
        for k, (own, count) in enumerate(zip(alike, counts, strict=True)):
            found[j, k] = (np.log((density * own).sum(axis=0) / count) - whole).mean()
    return np.maximum(found, 0.0)


def _entropy(counts: np.ndarray) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())
