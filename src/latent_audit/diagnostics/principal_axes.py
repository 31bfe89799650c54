"""How far codes spread in every direction: the principal axes of all of them, with what draws of N(0, I) would show."""

from typing import NamedTuple

import numpy as np

from latent_audit.diagnostics.codes import Codes

MOST_NAMED = 3  # dimensions that a direction is told by
LEAST_SHARE = 0.2  # of a direction's square, for a dimension to be named


class PrincipalAxes(NamedTuple):
    """sd (latent,) along the principal axes, code units, the widest first; where the sd of as many true draws lie;
    the dimensions that the widest and the narrowest axis are made of, the heaviest first."""

    sd: np.ndarray
    low: float
    high: float
    widest: tuple[int, ...]
    narrowest: tuple[int, ...]


def principal_axes(x: Codes | np.ndarray) -> PrincipalAxes:
    """The spread of codes along the principal axes of their covariance (1/n).

    The sample covariance of n draws of N(0, I) in d dimensions has its eigenvalues between (1 - sqrt(d/n))^2 and
    (1 + sqrt(d/n))^2, in the limit: Marchenko & Pastur (1967).

    Parameters
    ----------
    x : (sample, latent).
    """
    codes = Codes.of(x, where="principal_axes")
    n, latent_dim = codes.shape
    centred = codes.values - codes.values.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / n)
    edge = np.sqrt(latent_dim / n)
    return PrincipalAxes(
        np.sqrt(np.maximum(values[::-1], 0.0)),
        max(0.0, 1.0 - edge),
        1.0 + edge,
        _made_of(vectors[:, -1]),
        _made_of(vectors[:, 0]),
    )


def _made_of(axis: np.ndarray) -> tuple[int, ...]:
    share = axis**2
    heaviest = np.argsort(-share, kind="stable")[:MOST_NAMED]
    return tuple(int(dim) for dim in heaviest if share[dim] >= LEAST_SHARE) or (int(heaviest[0]),)
