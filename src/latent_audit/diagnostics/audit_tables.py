"""What an audit gives back: its tables, and the answer at hand in Python and in a notebook."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError
from latent_audit.base.measures import Metric
from latent_audit.diagnostics.fitted import FittedPrior, standard_normal
from latent_audit.diagnostics.latent_maps import MapTables
from latent_audit.diagnostics.reduce import Reduction
from latent_audit.diagnostics.verdict import Verdict


class Audited(NamedTuple):
    """The arrays that were audited: codes and log variances (sample, latent) float64, labels (sample,), or None.

    columns : role (z, mu, logvar) -> the names of the dimensions, where they have names.
    """

    z: np.ndarray
    mu: np.ndarray | None = None
    logvar: np.ndarray | None = None
    labels: np.ndarray | None = None
    columns: Mapping[str, Sequence[str]] = {}


class AuditTables(NamedTuple):
    """The tables of an audit; `classes` and `class_map` are None without labels, `separability` without a fit to score.

    per_dim : a row per code (mu, z) and dimension. joint : a row per code and metric. transforms : rows code,
    transform (raw, standardised, whitened), metric, value. classes : a row per code and class: label (an integer: the
    label itself, or the index of its name), class_name, count, share, area (NaN where no density of more than two
    dimensions fits), centroid_0, centroid_1.
    class_map : index into the sorted classes over the unit square of z (row 0 = small second coordinate).
    dims : the two dimensions of the class map and the centroids.
    metrics : what is known of every metric of these tables, by name.
    judgement : may N(0, I) be sampled, and why; of z. `verdict`, `may_sample`, `reasons` are its parts.
    disentanglement : rows metric, value, chance, code, note; None without factors. directions : a row per attribute
    (`diagnostics.directions`); None without attributes. codebook : rows metric, value of indices; the tables of codes
    are empty then. audited : the arrays themselves; None of indices.
    maps : of latent maps and sequences, what is known beside these tables, which are of seeded positions. reduction :
    of codes that were reduced to fewer dimensions, how.
    """

    per_dim: pd.DataFrame
    joint: pd.DataFrame
    transforms: pd.DataFrame
    classes: pd.DataFrame | None
    separability: pd.DataFrame | None
    class_map: np.ndarray | None
    dims: tuple[int, int]
    metrics: Mapping[str, Metric]
    judgement: Verdict
    disentanglement: pd.DataFrame | None = None
    directions: pd.DataFrame | None = None
    codebook: pd.DataFrame | None = None
    audited: Audited | None = None
    maps: MapTables | None = None
    reduction: Reduction | None = None

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        return self.judgement.sentence

    @property
    def may_sample(self) -> str:
        """What may be sampled: "prior", "fitted" (see `recommended_prior`), "no" or "undecided"."""
        return self.judgement.may_sample

    @property
    def reasons(self) -> pd.DataFrame:
        """The tests that are left below 5% after Holm's adjustment, those that matter first; `judgement.reasons` has
        all."""
        return self.judgement.reasons[self.judgement.reasons["differs"]].reset_index(drop=True)

    def recommended_prior(self) -> FittedPrior:
        """What to draw codes from, as plain arrays with `sample(n, rng)`: N(0, I) where it may be sampled, else the
        Gaussian or mixture that was fitted, which is the nearest even where the answer is "no".

        Raises
        ------
        InputError : the codes hold nothing that could be sampled.
        """
        if self.judgement.prior is not None:
            return self.judgement.prior
        if self.codebook is not None:
            raise InputError("recommended_prior: indices of a codebook have no density of codes; draw entries.")
        if self.may_sample == "no":
            raise InputError(f"recommended_prior: there is none. {self.verdict}")
        return standard_normal(int((self.per_dim["code"] == "z").sum()))

    def _repr_html_(self) -> str:
        """For a notebook: the verdict, what to do, and the numbers that decide."""
        rows = self.judgement.reasons.head(6)[["metric", "where", "value", "margin", "p_holm"]]
        advice = "".join(f"<li>{escape(line)}</li>" for line in self.judgement.advice)
        table = rows.to_html(index=False, float_format="{:.3g}".format, na_rep="", border=0)
        return f"<p><strong>{escape(self.verdict)}</strong></p><ul>{advice}</ul>{table}"
