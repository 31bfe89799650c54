"""Closed-form densities of the models, for whichever array library the arguments come from (NumPy or torch)."""

from typing import Any

from array_api_compat import array_namespace


def kl_to_standard_normal(mu: Any, logvar: Any) -> Any:
    """KL(N(mu, exp(logvar)) || N(0, 1)) in nats, elementwise.

    Parameters
    ----------
    mu, logvar : arrays of one shape, usually (sample, latent): mean and log variance of q(z|x).

    Returns
    -------
    One non-negative value per element. The caller sums over `latent` and averages over `sample`.

    References
    ----------
    Kingma & Welling (2014), arXiv:1312.6114, appendix B.
    """
    return 0.5 * (mu * mu + array_namespace(mu, logvar).exp(logvar) - 1.0 - logvar)
