"""Train one replicate: Adam on the objective, a history row per epoch and split, resumable at every epoch.

A batch's gradient is the sum of its two halves' gradients, unless batch statistics bind them together. A second process
may therefore take a half of each where a core is idle: the same bytes either way.
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
from latent_audit.training import checkpoint
from latent_audit.training.adam import adam, step
from latent_audit.training.batch import Data, Part, Streams, TrainingRun, draw, is_divisible, resident
from latent_audit.training.helper_process import HelperProcess, PartWorkers

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
    open_helper: Callable[[Autoencoder], HelperProcess | None] = lambda model: None,
) -> Replicate:
    """Train seed `seed` of `run` on splits["train"], scoring the whole of splits["test"] after each epoch.

    `open_helper` is asked before every batch, as long as enough are to come and until it gives one, for a process to
    take a half from then on: in a worker on a CPU. It changes no byte.

    Returns
    -------
    Replicate : float32 weights on the CPU, and rows seed, epoch, split and the family's terms in nats per
        image (`train`: running mean over the epoch while the weights move; `test`: the whole split at its end).

    Raises
    ------
    InputError : the objective stops being finite; the message names arm, seed, epoch and batch.
    """
    model = build(run.model, seed=seed).to(device)
    optimizer = adam(model.parameters(), run.learning_rate)
    done = checkpoint.restore(checkpoint_path, model, optimizer) if checkpoint_path else checkpoint.Progress(0, [])
    data = resident(splits, device)
    history = list(done.history)
    n_train = len(data["train"].images)
    with PartWorkers(model, data, run, open_helper) as workers:
        for epoch in range(done.epochs_done + 1, run.epochs + 1):

            def tick(seen: int, terms: dict[str, float], epoch: int = epoch) -> None:
                finished, resumed = n_train * (epoch - 1) + seen, n_train * done.epochs_done
                on_tick(Tick(seed, epoch, run.epochs, finished, resumed, n_train * run.epochs, terms))

            means = _train_epoch(workers, optimizer, data["train"], run, seed, epoch, tick)
            scores = _test(workers, data["test"], run, seed, epoch)
            refuse_nan(scores[None], run.arm, seed, epoch, split="test")
            history += [history_row(run, seed, epoch, "train", means), history_row(run, seed, epoch, "test", scores)]
            if checkpoint_path:
                checkpoint.save(checkpoint_path, model, optimizer, checkpoint.Progress(epoch, history))
    return Replicate({name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}, history)


def _train_epoch(
    workers: PartWorkers,
    optimizer: torch.optim.Adam,
    data: Data,
    run: TrainingRun,
    seed: int,
    epoch: int,
    on_progress: Callable[[int, dict[str, float]], None],
) -> Tensor:
    device, n = data.images.device, len(data.images)
    order = torch.randperm(n, generator=generator_for(seed, "shuffle", str(epoch))).to(device)
    streams = streams_of(seed, "train", epoch)
    batches = _batches(order, run.batch_size, 1 if is_divisible(workers.model) else 2)
    sums = torch.zeros(len(batches), len(run.terms), dtype=torch.float64, device=device)
    for index, batch in enumerate(batches):
        workers.look_for_more((run.epochs - epoch + 1) * len(batches) - index)
        draws = {name: values.to(device) for name, values in draw(len(batch), run, streams).items()}
        sums[index], gradients = _gradient(workers, batch, draws)
        step(optimizer, gradients, (epoch - 1) * len(batches) + index + 1)
        if (index + 1) % CHECK_EVERY == 0 or index + 1 == len(batches):
            refuse_nan(sums[: index + 1], run.arm, seed, epoch)
            seen = sum(map(len, batches[: index + 1]))
            on_progress(seen, dict(zip(run.terms, (sums[: index + 1].sum(dim=0) / seen).tolist(), strict=True)))
    return sums.sum(dim=0) / n


def _batches(order: Tensor, size: int, least: int) -> list[Tensor]:
    """`order` cut into batches of `size`; a last one of fewer than `least` images goes with the one before it."""
    batches = list(order.split(size))
    if len(batches) > 1 and len(batches[-1]) < least:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def _gradient(workers: PartWorkers, batch: Tensor, draws: dict[str, Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The sums of the terms of a batch's training images, and their mean gradient by every parameter, part by part."""
    parts = HALVES if is_divisible(workers.model) else 1
    split = {name: values.chunk(parts) for name, values in draws.items()}
    outcomes = workers.outcomes(
        [
            Part("train", rows, {name: values[index] for name, values in split.items()}, len(batch))
            for index, rows in enumerate(batch.chunk(parts))
        ]
    )
    sums, gradients = next(outcomes)
    for more_sums, more_gradients in outcomes:
        sums = sums + more_sums
        for own, more in zip(gradients, more_gradients, strict=True):
            own += more
    return sums, gradients


def _test(workers: PartWorkers, data: Data, run: TrainingRun, seed: int, epoch: int) -> Tensor:
    streams, device = streams_of(seed, "test", epoch), data.images.device
    batches = torch.arange(len(data.images), device=device).split(TEST_BATCH)
    draws = [{name: v.to(device) for name, v in draw(len(rows), run, streams).items()} for rows in batches]
    parts = [Part("test", rows, own, None) for rows, own in zip(batches, draws, strict=True)]
    return torch.stack([sums for sums, _ in workers.outcomes(parts)]).sum(dim=0) / len(data.images)


def streams_of(seed: int, split: str, epoch: int) -> Streams:
    """The generators of one seed, split and epoch."""
    return Streams(*(generator_for(seed, purpose, split, str(epoch)) for purpose in Streams._fields))


def refuse_nan(sums: Tensor, arm: str, seed: int, epoch: int, *, split: str = "train") -> None:
    """InputError naming the first batch whose terms, the rows of `sums`, are not finite (or the whole test split)."""
    finite = torch.isfinite(sums).all(dim=1)
    if not bool(finite.all()):
        where = f"batch {int((~finite).nonzero()[0, 0]) + 1}" if split == "train" else "on the test split"
        raise InputError(
            f"arm {arm!r}, seed {seed}: the objective is not finite at epoch {epoch}, {where}; no model was "
            "written. Try a smaller train.learning_rate, train.precision: float32, or a beta nearer to n_pixels."
        )


def history_row(run: TrainingRun, seed: int, epoch: int, split: str, means: Tensor) -> dict:
    """A row of history.csv from the mean terms of a split, in nats per image."""
    return {"seed": seed, "epoch": epoch, "split": split, **dict(zip(run.terms, means.tolist(), strict=True))}
