"""Does a conditional model draw what it is asked for? Draws under each label, named by the critic."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import beta

from latent_audit.base.measures import Measure, share
from latent_audit.decoding.conditioned import is_conditional
from latent_audit.decoding.decode import decode
from latent_audit.decoding.generation import judge

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

DRAWS = 200  # for each class
LEVEL = 0.95
SECTION = "asked"


def asked_class(
    asked: Int[np.ndarray, " sample"], probabilities: Float[np.ndarray, "sample label"]
) -> dict[str, float]:
    """How often the critic names the class that was asked for.

    asked_accuracy : of all draws; asked_low, asked_high : 95% interval of that share over draws (Clopper & Pearson,
    1934); asked_worst : of the class that fares worst.
    """
    right = probabilities.argmax(axis=1) == asked
    n, hits = len(right), int(right.sum())
    tail = (1 - LEVEL) / 2
    low = float(beta.ppf(tail, hits, n - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0
    worst = min(right[asked == label].mean() for label in np.unique(asked))
    return {"asked_accuracy": hits / n, "asked_low": low, "asked_high": high, "asked_worst": float(worst)}


def _rows(subject: "DecoderSubject") -> dict[str, float] | None:
    """None for a model that takes no label."""
    if not is_conditional(subject.model):
        return None
    n_classes, latent_dim = subject.model.spec.n_classes, subject.model.spec.latent_dim
    asked = np.repeat(np.arange(n_classes), DRAWS)
    z = subject.rng("asked class").standard_normal((len(asked), latent_dim))
    found = asked_class(asked, _named(subject, z, asked))
    labels = np.asarray(subject.codes["labels"])[: len(asked)]
    own = _named(subject, subject.codes["z"][: len(asked)], labels)
    return found | {"asked_reconstruction": float((own.argmax(axis=1) == labels).mean())}


def _named(subject: "DecoderSubject", z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    images = decode(subject.model, z, device=subject.device, labels=labels)
    probabilities = judge(subject.critic, images, device=subject.device).probabilities
    assert probabilities is not None  # the measure needs a critic of classes
    return probabilities


MEASURE = Measure(
    "asked_class",
    needs=frozenset({"decoder", "critic", "labels"}),
    metrics=(
        share("asked_accuracy", "draws from N(0, I) under a label that the critic names so", better="higher",
              section=SECTION, title="asked and drawn", sentence="chance is one over the number of classes"),
        share("asked_low", "lower end of its 95% interval over draws", section=SECTION),
        share("asked_high", "upper end of its 95% interval over draws", section=SECTION),
        share("asked_worst", "the same of the class that fares worst", better="higher", section=SECTION),
        share("asked_reconstruction", "reconstructions under their own label that the critic names so", better="higher",
              section=SECTION),
    ),
    rows=_rows,
    table="asked_class",
    order=85,
)  # fmt: skip
