"""Is the code some multivariate normal, whatever its mean and covariance? Statistics of the whitened codes."""

import numpy as np

from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.pairwise import shape_pair_means


def henze_zirkler_beta(n: int, latent_dim: int) -> float:
    """The smoothing parameter ((2d + 1) n / 4)^(1/(d+4)) / sqrt 2; Henze & Zirkler (1990), equation 1.8."""
    return float(((2 * latent_dim + 1) * n / 4) ** (1 / (latent_dim + 4)) / np.sqrt(2))


def shape_statistics(white: np.ndarray) -> dict[str, float]:
    """mardia_b1p, mardia_b2p and henze_zirkler of codes already whitened with their own mean and 1/n covariance.

    b1p = mean (y_i . y_j)^3, b2p = mean |y_i|^4 (Mardia 1970, Biometrika 57). henze_zirkler is n times the weighted L2
    distance of the empirical characteristic function to the normal's (Henze & Zirkler 1990, equation 1.7).
    """
    n, latent_dim = white.shape
    beta = henze_zirkler_beta(n, latent_dim)
    means = shape_pair_means(white, beta)
    square = (white * white).sum(axis=1)
    b2 = beta**2
    single = np.exp(-0.5 * latent_dim * np.log1p(b2) - b2 / (2 * (1 + b2)) * square).mean()
    constant = np.exp(-0.5 * latent_dim * np.log1p(2 * b2))
    return {
        "mardia_b1p": means["cube"],
        "mardia_b2p": float((square * square).mean()),
        "henze_zirkler": max(float(n * (means["kernel"] - 2 * single + constant)), 0.0),
    }


def gaussian_tc(x: Codes | np.ndarray) -> float:
    """Total correlation in nats of the Gaussian with the covariance of x: (sum ln C_jj - ln det C) / 2, 1/n covariance.

    Constant dimensions depend on nothing and are left out. Dependent dimensions (a duplicate, to one part in 1e10) make
    it inf; with no more rows than dimensions it cannot be estimated: NaN. Locatello et al. (2019), arXiv:1811.12359.
    """
    codes = Codes.of(x, where="gaussian_tc")
    moving = codes.standardised[:, (codes.standardised != 0).any(axis=0)]
    if len(codes) <= moving.shape[1]:
        return float("nan")
    if codes.whitening.rank < moving.shape[1]:
        return float("inf")
    if moving.shape[1] < 2:
        return 0.0
    return max(0.0, float(-0.5 * np.linalg.slogdet(moving.T @ moving / len(codes))[1]))
