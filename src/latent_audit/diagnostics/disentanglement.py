"""What the measures of disentanglement share: codes beside the factors that made the samples, and what chance gives.

The scores are of the means mu where there are any, as published ones are, else of z. Columns stand in an order of their
own, so that no score depends on the order in which dimensions or factors were given.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

TABLE, SECTION = "disentanglement", "disentanglement"
MOST_ROWS = 10_000  # as in the published evaluations
MOST_NUMBERS = 1_000_000  # rows x dimensions of what learns or looks for neighbours


class Grounded(NamedTuple):
    """codes (sample, latent) and the factors of the same samples, each 0..n_values - 1."""

    codes: Float[np.ndarray, "sample latent"]
    factors: Int[np.ndarray, "sample factor"]

    def rows(self, index: np.ndarray) -> "Grounded":
        """Some of the samples."""
        return Grounded(self.codes[index], self.factors[index])

    def halves(self, rng: np.random.Generator) -> tuple["Grounded", "Grounded"]:
        """Two halves to fit on and to score, of at most a million numbers together."""
        most = max(200, MOST_NUMBERS // self.codes.shape[1])
        order = rng.permutation(len(self.codes))[:most]
        return self.rows(order[::2]), self.rows(order[1::2])


Score = Callable[[Grounded, np.random.Generator], Mapping[str, float]]


def grounded(codes: np.ndarray, factors: np.ndarray) -> Grounded:
    """Codes and factors, the columns of both in an order of their own: by their values, row after row."""
    return Grounded(_ordered(codes), _ordered(factors))


def kept_rows(subject: "Subject") -> np.ndarray:
    """The samples that are scored: all, or a seeded 10,000 in their order."""
    n = len(subject.codes)
    order = subject.rng(TABLE, "rows").permutation(n)[:MOST_ROWS] if n > MOST_ROWS else np.arange(n)
    return np.sort(order)


def scored(subject: "Subject", score: Score, *purpose: str, note: str = "") -> pd.DataFrame:
    """Rows metric, value, chance, code, note of a score; chance is the same with the factors dealt out anew."""
    assert subject.factors is not None
    rows = kept_rows(subject)
    given = grounded(subject.codes.values[rows], subject.factors.index[rows])
    dealt = given._replace(factors=given.factors[subject.rng(TABLE, "chance").permutation(len(rows))])
    found, chance = (dict(score(data, subject.rng(TABLE, *purpose))) for data in (given, dealt))
    return as_rows(found, chance, subject.code, note)


def as_rows(found: Mapping[str, float], chance: Mapping[str, float], code: str, note: str) -> pd.DataFrame:
    """The columns of disentanglement.csv."""
    rows = [(name, float(value), float(chance[name]), code, note) for name, value in found.items()]
    return pd.DataFrame(rows, columns=["metric", "value", "chance", "code", "note"])


def gap(table: Float[np.ndarray, "latent factor"]) -> Float[np.ndarray, " factor"]:
    """How far the largest of each column is above the second; of a single dimension, above nothing."""
    ordered = np.sort(table, axis=0)[::-1]
    return ordered[0] - (ordered[1] if len(ordered) > 1 else 0.0)


def _ordered(columns: np.ndarray) -> np.ndarray:
    order = sorted(range(columns.shape[1]), key=lambda j: np.ascontiguousarray(columns[:, j]).tobytes())
    return columns[:, order]
