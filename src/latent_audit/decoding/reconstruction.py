"""What a replicate's own last epoch and its stored draws say of how well it reconstructs the test images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.measures import Measure, Metric

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

SECTION = "reconstructions"
ELBO = Metric("elbo", "evidence lower bound", "nats per image", better="higher", section=SECTION)
LAST_EPOCH = {"recon_nll": "recon_nll", "kl_test": "kl", "elbo": "elbo", "objective": "objective"}


def reconstruction_table(codes: Mapping[str, np.ndarray], history: pd.DataFrame) -> pd.DataFrame:
    """Rows metric, value of the test split in nats per image: recon_nll, kl_test, elbo, objective; bce, mse per pixel.

    The first four are those of the last epoch's evaluation, as far as the family has such terms; bce and mse are those
    of the stored z.

    Parameters
    ----------
    history : of one replicate; columns epoch, split, and those of the terms.
    """
    last = history[history["split"] == "test"].sort_values("epoch").iloc[-1]
    rows = [(name, float(last[column])) for name, column in LAST_EPOCH.items() if column in last]
    rows += [(name, float(codes[name].mean())) for name in ("bce", "mse")]
    return pd.DataFrame(rows, columns=["metric", "value"])


def _rows(subject: "DecoderSubject") -> pd.DataFrame:
    return reconstruction_table(subject.codes, subject.history)


MEASURE = Measure(
    "reconstruction",
    needs=frozenset({"decoder"}),
    metrics=(
        Metric("recon_nll", "reconstruction error", "nats per image", better="lower", section=SECTION,
               title="reconstruction"),
        Metric("kl_test", "KL of the posterior, on the test split", "nats per image", 0.0, section=SECTION),
        ELBO,
        Metric("objective", "what training minimises, on the test split", better="lower", section=SECTION),
        Metric("bce", "binary cross-entropy", "nats per pixel", 0.0, better="lower", section=SECTION),
        Metric("mse", "squared error per pixel", low=0.0, better="lower", section=SECTION),
    ),
    rows=_rows,
    table="reconstruction",
    order=70,
)  # fmt: skip
