"""Train all seeds of an arm as one program on an accelerator: their weights stacked, the forward pass vmapped.

Small networks leave a GPU idle; stacked replicates fill it. Each seed computes what `fit` would, draw for draw.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from latent_audit.base.randomness import generator_for
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.autoencoder import Autoencoder, build
from latent_audit.models.modules import keep_contiguous
from latent_audit.training import checkpoint
from latent_audit.training.adam import adam, step
from latent_audit.training.batch import Data, TrainingRun, as_batch, draw, resident, terms_of
from latent_audit.training.fit import CHECK_EVERY, TEST_BATCH, Replicate, Tick, history_row, refuse_nan, streams_of
from latent_audit.training.graphs import recorded


def fit_stacked(
    splits: dict[str, LoadedSplit],
    run: TrainingRun,
    *,
    seeds: Sequence[int],
    device: torch.device,
    checkpoint_path: Path | None = None,
    on_tick: Callable[[Tick], None] = lambda tick: None,
) -> list[Replicate]:
    """Train every seed of `run` together; data and weights stay on `device`. One checkpoint holds all seeds.

    Returns
    -------
    One Replicate per seed, in their order: equal to `fit`'s up to the rounding of batched kernels.

    Raises
    ------
    InputError : an objective stops being finite; the message names arm, seed, epoch and batch.
    """
    stack = _stack([build(run.model, seed=seed) for seed in seeds]).to(device)
    optimizer = adam(stack.parameters(), run.learning_rate)
    done = checkpoint.restore(checkpoint_path, stack, optimizer) if checkpoint_path else checkpoint.Progress(0, [])
    data = resident(splits, device)
    history = list(done.history)
    for epoch in range(done.epochs_done + 1, run.epochs + 1):
        tick = partial(_tick, run, epoch, len(data["train"].images), done.epochs_done, on_tick)
        means = {
            "train": _train_epoch(stack, optimizer, data["train"], run, seeds, epoch, tick),
            "test": _test(stack, data["test"], run, seeds, epoch),
        }
        for index, seed in enumerate(seeds):
            refuse_nan(means["test"][index][None], run.arm, seed, epoch, split="test")
            history += [history_row(run, seed, epoch, split, values[index]) for split, values in means.items()]
        if checkpoint_path:
            checkpoint.save(checkpoint_path, stack, optimizer, checkpoint.Progress(epoch, history))
    weights = {name: tensor.cpu() for name, tensor in stack.state_dict().items()}
    return [
        Replicate(
            {name: tensor[index].contiguous() for name, tensor in weights.items()},
            [row for row in history if row["seed"] == seed],
        )
        for index, seed in enumerate(seeds)
    ]


def _stack(models: Sequence[Autoencoder]) -> Autoencoder:
    """A network whose every tensor holds those of `models` along a new first axis: to be called under vmap."""
    weights, buffers = stack_module_state([model.to(memory_format=torch.contiguous_format) for model in models])
    stack = copy.deepcopy(models[0])
    keep_contiguous(stack)
    for name, tensor in weights.items():
        owner, _, own_name = name.rpartition(".")
        setattr(stack.get_submodule(owner), own_name, nn.Parameter(tensor.detach()))
    for name, tensor in buffers.items():
        owner, _, own_name = name.rpartition(".")
        setattr(stack.get_submodule(owner), own_name, tensor)
    return stack


def _tick(
    run: TrainingRun,
    epoch: int,
    n: int,
    resumed: int,
    send: Callable[[Tick], None],
    seed: int,
    seen: int,
    means: Tensor,
) -> None:
    terms = dict(zip(run.terms, means.tolist(), strict=True))
    send(Tick(seed, epoch, run.epochs, n * (epoch - 1) + seen, n * resumed, n * run.epochs, terms))


Draws = dict[str, Tensor]  # by name, (seed, image, ...)


def _stacked_terms(
    stack: Autoencoder, weights: Mapping[str, Tensor], images: Tensor, labels: Tensor, draws: Draws, run: TrainingRun
) -> Tensor:
    """The family's terms as (seed, batch, term), from uint8 images (seed, batch, channel, height, width)."""

    def one(own: dict[str, Tensor], x: Tensor, labels: Tensor, draws: Draws) -> Tensor:
        batch = as_batch(x, labels, draws, run)
        return terms_of(lambda *given: functional_call(stack, own, given), batch, draws, run)

    whole = {**dict(stack.named_buffers()), **weights}
    return vmap(one)(whole, images.float() / 255, labels, draws)


