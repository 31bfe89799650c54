"""The shift and scale that make latents unit, and what they leave: shape, and the correlation of channels."""

import numpy as np
import pandas as pd

from latent_audit.diagnostics.goodness_of_fit import ks_statistic
from latent_audit.diagnostics.running_moments import Moments

COLUMNS = ("scope", "n", "mean", "std", "shift", "scale", "skew", "excess_kurtosis", "ks_d", "ks_n", "correlation_max",
           "correlated_with")  # fmt: skip
FLAT = 1e-12  # a standard deviation below this share of the mean is rounding


def scaling_table(moments: Moments, rows: np.ndarray) -> pd.DataFrame:
    """A row `pooled` (all channels together, one shift and one scale) and one per channel, in COLUMNS.

    (z - shift) * scale has mean 0 and variance 1 (1/n): shift is the mean and scale 1 / sd; NaN where nothing varies.
    The pooled scale is what a latent diffusion model multiplies latents by (Rombach et al. 2022, arXiv:2112.10752,
    section D.1 and appendix G), there without the shift. What is left after it: skew and excess_kurtosis, which no
    shift or scale changes; ks_d, the KS distance of the scaled values to N(0, 1); and correlation_max, the largest
    correlation with another channel at the same position, of `correlated_with` (pooled: of two channels, "2, 5").

    Parameters
    ----------
    moments : of each channel, over all samples and positions. rows : (row, channel) a seeded part of the positions, of
        which ks_d and the correlations are; ks_n is how many values the former has.
    """
    everything = [moments.pooled(), *(Moments(moments.n, *(field[k] for field in moments[1:]))
                                      for k in range(len(moments.mean)))]  # fmt: skip
    largest, other = _correlations(rows)
    most = int(np.nanargmax(np.abs(largest))) if np.isfinite(largest).any() else 0
    pair = ", ".join(map(str, sorted((most, int(other[most]))))) if other[most] >= 0 else ""
    named = [("pooled", rows, float(largest[most]), pair)]
    named += [
        (str(k), rows[:, [k]], float(largest[k]), str(other[k]) if other[k] >= 0 else "")
        for k in range(len(moments.mean))
    ]
    found = []
    for (scope, values, correlation, partner), own in zip(named, everything, strict=True):
        mean, std = float(own.mean), float(np.sqrt(own.variance))
        moving = std > FLAT * abs(mean)
        scale = 1 / std if moving else float("nan")
        shape = (float(own.skew), float(own.excess_kurtosis)) if moving else (float("nan"),) * 2
        left = np.sort(((values - mean) * scale).reshape(-1, 1), axis=0)
        distance = float(ks_statistic(left)[0]) if moving else float("nan")
        found.append((scope, own.n, mean, std, mean, scale, *shape, distance, len(left), correlation, partner))
    return pd.DataFrame(found, columns=list(COLUMNS))


def _correlations(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each channel the largest correlation with another, with its sign, and which; NaN and -1 without one."""
    n, channels = rows.shape
    away = rows - rows.mean(axis=0)
    norm = np.sqrt((away * away).sum(axis=0))
    moving = norm > FLAT * np.sqrt(n) * np.abs(rows).max(axis=0)
    away = np.where(moving, away / np.where(moving, norm, 1.0), 0.0)
    r = np.clip(away.T @ away, -1.0, 1.0)
    r[:, ~moving] = 0.0
    np.fill_diagonal(r, 0.0)
    other = np.abs(r).argmax(axis=1)
    known = moving & (moving.sum() > 1)
    return np.where(known, r[np.arange(channels), other], np.nan), np.where(known, other, -1)
