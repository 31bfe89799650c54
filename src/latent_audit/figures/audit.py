"""Panels of the audit of one set of codes: the plane, the dimensions, the areas of classes, the parts of the KL."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from latent_audit.figures import codes as planes
from latent_audit.figures import unit_square as pspace
from latent_audit.figures.canvas import Band, Sketch, sketch
from latent_audit.figures.compose import WINDOW
from latent_audit.figures.dimensions import MAX_DIMS, dimension_label, dimension_words, names_of, shown_dims
from latent_audit.figures.marginals import plot_marginal
from latent_audit.figures.posterior import PARTS, part_words, plot_kl_of_dimensions, plot_kl_parts
from latent_audit.figures.scores import strip_panel
from latent_audit.figures.style import INK, MUTED, arm_colours, class_colours

COLOUR = arm_colours(["z"])["z"]  # of whatever has no class
MOST_CLASSES = 20  # more are not told apart by colour, which repeats after ten
WORST = 6  # histograms, where there are more dimensions than MAX_DIMS
SHARE, AREA = "share of the codes", "area of the prior"
AREA_COLOURS = {SHARE: MUTED, AREA: COLOUR}


def code_plane(
    pair: np.ndarray, labels: np.ndarray | None, classes: int, *, axes: Sequence[str], hole: np.ndarray | None
) -> list[Band]:
    """All codes, then the part of the plane that the prior covers; (sample, 2) code units.

    axes : the names of the two dimensions. labels : index of each code's class, None without.
    hole : `drawings.hole_map`, None beyond two dimensions.
    """
    index, colours = _coloured(labels, classes, len(pair))
    wide = max(1.05 * float(np.quantile(np.abs(pair), 0.999)), WINDOW)

    def draw(ax: Axes, limit: float) -> None:
        planes.plot_codes(pair, index, colours=colours, limit=limit, ax=ax)
        planes.plot_prior_circles(ax=ax)
        if limit > WINDOW:
            planes.plot_window(WINDOW, ax=ax)
        elif len(colours) > 1:
            present = np.unique(index)
            means = np.array([pair[index == label].mean(axis=0) for label in present])
            planes.plot_centroids(means, [str(k) for k in present], colours=[colours[k] for k in present], ax=ax)
        _named(ax, axes)

    limits = [wide, WINDOW] if wide > 1.2 * WINDOW else [WINDOW]
    panels = [
        sketch(
            lambda ax, limit=limit: draw(ax, limit),
            title="All codes" if limit > WINDOW else "Where the prior is",
            note=f"z, within ± {limit:.3g}" + (" (square: the next panel)" if limit > WINDOW else ""),
            alt=f"Scatter plot of {len(pair)} codes z on ±{limit:.3g}, with circles of radius 1, 2 and 3.",
        )
        for limit in limits
    ]
    return [Band("pair", "", [*panels, *_hole_panel(pair, hole, axes)])]


def _hole_panel(pair: np.ndarray, hole: np.ndarray | None, axes: Sequence[str]) -> list[Sketch]:
    if hole is None:
        return []
    return [
        sketch(
            lambda ax: _named(
                planes.plot_prior_circles(ax=planes.plot_holes(hole, pair, colour=COLOUR, limit=WINDOW, ax=ax)), axes
            ),
            title="Holes",
            note="shaded: prior without codes",
            alt="Plane of codes: shaded where the prior has mass and no code is near.",
        )
    ]


def histograms(z: np.ndarray, per_dim: pd.DataFrame) -> list[Band]:
    """Histogram of each dimension of z with N(0, 1); of the WORST by KS D where there are more than MAX_DIMS."""
    dims = drawn_dims(per_dim)
    limit = float(np.clip(np.ceil(np.quantile(np.abs(z[:, dims]), 0.995)), 4, 10))
    distance, names = per_dim.set_index("dim")["ks_d"], names_of(per_dim)
    panels = [
        sketch(
            lambda ax, dim=dim: plot_marginal({"z": z[:, dim]}, colours={"z": COLOUR}, limit=limit, ax=ax).set_xlabel(
                dimension_label(dim, names)
            ),
            title=dimension_label(dim, names),
            note=f"KS D {distance[dim]:.3f}; dashed: N(0, 1)",
            alt=f"Histogram of {dimension_words(dim, names)} of z, with the density of N(0, 1); "
            f"KS D {distance[dim]:.3f}.",
            size=(390, 230) if len(dims) == 1 else (360, 210) if len(dims) == 2 else (280, 180),
        )
        for dim in dims
    ]
    return [Band({1: "one", 2: "pair"}.get(len(dims), "arms"), "", panels)]


def drawn_dims(per_dim: pd.DataFrame) -> list[int]:
    """The dimensions whose histograms are drawn, the furthest from N(0, 1) first where not all are."""
    if len(per_dim) <= MAX_DIMS:
        return per_dim["dim"].tolist()
    worst = shown_dims(per_dim.assign(code="z"), most=WORST)
    return sorted(worst, key=lambda dim: -float(per_dim.set_index("dim")["ks_d"][dim]))


def profile(per_dim: pd.DataFrame, *, null: tuple[float, float], margin: float) -> list[Band]:
    """KS D of every dimension of z, the furthest from N(0, 1) first, with the band of true draws and a margin."""
    distance = np.sort(per_dim["ks_d"].to_numpy(dtype=float))[::-1]

    def draw(ax: Axes) -> None:
        rank = np.arange(1, len(distance) + 1)
        ax.axhspan(*null, color=MUTED, alpha=0.28, linewidth=0)
        ax.axhline(margin, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
        ax.plot(rank, distance, color=COLOUR, linewidth=1.6, marker="o" if len(rank) < 60 else None, markersize=3)
        ax.set(xlabel="dimensions, furthest from N(0, 1) first", ylabel="KS D", ylim=(0, None), xlim=(1, len(rank)))

    words = f"from {distance[0]:.3f} to {distance[-1]:.3f}, median {np.median(distance):.3f}"
    panel = sketch(
        draw,
        title="All dimensions",
        note="KS D to N(0, 1), 0 to 1",
        alt=f"Line chart of KS D of {len(distance)} dimensions in falling order, {words}.",
        size=(390, 200),
    )
    return [Band("one", "", [panel])]


def unit_square(
    pair: np.ndarray, labels: np.ndarray | None, classes: int, label_map: np.ndarray | None, *, axes: Sequence[str]
) -> list[Band]:
    """Codes on the unit square of two dimensions, and with labels the class that owns each place."""
    index, colours = _coloured(labels, classes, len(pair))
    panels = [
        sketch(
            lambda ax: _named(pspace.plot_p_space(pair, index, colours=colours, ax=ax), axes, "Φ({})"),
            title="Codes z as p-values",
            note="N(0, I) would fill the square evenly",
            alt=f"{len(pair)} codes mapped by Phi to the unit square.",
        )
    ]
    if label_map is not None:
        names = [str(k) for k in range(classes)] if classes <= MOST_CLASSES else []
        panels.append(
            sketch(
                lambda ax: _named(
                    pspace.plot_class_map(label_map, names, colours=class_colours(classes), ax=ax), axes, "Φ({})"
                ),
                title="Whose place it is",
                note="the class of the nearest codes",
                alt="Map of the unit square: the class of the nearest codes at each place.",
            )
        )
    return [Band("pair", "", panels)]


def areas(classes: pd.DataFrame) -> list[Band]:
    """Each class's share of the codes beside its share of the prior; the MOST_CLASSES that differ most."""
    shown = shown_classes(classes)
    names = shown["class_name"].astype(str).map(lambda name: name if len(name) <= 24 else f"{name[:23]}…")
    rows = [
        f"{label} {name}" if str(label) != name else name for label, name in zip(shown["label"], names, strict=True)
    ]
    table = pd.concat(
        shown.assign(row=rows, arm=arm, value=100 * shown[column]) for arm, column in ((SHARE, "share"), (AREA, "area"))
    )
    strip = strip_panel(
        table,
        rows,
        AREA_COLOURS,
        title="Codes and prior by class",
        note="%",
        margin=None,
        null=None,
        size=(390, 46 + 22.0 * len(rows)),
    )
    return [Band("one", "", [strip])]


