"""The plane of codes: points coloured by class, class centroids, the circles of the prior, and its holes."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.patches import Circle

from latent_audit.figures.style import INK, MUTED, PAPER

RADII = (1, 2, 3)


def plot_codes(
    codes: Float[np.ndarray, "sample 2"],
    labels: Int[np.ndarray, " sample"],
    *,
    colours: Sequence[str],
    limit: float,
    point_area: float = 1.6,
    ax: Axes,
) -> Axes:
    """Codes as points (rasterised), one colour per class, on the square [-limit, limit]^2 in code units."""
    rgba = np.array([to_rgba(colour, 0.75) for colour in colours])
    ax.scatter(codes[:, 0], codes[:, 1], s=point_area, c=rgba[labels], linewidths=0, rasterized=True)
    return _frame(ax, limit)


def plot_centroids(
    centroids: Float[np.ndarray, "class 2"],
    names: Sequence[str],
    *,
    colours: Sequence[str],
    ax: Axes,
) -> Axes:
    """Each class's mean as a disc holding its short name (its number), ringed in its colour; outside the axes: left out."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    for (x, y), name, colour in zip(centroids, names, colours, strict=True):
        if left <= x <= right and bottom <= y <= top:
            ax.plot([x], [y], marker="o", markersize=10, markerfacecolor=PAPER, markeredgecolor=colour, linewidth=0)
            ax.annotate(name, (x, y), ha="center", va="center_baseline", color=INK, fontsize=7, fontweight="bold")
    return ax


def plot_prior_circles(*, ax: Axes) -> Axes:
    """Circles of radius 1, 2, 3 about 0: N(0, I) in two dimensions puts 39, 86 and 99% of its mass inside them."""
    for radius in RADII:
        ax.add_patch(Circle((0, 0), radius, fill=False, edgecolor=MUTED, linewidth=0.7, linestyle=(0, (3, 2))))
    return ax


def plot_window(limit: float, *, ax: Axes) -> Axes:
    """Outline of the square [-limit, limit]^2, the window that a zoomed panel shows."""
    ax.plot(limit * np.array([-1, 1, 1, -1, -1]), limit * np.array([-1, -1, 1, 1, -1]), color=INK, linewidth=0.8)
    return ax


def plot_holes(
    hole: Float[np.ndarray, "row column"], codes: Float[np.ndarray, "sample 2"], *, colour: str, limit: float, ax: Axes
) -> Axes:
    """Prior mass that no code supports, shaded; codes as faint points.

    Parameters
    ----------
    hole : prior density, as a share of its maximum, where no code is near, and 0 elsewhere; row 0 = bottom.
    """
    shade = np.zeros((*hole.shape, 4))
    shade[..., :3] = to_rgb(colour)
    shade[..., 3] = np.where(hole > 0, 0.18 + 0.72 * hole, 0)
    ax.scatter(codes[:, 0], codes[:, 1], s=0.7, c=[to_rgba("#8b95a1", 0.55)], linewidths=0, rasterized=True)
    ax.imshow(shade, extent=(-limit, limit, -limit, limit), origin="lower", interpolation="nearest", zorder=2)
    return _frame(ax, limit)


def _frame(ax: Axes, limit: float) -> Axes:
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    ax.axhline(0, color=MUTED, linewidth=0.5, zorder=0)
    ax.axvline(0, color=MUTED, linewidth=0.5, zorder=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.locator_params(nbins=7, integer=True)
    return ax
