"""How likely a VAE finds images: the ELBO and the tighter importance-weighted bound, in nats per image."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from latent_audit.base.densities import kl_to_standard_normal
from latent_audit.base.errors import InputError
from latent_audit.base.measures import Measure
from latent_audit.decoding.reconstruction import ELBO
from latent_audit.models.autoencoder import Autoencoder
from latent_audit.models.elbo import PIXEL_LOSS, recon_nll, reparameterise
from latent_audit.models.image import to_unit_interval

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

N_SAMPLES = 50  # importance samples per image
N_IMAGES, ROWS_PER_IMAGE = 500, 4  # the first of the split: at most 500, and a quarter of a small split
BATCH = 500

Encode = Callable[[Tensor], tuple[Tensor, Tensor]]  # x (batch, ...) -> mu, logvar (batch, latent)
ReconNll = Callable[[Tensor, Tensor], Tensor]  # z (batch, latent), x (batch, ...) -> -log p(x|z), nats (batch,)


@torch.no_grad()
def likelihood_scores(
    model: Autoencoder,
    images: UInt8[np.ndarray, "sample channel height width"],
    *,
    reconstruction: str,
    generator: torch.Generator,
    device: torch.device,
) -> pd.DataFrame:
    """`likelihood_bounds` of a VAE with 50 samples; no rows for a code that is not Gaussian, which has none.

    On the first 500 images of the split, or its first quarter where that is less.

    Parameters
    ----------
    reconstruction : `bce` (BCE nats, not a normalised likelihood of grey pixels) or `mse` (unit-variance Gaussian).
    generator : a CPU generator.
    """
    if model.family.code != "gaussian":
        return pd.DataFrame({"metric": pd.Series(dtype="str"), "value": pd.Series(dtype="float64")})
    loss, n_pixels = PIXEL_LOSS[reconstruction], model.spec.image.n_pixels
    weights = next(model.parameters())

    def encode(x: Tensor) -> tuple[Tensor, Tensor]:
        mu, logvar = model.encode(x)
        assert logvar is not None  # a VAE, by its family
        return mu.double(), logvar.double()

    def nll(z: Tensor, x: Tensor) -> Tensor:
        return recon_nll(loss(model.decode(z.to(weights)).double(), x.double()), reconstruction, n_pixels)

    n = min(N_IMAGES, -(-len(images) // ROWS_PER_IMAGE))
    x = to_unit_interval(torch.from_numpy(np.array(images[:n])).to(device))
    return likelihood_bounds(x, encode=encode, nll=nll, n_samples=N_SAMPLES, generator=generator)


def likelihood_bounds(
    x: Float[Tensor, "batch ..."], *, encode: Encode, nll: ReconNll, n_samples: int, generator: torch.Generator
) -> pd.DataFrame:
    """Rows `metric value`, means over images in nats.

    elbo_k1 : importance-weighted bound of one sample, E log w, averaged over all samples.
    iwae_<K> : the bound of K = n_samples samples; elbo_k1 <= iwae_K <= log p(x) in expectation.
    rate : KL(q(z|x) || N(0, I)), closed form. distortion : E -log p(x|z) over the samples. elbo : -(rate + distortion).

    Raises
    ------
    InputError : no image, or n_samples below 1.

    References
    ----------
    Burda et al. (2016), arXiv:1509.00519, equation 8; Alemi et al. (2018), arXiv:1711.00464 (rate and distortion).
    """
    if len(x) == 0 or n_samples < 1:
        raise InputError(f"likelihood_bounds: needs an image and a sample, got {len(x)} images, {n_samples} samples.")
    posteriors = [encode(batch) for batch in x.split(BATCH)]
    mu, logvar = (torch.cat(values) for values in zip(*posteriors, strict=True))
    # all draws at once: the batches below must not show in the numbers
    eps = torch.randn((len(x), n_samples, mu.shape[1]), generator=generator, dtype=mu.dtype).to(mu.device)
    images_at_once = max(1, BATCH // n_samples)
    chunks = zip(*(values.split(images_at_once) for values in (x, mu, logvar, eps)), strict=True)
    k1, bound, distortion = torch.cat([_bounds_of_batch(nll, *chunk) for chunk in chunks], dim=1).mean(dim=1).tolist()
    rate = float(kl_to_standard_normal(mu, logvar).sum(dim=1).mean())
    rows = {"elbo_k1": k1, f"iwae_{n_samples}": bound, "rate": rate, "distortion": distortion}
    return pd.DataFrame(list({**rows, "elbo": -(rate + distortion)}.items()), columns=["metric", "value"])


def _bounds_of_batch(nll: ReconNll, x: Tensor, mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """(3, batch): mean log weight, importance-weighted bound, mean distortion per image; eps is (batch, K, latent)."""
    n_samples, eps = eps.shape[1], eps.flatten(end_dim=1)
    x, mu, logvar = (values.repeat_interleave(n_samples, dim=0) for values in (x, mu, logvar))
    z = reparameterise(mu, logvar, eps)
    # log p(z) - log q(z|x): the constants of both normals cancel
    log_ratio = 0.5 * (eps.square() + logvar - z.square()).sum(dim=1)
    distortion = nll(z, x).unflatten(0, (-1, n_samples))
    log_weight = log_ratio.unflatten(0, (-1, n_samples)) - distortion
    bound = log_weight.logsumexp(dim=1) - math.log(n_samples)
    return torch.stack([log_weight.mean(dim=1), bound, distortion.mean(dim=1)]).double()


def _rows(subject: "DecoderSubject") -> pd.DataFrame:
    return likelihood_scores(
        subject.model, subject.images["test"], reconstruction=subject.reconstruction, device=subject.device,
        generator=subject.generator("likelihood"),
    )  # fmt: skip


MEASURE = Measure(
    "likelihood",
    needs=frozenset({"decoder", "posterior"}),
    metrics=(
        replace(ELBO, name="elbo_k1", words="bound on the likelihood, one sample"),
        replace(ELBO, name=f"iwae_{N_SAMPLES}", words=f"bound on the likelihood, {N_SAMPLES} samples"),
        replace(ELBO, name="rate", words="rate, on the images of these bounds", better="none", low=0.0),
        replace(ELBO, name="distortion", words="distortion, on the images of these bounds", better="lower"),
        ELBO,
    ),
    rows=_rows,
    table="likelihood",
    order=95,
)