def shown_classes(classes: pd.DataFrame) -> pd.DataFrame:
    """The classes that are drawn: all, or the MOST_CLASSES whose area differs most from their share of the codes."""
    if len(classes) <= MOST_CLASSES:
        return classes
    gap = (classes["area"] - classes["share"]).abs().sort_values(ascending=False, kind="stable")
    return classes.loc[gap.index[:MOST_CLASSES]]


def kl_parts(values: Mapping[str, float], per_dim: pd.DataFrame) -> list[Band]:
    """The KL of the posterior with the three parts that add up to it, and the KL of each dimension, in nats.

    values : kl and both estimates of index_code_mi, total_correlation and dimwise_kl, as `plot_kl_parts` takes them.
    per_dim : rows of z with kl_nats and is_active.
    """
    kl, active = per_dim["kl_nats"].to_numpy(dtype=float), per_dim["is_active"].to_numpy(dtype=bool)
    told = bool(np.isfinite(values["total_correlation"]))
    parts = sketch(
        lambda ax: plot_kl_parts(values, colour=COLOUR, ax=ax),
        title="What the KL is made of",
        note="lines: between two estimates, each of which adds up" if told else "too few codes to divide it",
        alt="Bars: " + "; ".join(f"{words} {part_words(values, part)}" for part, words in PARTS.items()) + ".",
        size=(360, 170),
    )
    dimensions = sketch(
        lambda ax: plot_kl_of_dimensions(kl, active, colour=COLOUR, ax=ax),
        title="KL of each dimension",
        note="grey: not active",
        alt=f"KL to N(0, 1) of {len(kl)} dimensions in falling order; {int(active.sum())} are active.",
        size=(360, 170),
    )
    return [Band("pair", "", [parts, dimensions])]


def _coloured(labels: np.ndarray | None, classes: int, n: int) -> tuple[np.ndarray, list[str]]:
    if labels is None or classes > MOST_CLASSES:
        return np.zeros(n, dtype=int), [COLOUR]
    return labels, class_colours(classes)


def _named(ax: Axes, axes: Sequence[str], form: str = "{}") -> Axes:
    ax.set(xlabel=form.format(axes[0]), ylabel=form.format(axes[1]))
    return ax
