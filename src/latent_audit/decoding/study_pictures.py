"""Pictures that single studies are about: interpolations, traversals, noisy images, outsiders that pass unnoticed."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from latent_audit.base.densities import kl_to_standard_normal
from latent_audit.base.randomness import generator_for, rng_for
from latent_audit.decoding.anomaly import encoded, image_scores
from latent_audit.decoding.decode import decode
from latent_audit.decoding.denoising import denoised, noisy
from latent_audit.decoding.traversal import REACH
from latent_audit.models.autoencoder import Autoencoder

PAIRS = ((0, 1), (2, 7), (3, 8), (4, 9))  # classes whose means are joined, as far as there are such classes
N_BETWEEN = 12  # pictures of an interpolation, both ends among them
N_ALONG, MOST_DIMENSIONS = 11, 20  # pictures of a traversal, and dimensions that are traversed
LEVEL = 0.4  # sd of the noise that is shown
N_SHOWN = 8  # images of a kind


def class_means(
    mu: Float[np.ndarray, "sample latent"], labels: Int[np.ndarray, " sample"]
) -> dict[int, Float[np.ndarray, " latent"]]:
    """The mean code of each class that is there."""
    return {int(label): mu[labels == label].mean(axis=0) for label in np.unique(labels)}


def between(
    means: Mapping[int, Float[np.ndarray, " latent"]],
) -> tuple[Int[np.ndarray, "pair 2"], Float[np.ndarray, "pair step latent"]]:
    """The pairs of PAIRS whose classes are there, and even steps from the one mean to the other."""
    pairs = [pair for pair in PAIRS if set(pair) <= means.keys()]
    steps = np.linspace(0, 1, N_BETWEEN)[:, None]
    lines = [(1 - steps) * means[first] + steps * means[second] for first, second in pairs]
    latent_dim = len(next(iter(means.values())))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), np.array(lines).reshape(-1, N_BETWEEN, latent_dim)


def by_information(codes: Mapping[str, np.ndarray]) -> Int[np.ndarray, " latent"]:
    """Dimensions from the largest mean KL on (of a code without posterior: variance)."""
    mu, logvar = codes["mu"], codes.get("logvar")
    information = mu.var(axis=0) if logvar is None else kl_to_standard_normal(mu, logvar).mean(axis=0)
    return np.argsort(-information, kind="stable")


def along(code: Float[np.ndarray, " latent"], dims: Int[np.ndarray, " dim"]) -> Float[np.ndarray, "dim step latent"]:
    """The code with one of `dims` after the other set to -3 .. 3 in even steps."""
    codes = np.broadcast_to(code, (len(dims), N_ALONG, len(code))).copy()
    for row, dim in enumerate(dims):
        codes[row, :, dim] = np.linspace(-REACH, REACH, N_ALONG)
    return codes


def passing(scores: Float[np.ndarray, " sample"]) -> Int[np.ndarray, " shown"]:
    """The images of lowest score: those that a detector would let pass first."""
    return np.argsort(scores, kind="stable")[:N_SHOWN]


def study_pictures(
    model: Autoencoder,
    codes: Mapping[str, np.ndarray],
    images: UInt8[np.ndarray, "sample channel height width"],
    *,
    has_classes: bool,
    outsiders: Mapping[str, np.ndarray],
    denoises: bool,
    reconstruction: str,
    seed: int,
    device: torch.device,
) -> dict[str, np.ndarray]:
    """Further arrays of pictures/<arm>/pictures.npz, as far as the study has what they show; images are uint8.

    Returns
    -------
    interpolations (pair, 12, image) between the classes of `interpolated` (pair, 2). traversals (dim, 11, image) of
    the dimensions `traversed`, beyond two. noisy, denoised, clean (8, image). passing_<set>, and
    passing_<set>_decoded (8, image): the outsiders of lowest reconstruction error. scores_<score>, of the test images,
    and scores_<score>_<set>, of outsiders, in nats: reconstruction, and a VAE's elbo (negative).
    """
    made: dict[str, np.ndarray] = {}
    if model.family.condition(model.spec.n_classes) or model.family.code == "discrete":
        return made  # a code alone has no image, and between indices there is nothing

    def decoded(z: np.ndarray) -> np.ndarray:
        flat = decode(model, z.reshape(-1, z.shape[-1]), device=device)
        return flat.reshape(*z.shape[:-1], *flat.shape[1:])

    if has_classes:
        pairs, lines = between(class_means(codes["mu"], codes["labels"]))
        if len(pairs):
            made |= {"interpolated": pairs, "interpolations": decoded(lines)}
    if model.spec.latent_dim > 2:
        dims = by_information(codes)[:MOST_DIMENSIONS]
        shown = int(rng_for(seed, "pictures", "traversed").integers(len(images)))
        made |= {"traversed": dims, "traversals": decoded(along(codes["mu"][shown].astype(np.float64), dims))}
    if denoises:
        made |= _denoising(model, images[:N_SHOWN], seed, device)
    scores: dict[str, Mapping[str, np.ndarray]] = {"": codes} if outsiders else {}
    for name, others in outsiders.items():
        found = encoded(
            model, others, reconstruction=reconstruction, generator=generator_for(seed, "pictures", name), device=device
        )
        rows = passing(found["recon_nll"])
        made |= {f"passing_{name}": np.asarray(others[rows]), f"passing_{name}_decoded": decoded(found["mu"][rows])}
        scores[f"_{name}"] = found
    for ending, own in scores.items():
        made |= {f"scores_{score}{ending}": values for score, values in image_scores(own).items()}
    return made


def _denoising(model: Autoencoder, images: np.ndarray, seed: int, device: torch.device) -> dict[str, np.ndarray]:
    x = noisy(images, LEVEL, generator_for(seed, "pictures", "noise"))
    shown = {"noisy": x, "denoised": denoised(model, x, device=device)}
    pixels = {name: values.mul(255).round().byte().numpy() for name, values in shown.items()}
    return {"clean": np.asarray(images), **pixels}
