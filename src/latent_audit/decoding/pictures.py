"""The pictures a reader looks at, as uint8 arrays: reconstructions, decoded lattices, and samples of each sampler."""

import numpy as np
import torch

from latent_audit.base.densities import kl_to_standard_normal
from latent_audit.base.randomness import rng_for
from latent_audit.decoding.codebook_use import prior_of
from latent_audit.decoding.conditioned import is_conditional, is_discrete, labels_like
from latent_audit.decoding.decode import decode, even_axis, plane, quantile_axis
from latent_audit.decoding.sampling import SAMPLERS, draw_codes
from latent_audit.diagnostics.grid_prior import PRIORS
from latent_audit.diagnostics.grid_prior import draw as draw_grids
from latent_audit.models.autoencoder import Autoencoder

N_SHOWN, N_LATTICE, N_SAMPLES, N_ASKED = 16, 21, 24, 10


def shown_dimensions(codes: dict[str, np.ndarray]) -> np.ndarray:
    """The two code dimensions a plane shows: those of largest mean KL (VAE) or variance (AE), in their own order."""
    mu = codes["mu"]
    logvar = codes.get("logvar")
    information = mu.var(axis=0) if logvar is None else kl_to_standard_normal(mu, logvar).mean(axis=0)
    largest = np.sort(np.argsort(-information, kind="stable")[:2])
    return largest if len(largest) == 2 else np.array([0, 0])


def draw_pictures(
    model: Autoencoder, codes: dict[str, np.ndarray], images: np.ndarray, *, seed: int, device: torch.device
) -> dict[str, np.ndarray]:
    """Arrays of pictures/<arm>/pictures.npz; every image is uint8 (channel, height, width).

    Parameters
    ----------
    codes : one replicate's arrays as `read_codes` gives them. images : the test split, uint8.
    seed : of the choice of images and of the samples, the same in every arm.

    Returns
    -------
    originals, reconstructions (16), lattice (21 x 21 over [-3, 3]^2), lattice_quantile (21 x 21 of equal prior mass),
    samples_<sampler> (24 each, the fitted ones from the training z), dims (the two dimensions the lattices span). Where
    the decoder takes a label also asked (class, 10); its lattices are under the first class.
    """
    dims, latent_dim = shown_dimensions(codes), codes["mu"].shape[1]
    shown = np.sort(rng_for(seed, "pictures", "shown").permutation(len(images))[:N_SHOWN])

    def decoded(z: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        if is_conditional(model) and labels is None:
            labels = np.full(len(z.reshape(-1, latent_dim)), codes["labels"].min())  # the first class
        flat = decode(model, z.reshape(-1, latent_dim), device=device, labels=labels)
        return flat.reshape(*z.shape[:-1], *flat.shape[1:])

    if is_discrete(model):
        return discrete_pictures(model, codes, images, shown, seed=seed, device=device)
    pictures = {
        "dims": dims,
        "shown": shown,
        "originals": np.asarray(images[shown]),
        "reconstructions": decoded(codes["z"][shown], codes["labels"][shown] if is_conditional(model) else None),
        "lattice": decoded(plane(even_axis(N_LATTICE), even_axis(N_LATTICE), dims, latent_dim)),
        "lattice_quantile": decoded(plane(quantile_axis(N_LATTICE), quantile_axis(N_LATTICE), dims, latent_dim)),
    }
    for sampler in SAMPLERS:
        rng = rng_for(seed, "pictures", sampler)
        z = draw_codes(sampler, codes["train_z"], N_SAMPLES, rng=rng)
        labels = labels_like(model, codes["train_labels"], N_SAMPLES, rng=rng) if is_conditional(model) else None
        pictures[f"samples_{sampler}"] = decoded(z, labels)
    if is_conditional(model):
        pictures["asked"] = _asked(model, latent_dim, rng_for(seed, "pictures", "asked"), device)
    return pictures


def discrete_pictures(
    model: Autoencoder,
    codes: dict[str, np.ndarray],
    images: np.ndarray,
    shown: np.ndarray,
    *,
    seed: int,
    device: torch.device,
) -> dict[str, np.ndarray]:
    """The same of indices of a codebook: no plane to show a lattice of, and the samplers are those of a grid."""
    pictures = {
        "dims": np.array([0, 0]),
        "shown": shown,
        "originals": np.asarray(images[shown]),
        "reconstructions": decode(model, codes["z"][shown], device=device),
    }
    prior = prior_of(model, codes)
    for kind in PRIORS:
        grids = draw_grids(prior, N_SAMPLES, kind, rng=rng_for(seed, "pictures", kind))
        pictures[f"samples_{kind}"] = decode(model, grids.astype(np.float64), device=device)
    return pictures


def _asked(model: Autoencoder, latent_dim: int, rng: np.random.Generator, device: torch.device) -> np.ndarray:
    """(class, draw, image): ten draws from N(0, I), the same for every class that is asked for."""
    n_classes = model.spec.n_classes
    z = np.tile(rng.standard_normal((N_ASKED, latent_dim)), (n_classes, 1))
    images = decode(model, z, device=device, labels=np.repeat(np.arange(n_classes), N_ASKED))
    return images.reshape(n_classes, N_ASKED, *images.shape[1:])
