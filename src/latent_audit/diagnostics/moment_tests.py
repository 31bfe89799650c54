"""Mean, variance and correlation of all codes against N(0, I): tests whose law is known exactly, at any n and d.

What the distances of `joint` blur over many dimensions stands out here: a variance of 0.9 in one dimension of fifty.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from latent_audit.base.measures import Measure, Metric
from latent_audit.diagnostics.chance import best_of
from latent_audit.diagnostics.codes import Codes

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

SAME = 1 - 1e-10  # a correlation from here on is a copy, up to rounding
DESCRIBED = (
    Metric("mean_max", "largest mean of a dimension, either sign", "code units", 0.0, better="lower"),
    Metric("mean_length", "distance of the mean from 0", "code units", 0.0, better="lower"),
    Metric("log_sd_max", "|ln sd| of the dimension whose sd is furthest from 1", low=0.0, better="lower"),
    Metric("mean_square", "mean square of a coordinate (1 under N(0, I))", low=0.0),
    Metric("correlation_max", "largest correlation of two dimensions, either sign", low=0.0, high=1.0, better="lower"),
    Metric(
        "correlation_rms", "root mean square of the correlations of two dimensions", low=0.0, high=1.0, better="lower"
    ),
    Metric("duplicate_dims", "dimensions that copy an earlier one, or its negative", low=0.0, better="lower"),
)
COLUMNS = ("metric", "value", "p_value", "null_low", "null_high", "n_p", "where")


def moment_tests(x: Codes | np.ndarray) -> pd.DataFrame:
    """Exact tests of the first two moments under N(0, I), each over all dimensions at once.

    mean_max : max |mean_j|, sqrt(n) mean_j is N(0, 1); the largest of d by Šidák, exactly. mean_length : |mean|, n
        times its square is chi2 with d degrees of freedom.
    log_sd_max : max |ln sd_j| (ddof 1), (n - 1) sd^2 is chi2 with n - 1, two-sided, the smallest p by Šidák.
    mean_square : mean of all coordinates' squares; times n d it is chi2 with n d, two-sided.
    correlation_max : max |r_jk|; r sqrt((n - 2) / (1 - r^2)) is Student's t with n - 2, pairs are independent two by
        two; the largest of all pairs by Šidák.
    correlation_rms : root mean of r_jk^2; their sum is asymptotically normal with an exact mean and variance, as r^2 is
        Beta(1/2, (n - 2)/2) (Schott 2005, Biometrika 92). From 10 pairs on.
    duplicate_dims : dimensions with |r| = 1 to an earlier one.

    Returns
    -------
    Rows in the order of DESCRIBED; COLUMNS as those of `joint.joint` and `where`: the dimension, or two, in question
    ("3" or "0, 1"), "" where it is all of them. Constant dimensions have log_sd inf and no correlation.

    Raises
    ------
    InputError : see `checks.as_codes`.
    """
    codes = Codes.of(x, where="moment_tests")
    n, values = len(codes), codes.values
    mean, square = values.mean(axis=0), float((values * values).sum())
    rows = [*_means(mean, n), *_spreads(values, mean, square), *_correlations(codes)]
    table = pd.DataFrame(rows, columns=["metric", "value", "p_value", "where"])
    table[["null_low", "null_high"]] = np.nan
    return table.assign(n_p=n)[list(COLUMNS)]


def _means(mean: np.ndarray, n: int) -> list[tuple]:
    worst = int(np.abs(mean).argmax())
    logs = np.log(2) + stats.norm.logsf(np.sqrt(n) * np.abs(mean))
    length = float(np.sqrt((mean * mean).sum()))
    return [
        ("mean_max", float(np.abs(mean[worst])), best_of(logs), str(worst)),
        ("mean_length", length, float(stats.chi2.sf(n * length**2, len(mean))), ""),
    ]


def _spreads(values: np.ndarray, mean: np.ndarray, square: float) -> list[tuple]:
    n, d = values.shape
    variance = ((values - mean) ** 2).sum(axis=0) / (n - 1)
    with np.errstate(divide="ignore"):
        log_sd = 0.5 * np.log(variance)
    worst = int(np.abs(log_sd).argmax())
    return [
        ("log_sd_max", float(np.abs(log_sd[worst])), best_of(_two_sided((n - 1) * variance, n - 1)), str(worst)),
        ("mean_square", square / (n * d), float(np.exp(_two_sided(np.array([square]), n * d)[0])), ""),
    ]


def _two_sided(value: np.ndarray, freedom: int) -> np.ndarray:
    """ln of twice the smaller side of chi2, at most 0."""
    sides = np.minimum(stats.chi2.logsf(value, freedom), stats.chi2.logcdf(value, freedom))
    return np.minimum(np.log(2) + sides, 0.0)


def correlations(codes: Codes) -> tuple[np.ndarray, np.ndarray]:
    """(moving, moving) correlations of the dimensions that vary, and which they are."""
    moving = np.flatnonzero((codes.standardised != 0).any(axis=0))
    standard = codes.standardised[:, moving]
    return np.clip(standard.T @ standard / len(codes), -1, 1), moving


def _correlations(codes: Codes) -> list[tuple]:
    n = len(codes)
    r, moving = correlations(codes)
    k = len(moving)
    if k < 2:
        return []
    first, second = np.triu_indices(k, 1)
    pairs = np.abs(r[first, second])
    worst = int(pairs.argmax())
    copies = len({int(j) for i, j in zip(first[pairs > SAME], second[pairs > SAME], strict=True)})
    with np.errstate(divide="ignore"):
        t = pairs * np.sqrt((n - 2) / np.maximum(1 - pairs**2, 0.0))
    logs = np.log(2) + stats.t.logsf(t, n - 2)
    rms = float(np.sqrt((pairs**2).mean()))
    where = f"{moving[first[worst]]}, {moving[second[worst]]}"
    return [
        ("correlation_max", float(pairs[worst]), 0.0 if copies else best_of(logs), where),
        ("correlation_rms", rms, _rms_p(pairs, n), ""),
        ("duplicate_dims", float(copies), np.nan, where if copies else ""),
    ]


def _rms_p(pairs: np.ndarray, n: int) -> float:
    if len(pairs) < 10:
        return float("nan")
    mean, variance = 1 / (n - 1), 2 * (n - 2) / ((n - 1) ** 2 * (n + 1))
    return float(stats.norm.sf(((pairs**2).mean() - mean) / np.sqrt(variance / len(pairs))))


def _rows(subject: "Subject") -> pd.DataFrame:
    return moment_tests(subject.codes)


MEASURE = Measure("moments", needs=frozenset(), metrics=DESCRIBED, rows=_rows, order=12)
