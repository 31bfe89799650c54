"""Time and peak memory of `latent-audit audit` on codes of five sizes. Writes results/audit.json.

The codes are those of a VAE that went wrong in known ways: means of ten classes, a posterior sd of .3, every tenth
dimension collapsed. Once z and labels alone; once mu, logvar, z and labels, so that every table is made.

    python benchmarks/audit.py
"""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from measured import run, save

SIZES = ((10_000, 2), (10_000, 200), (70_000, 200), (300, 2_048), (1_000_000, 2))


def write_codes(path: Path, n: int, latent_dim: int, *, posterior: bool) -> None:
    """z and labels of `n` codes, and mu and logvar if `posterior`."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, n)
    centres = rng.normal(0, 0.7, (10, latent_dim))
    mu, sd = centres[labels] + rng.normal(0, 0.6, (n, latent_dim)), np.full((n, latent_dim), 0.3)
    if latent_dim >= 10:
        mu[:, ::10], sd[:, ::10] = 0.0, 1.0
    z = mu + sd * rng.normal(size=mu.shape)
    np.savez(path, z=z, labels=labels, **({"mu": mu, "logvar": 2 * np.log(sd)} if posterior else {}))


def main(sizes: Annotated[list[int] | None, typer.Option(help="which of the five, by number from 0")] = None) -> None:
    """Measure and write results/audit.json."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (n, latent_dim) in enumerate(SIZES):
            if sizes is not None and number not in sizes:
                continue
            for posterior in (False, True):
                codes, out = Path(folder) / "codes.npz", Path(folder) / f"out-{number}-{posterior}"
                write_codes(codes, n, latent_dim, posterior=posterior)
                measured = run(sys.executable, "-m", "latent_audit.cli", "audit", str(codes), "--out", str(out))
                given = "mu, logvar, z" if posterior else "z"
                size = {"n": n, "latent_dim": latent_dim, "given": given}
                rows.append({**size, "seconds": measured.seconds, **measured.peak._asdict()})
                print(rows[-1], flush=True)
    chosen = "".join(f" --sizes {number}" for number in sizes or ())
    save("audit", f"python benchmarks/audit.py{chosen}", {"points": rows})


if __name__ == "__main__":
    typer.run(main)
