"""When may a discrete code be sampled? Grids drawn from three priors, decoded, and held against the real images."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latent_audit.base.measures import Measure
from latent_audit.decoding.codebook_use import prior_of
from latent_audit.decoding.conditioned import is_discrete
from latent_audit.decoding.decode import decode
from latent_audit.decoding.generation import SETS, judge
from latent_audit.diagnostics.generation import DESCRIBED, score
from latent_audit.diagnostics.grid_prior import PRIORS, draw

if TYPE_CHECKING:
    from latent_audit.decoding.subject import DecoderSubject

OWN_SETS = {
    "uniform": (" of grids drawn evenly from the codebook", "even entries"),
    "marginal": (" of grids drawn by the frequencies of each place", "frequencies"),
    "autoregressive": (" of grids drawn entry after entry", "autoregressive"),
}


def _rows(subject: "DecoderSubject") -> pd.DataFrame | None:
    """Rows sampler, metric, value, as `generation` has them; None for a code that is not discrete."""
    if not is_discrete(subject.model):
        return None
    n, prior, tables = len(subject.reference.test.features), prior_of(subject.model, subject.codes), []
    names = (*PRIORS, "reconstruction")
    for name, stream in zip(names, subject.rng("generation", "grids").spawn(len(names)), strict=True):
        drawing, scoring = stream.spawn(2)
        code = subject.codes["z"] if name == "reconstruction" else draw(prior, n, name, rng=drawing).astype(np.float64)
        judged = judge(subject.critic, decode(subject.model, code, device=subject.device), device=subject.device)
        tables.append(score(*judged, *subject.reference.test, rng=scoring).assign(sampler=name))
    table = pd.concat([*tables, subject.reference.floor], ignore_index=True)
    return table[["sampler", "metric", "value"]]


MEASURE = Measure(
    "discrete_generation",
    needs=frozenset({"decoder", "train"}),
    metrics=(
        *DESCRIBED,
        *(metric.of(name, *words) for name, words in OWN_SETS.items() for metric in DESCRIBED),
        *(metric.of(name, *SETS[name]) for name in ("reconstruction", "test_floor") for metric in DESCRIBED),
    ),
    rows=_rows,
    table="discrete_generation",
    qualifier="sampler",
    order=81,
)  # fmt: skip
