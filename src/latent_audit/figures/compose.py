"""Panels that draw codes: small multiples over the arms, at equal scale."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from latent_audit.figures.canvas import Band, Sketch, sketch
from latent_audit.figures.codes import plot_centroids, plot_codes, plot_holes, plot_prior_circles, plot_window
from latent_audit.figures.dimensions import dimension_name, shown_dims
from latent_audit.figures.marginals import plot_marginal
from latent_audit.figures.scores import arm_names, strip_panel
from latent_audit.figures.style import arm_colours, arm_order, class_colours, display_name
from latent_audit.figures.unit_square import plot_class_map, plot_p_space

WINDOW = 3.5  # code units: the part of the plane that holds 99.8% of the prior
TRANSFORMS = ("raw", "standardised", "whitened")
HOLES = {"hole_fraction": "raw", "hole_fraction_whitened": "whitened"}  # balls counted, up to three dimensions
EMPTY = {"hole_mass": "emptiest plane"}  # beyond

Codes = Mapping[str, np.ndarray]  # arm -> array
Plane = Mapping[str, Sequence[int]]  # arm -> the two dimensions shown


def code_planes(codes: Codes, labels: np.ndarray, *, n_classes: int, dims: Plane) -> list[Band]:
    """All codes at one scale, then the prior's window; `codes` maps arm -> (sample, latent), `dims` the two shown.

    With one class, or none, the points have one colour and no means.
    """
    colours, names = class_colours(max(n_classes, 1)), _class_numbers(n_classes)
    by_class = " by class" if n_classes > 1 else ""
    pairs = {arm: codes[arm][:, list(dims[arm])] for arm in arm_order(codes)}
    reach = max(float(np.quantile(np.abs(pair), 0.999)) for pair in pairs.values())
    wide = max(1.05 * reach, WINDOW)

    def draw(ax: Axes, arm: str, limit: float, zoomed: bool) -> None:
        own = labels if by_class else np.zeros(len(pairs[arm]), dtype=np.int64)
        plot_codes(pairs[arm], own, colours=colours, limit=limit, ax=ax)
        plot_prior_circles(ax=ax)
        if zoomed and by_class:
            centroids = np.array([pairs[arm][labels == label].mean(axis=0) for label in np.unique(labels)])
            kept = np.unique(labels)
            plot_centroids(centroids, [names[k] for k in kept], colours=[colours[k] for k in kept], ax=ax)
        if not zoomed and wide > 1.2 * WINDOW:
            plot_window(WINDOW, ax=ax)
        ax.set(xlabel=dimension_name(dims[arm][0]), ylabel=dimension_name(dims[arm][1]))

    def row(limit: float, zoomed: bool) -> list[Sketch]:
        return [
            sketch(
                lambda ax, arm=arm: draw(ax, arm, limit, zoomed),
                title=display_name(arm),
                note=f"z, within ± {limit:.3g}",
                alt=f"Scatter plot of {len(pairs[arm])} test codes z of {display_name(arm)}{by_class}, "
                f"on ±{limit:.3g}.",
            )
            for arm in pairs
        ]

    near = Band("arms", "The part of the plane that the prior covers", row(WINDOW, True))
    if wide <= 1.2 * WINDOW:
        return [near]
    return [Band("arms", "All codes, one scale for every arm (square: the part shown below)", row(wide, False)), near]


def marginals(
    codes: Codes,
    per_dim: pd.DataFrame,
    transforms: pd.DataFrame | None,
    *,
    null: Mapping[str, tuple[float, float]],
    margins: Mapping[str, float],
) -> list[Band]:
    """Histograms of each dimension against N(0, 1), then KS D and W1 with their seeds.

    transforms : rows arm, code, transform, metric, value: the same distances after standardising and whitening.
    """
    colours, dims = arm_colours(codes), shown_dims(per_dim)
    reach = max(float(np.quantile(np.abs(z[:, dim]), 0.995)) for dim in dims for z in _having(codes, dim).values())
    limit = float(np.clip(np.ceil(reach), 4, 10))
    histograms = [
        sketch(
            lambda ax, dim=dim: plot_marginal(
                {arm: z[:, dim] for arm, z in _having(codes, dim).items()}, colours=colours, limit=limit, ax=ax
            ).set_xlabel(dimension_name(dim)),
            title=dimension_name(dim),
            note=f"dashed: N(0, 1){_outside(codes, dim, limit)}",
            alt=f"Histogram outlines of dimension {dim} of z for {arm_names(_having(codes, dim))}, with N(0, 1).",
            size=(360, 210),
        )
        for dim in dims
    ]
    return [
        Band("pair", "", histograms),
        Band("pair", "How far from N(0, 1)", _distances(per_dim, dims, colours, null, margins)),
        *_fair_distances(transforms, colours, null, margins),
    ]


def _having(codes: Codes, dim: int) -> Codes:
    """Those whose code has the dimension, in their order."""
    return {arm: codes[arm] for arm in arm_order(codes) if dim < codes[arm].shape[1]}


def _outside(codes: Codes, dim: int, limit: float) -> str:
    """Which arms have codes beyond the window of a histogram, and how many."""
    shares = {arm: float((np.abs(z[:, dim]) > limit).mean()) for arm, z in _having(codes, dim).items()}
    said = [f"{100 * share:.0f}% of {display_name(arm)}" for arm, share in shares.items() if share >= 0.01]
    return f"; beyond ±{limit:g}: {', '.join(said)}" if said else ""


def _distances(
    per_dim: pd.DataFrame,
    dims: list[int],
    colours: Mapping[str, str],
    null: Mapping[str, tuple[float, float]],
    margins: Mapping[str, float],
) -> list[Sketch]:
    rows = per_dim[(per_dim["code"] == "z") & per_dim["dim"].isin(dims)]
    names = {dim: dimension_name(dim) for dim in dims}
    return [
        strip_panel(
            rows.assign(row=rows["dim"].map(names), value=rows[column]),
            list(names.values()),
            colours,
            title=title,
            note=note,
            margin=margins.get(column),
            null=dict.fromkeys(names.values(), null[column]) if column in null else None,
        )
        for column, title, note in (("ks_d", "KS distance", "D, 0 to 1"), ("w1", "Wasserstein-1", "code units"))
    ]


def _fair_distances(
    transforms: pd.DataFrame | None,
    colours: Mapping[str, str],
    null: Mapping[str, tuple[float, float]],
    margins: Mapping[str, float],
) -> list[Band]:
    if transforms is None:
        return []
    rows = transforms[(transforms["code"] == "z") & transforms["transform"].isin(TRANSFORMS)]
    panels = [
        strip_panel(
            rows[rows["metric"] == f"{column}_max"].assign(row=rows["transform"]),
            list(TRANSFORMS),
            colours,
            title=title,
            note="largest over dimensions",
            margin=margins.get(column),
            null={"raw": null[column]} if column in null else None,
        )
        for column, title in (("ks_d", "KS distance"), ("w1", "Wasserstein-1"))
        if (rows["metric"] == f"{column}_max").any()
    ]
    return [Band("pair", "A fair hearing: the same after the codes are standardised, and whitened", panels)]


def p_space(codes: Codes, labels: np.ndarray, maps: Codes, *, n_classes: int, dims: Plane) -> list[Band]:
    """Codes on the unit square of two dimensions, and who owns each cell of it; without classes there are no `maps`."""
    colours, names = class_colours(max(n_classes, 1)), _class_numbers(n_classes)
    coloured = ", coloured by class" if n_classes > 1 else ""
    arms = [arm for arm in arm_order(codes) if arm in maps or not coloured]

    def of_arm(arm: str) -> np.ndarray:
        return labels if coloured else np.zeros(len(codes[arm]), dtype=np.int64)

    def axes_named(ax: Axes, arm: str) -> Axes:
        ax.set(xlabel=f"Φ({dimension_name(dims[arm][0])})", ylabel=f"Φ({dimension_name(dims[arm][1])})")
        return ax

    points = [
        sketch(
            lambda ax, arm=arm: axes_named(
                plot_p_space(codes[arm][:, list(dims[arm])], of_arm(arm), colours=colours, ax=ax), arm
            ),
            title=display_name(arm),
            note="codes z as p-values",
            alt=f"Test codes of {display_name(arm)} mapped by Phi to the unit square{coloured}.",
        )
        for arm in arms
    ]
    regions = [
        sketch(
            lambda ax, arm=arm: axes_named(plot_class_map(maps[arm], names, colours=colours, ax=ax), arm),
            title=display_name(arm),
            note="class that owns each place",
            alt=f"Map of the unit square for {display_name(arm)}: the class of the nearest codes at each place.",
        )
        for arm in arms
        if arm in maps
    ]
    return [Band("arms", "", part) for part in (points, regions) if part]


def holes(
    codes: Codes,
    shades: Codes,
    joint: pd.DataFrame,
    *,
    measure: str,
    null: tuple[float, float] | None,
    margin: float | None,
) -> list[Band]:
    """Where the prior is empty of codes (of arms with two dimensions), and how much of it per seed by `measure`."""
    colours = arm_colours(joint["arm"])
    bands = []
    if shades:
        panels = [
            sketch(
                lambda ax, arm=arm: plot_prior_circles(
                    ax=plot_holes(shades[arm], codes[arm], colour=colours[arm], limit=WINDOW, ax=ax)
                ).set(xlabel=dimension_name(0), ylabel=dimension_name(1)),
                title=display_name(arm),
                note="shaded: prior without codes",
                alt=f"Plane of codes of {display_name(arm)}: shaded where the prior has mass and no code is near.",
            )
            for arm in arm_order(shades)
        ]
        bands.append(Band("arms", "", panels))
    of_z = joint[(joint["code"] == "z") & joint["value"].notna()]
    names = HOLES if measure in HOLES else EMPTY
    rows = of_z[of_z["metric"].isin(names)]
    table = rows.assign(row=rows["metric"].map(names), value=100 * rows["value"])
    present = [name for name in names.values() if name in set(table["row"])]
    strip = strip_panel(
        table,
        present,
        colours,
        title="Prior draws that land in a hole",
        note="%, a dot per seed",
        margin=None if margin is None else 100 * margin,
        null=None if null is None else dict.fromkeys(present, (100 * null[0], 100 * null[1])),
        size=(360, 40 + 20.0 * len(colours) * len(present)),
    )
    return [*bands, Band("one", "", [strip])]


def _class_numbers(n_classes: int) -> list[str]:
    return [str(index) for index in range(n_classes)]
