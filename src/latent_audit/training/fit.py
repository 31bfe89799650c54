"""Train one replicate: Adam on the objective, a history row per epoch and split, resumable at every epoch.

A batch's gradient is always the sum of its two halves' gradients. A second process may therefore take a half of each
where a core is idle: the same bytes either way.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from latent_audit.base.errors import InputError
from latent_audit.base.randomness import generator_for
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.autoencoder import Autoencoder, build
from latent_audit.models.onednn import ONEDNN
from latent_audit.training import checkpoint
from latent_audit.training.adam import Adam
from latent_audit.training.batch import TERMS, Part, TrainingRun, draw, resident
from latent_audit.training.helper_process import Hands, Second

CHECK_EVERY = 50  # batches between looks for a NaN: often enough to lose little, seldom enough not to stall a GPU
HALVES = 2  # parts of a batch whose gradients are summed: part of a run's bytes, whoever computes them
TEST_BATCH = 200  # activations of more images at once are most of a worker's memory


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
    open_second: Callable[[Autoencoder], Second | None] = lambda model: None,
) -> Replicate:
    """Train seed `seed` of `run` on splits["train"], scoring the whole of splits["test"] after each epoch.

    `open_second` is asked before every batch, as long as enough are to come and until it gives one, for a process to
    take a half from then on: in a worker on a CPU. It changes no byte.

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
    images = resident(splits, device)
    history = list(done.history)
    n_train = len(images["train"])
    with Hands(model, images, run, open_second) as hands:
        for epoch in range(done.epochs_done + 1, run.epochs + 1):

            def tick(seen: int, terms: dict[str, float], epoch: int = epoch) -> None:
                finished, resumed = n_train * (epoch - 1) + seen, n_train * done.epochs_done
                on_tick(Tick(seed, epoch, run.epochs, finished, resumed, n_train * run.epochs, terms))

            means = _train_epoch(hands, optimizer, images["train"], run, seed, epoch, tick)
            scores = _test(hands, images["test"], run, seed, epoch)
            refuse_nan(scores[None], run.arm, seed, epoch, split="test")
            history += [history_row(seed, epoch, "train", means), history_row(seed, epoch, "test", scores)]
            if checkpoint_path:
                checkpoint.save(checkpoint_path, model, optimizer, checkpoint.Progress(epoch, history))
    return Replicate({name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}, history)


def _train_epoch(
    hands: Hands,
    optimizer: Adam,
    images: Tensor,
    run: TrainingRun,
    seed: int,
    epoch: int,
    on_progress: Callable[[int, dict[str, float]], None],
) -> Tensor:
    order = torch.randperm(len(images), generator=generator_for(seed, "shuffle", str(epoch))).to(images.device)
    noise = generator_for(seed, "posterior", "train", str(epoch))
    batches = order.split(run.batch_size)
    sums = torch.zeros(len(batches), len(TERMS), dtype=torch.float64, device=images.device)
    for index, batch in enumerate(batches):
        hands.look_for_more((run.epochs - epoch + 1) * len(batches) - index)
        eps = draw(len(batch), run, noise).to(images.device)
        sums[index], gradients = _gradient(hands, batch, eps)
        optimizer.step(gradients, (epoch - 1) * len(batches) + index + 1)
        if (index + 1) % CHECK_EVERY == 0 or index + 1 == len(batches):
            refuse_nan(sums[: index + 1], run.arm, seed, epoch)
            seen = min((index + 1) * run.batch_size, len(images))
            on_progress(seen, dict(zip(TERMS, (sums[: index + 1].sum(dim=0) / seen).tolist(), strict=True)))
    return sums.sum(dim=0) / len(images)


def _gradient(hands: Hands, batch: Tensor, eps: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The sums of the terms of a batch's training images, and their mean gradient by every parameter, half by half."""
    halves = zip(batch.chunk(HALVES), eps.chunk(HALVES), strict=True)
    outcomes = hands.outcomes([Part("train", rows, draws, len(batch)) for rows, draws in halves])
    sums, gradients = next(outcomes)
    for more_sums, more_gradients in outcomes:
        sums = sums + more_sums
        for own, more in zip(gradients, more_gradients, strict=True):
            own += more
    return sums, gradients


def _test(hands: Hands, images: Tensor, run: TrainingRun, seed: int, epoch: int) -> Tensor:
    noise = generator_for(seed, "posterior", "test", str(epoch))
    batches = torch.arange(len(images), device=images.device).split(TEST_BATCH)
    parts = [Part("test", rows, draw(len(rows), run, noise).to(images.device), None) for rows in batches]
    return torch.stack([sums for sums, _ in hands.outcomes(parts)]).sum(dim=0) / len(images)


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
