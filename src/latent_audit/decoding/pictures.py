"""The pictures a reader looks at, as uint8 arrays: reconstructions, decoded lattices, and samples of each sampler."""

import numpy as np
import torch

from latent_audit.base.densities import kl_to_standard_normal
from latent_audit.base.randomness import rng_for
from latent_audit.decoding.decode import decode, even_axis, plane, quantile_axis
from latent_audit.decoding.sampling import SAMPLERS, draw_codes
from latent_audit.models.autoencoder import Autoencoder

N_SHOWN, N_LATTICE, N_SAMPLES = 16, 21, 24


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
    samples_<sampler> (24 each, the fitted ones from the training z), dims (the two dimensions the lattices span).
    """
    dims, latent_dim = shown_dimensions(codes), codes["mu"].shape[1]
    shown = np.sort(rng_for(seed, "pictures", "shown").permutation(len(images))[:N_SHOWN])

    def decoded(z: np.ndarray) -> np.ndarray:
        flat = decode(model, z.reshape(-1, latent_dim), device=device)
        return flat.reshape(*z.shape[:-1], *flat.shape[1:])

    pictures = {
        "dims": dims,
        "shown": shown,
        "originals": np.asarray(images[shown]),
        "reconstructions": decoded(codes["z"][shown]),
        "lattice": decoded(plane(even_axis(N_LATTICE), even_axis(N_LATTICE), dims, latent_dim)),
        "lattice_quantile": decoded(plane(quantile_axis(N_LATTICE), quantile_axis(N_LATTICE), dims, latent_dim)),
    }
    for sampler in SAMPLERS:
        rng = rng_for(seed, "pictures", sampler)
        pictures[f"samples_{sampler}"] = decoded(draw_codes(sampler, codes["train_z"], N_SAMPLES, rng=rng))
    return pictures
