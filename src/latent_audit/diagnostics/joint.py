"""All dimensions of a code together: distance to N(0, I), multivariate shape, holes, symmetry; each with its chance."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Measure, Metric, share
from latent_audit.diagnostics.chance import tail_p
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.coverage import hole_rows, sign_flips, subsample
from latent_audit.diagnostics.multivariate_shape import henze_zirkler_beta
from latent_audit.diagnostics.null import (
    HOLE_DRAWS,
    HOLES,
    SHAPE_METRICS,
    TWO_SIDED,
    at_rows,
    hole_null,
    hole_value,
    null_table,
    prior_row,
    shape_row,
)
from latent_audit.diagnostics.parallel import single_threaded_blas

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

BAND = (0.025, 0.975)  # quantiles of the null
LEAST_KERNEL = 3.0  # codes, itself not counted, that the kernel about a code should reach under the null
JOINT_ROWS = 25_000  # of more codes a seeded part stands for all: sums over pairs grow with the square
DESCRIBED = (
    Metric("mardia_b1p", "Mardia’s skewness, after whitening", low=0.0),
    Metric("mardia_b2p", "Mardia’s kurtosis, after whitening", low=0.0),
    Metric("henze_zirkler", "Henze–Zirkler, after whitening", low=0.0),
    Metric("mmd2_rbf", "MMD² to N(0, I), bandwidth 1", low=0.0, better="lower"),
    Metric("mmd2_rbf_half_median", "MMD², half the median distance", low=0.0, better="lower"),
    Metric("mmd2_rbf_median", "MMD², the median distance", low=0.0, better="lower"),
    Metric("mmd2_rbf_double_median", "MMD², twice the median distance", low=0.0, better="lower"),
    Metric("energy_d2", "energy distance to N(0, I), squared", low=0.0, better="lower"),
    Metric("sliced_w2", "sliced Wasserstein-2 distance", "code units", 0.0, better="lower"),
    Metric("max_sliced_w2", "largest W2 of a projection", "code units", 0.0, better="lower"),
    share("radius_ks", "KS D of the squared radius to χ²", unit="", better="lower"),
    Metric("gaussian_tc", "dependence of a fitted Gaussian", "nats", 0.0, better="lower"),
    share(
        "hole_fraction", "share of prior draws that land in a hole", better="lower", section="holes",
        title="prior draws in a hole", sentence="a place further from every code than all but 1% of true draws are "
        "from one another",
    ),
    share(
        "hole_fraction_whitened", "share of prior draws in a hole, codes whitened first", better="lower",
        section="holes",
    ),
    Metric("symmetry_energy", "asymmetry about 0, energy distance", low=0.0, section="codes"),
    Metric("rank", "dimensions that vary", low=0.0, section="codes"),
)  # fmt: skip
METRICS = tuple(metric.name for metric in DESCRIBED if metric.name != "rank")


def joint(
    x: Codes | np.ndarray,
    *,
    rng: np.random.Generator,
    calibration_rows: int = 1000,
    draws: int = 199,
    projections: int = 500,
    null_seed: int = 0,
) -> pd.DataFrame:
    """Statistics of the whole code against N(0, I), and of its shape against some multivariate normal.

    Values are over all n rows up to JOINT_ROWS, beyond over a seeded part of so many rows, which then is n in all that
    follows (the hole fractions over `coverage.hole_rows` of them), in tiles, without an n x n array.
    Against N(0, I):
    mmd2_rbf : squared MMD, bandwidth 1, V-statistic; `_half_median`, `_median`, `_double_median` with 1/2, 1 and 2
        times the median distance of two PRIOR draws, so that the bandwidth is the same for every model.
    energy_d2 : squared energy distance 2 E|x - Z| - E|x - x'| - E|Z - Z'| (Székely & Rizzo 2013).
    sliced_w2 : sqrt of the mean over random projections of the exact squared W2 to N(0, 1), in units of the code.
    max_sliced_w2 : the largest W2 over these and up to 64 principal axes: a lower bound of the true maximum.
    radius_ks : Kolmogorov's D of |x|^2 against chi2. hole_fraction : `coverage.holes`.
    Against symmetry, whatever the law: symmetry_energy, `coverage.symmetry_energy` of x against -x; its p and band are
        those of `draws` random sign flips of the calibration rows, not of N(0, I).
    After a fit of mean and 1/n covariance, null directions dropped (`transforms.fit_affine`; the row `rank` says how
    many are left): mardia_b1p, mardia_b2p, henze_zirkler (`multivariate_shape`), gaussian_tc, hole_fraction_whitened.

    Parameters
    ----------
    x : (sample, latent) codes, at least 20 finite rows.
    rng : draws the calibration rows, the projections and the prior draws of the hole fractions.
    calibration_rows, draws, null_seed : chance is `draws` samples of min(n, calibration_rows) true draws of N(0, I),
        from `null_seed`, moved to n rows by `null.at_rows`; they are computed once per process and size.

    Returns
    -------
    Rows in the order of `METRICS`, then `rank`; columns `metric value p_value null_low null_high n_p`. p is of all
    n_p rows that the value is of, upper tail, mardia_b2p two-sided, by `chance.tail_p`; that of symmetry_energy is of
    at most calibration_rows of them. null_low, null_high: 2.5% and 97.5% of the null. Statistics of shape are NaN
    without any spread or with no more rows than dimensions (their p: no more than the calibration has); hole fractions
    beyond 3 dimensions; mmd2_rbf and henze_zirkler where their kernel is too narrow for so many dimensions
    (`_trivial`). `rank` has no p.

    Raises
    ------
    InputError : see `checks.as_codes`; fewer than 20 calibration rows, 19 draws or 1 projection.
    """
    codes = Codes.of(x, where="joint")
    if len(codes) > JOINT_ROWS:
        codes = Codes(subsample(codes.values, JOINT_ROWS, rng=rng))
    if calibration_rows < 20 or draws < 19 or projections < 1:
        raise InputError(
            "joint: needs calibration_rows >= 20, draws >= 19 and projections >= 1, got "
            f"{calibration_rows}, {draws} and {projections}."
        )
    with single_threaded_blas():
        return _joint(codes, rng, calibration_rows, draws, projections, null_seed)


def _joint(codes: Codes, rng, calibration_rows, draws, projections, null_seed) -> pd.DataFrame:
    n, latent_dim = codes.shape
    rank, n_p = codes.whitening.rank, min(n, calibration_rows)
    values = prior_row(codes, rng=rng, projections=projections) | shape_row(codes)
    values |= {metric: np.nan for metric in _trivial(n, latent_dim, rank)}
    values |= {metric: hole_value(codes, metric, rng=rng, seed=null_seed) for metric in HOLES}
    nulls = {"prior": (latent_dim, null_table("prior", n_p, latent_dim, draws, projections, null_seed))}
    if 0 < rank < n_p:
        nulls["shape"] = (rank, null_table("shape", n_p, rank, draws, projections, null_seed))
    rows = {metric: _row(metric, values[metric], nulls, n, n_p) for metric in METRICS if metric not in HOLES}
    for metric, of in zip(HOLES, (latent_dim, rank), strict=True):
        rows[metric] = hole_row(metric, values[metric], n, of, min(draws, HOLE_DRAWS), null_seed)
    used = subsample(codes.values, calibration_rows, rng=rng)
    observed, flipped = sign_flips(used, rng=rng, flips=draws)
    low, high = np.quantile(at_rows("symmetry_energy", flipped, n_p=len(used), n=n, latent_dim=latent_dim), BAND)
    rows["symmetry_energy"] |= {
        "p_value": tail_p(observed, flipped), "null_low": float(low), "null_high": float(high), "n_p": len(used),
    }  # fmt: skip
    return pd.DataFrame([*(rows[metric] for metric in METRICS), _bare_row("rank", float(rank), n)])


def _trivial(n: int, latent_dim: int, rank: int) -> list[str]:
    """Statistics whose kernel sees next to nothing but each code itself: their value is the same whatever the codes."""
    beta2 = henze_zirkler_beta(n, max(rank, 1)) ** 2
    pairs = {"mmd2_rbf": n * 3.0 ** (-latent_dim / 2), "henze_zirkler": n * (1 + 2 * beta2) ** (-rank / 2)}
    return [metric for metric, kernel in pairs.items() if kernel < LEAST_KERNEL]


def _row(metric: str, value: float, nulls: dict, n: int, n_p: int) -> dict:
    kind = "shape" if metric in SHAPE_METRICS else "prior"
    if kind not in nulls or np.isnan(value) or metric == "symmetry_energy":
        return _bare_row(metric, value, n)
    null_dim, table = nulls[kind]
    null = at_rows(metric, table[metric], n_p=n_p, n=n, latent_dim=null_dim)
    return _bare_row(metric, value, n) | _against(value, null, metric)


def hole_row(metric: str, value: float, n: int, latent_dim: int, draws: int, seed: int) -> dict:
    """The row of a count of balls among n codes, with its chance; NaN stays bare."""
    rows = hole_rows(n, latent_dim)
    if np.isnan(value):
        return _bare_row(metric, value, n)
    return _bare_row(metric, value, rows) | _against(value, hole_null(metric, rows, latent_dim, draws, seed), metric)


def _against(value: float, null: np.ndarray, metric: str) -> dict:
    if np.isnan(null).any():
        return {}
    low, high = np.quantile(null, BAND)
    p = tail_p(value, null, two_sided=metric in TWO_SIDED)
    return {"p_value": p, "null_low": float(low), "null_high": float(high)}


def _bare_row(metric: str, value: float, n_p: int) -> dict:
    nothing = dict.fromkeys(("p_value", "null_low", "null_high"), np.nan)
    return {"metric": metric, "value": value, **nothing, "n_p": n_p}


def _rows(subject: "Subject") -> pd.DataFrame:
    settings = subject.settings
    return joint(
        subject.codes, rng=subject.rng("joint"), calibration_rows=settings.null_rows, draws=settings.null_draws,
        null_seed=subject.seed,
    )  # fmt: skip


MEASURE = Measure("joint", needs=frozenset(), metrics=DESCRIBED, rows=_rows, order=10)
