"""The parts of the KL in words: as brackets between two estimates, or why they cannot be told."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from latent_audit.base.limits import NATS_BELOW_LN_N
from latent_audit.report.tables import number, percent, set_number

Joint = Mapping[str, Mapping[str, Any]]  # metric -> its row of joint.csv


def posterior(joint: Joint, latent_dim: int) -> str:
    """What the KL of the posterior is made of, and how many dimensions are active."""
    return f"{_parts(joint) if is_told(joint) else untold(joint)}{_active(joint, latent_dim)}"


def caption(joint: Joint) -> str:
    """The finding of the figure of the parts, and how they were estimated."""
    if not is_told(joint):
        return untold(joint)
    kl, perfect = _value(joint, "kl"), _value(joint, "marginal_kl_perfect")
    low, high = _bracket(joint, "marginal_kl")
    part = f" ({percent(max(low, 0) / kl)} to {percent(max(high, 0) / kl)})" if kl > 0 else ""
    return (
        f"Of {number(kl)} nats, {between(joint, 'marginal_kl')}{part} is the distance of all codes together, q(z), to "
        "N(0, I): total correlation and dimension-wise KL. The rest tells one input’s code from another’s; "
        f"{_most(joint)}. Two estimates bracket each part: the exact mixture of all posteriors makes the distance too "
        "large, that of the other codes’ posteriors alone makes it too small (on average, for q(z) and for single "
        "dimensions; as a rule, for the total correlation). Of a perfect encoder of the same rate, whose q(z) is "
        f"N(0, I), the first would make {_text(perfect)} nats. Chen et al. (2018)."
    )


def is_told(joint: Joint) -> bool:
    """Whether the codes are enough to divide the KL."""
    return bool(np.isfinite(_value(joint, "marginal_kl")))


def untold(joint: Joint) -> str:
    """Why the KL is not divided, with what it would take."""
    kl, information = _value(joint, "kl"), _value(joint, "index_code_mi")
    n = number(int(joint["index_code_mi"]["n_p"]))
    enough = np.ceil(max(kl, information) + NATS_BELOW_LN_N)
    return (
        f"How the posterior’s KL of {number(kl)} nats divides cannot be told from {n} codes: the information of "
        f"{number(information)} nats about the input is within {set_number(NATS_BELOW_LN_N)} nats of ln {n} = "
        f"{_ln_n(joint)}, the most that so many can show. It may be as much as the KL, and it would take about "
        f"e^{enough:.0f} codes to tell it from dependence between dimensions."
    )


def between(joint: Joint, metric: str) -> str:
    """The two estimates of a part, the smaller first."""
    low, high = map(_text, _bracket(joint, metric))
    return f"between {low} and {high}" if low != high else f"{low} by both estimates"


def _parts(joint: Joint) -> str:
    return (
        f"The posterior’s KL of {number(_value(joint, 'kl'))} nats is {between(joint, 'index_code_mi')} of information "
        f"about the input ({_most(joint)}), {between(joint, 'total_correlation')} of dependence between dimensions (a "
        f"perfect encoder of the same rate would show {_text(_value(joint, 'total_correlation_perfect'))}) and "
        f"{between(joint, 'dimwise_kl')} of distance of single dimensions."
    )


def _most(joint: Joint) -> str:
    n = number(int(joint["index_code_mi"]["n_p"]))
    return f"{n} codes show at most ln {n} = {_ln_n(joint)} of it"


def _ln_n(joint: Joint) -> str:
    return number(float(np.log(joint["index_code_mi"]["n_p"])))


def _active(joint: Joint, latent_dim: int) -> str:
    if "active_units" not in joint:
        return ""
    return f" {number(int(_value(joint, 'active_units')))} of {number(latent_dim)} dimensions are active."


def _bracket(joint: Joint, metric: str) -> tuple[float, float]:
    ends = _value(joint, f"{metric}_loo"), _value(joint, metric)
    return min(ends), max(ends)


def _text(nats: float) -> str:
    return number(round(nats, 6) + 0.0)  # what is smaller is the error of the interpolation


def _value(joint: Joint, metric: str) -> float:
    return float(joint[metric]["value"])
