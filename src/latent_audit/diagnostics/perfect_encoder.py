"""What the estimates from N codes make of a perfect encoder, whose q(z) is N(0, I): their own error, at this rate."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv

from latent_audit.diagnostics.mixture import (
    exact_marginal_of_others,
    gaussian_log_density,
    log_joint_of_others,
    with_own,
)
from latent_audit.diagnostics.parallel import in_order

REPLICATES = 5
POINTS = 400  # of a replicate at which its N components are summed, and at least REPLICATES times as many over all
MARGINALS = 8  # dimensions whose own error is simulated; those of rates between them are interpolated


class PerfectEncoder(NamedTuple):
    """What the mixture of N posteriors gives where the truth is 0, in nats."""

    marginal_kl: float
    total_correlation: float


def perfect_encoder(rates: np.ndarray, n: int, *, rng: np.random.Generator) -> PerfectEncoder:
    """The mean of the mixture's estimates over simulated perfect encoders with n codes.

    Dimension j has posteriors N(mu, s_j^2) with mu ~ N(0, 1 - s_j^2) and s_j = exp(-rates[j]), so that q(z) = N(0, I)
    and the KL of a posterior, all of it information, averages rates[j]. All n components enter, at the codes of the
    first POINTS of them. The error of a dimension alone rises with its rate: beyond MARGINALS dimensions it is
    interpolated over their ranks.

    Parameters
    ----------
    rates : (latent,) nats of each dimension, not negative. n : codes, at least 2.
    """
    rates = np.sort(rates)
    points = min(n, POINTS)
    replicates = max(REPLICATES, -(-REPLICATES * POINTS // n))
    chosen = np.unique(np.linspace(0, len(rates) - 1, min(MARGINALS, len(rates))).astype(int))
    errors = np.mean([_errors(rates, n, points, chosen, rng) for _ in range(replicates)], axis=0)
    marginals = float(np.interp(np.arange(len(rates)), chosen, errors[1:]).sum())
    return PerfectEncoder(float(errors[0]), float(errors[0]) - marginals)


def shared_out(total: float, parts: np.ndarray) -> np.ndarray:
    """Rates that add up to `total` nats (0 if negative) in the proportions of `parts`; 0 where there are none."""
    return max(total, 0.0) * parts / parts.sum() if parts.sum() > 0 else np.zeros_like(parts)


def _errors(rates: np.ndarray, n: int, points: int, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mean of ln q_N - ln p of all dimensions together, then of each of the chosen ones alone.

    Less noisy than the codes' own means: the codes z ~ N(0, I) at which it is taken come first, one from each of as
    many equally likely shells, and mu then from its distribution given z, N((1 - s^2) z, s^2 (1 - s^2)).
    """
    z = rng.standard_normal((n, len(rates)))
    shells = (np.arange(points) + rng.random(points)) / points
    radius = np.sqrt(2 * gammaincinv(len(rates) / 2, shells))
    z[:points] *= (radius / np.linalg.norm(z[:points], axis=1))[:, None]
    kept = -np.expm1(-2 * rates)
    mu = kept * z + np.exp(-rates) * np.sqrt(kept) * rng.standard_normal(z.shape)
    logvar = np.broadcast_to(-2 * rates, z.shape)
    own = gaussian_log_density(z[:points], mu[:points], logvar[:points])
    prior = gaussian_log_density(z[:points], 0.0, 0.0)
    joint = _mean_error(log_joint_of_others(z, mu, logvar, rows=points), own.sum(axis=1), prior.sum(axis=1), n)

    def of_dimension(j: int) -> float:
        others = exact_marginal_of_others(z[:, j], mu[:, j], logvar[:, j], np.arange(points))
        return _mean_error(others, own[:, j], prior[:, j], n)

    return np.array([joint, *in_order(of_dimension, chosen.tolist())])


def _mean_error(others: np.ndarray, own: np.ndarray, prior: np.ndarray, n: int) -> float:
    """Mean of ln q_N - ln p, less a term whose mean is 0 at any z: q_-n / p - 1, times the slope of ln q_N in it."""
    slope = 1 / (1 + np.exp(own - prior) / (n - 1))
    return float((with_own(others, own, n) - prior - slope * np.expm1(others - prior)).mean())
