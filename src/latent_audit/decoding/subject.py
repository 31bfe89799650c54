"""What a measure that needs a decoder or a critic is given: one trained replicate, its codes, and the images."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import torch

from latent_audit.base.measures import Measure, discover
from latent_audit.base.randomness import generator_for, rng_for
from latent_audit.critic.network import Critic
from latent_audit.decoding.attribute_directions import AttributeStudy, study_of
from latent_audit.decoding.attribute_judge import Attributes
from latent_audit.decoding.generation import Reference, judge_reference
from latent_audit.models.autoencoder import Autoencoder


@dataclass(frozen=True, eq=False)
class DecoderSubject:
    """One replicate with its decoder.

    codes : arrays of codes/<arm>/seed-<k>.npz. images : of the splits `train` and `test`, uint8. history : of training,
    this replicate's rows. reconstruction : `bce` or `mse`. seed : of this replicate's draws, the same in
    every arm. outsiders : uint8 images of each set that the study was not trained on. denoises : whether
    reconstructions of noisy images are asked for. attributes : which images of either split have which; None for a data
    set without.
    """

    codes: Mapping[str, np.ndarray]
    model: Autoencoder
    critic: Critic
    images: Mapping[str, np.ndarray]
    history: pd.DataFrame
    reconstruction: str
    seed: int
    device: torch.device
    outsiders: Mapping[str, np.ndarray] = field(default_factory=dict)
    denoises: bool = False
    attributes: Attributes | None = None

    def rng(self, *purpose: str) -> np.random.Generator:
        """A NumPy stream by its name: a new name shifts no other draw."""
        return rng_for(self.seed, *purpose)

    def generator(self, *purpose: str) -> torch.Generator:
        """A torch stream by its name, on the CPU."""
        return generator_for(self.seed, *purpose)

    @property
    def there(self) -> frozenset[str]:
        """Which of `base.measures.NEEDS` are there; `labels`, and `critic` for its answers, where the data has classes.

        The critic's features are always there: without classes they are those of an untrained network. An arm that sees
        one class has a critic of all, and no labels to tell apart.
        """
        of_classes = {"critic"} if self.critic.classify is not None else set()
        of_classes |= {"labels"} if of_classes and len(np.unique(self.codes["labels"])) > 1 else set()
        others = {
            "posterior": "logvar" in self.codes,
            "outsider": bool(self.outsiders),
            "attributes": self.attributes is not None,
        }
        return frozenset({"decoder", "train", *of_classes, *(name for name, there in others.items() if there)})

    @cached_property
    def reference(self) -> Reference:
        """The real images as the critic sees them, judged once."""
        return judge_reference(
            self.critic, self.images["test"], self.images["train"], rng=self.rng("generation", "floor"),
            device=self.device,
        )  # fmt: skip

    @cached_property
    def attribute_study(self) -> AttributeStudy | None:
        """What the decoder makes of attribute vectors, worked out once; None where that cannot be asked."""
        return study_of(self)


def registered() -> tuple[Measure, ...]:
    """The measures of this room, which need a decoder or a critic."""
    return discover("latent_audit.decoding")
