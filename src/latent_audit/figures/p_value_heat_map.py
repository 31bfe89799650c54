"""Heat maps of the univariate tests: adjusted p-values, and beside them the size of each departure.

Depth of colour is opacity, not hue: the cells then take the page's own colours, light or dark, and text reads on all.
Not seaborn's heat map: it mixes each cell's colour beforehand, which then fits one page, the light one or the dark one.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from latent_audit.figures.style import INK, MUTED

P_FLOOR = -300.0  # log10; the deepest colour of the map, about where a double underflows
EFFECT_CEILING = 0.5
FAINTEST, DEEPEST = 0.06, 0.5  # opacity: text keeps a contrast of 4.5 on the deepest cell of every arm's colour
WRITTEN = 16  # more dimensions than this are shown by colour alone


def plot_p_map(log10_p: pd.DataFrame, *, colour: str = MUTED, ax: Axes) -> Axes:
    """Cells of log10 adjusted p: rows = dimensions, columns = tests; the deeper, the smaller p. p > 0.05 stays empty.

    Each cell is written as the exponent (-12 means p = 1e-12), or as p itself where p >= 0.001.
    """
    values = log10_p.to_numpy(dtype=float)
    depth = np.where(values > np.log10(0.05), 0, np.clip(values / P_FLOOR, 0, 1) ** 0.4)
    return _cells(depth, log10_p.map(_p_in_words), colour, ax)


def plot_effect_map(effects: pd.DataFrame, *, colour: str, ax: Axes) -> Axes:
    """Cells of effect sizes: rows = dimensions, columns = effects; colour = absolute size, deepest at 0.5 and above."""
    depth = np.clip(effects.abs().to_numpy(dtype=float) / EFFECT_CEILING, 0, 1)
    return _cells(depth, effects.map(_in_words), colour, ax)


def _in_words(value: float) -> str:
    return "–" if np.isnan(value) else f"{round(value, 2) + 0.0:.2f}".replace("-", "−")  # + 0.0: no minus zero


def _p_in_words(log10_p: float) -> str:
    if np.isnan(log10_p):
        return "–"
    if log10_p >= -3:
        return f"{10**log10_p:.3f}".rstrip("0").rstrip(".") if log10_p < 0 else "1"
    return f"−{-log10_p:.0f}"


def _cells(depth: np.ndarray, words: pd.DataFrame, colour: str, ax: Axes) -> Axes:
    rows, columns = depth.shape
    for (row, column), value in np.ndenumerate(np.nan_to_num(depth)):
        alpha = 0 if value == 0 else FAINTEST + (DEEPEST - FAINTEST) * value
        ax.add_patch(
            Rectangle((column + 0.03, row + 0.05), 0.94, 0.9, facecolor=colour, alpha=round(alpha, 2), linewidth=0)
        )
        if rows <= WRITTEN:
            ax.text(
                column + 0.5,
                row + 0.5,
                words.iloc[row, column],
                ha="center",
                va="center_baseline",
                color=INK,
                fontsize=9.5,
            )
    every = -(-rows // 24)
    ax.set_yticks(np.arange(0, rows, every) + 0.5, labels=list(words.index)[::every])
    ax.set_xticks(np.arange(columns) + 0.5, labels=list(words.columns))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set(xlim=(0, columns), ylim=(rows, 0))
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax
