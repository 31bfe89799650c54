"""Where the KL of a VAE goes: index-code information, total correlation, dimension-wise KL; and which dimensions live.

Of q(z), the aggregated posterior of all inputs, N codes show only the mixture of their own N posteriors. So each part
stands twice: by the exact density of that mixture, and by that of the N - 1 others (leave one out).
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.densities import kl_to_standard_normal
from latent_audit.base.errors import InputError
from latent_audit.base.limits import NATS_BELOW_LN_N
from latent_audit.base.measures import Measure, Metric
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.mixture import (
    gaussian_log_density,
    log_joint_of_others,
    log_marginals,
    log_marginals_of_others,
    with_own,
)
from latent_audit.diagnostics.parallel import single_threaded_blas
from latent_audit.diagnostics.perfect_encoder import PerfectEncoder, perfect_encoder, shared_out

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

LARGEST_LOGVAR = 100.0  # beyond, exp(-logvar) times a square of a code loses all its digits
DENSITY_ROWS = 25_000  # every density is a sum over all rows, at every row
MARGINALS_AT_ONCE = 64  # dimensions whose densities are held at a time
DRAW_TOLERANCE = 8.0  # standard errors by which z may miss the spread of N(mu, exp(logvar))

LEFT_OUT = "each code against the others’ posteriors"
UNTOLD = f"empty where n codes show more than ln n − {NATS_BELOW_LN_N:g} nats of information: it cannot be told there"
PERFECT = "0 in truth; what as many codes of the same rate would show by the estimate that is too high"


class NoDrawWarning(UserWarning):
    """Of codes z that are no draws of their posterior."""


def decomposition(
    mu: Codes | np.ndarray, logvar: Codes | np.ndarray, z: Codes | np.ndarray, *, seed: int = 0
) -> pd.DataFrame:
    """KL = index_code_mi + total_correlation + dimwise_kl, in nats, at the sampled z; Chen et al. (2018), equation 2.

    With averages over n of one draw z_n ~ q(z|x_n), q_N the mixture of the N posteriors and q_Nj its marginals:
    kl : mean ln q(z_n|x_n) - ln p(z_n), the Monte Carlo KL for which the identity is exact.
    index_code_mi : mean ln q(z_n|x_n) - ln q_N(z_n), at most ln N.
    total_correlation : mean ln q_N(z_n) - sum_j ln q_Nj(z_nj). dimwise_kl : mean sum_j ln q_Nj(z_nj) - ln p(z_nj).
    marginal_kl : mean ln q_N(z_n) - ln p(z_n) = total_correlation + dimwise_kl.
    *_loo : the same with the mixture of the N - 1 others in place of q_N and q_Nj; they add up to kl as well.
    kl_closed_form : mean of the analytic KL, without the noise of the draw: the one to quote as the KL of the model.
    marginal_kl_perfect, total_correlation_perfect : what the mixture gives, on average, of N codes of a perfect
    encoder, where the truth is 0 (`perfect_encoder`). Its rate is the KL, or index_code_mi_loo where that is less,
    shared out over the dimensions as their own information is.

    What the two are to the truth, the same with q(z) = E_x q(z|x): over independent x_n, marginal_kl and dimwise_kl are
    on average too high (KL is convex, and q_N averages q) and their *_loo too low (Jensen; q_-n(z) averages q(z));
    index_code_mi is too low and index_code_mi_loo too high (Poole et al. 2019). That total_correlation is too high and
    its *_loo too low is proven for the mixture where the dimensions are independent, and only usual otherwise: each is
    a difference of two numbers that err alike, the joint's by far the more. Copied dimensions can turn it round. The
    noise of N draws comes on top, and can make estimates of what cannot be negative negative.

    Where index_code_mi is above ln N - 2, q_N says little of q: there marginal_kl, total_correlation, dimwise_kl, their
    *_loo and *_perfect are NaN. As the information is at most the KL, e^(kl + 2) codes are enough.

    N is the number of rows, and at most DENSITY_ROWS: of more rows a seeded part stands for all.
    All N components enter every density; only the one-dimensional ln q_Nj are interpolated, to 1e-8 nats
    (`mixture.log_marginals`).

    Parameters
    ----------
    mu, logvar, z : (sample, latent), mean and log variance of q(z|x) and one draw of it, row by row.
    seed : of the part and of the perfect encoders.

    Returns
    -------
    A row per number; columns `metric value p_value null_low null_high n_p`, of which only `value` is not NaN
    (n_p is N), so that the rows join those of `joint.joint`.

    Raises
    ------
    InputError : fewer than 20 rows, shapes that differ, NaN or infinite values, |logvar| > 100.
    """
    part = _part(len(z), seed)
    mu, logvar, z = (array[part] for array in _posterior(mu, logvar, z, where="decomposition"))
    n = len(z)
    with single_threaded_blas():
        own = gaussian_log_density(z, mu, logvar).sum(axis=1)
        others = log_joint_of_others(z, mu, logvar)
        joint = {"": float(with_own(others, own, n).mean()), "_loo": float(others.mean())}
        rate = kl_to_standard_normal(mu, logvar).mean(axis=0)
        known = float(own.mean()) - joint[""] <= np.log(n) - NATS_BELOW_LN_N
        marginals, perfect = np.full((3, z.shape[1]), np.nan), PerfectEncoder(np.nan, np.nan)
        if known:
            marginals = _marginal_means(z, mu, logvar)
            told = min(float(rate.sum()), float(own.mean()) - joint["_loo"])
            rates = shared_out(told, np.clip(marginals[0] - marginals[2], 0.0, rate))
            perfect = perfect_encoder(rates, n, rng=rng_for(seed, "perfect encoder", str(n)))
    prior = float(gaussian_log_density(z, 0.0, 0.0).sum(axis=1).mean())
    values = {"kl": float(own.mean()) - prior}
    for (ending, log_q), log_q_j in zip(joint.items(), marginals[1:].sum(axis=1).tolist(), strict=True):
        values[f"index_code_mi{ending}"] = float(own.mean()) - log_q
        values[f"total_correlation{ending}"] = log_q - log_q_j
        values[f"dimwise_kl{ending}"] = log_q_j - prior
        values[f"marginal_kl{ending}"] = log_q - prior if known else np.nan
    values["kl_closed_form"] = float(rate.sum())
    values |= {f"{name}_perfect": value for name, value in perfect._asdict().items()}
    nothing = dict.fromkeys(("p_value", "null_low", "null_high"), np.nan)
    return pd.DataFrame([{"metric": name, "value": value, **nothing, "n_p": n} for name, value in values.items()])


def _marginal_means(z: np.ndarray, mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """(3, latent): means over the codes of ln q(z_nj|x_n), ln q_Nj(z_nj) and ln q_-nj(z_nj)."""
    means = []
    for first in range(0, z.shape[1], MARGINALS_AT_ONCE):
        codes, centres, logvars = (array[:, first : first + MARGINALS_AT_ONCE] for array in (z, mu, logvar))
        own, whole = gaussian_log_density(codes, centres, logvars), log_marginals(codes, centres, logvars)
        others = log_marginals_of_others(codes, centres, logvars, whole)
        means.append([values.mean(axis=0) for values in (own, whole, others)])
    return np.concatenate(means, axis=1)


def _part(n: int, seed: int) -> np.ndarray | slice:
    """Which of n rows enter the densities: all, or DENSITY_ROWS drawn from a stream of their own."""
    if n <= DENSITY_ROWS:
        return slice(None)
    return np.sort(rng_for(seed, "decomposition", str(n)).choice(n, DENSITY_ROWS, replace=False))


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
    rows = decomposition(posterior.mu, posterior.logvar, posterior.z, seed=subject.seed)
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
        Metric("index_code_mi", "index-code mutual information", "nats",
               sentence="on average too low, and at most ln n of n codes"),
        Metric("total_correlation", "dependence between dimensions (total correlation)", "nats", better="lower",
               title="dependence between dimensions", sentence=f"as a rule too high; {UNTOLD}"),
        Metric("dimwise_kl", "dimension-wise KL", "nats", better="lower", sentence=f"on average too high; {UNTOLD}"),
        Metric("marginal_kl", "KL of all codes together to the prior", "nats", better="lower",
               title="all codes against the prior", sentence=f"on average too high; {UNTOLD}"),
        Metric("index_code_mi_loo", f"index-code mutual information, {LEFT_OUT}", "nats",
               sentence="on average too high, and less than the KL in truth"),
        Metric("total_correlation_loo", f"dependence between dimensions, {LEFT_OUT}", "nats", better="lower",
               sentence=f"as a rule too low; {UNTOLD}"),
        Metric("dimwise_kl_loo", f"dimension-wise KL, {LEFT_OUT}", "nats", better="lower",
               sentence=f"on average too low; {UNTOLD}"),
        Metric("marginal_kl_loo", f"KL of all codes together to the prior, {LEFT_OUT}", "nats", better="lower",
               sentence=f"on average too low; {UNTOLD}"),
        Metric("kl_closed_form", "KL of the posterior, closed form", "nats", 0.0, title="rate, KL to the prior"),
        Metric("marginal_kl_perfect", "KL of all codes together to the prior, of a perfect encoder", "nats",
               sentence=f"{PERFECT}; {UNTOLD}"),
        Metric("total_correlation_perfect", "dependence between dimensions, of a perfect encoder", "nats",
               sentence=f"{PERFECT}; {UNTOLD}"),
        Metric("active_units", "active dimensions", low=0.0,
               sentence="dimensions whose mean varies by more than 0.01 over the samples"),
        Metric("collapsed_units", "collapsed dimensions", low=0.0,
               sentence="dimensions with a KL below 0.01 nats for 99% of the samples"),
    ),
    rows=_rows,
    order=40,
)  # fmt: skip
