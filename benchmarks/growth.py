"""How the cost of training grows: images per second and peak memory against N, seeds and latent_dim.

One thing grows at a time from 10,000 images, 1 seed, d = 2; one epoch of the VAE in worker processes, from arrays
mapped from disk, as the stage `train` does it. Writes results/growth.json.

    python benchmarks/growth.py measure
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer

from contenders import BATCH, RATE, SIDE
from measured import rate_in, run, save

app = typer.Typer(pretty_exceptions_enable=False)
POINTS = (
    *((n, 1, 2) for n in (10_000, 60_000, 600_000)),
    *((10_000, seeds, 2) for seeds in (5, 20)),
    *((10_000, 1, latent_dim) for latent_dim in (20, 200)),
)


@app.command()
def measure(precision: str = "bfloat16") -> None:
    """Measure every point and write results/growth.json."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for n, seeds, latent_dim in POINTS:
            path = Path(folder) / f"{n}.npy"
            if not path.exists():
                write_images(path, n)
            numbers = map(str, (n, seeds, latent_dim))
            measured = run(sys.executable, __file__, "point", str(path), *numbers, precision)
            rate = rate_in(measured.output)
            rows.append(
                {"n": n, "seeds": seeds, "latent_dim": latent_dim, "images_per_s": rate, **measured.peak._asdict()}
            )
            print(rows[-1])
    save("growth", f"python benchmarks/growth.py measure --precision {precision}", {"points": rows})


def write_images(path: Path, n: int) -> None:
    """`n` random images to a .npy file, a piece at a time."""
    rng = np.random.default_rng(0)
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(n, 1, SIDE, SIDE))
    for start in range(0, n, 10_000):
        array[start : start + 10_000] = rng.integers(0, 256, array[start : start + 10_000].shape, dtype=np.uint8)


@app.command()
def point(path: Path, n: int, seeds: int, latent_dim: int, precision: str) -> None:
    """Train one epoch and print the rate over the wall time of the workers' epochs."""
    from latent_audit.replicates import map_seeds

    spans = map_seeds(partial(replicate, path, latent_dim, precision), list(range(seeds)), device=torch.device("cpu"))
    print(json.dumps({"rate": seeds * n / (max(end for _, end in spans) - min(start for start, _ in spans))}))


def replicate(
    path: Path, latent_dim: int, precision: str, *, seed: int, send: Callable[[Any], None]
) -> tuple[float, float]:
    """When one replicate's epoch began and ended, on the clock that all processes share."""
    from latent_audit.data.prepared import LoadedSplit
    from latent_audit.models.autoencoder import ModelSpec
    from latent_audit.models.conv import ImageShape
    from latent_audit.replicates import core_to_spare
    from latent_audit.training.fit import TrainingRun, fit

    pixels = np.load(path, mmap_mode="c")
    labels = np.zeros(len(pixels), dtype=np.int64)
    spec = ModelSpec("vae", "conv", ImageShape(1, SIDE, SIDE), latent_dim)
    run = TrainingRun("growth", spec, "bce", 500.0, 1, BATCH, RATE, precision)
    splits = {"train": LoadedSplit(pixels, labels), "test": LoadedSplit(pixels[:1000], labels[:1000])}
    start = time.monotonic()
    fit(splits, run, seed=seed, device=torch.device("cpu"), core_to_spare=core_to_spare)
    return start, time.monotonic()


if __name__ == "__main__":
    app()
