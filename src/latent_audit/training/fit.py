"""Train one replicate: Adam on the objective, a history row per epoch and split, resumable at every epoch.

A batch's gradient is always the sum of its two halves' gradients. Two threads may therefore take a half each where a
core is idle, and one thread both where none is: the same bytes either way.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from latent_audit.data.prepared import LoadedSplit
from latent_audit.errors import InputError
from latent_audit.models.autoencoder import Autoencoder, ModelSpec, build, to_unit_interval
from latent_audit.models.onednn import ONEDNN
from latent_audit.randomness import generator_for
from latent_audit.training import checkpoint
from latent_audit.training.adam import Adam
from latent_audit.training.objective import PIXEL_LOSS, elbo_terms, objective

CHECK_EVERY = 50  # batches between looks for a NaN: often enough to lose little, seldom enough not to stall a GPU
HALVES = 2  # parts of a batch whose gradients are summed: part of a run's bytes, whoever computes them
TEST_BATCH = 200  # activations of more images at once are most of a worker's memory
TERMS: tuple[str, ...] = ("objective", "recon_nll", "kl")


@dataclass(frozen=True)
class TrainingRun:
    """All that defines one arm's training, except its seed and its device."""

    arm: str
    model: ModelSpec
    reconstruction: str
    beta: float | None
    epochs: int
    batch_size: int
    learning_rate: float
    precision: str


class Tick(NamedTuple):
    """Where a replicate is, for the progress line; `terms` are running means over the epoch so far."""

    seed: int
    epoch: int
    epochs: int
    images_done: int
    images_resumed: int  # of those done, the ones a checkpoint brought
    images_total: int
    terms: dict[str, float]


class Replicate(NamedTuple):
    """A trained network's tensors by name, and its history rows."""

    weights: dict[str, Tensor]
    history: list[dict]


def fit(
    splits: dict[str, LoadedSplit],
    run: TrainingRun,
    *,
    seed: int,
    device: torch.device,
    checkpoint_path: Path | None = None,
    on_tick: Callable[[Tick], None] = lambda tick: None,
    core_to_spare: Callable[[], bool] = lambda: False,
) -> Replicate:
    """Train seed `seed` of `run` on splits["train"], scoring the whole of splits["test"] after each epoch.

    `core_to_spare` is asked before every batch whether a second thread may take half of it; it changes no byte.

    Returns
    -------
    Replicate : float32 weights on the CPU, and rows seed, epoch, split, objective, recon_nll, kl, elbo in nats per
        image (`train`: running mean over the epoch while the weights move; `test`: the whole split at its end).

    Raises
    ------
    InputError : the objective stops being finite; the message names arm, seed, epoch and batch.
    """
    model = build(run.model, seed=seed).to(device)
    if device.type == "cpu":
        model.encoder.layers = model.decoder.layers = ONEDNN
    optimizer = Adam(model.parameters(), run.learning_rate)
    done = checkpoint.restore(checkpoint_path, model, optimizer) if checkpoint_path else checkpoint.Progress(0, [])
    images = {name: torch.from_numpy(np.asarray(split.images)).to(device) for name, split in splits.items()}
    history = list(done.history)
    n_train = len(images["train"])
    with ThreadPoolExecutor(1) as other:

        def share(function: Callable, *items: Iterable) -> list:
            work = list(zip(*items, strict=True))
            theirs = [other.submit(function, *item) for item in work[1::2]] if core_to_spare() else []
            results = [function(*item) for item in (work[::2] if theirs else work)]
            for place, future in enumerate(theirs):
                results.insert(2 * place + 1, future.result())
            return results

        for epoch in range(done.epochs_done + 1, run.epochs + 1):

            def tick(seen: int, terms: dict[str, float], epoch: int = epoch) -> None:
                finished, resumed = n_train * (epoch - 1) + seen, n_train * done.epochs_done
                on_tick(Tick(seed, epoch, run.epochs, finished, resumed, n_train * run.epochs, terms))

            means = _train_epoch(model, optimizer, images["train"], run, seed, epoch, share, tick)
            scores = _test(model, images["test"], run, seed, epoch, share)
            refuse_nan(scores[None], run.arm, seed, epoch, split="test")
            history += [history_row(seed, epoch, "train", means), history_row(seed, epoch, "test", scores)]
            if checkpoint_path:
                checkpoint.save(checkpoint_path, model, optimizer, checkpoint.Progress(epoch, history))
    return Replicate({name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}, history)


