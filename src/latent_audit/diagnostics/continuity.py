"""How evenly a decoder moves through image space, from arrays that were decoded along lines, steps and derivatives."""

import numpy as np
import pandas as pd
from jaxtyping import Float

from latent_audit.base.errors import InputError
from latent_audit.diagnostics.coverage import nearest_distance

LARGEST_CONDITION = 1e6  # beyond, the smallest singular value is rounding noise of a float32 Jacobian


def path_ratio(points: np.ndarray) -> Float[np.ndarray, " pair"]:
    """Length of each polyline over the distance between its ends: 1 for a straight line, never less.

    Points are (pair, step, feature). NaN where both ends coincide. The length of a curve grows with the number of
    steps: compare at equal steps only.

    Raises
    ------
    InputError : fewer than two steps, or not three axes.

    References
    ----------
    Arvanitidis et al. (2018), arXiv:1710.11379 (curve length), here in chords.
    """
    if points.ndim != 3 or points.shape[1] < 2:
        raise InputError(f"path_ratio: needs (pair, step, feature) with at least two steps, got shape {points.shape}.")
    points = points.astype(np.float64)
    length = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1)
    chord = np.linalg.norm(points[:, -1] - points[:, 0], axis=1)
    ratio = np.full(len(points), np.nan)
    np.divide(length, chord, out=ratio, where=chord > 0)
    return np.maximum(ratio, 1.0)  # NaN stays NaN; rounding may put a straight line just below 1


def nearest_ratio(
    middle: Float[np.ndarray, "pair feature"],
    ends: Float[np.ndarray, "end feature"],
    reference: Float[np.ndarray, "sample feature"],
) -> float:
    """Mean distance of midpoints to their nearest reference row, over the same mean for the end points.

    1: midpoints are as close to the data as the ends are; above: they leave it. The reference must not hold the images
    that the ends reconstruct. NaN if every end lies on a reference row.
    """
    to_middle, to_ends = (nearest_distance(np.asarray(x, np.float64), reference).mean() for x in (middle, ends))
    return float(to_middle / to_ends) if to_ends > 0 else float("nan")


def condition_number(singular_values: Float[np.ndarray, "sample latent"]) -> Float[np.ndarray, " sample"]:
    """Largest over smallest singular value of each Jacobian, at most 1e6: beyond, float32 cannot tell.

    A Jacobian of zeros (a decoder that is locally constant) has the largest condition number.

    References
    ----------
    Kumar & Poole (2020), arXiv:2002.00041.
    """
    largest, smallest = singular_values.max(axis=1), singular_values.min(axis=1)
    ratio = np.full(len(singular_values), LARGEST_CONDITION)
    np.divide(largest, smallest, out=ratio, where=smallest * LARGEST_CONDITION > largest)
    return ratio


def jacobian_summary(singular_values: np.ndarray, *, suffix: str = "") -> dict[str, float]:
    """Median and 95% quantile over points, the rows of (sample, latent), of largest singular value and condition."""
    if singular_values.ndim != 2 or 0 in singular_values.shape:
        raise InputError(
            f"jacobian_summary: needs (sample, latent) singular values, got shape {singular_values.shape}."
        )
    summary = {}
    columns = {"sigma_max": singular_values.max(axis=1), "condition": condition_number(singular_values)}
    for name, values in columns.items():
        summary[f"jacobian_{name}_median{suffix}"] = float(np.median(values))
        summary[f"jacobian_{name}_q95{suffix}"] = float(np.quantile(values, 0.95))
    return summary


def round_trip(z: np.ndarray, z_back: np.ndarray) -> float:
    """E|z_back - z|^2 / latent_dim, squared code units, of (sample, latent) codes: 0 when encoding undoes decoding.

    References
    ----------
    Cemgil et al. (2020), "The Autoencoding Variational Autoencoder" (self-consistency).
    """
    if z.shape != z_back.shape:
        raise InputError(f"round_trip: needs two arrays of one shape, got {z.shape} and {z_back.shape}.")
    return float(((z_back.astype(np.float64) - z) ** 2).mean())


def relative_round_trip(z: np.ndarray, z_back: np.ndarray) -> float:
    """`round_trip` over the mean variance of z per dimension, free of the code's unit; NaN if z has no spread."""
    variance = z.astype(np.float64).var(axis=0).mean()
    return round_trip(z, z_back) / variance if variance > 0 else float("nan")


def jump_rate(before: np.ndarray, after: np.ndarray) -> float:
    """Share of the points whose class, an integer per point, differs after the step."""
    if before.shape != after.shape or len(before) == 0:
        raise InputError(f"jump_rate: needs two label arrays of one length, got {before.shape} and {after.shape}.")
    return float((before != after).mean())


def tidy(values: dict[str, float]) -> pd.DataFrame:
    """Columns `metric value`, one row per entry."""
    return pd.DataFrame(list(values.items()), columns=["metric", "value"])
