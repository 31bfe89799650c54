"""Exact one-dimensional Wasserstein distances between an empirical distribution and N(0, 1), in units of the code."""

import numpy as np
from scipy import special


def _edges(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Quantile edges a_i = Phi^-1(i/n), i = 0..n, and the normal density there (0 at the infinite ends)."""
    edges = special.ndtri(np.arange(n + 1) / n)
    return edges, np.exp(-0.5 * edges**2) / np.sqrt(2 * np.pi)


def w1_to_normal(ordered: np.ndarray) -> np.ndarray:
    """W1 = int |F_n - Phi| dx per column of the sorted (sample, latent) array, exactly; Villani (2009), 6.0.2.

    On the i-th quantile cell [a, b] the transport cost int |x - t| phi(t) dt has, with c = x clipped to the cell, the
    closed form x (2 Phi(c) - Phi(a) - Phi(b)) + 2 phi(c) - phi(a) - phi(b).
    """
    n = len(ordered)
    edges, density = _edges(n)
    middle = np.clip(ordered, edges[:-1, None], edges[1:, None])
    mass = 2 * special.ndtr(middle) - (2 * np.arange(n)[:, None] + 1) / n
    height = 2 * np.exp(-0.5 * middle**2) / np.sqrt(2 * np.pi) - (density[:-1] + density[1:])[:, None]
    return np.maximum((ordered * mass + height).sum(axis=0), 0.0)


def w2_squared_to_normal(ordered: np.ndarray) -> np.ndarray:
    """W2^2 = mean x^2 + 1 - 2 sum x_(i) (phi(a_{i-1}) - phi(a_i)) per column of the sorted array, exactly."""
    _, density = _edges(len(ordered))
    cross = (density[:-1] - density[1:]) @ ordered
    return np.maximum((ordered**2).mean(axis=0) + 1 - 2 * cross, 0.0)


def w2_to_normal(ordered: np.ndarray) -> np.ndarray:
    """The square root of `w2_squared_to_normal`, in units of the code."""
    return np.sqrt(w2_squared_to_normal(ordered))
