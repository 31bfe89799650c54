"""Where decoded samples come from: the prior, the codes' bounding box, and densities fitted to the codes ex post."""

import numpy as np
from jaxtyping import Float
from sklearn.mixture import GaussianMixture

SAMPLERS = ("prior", "box", "gaussian", "gmm")
GMM_COMPONENTS = 10


def draw_codes(
    sampler: str, codes: Float[np.ndarray, "sample latent"], n: int, *, rng: np.random.Generator
) -> Float[np.ndarray, "n latent"]:
    """`n` codes from one of SAMPLERS; `codes` are training codes (z, sampled for a VAE) that a density is fitted to.

    prior: N(0, I). box: uniform on the codes' bounding box, as Foster (2023) samples the autoencoder. gaussian: one
    full-covariance Gaussian. gmm: ten full-covariance components, the ex-post density of Ghosh et al. (2020),
    arXiv:1903.12436, section 4.
    """
    codes = np.asarray(codes, dtype=np.float64)
    latent_dim = codes.shape[1]
    if sampler == "prior":
        return rng.standard_normal((n, latent_dim))
    if sampler == "box":
        return rng.uniform(codes.min(axis=0), codes.max(axis=0), (n, latent_dim))
    if sampler == "gaussian":
        return rng.multivariate_normal(codes.mean(axis=0), np.atleast_2d(np.cov(codes.T, ddof=0)), n, method="eigh")
    if sampler == "gmm":
        return _draw_mixture(codes, n, rng)
    raise ValueError(f"unknown sampler {sampler!r}; choose one of {', '.join(SAMPLERS)}")


def _draw_mixture(codes: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    fitted = codes[rng.permutation(len(codes))[:20_000]]
    state = int(rng.integers(2**31))
    mixture = GaussianMixture(GMM_COMPONENTS, random_state=state, max_iter=500, reg_covar=1e-6).fit(fitted)
    return rng.permutation(mixture.sample(n)[0])
