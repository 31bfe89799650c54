"""Codes -> images: decode any array of codes, and the lattices of the plane that a reader looks at."""

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from scipy.stats import norm

from latent_audit.base.errors import InputError
from latent_audit.models.autoencoder import Autoencoder

BATCH = 500


@torch.no_grad()
def decode(
    model: Autoencoder,
    z: Float[np.ndarray, "sample latent"],
    *,
    device: torch.device,
    labels: Int[np.ndarray, " sample"] | None = None,
) -> UInt8[np.ndarray, "sample channel height width"]:
    """The decoder's mean image of each code, as uint8 pixels 0..255; `labels` are of a family that decodes with them.

    Raises
    ------
    InputError : the family's decoder takes labels, and there are none.
    """
    conditional = model.family.condition(model.spec.n_classes) > 0
    if conditional and labels is None:
        raise InputError(f"decode: the family {model.spec.family!r} decodes a code under a label; give one per code.")
    codes = torch.from_numpy(np.ascontiguousarray(z, dtype=np.float32)).to(device).split(BATCH)
    given = [None] * len(codes)
    if conditional:
        given = torch.from_numpy(np.array(labels, dtype=np.int64)).to(device).split(BATCH)
    images = [_pixels(model.family.decode(model, *batch)) for batch in zip(codes, given, strict=True)]
    return torch.cat(images).contiguous().numpy()


def _pixels(logits: torch.Tensor) -> torch.Tensor:
    return logits.sigmoid().mul(255).round().byte().cpu()


def plane(
    first: Float[np.ndarray, " column"], second: Float[np.ndarray, " row"], dims: Int[np.ndarray, " 2"], latent_dim: int
) -> Float[np.ndarray, "row column latent"]:
    """Codes of a lattice in the plane of `dims`, all other dimensions 0; row 0 is the top (largest `second`)."""
    codes = np.zeros((len(second), len(first), latent_dim))
    codes[..., dims[0]] = first[None, :]
    if latent_dim > 1:
        codes[..., dims[1]] = second[::-1, None]
    return codes


def even_axis(n: int, *, reach: float = 3.0) -> Float[np.ndarray, " n"]:
    """`n` even steps from -reach to reach, code units."""
    return np.linspace(-reach, reach, n)


def quantile_axis(n: int) -> Float[np.ndarray, " n"]:
    """Phi^-1 at the centres of `n` equal cells of (0, 1): steps of equal prior mass."""
    return norm.ppf((np.arange(n) + 0.5) / n)
