"""Runs side by side: intervals per arm and run on one axis, and the curves that a sweep of beta makes.

Drawn without seaborn, which makes intervals of its own: these are the ones that the verdicts were read off.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from latent_audit.figures.strips import in_rows
from latent_audit.figures.style import INK, MUTED, PAPER, RULE, display_name

CROWDED = 0.045  # share of a log axis below which two of its labels would touch


def plot_runs(table: pd.DataFrame, *, colours: Mapping[str, str], margin: float | None = None, ax: Axes) -> Axes:
    """One row per arm and run: a dot at the mean, a bar over the interval, faint dots for seeds, the mean in figures.

    Parameters
    ----------
    table : columns arm, label (the row's name), first (True: the run that the others are compared with, drawn hollow),
        mean, low, high (NaN: no interval), values (list of one number per seed, may be empty), words (the mean,
        written); drawn from top to bottom.
    margin : the equivalence margin, a dashed line.
    """
    rows = table.to_dict("records")
    for y, row in enumerate(rows):
        colour = colours[row["arm"]]
        if np.isfinite([row["low"], row["high"]]).all():
            ax.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=2, solid_capstyle="butt", alpha=0.6)
        ax.plot(row["values"], np.full(len(row["values"]), y), "o", color=colour, markersize=2.6, alpha=0.45, mew=0)
        face = PAPER if row["first"] else colour
        ax.plot([row["mean"]], [y], "o", color=colour, markerfacecolor=face, markersize=5.5, markeredgewidth=1.4)
        ax.annotate(
            row["words"], (1, y), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
            va="center_baseline", color=INK, fontsize=9.5,
        )  # fmt: skip
        if y and row["arm"] != rows[y - 1]["arm"]:
            ax.axhline(y - 0.5, color=RULE, linewidth=0.6, zorder=0)
    ax.set_yticks(range(len(rows)), labels=[row["label"] for row in rows])
    for label, row in zip(ax.get_yticklabels(), rows, strict=True):
        label.set(color=colours[row["arm"]], fontweight="bold")
    return in_rows(ax, len(rows), margin)


def plot_tradeoff(
    points: pd.DataFrame, *, colours: Mapping[str, str], floor: Mapping[str, float] | None = None, ax: Axes
) -> Axes:
    """Rate against distortion: a point per arm and weight with its intervals, joined in the order of the weight.

    Parameters
    ----------
    points : columns arm, label, x, x_low, x_high, y, y_low, y_high; in the order of the line. NaN ends: no interval.
    floor : arm -> distortion of arms without a rate (autoencoders): dashed lines, named at their left end.

    References
    ----------
    Alemi et al. (2018), arXiv:1711.00464, figure 1.
    """
    _joined(points, colours, ax)
    for _, point in points.iterrows():
        ax.annotate(
            str(point["label"]),
            (point["x"], point["y"]),
            xytext=(6, 5),
            textcoords="offset points",
            color=INK,
            fontsize=9.5,
        )
    for arm, level in (floor or {}).items():
        ax.axhline(level, color=colours[arm], linewidth=1.2, linestyle=(0, (3, 2)), zorder=1)
        ax.annotate(
            display_name(arm), (0, level), xycoords=("axes fraction", "data"), xytext=(4, 3),
            textcoords="offset points", ha="left", color=colours[arm], fontweight="bold",
        )  # fmt: skip
    ax.set(xlabel="rate: KL to the prior, nats per image", ylabel="distortion: reconstruction, nats")
    ax.margins(x=0.14, y=0.12)
    return ax


def plot_against_weight(points: pd.DataFrame, *, colours: Mapping[str, str], margin: float | None, ax: Axes) -> Axes:
    """A measure against beta_kl on a log axis, joined in its order; columns as for `plot_tradeoff`, x = beta_kl."""
    _joined(points, colours, ax)
    if margin is not None:
        ax.axhline(margin, color=INK, linewidth=0.9, linestyle=(0, (3, 2)), zorder=0)
    ax.set(xscale="log", xlabel=r"weight on the KL, β_KL (log)")
    ticks = _thinned(sorted(points["x"].unique()))
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(FixedFormatter([f"{tick:.3g}" for tick in ticks]))
    ax.xaxis.set_minor_locator(NullLocator())
    return ax


def _joined(points: pd.DataFrame, colours: Mapping[str, str], ax: Axes) -> None:
    ax.plot(points["x"], points["y"], color=MUTED, linewidth=1.1, zorder=1)
    for _, point in points.iterrows():
        colour = colours[str(point["arm"])]
        for xs, ys in (
            ([point["x"], point["x"]], [point["y_low"], point["y_high"]]),
            ([point["x_low"], point["x_high"]], [point["y"], point["y"]]),
        ):
            if np.isfinite([*xs, *ys]).all():
                ax.plot(xs, ys, color=colour, linewidth=1.8, alpha=0.55, solid_capstyle="butt", zorder=2)
        ax.plot([point["x"]], [point["y"]], "o", color=colour, markersize=5.5, zorder=3)
    ax.grid(True)


def _thinned(values: Sequence[float]) -> list[float]:
    """Values without those that would be written over their neighbour on a log axis."""
    span = np.log(values[-1] / values[0]) or 1.0
    kept: list[float] = []
    for value in values:
        if not kept or np.log(value / kept[-1]) / span > 2 * CROWDED:
            kept.append(float(value))
    return kept
