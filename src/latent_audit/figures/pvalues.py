"""Heat maps of the univariate tests: adjusted p-values, and beside them the size of each departure."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes

from latent_audit.figures.style import PAPER

P_FLOOR = -50.0  # log10; the darkest colour of the map
EFFECT_CEILING = 0.5
DARK, LIGHT = "#10151b", "#fefefe"  # text on a filled cell: the same in light and dark pages


def plot_p_map(log10_p: pd.DataFrame, *, ax: Axes) -> Axes:
    """Cells of log10 adjusted p: rows = dimensions, columns = tests. Cells at or above log10(0.05) are left pale.

    Each cell is written as the exponent (-12 means p = 1e-12), or as p itself where p >= 0.001.
    """
    depth = np.clip(log10_p.to_numpy(dtype=float) / P_FLOOR, 0, 1) ** 0.5
    words = log10_p.map(_p_in_words).to_numpy()
    return _cells(depth, words, log10_p.index, log10_p.columns, colormaps["cividis_r"], ax)


def plot_effect_map(effects: pd.DataFrame, *, ax: Axes) -> Axes:
    """Cells of effect sizes: rows = dimensions, columns = effects; colour = absolute size, full at 0.5 and above."""
    depth = np.clip(effects.abs().to_numpy(dtype=float) / EFFECT_CEILING, 0, 1)
    words = effects.map(lambda value: f"{value:.2f}".replace("-", "−")).to_numpy()
    return _cells(depth, words, effects.index, effects.columns, colormaps["cividis_r"], ax)


def _p_in_words(log10_p: float) -> str:
    if log10_p >= -3:
        return f"{10**log10_p:.3f}".rstrip("0").rstrip(".") if log10_p < 0 else "1"
    return f"−{-log10_p:.0f}"


def _cells(depth: np.ndarray, words: np.ndarray, rows: Sequence, columns: Sequence, colormap, ax: Axes) -> Axes:
    ax.pcolormesh(depth, cmap=colormap, vmin=0, vmax=1, edgecolors=PAPER, linewidth=1.5)
    if len(rows) <= 16:
        for (row, column), word in np.ndenumerate(words):
            red, green, blue, _ = colormap(depth[row, column])
            dark = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
            ax.text(column + 0.5, row + 0.5, word, ha="center", va="center_baseline", color=DARK if dark else LIGHT,
                    fontsize=8)  # fmt: skip
    every = -(-len(rows) // 24)
    ax.set_yticks(np.arange(0, len(rows), every) + 0.5, labels=list(rows)[::every])
    ax.set_xticks(np.arange(len(columns)) + 0.5, labels=list(columns))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set_ylim(len(rows), 0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax
