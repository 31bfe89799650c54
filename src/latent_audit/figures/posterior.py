"""Where the KL of a posterior goes: its three parts, and its dimensions."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes

from latent_audit.figures.style import INK, MUTED

PARTS = {
    "kl": "KL to the prior",
    "index_code_mi": "index-code MI",
    "total_correlation": "total correlation",
    "dimwise_kl": "dimension-wise KL",
}


def plot_kl_parts(values: Mapping[str, float], *, colour: str, ax: Axes) -> Axes:
    """A bar for the KL and one for each of the parts that add up to it, in nats; `values` has the keys of PARTS."""
    numbers = [values[part] for part in PARTS]
    ax.barh(range(len(PARTS)), numbers, color=[MUTED, colour, colour, colour], alpha=0.8, height=0.62)
    for row, value in enumerate(numbers):
        ax.annotate(
            f"{value:.3g}".replace("-", "−"), (max(value, 0), row), xytext=(5, 0), textcoords="offset points",
            va="center", color=INK,
        )  # fmt: skip
    ax.set_yticks(range(len(PARTS)), labels=list(PARTS.values()))
    ax.set(ylim=(len(PARTS) - 0.5, -0.5), xlabel="nats")
    ax.margins(x=0.16)
    ax.tick_params(axis="y", length=0)
    return ax


def plot_kl_of_dimensions(
    kl: Float[np.ndarray, " latent"], active: Bool[np.ndarray, " latent"], *, colour: str, ax: Axes
) -> Axes:
    """A step per dimension, the largest KL (nats) first; those that are not active in grey."""
    order = np.argsort(-kl, kind="stable")
    edges = np.repeat(np.arange(len(kl) + 1) + 0.5, 2)[1:-1]
    for chosen, shade in ((active[order], colour), (~active[order], MUTED)):
        heights = np.repeat(np.where(chosen, kl[order], 0), 2)
        ax.fill_between(edges, heights, color=shade, alpha=0.8, linewidth=0)
    ax.set(xlabel="dimensions, largest KL first", ylabel="nats", xlim=(0.5, len(kl) + 0.5), ylim=(0, None))
    ax.locator_params(axis="x", integer=True, nbins=8)
    return ax
