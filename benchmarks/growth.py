"""How the cost of training grows: images per second and peak memory against N, seeds and latent_dim.

One thing grows at a time from 10,000 images, 1 seed, d = 2; one epoch of the VAE in worker processes (a lone seed's
last one, with its second process), from arrays mapped from disk, as the stage `train` does it. Writes
results/growth.json.

    python benchmarks/growth.py measure
"""

import json
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import typer

from contenders import SIDE, mapped, our_rate, training_run
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
    """Train and print the rate over the workers' last epoch."""
    training = training_run("vae", precision, latent_dim=latent_dim)
    print(json.dumps({"rate": our_rate(training, partial(mapped, path, 1000), seeds, n)}))


if __name__ == "__main__":
    app()
