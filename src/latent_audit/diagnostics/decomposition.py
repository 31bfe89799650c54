"""Where the KL of a VAE goes: index-code information, total correlation, dimension-wise KL; and which dimensions live.

q(z) = 1/N sum_n q(z|x_n) is the exact aggregated posterior over all N codes, never a minibatch.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.densities import kl_to_standard_normal
from latent_audit.base.errors import InputError
from latent_audit.base.measures import Measure, Metric
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.mixture import gaussian_log_density, log_joint, log_marginals
from latent_audit.diagnostics.parallel import single_threaded_blas

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

LARGEST_LOGVAR = 100.0  # beyond, exp(-logvar) times a square of a code loses all its digits
DENSITY_ROWS = 25_000  # every density is a sum over all rows, at every row
DRAW_TOLERANCE = 8.0  # standard errors by which z may miss the spread of N(mu, exp(logvar))


class NoDrawWarning(UserWarning):
    """Of codes z that are no draws of their posterior."""


def decomposition(mu: Codes | np.ndarray, logvar: Codes | np.ndarray, z: Codes | np.ndarray) -> pd.DataFrame:
    """KL = index_code_mi + total_correlation + dimwise_kl, in nats, at the sampled z; Chen et al. (2018), equation 2.

    With averages over n of one draw z_n ~ q(z|x_n):
    kl : mean ln q(z_n|x_n) - ln p(z_n), the Monte Carlo KL for which the identity is exact.
    index_code_mi : mean ln q(z_n|x_n) - ln q(z_n), at most ln N.
    total_correlation : mean ln q(z_n) - sum_j ln q_j(z_nj). dimwise_kl : mean sum_j ln q_j(z_nj) - ln p(z_nj).
    marginal_kl : mean ln q(z_n) - ln p(z_n) = total_correlation + dimwise_kl, KL(q(z) || p).
    kl_closed_form : mean of the analytic KL, without the noise of the draw: the one to quote as the KL of the model.
    N is the number of rows, and at most DENSITY_ROWS: of more rows a seeded part stands for all.
    All N components enter every density; only the one-dimensional ln q_j are interpolated, to 1e-8 nats
    (`mixture.log_marginals`). Estimates of quantities that cannot be negative may be, by the noise of N draws.

    Parameters
    ----------
    mu, logvar, z : (sample, latent), mean and log variance of q(z|x) and one draw of it, row by row.

    Returns
    -------
    Rows in the order above; columns `metric value p_value null_low null_high n_p`, of which only `value` is not NaN
    (n_p is N), so that the rows join those of `joint.joint`.

    Raises
    ------
    InputError : fewer than 20 rows, shapes that differ, NaN or infinite values, |logvar| > 100.
    """
    part = _part(len(z))
    mu, logvar, z = (array[part] for array in _posterior(mu, logvar, z, where="decomposition"))
    with single_threaded_blas():
        own = gaussian_log_density(z, mu, logvar).sum(axis=1)
        prior = gaussian_log_density(z, 0.0, 0.0).sum(axis=1)
        joint = log_joint(z, mu, logvar)
        marginal = log_marginals(z, mu, logvar).sum(axis=1)
    values = {
        "kl": own - prior,
        "index_code_mi": own - joint,
        "total_correlation": joint - marginal,
        "dimwise_kl": marginal - prior,
        "marginal_kl": joint - prior,
        "kl_closed_form": kl_to_standard_normal(mu, logvar).sum(axis=1),
    }
    nothing = dict.fromkeys(("p_value", "null_low", "null_high"), np.nan)
    return pd.DataFrame(
        [{"metric": name, "value": float(terms.mean()), **nothing, "n_p": len(z)} for name, terms in values.items()]
    )


def _part(n: int) -> np.ndarray | slice:
    """Which of n rows enter the densities: all, or DENSITY_ROWS drawn from a stream of their own."""
    if n <= DENSITY_ROWS:
        return slice(None)
    return np.sort(rng_for(0, "decomposition", str(n)).choice(n, DENSITY_ROWS, replace=False))


def why_no_draw(mu: np.ndarray, logvar: np.ndarray, z: np.ndarray, *, remedy: str) -> list[str]:
    """What is wrong, in words, unless z is spread about mu as draws of N(mu, exp(logvar)) are; all (sample, latent).

    The mean of ((z - mu) / sigma)^2 is 1 for draws, with a standard error of sqrt(2 / size). `remedy` is how a caller
    may get a draw, as the start of a sentence.
    """
    with np.errstate(over="ignore"):
        spread = float(np.mean((z - mu) ** 2 * np.exp(-logvar)))
    if abs(spread - 1) <= max(0.05, DRAW_TOLERANCE * np.sqrt(2 / z.size)):
        return []
    what = "z equals mu" if spread == 0 else f"((z - mu) / sigma)^2 averages {spread:.3g} instead of 1"
    return [
        f"z is no draw of N(mu, exp(logvar)): {what}, so kl, index_code_mi and marginal_kl are not the posterior's. "
        f"{remedy}, or look whether the rows are in one order and logvar is the logarithm of a variance"
    ]


def per_dimension_rate(
    mu: Codes | np.ndarray,
    logvar: Codes | np.ndarray,
    *,
    threshold: float = 0.01,
    epsilon: float = 0.01,
    delta: float = 0.01,
) -> pd.DataFrame:
    """What each dimension carries: `dim kl_nats activity is_active collapsed_share is_collapsed`.

    kl_nats : closed-form KL to N(0, 1), mean over the samples. activity : Var_x(mu), ddof 0, squared units of the code;
    is_active where it exceeds `threshold` (Burda et al. 2016, arXiv:1509.00519, section 5.2): a scale-bound rule, for
    VAEs only. collapsed_share : share of samples with KL below `epsilon` nats; is_collapsed where it is at least
    1 - delta (Lucas et al. 2019, arXiv:1911.02469, definition 1). The number of active units is `is_active.sum()`.

    Raises
    ------
    InputError : see `decomposition`; a threshold or epsilon that is not positive, delta outside [0, 1).
    """
    mu, logvar, _ = _posterior(mu, logvar, mu, where="per_dimension_rate")
    if not (threshold > 0 and epsilon > 0 and 0 <= delta < 1):
        raise InputError(
            "per_dimension_rate: needs threshold > 0, epsilon > 0 and 0 <= delta < 1, got "
            f"{threshold}, {epsilon} and {delta}."
        )
    kl = kl_to_standard_normal(mu, logvar)
    activity = mu.var(axis=0)
    collapsed = (kl < epsilon).mean(axis=0)
    return pd.DataFrame(
        {
            "dim": np.arange(mu.shape[1]),
            "kl_nats": kl.mean(axis=0),
            "activity": activity,
            "is_active": activity > threshold,
            "collapsed_share": collapsed,
            "is_collapsed": collapsed >= 1 - delta,
        }
    )


def _posterior(mu, logvar, z, *, where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    arrays = [Codes.of(a, where=f"{where}, {name}").values for name, a in (("mu", mu), ("logvar", logvar), ("z", z))]
    if len({a.shape for a in arrays}) > 1:
        raise InputError(f"{where}: mu, logvar and z must have one shape, got {[a.shape for a in arrays]}.")
    if (worst := np.abs(arrays[1]).max()) > LARGEST_LOGVAR:
        raise InputError(
            f"{where}: logvar reaches {worst:g} in absolute value, allowed are {LARGEST_LOGVAR:g}; "
            "is it a variance or a diverged run?"
        )
    return arrays[0], arrays[1], arrays[2]


def _rows(subject: "Subject") -> pd.DataFrame:
    posterior = subject.posterior
    assert posterior is not None
    rows = decomposition(posterior.mu, posterior.logvar, posterior.z)
    if not subject.settings.unit_counts:
        return rows
    values = [float(np.count_nonzero(posterior.rates[column])) for column in ("is_active", "is_collapsed")]
    names = ["active_units", "collapsed_units"]
    counted = pd.DataFrame({"metric": names, "value": values, "n_p": len(posterior.z)})
    return pd.concat([rows, counted], ignore_index=True)


MEASURE = Measure(
    "posterior",
    needs=frozenset({"posterior"}),
    metrics=(
        Metric("kl", "KL of the posterior", "nats"),
        Metric("index_code_mi", "index-code mutual information", "nats"),
        Metric("total_correlation", "dependence between dimensions (total correlation)", "nats", better="lower",
               title="dependence between dimensions"),
        Metric("dimwise_kl", "dimension-wise KL", "nats", better="lower"),
        Metric("marginal_kl", "KL of all codes together to the prior", "nats", better="lower",
               title="all codes against the prior"),
        Metric("kl_closed_form", "KL of the posterior, closed form", "nats", 0.0, title="rate, KL to the prior"),
        Metric("active_units", "active dimensions", low=0.0,
               sentence="dimensions whose mean varies by more than 0.01 over the samples"),
        Metric("collapsed_units", "collapsed dimensions", low=0.0,
               sentence="dimensions with a KL below 0.01 nats for 99% of the samples"),
    ),
    rows=_rows,
    order=40,
)  # fmt: skip
