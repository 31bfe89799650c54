"""Training on a GPU: the study's arms with all their seeds stacked, and what five seeds cost over one.

For every precision: seconds of training for each arm (data moved, graphs recorded, the test split scored after every
epoch), the cost of five seeds over one in alternating rounds of one epoch, peak memory of the GPU, whether a second run
gives the same bytes, and how far a short float32 run on the CPU ends from the same run there. Writes
results/accelerator.json.

    python benchmarks/accelerator.py

Without a GPU, `--device cpu --images 20 --epochs 1 --out FOLDER` shows that the script runs; it says nothing of speed.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from latent_audit.base.errors import reported
from latent_audit.compute.devices import resolve
from latent_audit.data.prepared import LoadedSplit
from latent_audit.training.batch import TrainingRun
from latent_audit.training.fit import Replicate, fit
from latent_audit.training.fit_stacked import fit_stacked
from measured import RESULTS, save, spread
from network import BATCH, images
from our_training import training_run, unlabelled

ARMS: dict[str, float | None] = {"ae": None, "vae": 1024.0, "beta_vae": 500.0}  # weights of the mean pixel loss
SEEDS = range(5)
SHORT = 6_000  # training images of the comparison with the CPU
PRECISIONS = {"cuda": ("float32", "tf32", "bfloat16"), "cpu": ("float32", "bfloat16"), "mps": ("float32",)}


def main(
    device: str = "cuda",
    images: int = 60_000,
    epochs: int = 5,
    rounds: Annotated[int, typer.Option(help="of five seeds against one")] = 3,
    out: Annotated[Path, typer.Option(help="folder of accelerator.json")] = RESULTS,
) -> None:
    """Measure every precision and write accelerator.json."""
    where = resolve(device)
    if where.type == "cpu":
        torch.set_num_threads(1)  # a trial, on a machine that may be busy
    short = min(SHORT, images)
    exact = fit(_data(short), _run("vae", "float32", 1), seed=SEEDS[0], device=torch.device("cpu"))
    results = {}
    for precision in PRECISIONS[where.type]:
        resolve(device, precision)
        results[precision] = measured(precision, where, images, epochs, rounds)
        stacked, again = (train(_run("vae", precision, 1), SEEDS, where, short)[1] for _ in range(2))
        results[precision] |= {
            "same_bytes_again": all(map(_equal, stacked, again)),
            "elbo_from_cpu_float32": abs(_test_elbo(stacked[0]) / _test_elbo(exact) - 1),
        }
        print(precision, results[precision], flush=True)
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else where.type
    options = f"--device {device} --images {images} --epochs {epochs} --rounds {rounds}"
    save(
        "accelerator",
        f"python benchmarks/accelerator.py {options}",
        {"accelerator": name, "torch": torch.__version__, "precisions": results},
        folder=out,
    )


def measured(precision: str, device: torch.device, n: int, epochs: int, rounds: int) -> dict[str, Any]:
    """Seconds of every arm, five seeds over one, and the GPU's memory, after a warm-up."""
    train(_run("vae", precision, 1), SEEDS, device, min(10 * BATCH, n))
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    arms = {arm: train(_run(arm, precision, epochs), SEEDS, device, n)[0] for arm in ARMS}
    peak = torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else 0.0
    once = _run("vae", precision, 1)
    five, one = zip(
        *((train(once, SEEDS, device, n)[0], train(once, SEEDS[:1], device, n)[0]) for _ in range(rounds)), strict=True
    )
    return {
        "seconds": arms,
        "study_seconds": sum(arms.values()),
        "five_seeds_over_one": spread([a / b for a, b in zip(five, one, strict=True)]),
        "peak_mib": peak,
    }


def train(run: TrainingRun, seeds: Sequence[int], device: torch.device, n: int) -> tuple[float, list[Replicate]]:
    """Seconds of a whole stacked training on `n` images, and what it gave; the weights come back to the CPU in it."""
    data = _data(n)
    start = time.perf_counter()
    replicates = fit_stacked(data, run, seeds=seeds, device=device)
    return time.perf_counter() - start, replicates


def _data(n: int) -> dict[str, LoadedSplit]:
    return unlabelled(images(n), n // 6)  # the share that Fashion-MNIST has


def _run(arm: str, precision: str, epochs: int) -> TrainingRun:
    run = training_run("ae" if arm == "ae" else "vae", precision, epochs=epochs)
    return replace(run, arm=arm, beta=ARMS[arm])


def _equal(one: Replicate, other: Replicate) -> bool:
    return all(torch.equal(tensor, other.weights[name]) for name, tensor in one.weights.items())


def _test_elbo(replicate: Replicate) -> float:
    return replicate.history[-1]["elbo"]


if __name__ == "__main__":
    with reported():
        typer.run(main)