def _train_epoch(
    model: Autoencoder,
    optimizer: Adam,
    images: Tensor,
    run: TrainingRun,
    seed: int,
    epoch: int,
    share: Callable[..., list],
    on_progress: Callable[[int, dict[str, float]], None],
) -> Tensor:
    order = torch.randperm(len(images), generator=generator_for(seed, "shuffle", str(epoch))).to(images.device)
    noise = generator_for(seed, "posterior", "train", str(epoch))
    batches = order.split(run.batch_size)
    sums = torch.zeros(len(batches), len(TERMS), dtype=torch.float64, device=images.device)
    for index, batch in enumerate(batches):
        eps = draw(len(batch), run, noise).to(images.device)
        sums[index], gradients = _gradient(model, images, batch, eps, run, share)
        optimizer.step(gradients, (epoch - 1) * len(batches) + index + 1)
        if (index + 1) % CHECK_EVERY == 0 or index + 1 == len(batches):
            refuse_nan(sums[: index + 1], run.arm, seed, epoch)
            seen = min((index + 1) * run.batch_size, len(images))
            on_progress(seen, dict(zip(TERMS, (sums[: index + 1].sum(dim=0) / seen).tolist(), strict=True)))
    return sums.sum(dim=0) / len(images)


def _gradient(
    model: Autoencoder, images: Tensor, batch: Tensor, eps: Tensor, run: TrainingRun, share: Callable[..., list]
) -> tuple[Tensor, list[Tensor]]:
    """The sums of the terms of images[batch], and their mean gradient by every parameter, half by half."""
    parameters = list(model.parameters())

    def of_half(half: Tensor, eps: Tensor) -> tuple[Tensor, list[Tensor]]:
        terms = batch_terms(model, images[half], eps, run)
        return terms.detach().sum(dim=0), list(torch.autograd.grad(terms[:, 0].sum() / len(batch), parameters))

    (sums, gradients), *others = share(of_half, batch.chunk(HALVES), eps.chunk(HALVES))
    for more_sums, more_gradients in others:
        sums = sums + more_sums
        for own, more in zip(gradients, more_gradients, strict=True):
            own += more
    return sums, gradients


@torch.no_grad()
def _test(
    model: Autoencoder, images: Tensor, run: TrainingRun, seed: int, epoch: int, share: Callable[..., list]
) -> Tensor:
    noise = generator_for(seed, "posterior", "test", str(epoch))
    batches = images.split(TEST_BATCH)
    draws = [draw(len(batch), run, noise).to(images.device) for batch in batches]

    def sums(batch: Tensor, eps: Tensor) -> Tensor:
        with torch.no_grad():  # a thread has a switch of its own
            return batch_terms(model, batch, eps, run).double().sum(dim=0)

    return torch.stack(list(share(sums, batches, draws))).sum(dim=0) / len(images)


def draw(n: int, run: TrainingRun, generator: torch.Generator) -> Tensor:
    """The (n, latent) standard normal draws of a batch: on the CPU, so that a seed's are the same on every device."""
    return torch.randn(n, run.model.latent_dim, generator=generator)


def batch_terms(model: Autoencoder, batch: Tensor, eps: Tensor, run: TrainingRun) -> Tensor:
    """objective, recon_nll and kl of each image of a uint8 batch, as (batch, 3), at z = mu + sigma * eps."""
    return terms_of(model, to_unit_interval(batch), eps, run)


def terms_of(forward: Callable[..., tuple], x: Tensor, eps: Tensor, run: TrainingRun) -> Tensor:
    """The terms of `batch_terms` from a forward pass (x, eps) -> mu, logvar, logits."""
    low = run.precision == "bfloat16"
    with torch.autocast(x.device.type, torch.bfloat16, enabled=low, cache_enabled=False):  # threads share the cache
        mu, logvar, logits = forward(x, eps)
    n_pixels = run.model.image.n_pixels
    pixel_loss = PIXEL_LOSS[run.reconstruction](logits, x)
    terms = elbo_terms(pixel_loss, mu, logvar, reconstruction=run.reconstruction, n_pixels=n_pixels)
    minimised = objective(pixel_loss, terms.kl, beta=run.beta, n_pixels=n_pixels)
    return torch.stack((minimised, terms.recon_nll, terms.kl), dim=1)


def refuse_nan(sums: Tensor, arm: str, seed: int, epoch: int, *, split: str = "train") -> None:
    """InputError naming the first batch whose terms, the rows of `sums`, are not finite (or the whole test split)."""
    finite = torch.isfinite(sums).all(dim=1)
    if not bool(finite.all()):
        where = f"batch {int((~finite).nonzero()[0, 0]) + 1}" if split == "train" else "on the test split"
        raise InputError(
            f"arm {arm!r}, seed {seed}: the objective is not finite at epoch {epoch}, {where}; no model was "
            "written. Try a smaller train.learning_rate, train.precision: float32, or a beta nearer to n_pixels."
        )


def history_row(seed: int, epoch: int, split: str, means: Tensor) -> dict:
    """A row of history.csv from the mean objective, recon_nll and kl of a split, in nats per image."""
    minimised, recon_nll, kl = means.tolist()
    return {
        "seed": seed,
        "epoch": epoch,
        "split": split,
        "objective": minimised,
        "recon_nll": recon_nll,
        "kl": kl,
        "elbo": -(recon_nll + kl),
    }
