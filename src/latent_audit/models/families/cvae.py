"""Conditional VAE: encoder and decoder are told the label, so that the code has no need to know it.

References: Sohn et al. (2015), Learning structured output representation using deep conditional generative models,
NeurIPS; Kingma et al. (2014), arXiv:1406.5298 (M2, with labels given).
"""

from collections.abc import Mapping

from torch import Tensor

from latent_audit.base.errors import InputError
from latent_audit.models.autoencoder import Autoencoder, one_hot
from latent_audit.models.elbo import PIXEL_LOSS, elbo_terms, objective_of, reparameterise
from latent_audit.models.family import Batch, Encoded, Family, Objective, Terms


def loss(model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor], objective: Objective) -> Terms:
    """The VAE's objective under the label: beta times the mean pixel loss plus KL(q(z|x, y) || N(0, I))."""
    label = one_hot(batch.labels, model.spec.n_classes)
    heads = model.heads(batch.inputs, label)
    mu, logvar = heads["mu"], heads["logvar"]
    logits = model.decode(reparameterise(mu, logvar, draws["eps"]), label)
    n_pixels = model.spec.image.n_pixels
    pixel_loss = PIXEL_LOSS[objective.reconstruction](logits, batch.x)
    terms = elbo_terms(pixel_loss, mu, logvar, reconstruction=objective.reconstruction, n_pixels=n_pixels)
    minimised = objective_of(pixel_loss, terms.kl, beta=objective.beta, n_pixels=n_pixels)
    return {"objective": minimised, "recon_nll": terms.recon_nll, "kl": terms.kl, "elbo": terms.elbo()}


def encode(model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor]) -> Encoded:
    """A draw from q(z|x, y), and its mean and log variance."""
    heads = model.heads(batch.inputs, one_hot(batch.labels, model.spec.n_classes))
    return Encoded(
        reparameterise(heads["mu"], heads["logvar"], draws["eps"]), {"mu": heads["mu"], "logvar": heads["logvar"]}
    )


def decode(model: Autoencoder, code: Tensor, labels: Tensor | None) -> Tensor:
    """Pixel logits of p(x|z, y)."""
    if labels is None:
        raise InputError("the family 'cvae' decodes a code under a label; give one per code.")
    return model.decode(code, one_hot(labels, model.spec.n_classes).to(code))


def condition(n_classes: int) -> int:
    """One input per class.

    Raises
    ------
    InputError : fewer than two classes, which leave nothing to be told.
    """
    if n_classes < 2:
        raise InputError(f"family 'cvae': needs images of at least two classes, there are {n_classes}; take 'vae'.")
    return n_classes


FAMILY = Family(
    name="cvae",
    terms=("objective", "recon_nll", "kl", "elbo"),
    heads=lambda latent_dim: {"mu": latent_dim, "logvar": latent_dim},
    draws=lambda latent_dim: {"eps": (latent_dim,)},
    loss=loss,
    encode=encode,
    decode=decode,
    code="gaussian",
    role="vae",
    has_kl=True,
    condition=condition,
    left_out=frozenset({"anomaly", "continuity", "denoising", "likelihood", "traversal"}),  # they decode a code alone
)
