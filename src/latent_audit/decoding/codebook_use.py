"""A discrete code of a trained model: how its codebook is used, what a grid costs in bits, and how well it rebuilds.

The normalised squared error is the published one: squared error over the variance of the pixels.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from latent_audit.base.measures import Measure, Metric
from latent_audit.decoding.conditioned import is_discrete
from latent_audit.diagnostics.codebook import MEASURE as OF_INDICES
from latent_audit.diagnostics.codebook import codebook
from latent_audit.diagnostics.grid_prior import PRIORS, GridPrior, fit, log_probability
from latent_audit.diagnostics.ground_truth import Indices
from latent_audit.models.autoencoder import Autoencoder
from latent_audit.models.families.vqvae import settings_of

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

SECTION = "codebook"
PRIOR_ROWS = 2_000  # of the test split, whose probability is asked
WORDS = {
    "uniform": "entries drawn evenly",
    "marginal": "entries drawn by the frequencies of their place",
    "autoregressive": "entries drawn after their left and upper neighbours",
}


def entries_of(model: Autoencoder) -> int:
    """Size of the codebook."""
    return int(settings_of(model.spec)["entries"])


def prior_of(model: Autoencoder, codes: Mapping[str, np.ndarray]) -> GridPrior:
    """The counts of the training grids, whose rows are as long as the square grid's side (or the whole, if none is)."""
    indices = np.rint(codes["train_z"]).astype(np.int64)
    side = round(indices.shape[1] ** 0.5)
    return fit(indices, entries_of(model), side if side * side == indices.shape[1] else indices.shape[1])


def normalised_error(mse: np.ndarray, images: np.ndarray) -> float:
    """Mean squared error per pixel over the variance of all pixels of the images (uint8), pixels in [0, 1]."""
    variance = float((images.astype(np.float64) / 255).var())
    return float(mse.mean()) / variance if variance > 0 else float("nan")


def _rows(subject: "DecoderSubject") -> dict[str, float] | None:
    """None for a code that is not discrete."""
    if not is_discrete(subject.model):
        return None
    indices = np.rint(subject.codes["z"]).astype(np.int64)
    checked = Indices.of(indices, entries_of(subject.model), where="codebook")
    table = codebook(checked, rng=subject.rng("codebook"))
    found = {str(row["metric"]): float(row["value"]) for row in table.to_dict("records")}
    prior = prior_of(subject.model, subject.codes)
    asked = indices[:PRIOR_ROWS]
    bits = {f"bits_{kind}": -float(log_probability(prior, asked, kind).mean()) / np.log(2) for kind in PRIORS}
    return found | bits | {"normalised_error": normalised_error(subject.codes["mse"], subject.images["test"])}


MEASURE = Measure(
    "codebook_use",
    needs=frozenset({"decoder", "train"}),
    metrics=(
        *OF_INDICES.metrics,
        *(Metric(f"bits_{kind}", f"test grids under a prior of {words}", "bits", 0.0, better="lower", section=SECTION)
          for kind, words in WORDS.items()),
        Metric("normalised_error", "squared error over the variance of the pixels", low=0.0, better="lower",
               section=SECTION),
    ),
    rows=_rows,
    table="codebook",
    order=78,
)  # fmt: skip
