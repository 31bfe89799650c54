"""The plane of codes: points coloured by class, class centroids, the circles of the prior, and its holes."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.patches import Circle

from latent_audit.figures.style import INK, MUTED, PAPER, point_marks

RADII = (1, 2, 3)
FAINT = "#98a2ad"  # points that are only background, on light and on dark pages


def plot_codes(
    codes: Float[np.ndarray, "sample 2"],
    labels: Int[np.ndarray, " sample"],
    *,
    colours: Sequence[str],
    limit: float,
    ax: Axes,
) -> Axes:
    """Codes as points (rasterised), one colour per class, on the square [-limit, limit]^2 in code units."""
    rgba = np.array([to_rgba(colour) for colour in colours])
    ax.scatter(codes[:, 0], codes[:, 1], c=rgba[labels], **point_marks(len(codes)))
    return _frame(ax, limit)


def plot_centroids(
    centroids: Float[np.ndarray, "class 2"],
    names: Sequence[str],
    *,
    colours: Sequence[str],
    ax: Axes,
) -> Axes:
    """Each class's mean as a disc holding its number, ringed in its colour; what lies outside the axes is left out.

    Discs that would cover one another stand aside, each joined to its mean by a line.
    """
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    inside = np.asarray((centroids > (left, bottom)).all(axis=1) & (centroids < (right, top)).all(axis=1))
    means = centroids[inside]
    kept = [(name, colour) for name, colour, shown in zip(names, colours, inside.tolist(), strict=True) if shown]
    discs = apart(means, 0.05 * (right - left))
    for (x, y), (to_x, to_y), (name, colour) in zip(means, discs, kept, strict=True):
        ax.plot([x, to_x], [y, to_y], color=INK, linewidth=0.8)
        ax.plot([to_x], [to_y], marker="o", markersize=12, markerfacecolor=PAPER, markeredgecolor=colour, linewidth=0)
        ax.annotate(name, (to_x, to_y), ha="center", va="center_baseline", color=INK, fontsize=8.5, fontweight="bold")
    return ax


def apart(points: Float[np.ndarray, "point 2"], distance: float) -> Float[np.ndarray, "point 2"]:
    """Points moved as little as needed for every pair to be `distance` apart (to 2%; at most 200 rounds)."""
    moved = points.astype(float).copy()
    for _ in range(200):
        gap = moved[:, None] - moved[None]
        length = np.linalg.norm(gap, axis=-1)
        np.fill_diagonal(length, np.inf)
        close = length < 0.98 * distance
        if not close.any():
            break
        ways = np.where(length[..., None] > 1e-9, gap / np.maximum(length, 1e-9)[..., None], _fan(len(moved)))
        push = np.where(close, (distance - length) / 2, 0)
        moved += (ways * push[..., None]).sum(axis=1)
    return moved


def _fan(n: int) -> Float[np.ndarray, "point point 2"]:
    """A direction for every ordered pair of coinciding points: opposite for the two, different between pairs."""
    angle = 2 * np.pi * np.add.outer(np.arange(n), np.arange(n)) / max(n, 1)
    sign = np.sign(np.subtract.outer(np.arange(n), np.arange(n)))
    return sign[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


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
    shade[..., 3] = 0.85 * np.sqrt(hole)  # of the density, so that the rim of the prior can still be seen
    ax.scatter(codes[:, 0], codes[:, 1], c=[to_rgba(FAINT)], **point_marks(len(codes)))
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
