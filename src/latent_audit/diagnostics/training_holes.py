"""Holes among the codes that the decoder learned from: where no training code was, it answers for what it never saw."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.measures import Measure, share
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.coverage import subsample
from latent_audit.diagnostics.empty_mass import DRAWS, empty_mass
from latent_audit.diagnostics.joint import hole_row
from latent_audit.diagnostics.null import HOLE_DRAWS, hole_value
from latent_audit.diagnostics.parallel import single_threaded_blas

if TYPE_CHECKING:
    from latent_audit.diagnostics.subject import Subject

ENDING = "_train"


def training_holes(
    train: Codes | np.ndarray,
    n: int,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    null_rows: int = 1000,
    null_seed: int = 0,
) -> pd.DataFrame:
    """`hole_fraction` and `hole_mass` of training codes, of which at most n are taken, so that they compare with those
    of n test codes: the count of balls grows with the number of codes, and the null is that of the same number.

    Parameters
    ----------
    train : (sample, latent) codes of the split that the decoder learned from. n : codes of the split under audit.
    draws, null_rows, null_seed : of chance, as `joint.joint` and `empty_mass.empty_mass` take them.

    Returns
    -------
    Rows `hole_fraction_train` (NaN beyond 3 dimensions) and `hole_mass_train`; columns as those of
    `moment_tests.moment_tests`.
    """
    codes = Codes.of(train, where="training_holes")
    used = Codes(subsample(codes.values, n, rng=rng))
    with single_threaded_blas():
        value = hole_value(used, "hole_fraction", rng=rng, seed=null_seed)
        row = hole_row("hole_fraction", value, *used.shape, min(draws, HOLE_DRAWS), null_seed)
    mass = empty_mass(used, rng=rng, draws=min(draws, DRAWS), null_rows=null_rows, null_seed=null_seed)
    rows = pd.concat([pd.DataFrame([{**row, "where": ""}]), mass], ignore_index=True)
    return rows.assign(metric=rows["metric"] + ENDING)


def _rows(subject: "Subject") -> pd.DataFrame | None:
    if subject.code != "z" or subject.reference is None:
        return None
    settings = subject.settings
    return training_holes(
        subject.reference[0], len(subject.codes), rng=subject.rng("training-holes"), draws=settings.null_draws,
        null_rows=settings.null_rows, null_seed=subject.seed,
    )  # fmt: skip


MEASURE = Measure(
    "training_holes",
    needs=frozenset({"train"}),
    metrics=(
        share(
            "hole_fraction_train", "share of prior draws that land in a hole of the training codes", better="lower",
            section="holes", title="prior draws in a hole, training codes", sentence="a place further from as many "
            "training codes as there are test codes than all but 1% of true draws are from one another",
        ),
        share(
            "hole_mass_train", "share of the prior with less than half its training codes, beyond chance",
            better="lower", section="holes", title="prior mass short of training codes", sentence="places where, of as "
            "many training codes as there are test codes, fewer than half are found that N(0, I) would put there",
        ),
    ),
    rows=_rows,
    order=19,
)  # fmt: skip
