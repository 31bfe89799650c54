"""Samples that agree in one factor: can it be told from their codes which? The FactorVAE and the BetaVAE score."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from latent_audit.base.measures import Measure, share
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.disentanglement import SECTION, TABLE, Grounded, scored

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

GROUP = 64  # samples, or pairs of samples, that agree in the factor
FITTED, UNSEEN = 400, 200  # groups for each factor
NUMBERS_AT_ONCE = 2**22
INFORMATIVE = 0.01  # nats: a dimension whose KL to the prior stays below carries nothing, Kim & Mnih's pruning


class Groups(NamedTuple):
    """A row for each group: what its codes say (group, latent), and the factor that was held (group,)."""

    said: np.ndarray
    held: np.ndarray


def factor_vae(data: Grounded, rng: np.random.Generator) -> float:
    """Accuracy on unseen groups of a majority vote: the dimension that varies least names the factor held.

    Variances are in units of each dimension's own; dimensions that do not vary at all are left out. A code of nothing
    else has 0.

    References
    ----------
    Kim & Mnih (2018), arXiv:1802.05983, section 4.
    """
    spread = data.codes.var(axis=0)
    kept = np.ptp(data.codes, axis=0) > 0
    if not kept.any():
        return 0.0
    codes = data.codes[:, kept] / np.sqrt(spread[kept])

    def least(groups: np.ndarray) -> np.ndarray:
        return codes[groups].var(axis=1)

    streams = zip((FITTED, UNSEEN), rng.spawn(2), strict=True)
    parts = [_groups(data, n, least, int(kept.sum()), stream) for n, stream in streams]
    votes = np.zeros((int(kept.sum()), data.factors.shape[1]))
    np.add.at(votes, (parts[0].said.argmin(axis=1), parts[0].held), 1)
    answer = votes.argmax(axis=1)
    return float((answer[parts[1].said.argmin(axis=1)] == parts[1].held).mean())


def beta_vae(data: Grounded, rng: np.random.Generator) -> float:
    """Accuracy on unseen groups of a linear classifier of mean |z_a - z_b| over pairs that agree in the factor held.

    Differences are in units of each dimension's sd. A rotation of the code need not lower it.

    References
    ----------
    Higgins et al. (2017), beta-VAE, ICLR, section 3.
    """
    spread = data.codes.std(axis=0)
    codes = np.divide(data.codes, spread, out=np.zeros_like(data.codes), where=spread > 0)

    def apart(groups: np.ndarray) -> np.ndarray:
        first, second = codes[groups[:, :GROUP]], codes[groups[:, GROUP:]]
        return np.abs(first - second).mean(axis=1)

    parts = [
        _groups(data, n, apart, codes.shape[1], stream, size=2 * GROUP)
        for n, stream in zip((FITTED, UNSEEN), rng.spawn(2), strict=True)
    ]
    if data.factors.shape[1] < 2:
        return 1.0  # there is one answer
    centre, scale = parts[0].said.mean(axis=0), parts[0].said.std(axis=0)
    fitted, unseen = ((part.said - centre) / np.where(scale > 0, scale, 1.0) for part in parts)
    probe = LogisticRegression(max_iter=1_000, C=10.0).fit(fitted, parts[0].held)
    return float((probe.predict(unseen) == parts[1].held).mean())


def _groups(
    data: Grounded, n: int, say: Callable[[np.ndarray], np.ndarray], width: int, rng: np.random.Generator,
    size: int = GROUP,
) -> Groups:  # fmt: skip
    """`n` groups of `size` samples for each factor, and what `say` makes of (group, sample) row numbers."""
    said, held = [], []
    step = max(1, NUMBERS_AT_ONCE // (size * width))
    for k, factor in enumerate(data.factors.T):
        order, counts = np.argsort(factor, kind="stable"), np.bincount(factor)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        often = np.flatnonzero(counts[factor] > 1)  # a value that one sample has is agreed on by none
        value = factor[rng.choice(often, n)]
        place = (rng.random((n, size)) * counts[value][:, None]).astype(np.int64)
        groups = order[starts[value][:, None] + place]
        said += [say(groups[i : i + step]) for i in range(0, n, step)]
        held.append(np.full(n, k))
    return Groups(np.concatenate(said), np.concatenate(held))


def _rows(subject: "Subject") -> pd.DataFrame:
    """FactorVAE's of the dimensions that carry something, as far as the posterior says so."""
    voting = subject
    if subject.posterior is not None:
        alive = subject.posterior.rates["kl_nats"].to_numpy() >= INFORMATIVE
        values = subject.codes.values
        voting = replace(subject, codes=Codes(values[:, alive] if alive.any() else np.zeros((len(values), 1))))
    return pd.concat(
        [
            scored(voting, lambda data, rng: {"factor_vae": factor_vae(data, rng)}, "factor_vae"),
            scored(subject, lambda data, rng: {"beta_vae": beta_vae(data, rng)}, "beta_vae"),
        ],
        ignore_index=True,
    )


MEASURE = Measure(
    "fixed_factor",
    needs=frozenset({"factors"}),
    metrics=(
        share("factor_vae", "FactorVAE score: the dimension that varies least names the factor held", better="higher",
              section=SECTION, title="FactorVAE score"),
        share("beta_vae", "BetaVAE score: a linear classifier names the factor held", better="higher", section=SECTION,
              title="BetaVAE score"),
    ),
    rows=_rows,
    table=TABLE,
    order=230,
)  # fmt: skip
