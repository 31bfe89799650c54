"""Affine maps of codes: none, per-dimension standardisation, full whitening. Fitted on codes with 1/n covariances."""

from typing import NamedTuple

import numpy as np

from latent_audit.base.errors import InputError

TRANSFORMS = ("raw", "standardised", "whitened")
RANK_TOLERANCE = 1e-10  # eigenvalues of the correlation matrix below this share of the largest count as null directions


class Affine(NamedTuple):
    """x -> (x - mean) @ matrix; `matrix` is (latent, rank) and rank < latent where directions without spread went."""

    mean: np.ndarray
    matrix: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean) @ self.matrix

    @property
    def rank(self) -> int:
        """Number of dimensions of the image."""
        return self.matrix.shape[1]


def fit_affine(x: np.ndarray, transform: str) -> Affine:
    """The map that makes the (sample, latent) codes x raw (identity), standardised or whitened (PCA axes, unit sd).

    Standardising leaves a constant dimension at 0. Whitening drops the null directions: those with an eigenvalue of the
    correlation matrix below 1e-10 of the largest, and constant dimensions; so that units do not matter.

    Raises
    ------
    InputError : a transform that is none of the three.
    """
    if transform not in TRANSFORMS:
        raise InputError(f"transform must be one of {list(TRANSFORMS)}, got {transform!r}.")
    latent_dim = x.shape[1]
    if transform == "raw":
        return Affine(np.zeros(latent_dim), np.eye(latent_dim))
    mean, std = x.mean(axis=0), x.std(axis=0)
    spread = std > 1e-12 * np.abs(x).max(axis=0)
    inverse = np.where(spread, 1 / np.where(spread, std, 1.0), 0.0)
    if transform == "standardised":
        return Affine(mean, np.diag(inverse))
    standard = (x - mean) * inverse
    values, vectors = np.linalg.eigh(standard.T @ standard / len(x))
    kept = values > RANK_TOLERANCE * max(values[-1], 1e-300)
    return Affine(mean, inverse[:, None] * vectors[:, kept] / np.sqrt(values[kept]))
