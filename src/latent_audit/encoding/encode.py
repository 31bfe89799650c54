"""Trained model -> arrays: encode a split, one seeded draw per image, and the reconstruction error of that draw."""

from typing import Any

import numpy as np
import torch

from latent_audit.base.randomness import generator_for
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.autoencoder import Autoencoder, reparameterise
from latent_audit.models.elbo import cross_entropy, recon_nll, squared_error
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
    """Codes of every image, in the order of the split.

    Parameters
    ----------
    reconstruction : `bce` or `mse` to score the reconstruction of z as well; None to encode only.
    generator : a CPU generator; the one draw z ~ q(z|x) of each image comes from it.

    Returns
    -------
    mu, z (sample, latent), logvar (VAE only), labels (sample,) int64; with `reconstruction` also recon_nll (nats per
    image), bce and mse (mean over pixels), all float32. An autoencoder's z is mu.
    """
    parts: dict[str, list[Any]] = {}
    for start in range(0, len(split.images), BATCH):
        batch = torch.from_numpy(np.array(split.images[start : start + BATCH])).to(device)
        for name, value in _encode_batch(model, batch, reconstruction, generator).items():
            parts.setdefault(name, []).append(value.cpu().numpy())
    return {name: np.concatenate(values) for name, values in parts.items()} | {"labels": np.array(split.labels)}


def _encode_batch(
    model: Autoencoder, batch: torch.Tensor, reconstruction: str | None, generator: torch.Generator
) -> dict[str, torch.Tensor]:
    x = to_unit_interval(batch)
    mu, logvar = model.encode(x)
    z = mu
    if logvar is not None:
        z = reparameterise(mu, logvar, torch.randn(mu.shape, generator=generator).to(mu))
    values = {"mu": mu, "z": z} | ({} if logvar is None else {"logvar": logvar})
    if reconstruction is not None:
        logits, n_pixels = model.decode(z), x[0].numel()
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
