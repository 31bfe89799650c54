"""The unit square: codes mapped by the normal distribution function, and the area that each class owns."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba
from scipy.special import ndtr

from latent_audit.figures.style import INK, MUTED, PAPER, point_marks


def plot_p_space(
    codes: Float[np.ndarray, "sample 2"], labels: Int[np.ndarray, " sample"], *, colours: Sequence[str], ax: Axes
) -> Axes:
    """Phi of each code coordinate, a p-value in (0, 1), coloured by class; N(0, I) would fill the square evenly."""
    rgba = np.array([to_rgba(colour) for colour in colours])
    u = ndtr(codes)
    ax.scatter(u[:, 0], u[:, 1], c=rgba[labels], **point_marks(len(codes)))
    return _square(ax)


def plot_class_map(
    label_map: Int[np.ndarray, "row column"], names: Sequence[str], *, colours: Sequence[str], ax: Axes
) -> Axes:
    """Which class owns each cell of the unit square (row 0 = bottom), borders dark, each class named once."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    image = 0.62 * rgb[label_map] + 0.38
    image[_borders(label_map)] *= 0.55
    ax.imshow(image, extent=(0, 1, 0, 1), origin="lower", interpolation="nearest")
    for label, name in enumerate(names):
        if spot := _heart(label_map == label):
            x, y = (spot[1] + 0.5) / label_map.shape[1], (spot[0] + 0.5) / label_map.shape[0]
            ax.plot([x], [y], marker="o", markersize=12, markerfacecolor=PAPER, markeredgecolor=colours[label])
            ax.annotate(name, (x, y), ha="center", va="center_baseline", color=INK, fontsize=8.5, fontweight="bold")
    return _square(ax)


def _borders(label_map: Int[np.ndarray, "row column"]) -> np.ndarray:
    border = np.zeros(label_map.shape, dtype=bool)
    border[:-1] |= label_map[:-1] != label_map[1:]
    border[:, :-1] |= label_map[:, :-1] != label_map[:, 1:]
    return border


def _heart(mask: np.ndarray) -> tuple[int, int] | None:
    """The cell deepest inside `mask` in steps of erosion; None where the class owns less than 0.4% of the square."""
    if mask.mean() < 0.004:
        return None
    inside = np.pad(mask, 1)
    while True:
        core = inside.copy()
        core[1:-1, 1:-1] &= inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
        core[[0, -1]] = core[:, [0, -1]] = False
        if not core.any():
            rows, columns = np.nonzero(inside)
            middle = len(rows) // 2
            return int(rows[middle]) - 1, int(columns[middle]) - 1
        inside = core


def _square(ax: Axes) -> Axes:
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    for spine in ax.spines.values():
        spine.set(visible=True, color=MUTED, linewidth=0.6)
    return ax
