"""Numbers with their spread: a dot per seed, a bar for the mean, arms side by side in each row.

Not seaborn's strip plot: it draws from NumPy's global stream, without jitter too, which nothing here may move.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from latent_audit.figures.style import INK, MUTED, RULE, display_name

BAND = 0.76  # share of a row's height that its arms fill


def plot_strips(
    table: pd.DataFrame,
    *,
    rows: Sequence[str],
    colours: Mapping[str, str],
    null: Mapping[str, tuple[float, float]] | None = None,
    margin: float | None = None,
    ax: Axes,
) -> Axes:
    """One horizontal strip per row and arm.

    Parameters
    ----------
    table : columns row, arm, value; one line per seed.
    rows : the rows from top to bottom; colours : the arms from top to bottom within each row.
    null : per row, the interval that the value would have if the codes were the prior's own draws: a grey band.
    margin : the equivalence margin, a dashed line.

    The thin line is the range over seeds, the upright bar the mean. A single row names its arms instead of itself.
    """
    step = BAND / len(colours)
    for index, row in enumerate(rows):
        if null and row in null and np.all(np.isfinite(null[row])):
            low, high = null[row]
            ax.fill_betweenx([index - 0.45, index + 0.45], low, high, color=MUTED, alpha=0.28, linewidth=0)
        for place, (arm, colour) in enumerate(colours.items()):
            values = table.loc[(table["row"] == row) & (table["arm"] == arm), "value"].dropna().to_numpy()
            if len(values):
                y = index + (place - (len(colours) - 1) / 2) * step
                ax.plot([values.min(), values.max()], [y, y], color=colour, linewidth=1.2, alpha=0.55, clip_on=False)
                ax.plot(
                    values,
                    np.full(len(values), y),
                    "o",
                    color=colour,
                    markersize=3.4,
                    markeredgewidth=0,
                    alpha=0.7,
                    linewidth=0,
                    clip_on=False,
                )
                tall = 0.42 * step
                ax.plot(2 * [values.mean()], [y - tall, y + tall], color=colour, linewidth=2.2, clip_on=False)
    for edge in np.arange(len(rows) - 1) + 0.5:
        ax.axhline(edge, color=RULE, linewidth=0.6, zorder=0)
    _name_rows(rows, colours, step, ax)
    return in_rows(ax, len(rows), margin)


def in_rows(ax: Axes, n_rows: int, margin: float | None) -> Axes:
    """`n_rows` named rows from the top down, a grid across them, and the dashed line of the margin."""
    if margin is not None:
        ax.axvline(margin, color=INK, linewidth=0.9, linestyle=(0, (3, 2)), zorder=0)
    ax.set_ylim(n_rows - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")
    ax.locator_params(axis="x", nbins=5)
    return ax


def _name_rows(rows: Sequence[str], colours: Mapping[str, str], step: float, ax: Axes) -> None:
    if len(rows) > 1:
        ax.set_yticks(range(len(rows)), labels=list(rows))
        return
    ax.set_yticks(
        [(place - (len(colours) - 1) / 2) * step for place in range(len(colours))],
        labels=[display_name(arm) for arm in colours],
    )
    for label, colour in zip(ax.get_yticklabels(), colours.values(), strict=True):
        label.set(color=colour, fontweight="bold")
