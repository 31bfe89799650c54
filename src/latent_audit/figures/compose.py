"""Which panels make up each figure of the report: small multiples over the arms, at equal scale."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from latent_audit.figures import codes as planes
from latent_audit.figures import pspace, pvalues
from latent_audit.figures.canvas import Band, Sketch, sketch
from latent_audit.figures.marginals import plot_marginal
from latent_audit.figures.strips import plot_strips
from latent_audit.figures.style import arm_colours, arm_order, class_colours, display_name
from latent_audit.figures.training import LABELS, plot_history

WINDOW = 3.5  # code units: the part of the plane that holds 99.8% of the prior
MAX_DIMS = 8  # dimensions drawn one by one
TESTS = {"ks_p": "KS", "cvm_p": "CvM", "ad_p": "AD", "shapiro_p": "Shapiro", "k2_p": "K²", "jb_p": "JB"}
EFFECTS = {"mean": "mean", "log_std": "ln sd", "skew": "skew", "excess_kurtosis": "kurt.", "ks_d": "KS D", "w1": "W1"}
SEPARABILITY = {
    "knn_accuracy": "Accuracy of nearest neighbours",
    "linear_probe_accuracy": "Accuracy of a linear probe",
    "silhouette": "Silhouette of the classes",
    "kmeans_ari": "k-means against classes, ARI",
}
SAMPLERS = {
    "prior": "N(0, I)",
    "box": "bounding box",
    "gaussian": "fitted Gaussian",
    "gmm": "fitted mixture",
    "test_floor": "real images",
}
SCORES = {
    "fd_clf": "FD-clf: distance to real images, lower is better",
    "kid": "KID: the same by kernels, lower is better",
    "density": "Density: fidelity, higher is better",
    "coverage": "Coverage: variety, higher is better",
    "class_entropy": "Entropy of the classes drawn, nats",
    "confidence": "The critic's confidence",
}

Codes = Mapping[str, np.ndarray]


def training(history: pd.DataFrame) -> list[Band]:
    """One panel per loss term, every arm in it."""
    colours = arm_colours(history["arm"])
    panels = [
        sketch(
            lambda ax, metric=metric: plot_history(history, metric=metric, colours=colours, ax=ax).set_title(""),
            title=LABELS[metric].split(",")[0].capitalize() if metric != "elbo" else "ELBO",
            note="nats per image",
            alt=f"Line chart: {LABELS[metric]} by epoch, for {_names(colours)}; train dashed, test solid.",
            size=(280, 220),
        )
        for metric in ("recon_nll", "kl", "elbo")
        if history[metric].notna().any()
    ]
    return [Band("arms", "", panels)]


def code_planes(codes: Codes, labels: np.ndarray, *, n_classes: int, dims: Sequence[int]) -> list[Band]:
    """All codes at one scale, then the prior's window; `codes` maps arm -> (sample, latent), `dims` the two shown."""
    colours, names = class_colours(n_classes), _class_numbers(n_classes)
    pairs = {arm: codes[arm][:, list(dims)] for arm in arm_order(codes)}
    reach = max(float(np.quantile(np.abs(pair), 0.999)) for pair in pairs.values())
    wide = max(1.05 * reach, WINDOW)

    def draw(ax: Axes, arm: str, limit: float, zoomed: bool) -> None:
        planes.plot_codes(pairs[arm], labels, colours=colours, limit=limit, ax=ax)
        planes.plot_prior_circles(ax=ax)
        if zoomed:
            centroids = np.array([pairs[arm][labels == label].mean(axis=0) for label in np.unique(labels)])
            kept = np.unique(labels)
            planes.plot_centroids(centroids, [names[k] for k in kept], colours=[colours[k] for k in kept], ax=ax)
        elif wide > 1.2 * WINDOW:
            planes.plot_window(WINDOW, ax=ax)
        ax.set(xlabel=f"z{_sub(dims[0])}", ylabel=f"z{_sub(dims[1])}")

    def row(limit: float, zoomed: bool, words: str) -> list[Sketch]:
        return [
            sketch(
                lambda ax, arm=arm: draw(ax, arm, limit, zoomed),
                title=display_name(arm),
                note=f"{words} {limit:.3g}",
                alt=f"Scatter plot of {len(labels)} test codes z of {display_name(arm)}, coloured by class, on ±{limit:.3g}.",
            )
            for arm in pairs
        ]

    bands = [Band("arms", "The part of the plane that the prior covers", row(WINDOW, True, "z, within ±"))]
    if wide > 1.2 * WINDOW:
        bands.insert(0, Band("arms", "All codes, one scale for every arm (square: the part shown below)",
                             row(wide, False, "z, within ±")))  # fmt: skip
    return bands


