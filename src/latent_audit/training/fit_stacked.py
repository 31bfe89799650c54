"""Train all seeds of an arm as one program on an accelerator: their weights stacked, the forward pass vmapped.

Small networks leave a GPU idle; stacked replicates fill it. Each seed computes what `fit` would, draw for draw.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from latent_audit.base.randomness import generator_for
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.architectures.conv import PLAIN
from latent_audit.models.autoencoder import Autoencoder, build
from latent_audit.training import checkpoint
from latent_audit.training.adam import Adam
from latent_audit.training.batch import TERMS, TrainingRun, draw, resident, terms_of
from latent_audit.training.fit import CHECK_EVERY, TEST_BATCH, Replicate, Tick, history_row, refuse_nan
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
    optimizer = Adam(stack.parameters(), run.learning_rate)
    done = checkpoint.restore(checkpoint_path, stack, optimizer) if checkpoint_path else checkpoint.Progress(0, [])
    images = resident(splits, device)
    history = list(done.history)
    for epoch in range(done.epochs_done + 1, run.epochs + 1):
        tick = partial(_tick, run, epoch, len(images["train"]), done.epochs_done, on_tick)
        means = {
            "train": _train_epoch(stack, optimizer, images["train"], run, seeds, epoch, tick),
            "test": _test(stack, images["test"], run, seeds, epoch),
        }
        for index, seed in enumerate(seeds):
            refuse_nan(means["test"][index][None], run.arm, seed, epoch, split="test")
            history += [history_row(seed, epoch, split, values[index]) for split, values in means.items()]
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
    """A network whose every parameter holds those of `models` along a new first axis: to be called under vmap."""
    weights, _ = stack_module_state([model.to(memory_format=torch.contiguous_format) for model in models])
    stack = copy.deepcopy(models[0])
    stack.decoder.layers = PLAIN._replace(memory_format=torch.contiguous_format)
    for name, tensor in weights.items():
        owner, _, own_name = name.rpartition(".")
        setattr(stack.get_submodule(owner), own_name, nn.Parameter(tensor.detach()))
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
    terms = dict(zip(TERMS, means.tolist(), strict=True))
    send(Tick(seed, epoch, run.epochs, n * (epoch - 1) + seen, n * resumed, n * run.epochs, terms))


def _stacked_terms(
    stack: Autoencoder, weights: Mapping[str, Tensor], images: Tensor, eps: Tensor, run: TrainingRun
) -> Tensor:
    """objective, recon_nll, kl as (seed, batch, 3), from uint8 images (seed, batch, channel, height, width)."""

    def one(own: dict[str, Tensor], x: Tensor, eps: Tensor) -> Tensor:
        return terms_of(lambda x, eps: functional_call(stack, own, (x, eps)), x, eps, run)

    return vmap(one)(dict(weights), images.float() / 255, eps)


def _gradient_of(stack: Autoencoder, run: TrainingRun) -> Callable[[Tensor, Tensor], tuple[Tensor, list[Tensor]]]:
    """A function (images, eps) -> the sums of the terms (seed, 3), and the gradient of every parameter of `stack`.

    The gradient of the sum of all seeds' objectives is, in each seed's own weights, that of its own.
    """
    weights = {name: parameter.detach() for name, parameter in stack.named_parameters()}

    def total(weights: Mapping[str, Tensor], images: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
        terms = _stacked_terms(stack, weights, images, eps, run)
        return terms[..., 0].mean(dim=1).sum(), terms.sum(dim=1)

    def gradient(images: Tensor, eps: Tensor) -> tuple[Tensor, list[Tensor]]:
        gradients, sums = grad(total, has_aux=True)(weights, images, eps)
        return sums, [gradients[name] for name in weights]

    return gradient


def _train_epoch(
    stack: Autoencoder,
    optimizer: Adam,
    images: Tensor,
    run: TrainingRun,
    seeds: Sequence[int],
    epoch: int,
    tick: Callable[[int, int, Tensor], None],
) -> Tensor:
    n = len(images)
    orders = torch.stack([torch.randperm(n, generator=generator_for(seed, "shuffle", str(epoch))) for seed in seeds])
    noise = _noise(run, seeds, ("train", str(epoch)), n, run.batch_size).to(images.device)
    batches = orders.to(images.device).split(run.batch_size, dim=1)
    gradient = recorded(_gradient_of(stack, run), images[batches[0]], noise[:, : run.batch_size])
    sums = torch.zeros(len(batches), len(seeds), len(TERMS), dtype=torch.float64, device=images.device)
    for index, (batch, eps) in enumerate(zip(batches, noise.split(run.batch_size, dim=1), strict=True)):
        of_batch = gradient if batch.shape == batches[0].shape else _gradient_of(stack, run)  # the last may be short
        sums[index], gradients = of_batch(images[batch], eps)
        optimizer.step(gradients, (epoch - 1) * len(batches) + index + 1)
        if (index + 1) % CHECK_EVERY == 0 or index + 1 == len(batches):
            seen = min((index + 1) * run.batch_size, n)
            for place, seed in enumerate(seeds):
                refuse_nan(sums[: index + 1, place], run.arm, seed, epoch)
                tick(seed, seen, sums[: index + 1, place].sum(dim=0) / seen)
    return sums.sum(dim=0) / n


@torch.no_grad()
def _test(stack: Autoencoder, images: Tensor, run: TrainingRun, seeds: Sequence[int], epoch: int) -> Tensor:
    noise = _noise(run, seeds, ("test", str(epoch)), len(images), TEST_BATCH).to(images.device)
    total = torch.zeros(len(seeds), len(TERMS), dtype=torch.float64, device=images.device)
    for batch, eps in zip(images.split(TEST_BATCH), noise.split(TEST_BATCH, dim=1), strict=True):
        own = batch.expand(len(seeds), *batch.shape)
        total += _stacked_terms(stack, dict(stack.named_parameters()), own, eps, run).double().sum(dim=1)
    return total / len(images)


def _noise(run: TrainingRun, seeds: Sequence[int], purpose: tuple[str, str], n: int, batch: int) -> Tensor:
    """The epoch's draws, (seed, image, latent), batch by batch from the streams that `fit` uses."""
    sizes = [min(batch, n - start) for start in range(0, n, batch)]
    draws = []
    for seed in seeds:
        generator = generator_for(seed, "posterior", *purpose)
        draws.append(torch.cat([draw(size, run, generator) for size in sizes]))
    return torch.stack(draws)
