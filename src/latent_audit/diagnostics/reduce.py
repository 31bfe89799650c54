"""Codes of more dimensions than an audit takes, on fewer: leading principal axes or random directions.

Either way N(0, I) stays N(0, I), exactly: the directions are orthonormal, and found without the codes that are audited.
"""

from typing import NamedTuple

import numpy as np
from scipy import linalg, stats

from latent_audit.base.errors import InputError
from latent_audit.base.limits import LARGEST_LATENT_DIM
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.blocks import Maps, refuse_unreal
from latent_audit.diagnostics.checks import MINIMUM_ROWS
from latent_audit.diagnostics.parallel import single_threaded_blas

USUAL = 512  # dimensions that are kept where nothing is said
FIT_ROWS = 2048  # codes that principal axes are found on, or four times as many as axes
FIT_VALUES, BASIS_VALUES = 2**27, 2**27  # 1 GiB of float64 each
FLAT = 1e-10  # an axis with less of the largest one's mean square is none
KINDS = ("pca", "random")


class Spec(NamedTuple):
    """kind : "pca", the leading principal axes about 0, or "random"; k : how many dimensions are kept."""

    kind: str
    k: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.k}"


class Reduction(NamedTuple):
    """What was done.

    spec : kind and number of dimensions, as in "pca:512". n, d : codes and dimensions before. fitted_on : codes that
    the axes were found on, which are not audited; 0 for random ones. kept_share : of the mean square of the audited
    codes, in the k dimensions. left_out : mean square of a coordinate in the other d - k (1 under N(0, I); NaN where
    there is none), p_value : of that, by chi2 with n (d - k) degrees of freedom, two-sided.
    """

    spec: str
    n: int
    d: int
    fitted_on: int
    kept_share: float
    left_out: float
    p_value: float

    @property
    def words(self) -> str:
        """The dimensions that were audited, in words."""
        kind, k = self.spec.split(":")
        which = "leading principal components" if kind == "pca" else "random directions"
        found = f" (found on {self.fitted_on:,} other codes)" if self.fitted_on else ""
        return (
            f"{int(k):,} {which} of {self.d:,} dimensions{found}, which hold {100 * self.kept_share:.3g}% of the "
            "codes’ mean square"
        )


class Reduced(NamedTuple):
    """(row, k) codes and what stands beside them on the same directions; rows: which of the codes; what was done."""

    values: np.ndarray
    beside: list[np.ndarray]
    rows: np.ndarray
    reduction: Reduction


def spec_of(asked: str | None, n: int, d: int, where: str) -> Spec | None:
    """How n codes of d dimensions are reduced: as asked, or where nothing is said and d is above 2,048, by default.

    The default is 512 principal axes, or a quarter of the codes where they are fewer than 2,048; below 80 codes, which
    cannot be divided, random directions.

    Raises
    ------
    InputError : unknown words, more dimensions than codes or than there are; "none" above the limit.
    """
    if asked is None:
        return _usual(n, d) if d > LARGEST_LATENT_DIM else None
    if asked == "none":
        if d > LARGEST_LATENT_DIM:
            raise InputError(
                f"{where}: {d:,} dimensions, at most {LARGEST_LATENT_DIM:,} are allowed with reduce none; say "
                f"{_usual(n, d)}, or choose columns."
            )
        return None
    kind, _, number = asked.partition(":")
    if kind not in KINDS or not number.isascii() or not number.isdigit() or int(number) == 0:
        raise InputError(
            f"{where}: reduce {asked!r} must be none, pca:K or random:K with a number of dimensions K, as in pca:512."
        )
    spec = Spec(kind, int(number))
    if spec.k > d:
        raise InputError(f"{where}: reduce {spec} asks for {spec.k:,} dimensions, the codes have {d:,}.")
    if spec.k > LARGEST_LATENT_DIM:
        raise InputError(f"{where}: reduce {spec}: at most {LARGEST_LATENT_DIM:,} dimensions can be audited.")
    if (most := most_kept(kind, n, d)) < spec.k:
        raise InputError(
            f"{where}: reduce {spec} asks for {spec.k:,} dimensions of {n:,} codes; at most {kind}:{most} is possible"
            f"{' here: axes are found on one part of the codes and audited on the other' if kind == 'pca' else ''}."
        )
    return spec


