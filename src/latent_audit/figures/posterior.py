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


UNTOLD = "cannot be told"


def plot_kl_parts(values: Mapping[str, float], *, colour: str, ax: Axes) -> Axes:
    """A bar for the KL and one for each of the parts that add up to it, in nats; a line joins a part's two estimates.

    values : the keys of PARTS, and of each but kl a second estimate with the ending `_loo`; NaN for what is not known,
    which has words in place of a bar.
    """
    ends = [_ends(values, part) for part in PARTS]
    for row, (low, high) in enumerate(ends):
        if np.isfinite(low):
            ax.barh(row, np.nanmean([low, high]), color=colour if row else MUTED, alpha=0.8, height=0.62)
        if high > low:
            ax.plot([low, high], [row, row], color=INK, linewidth=1.4, marker="|", markersize=7)
        ax.annotate(
            _span(low, high), (np.nanmax([low, high, 0]), row), xytext=(7, 0), textcoords="offset points",
            va="center", color=INK,
        )  # fmt: skip
    ax.set_yticks(range(len(PARTS)), labels=list(PARTS.values()))
    lowest, highest = np.nanmin([0.0, *np.ravel(ends)]), np.nanmax([0.01, *np.ravel(ends)])
    ax.set(ylim=(len(PARTS) - 0.5, -0.5), xlabel="nats", xlim=(1.05 * lowest, highest + 0.5 * (highest - lowest)))
    ax.tick_params(axis="y", length=0)
    return ax


def part_words(values: Mapping[str, float], part: str) -> str:
    """A part of the KL with its unit, as the bars of `plot_kl_parts` have it."""
    low, high = _ends(values, part)
    return f"{_span(low, high)} nats" if np.isfinite(low) else UNTOLD


def _ends(values: Mapping[str, float], part: str) -> tuple[float, float]:
    """The smaller and the larger estimate of a part; where the KL is not divided, there is no upper one of the MI."""
    other = values.get(f"{part}_loo", values[part])
    if part == "index_code_mi" and not np.isfinite(values["total_correlation"]):
        other = np.nan
    low, high = (round(value, 6) + 0.0 for value in sorted((values[part], other)))
    return low, high


def _span(low: float, high: float) -> str:
    if not np.isfinite(low):
        return UNTOLD
    if not np.isfinite(high):
        return f"{low:.3g} or more"
    return (f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}").replace("-", "−")


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