def marginals(codes: Codes, per_dim: pd.DataFrame, *, null: Mapping[str, tuple[float, float]],
              margins: Mapping[str, float]) -> list[Band]:  # fmt: skip
    """Histograms of each dimension against N(0, 1), then KS D and W1 with their seeds."""
    colours = arm_colours(codes)
    dims = shown_dims(per_dim)
    histograms = [
        sketch(
            lambda ax, dim=dim: plot_marginal(
                {arm: codes[arm][:, dim] for arm in colours}, colours=colours, limit=5.0, ax=ax
            ).set_xlabel(f"z{_sub(dim)}"),
            title=f"z{_sub(dim)}",
            note="outline: " + _names(colours) + "; dashed: N(0, 1)",
            alt=f"Histogram outlines of dimension {dim + 1} of z for {_names(colours)}, with the density of N(0, 1).",
            size=(360, 210),
        )
        for dim in dims
    ]
    rows = per_dim[(per_dim["code"] == "z") & per_dim["dim"].isin(dims)]
    strips = [
        _strip(
            rows.assign(row=rows["dim"].map(lambda dim: f"z{_sub(dim)}"), value=rows[column]),
            [f"z{_sub(dim)}" for dim in dims], colours, title=title, note=note, margin=margins.get(column),
            null={f"z{_sub(dim)}": null[column] for dim in dims} if column in null else None,
        )
        for column, title, note in (("ks_d", "KS distance", "D, 0 to 1"), ("w1", "Wasserstein-1", "code units"))
    ]  # fmt: skip
    return [Band("pair", "", histograms), Band("pair", "How far from N(0, 1)", strips)]


def p_value_maps(per_dim: pd.DataFrame, *, family: int) -> list[Band]:
    """Per arm: adjusted p of every test and dimension of z, beside the sizes of the departures; medians over seeds.

    `family` is the number of p-values adjusted together: an adjusted p that underflowed is bounded by family * p.
    """
    arms, bands = arm_order(per_dim["arm"]), []
    dims = shown_dims(per_dim, most=24)
    for arm in arms:
        rows = per_dim[(per_dim["arm"] == arm) & (per_dim["code"] == "z") & per_dim["dim"].isin(dims)]
        labels = [f"z{_sub(dim)}" for dim in dims]
        adjusted = pd.DataFrame({TESTS[p]: _log10_adjusted(rows, p, family) for p in TESTS}).assign(dim=rows["dim"].to_numpy())
        p_map = adjusted.groupby("dim").median().loc[dims].set_axis(labels)
        effects = rows.assign(log_std=np.log(rows["std"])).groupby("dim")[list(EFFECTS)].median().loc[dims]
        size = (330, 34 + 26.0 * len(dims))
        bands.append(
            Band("pair", "", [
                sketch(lambda ax, table=p_map: pvalues.plot_p_map(table, ax=ax), title=display_name(arm),
                       note="log10 of adjusted p, z", size=size,
                       alt=f"Heat map of log10 adjusted p-values of {display_name(arm)}, dimensions by tests."),
                sketch(lambda ax, table=effects.rename(columns=EFFECTS).set_axis(labels): pvalues.plot_effect_map(table, ax=ax),
                       title=display_name(arm), note="size of the departure, z", size=size,
                       alt=f"Heat map of effect sizes of {display_name(arm)}, dimensions by effects."),
            ])
        )  # fmt: skip
    return bands


def p_space(codes: Codes, labels: np.ndarray, maps: Codes, *, n_classes: int, dims: Sequence[int]) -> list[Band]:
    """Codes on the unit square of two dimensions, and who owns each cell of it."""
    colours, names = class_colours(n_classes), _class_numbers(n_classes)
    arms = [arm for arm in arm_order(codes) if arm in maps]

    def axes_named(ax: Axes) -> Axes:
        ax.set(xlabel=f"Φ(z{_sub(dims[0])})", ylabel=f"Φ(z{_sub(dims[1])})")
        return ax

    points = [
        sketch(
            lambda ax, arm=arm: axes_named(pspace.plot_p_space(codes[arm][:, list(dims)], labels, colours=colours, ax=ax)),
            title=display_name(arm), note="codes z as p-values",
            alt=f"Test codes of {display_name(arm)} mapped by Phi to the unit square, coloured by class.",
        )
        for arm in arms
    ]  # fmt: skip
    regions = [
        sketch(
            lambda ax, arm=arm: axes_named(pspace.plot_class_map(maps[arm], names, colours=colours, ax=ax)),
            title=display_name(arm), note="class that owns each place",
            alt=f"Map of the unit square for {display_name(arm)}: the class of the nearest codes at each place.",
        )
        for arm in arms
    ]  # fmt: skip
    return [Band("arms", "", points), Band("arms", "", regions)]


