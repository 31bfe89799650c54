"""Write the last column of README's table of studies, what came out, from reports/NAME/: no number of it is typed.

python docs/gallery.py
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from latent_audit.base.measures import SHARE, Metric, described
from latent_audit.base.plain_yaml import read_yaml
from latent_audit.decoding.diagnosis import every_registered
from latent_audit.report.tables import number, percent

ROOT = Path(__file__).parents[1]
START, END = "<!-- results: written by docs/gallery.py -->", "<!-- results end -->"
FEWEST_SEEDS = 3  # below which an interval over seeds means little
UNITS = ("nats", "nats per image", "entries")  # that are said after a number


class Figure(NamedTuple):
    """A number of a study: the mean over seeds of `metric` in `arm`, and the words before it."""

    words: str
    arm: str
    metric: str


ASKED = (
    Figure("the critic sees the class asked for, 2 dimensions", "cvae", "asked_accuracy"),
    Figure("20", "cvae20", "asked_accuracy"),
)
FIGURES: dict[str, tuple[Figure, ...]] = {
    "mnist_dense": (
        Figure("reconstruction of the code of 32", "ae", "recon_nll"),
        Figure("of the VAE’s of 2", "vae", "recon_nll"),
    ),
    "mnist_mlp20": (Figure("ELBO of 784-400-20", "mlp400", "elbo"), Figure("of 784-512-256-20", "vae", "elbo")),
    "mnist_conv20": (
        Figure("active dimensions at beta_kl 1", "vae", "active_units"),
        Figure("at 4", "beta_vae", "active_units"),
    ),
    "mnist_manifold": (
        Figure("prior draws in a hole, VAE", "vae", "hole_fraction"),
        Figure("AE", "ae", "hole_fraction"),
    ),
    "fashion_mse": (
        Figure("sharpness under squared error, VAE", "vae", "sharpness"),
        Figure("under BCE", "vae_bce", "sharpness"),
    ),
    "fashion_denoising": (
        Figure("squared error per pixel under noise of .4, AE", "ae", "denoised_mse_at_40"),
        Figure("denoising AE", "denoising", "denoised_mse_at_40"),
    ),
    "fashion_anomaly": (
        Figure("AUROC of the VAE’s reconstruction error, MNIST", "vae", "auroc_reconstruction_mnist"),
        Figure("sneakers", "vae", "auroc_reconstruction_left_out"),
    ),
    "mnist_oneclass": (
        Figure("AUROC of the reconstruction error, digit 1", "digit_1", "auroc_reconstruction_other_classes"),
        Figure("digit 8", "digit_8", "auroc_reconstruction_other_classes"),
    ),
    "mnist_cvae": ASKED,
    "fashion_cvae": ASKED,
    "fashion_vqvae": (
        Figure("perplexity of 128 entries", "vq128", "perplexity"),
        Figure("of 512", "vq512", "perplexity"),
    ),
    "sprites": (Figure("MIG at beta_kl 1", "vae", "mig_means"), Figure("at 16", "beta16", "mig_means")),
    "celeba": (
        Figure("prior mass without codes, AE", "ae", "hole_mass"),
        Figure("VAE", "vae", "hole_mass"),
    ),
}


def main() -> None:
    """Write README's column anew."""
    page = ROOT / "README.md"
    page.write_text(filled(page.read_text(encoding="utf-8"), ROOT / "reports"), encoding="utf-8")


def filled(page: str, reports: Path) -> str:
    """The page with the last cell of each row between its marks written anew; the other cells are as they were.

    Raises
    ------
    ValueError : the page lacks a mark, or a row names no study.
    """
    before, start, rest = page.partition(START)
    table, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"README lacks {START} or {END}")
    head, rule, *rows = table.strip().splitlines()
    return "\n".join([f"{before}{START}", head, rule, *(_row(line, reports) for line in rows), f"{END}{after}"])


def _row(line: str, reports: Path) -> str:
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    names = studies(line)
    if not names:
        raise ValueError(f"README: a row of the table of studies names none: {line}")
    found = [outcome(name, reports) for name in names]
    said = (
        found if len(names) == 1 or len(set(found)) == 1 else [f"`{n}`: {w}" for n, w in zip(names, found, strict=True)]
    )
    return f"| {' | '.join([*cells[:-1], '; '.join(dict.fromkeys(said))])} |"


def studies(line: str) -> list[str]:
    """The studies that a row is of: the names in its first cell."""
    return re.findall(r"`(\w+)`", line.strip().strip("|").split("|")[0])


def outcome(name: str, reports: Path) -> str:
    """A sentence with one or two numbers of a study that is committed; of others, that they are not."""
    folder = reports / name
    if not (folder / "metrics.json").exists() or not (folder / "claims.csv").exists():
        return "not committed yet"
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    parts = [
        f"{one.words}: {_written(metrics[one.arm][one.metric]['mean'], one.metric)}"
        for one in FIGURES.get(name, ())
        if metrics.get(one.arm, {}).get(one.metric, {}).get("mean") is not None
    ]
    words = ", ".join(parts) or _tally(pd.read_csv(folder / "claims.csv"))
    link = f"[{words}](reports/{name}.html)"
    params = read_yaml((folder / "params.yaml").read_bytes(), str(folder / "params.yaml"))
    return f"{link}, on reduced data: not evidence" if is_reduced(params) else link


def is_reduced(params: Mapping[str, Any]) -> bool:
    """Whether the study's page draws no verdict: few images, or too few seeds for an interval."""
    return params["data"]["limit"] is not None or len(params["seeds"]) < FEWEST_SEEDS or params["dataset"] == "digits"


def _written(value: float, name: str) -> str:
    metric = METRICS.get(name, Metric(name, name))
    if metric.unit == SHARE:
        return percent(value)
    return f"{number(value)} {metric.unit}" if metric.unit in UNITS else number(value)


def _tally(claims: pd.DataFrame) -> str:
    counts = claims["verdict"].value_counts()
    return f"of {len(claims)} claims {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}"


METRICS = described(every_registered())

if __name__ == "__main__":
    main()
