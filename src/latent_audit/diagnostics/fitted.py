"""What to sample from instead of N(0, I): a Gaussian or a mixture fitted to the codes, judged on codes it has not seen.

Ghosh et al. (2020), arXiv:1903.12436 (ex-post density estimation).
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from sklearn.covariance import LedoitWolf
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.coverage import subsample
from latent_audit.diagnostics.parallel import single_threaded
from latent_audit.diagnostics.two_sample import rows_for, told_apart

COMPONENTS = 10
ROWS_PER_PARAMETER = 5  # codes for each dimension of each component
MOST_MIXED = 256  # dimensions up to which a mixture is fitted
MOST_USED = 15_000  # codes, two thirds of them to fit


@dataclass(frozen=True, eq=False)
class FittedPrior:
    """A mixture of Gaussians over codes, as plain arrays; a single Gaussian has one component.

    kind : "prior" (N(0, I)), "diagonal" (independent dimensions), "gaussian" or "mixture". weights (component,), means
    (component, latent), covariances (component, latent, latent); directions without spread have variance 0.
    """

    kind: str
    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def sample(self, n: int, rng: np.random.Generator | int) -> np.ndarray:
        """(n, latent) draws; of a seed those of numpy's default generator."""
        rng = np.random.default_rng(rng)
        chosen = rng.choice(len(self.weights), size=n, p=self.weights)
        draws = np.empty((n, self.means.shape[1]))
        for k in range(len(self.weights)):
            rows = np.flatnonzero(chosen == k)
            draws[rows] = self.means[k] + rng.standard_normal((len(rows), draws.shape[1])) @ _root(self.covariances[k])
        return draws

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """(sample,) ln density in nats; NaN where a component has a direction without spread."""
        logs = []
        for weight, mean, covariance in zip(self.weights, self.means, self.covariances, strict=True):
            sign, log_det = np.linalg.slogdet(covariance)
            if sign <= 0 or not np.isfinite(log_det):
                return np.full(len(x), np.nan)
            away = np.linalg.solve(covariance, (x - mean).T).T
            square = ((x - mean) * away).sum(axis=1)
            logs.append(np.log(weight) - 0.5 * (square + log_det + x.shape[1] * np.log(2 * np.pi)))
        return np.asarray(logsumexp(np.array(logs), axis=0))


def standard_normal(latent_dim: int) -> FittedPrior:
    """N(0, I), to which nothing is fitted."""
    return FittedPrior("prior", np.ones(1), np.zeros((1, latent_dim)), np.eye(latent_dim)[None])


def _root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def fit_gaussian(x: np.ndarray) -> FittedPrior:
    """Mean and covariance (1/n); shrunk towards a sphere (Ledoit & Wolf 2004) below ten codes per dimension."""
    mean = x.mean(axis=0)
    covariance = np.cov(x, rowvar=False, ddof=0).reshape(x.shape[1], x.shape[1])
    if len(x) < 10 * x.shape[1]:
        covariance = LedoitWolf().fit(x).covariance_
    return FittedPrior("gaussian", np.ones(1), mean[None], covariance[None])


def fit_diagonal(x: np.ndarray) -> FittedPrior:
    """Mean and variance (1/n) of each dimension: two numbers each, where there are too few codes for a covariance."""
    return FittedPrior("diagonal", np.ones(1), x.mean(axis=0)[None], np.diag(x.var(axis=0))[None])


def fit_mixture(x: np.ndarray, *, seed: int) -> FittedPrior | None:
    """Up to ten Gaussians by EM in whitened coordinates; None beyond 256 dimensions or with too few codes for two."""
    codes = Codes(x)
    rank = codes.whitening.rank
    k = min(COMPONENTS, len(x) // (ROWS_PER_PARAMETER * max(rank, 1)))
    if rank == 0 or rank > MOST_MIXED or k < 2:
        return None
    model = GaussianMixture(k, reg_covar=1e-6, max_iter=60, tol=1e-2, random_state=seed % 2**32)
    with single_threaded(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # few different codes, or not quite at the optimum: judged
        model.fit(codes.whitened)
    back = np.linalg.pinv(codes.whitening.matrix)
    weights, centres, spreads = (np.asarray(a) for a in (model.weights_, model.means_, model.covariances_))
    return FittedPrior("mixture", weights, codes.whitening.mean + centres @ back, back.T @ spreads @ back)


def judged(codes: Codes, *, rng: np.random.Generator, seed: int) -> tuple[pd.DataFrame, dict[str, FittedPrior]]:
    """N(0, I), two Gaussians and a mixture, fitted to two thirds of the codes and judged on the others.

    Returns
    -------
    Rows law ("prior", "diagonal", "gaussian", "mixture"), from the simplest on; log_likelihood (mean ln density of
    held-out codes, nats; NaN where codes have a direction without spread); auc, p_value, overlap: how well a classifier
    tells held-out codes from as many draws of the law (`two_sample.told_apart`). The fitted laws by name.
    """
    used = rng.permutation(subsample(codes.values, MOST_USED, rng=rng))
    fit, held = np.split(used, [2 * len(used) // 3])
    fits = {"prior": standard_normal(fit.shape[1])}
    fits |= {"diagonal": fit_diagonal(fit), "gaussian": fit_gaussian(fit)}
    if (mixture := fit_mixture(fit, seed=seed)) is not None:
        fits["mixture"] = mixture
    seen = held[: rows_for(*held.shape)]
    rows = []
    for name, law in fits.items():
        told = told_apart(seen, law.sample(len(seen), rng), rng=rng)
        rows.append((name, float(law.log_density(held).mean()), told.auc, told.p_value, told.overlap))
    columns = ["law", "log_likelihood", "auc", "p_value", "overlap"]
    return pd.DataFrame(rows, columns=columns), {name: law for name, law in fits.items() if name != "prior"}
