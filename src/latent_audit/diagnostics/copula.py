"""Dependence of any shape between two dimensions: how often their quartiles meet, over all pairs at once."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from latent_audit.base.measures import Measure, share
from latent_audit.diagnostics.chance import best_of
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.coverage import subsample
from latent_audit.diagnostics.parallel import single_threaded_blas

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

MOST_DIMENSIONS = 512  # all pairs of more take too much memory
ROWS = 25_000
PER_CELL = 50  # codes to be expected in a cell, so that chi2 holds far out
LEAST_ROWS = 9 * PER_CELL  # with 2 x 2 cells of few codes it does not: p would be half of what it is


def bins_of(n: int) -> int:
    """Into how many parts of equally many codes a dimension is cut: four, or three."""
    return 4 if n >= 16 * PER_CELL else 3


def copula(x: Codes | np.ndarray, *, rng: np.random.Generator) -> pd.DataFrame:
    """Whether two dimensions depend on each other, however: the worst pair by the cells of their quantiles.

    Each dimension is cut into k = 4 (n >= 800) or 3 parts of equally many codes, which leaves the copula alone. For
    every pair the k x k table is held against independence by Pearson's chi2; its effect size is V = sqrt(chi2 / (n (k
    - 1))) (Cramér 1946, section 21.9), 0 to 1. A checkerboard, a hole in a plane or a ring shows here, in whichever of
    all planes, where correlations show nothing.

    Returns
    -------
    One row `copula_max`, the largest V; columns as those of `moment_tests.moment_tests`; p of the largest chi2 of all
    pairs by Šidák, as tables that share a dimension are independent of each other in the limit; `where`: the pair. No
    row for fewer than 450 codes, for one dimension that varies, or for more than 512. At most 25,000 codes are used.
    """
    codes = Codes.of(x, where="copula").values
    used = subsample(codes, ROWS, rng=rng)
    moving = np.flatnonzero(np.ptp(used, axis=0) > 0)
    columns = ["metric", "value", "p_value", "null_low", "null_high", "n_p", "where"]
    if len(used) < LEAST_ROWS or not 2 <= len(moving) <= MOST_DIMENSIONS:
        return pd.DataFrame(columns=columns)
    n, k = len(used), bins_of(len(used))
    with single_threaded_blas():
        square = pair_statistics(used[:, moving], k)
    first, second = np.triu_indices(len(moving), 1)
    pairs = square[first, second]
    worst = int(pairs.argmax())
    p = best_of(stats.chi2.logsf(pairs, (k - 1) ** 2))
    value = float(np.sqrt(min(1.0, pairs[worst] / (n * (k - 1)))))
    where = f"{moving[first[worst]]}, {moving[second[worst]]}"
    return pd.DataFrame([("copula_max", value, p, np.nan, np.nan, n, where)], columns=columns)


def pair_statistics(x: np.ndarray, k: int) -> np.ndarray:
    """(latent, latent) Pearson's chi2 of the k x k tables of every two dimensions; ties stay in one cell."""
    n, d = x.shape
    cuts = np.quantile(x, np.arange(1, k) / k, axis=0)
    cell = (x[None] > cuts[:, None]).sum(axis=0)
    member = (cell[:, :, None] == np.arange(k)).reshape(n, d * k).astype(np.float32)
    counts = (member.T @ member).astype(np.float64)  # exact below 2^24
    of_cell = np.diagonal(counts)
    expected = np.outer(of_cell, of_cell) / n
    off = np.divide((counts - expected) ** 2, expected, out=np.zeros_like(counts), where=expected > 0)
    return off.reshape(d, k, d, k).sum(axis=(1, 3))


def _rows(subject: "Subject") -> pd.DataFrame | None:
    if subject.code != "z":
        return None
    rows = copula(subject.codes, rng=subject.rng("copula"))
    return rows if len(rows) else None


MEASURE = Measure(
    "copula",
    needs=frozenset(),
    metrics=(
        share(
            "copula_max", "largest dependence of two dimensions of any shape (Cramér’s V of their quartiles)", unit="",
            better="lower", sentence="0 where they are independent, 1 where one tells the other’s quartile",
        ),
    ),
    rows=_rows,
    order=13,
)  # fmt: skip
