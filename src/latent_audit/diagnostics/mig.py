"""The mutual information gap: does one dimension alone know a factor? In the two versions that the literature has."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.measures import Measure, share
from latent_audit.diagnostics.disentanglement import SECTION, TABLE, Grounded, gap, grounded, kept_rows, scored
from latent_audit.diagnostics.mutual_information import entropies, in_bins, of_posterior, of_values

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

COUNTED = "no logvar: counts of z's different values, or nearest neighbours (Ross 2014)"
EXACT = "exact densities of q(z|x)"
LEAST_ROWS = 2_000  # of the mixture, however many dimensions


def of_information(information: np.ndarray, factors: np.ndarray) -> float:
    """Mean over factors of (I_1 - I_2) / H(v_k), I_1 and I_2 the largest two of a column of (latent, factor)."""
    return float((gap(information) / entropies(factors)).mean())


def mig_means(data: Grounded, rng: np.random.Generator) -> dict[str, float]:
    """Of the means (of z where there are none) in 20 bins.

    Twenty bins tell no more than twenty values apart: a factor of 40 has at most ln 20 / ln 40 = 0.81.

    References
    ----------
    Locatello et al. (2019), arXiv:1811.12359, appendix C, after Chen et al. (2018).
    """
    return {"mig_means": of_information(in_bins(data.codes, data.factors), data.factors)}


def mig_samples(subject: "Subject") -> pd.DataFrame:
    """Of the sampled codes z, exact under q(z|x) where mu and logvar are given.

    References
    ----------
    Chen et al. (2018), arXiv:1802.04942, equation 6 and appendix C.
    """
    if subject.posterior is None:
        return scored(subject, lambda data, rng: {"mig_samples": _of_values(data, rng)}, "mig", note=COUNTED)
    latent_dim = subject.codes.shape[1]
    rows = kept_rows(subject)
    most = max(LEAST_ROWS, 400_000 // latent_dim)
    rows = np.sort(subject.rng(TABLE, "mixture").permutation(rows)[:most])
    arrays = (own.values[rows] for own in (subject.posterior.mu, subject.posterior.logvar, subject.posterior.z))
    stacked = grounded(np.concatenate(list(arrays)), np.zeros((1, 1), dtype=np.int64)).codes  # one order for all three
    mu, logvar, z = stacked.reshape(3, len(rows), latent_dim)

    def score(data: Grounded, rng: np.random.Generator) -> dict[str, float]:
        information = of_posterior(mu, logvar, z, data.factors, rng=rng)
        return {"mig_samples": of_information(information, data.factors)}

    return scored(subject.only(rows), score, "mig", note=EXACT).assign(code="z")


def _of_values(data: Grounded, rng: np.random.Generator) -> float:
    few = data.rows(np.sort(rng.permutation(len(data.codes))[: max(500, 100_000 // data.codes.shape[1])]))
    return of_information(of_values(few.codes, few.factors, rng=rng), few.factors)


def _rows(subject: "Subject") -> pd.DataFrame:
    return pd.concat([scored(subject, mig_means, "mig"), mig_samples(subject)], ignore_index=True)


MEASURE = Measure(
    "mig",
    needs=frozenset({"factors"}),
    metrics=(
        share("mig_means", "mutual information gap, means in 20 bins", unit="", better="higher", section=SECTION,
              title="MIG, histogram of means", sentence="how much more of a factor the best dimension knows than the "
              "second, as a share of the factor’s entropy"),
        share("mig_samples", "mutual information gap, of the samples", unit="", better="higher", section=SECTION,
              title="MIG, exact on samples", sentence="the same of the sampled code, from exact densities"),
    ),
    rows=_rows,
    table=TABLE,
    order=200,
)  # fmt: skip
