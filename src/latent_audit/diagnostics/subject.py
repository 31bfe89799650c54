"""What a measure of codes is given: the codes, what stands beside them, and what several measures share."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from latent_audit.base.randomness import replicate_seed, rng_for
from latent_audit.diagnostics.classes import ClassAreas, class_areas
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.decomposition import per_dimension_rate
from latent_audit.diagnostics.ground_truth import Attributes, Factors, Indices
from latent_audit.diagnostics.univariate import per_dimension

if TYPE_CHECKING:
    from latent_audit.diagnostics.tables_of_code import AuditSettings


@dataclass(frozen=True, eq=False)
class Posterior:
    """q(z|x) of every sample, and one draw of it, row by row; all (sample, latent)."""

    mu: Codes
    logvar: Codes
    z: Codes

    @cached_property
    def rates(self) -> pd.DataFrame:
        """What each dimension carries; see `decomposition.per_dimension_rate`."""
        return per_dimension_rate(self.mu, self.logvar)


@dataclass(frozen=True, eq=False)
class Subject:
    """One code (mu or z) under audit; what was not given is None.

    labels : (sample,) classes. reference : codes and labels of another split, to fit on. posterior : stands beside z
    alone. factors, attributes : of every sample; indices : of a codebook, in place of codes. dims : the two dimensions
    that are shown. seed : of every draw, the same for mu and z; measures draw from
    `rng`, and use the seed itself only for what chance gives, which replicates share. code : mu or z; what the prior is
    promised to is z, and what takes long is asked of z alone.
    """

    codes: Codes
    settings: "AuditSettings"
    dims: tuple[int, int]
    seed: int
    labels: np.ndarray | None = None
    reference: tuple[Codes, np.ndarray] | None = None
    posterior: Posterior | None = None
    code: str = "z"
    factors: Factors | None = None
    attributes: Attributes | None = None
    indices: Indices | None = None

    def rng(self, *purpose: str) -> np.random.Generator:
        """A stream of this audit and replicate by its name: a new name shifts no other draw."""
        replicate = self.settings.replicate
        seed = self.seed if replicate is None else replicate_seed(self.seed, replicate)
        return rng_for(seed, "audit", *purpose)

    @property
    def there(self) -> frozenset[str]:
        """Which of `base.measures.NEEDS` are there."""
        given = {
            "labels": self.labels, "train": self.reference, "posterior": self.posterior, "factors": self.factors,
            "attributes": self.attributes,
        }  # fmt: skip
        return frozenset(need for need, value in given.items() if value is not None)

    def only(self, rows: np.ndarray) -> Self:
        """Some of the samples, with their factors; what else stands beside them is left behind."""
        factors = None if self.factors is None else replace(self.factors, index=self.factors.index[rows])
        return replace(
            self, codes=self.codes.rows(rows), factors=factors, labels=None, reference=None, posterior=None,
            attributes=None,
        )  # fmt: skip

    @cached_property
    def per_dim(self) -> pd.DataFrame:
        """A row per dimension; see `univariate.per_dimension`."""
        return per_dimension(self.codes, rng=self.rng("per_dim"))

    @cached_property
    def areas(self) -> ClassAreas:
        """What of the prior each class owns; there must be labels."""
        assert self.labels is not None
        return class_areas(
            self.codes, self.labels, rng=self.rng("classes"), neighbours=self.settings.neighbours,
            grid=self.settings.grid, dims=self.dims,
        )  # fmt: skip
