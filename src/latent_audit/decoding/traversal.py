"""What each dimension of a code changes in the decoded image, measured along traversals from -3 to 3."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from latent_audit.base.densities import kl_to_standard_normal
from latent_audit.base.measures import Measure, Metric
from latent_audit.critic.network import Critic
from latent_audit.decoding.decode import decode
from latent_audit.decoding.generation import judge
from latent_audit.models.autoencoder import Autoencoder

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

SECTION = "traversals"
REACH, N_STEPS = 3.0, 12  # of a traversal: -3 to 3 in steps of half a unit
MOST_IMAGES = 20_000  # decoded in all: as many codes are traversed as that allows, at least LEAST_CODES
MOST_CODES, LEAST_CODES = 64, 8
SILENT = 0.05  # of the change that the strongest dimension makes, below which a dimension is called silent


class Traversals(NamedTuple):
    """Of each dimension, (latent,): RMS change of a pixel, and changes of the critic's class, per code unit."""

    pixels: np.ndarray
    classes: np.ndarray


def path(code: Float[np.ndarray, "sample latent"], dim: int) -> Float[np.ndarray, "sample step latent"]:
    """Each code with its dimension `dim` set to -3 .. 3 in even steps, the others as they are."""
    steps = np.linspace(-REACH, REACH, N_STEPS + 1)
    along = np.repeat(code[:, None, :], len(steps), axis=1)
    along[:, :, dim] = steps
    return along


def traverse(
    model: Autoencoder, critic: Critic, codes: Float[np.ndarray, "sample latent"], *, device: torch.device
) -> Traversals:
    """What a step along each dimension changes, means over codes and steps; classes are NaN for a critic without."""
    n, latent_dim = codes.shape
    step = 2 * REACH / N_STEPS
    pixels, classes = np.full((2, latent_dim), np.nan)
    for dim in range(latent_dim):
        images = decode(model, path(codes, dim).reshape(-1, latent_dim), device=device)
        shown = images.reshape(n, N_STEPS + 1, -1).astype(np.float32) / 255
        pixels[dim] = np.sqrt((np.diff(shown, axis=1) ** 2).mean(axis=2)).mean() / step
        probabilities = judge(critic, images, device=device).probabilities
        if probabilities is not None:
            named = probabilities.argmax(axis=1).reshape(n, N_STEPS + 1)
            classes[dim] = (np.diff(named, axis=1) != 0).mean() / step
    return Traversals(pixels, classes)


def silent(pixels: Float[np.ndarray, " latent"]) -> np.ndarray:
    """The dimensions whose traversal changes the image by less than a twentieth of what the strongest one does."""
    return np.flatnonzero(pixels < SILENT * pixels.max())


def traversal_table(found: Traversals, kl: Float[np.ndarray, " latent"] | None) -> pd.DataFrame:
    """Rows `metric value of`: of every dimension (`dim_<j>`, 0-based), and `silent_dimensions` in all (`raw`)."""
    named = {"traversal_pixels": found.pixels, "traversal_classes": found.classes}
    if kl is not None:
        named["traversal_kl"] = kl
    rows = [
        (metric, float(value), f"dim_{dim}") for metric, values in named.items() for dim, value in enumerate(values)
    ]
    rows.append(("silent_dimensions", float(len(silent(found.pixels))), "raw"))
    return pd.DataFrame(rows, columns=["metric", "value", "of"]).dropna(subset="value", ignore_index=True)


def _rows(subject: "DecoderSubject") -> pd.DataFrame | None:
    mu = subject.codes["mu"].astype(np.float64)
    if mu.shape[1] < 3 or subject.model.family.condition(subject.model.spec.n_classes):
        return None  # a plane is shown whole; a decoder under a label has no one image of a code
    n = int(np.clip(MOST_IMAGES // ((N_STEPS + 1) * mu.shape[1]), LEAST_CODES, MOST_CODES))
    picked = np.sort(subject.rng("traversal").permutation(len(mu))[:n])
    found = traverse(subject.model, subject.critic, mu[picked], device=subject.device)
    logvar = subject.codes.get("logvar")
    return traversal_table(found, None if logvar is None else kl_to_standard_normal(mu, logvar).mean(axis=0))


MEASURE = Measure(
    "traversal",
    needs=frozenset({"decoder"}),
    metrics=(
        Metric("traversal_pixels", "change of a pixel per code unit, root mean square", low=0.0, section=SECTION),
        Metric("traversal_classes", "changes of the critic’s class per code unit", low=0.0, section=SECTION),
        Metric("traversal_kl", "KL of a dimension’s posterior", "nats", 0.0, section=SECTION),
        Metric("silent_dimensions", "silent dimensions", low=0.0, section=SECTION,
               sentence="their traversal changes the image less than a twentieth of what the strongest one’s does"),
    ),
    rows=_rows,
    table="traversal",
    qualifier="of",
    order=98,
)  # fmt: skip
