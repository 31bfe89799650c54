"""Autoencoder: a code, and only the reconstruction to be minimised. With a corrupted input it is a denoising one.

References: Vincent et al. (2008), "Extracting and composing robust features with denoising autoencoders", ICML.
"""

from collections.abc import Mapping

from torch import Tensor

from latent_audit.models.autoencoder import Autoencoder
from latent_audit.models.elbo import PIXEL_LOSS, recon_nll
from latent_audit.models.family import Batch, Encoded, Family, Objective, Terms


def loss(model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor], objective: Objective) -> Terms:
    """The mean pixel loss times beta where there is one, else its sum: the objective, and recon_nll in nats."""
    logits = model.decode(model.heads(batch.inputs)["mu"])
    n_pixels = model.spec.image.n_pixels
    pixel_loss = PIXEL_LOSS[objective.reconstruction](logits, batch.x)
    return {
        "objective": pixel_loss / n_pixels,
        "recon_nll": recon_nll(pixel_loss, objective.reconstruction, n_pixels),
    }


def encode(model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor]) -> Encoded:
    """The code, which is its own mean: mu = z."""
    mu = model.heads(batch.inputs)["mu"]
    return Encoded(mu, {"mu": mu})


FAMILY = Family(
    name="ae",
    terms=("objective", "recon_nll"),
    heads=lambda latent_dim: {"mu": latent_dim},
    draws=lambda latent_dim: {},
    loss=loss,
    encode=encode,
    code="deterministic",
    role="autoencoder",
    has_kl=False,
)
