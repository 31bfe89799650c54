"""All dimensions of a code together: distance to N(0, I), multivariate shape, holes, symmetry; each with its chance."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Measure, Metric, share
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.coverage import sign_flips, subsample
from latent_audit.diagnostics.null import SHAPE_METRICS, monte_carlo_p, null_band, null_table, prior_row, shape_row
from latent_audit.diagnostics.parallel import single_threaded_blas

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

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
    calibration_rows, draws, null_seed : p is of a seeded subsample of n_p = min(n, calibration_rows) rows against
        `draws` samples of n_p true draws of N(0, I) from `null_seed`; these are computed once per process and size.

    Returns
    -------
    Rows in the order of `METRICS`, then `rank`; columns `metric value p_value null_low null_high n_p`. p = (1 + #{null
    >= observed}) / (draws + 1), upper tail, mardia_b2p two-sided; its floor is 1 / (draws + 1). null_low, null_high:
    2.5% and 97.5% of the null at all n rows, extrapolated from n_p by `null.null_band`. Statistics of shape are NaN
    without any spread or with no more rows than dimensions (their p: no more than n_p); `rank` has no p.

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
    rank = codes.whitening.rank
    used = codes if n <= calibration_rows else Codes(subsample(codes.values, calibration_rows, rng=rng))
    options = {"projections": projections, "seed": null_seed}
    values = prior_row(codes, rng=rng, **options) | shape_row(codes, rng=rng, seed=null_seed)
    observed = dict(values)
    if len(used) < n:
        observed = prior_row(used, rng=rng, **options) | shape_row(used, rng=rng, seed=null_seed)
    tables = {"prior": (latent_dim, null_table("prior", len(used), latent_dim, draws, *options.values()))}
    if 0 < rank < len(used):
        tables["shape"] = (rank, null_table("shape", len(used), rank, draws, *options.values()))
    observed["symmetry_energy"], flipped = sign_flips(used.values, rng=rng, flips=draws)
    nulls = tables | {"flips": (latent_dim, {"symmetry_energy": flipped})}
    rows = [_row(metric, values, observed, nulls, n, len(used)) for metric in METRICS]
    return pd.DataFrame([*rows, _bare_row("rank", float(rank), n)])


def _row(metric: str, values: dict, observed: dict, nulls: dict, n: int, n_p: int) -> dict:
    kind = "flips" if metric == "symmetry_energy" else "shape" if metric in SHAPE_METRICS else "prior"
    if kind not in nulls or np.isnan(values[metric]):
        return _bare_row(metric, values[metric], n_p)
    null_dim, table = nulls[kind]
    low, high = null_band(metric, table[metric], n_p=n_p, n=n, latent_dim=null_dim)
    p = monte_carlo_p(metric, observed[metric], table[metric])
    return {"metric": metric, "value": values[metric], "p_value": p, "null_low": low, "null_high": high, "n_p": n_p}


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
