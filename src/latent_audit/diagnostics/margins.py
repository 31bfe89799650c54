"""From which size on a departure from N(0, I) matters: the margins of the verdict, and each departure in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from latent_audit.diagnostics.copula import bins_of

TELLING_AUC = 0.55  # of a classifier: it names 4 in 100 more of the codes than chance does

Row = Mapping[str, float]


def _value(row: Row) -> float:
    return row["value"]


def _beyond_chance(row: Row) -> float:
    return row["value"] - row["null_high"]


def _beyond_cells(row: Row) -> float:
    """V without what chance adds on average."""
    return float(np.sqrt(max(0.0, row["value"] ** 2 - (bins_of(int(row["n_p"])) - 1) / row["n_p"])))


@dataclass(frozen=True)
class Effect:
    """How large a departure is, and from which size, `margin`, it matters; words: what it is, for a sentence."""

    size: Callable[[Row], float]
    margin: float
    words: str


def effects(latent_dim: int) -> dict[str, Effect]:
    """The statistics that have a size of their own. The other tests tell that there is a departure, not how large."""
    d = latent_dim
    return {
        "ks_d_max": Effect(_value, 0.05, "dimension {where} is not N(0, 1): its KS distance is {value}"),
        "k2_max": Effect(_value, 1.0, "dimension {where} has an excess kurtosis or skewness of {value}"),
        "mean_max": Effect(_value, 0.1, "dimension {where} is off-centre by {value}"),
        "mean_length": Effect(
            lambda row: float(np.sqrt(max(0.0, row["value"] ** 2 - d / row["n_p"]))), 0.25,
            "the codes’ mean is {value} from 0",
        ),
        "log_sd_max": Effect(_value, 0.1, "the sd of dimension {where} is off by a factor of {factor}"),
        "mean_square": Effect(
            lambda row: abs(row["value"] - 1) * np.sqrt(d / 2), 0.25, "a coordinate’s mean square is {value}, not 1"
        ),
        "correlation_max": Effect(_value, 0.2, "dimensions {where} have a correlation of {value}, either sign"),
        "correlation_rms": Effect(
            lambda row: d * (d - 1) / 4 * max(0.0, row["value"] ** 2 - 1 / row["n_p"]), 0.1,
            "the dimensions are correlated (root mean square {value})",
        ),
        "square_correlation_max": Effect(
            _value, 0.15, "the squares of dimensions {where} have a correlation of {value}, either sign"
        ),
        "copula_max": Effect(
            _beyond_cells, 0.1, "dimensions {where} depend on each other (Cramér’s V of their quartiles {value})"
        ),
        "triple_moment_max": Effect(
            _value, 0.2, "dimensions {where} depend on each other three at a time (mean product {value})"
        ),
        "radius_ks": Effect(
            _value, 0.05, "the codes’ distances from 0 are not those of draws (KS distance {value}): in {d} dimensions "
            "N(0, I) is a shell about the radius {shell}",
        ),
        "hole_mass": Effect(_beyond_chance, 0.05, "{percent} of N(0, I) has less than half its codes{place}"),
        "hole_mass_train": Effect(
            _beyond_chance, 0.05, "{percent} of N(0, I) has less than half its training codes{place}"
        ),
        "c2st_auc": Effect(
            lambda row: row["value"] - 0.5, TELLING_AUC - 0.5,
            "a classifier tells codes from draws (it ranks a code above a draw in {percent} of pairs)",
        ),
    }  # fmt: skip
