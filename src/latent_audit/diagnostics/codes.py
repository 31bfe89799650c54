"""Codes as the diagnostics pass them on: checked once, and every transformed form of them computed once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from latent_audit.diagnostics.checks import as_codes
from latent_audit.diagnostics.transforms import Affine, fit_affine


@dataclass(frozen=True, eq=False)
class Codes:
    """(sample, latent) float64 codes, finite and read only; `Codes.of` makes them of whatever was given.

    `Codes(values)` trusts its caller: for a part of codes that were checked, and for draws of our own.
    """

    values: np.ndarray

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    @classmethod
    def of(cls, x: "Codes | np.ndarray", *, where: str) -> "Codes":
        """Codes as they are; an array once it has passed `checks.as_codes`, which raises InputError in words.

        where : name of the caller, the first word of the message.
        """
        return x if isinstance(x, Codes) else cls(as_codes(x, where=where))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of codes, number of dimensions."""
        return self.values.shape[0], self.values.shape[1]

    def rows(self, index: np.ndarray | slice) -> "Codes":
        """A part of the codes."""
        return Codes(self.values[index])

    @cached_property
    def standardisation(self) -> Affine:
        """The map that takes each dimension's mean and sd out (1/n)."""
        return fit_affine(self.values, "standardised")

    @cached_property
    def whitening(self) -> Affine:
        """The map that takes the covariance out (1/n); directions without spread are dropped."""
        return fit_affine(self.values, "whitened")

    @cached_property
    def standardised(self) -> np.ndarray:
        """(sample, latent): mean 0 and sd 1 in every dimension, 0 where it is constant."""
        scale = np.diagonal(self.standardisation.matrix)
        return _read_only((self.values - self.standardisation.mean) * scale + 0.0)  # + 0.0 makes -0.0 equal 0.0

    @cached_property
    def whitened(self) -> np.ndarray:
        """(sample, rank): mean 0 and covariance 1, along the principal axes of the standardised codes."""
        return _read_only(self.whitening(self.values))

    def affine(self, transform: str) -> Affine:
        """The fitted map by its name: raw, standardised or whitened; InputError for another name."""
        known = {"standardised": "standardisation", "whitened": "whitening"}
        return getattr(self, known[transform]) if transform in known else fit_affine(self.values, transform)

    def transformed(self, transform: str) -> np.ndarray:
        """The codes raw, standardised or whitened; InputError for another name."""
        known = {"raw": "values", "standardised": "standardised", "whitened": "whitened"}
        return getattr(self, known[transform]) if transform in known else self.affine(transform)(self.values)


def _read_only(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values
