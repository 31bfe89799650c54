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
DISTANCES = ("fd_clf", "fd_random", "kid")
OF_BALLS = ("density", "coverage")
SCORES = (*OF_BALLS, "class_entropy", "confidence")
LEAST_COVERAGE = 0.1  # of the arms' own reconstructions
JOINT = {"marginal_kl": "KL of all codes together to N(0, I)", "total_correlation": "Total correlation"}
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
        size=(360, 50 + 28.0 * len(order)),
    )
    return [Band("one", "", [strip])]


def separability(table: pd.DataFrame, headings: Headings = MappingProxyType({})) -> list[Band]:
    """What a classifier and a clustering read from z."""
    return metric_strips(
        table[table["code"] == "z"], titles=_titles(SEPARABILITY, headings), rows=lambda rows: "z", order=["z"]
    )


def generation(
    table: pd.DataFrame, headings: Headings = MappingProxyType({}), *, margin: float | None = None
) -> list[Band]:
    """Scores of generated images, a row per sampler.

    Distances to real images as multiples of that of the arm's own reconstructions, seed by seed: real images at 0 would
    leave the differences between samplers a twentieth of the axis. Density and coverage are left out where blur alone
    decides them (`is_blurred`). margin : how many times the own reconstructions' distance is still as good, dashed.
    """
    panels = [
        panel
        for metric, title in _titles(DISTANCES, headings).items()
        if (panel := _distance_panel(table, metric, title, margin)) is not None
    ]
    kept = [metric for metric in SCORES if metric not in OF_BALLS or not is_blurred(table)]
    (others,) = metric_strips(
        table,
        titles=_titles(kept, headings),
        rows=lambda rows: rows["sampler"].map(SAMPLERS),
        order=[*SAMPLERS.values()],
    )
    return [Band("pair", "", [*panels, *others.sketches])]


def _distance_panel(table: pd.DataFrame, metric: str, title: str, margin: float | None) -> Sketch | None:
    """One distance over that of the own reconstructions; as it is where these were not scored; None: not measured."""
    rows, colours = table[(table["metric"] == metric) & table["value"].notna()], arm_colours(table["arm"])
    over = over_own(rows)
    part = over if len(over) else rows
    present = [name for sampler, name in SAMPLERS.items() if sampler in set(part["sampler"])]
    if not present:
        return None
    return strip_panel(
        part.assign(row=part["sampler"].map(SAMPLERS)), present, colours, title=title,
        note="times that of own reconstructions" if len(over) else "", null=None,
        margin=margin if len(over) and metric != "kid" else None,
        size=(360, 36 + (11.0 * len(colours) + 9) * len(present)),
    )  # fmt: skip


def over_own(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows arm, seed, sampler, value of one distance, each over that of the arm's own reconstructions."""
    own = rows[rows["sampler"] == "reconstruction"].set_index(["arm", "seed"])["value"]
    drawn = rows[~rows["sampler"].isin(["reconstruction", "test_floor"]) & rows["value"].notna()]
    ground = own.reindex(pd.MultiIndex.from_frame(drawn[["arm", "seed"]])).to_numpy()
    return drawn.assign(value=drawn["value"].to_numpy() / ground).dropna(subset="value")


def is_blurred(table: pd.DataFrame) -> bool:
    """Whether even the arms' own reconstructions cover next to none of the real images: balls then tell blur alone."""
    own = table[(table["metric"] == "coverage") & (table["sampler"] == "reconstruction")]
    return bool(len(own)) and float(own["value"].mean()) < LEAST_COVERAGE


def joint(table: pd.DataFrame, margins: Mapping[str, float]) -> list[Band]:
    """KL of all codes together to N(0, I), and the total correlation, by the estimate above and the one below."""
    colours = arm_colours(table["arm"])
    of_z = table[(table["code"] == "z") & table["value"].notna()]
    panels = []
    for metric, title in JOINT.items():
        names = {metric: "estimate from above", f"{metric}_loo": "estimate from below"}
        part = of_z[of_z["metric"].isin(names)]
        present = [name for key, name in names.items() if key in set(part["metric"])]
        own = {arm: colour for arm, colour in colours.items() if arm in set(part["arm"])}
        if present:
            panels.append(
                strip_panel(
                    part.assign(row=part["metric"].map(names)), present, own, title=title,
                    note="nats; dashed: the margin", margin=margins.get(metric), null=None,
                    size=(360, 44 + 17.0 * len(own) * len(present)),
                )
            )  # fmt: skip
    return [Band("pair", "", panels)]


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
            size = (360, 36 + (17.0 * len(colours) if len(present) == 1 else (11.0 * len(colours) + 9) * len(present)))
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
