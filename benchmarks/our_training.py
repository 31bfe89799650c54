"""Our training of the network, as the stage `train` runs it: what a worker times, and what that gives together."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latent_audit.compute.workers import core_to_spare, map_seeds
from latent_audit.data.prepared import LoadedSplit
from latent_audit.models.autoencoder import Autoencoder, ModelSpec
from latent_audit.models.image import ImageShape
from latent_audit.training.batch import TrainingRun
from latent_audit.training.fit import Tick, fit
from latent_audit.training.helper_process import WORTH, HelperProcess
from network import BATCH, LATENT, RATE, SIDE, WARM

Splits = dict[str, LoadedSplit]
_warmed: list[Any] = []  # a worker's first epoch


def training_run(family: str, precision: str, *, latent_dim: int = LATENT, epochs: int = 1) -> TrainingRun:
    """The same network, the same batches and the same steps as every contender's."""
    beta = None if family == "ae" else 500.0
    spec = ModelSpec(family, "conv", ImageShape(1, SIDE, SIDE), latent_dim)
    return TrainingRun("benchmark", spec, "bce", beta, epochs, BATCH, RATE, precision)


def unlabelled(pixels: np.ndarray, n_test: int) -> Splits:
    """All images for training, and the first `n_test` of them for testing."""
    labels = np.zeros(len(pixels), dtype=np.int64)
    return {"train": LoadedSplit(pixels, labels), "test": LoadedSplit(pixels[:n_test], labels[:n_test])}


def mapped(path: Path, n_test: int) -> Splits:
    """The images in a .npy file, mapped as the stage `train` maps them."""
    return unlabelled(np.load(path, mmap_mode="c"), n_test)


def rate(run: TrainingRun, load: Callable[[], Splits], seeds: int, n: int) -> float:
    """Images per second of all seeds together in their last epoch, of `n` images. A lone seed has epochs before it, in
    which its helper process starts: start-up is left out, as of every program here.
    """
    run = replace(run, epochs=1 if seeds > 1 else 1 + math.ceil(WORTH * BATCH / n))
    spans = map_seeds(partial(last_epoch, run, load), list(range(seeds)), device=torch.device("cpu"))
    return seeds * n / (max(end for _, end in spans) - min(start for start, _ in spans))


def last_epoch(
    run: TrainingRun, load: Callable[[], Splits], *, seed: int, send: Callable[[Any], None]
) -> tuple[float, float]:
    """When one replicate's last epoch began (a first one with the start of `fit`, a later one with the end of training
    before it, so with the test split's pass) and when it was trained, on the clock that all processes share.
    """
    device, data = torch.device("cpu"), load()
    n = len(data["train"].images)
    if not _warmed:  # once in each worker, as every other contender once in its process
        few = {name: LoadedSplit(*(part[:WARM] for part in split)) for name, split in data.items()}
        _warmed.append(fit(few, replace(run, epochs=1), seed=seed, device=device))
    times = [time.monotonic()]

    def note(tick: Tick) -> None:
        if tick.images_done in (n * (run.epochs - 1), n * run.epochs):
            times.append(time.monotonic())

    def open_helper(model: Autoencoder) -> HelperProcess | None:
        return HelperProcess(model, run, load) if core_to_spare() else None

    fit(data, run, seed=seed, device=device, on_tick=note, open_helper=open_helper)
    *_, start, end = times
    return start, end
