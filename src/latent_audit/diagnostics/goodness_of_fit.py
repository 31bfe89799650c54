"""Fully specified tests of N(0, 1): Kolmogorov-Smirnov, Cramér-von Mises, Anderson-Darling (case 0).

Every statistic takes sorted values (sample, latent) and returns one number per column; every p comes as its natural
logarithm, from formulas that stay finite where the p itself underflows.
"""

import numpy as np
from scipy import special, stats

_TAIL_SWITCH = 200.0  # above this argument the quadratic forms use their leading tail term (relative error < 1/200)
_CVM_SWITCH = 2.0  # see `cvm_log_p`


def ks_statistic(ordered: np.ndarray) -> np.ndarray:
    """D = sup |F_n - Phi| per column of the sorted (sample, latent) array; Kolmogorov (1933)."""
    n = len(ordered)
    rank = np.arange(1, n + 1)[:, None]
    cdf = special.ndtr(ordered)
    return np.maximum((rank / n - cdf).max(axis=0), (cdf - (rank - 1) / n).max(axis=0))


def cvm_statistic(ordered: np.ndarray) -> np.ndarray:
    """W2 = 1/(12n) + sum ((2i - 1)/(2n) - Phi(x_(i)))^2 per column; Cramér (1928)."""
    n = len(ordered)
    middle = (np.arange(n) + 0.5)[:, None] / n
    return 1 / (12 * n) + ((middle - special.ndtr(ordered)) ** 2).sum(axis=0)


def ad_statistic(ordered: np.ndarray) -> np.ndarray:
    """A2 = -n - mean (2i - 1)(ln Phi(x_(i)) + ln(1 - Phi(x_(n+1-i)))) per column; Anderson & Darling (1954), case 0."""
    n = len(ordered)
    weight = (2 * np.arange(1, n + 1) - 1)[:, None] / n
    return -n - (weight * (special.log_ndtr(ordered) + special.log_ndtr(-ordered[::-1]))).sum(axis=0)


def ks_log_p(d: np.ndarray, n: int) -> np.ndarray:
    """ln P(D_n >= d), two-sided and exact for every n.

    Where the exact p is below 1e-250 it is twice Smirnov's one-sided sum, taken in logs: both sides exceed d together
    with a probability that is negligible there. A d that rounds to 1 is read as 1 - 2^-53, so the value is an upper
    bound of p. References: Smirnov (1944); Simard & L'Ecuyer (2011), JSS 39(11).
    """
    d = np.minimum(np.asarray(d, dtype=np.float64), 1 - 2.0**-53)
    p = stats.kstwo.sf(d, n)
    far = p < 1e-250
    log_p = np.log(np.where(far, 1.0, p))
    log_p[far] = [np.log(2.0) + _log_smirnov(value, n) for value in d[far]]
    return np.minimum(log_p, 0.0)


def _log_smirnov(d: float, n: int) -> float:
    """ln of d sum_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j) over j < n(1 - d); all terms are positive."""
    j = np.arange(int(np.floor(n * (1 - d))) + 1, dtype=np.float64)
    rest = np.maximum(1 - d - j / n, 2.0**-53)
    log_choose = special.gammaln(n + 1) - special.gammaln(j + 1) - special.gammaln(n - j + 1)
    return float(np.log(d) + special.logsumexp(log_choose + (j - 1) * np.log(d + j / n) + (n - j) * np.log(rest)))


def cvm_log_p(w2: np.ndarray, n: int) -> np.ndarray:
    """ln P(W2_n >= w2): Csörgő & Faraway (1996) with its 1/n term, as scipy has it, up to W2 = 2 (p = 1e-5).

    Beyond, the tail of the limit law sum Z_k^2 / (k pi)^2 by Smirnov's integral (see `_log_tail`), times the finite-n
    factor at 2: further out the 1/n series is a difference of nearly equal numbers, and negative for small n.
    """
    w2 = np.atleast_1d(np.asarray(w2, dtype=np.float64))
    limit = _cvm_log_tail(w2) + np.log(_cvm_p(_CVM_SWITCH, n)) - _cvm_log_tail(np.array([_CVM_SWITCH]))
    near = np.array([np.log(_cvm_p(min(value, _CVM_SWITCH), n)) for value in w2])
    return np.minimum(np.where(w2 < _CVM_SWITCH, near, limit), 0.0)


def _cvm_log_tail(w2: np.ndarray) -> np.ndarray:
    """`_log_tail` with prod_k (1 - u / (k pi)^2) = sin(sqrt u) / sqrt u."""
    return _log_tail(w2, roots=(np.pi**2, 4 * np.pi**2), determinant=lambda u: np.sinc(np.sqrt(u) / np.pi), c=2.0)


