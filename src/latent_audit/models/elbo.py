"""The terms of the ELBO per image in nats, and the objective that each family minimises."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from latent_audit.base.densities import kl_to_standard_normal


class ElboTerms(NamedTuple):
    """Nats per image, summed over pixels and over code dimensions."""

    recon_nll: Float[Tensor, " batch"]
    kl: Float[Tensor, " batch"]

    def elbo(self) -> Float[Tensor, " batch"]:
        """Evidence lower bound, higher is better; there is no beta in it, ever. Kingma & Welling (2014), equation 3."""
        return -(self.recon_nll + self.kl)


def squared_error(
    logits: Float[Tensor, "batch channel height width"], x: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, " batch"]:
    """Squared error of the decoder's mean (sigmoid of `logits`), summed over pixels."""
    return (logits.sigmoid() - x).square().sum(dim=(1, 2, 3))


def cross_entropy(
    logits: Float[Tensor, "batch channel height width"], x: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, " batch"]:
    """Binary cross-entropy summed over pixels: "BCE nats", not a normalised likelihood on grey pixels.

    References: Loaiza-Ganem & Cunningham (2019), arXiv:1907.06845.
    """
    # relu(l) - l x + log(1 + exp(-|l|)): PyTorch's own, whose log1p takes five times as long; here rounded to 6e-8
    softplus = torch.relu(logits) + (1 + (-logits.abs()).exp()).log()
    return (softplus - logits * x).sum(dim=(1, 2, 3))


PIXEL_LOSS = {"bce": cross_entropy, "mse": squared_error}


def recon_nll(pixel_loss: Float[Tensor, " batch"], reconstruction: str, n_pixels: int) -> Float[Tensor, " batch"]:
    """-log p(x|z) in nats, all constants kept: the summed BCE, or that of a unit-variance Gaussian for `mse`."""
    if reconstruction == "bce":
        return pixel_loss
    return 0.5 * pixel_loss + 0.5 * n_pixels * math.log(2 * math.pi)


def elbo_terms(
    pixel_loss: Float[Tensor, " batch"],
    mu: Float[Tensor, "batch latent"],
    logvar: Float[Tensor, "batch latent"],
    *,
    reconstruction: str,
    n_pixels: int,
) -> ElboTerms:
    """Both terms from a summed pixel loss and the posterior's parameters."""
    kl = kl_to_standard_normal(mu, logvar).sum(dim=1)
    return ElboTerms(recon_nll(pixel_loss, reconstruction, n_pixels), kl)


def objective_of(
    pixel_loss: Float[Tensor, " batch"], kl: Float[Tensor, " batch"], *, beta: float | None, n_pixels: int
) -> Float[Tensor, " batch"]:
    """What the optimiser minimises, per image: the mean pixel loss (AE), or beta times it plus the KL (VAE).

    `beta` follows Foster (2023), chapter 3: it multiplies the reconstruction. Higgins' weight is `beta_kl`.
    """
    mean_pixel_loss = pixel_loss / n_pixels
    return mean_pixel_loss if beta is None else beta * mean_pixel_loss + kl


def reparameterise(
    mu: Float[Tensor, "batch latent"], logvar: Float[Tensor, "batch latent"], eps: Float[Tensor, "batch latent"]
) -> Float[Tensor, "batch latent"]:
    """One sample z = mu + sigma * eps of q(z|x). Kingma & Welling (2014), section 2.4."""
    return mu + (0.5 * logvar).exp() * eps
