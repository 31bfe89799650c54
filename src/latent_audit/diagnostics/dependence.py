"""Dependence that correlation does not see: of the squares of two dimensions, and of three dimensions at once."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.measures import Measure, Metric
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.chance import tail_p
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.parallel import in_order, single_threaded_blas

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

MOST_OF_THREE = 64  # dimensions up to which all triples are looked at; 41,664 of them
WIDE, FEWER_DRAWS = 512, 49  # dimensions beyond which chance is of fewer draws, each of which costs their square
ROWS = 25_000  # of more codes, every k-th
DESCRIBED = (
    Metric(
        "square_correlation_max", "largest correlation of the squares of two dimensions, either sign", low=0.0,
        high=1.0, better="lower",
    ),
    Metric("triple_moment_max", "largest mean product of three standardised dimensions, either sign", low=0.0,
           better="lower"),
)  # fmt: skip


def dependence(
    x: Codes | np.ndarray, *, draws: int = 199, null_rows: int = 1000, null_seed: int = 0, kept: int = ROWS
) -> pd.DataFrame:
    """The worst pair and the worst triple of dimensions, against independent normal ones.

    square_correlation_max : max over pairs of |corr(x_j^2, x_k^2)|, which is 0 for independent dimensions and is not
        for a sphere or for dimensions that grow and shrink together. triple_moment_max : max over triples of |mean x_i
        x_j x_k| of standardised dimensions, up to 64 dimensions: three that are independent two by two need not be
        independent (the parity of three). The smooth tests of Neyman (1937) of order two and three.

    p : by `draws` draws of N(0, I) of min(n, null_rows) rows, the statistics times the root of n: at more rows their
    tails are lighter, so that p errs towards 1. Returns rows as `moment_tests.moment_tests`; none below two dimensions.
    """
    codes = Codes.of(x, where="dependence")
    if len(codes) > kept:
        codes = codes.rows(slice(None, None, -(-len(codes) // kept)))
    n = len(codes)
    draws = draws if codes.shape[1] <= WIDE else min(draws, FEWER_DRAWS)
    with single_threaded_blas():
        found = worst(codes)
        null = null_values(min(n, null_rows), codes.shape[1], draws, null_seed)
    scale = np.sqrt(min(n, null_rows) / n)
    rows = [
        (
            name, value, tail_p(value, null[name] * scale), *np.quantile(null[name] * scale, [0.025, 0.975]), n,
            ", ".join(map(str, where)),
        )
        for name, (value, where) in found.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["metric", "value", "p_value", "null_low", "null_high", "n_p", "where"])


def worst(codes: Codes) -> dict[str, tuple[float, tuple[int, ...]]]:
    """Each statistic and the dimensions that it is of; those that vary alone are looked at."""
    moving = np.flatnonzero((codes.standardised != 0).any(axis=0))
    x = codes.standardised[:, moving]
    n, d = x.shape
    made: dict[str, tuple[float, tuple[int, ...]]] = {}
    if d < 2:
        return made
    square = x * x
    square = square - square.mean(axis=0)
    norm = np.sqrt((square * square).mean(axis=0))
    square = np.divide(square, norm, out=np.zeros_like(square), where=norm > 1e-12)
    both = np.abs(np.triu(square.T @ square / n, 1))
    pair = np.unravel_index(int(both.argmax()), both.shape)
    made["square_correlation_max"] = (min(1.0, float(both[pair])), tuple(int(moving[i]) for i in pair))
    if 3 <= d <= MOST_OF_THREE:
        value, triple = _triple(x)
        made["triple_moment_max"] = (value, tuple(int(moving[i]) for i in triple))
    return made


def _triple(x: np.ndarray) -> tuple[float, tuple[int, int, int]]:
    """Over i < j < k: one matrix product of x_i x_j (j > i) with x for every i."""
    n, d = x.shape
    largest, where = -1.0, (0, 1, 2)
    for i in range(d - 2):
        products = np.abs((x[:, i, None] * x[:, i + 1 :]).T @ x[:, i + 1 :]) / n
        products = np.triu(products, 1)
        j, k = np.unravel_index(int(products.argmax()), products.shape)
        if products[j, k] > largest:
            largest, where = float(products[j, k]), (i, i + 1 + int(j), i + 1 + int(k))
    return largest, where


@lru_cache(maxsize=16)
def null_values(n: int, latent_dim: int, draws: int, seed: int) -> dict[str, np.ndarray]:
    """The statistics of `draws` samples of N(0, I); read only, computed once per size and seed."""

    def draw(number: int) -> dict[str, float]:
        rng = rng_for(seed, "dependence-null", str(n), str(latent_dim), str(number))
        return {name: value for name, (value, _) in worst(Codes(rng.standard_normal((n, latent_dim)))).items()}

    rows = in_order(draw, range(draws))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _rows(subject: "Subject") -> pd.DataFrame | None:
    if subject.code != "z":
        return None
    settings = subject.settings
    rows = dependence(subject.codes, draws=settings.null_draws, null_rows=settings.null_rows, null_seed=subject.seed)
    return rows if len(rows) else None


MEASURE = Measure("dependence", needs=frozenset(), metrics=DESCRIBED, rows=_rows, order=14)
