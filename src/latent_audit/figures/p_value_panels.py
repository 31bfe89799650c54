"""The p-value maps of the arms: adjusted p of every test and dimension beside the sizes of the departures."""

import numpy as np
import pandas as pd

from latent_audit.figures.canvas import Band, Sketch, sketch
from latent_audit.figures.dimensions import dimension_label, names_of, shown_dims
from latent_audit.figures.p_value_heat_map import plot_effect_map, plot_p_map
from latent_audit.figures.style import arm_colours, display_name

TESTS = {"ks_p": "KS", "cvm_p": "CvM", "ad_p": "AD", "shapiro_p": "Shapiro", "k2_p": "K²", "jb_p": "JB"}
MOST = 24  # dimensions of an arm that are drawn
EFFECTS = {"mean": "mean", "log_std": "ln sd", "skew": "skew", "excess_kurtosis": "kurt.", "ks_d": "KS D", "w1": "W1"}


def p_value_maps(per_dim: pd.DataFrame, *, family: int) -> list[Band]:
    """Per arm: adjusted p of every test and dimension of z, beside the sizes of the departures; medians over seeds.

    `family` is the number of p-values adjusted together: an adjusted p that underflowed is bounded by family * p.
    """
    colours, bands = arm_colours(per_dim["arm"]), []
    for arm, colour in colours.items():
        rows, dims, labels = _shown(per_dim, arm)
        adjusted = pd.DataFrame({TESTS[p]: log10_adjusted(rows, p, family) for p in TESTS}).assign(
            dim=rows["dim"].to_numpy()
        )
        p_map = adjusted.groupby("dim").median().loc[dims].set_axis(labels)
        effects = _sizes(rows, dims)
        bands.append(Band("pair", "", _maps(arm, colour, p_map, effects.rename(columns=EFFECTS).set_axis(labels))))
    return bands


def effect_maps(per_dim: pd.DataFrame) -> list[Band]:
    """Per arm the size of each departure, medians over seeds: what is left to see where every p rejects."""
    panels = []
    for arm, colour in arm_colours(per_dim["arm"]).items():
        rows, dims, labels = _shown(per_dim, arm)
        effects = _sizes(rows, dims).rename(columns=EFFECTS).set_axis(labels)
        panels.append(
            sketch(
                lambda ax, effects=effects, colour=colour: plot_effect_map(effects, colour=colour, ax=ax),
                title=display_name(arm),
                note="size of the departure, z",
                size=(330, 34 + 26.0 * len(labels)),
                alt=f"Heat map of effect sizes of {display_name(arm)}, dimensions by effects.",
            )
        )
    return [Band("arms", "", panels)]


def _shown(per_dim: pd.DataFrame, arm: str) -> tuple[pd.DataFrame, list[int], list[str]]:
    """The rows on z of the dimensions of an arm that are drawn, which these are, and their labels."""
    own = per_dim[(per_dim["arm"] == arm) & (per_dim["code"] == "z")]
    dims, names = shown_dims(own, most=MOST), names_of(per_dim)
    return own[own["dim"].isin(dims)], dims, [dimension_label(dim, names) for dim in dims]


def _sizes(rows: pd.DataFrame, dims: list[int]) -> pd.DataFrame:
    spread = np.log(rows["std"].where(rows["std"] > 0))
    return rows.assign(log_std=spread).groupby("dim")[list(EFFECTS)].median().loc[dims]


def _maps(arm: str, colour: str, p_map: pd.DataFrame, effects: pd.DataFrame) -> list[Sketch]:
    size = (330, 34 + 26.0 * len(p_map))
    return [
        sketch(
            lambda ax: plot_p_map(p_map, ax=ax),
            title=display_name(arm),
            note="log10 of adjusted p, z",
            size=size,
            alt=f"Heat map of log10 adjusted p-values of {display_name(arm)}, dimensions by tests.",
        ),
        sketch(
            lambda ax: plot_effect_map(effects, colour=colour, ax=ax),
            title=display_name(arm),
            note="size of the departure, z",
            size=size,
            alt=f"Heat map of effect sizes of {display_name(arm)}, dimensions by effects.",
        ),
    ]


def log10_adjusted(rows: pd.DataFrame, column: str, family: int) -> np.ndarray:
    """log10 of the Holm-adjusted `column`; where that underflowed, log10(family * p), which bounds it from above."""
    adjusted = rows[f"{column}_holm"].to_numpy(dtype=float)
    bound = np.minimum(rows[f"log10_{column}"].to_numpy(dtype=float) + np.log10(family), 0)
    return np.where(adjusted > 1e-290, np.log10(np.maximum(adjusted, 1e-300)), bound)
