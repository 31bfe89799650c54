"""Panels of attribute vectors: what adding one does to its own attribute, and to the others."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from latent_audit.figures.canvas import Band, sketch
from latent_audit.figures.p_value_heat_map import plot_effect_map
from latent_audit.figures.scores import arm_names
from latent_audit.figures.style import MUTED, arm_colours, display_name

PROBE_DASHES = {"means": "", "probe": (3, 2)}


def words_of(attribute: str) -> str:
    """An attribute for readers."""
    return attribute.replace("_", " ")


def attribute_curves(effects: pd.DataFrame, order: Sequence[str]) -> list[Band]:
    """A panel per attribute: its own score as alpha times its vector is added, a line per arm; dashed, of the probe's.

    Parameters
    ----------
    effects : columns arm, seed, attribute, by (means, probe), alpha, on, effect. order : the attributes drawn.
    """
    colours = arm_colours(effects["arm"])
    own = effects[effects["attribute"] == effects["on"]]

    def draw(ax: Axes, attribute: str) -> None:
        sns.lineplot(
            own[own["attribute"] == attribute], x="alpha", y="effect", hue="arm", hue_order=list(colours),
            palette=colours, style="by", dashes=PROBE_DASHES, errorbar=("pi", 100),
            err_kws={"alpha": 0.14, "linewidth": 0}, legend=False, ax=ax,
        )  # fmt: skip
        ax.axhline(0, color=MUTED, linewidth=0.8)
        ax.set(xlabel="alpha", ylabel="change, in real gaps")
        ax.grid(axis="y")

    panels = [
        sketch(
            lambda ax, name=name: draw(ax, name), title=words_of(name), size=(280, 220),
            alt=f"Line chart: change of “{words_of(name)}” as its vector is added, for {arm_names(colours)}.",
        )
        for name in order
    ]  # fmt: skip
    return [Band("arms", "What a vector does to its own attribute", panels)]


def leakage_maps(effects: pd.DataFrame, order: Sequence[str]) -> list[Band]:
    """Per arm what adding the vector of a row's attribute changes in a column's, over what it changes in its own.

    Parameters
    ----------
    effects : as of `attribute_curves`. order : the attributes of rows and columns.
    """
    panels = []
    for arm, colour in arm_colours(effects["arm"]).items():
        ratios = leakage_ratios(effects[effects["arm"] == arm], order)
        panels.append(
            sketch(
                lambda ax, ratios=ratios, colour=colour: _map(ratios, colour, ax), title=display_name(arm),
                note="row’s vector, column’s attribute", size=(400, 60 + 26.0 * len(ratios)),
                alt=f"Heat map of leakage between attributes of {display_name(arm)}.",
            )
        )  # fmt: skip
    return [Band("arms", "What it does to the others, over what it does to its own", panels)]


def leakage_ratios(effects: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Change of each column's attribute between the ends of alpha over that of the row's own, mean effects over seeds;
    NaN where the row's own attribute does not become more.

    Parameters
    ----------
    effects : columns attribute, by, alpha, on, effect of one arm; the difference of means is taken.
    """
    means = effects[effects["by"] == "means"]
    mean = means.groupby(["attribute", "on", "alpha"])["effect"].mean().unstack("alpha")
    change = (mean[mean.columns.max()] - mean[mean.columns.min()]).unstack("on")
    change = change.reindex(index=list(order), columns=list(order))
    own = np.diag(change.to_numpy(dtype=float))
    return change.div(np.where(own > 0, own, np.nan), axis=0)


def _map(ratios: pd.DataFrame, colour: str, ax: Axes) -> None:
    lines = ratios.set_axis([words_of(name) for name in ratios.index])
    lines = lines.set_axis([name.replace("_", "\n") for name in ratios.columns], axis="columns")
    plot_effect_map(lines, colour=colour, ax=ax)
    ax.tick_params(axis="x", labelsize=7.5)
