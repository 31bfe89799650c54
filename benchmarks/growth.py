"""How the cost of training grows: images per second and peak memory against N, seeds and latent_dim.

One thing grows at a time from 10,000 images, 1 seed, d = 2; one epoch of the VAE in worker processes (a lone seed's
last one, with its helper process), from arrays mapped from disk, as the stage `train` does it. Writes
results/growth.json.

    python benchmarks/growth.py measure
"""

import json
import sys
import tempfile
from functools import partial
from pathlib import Path

import typer

from measured import rate_in, run, save
from network import write_images
from our_training import mapped, rate, training_run

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
            speed = rate_in(measured.output)
            rows.append(
                {"n": n, "seeds": seeds, "latent_dim": latent_dim, "images_per_s": speed, **measured.peak._asdict()}
            )
            print(rows[-1])
    save("growth", f"python benchmarks/growth.py measure --precision {precision}", {"points": rows})


@app.command()
def point(path: Path, n: int, seeds: int, latent_dim: int, precision: str) -> None:
    """Train and print the rate over the workers' last epoch."""
    training = training_run("vae", precision, latent_dim=latent_dim)
    print(json.dumps({"rate": rate(training, partial(mapped, path, 1000), seeds, n)}))


if __name__ == "__main__":
    app()
