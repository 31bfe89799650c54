"""Is a fitted law a remedy? A Gaussian is none for a hole or a dependence that no Gaussian has.

A classifier hardly tells codes with a hole from N(0, I), nor from a Gaussian like it. So the codes are taken to where
the fitted law is N(0, I), and what decided against N(0, I) is asked again there.
"""

import numpy as np
import pandas as pd

from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.copula import copula
from latent_audit.diagnostics.coverage import subsample
from latent_audit.diagnostics.dependence import worst
from latent_audit.diagnostics.empty_mass import emptiest
from latent_audit.diagnostics.fitted import FittedPrior
from latent_audit.diagnostics.margins import effects

ROWS = 15_000  # a seeded part of more codes
SHAPES = ("square_correlation_max", "triple_moment_max", "copula_max", "hole_mass")  # what no Gaussian has
LEAST_SPREAD = 1e-9  # of the largest variance: below, a direction has none


def is_remedy(
    law: FittedPrior, fit: pd.Series, prior: pd.Series, matters: pd.DataFrame, codes: Codes, *, rng: np.random.Generator
) -> bool:
    """Whether a law that a classifier hardly tells from the codes is nearer to them than N(0, I) is.

    Of a Gaussian: nothing of `SHAPES` that matters of N(0, I) matters of it. Of a mixture: a classifier tells it less
    well than N(0, I) from unseen codes, or these are likelier under it; one fitted to too few codes has neither.

    Parameters
    ----------
    fit, prior : their rows of `fitted.judged`. matters : the reasons that decided against N(0, I).
    """
    if law.kind == "mixture":
        return bool(fit["auc"] < prior["auc"] or fit["log_likelihood"] > prior["log_likelihood"])
    asked = matters[matters["metric"].isin(SHAPES)]
    if asked.empty:
        return True
    x = subsample(codes.values, ROWS, rng=rng)
    found = _values(standardised(x, law), set(asked["metric"]), rng)
    sizes = effects(codes.shape[1])
    for row in asked.to_dict("records"):
        effect, value = sizes[str(row["metric"])], found.get(str(row["metric"]), np.nan)
        if effect.size({**row, "value": value, "n_p": len(x)}) >= effect.margin:  # type: ignore[arg-type]
            return False
    return True


def standardised(x: np.ndarray, law: FittedPrior) -> np.ndarray:
    """(sample, direction) codes where a Gaussian is N(0, I): as near to their own axes as can be, or, where some
    directions have no spread, along those that have."""
    values, vectors = np.linalg.eigh(law.covariances[0])
    kept = values > LEAST_SPREAD * max(float(values.max()), np.finfo(float).tiny)
    along = (x - law.means[0]) @ (vectors[:, kept] / np.sqrt(values[kept]))
    return along @ vectors.T if kept.all() else along


def _values(y: np.ndarray, wanted: set[str], rng: np.random.Generator) -> dict[str, float]:
    """The statistics that are wanted, as far as these codes have dimensions for them."""
    if not y.shape[1]:
        return {}
    found = {name: value for name, (value, _) in worst(Codes(y)).items()}
    if "copula_max" in wanted and len(table := copula(y, rng=rng)):
        found["copula_max"] = float(table["value"].iloc[0])
    if "hole_mass" in wanted:
        found["hole_mass"] = emptiest(Codes(y), rng=rng)[0]
    return found