def _gradient_of(stack: Autoencoder, run: TrainingRun) -> Callable[..., tuple[Tensor, list[Tensor]]]:
    """A function (images, labels, *draws) -> the sums of the terms (seed, term), and the gradient of every parameter of
    `stack`. The draws come in the order of their names, as a recorded graph takes tensors only.

    The gradient of the sum of all seeds' objectives is, in each seed's own weights, that of its own.
    """
    weights = {name: parameter.detach() for name, parameter in stack.named_parameters()}
    names = sorted(draw(1, run, streams_of(0, "train", 0)))

    def total(weights: Mapping[str, Tensor], images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        terms = _stacked_terms(stack, weights, images, labels, draws, run)
        return terms[..., 0].mean(dim=1).sum(), terms.sum(dim=1)

    def gradient(images: Tensor, labels: Tensor, *draws: Tensor) -> tuple[Tensor, list[Tensor]]:
        named = dict(zip(names, draws, strict=True))
        gradients, sums = grad(total, has_aux=True)(weights, images, labels, named)
        return sums, [gradients[name] for name in weights]

    return gradient


def _train_epoch(
    stack: Autoencoder,
    optimizer: torch.optim.Adam,
    data: Data,
    run: TrainingRun,
    seeds: Sequence[int],
    epoch: int,
    tick: Callable[[int, int, Tensor], None],
) -> Tensor:
    n, device = len(data.images), data.images.device
    orders = torch.stack([torch.randperm(n, generator=generator_for(seed, "shuffle", str(epoch))) for seed in seeds])
    batches = orders.to(device).split(run.batch_size, dim=1)
    noise = _draws(run, seeds, "train", epoch, n, run.batch_size, device)
    gradient = None
    sums = torch.zeros(len(batches), len(seeds), len(run.terms), dtype=torch.float64, device=device)
    for index, (batch, draws) in enumerate(zip(batches, noise, strict=True)):
        given = (data.images[batch], data.labels[batch], *(draws[name] for name in sorted(draws)))
        gradient = gradient or recorded(_gradient_of(stack, run), *given)
        of_batch = gradient if batch.shape == batches[0].shape else _gradient_of(stack, run)  # the last may be short
        sums[index], gradients = of_batch(*given)
        step(optimizer, gradients, (epoch - 1) * len(batches) + index + 1)
        if (index + 1) % CHECK_EVERY == 0 or index + 1 == len(batches):
            seen = min((index + 1) * run.batch_size, n)
            for place, seed in enumerate(seeds):
                refuse_nan(sums[: index + 1, place], run.arm, seed, epoch)
                tick(seed, seen, sums[: index + 1, place].sum(dim=0) / seen)
    return sums.sum(dim=0) / n


@torch.no_grad()
def _test(stack: Autoencoder, data: Data, run: TrainingRun, seeds: Sequence[int], epoch: int) -> Tensor:
    n, device = len(data.images), data.images.device
    weights = dict(stack.named_parameters())
    total = torch.zeros(len(seeds), len(run.terms), dtype=torch.float64, device=device)
    noise = _draws(run, seeds, "test", epoch, n, TEST_BATCH, device)
    for images, labels, draws in zip(data.images.split(TEST_BATCH), data.labels.split(TEST_BATCH), noise, strict=True):
        of_each, labels_of_each = (values.expand(len(seeds), *values.shape) for values in (images, labels))
        total += _stacked_terms(stack, weights, of_each, labels_of_each, draws, run).double().sum(dim=1)
    return total / n


def _draws(
    run: TrainingRun, seeds: Sequence[int], split: str, epoch: int, n: int, batch: int, device: torch.device
) -> Iterator[Draws]:
    """The draws of each batch of an epoch, (seed, image, ...) by name, from the streams that `fit` uses."""
    streams = [streams_of(seed, split, epoch) for seed in seeds]
    for start in range(0, n, batch):
        of_seeds = [draw(min(batch, n - start), run, own) for own in streams]
        yield {name: torch.stack([own[name] for own in of_seeds]).to(device) for name in of_seeds[0]}
