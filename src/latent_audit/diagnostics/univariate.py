"""Each dimension of a code on its own: distance to N(0, 1), shape, and the tests of both null hypotheses.

"Is N(0, 1)" (ks, cvm, ad) fixes the parameters; "is some normal" (shapiro, k2, jb) does not.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from latent_audit.base.errors import InputError
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.goodness_of_fit import (
    ad_log_p,
    ad_statistic,
    cvm_log_p,
    cvm_statistic,
    ks_log_p,
    ks_statistic,
)
from latent_audit.diagnostics.shape_tests import jb_log_p, jb_statistic, k2_log_p, k2_statistic, shapiro_log_p
from latent_audit.diagnostics.ties import CONTINUOUS_TESTS, ties
from latent_audit.diagnostics.wasserstein import w1_to_normal, w2_to_normal

SHAPIRO_ROWS = 5000  # Royston's approximation is fitted up to here
CONSTANT_TOLERANCE = 1e-12  # a range below this share of the largest value is rounding, not spread
TESTS = ("ks_p", "cvm_p", "ad_p", "shapiro_p", "k2_p", "jb_p")
_COLUMNS_AT_ONCE = 2**22  # values per block, 32 MiB of float64


def per_dimension(x: Codes | np.ndarray, *, rng: np.random.Generator) -> pd.DataFrame:
    """One row per latent dimension: moments, effect sizes and tests of normality.

    Parameters
    ----------
    x : (sample, latent) codes, at least 20 finite rows.
    rng : draws the rows of the Shapiro-Wilk subsample, the same rows for every dimension (all rows if n <= 5000).

    Returns
    -------
    Columns `dim n kind distinct effective_distinct mean std skew excess_kurtosis ks_d ks_p cvm_w2 cvm_p ad_a2 ad_p w1
    w2 shapiro_w shapiro_p k2 k2_p jb jb_p`, and `log10_<p>` of each p, which stays finite where p itself underflows.
    Moments are 1/n (std ddof 0, biased skew and excess kurtosis). `w1`, `w2` in units of the code. `distinct` is the
    number of different values. `kind` is "constant", "duplicate" (equal to an earlier dimension in every row), one of
    "binary", "discrete", "rounded" and "tied" (see `ties.ties`), or "continuous". A constant dimension has no shape, so
    its skew, excess_kurtosis, shapiro, k2 and jb columns are NaN, while its distances to N(0, 1) are defined and given.
    Where values repeat more than rounding explains, ks_p, cvm_p, ad_p and shapiro_p, which are of a continuous law, are
    NaN; the statistics are given.

    Raises
    ------
    InputError : see `checks.as_codes`.

    References
    ----------
    Sources of each statistic: `goodness_of_fit`, `shape_tests`, `wasserstein`; Shapiro & Wilk (1965).
    """
    codes = Codes.of(x, where="per_dimension").values
    n, latent_dim = codes.shape
    subsample = np.sort(rng.choice(n, SHAPIRO_ROWS, replace=False)) if n > SHAPIRO_ROWS else np.arange(n)
    width = max(1, _COLUMNS_AT_ONCE // n)
    blocks = [_block(codes[:, i : i + width], subsample) for i in range(0, latent_dim, width)]
    table = pd.concat(blocks, ignore_index=True)
    table.insert(0, "dim", np.arange(latent_dim))
    table.insert(1, "n", n)
    by_ties = pd.Series(table.pop("kind"))
    table.insert(2, "kind", by_ties.where(pd.Series(kinds(codes)) == "continuous", kinds(codes)))
    return table


def kinds(x: np.ndarray) -> list[str]:
    """ "constant", "duplicate" (of an earlier column, every row equal) or "continuous" for each column of x."""
    seen: set[bytes] = set()
    names = []
    for column, flat in zip(x.T, is_constant(x), strict=True):
        key = np.ascontiguousarray(column + 0.0).tobytes()  # + 0.0 makes -0.0 equal 0.0
        names.append("constant" if flat else "duplicate" if key in seen else "continuous")
        seen.add(key)
    return names


def is_constant(x: np.ndarray) -> np.ndarray:
    """True for the columns whose range is nothing but rounding (below 1e-12 of the largest value)."""
    return np.ptp(x, axis=0) <= CONSTANT_TOLERANCE * np.abs(x).max(axis=0)


def _block(codes: np.ndarray, subsample: np.ndarray) -> pd.DataFrame:
    n = len(codes)
    ordered, constant = np.sort(codes, axis=0), is_constant(codes)
    of_ties = pd.DataFrame([ties(column) for column in ordered.T])
    found = distances(ordered) | moments(codes)
    found["shapiro_w"] = _shapiro_w(codes, subsample, constant)
    found["k2"] = k2_statistic(found["skew"], found["excess_kurtosis"], n)
    found["jb"] = jb_statistic(found["skew"], found["excess_kurtosis"], n)
    logs = {
        "ks_p": ks_log_p(found["ks_d"], n),
        "cvm_p": cvm_log_p(found["cvm_w2"], n),
        "ad_p": ad_log_p(found["ad_a2"], n),
        "shapiro_p": shapiro_log_p(found["shapiro_w"], len(subsample)),
        "k2_p": k2_log_p(found["k2"], n),
        "jb_p": jb_log_p(found["jb"], n),
    }
    not_continuous = (of_ties["kind"] != "continuous").to_numpy() & ~constant
    logs |= {name: np.where(not_continuous, np.nan, logs[name]) for name in CONTINUOUS_TESTS}
    columns = found | {name: np.exp(value) for name, value in logs.items()}
    order = ["mean", "std", "skew", "excess_kurtosis", "ks_d", "ks_p", "cvm_w2", "cvm_p", "ad_a2", "ad_p", "w1", "w2"]
    order += ["shapiro_w", "shapiro_p", "k2", "k2_p", "jb", "jb_p"]
    table = pd.concat([of_ties, pd.DataFrame({name: columns[name] for name in order})], axis=1)
    return table.assign(**{f"log10_{name}": logs[name] / np.log(10) for name in TESTS})


def distances(ordered: np.ndarray) -> dict[str, np.ndarray]:
    """ks_d, cvm_w2, ad_a2, w1 and w2 to N(0, 1) per column of the sorted (sample, latent) array."""
    return {
        "ks_d": ks_statistic(ordered),
        "cvm_w2": cvm_statistic(ordered),
        "ad_a2": ad_statistic(ordered),
        "w1": w1_to_normal(ordered),
        "w2": w2_to_normal(ordered),
    }


def moments(x: np.ndarray) -> dict[str, np.ndarray]:
    """mean, std (ddof 0), biased skew g1 and biased excess kurtosis g2 per column; g1, g2 NaN where constant."""
    mean = x.mean(axis=0)
    std = np.where(is_constant(x), 0.0, x.std(axis=0))
    standard = (x - mean) / np.where(std > 0, std, np.nan)
    square = standard * standard
    skew, kurtosis = (square * standard).mean(axis=0), (square * square).mean(axis=0)
    return {"mean": mean, "std": std, "skew": skew, "excess_kurtosis": kurtosis - 3.0}


def _shapiro_w(codes: np.ndarray, subsample: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """Shapiro-Wilk's W per column, of the rows of the subsample; NaN where they are constant."""
    w = np.full(codes.shape[1], np.nan)
    for j in np.flatnonzero(~constant):
        if not (std := codes[:, j].std()) > 0:  # so small that its square is 0
            continue
        drawn = ((codes[:, j] - codes[:, j].mean()) / std)[subsample]
        w[j] = np.nan if np.ptp(drawn) == 0 else stats.shapiro(drawn).statistic
    return w


