"""Trained model -> arrays: encode a split, one seeded draw per image, and the reconstruction error of that draw."""

from typing import Any

import numpy as np
import torch

from latent_audit.base.randomness import generator_for
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.autoencoder import Autoencoder
from latent_audit.models.elbo import cross_entropy, recon_nll, squared_error
from latent_audit.models.family import Batch
from latent_audit.models.image import to_unit_interval

BATCH = 500


@torch.no_grad()
def encode_split(
    model: Autoencoder,
    split: LoadedSplit,
    *,
    reconstruction: str | None,
    device: torch.device,
    generator: torch.Generator,
) -> dict[str, np.ndarray]:
    """Codes of every image, in the order of the split, from clean inputs whatever the arm was trained on.

    Parameters
    ----------
    reconstruction : `bce` or `mse` to score the reconstruction of z as well; None to encode only.
    generator : a CPU generator; the family's one draw per image comes from it.

    Returns
    -------
    z (sample, latent), what the family stores beside it (mu; logvar of a VAE), labels (sample,) int64; with
    `reconstruction` also recon_nll (nats per image), bce and mse (mean over pixels), all float32.
    """
    parts: dict[str, list[Any]] = {}
    for start in range(0, len(split.images), BATCH):
        images, labels = (torch.from_numpy(np.array(part[start : start + BATCH])).to(device) for part in split[:2])
        for name, value in _encode_batch(model, images, labels, reconstruction, generator).items():
            parts.setdefault(name, []).append(value.cpu().numpy())
    return {name: np.concatenate(values) for name, values in parts.items()} | {"labels": np.array(split.labels)}


def _encode_batch(
    model: Autoencoder,
    images: torch.Tensor,
    labels: torch.Tensor,
    reconstruction: str | None,
    generator: torch.Generator,
) -> dict[str, torch.Tensor]:
    x = to_unit_interval(images)
    shapes = model.family.draws(model.spec.latent_dim)
    draws = {name: torch.randn(len(x), *shape, generator=generator).to(x) for name, shape in shapes.items()}
    encoded = model.family.encode(model, Batch(x, x, labels), draws)
    values = {"z": encoded.code, **encoded.arrays}
    if reconstruction is not None:
        logits, n_pixels = model.family.decode(model, encoded.code, labels), x[0].numel()
        bce, error = cross_entropy(logits, x), squared_error(logits, x)
        nll = recon_nll(bce if reconstruction == "bce" else error, reconstruction, n_pixels)
        values |= {"recon_nll": nll, "bce": bce / n_pixels, "mse": error / n_pixels}
    return values


def encode_test_and_train(
    model: Autoencoder, splits: dict[str, LoadedSplit], *, reconstruction: str, seed: int, device: torch.device
) -> dict[str, np.ndarray]:
    """The arrays of codes/<arm>/seed-<k>.npz: the scored test split, and the training codes under `train_` names."""
    test = encode_split(
        model, splits["test"], reconstruction=reconstruction, device=device,
        generator=generator_for(seed, "posterior", "codes", "test"),
    )  # fmt: skip
    train = encode_split(
        model, splits["train"], reconstruction=None, device=device,
        generator=generator_for(seed, "posterior", "codes", "train"),
    )  # fmt: skip
    return test | {f"train_{name}": values for name, values in train.items()}
