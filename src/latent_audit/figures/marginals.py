"""One code dimension at a time, against N(0, 1)."""

from collections.abc import Mapping

import numpy as np
import seaborn as sns
from jaxtyping import Float
from matplotlib.axes import Axes

from latent_audit.figures.style import INK

BIN_WIDTH = 0.2


def plot_marginal(
    values: Mapping[str, Float[np.ndarray, " sample"]], *, colours: Mapping[str, str], limit: float, ax: Axes
) -> Axes:
    """Histogram density per arm as an outline on [-limit, limit], and the density of N(0, 1), dashed.

    Densities are over all samples: what lies outside the window is missing from the area, not rescaled into it.
    """
    edges = np.arange(-limit, limit + BIN_WIDTH / 2, BIN_WIDTH)
    for arm, x in values.items():
        # a weight per sample, not stat="density", which would rescale what lies inside the window to an area of 1
        sns.histplot(
            x=x, weights=1 / (len(x) * BIN_WIDTH), bins=edges.tolist(), element="step", color=colours[arm], alpha=0.08,
            edgecolor=colours[arm], linewidth=1.4, ax=ax,
        )  # fmt: skip
    grid = np.linspace(-limit, limit, 121)
    ax.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), color=INK, linewidth=1.3, linestyle=(0, (3, 2)))
    ax.set(xlim=(-limit, limit), ylim=(0, None), ylabel="density")
    ax.locator_params(axis="y", nbins=4)
    return ax
