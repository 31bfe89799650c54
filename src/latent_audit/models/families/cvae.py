"""Conditional VAE: encoder and decoder are told the label, so that the code has no need to know it.

References: Sohn et al. (2015), Learning structured output representation using deep conditional generative models,
NeurIPS; Kingma et al. (2014), arXiv:1406.5298 (M2, with labels given).
"""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from latent_audit.base.errors import InputError
from latent_audit.models.autoencoder import Autoencoder, one_hot
from latent_audit.models.families import vae
from latent_audit.models.family import Batch, Encoded, Objective, Terms


def loss(model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor], objective: Objective) -> Terms:
    """The VAE's objective under the label: beta times the mean pixel loss plus KL(q(z|x, y) || N(0, I))."""
    return vae.loss_under(one_hot(batch.labels, model.spec.n_classes), model, batch, draws, objective)


def encode(model: Autoencoder, batch: Batch, draws: Mapping[str, Tensor]) -> Encoded:
    """A draw from q(z|x, y), and its mean and log variance."""
    return vae.encode_under(one_hot(batch.labels, model.spec.n_classes), model, batch, draws)


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


FAMILY = replace(
    vae.FAMILY,
    name="cvae",
    loss=loss,
    encode=encode,
    decode=decode,
    condition=condition,
    left_out=frozenset({"anomaly", "continuity", "denoising", "likelihood", "traversal"}),  # they decode a code alone
)
