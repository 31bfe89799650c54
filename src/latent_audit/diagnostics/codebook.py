"""A discrete code: how many entries of the codebook are used, how evenly, and what ties the positions of a sample.

What may be sampled is asked of a discrete code in three steps: entries drawn evenly from the codebook, drawn from their
frequencies, or drawn one after another from a model of what comes before.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.measures import Measure, Metric, share
from latent_audit.diagnostics.ground_truth import Indices

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

TABLE, SECTION = "codebook", "codebook"
MOST_PAIRS = 2_000_000  # neighbouring positions that are counted


def codebook(indices: Indices, *, rng: np.random.Generator) -> pd.DataFrame:
    """Rows metric, value.

    perplexity : exp of the entropy of the entries' frequencies, 1 to `entries`. used_share : entries used at least
    once; dead_codes : those never used. entropy_nats : of the frequencies. uniform_gap_nats : ln entries - entropy,
    the KL of the frequencies to the even draw, per position. position_nats : information of the place about it.
    neighbour_nats : information of an entry about the next one in its row, above that of entries dealt out anew at the
    same positions; NaN with one position. bits_per_sample : positions x log2 entries, what a sample is stored in.

    References
    ----------
    van den Oord et al. (2017), arXiv:1711.00937 (codebook, perplexity); Shannon (1948), theorem 2.
    """
    values, entries = indices.values, indices.entries
    n_positions = values.shape[1]
    counts = np.bincount(values.ravel(), minlength=entries)
    entropy = _entropy(counts)
    used = int((counts > 0).sum())
    at_position = [_entropy(np.bincount(column, minlength=entries)) for column in values.T]
    rows = {
        "perplexity": float(np.exp(entropy)),
        "used_share": used / entries,
        "dead_codes": float(entries - used),
        "entropy_nats": entropy,
        "uniform_gap_nats": max(0.0, float(np.log(entries)) - entropy),
        "position_nats": max(0.0, entropy - float(np.mean(at_position))),
        "neighbour_nats": neighbours(values, rng),
        "bits_per_sample": n_positions * float(np.log2(entries)),
        "n_positions": float(n_positions),
        "entries": float(entries),
    }
    return pd.DataFrame(list(rows.items()), columns=["metric", "value"])


def beyond_chance_by_position(indices: Indices, *, rng: np.random.Generator) -> float:
    """`position_nats` less that of the same entries dealt out over all positions anew, at least 0."""
    dealt = rng.permuted(indices.values.ravel()).reshape(indices.values.shape)
    own, chance = (
        float(np.mean([_entropy(np.bincount(column, minlength=indices.entries)) for column in values.T]))
        for values in (indices.values, dealt)
    )
    return max(0.0, chance - own)


def neighbours(values: np.ndarray, rng: np.random.Generator) -> float:
    """I(entry; next entry) in nats, minus what as many pairs of independent ones seem to have."""
    if values.shape[1] < 2:
        return float("nan")
    rows = values[np.sort(rng.permutation(len(values))[: max(1, MOST_PAIRS // values.shape[1])])]
    dealt = rng.permuted(rows, axis=0)  # each position keeps its frequencies
    return max(0.0, _information(rows) - _information(dealt))


def _information(rows: np.ndarray) -> float:
    first, second = rows[:, :-1].ravel(), rows[:, 1:].ravel()
    joint = np.unique(first * (int(rows.max()) + 1) + second, return_counts=True)[1]
    return _entropy(np.bincount(first)) + _entropy(np.bincount(second)) - _entropy(joint)


def _entropy(counts: np.ndarray) -> float:
    part = counts[counts > 0] / counts.sum()
    return abs(float((part * np.log(part)).sum()))


def _rows(subject: "Subject") -> pd.DataFrame | None:
    return None if subject.indices is None else codebook(subject.indices, rng=subject.rng(TABLE))


MEASURE = Measure(
    "codebook",
    needs=frozenset(),
    metrics=(
        Metric("perplexity", "perplexity of the codebook", "entries", 1.0, better="higher", section=SECTION,
               sentence="as many entries as would have the same entropy if all were used alike"),
        share("used_share", "entries of the codebook that are used", better="higher", section=SECTION),
        Metric("dead_codes", "entries that are never used", "entries", 0.0, better="lower", section=SECTION),
        Metric("entropy_nats", "entropy of the entries’ frequencies", "nats", 0.0, section=SECTION),
        Metric("uniform_gap_nats", "KL of the frequencies to an even draw of the codebook", "nats per position", 0.0,
               better="lower", section=SECTION),
        Metric("position_nats", "information of the position about the entry", "nats per position", 0.0,
               section=SECTION),
        Metric("neighbour_nats", "information of an entry about the next, beyond chance", "nats per position", 0.0,
               better="lower", section=SECTION),
        Metric("bits_per_sample", "size of a sample’s code", "bits", 0.0, section=SECTION),
        Metric("n_positions", "positions of a sample", low=1.0, section=SECTION),
        Metric("entries", "entries of the codebook", low=1.0, section=SECTION),
    ),
    rows=_rows,
    table=TABLE,
    order=260,
)  # fmt: skip
