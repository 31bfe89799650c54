"""Panels that draw numbers, not codes: losses, areas, and scores with their spread over seeds."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from latent_audit.figures.canvas import Band, Sketch, sketch
from latent_audit.figures.strips import plot_strips
from latent_audit.figures.style import arm_colours, display_name
from latent_audit.figures.training import LABELS, plot_history

SEPARABILITY = ("knn_accuracy", "linear_probe_accuracy", "silhouette", "kmeans_ari")
SAMPLERS = {
    "prior": "N(0, I)",
    "box": "bounding box",
    "gaussian": "fitted Gaussian",
    "gmm": "fitted mixture",
    "reconstruction": "own reconstructions",
    "test_floor": "real images",
}
SCORES = ("fd_clf", "fd_random", "kid", "density", "coverage", "class_entropy", "confidence")
CONTINUITY = ("midpoint_confidence", "jump_rate_codes", "path_ratio_features", "round_trip_prior")

Headings = Mapping[str, str]  # metric -> what heads its panel; without one, its name with spaces


def training(history: pd.DataFrame) -> list[Band]:
    """One panel per loss term, every arm in it."""
    colours = arm_colours(history["arm"])
    panels = [
        sketch(
            lambda ax, metric=metric: plot_history(history, metric=metric, colours=colours, ax=ax).set_title(""),
            title=LABELS[metric].split(",")[0],
            note="nats per image",
            alt=f"Line chart: {LABELS[metric]} by epoch, for {arm_names(colours)}; train dashed, test solid.",
            size=(280, 220),
        )
        for metric in ("recon_nll", "kl", "elbo")
        if history[metric].notna().any()
    ]
    return [Band("arms", "", panels)]


def areas(classes: pd.DataFrame) -> list[Band]:
    """Each class's share of the unit square, of the arms and seeds where it is known."""
    rows = classes[(classes["code"] == "z") & classes["area"].notna()]
    order = rows.sort_values("label")["class_name"].astype(str).unique().tolist()
    table = rows.assign(row=rows["class_name"].astype(str), value=100 * rows["area"])
    strip = strip_panel(
        table,
        order,
        arm_colours(rows["arm"]),
        title="Area owned by each class",
        note="% of the unit square, z",
        margin=100 / len(order),
        null=None,
        size=(390, 50 + 26.0 * len(order)),
    )
    return [Band("one", "", [strip])]


def separability(table: pd.DataFrame, headings: Headings = MappingProxyType({})) -> list[Band]:
    """What a classifier and a clustering read from z."""
    return metric_strips(
        table[table["code"] == "z"], titles=_titles(SEPARABILITY, headings), rows=lambda rows: "z", order=["z"]
    )


def generation(table: pd.DataFrame, headings: Headings = MappingProxyType({})) -> list[Band]:
    """Scores of generated images, a row per sampler."""
    return metric_strips(
        table,
        titles=_titles(SCORES, headings),
        rows=lambda rows: rows["sampler"].map(SAMPLERS),
        order=[*SAMPLERS.values()],
    )


def continuity(table: pd.DataFrame, headings: Headings = MappingProxyType({})) -> list[Band]:
    """Whatever was measured between two codes."""
    return metric_strips(table, titles=_titles(CONTINUITY, headings), rows=lambda rows: "z", order=["z"])


def _titles(metrics: Sequence[str], headings: Headings) -> dict[str, str]:
    return {metric: headings.get(metric, metric.replace("_", " ")) for metric in metrics}


def metric_strips(
    table: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    rows: Callable[[pd.DataFrame], pd.Series | str],
    order: Sequence[str],
) -> list[Band]:
    """One strip chart per metric of a long table (arm, metric, value); `rows` names the row of each line."""
    colours = arm_colours(table["arm"])
    table = table.assign(row=rows(table))
    panels = []
    for metric, title in titles.items():
        part = table[(table["metric"] == metric) & table["value"].notna()]
        present = [name for name in order if name in set(part["row"])]
        if present:
            size = (360, 36 + (17.0 * len(colours) if len(present) == 1 else (11.0 * len(colours) + 8) * len(present)))
            panels.append(strip_panel(part, present, colours, title=title, note="", margin=None, null=None, size=size))
    return [Band("pair", "", panels)]


def strip_panel(
    table: pd.DataFrame,
    rows: Sequence[str],
    colours: Mapping[str, str],
    *,
    title: str,
    note: str,
    margin: float | None,
    null: Mapping[str, tuple[float, float]] | None,
    size: tuple[float, float] | None = None,
) -> Sketch:
    """A sketch of `plot_strips`, as tall as its rows need; `size` (width, height) in points overrides that."""
    height = 44 + len(rows) * (17.0 * len(colours) + 8)
    return sketch(
        lambda ax: plot_strips(table, rows=rows, colours=colours, null=null, margin=margin, ax=ax),
        title=title,
        note=note,
        alt=f"Dot plot of {title} ({note or 'per seed'}) for {arm_names(colours)}.",
        size=size or (360, height),
    )


def arm_names(arms: Mapping[str, object]) -> str:
    """The arms for readers, with commas."""
    return ", ".join(display_name(arm) for arm in arms)