def _cvm_p(w2: float, n: int) -> float:
    """scipy's p for a sample of size n whose CvM statistic is w2: the statistic is reached by a shifted uniform grid.

    u_i = (2i-1)/(2n) + shift has W2 = 1/(12n) + n shift^2; the cdf handed over is the identity, so no clipping occurs.
    """
    shift = np.sqrt(max(w2 - 1 / (12 * n), 0.0) / n)
    grid = (np.arange(n) + 0.5) / n + shift
    return float(stats.cramervonmises(grid, lambda u: u).pvalue)


def ad_log_p(a2: np.ndarray, n: int) -> np.ndarray:
    """ln P(A2_n >= a2), case 0.

    The limit law sum Z_k^2 / (k(k+1)) by Smirnov's integral; the finite-n correction of Marsaglia & Marsaglia (2004),
    JSS 9(2), `errfix`, is applied where p > 0.001 (beyond, it is smaller than its own error).
    """
    a2 = np.atleast_1d(np.asarray(a2, dtype=np.float64))
    log_p = _log_tail(a2, roots=(2.0, 6.0), determinant=_ad_determinant, c=3.0)
    small = a2 < 6.0  # p > 0.001 lies wholly below
    for i in np.flatnonzero(small):
        p = _ad_limit_p(a2[i])
        corrected = p - _ad_errfix(1 - p, n) if p > 1e-3 else p
        log_p[i] = np.log(min(max(corrected, 1e-300), 1.0))
    return np.minimum(log_p, 0.0)


def _ad_determinant(u: np.ndarray) -> np.ndarray:
    """prod_k (1 - u / (k(k+1))) = -cos(pi sqrt(1 + 4u) / 2) / (pi u)."""
    return -np.cos(np.pi * np.sqrt(1 + 4 * u) / 2) / (np.pi * u)


def _smirnov_interval(x: np.ndarray, low: float, high: float, determinant) -> np.ndarray:
    """(1/pi) int_low^high exp(-(u - low) x / 2) / (u sqrt|D(u)|) du by Gauss-Chebyshev, which takes the end-points."""
    m = 800
    u = 0.5 * (low + high) + 0.5 * (high - low) * np.cos(np.pi * (np.arange(m) + 0.5) / m)
    weight = np.sqrt((u - low) * (high - u)) / (u * np.sqrt(np.abs(determinant(u))))
    return (np.exp(-0.5 * np.multiply.outer(x, u - low)) * weight).mean(axis=-1)


def _log_tail(x: np.ndarray, *, roots: tuple[float, float], determinant, c: float) -> np.ndarray:
    """ln P(sum lambda_k Z_k^2 > x), upper tail, from the first interval of Smirnov's (1937) formula.

    roots : 1/lambda_1 and 1/lambda_2. Above `_TAIL_SWITCH` the leading term sqrt(c) P(chi2_1 > x / lambda_1) of
    Zolotarev (1961), with c = prod_{k>1} (1 - lambda_k / lambda_1)^-1.
    """
    low, high = roots
    scaled = np.minimum(x, _TAIL_SWITCH)
    first = np.log(_smirnov_interval(scaled, low, high, determinant)) - 0.5 * low * scaled
    leading = 0.5 * np.log(c) + _log_chi2_1(low * x)
    return np.where(x <= _TAIL_SWITCH, first, leading)


def _log_chi2_1(x: np.ndarray) -> np.ndarray:
    """ln P(chi2_1 > x) = ln 2 + ln Phi(-sqrt x), finite for any x."""
    return np.log(2.0) + special.log_ndtr(-np.sqrt(x))


def _ad_limit_p(x: float) -> float:
    """P(A2 > x) of the limit law: Smirnov's alternating sum over [k(k+1), (k+1)(k+2)], k = 1, 3, 5, ..."""
    if x < 0.05:  # P(A2 < 0.05) < 1e-9
        return 1.0
    total, sign = 0.0, 1.0
    for k in range(1, 400, 2):
        low, high = float(k * (k + 1)), float((k + 1) * (k + 2))
        term = float(_smirnov_interval(np.array([x]), low, high, _ad_determinant)[0]) * np.exp(-0.5 * low * x)
        total, sign = total + sign * term, -sign
        if term < 1e-14 * max(total, 1e-300):
            break
    return min(max(total, 0.0), 1.0)


def _ad_errfix(cdf: float, n: int) -> float:
    """What Marsaglia & Marsaglia (2004), section 3, add to the limiting cdf for a sample of size n."""
    if cdf > 0.8:
        return float(np.polyval([255.7844, -1116.360, 1950.646, -1705.091, 745.2337, -130.2137], cdf)) / n
    middle = 0.01265 + 0.1757 / n
    if cdf < middle:
        t = cdf / middle
        return float(np.sqrt(t) * (1 - t) * (49 * t - 102)) * (0.0037 / n**2 + 0.00078 / n + 0.00006) / n
    t = (cdf - middle) / (0.8 - middle)
    polynomial = np.polyval([1.91864, -8.259, 14.458, -14.6538, 6.54034, -0.00022633], t)
    return float(polynomial) * (0.04213 + 0.01365 / n) / n
