"""Training curves: one line per arm and split, band over seeds."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from latent_audit.figures.style import display_name, spread

LABELS = {
    "recon_nll": "Reconstruction, nats per image",
    "kl": "KL to the prior, nats per image",
    "elbo": "ELBO, nats per image",
    "objective": "Objective",
}


def plot_history(history: pd.DataFrame, *, metric: str, colours: Mapping[str, str], ax: Axes) -> Axes:
    """Mean over seeds of `metric` per epoch; solid = test split, dashed = running mean over the training epoch.

    Parameters
    ----------
    history : columns arm, seed, epoch, split ("train" | "test") and `metric`; arms without the metric hold NaN.
    colours : arm -> colour; its order is the order of drawing.

    The band is the range over seeds. Arms are named at the right end of their test line.
    """
    ends: dict[str, float] = {}
    for arm, colour in colours.items():
        rows = history[(history["arm"] == arm) & history[metric].notna()]
        for split, lines in (("train", (0, (3, 2))), ("test", "solid")):
            by_epoch = rows[rows["split"] == split].groupby("epoch")[metric]
            if not len(by_epoch):
                continue
            mean, low, high = by_epoch.mean(), by_epoch.min(), by_epoch.max()
            ax.fill_between(mean.index, low, high, color=colour, alpha=0.14, linewidth=0)
            marker = "o" if split == "test" else None
            ax.plot(mean.index, mean, color=colour, linestyle=lines, marker=marker, markersize=3.2, linewidth=1.4)
            ends[arm] = float(mean.iloc[-1])
    ax.set(xlabel="epoch", title=LABELS.get(metric, metric))
    ax.title.set(ha="left", x=0)
    ax.grid(axis="y")
    epochs = sorted(history["epoch"].unique())
    ax.set_xticks(epochs if len(epochs) <= 10 else epochs[:: -(-len(epochs) // 10)])
    _name_ends(ends, colours, float(epochs[-1]), ax)
    return ax


def _name_ends(ends: Mapping[str, float], colours: Mapping[str, str], x: float, ax: Axes) -> None:
    low, high = ax.get_ylim()
    for arm, y in zip(ends, spread(list(ends.values()), 0.085 * (high - low)), strict=True):
        ax.annotate(
            display_name(arm), (x, y), xytext=(7, 0), textcoords="offset points", va="center", color=colours[arm],
            annotation_clip=False, fontweight="bold",
        )  # fmt: skip
