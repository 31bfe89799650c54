"""What an audit leads with, drawn: how far the codes reach, how they spread or what they carry, and the worst of them.

Each function takes arrays and an Axes; the page, a notebook's summary and `.plot()` share them.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from scipy.stats import chi

from latent_audit.figures import codes as planes
from latent_audit.figures.audit import COLOUR
from latent_audit.figures.canvas import Band, sketch
from latent_audit.figures.compose import WINDOW
from latent_audit.figures.marginals import plot_marginal
from latent_audit.figures.posterior import plot_kl_of_dimensions
from latent_audit.figures.style import INK, MUTED

RADIUS_BINS = 60
SIZE = (280, 190)

Draw = Callable[[Axes], object]


def plot_radius(z: Float[np.ndarray, "sample latent"], *, ax: Axes, colour: str = COLOUR) -> Axes:
    """Density of the codes' distances from 0, and that of draws from N(0, I), dashed."""
    distance, latent_dim = np.linalg.norm(z, axis=1), z.shape[1]
    reach = 1.05 * max(float(np.quantile(distance, 0.999)), float(chi.ppf(0.999, latent_dim)))
    edges = np.linspace(0, reach, RADIUS_BINS + 1)
    density = np.histogram(distance, edges)[0] / (len(z) * (edges[1] - edges[0]))
    ax.stairs(density, edges, color=colour, linewidth=1.4, baseline=None)
    ax.stairs(density, edges, color=colour, alpha=0.08, fill=True)
    grid = np.linspace(0, reach, 241)
    ax.plot(grid, chi.pdf(grid, latent_dim), color=INK, linewidth=1.3, linestyle=(0, (3, 2)))
    ax.set(xlabel="distance from 0", ylabel="density", xlim=(0, reach), ylim=(0, None))
    ax.locator_params(axis="y", nbins=4)
    return ax


def plot_spread(sd: Float[np.ndarray, " latent"], *, band: tuple[float, float], ax: Axes, colour: str = COLOUR) -> Axes:
    """Standard deviation along each principal axis, the widest first; grey: where those of true draws lie."""
    rank = np.arange(1, len(sd) + 1)
    ax.axhspan(*band, color=MUTED, alpha=0.28, linewidth=0)
    ax.plot(rank, sd, color=colour, linewidth=1.6, marker="o" if len(sd) < 60 else None, markersize=3)
    ax.set(xlabel="principal axes, widest first", ylabel="sd", xlim=(0.5, len(sd) + 0.5), ylim=(0, None))
    ax.locator_params(axis="x", integer=True, nbins=8)
    return ax


def plot_pair(pair: Float[np.ndarray, "sample 2"], names: Sequence[str], *, ax: Axes, colour: str = COLOUR) -> Axes:
    """Codes in the plane of two dimensions with circles of radius 1, 2 and 3."""
    limit = max(1.05 * float(np.quantile(np.abs(pair), 0.999)), WINDOW)
    planes.plot_codes(pair, np.zeros(len(pair), dtype=int), colours=[colour], limit=limit, ax=ax)
    planes.plot_prior_circles(ax=ax)
    ax.set(xlabel=names[0], ylabel=names[1])
    return ax


def plot_dimension(values: Float[np.ndarray, " sample"], name: str, *, ax: Axes, colour: str = COLOUR) -> Axes:
    """Density of one dimension and that of N(0, 1), dashed."""
    limit = float(np.clip(np.ceil(np.quantile(np.abs(values), 0.995)), 4, 10))
    plot_marginal({"z": values}, colours={"z": colour}, limit=limit, ax=ax)
    ax.set_xlabel(name)
    return ax


def plot_kl(kl: Float[np.ndarray, " latent"], active: np.ndarray, *, ax: Axes, colour: str = COLOUR) -> Axes:
    """KL of each dimension, the largest first; idle ones in grey."""
    return plot_kl_of_dimensions(kl, active, colour=colour, ax=ax)


def glance(panels: Sequence[tuple[str, str, str, Draw]]) -> list[Band]:
    """Panels (title, note, what it shows in words, how it is drawn) abreast."""
    drawn = [sketch(draw, title=title, note=note, alt=alt, size=SIZE) for title, note, alt, draw in panels]
    return [Band("pair" if len(drawn) == 2 else "arms", "", drawn)]
