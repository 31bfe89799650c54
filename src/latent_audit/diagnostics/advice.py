"""What to do after a verdict about the weight on the KL and about directions that hold nothing, with its numbers."""

import numpy as np
import pandas as pd

OF_ONE_ROW = 0.9  # of the spread of all codes
FAR = 0.05  # of the KL, or nats: a distance of q(z) from N(0, I) that a weight could still take away


def next_steps(may_sample: str, joint: pd.DataFrame, per_dim: pd.DataFrame) -> tuple[str, ...]:
    """Sentences, each with the number that it rests on.

    Parameters
    ----------
    may_sample : the verdict. joint, per_dim : rows of code z, with those of the posterior where there is one.
    """
    value = dict(zip(joint["metric"], joint["value"].astype(float), strict=True))
    few = "n" in per_dim and int(per_dim["n"].iloc[0]) <= len(per_dim)  # so few codes span no more directions
    steps = [] if few else _without_spread(value, len(per_dim))
    if "kl_closed_form" in value and "is_active" in per_dim:
        steps += _weight(may_sample, value, per_dim)
    return tuple(steps)


def one_row(values: np.ndarray) -> tuple[str, ...]:
    """A sentence where one of the (sample, latent) codes makes up nearly all of their spread: every number is of it."""
    middle = np.median(values, axis=0)
    with np.errstate(over="ignore"):
        square = ((values - middle) ** 2).sum(axis=1)
    whole, row = float(square.sum()), int(square.argmax())
    if not np.isfinite(whole) or whole <= 0 or square[row] <= OF_ONE_ROW * whole or np.count_nonzero(square) < 2:
        return ()
    return (
        f"Look at row {row:,} (counted from 0): {100 * square[row] / whole:.3g}% of the spread of all codes is its "
        "own, so that every number here is of it, correlations too; if it is damaged, drop it and audit again.",
    )


def _without_spread(value: dict[str, float], latent_dim: int) -> list[str]:
    missing = latent_dim - int(value.get("rank", latent_dim))
    if missing <= 0 or missing == latent_dim:
        return []
    copies = int(value.get("duplicate_dims", 0.0))
    named = f" ({copies} of them copies of another dimension)" if 0 < copies <= missing else ""
    return [
        f"Drop {missing} direction{'s' * (missing > 1)}{named}: the codes spread in {latent_dim - missing} of "
        f"{latent_dim} dimensions only."
    ]


def _weight(may_sample: str, value: dict[str, float], per_dim: pd.DataFrame) -> list[str]:
    """Up where q(z) is far from the prior, down where dimensions are idle and the prior may be sampled."""
    rate, n_dims = value["kl_closed_form"], len(per_dim)
    idle = int((~per_dim["is_active"].astype(bool)).sum())
    if idle == n_dims:
        return []  # the verdict itself says so
    if may_sample == "prior" and idle:
        return [
            f"Or lower the weight on the KL, if reconstructions are blurred: {idle} of {n_dims} dimensions are idle, "
            f"and {rate:.3g} nats are all that a decoder learns of an input."
        ]
    if may_sample == "prior":
        return [f"Keep the weight on the KL: all {n_dims} dimensions are in use, at {rate:.3g} nats."]
    low, high = sorted((value.get("marginal_kl_loo", np.nan), value.get("marginal_kl", np.nan)))
    if may_sample == "undecided" or (np.isfinite(high) and high < FAR * max(rate, 1.0)):
        return []
    told = f"{max(low, 0.0):.3g} to {max(high, 0.0):.3g} of them" if np.isfinite(low + high) else "part of them"
    return [
        f"Or raise the weight on the KL and train again: the KL is {rate:.3g} nats, {told} the distance of all codes "
        "together from N(0, I), which a larger weight makes smaller (`latent-audit kl-weight` says what the weight is "
        "now)."
    ]
