"""Panels of single studies: error against the level of noise, and how well scores tell outsiders."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from latent_audit.figures.canvas import Band, sketch
from latent_audit.figures.scores import arm_names, metric_strips
from latent_audit.figures.style import MUTED, arm_colours, display_name

N_BINS = 40
CLIPPED = 0.005  # of both ends of the scores: a few images far away would squeeze all others into one bin


def noise_curves(table: pd.DataFrame) -> list[Band]:
    """Squared error per pixel against the clean image by the sd of the noise, a line per arm; dashed, of doing nothing.

    Parameters
    ----------
    table : columns arm, seed, metric (denoised_mse, noise_mse), value, sd.
    """
    colours = arm_colours(table["arm"])

    def draw(ax: Axes) -> None:
        nothing = table[table["metric"] == "noise_mse"].groupby("sd")["value"].mean()
        ax.plot(nothing.index, nothing, color=MUTED, linestyle=(0, (3, 2)), linewidth=1.2)
        ax.annotate("the noisy image itself", (nothing.index[2], nothing.iloc[2]), xytext=(4, -8),
                    textcoords="offset points", color=MUTED)  # fmt: skip
        rows = table[table["metric"] == "denoised_mse"]
        sns.lineplot(
            rows, x="sd", y="value", hue="arm", hue_order=list(colours), palette=colours, errorbar=("pi", 100),
            err_kws={"alpha": 0.14, "linewidth": 0}, legend=False, ax=ax,
        )  # fmt: skip
        ax.set(xlabel="sd of the noise, pixels in [0, 1]", ylabel="", xlim=(0, None), ylim=(0, None))
        ax.grid(axis="y")

    drawn = sketch(
        draw, title="Error against the clean image", note="squared, per pixel",
        alt=f"Line chart: squared error per pixel by the level of noise, for {arm_names(colours)}.", size=(420, 280),
    )  # fmt: skip
    return [Band("one", "", [drawn])]


def detection_strips(table: pd.DataFrame, titles: Mapping[str, str], order: Sequence[str]) -> list[Band]:
    """AUROC and FPR of every score, a row per set of outsiders and score.

    Parameters
    ----------
    table : columns arm, seed, metric, value, row (what was scored, in words). order : of the rows.
    """
    return metric_strips(table, titles=titles, rows=lambda rows: rows["row"], order=order)


def score_histograms(
    inside: Mapping[str, np.ndarray], outside: Mapping[str, Mapping[str, np.ndarray]], *, words: str
) -> list[Band]:
    """How a score is spread, a panel per arm: the test images filled, each set of outsiders as an outline.

    Parameters
    ----------
    inside : arm -> scores (sample,). outside : arm -> outsiders -> scores (other,). words : what the score is.
    """
    colours = arm_colours(inside)
    panels = [
        sketch(
            lambda ax, arm=arm: _histogram(inside[arm], outside[arm], colours[arm], ax),
            title=display_name(arm), note=words,
            alt=f"Histograms of the {words} of test images and of outsiders, {display_name(arm)}.", size=(280, 210),
        )
        for arm in inside
    ]  # fmt: skip
    return [Band("arms", "", panels)]


def _histogram(inside: np.ndarray, outside: Mapping[str, np.ndarray], colour: str, ax: Axes) -> None:
    everything = np.concatenate([inside, *outside.values()])
    low, high = np.quantile(everything, [CLIPPED, 1 - CLIPPED])
    edges = np.linspace(low, high, N_BINS + 1)
    ax.hist(np.clip(inside, low, high), bins=edges, density=True, color=colour, alpha=0.35, linewidth=0)
    for dashes, values in zip(((0, ()), (0, (3, 2)), (0, (1, 1))), outside.values(), strict=False):
        ax.hist(np.clip(values, low, high), bins=edges, density=True, histtype="step", color=MUTED, linestyle=dashes)
    ax.set(yticks=[], ylabel="density")
