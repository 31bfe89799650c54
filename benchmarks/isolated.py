"""What each departure from ordinary PyTorch is worth to the study's training, measured alone, side by side.

Each departure is switched off by itself and compared with all of them on, in alternating rounds of one run: two seeds
in two processes (one seed for the helper process, which is there for a lone one), a thread each. A departure stays
where it is worth at least 1.3x; Keras' step of Adam is there for what it computes, and is measured for its cost over
torch.optim.Adam as it comes. Writes results/isolated.json.

    python benchmarks/isolated.py measure
"""

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

import our_training
from latent_audit.compute.devices import emulates_bfloat16
from latent_audit.compute.workers import map_seeds
from latent_audit.training import fit as fit_module
from latent_audit.training import helper_process
from latent_audit.training.helper_process import HelperProcess
from measured import RESULTS, rate_in, run, save, spread
from network import BATCH, images
from our_training import last_epoch, mapped, training_run

app = typer.Typer(pretty_exceptions_enable=False)
PRECISIONS = ("float32", "bfloat16")
# what is switched off -> seeds side by side
DEPARTURES = {"Keras' step of Adam": 2, "helper process": 1}


def switched_off(departure: str, *, seed: int, send: Any, **given: Any) -> tuple[float, float]:
    """`last_epoch` in a worker in which `departure` is off ("" for none)."""
    helper_process.WORTH, our_training.HelperProcess = 0, Awaited
    if departure == "Keras' step of Adam":
        fit_module.step = _raw_step
    elif departure == "helper process":
        helper_process.PartWorkers.look_for_more = lambda self, batches: None
    return last_epoch(seed=seed, send=send, **given)


class Awaited(HelperProcess):
    """A helper process that has started before training goes on: start-up is left out, as everywhere here."""

    def __init__(self, *given: Any):
        super().__init__(*given)
        self.ready(60)


def _raw_step(optimizer: torch.optim.Adam, gradients: list[torch.Tensor], number: int) -> None:
    for parameter, gradient in zip(optimizer.param_groups[0]["params"], gradients, strict=True):
        parameter.grad = gradient
    optimizer.step()


@app.command()
def measure(
    rounds: int = 5,
    n_images: int = 6_000,
    precision: Annotated[
        list[str] | None, typer.Option(help="only these; else all that this CPU does not emulate")
    ] = None,
    out: Annotated[Path, typer.Option(help="folder of isolated.json")] = RESULTS,
) -> None:
    """Measure every departure at every precision and write isolated.json."""
    here = PRECISIONS[: 1 if emulates_bfloat16(torch.device("cpu")) else None]
    rows, chosen = [], precision or list(here)
    for each in chosen:
        for departure, seeds in DEPARTURES.items():
            rates: dict[str, list[float]] = {"": [], departure: []}
            for _ in range(rounds):
                for off, found in rates.items():
                    found.append(_rate(off, each, seeds, n_images))
            worth = [on / off for on, off in zip(rates[""], rates[departure], strict=True)]
            rows.append({"departure": departure, "precision": each, "seeds": seeds, "worth": spread(worth)})
            print(rows[-1], flush=True)
    command = f"python benchmarks/isolated.py measure --rounds {rounds} --n-images {n_images}"
    command += "".join(f" --precision {one}" for one in chosen)
    save("isolated", command, {"torch": torch.__version__, "rows": rows}, folder=out)


def _rate(off: str, precision: str, seeds: int, n: int) -> float:
    return rate_in(run(sys.executable, __file__, "point", off, precision, str(seeds), str(n), watch=False).output)


@app.command()
def point(off: str, precision: str, seeds: int, n: int) -> None:
    """Train with one departure off and print the images per second of all seeds in their last epoch."""
    epochs = 1 if seeds > 1 else 2  # a lone seed's helper starts in the first
    training = training_run("vae", precision, epochs=epochs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        np.save(path, images(n))
        work = partial(switched_off, off, run=training, load=partial(mapped, path, BATCH))
        spans = map_seeds(work, list(range(seeds)), device=torch.device("cpu"))
    print(json.dumps({"rate": seeds * n / (max(end for _, end in spans) - min(start for start, _ in spans))}))


if __name__ == "__main__":
    app()
