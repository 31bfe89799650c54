"""Train all seeds of an arm as one program on an accelerator: their weights stacked, the forward pass vmapped.

Small networks leave a GPU idle; stacked replicates fill it. Each seed computes what `fit` would, draw for draw.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.autoencoder import Autoencoder, build
from latent_audit.randomness import generator_for
from latent_audit.training.fit import (
    ADAM_EPS,
    CHECK_EVERY,
    TERMS,
    Replicate,
    Tick,
    TrainingRun,
    history_row,
    refuse_nan,
    terms_of,
)

TEST_BATCH = 1000


def fit_stacked(
    splits: dict[str, LoadedSplit],
    run: TrainingRun,
    *,
    seeds: Sequence[int],
    device: torch.device,
    on_tick: Callable[[Tick], None] = lambda tick: None,
) -> list[Replicate]:
    """Train every seed of `run` together; data and weights stay on `device`.

    Returns
    -------
    One Replicate per seed, in their order: equal to `fit`'s up to the rounding of batched kernels.

    Raises
    ------
    InputError : an objective stops being finite; the message names arm, seed, epoch and batch.
    """
    models = [build(run.model, seed=seed) for seed in seeds]
    for model in models:
        model.decoder.memory_format = torch.contiguous_format  # type: ignore[assignment]
        model.to(memory_format=torch.contiguous_format).to(device)
    weights = {name: tensor.detach().requires_grad_() for name, tensor in stack_module_state(models)[0].items()}
    optimizer = torch.optim.Adam(weights.values(), lr=run.learning_rate, eps=ADAM_EPS, fused=True)
    images = {name: torch.from_numpy(np.asarray(split.images)).to(device) for name, split in splits.items()}
    history: list[list[dict]] = [[] for _ in seeds]
    for epoch in range(1, run.epochs + 1):
        means = {
            "train": _train_epoch(models[0], weights, optimizer, images["train"], run, seeds, epoch, on_tick),
            "test": _test(models[0], weights, images["test"], run, seeds, epoch),
        }
        for index, seed in enumerate(seeds):
            refuse_nan(means["test"][index][None], run.arm, seed, epoch, split="test")
            history[index] += [history_row(seed, epoch, split, values[index]) for split, values in means.items()]
    return [
        Replicate({name: tensor[index].detach().cpu().contiguous() for name, tensor in weights.items()}, history[index])
        for index in range(len(seeds))
    ]


def _stacked_terms(model: Autoencoder, weights: dict[str, Tensor], x: Tensor, eps: Tensor, run: TrainingRun) -> Tensor:
    """objective, recon_nll, kl as (seed, batch, 3), from x (seed, batch, channel, height, width)."""

    def one(own: dict[str, Tensor], x: Tensor, eps: Tensor) -> Tensor:
        return terms_of(lambda x, eps: functional_call(model, own, (x, eps)), x, eps, run)

    return vmap(one)(weights, x, eps)


def _train_epoch(
    model: Autoencoder,
    weights: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    run: TrainingRun,
    seeds: Sequence[int],
    epoch: int,
    on_tick: Callable[[Tick], None],
) -> Tensor:
    n = len(images)
    orders = torch.stack([torch.randperm(n, generator=generator_for(seed, "shuffle", str(epoch))) for seed in seeds])
    noise = _noise(run, seeds, ("train", str(epoch)), n, run.batch_size).to(images.device)
    batches = orders.to(images.device).split(run.batch_size, dim=1)
    sums = torch.zeros(len(batches), len(seeds), len(TERMS), dtype=torch.float64, device=images.device)
    for index, (batch, eps) in enumerate(zip(batches, noise.split(run.batch_size, dim=1), strict=True)):
        terms = _stacked_terms(model, weights, images[batch].float() / 255, eps, run)
        optimizer.zero_grad(set_to_none=True)
        terms[..., 0].mean(dim=1).sum().backward()  # the sum's gradient is each seed's own
        optimizer.step()
        sums[index] = terms.detach().sum(dim=1)
        if (index + 1) % CHECK_EVERY == 0 or index + 1 == len(batches):
            seen = min((index + 1) * run.batch_size, n)
            for place, seed in enumerate(seeds):
                refuse_nan(sums[: index + 1, place], run.arm, seed, epoch)
                means = dict(zip(TERMS, (sums[: index + 1, place].sum(dim=0) / seen).tolist(), strict=True))
                on_tick(Tick(seed, epoch, run.epochs, n * (epoch - 1) + seen, 0, n * run.epochs, means))
    return sums.sum(dim=0) / n


@torch.no_grad()
def _test(
    model: Autoencoder, weights: dict[str, Tensor], images: Tensor, run: TrainingRun, seeds: Sequence[int], epoch: int
) -> Tensor:
    noise = _noise(run, seeds, ("test", str(epoch)), len(images), TEST_BATCH).to(images.device)
    total = torch.zeros(len(seeds), len(TERMS), dtype=torch.float64, device=images.device)
    for batch, eps in zip(images.split(TEST_BATCH), noise.split(TEST_BATCH, dim=1), strict=True):
        x = (batch.float() / 255).expand(len(seeds), *batch.shape)
        total += _stacked_terms(model, weights, x, eps, run).double().sum(dim=1)
    return total / len(images)


def _noise(run: TrainingRun, seeds: Sequence[int], purpose: tuple[str, str], n: int, batch: int) -> Tensor:
    """The epoch's draws, (seed, image, latent), batch by batch from the streams that `fit` uses."""
    sizes = [min(batch, n - start) for start in range(0, n, batch)]
    draws = []
    for seed in seeds:
        generator = generator_for(seed, "posterior", *purpose)
        draws.append(torch.cat([torch.randn(size, run.model.latent_dim, generator=generator) for size in sizes]))
    return torch.stack(draws)