def _usual(n: int, d: int) -> Spec:
    kind = "pca" if n >= 4 * MINIMUM_ROWS else "random"
    return Spec(kind, max(1, min(USUAL, n // 4, most_kept(kind, n, d), d)))


def most_kept(kind: str, n: int, d: int) -> int:
    """The largest K that so many codes and the memory allow."""
    by_memory = BASIS_VALUES // d
    return min(n - 1, by_memory) if kind == "random" else min(n // 2, FIT_VALUES // d, by_memory)


def reduced(z: Maps, beside: list[Maps], spec: Spec, *, seed: int, where: str) -> Reduced:
    """The codes on fewer dimensions.

    pca : eigenvectors of E[x x'], without the mean taken out, so that an offset shows, of a seeded part of the codes
        (at most half); the others are audited, since axes found on the same codes would be too wide for N(0, I).
    random : an orthonormal basis of a random subspace, seeded; all codes are audited.

    Parameters
    ----------
    z : kind "codes". beside : as mu, on the same directions.

    Raises
    ------
    InputError : NaN, infinite or absurdly large values.
    """
    rng = rng_for(seed, "reduce", spec.kind)
    rows = np.arange(z.n)
    with single_threaded_blas():
        if spec.kind == "random":
            basis = np.linalg.qr(rng.standard_normal((z.channels, spec.k)))[0]
        else:
            m = min(z.n // 2, max(FIT_ROWS, 4 * spec.k), FIT_VALUES // z.channels)
            fit = np.sort(rng.choice(z.n, m, replace=False))
            basis = _principal(_gathered(z, fit, where), spec.k)
            rows = np.setdiff1d(rows, fit)
        projected, square = _projected(z, basis, rows, where)
        others = [_projected(one, basis, rows, where)[0] for one in beside]
    k, n = basis.shape[1], len(rows)
    inside = float((projected * projected).sum())
    outside, freedom = max(0.0, square - inside), n * (z.channels - k)
    left_out, p = (outside / freedom, _two_sided(outside, freedom)) if freedom else (float("nan"),) * 2
    done = Reduction(
        f"{spec.kind}:{k}", z.n, z.channels, z.n - n, inside / square if square else 1.0, left_out, p
    )  # fmt: skip
    return Reduced(projected, others, rows, done)


def _gathered(z: Maps, rows: np.ndarray, where: str) -> np.ndarray:
    parts = []
    for start, block in z.blocks():
        refuse_unreal(block, start, where)
        parts.append(block[rows[(rows >= start) & (rows < start + len(block))] - start, :, 0])
    return np.concatenate(parts)


def _principal(x: np.ndarray, k: int) -> np.ndarray:
    """(d, k) orthonormal: the leading right singular vectors of x (m, d); fewer where x does not span k."""
    m, d = x.shape
    if d <= m:
        values, vectors = linalg.eigh(x.T @ x / m, subset_by_index=(d - k, d - 1))
        kept = values > FLAT * max(values[-1], 1e-300)
        return vectors[:, kept][:, ::-1] if kept.any() else np.eye(d, 1)
    values, vectors = linalg.eigh(x @ x.T / m, subset_by_index=(m - k, m - 1))
    kept = values > FLAT * max(values[-1], 1e-300)
    if not kept.any():
        return np.eye(d, 1)
    # once more orthogonal: dividing by a small root loses digits
    return np.linalg.qr(x.T @ (vectors[:, kept][:, ::-1] / np.sqrt(m * values[kept][::-1])))[0]


def _projected(z: Maps, basis: np.ndarray, rows: np.ndarray, where: str) -> tuple[np.ndarray, float]:
    """(row, k) coordinates of some rows, and the sum of squares of these rows in all dimensions."""
    parts, square = [], 0.0
    for start, block in z.blocks():
        refuse_unreal(block, start, where)
        own = block[rows[(rows >= start) & (rows < start + len(block))] - start, :, 0]
        parts.append(own @ basis)
        square += float((own * own).sum())
    return np.concatenate(parts), square


def _two_sided(value: float, freedom: int) -> float:
    return min(1.0, 2 * min(float(stats.chi2.sf(value, freedom)), float(stats.chi2.cdf(value, freedom))))
