"""The study in one figure: a few effects per arm, each with its interval over seeds and the margin it is held to.

Drawn without seaborn, which makes intervals of its own: these are the ones that the verdicts were read off.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latent_audit.figures.style import INK, MUTED, PAPER, RC, SAVED, arm_colours, display_name, own_style

RANDOM = "fd_random"  # the Fréchet distance where there are no classes to train a critic on
PANEL_INCHES = (2.35, 1.75)


class Panel(NamedTuple):
    """One small multiple: a title, what its x axis measures, and the margin to be held to (None: none)."""

    title: str
    label: str
    margin: float | None


def plot_intervals(table: pd.DataFrame, panel: Panel, *, ax: Axes) -> Axes:
    """One row per entry: a dot at `mean` and a bar from `low` to `high`, in the arm's colour; the margin dashed.

    Parameters
    ----------
    table : columns arm, name (what stands at the row), mean, low, high, seeds (a list of values to be drawn instead,
        where a mean would mislead, else empty); drawn from top to bottom.
    """
    colours = arm_colours(table["arm"])
    for row, entry in enumerate(table.itertuples(index=False)):
        colour = colours[str(entry.arm)]
        seeds: Any = entry.seeds
        if seeds:
            ax.plot(seeds, [row] * len(seeds), marker="o", markersize=4, color=colour, alpha=0.75, linestyle="none")
            continue
        ax.plot([entry.low, entry.high], [row, row], color=colour, linewidth=2.2, solid_capstyle="butt")
        ax.plot([entry.mean], [row], marker="o", markersize=5, color=colour, linestyle="none")
        ax.annotate(
            _short(float(entry.mean)), (float(entry.mean), row), xytext=(0, 6), textcoords="offset points",
            ha="center", color=INK, fontsize=8,
        )  # fmt: skip
    if panel.margin is not None:
        ax.axvline(panel.margin, color=MUTED, linestyle=(0, (3, 2)), linewidth=1)
    ax.set(ylim=(len(table) - 0.4, -0.8), yticks=range(len(table)), yticklabels=table["name"], xlabel=panel.label)
    ax.set_xlim(left=0)
    ax.set_title(panel.title, loc="left", fontweight="bold")
    ax.tick_params(axis="y", length=0)
    return ax


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2f}"


def headline_panels(
    metrics: Mapping[str, Mapping], weights: Mapping[str, float | None], margins: Mapping[str, float | None]
) -> dict[Panel, pd.DataFrame]:
    """What the front page shows: distance to N(0, 1), holes, class areas, and samples as each arm draws them.

    Parameters
    ----------
    metrics : reports/metrics.json. weights : the arms in order, each with its beta_kl (None: an autoencoder).
    margins : diagnostics.margins; that of hole_fraction with what chance leaves.
    """
    balls = [metrics.get(arm, {}).get("hole_fraction") or {"mean": 0} for arm in weights]
    counted = any(found["mean"] is not None for found in balls)  # not beyond three dimensions
    emptiness = (
        ("share of draws far from every code", "hole_fraction") if counted else ("share without codes", "hole_mass")
    )
    of_arms = {
        Panel("Not N(0, 1)", "KS distance, worst dimension of z", margins["ks_d"]): "ks_d_max",
        Panel("Holes under the prior", emptiness[0], margins["hole_fraction"]): emptiness[1],
        Panel("Unequal class areas", "total variation to equal areas", margins["area_tv"]): "area_tv",
    }
    panels = {
        panel: entries(metrics, [(arm, metric, display_name(arm)) for arm in weights])
        for panel, metric in of_arms.items()
    }
    random = any(f"{RANDOM}_prior" in own for own in metrics.values())
    distance, words = (RANDOM, "FD of random features") if random else ("fd_clf", "FD-clf")
    drawn = []
    for arm, beta_kl in weights.items():
        name = display_name(arm)
        if beta_kl is None:
            drawn += [(arm, f"{distance}_box", f"{name}, box"), (arm, f"{distance}_gmm", f"{name}, mixture")]
        drawn.append((arm, f"{distance}_prior", f"{name}, N(0, I)"))
    panels[Panel("Samples, not like data", f"{words} to the test images", None)] = entries(metrics, drawn)
    return {panel: table for panel, table in panels.items() if len(table)}


def headline_svg(panels: Mapping[Panel, pd.DataFrame]) -> str:
    """The panels side by side as SVG text on white paper, the same bytes for the same numbers."""
    style: dict[Any, Any] = {**RC, "svg.fonttype": "path", "savefig.transparent": False}
    with own_style(style):
        width, height = PANEL_INCHES
        figure = Figure(figsize=(width * len(panels), height), layout="constrained", facecolor=PAPER)
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for ax, (panel, table) in zip(axes, panels.items(), strict=True):
            plot_intervals(table, panel, ax=ax)
        out = io.StringIO()
        figure.savefig(
            out, format="svg", dpi="figure", facecolor=PAPER, transparent=False, metadata={"Date": None}, **SAVED
        )
        return out.getvalue()


def entries(metrics: Mapping[str, Mapping], wanted: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    """Rows of `plot_intervals` from metrics.json: `wanted` lists (arm, metric, name); the unmeasured is left out."""
    rows = []
    for arm, metric, name in wanted:
        found = metrics.get(arm, {}).get(metric)
        if found is not None and found["mean"] is not None:
            low, high = (found["mean"] if found[end] is None else found[end] for end in ("low", "high"))
            seeds = found["values"] if found.get("by_values") else []
            rows.append({"arm": arm, "name": name, "mean": found["mean"], "low": low, "high": high, "seeds": seeds})
    return pd.DataFrame(rows, columns=["arm", "name", "mean", "low", "high", "seeds"])