def areas(classes: pd.DataFrame) -> list[Band]:
    """Each class's share of the unit square."""
    rows = classes[classes["code"] == "z"]
    order = rows.sort_values("label")["class_name"].astype(str).unique().tolist()
    table = rows.assign(row=rows["class_name"].astype(str), value=100 * rows["area"])
    strip = _strip(table, order, arm_colours(rows["arm"]), title="Area owned by each class", note="% of the unit square, z",
                   margin=100 / len(order), null=None, size=(500, 60 + 26.0 * len(order)))  # fmt: skip
    return [Band("one", "", [strip])]


def holes(codes: Codes, shades: Codes, joint: pd.DataFrame, *, null: tuple[float, float] | None,
          margin: float | None) -> list[Band]:  # fmt: skip
    """Where the prior is empty of codes (two-dimensional codes only), and how much of it per seed."""
    colours = arm_colours(joint["arm"])
    bands = []
    if shades:
        panels = [
            sketch(
                lambda ax, arm=arm: planes.plot_prior_circles(
                    ax=planes.plot_holes(shades[arm], codes[arm], colour=colours[arm], limit=WINDOW, ax=ax)
                ).set(xlabel="z₁", ylabel="z₂"),
                title=display_name(arm), note="shaded: prior without codes",
                alt=f"Plane of codes of {display_name(arm)}: shaded where the prior has mass and no code is near.",
            )
            for arm in arm_order(shades)
        ]  # fmt: skip
        bands.append(Band("arms", "", panels))
    rows = joint[(joint["metric"] == "hole_fraction") & (joint["code"] == "z")]
    table = rows.assign(row="z", value=100 * rows["value"])
    strip = _strip(table, ["z"], colours, title="Prior draws that land in a hole", note="%, a dot per seed",
                   margin=None if margin is None else 100 * margin,
                   null=None if null is None else {"z": (100 * null[0], 100 * null[1])}, size=(500, 110))  # fmt: skip
    return [*bands, Band("one", "", [strip])]


def separability(table: pd.DataFrame) -> list[Band]:
    """What a classifier and a clustering read from z."""
    return metric_strips(table[table["code"] == "z"], titles=SEPARABILITY, rows=lambda rows: "z", order=["z"])


def generation(table: pd.DataFrame) -> list[Band]:
    """Scores of generated images, a row per sampler."""
    return metric_strips(table, titles=SCORES, rows=lambda rows: rows["sampler"].map(SAMPLERS), order=[*SAMPLERS.values()])


def continuity(table: pd.DataFrame) -> list[Band]:
    """Whatever was measured between two codes."""
    titles = {metric: metric.replace("_", " ") for metric in table["metric"].unique()}
    return metric_strips(table, titles=titles, rows=lambda rows: "z", order=["z"])


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
            size = (360, 62 + (20.0 * len(colours) + 14) * len(present) if len(present) < 3 else 50 + 42.0 * len(present))
            panels.append(_strip(part, present, colours, title=title, note="", margin=None, null=None, size=size))
    return [Band("pair", "", panels)]


def shown_dims(per_dim: pd.DataFrame, *, most: int = MAX_DIMS) -> list[int]:
    """The dimensions that are drawn: all, or the `most` furthest from N(0, 1) by KS D over arms and seeds."""
    worst = per_dim[per_dim["code"] == "z"].groupby("dim")["ks_d"].mean().sort_values(ascending=False, kind="stable")
    return sorted(worst.index[:most].tolist())


def _strip(
    table: pd.DataFrame, rows: Sequence[str], colours: Mapping[str, str], *, title: str, note: str, margin: float | None,
    null: Mapping[str, tuple[float, float]] | None, size: tuple[float, float] | None = None,
) -> Sketch:  # fmt: skip
    height = 44 + len(rows) * (17.0 * len(colours) + 8)
    return sketch(
        lambda ax: plot_strips(table, rows=rows, colours=colours, null=null, margin=margin, ax=ax),
        title=title, note=note, alt=f"Dot plot of {title} ({note or 'per seed'}) for {_names(colours)}.",
        size=size or (360, height),
    )  # fmt: skip


def _log10_adjusted(rows: pd.DataFrame, column: str, family: int) -> np.ndarray:
    adjusted = rows[f"{column}_holm"].to_numpy(dtype=float)
    bound = np.minimum(rows[f"log10_{column}"].to_numpy(dtype=float) + np.log10(family), 0)
    return np.where(adjusted > 1e-290, np.log10(np.maximum(adjusted, 1e-300)), bound)


def _names(arms: Mapping[str, object]) -> str:
    return ", ".join(display_name(arm) for arm in arms)


def _class_numbers(n_classes: int) -> list[str]:
    return [str(index) for index in range(n_classes)]


def _sub(dim: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(dim + 1))
