"""Training curves: one line per arm and split, band over seeds."""

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from latent_audit.figures.style import display_name, spread

LABELS = {
    "recon_nll": "Reconstruction, nats per image",
    "kl": "KL to the prior, nats per image",
    "elbo": "ELBO, nats per image",
    "objective": "Objective",
}

DASHES = {"train": (3, 2), "test": ""}
BAND = {"alpha": 0.14, "linewidth": 0}


def plot_history(history: pd.DataFrame, *, metric: str, colours: Mapping[str, str], ax: Axes) -> Axes:
    """Mean over seeds of `metric` per epoch; solid = test split, dashed = running mean over the training epoch.

    Parameters
    ----------
    history : columns arm, seed, epoch, split ("train" | "test") and `metric`; arms without the metric hold NaN.
    colours : arm -> colour; its order is the order of drawing.

    The band is the range over seeds. Arms are named at the right end of their test line.
    """
    rows = history[history["arm"].isin(list(colours)) & history[metric].notna()]
    sns.lineplot(
        rows, x="epoch", y=metric, hue="arm", hue_order=list(colours), palette=dict(colours), style="split",
        style_order=list(DASHES), dashes=DASHES, linewidth=1.4, errorbar=("pi", 100), err_kws=BAND, legend=False, ax=ax,
    )  # fmt: skip
    last = rows[rows["split"] == "test"].groupby(["arm", "epoch"])[metric].mean()
    ends = {arm: float(last[arm].iloc[-1]) for arm in colours if arm in last.index.get_level_values("arm")}
    ax.set(xlabel="epoch", ylabel="", title=LABELS.get(metric, metric))
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
