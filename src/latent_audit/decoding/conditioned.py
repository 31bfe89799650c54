"""What a decoder needs beside a code: nothing, or the label that it decodes under."""

import numpy as np
from jaxtyping import Int

from latent_audit.models.autoencoder import Autoencoder


def is_conditional(model: Autoencoder) -> bool:
    """Whether the family's decoder is told a label."""
    return model.family.condition(model.spec.n_classes) > 0


def is_discrete(model: Autoencoder) -> bool:
    """Whether the code is indices of a codebook, which have no size."""
    return model.family.code == "discrete"


def labels_like(
    model: Autoencoder, labels: Int[np.ndarray, " sample"], n: int, *, rng: np.random.Generator
) -> Int[np.ndarray, " n"] | None:
    """`n` labels as frequent as in `labels`, to decode draws under; None where the decoder takes none.

    They are drawn apart from the code: that is what a conditional model promises to be right.
    """
    return rng.choice(np.asarray(labels, dtype=np.int64), n) if is_conditional(model) else None


def own_labels(model: Autoencoder, labels: Int[np.ndarray, " sample"]) -> Int[np.ndarray, " sample"] | None:
    """The labels of the codes themselves; None where the decoder takes none."""
    return np.asarray(labels, dtype=np.int64) if is_conditional(model) else None


def why_no_explorer(model: Autoencoder) -> str:
    """Why the page cannot move through the code and decode it, in words; empty where it can."""
    if is_discrete(model):
        return "its decoder takes indices of a codebook, between which there is nothing to move through"
    if is_conditional(model):
        return "its decoder decodes a code under a label, which the explorer has no place for"
    return ""