BANDED = ("ks_d", "w1", "w2", "mean", "std", "skew", "excess_kurtosis")


def null_band(
    n: int, statistics: Sequence[str] = BANDED, *, rng: np.random.Generator, draws: int = 1000
) -> pd.DataFrame:
    """The range that a statistic of one dimension has by chance alone: n independent draws of N(0, 1), `draws` times.

    Returns
    -------
    One row per statistic: `statistic`, `null_low`, `null_high` (2.5% and 97.5% quantiles), `n`, `draws`.

    Raises
    ------
    InputError : an unknown statistic, fewer than 20 rows or 40 draws.
    """
    known = ("cvm_w2", "ad_a2", *BANDED)
    if unknown := [name for name in statistics if name not in known]:
        raise InputError(f"null_band: unknown statistics {unknown}; choose from {list(known)}.")
    if n < 20 or draws < 40:
        raise InputError(f"null_band: needs n >= 20 rows and draws >= 40, got n={n}, draws={draws}.")
    width = max(1, _COLUMNS_AT_ONCE // n)
    blocks = []
    for start in range(0, draws, width):
        normal = rng.standard_normal((n, min(width, draws - start)))
        normal.sort(axis=0)
        blocks.append(pd.DataFrame(distances(normal) | moments(normal)))
    quantiles = pd.concat(blocks)[list(statistics)].quantile([0.025, 0.975])
    return pd.DataFrame(
        {
            "statistic": list(statistics),
            "null_low": quantiles.iloc[0].to_numpy(),
            "null_high": quantiles.iloc[1].to_numpy(),
            "n": n,
            "draws": draws,
        }
    )
