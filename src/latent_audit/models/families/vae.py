"""Variational autoencoder with a diagonal Gaussian posterior; a weight other than the ELBO's makes it a beta-VAE.

References: Kingma & Welling (2014), arXiv:1312.6114; Higgins et al. (2017), beta-VAE, ICLR.
"""

from collections.abc import Mapping

from torch import Tensor

from latent_audit.models.autoencoder import Autoencoder
from latent_audit.models.elbo import PIXEL_LOSS, elbo_terms, objective_of, reparameterise
from latent_audit.models.family import Batch, Encoded, Family, Objective, Terms


def loss(model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor], objective: Objective) -> Terms:
    """beta times the mean pixel loss plus the KL: the objective; recon_nll, kl and their negative sum, the ELBO."""
    return loss_under(None, model, batch, draws, objective)


def loss_under(
    condition: Tensor | None, model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor], objective: Objective
) -> Terms:
    """The same where encoder and decoder are told `condition` (batch, input) besides."""
    heads = model.heads(batch.inputs, condition)
    mu, logvar = heads["mu"], heads["logvar"]
    logits = model.decode(reparameterise(mu, logvar, draws["eps"]), condition)
    n_pixels = model.spec.image.n_pixels
    pixel_loss = PIXEL_LOSS[objective.reconstruction](logits, batch.x)
    terms = elbo_terms(pixel_loss, mu, logvar, reconstruction=objective.reconstruction, n_pixels=n_pixels)
    minimised = objective_of(pixel_loss, terms.kl, beta=objective.beta, n_pixels=n_pixels)
    return {"objective": minimised, "recon_nll": terms.recon_nll, "kl": terms.kl, "elbo": terms.elbo()}


def encode(model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor]) -> Encoded:
    """A draw from q(z|x), and its mean and log variance."""
    return encode_under(None, model, batch, draws)


def encode_under(condition: Tensor | None, model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor]) -> Encoded:
    """The same where the encoder is told `condition` besides."""
    heads = model.heads(batch.inputs, condition)
    return Encoded(
        reparameterise(heads["mu"], heads["logvar"], draws["eps"]), {"mu": heads["mu"], "logvar": heads["logvar"]}
    )


FAMILY = Family(
    name="vae",
    terms=("objective", "recon_nll", "kl", "elbo"),
    heads=lambda latent_dim: {"mu": latent_dim, "logvar": latent_dim},
    draws=lambda latent_dim: {"eps": (latent_dim,)},
    loss=loss,
    encode=encode,
    code="gaussian",
    role="vae",
    has_kl=True,
)
