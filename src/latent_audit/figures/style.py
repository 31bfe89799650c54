"""One palette, one order of arms, one look: what every figure of the study shares."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from matplotlib import style

INK, MUTED, RULE, PAPER = "#1d2733", "#586474", "#d9dee4", "#ffffff"
# Okabe & Ito's hues, darkened until text in them reads on white (contrast >= 4.5).
ARM_PALETTE = ("#b8430b", "#0a64ad", "#007a5e", "#9a4c8c", "#806000", "#5b5bd6", "#a32a4b", "#50606f")
CSS_VARIABLES = {INK: "--ink", MUTED: "--muted", RULE: "--rule", PAPER: "--paper"} | {
    colour: f"--arm-{index}" for index, colour in enumerate(ARM_PALETTE)
}
# Ten hues, any two at least 35 apart in CIELAB, so that dots of two pixels can be told from one another.
CLASS_PALETTE = (
    "#2f6fde", "#ff9a1f", "#1f9d3f", "#c8201c", "#8a3ffc", "#8a4b1f", "#f06bb8", "#70757d", "#b5b000", "#12b8c8",
)  # fmt: skip
FIRST_ARMS = ("ae", "vae", "beta_vae")
NAMES = {"ae": "AE", "vae": "VAE", "beta_vae": "β-VAE", "cvae": "CVAE", "vqvae": "VQ-VAE"}
FONT_PT = 10.0  # so that no text of a panel is below 9 pixels on a phone
RASTER_DPI = 150

RC: dict[Any, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "text.parse_math": False,  # a class may be called $10
    "svg.hashsalt": "latent-audit",
    "font.family": "DejaVu Sans",
    "font.size": FONT_PT,
    "axes.titlesize": FONT_PT,
    "axes.labelsize": FONT_PT,
    "xtick.labelsize": FONT_PT - 0.5,
    "ytick.labelsize": FONT_PT - 0.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
}

# What `savefig` would otherwise take from the settings.
SAVED: dict[str, Any] = {"bbox_inches": None, "pad_inches": 0.1, "edgecolor": "auto", "orientation": "portrait"}


def own_style(settings: Mapping[Any, Any]) -> AbstractContextManager[None]:
    """A context with `settings` on top of matplotlib's own defaults: whatever a matplotlibrc says does not reach it."""
    return style.context(["default", dict(settings)])


def point_marks(n: int) -> dict[str, Any]:
    """How `n` points of a cloud are drawn: 2 pixels wide for 10,000, up to 6 for a few, so that both can be seen.

    Squares without smoothing hold few colours, so their picture has a fifth of the bytes.
    """
    side = int(np.clip(round(2 * (10_000 / max(n, 1)) ** 0.25), 2, 6))
    return {
        "marker": "s",
        "s": (side * 72 / RASTER_DPI) ** 2,
        "linewidths": 0,
        "antialiaseds": False,
        "rasterized": True,
    }


def display_name(arm: str) -> str:
    """An arm's name for readers: AE, VAE, β-VAE; any other arm keeps its own name with spaces for underscores."""
    return NAMES.get(arm, arm.replace("_", " "))


def arm_order(arms: Iterable[str]) -> list[str]:
    """AE, VAE, β-VAE first, whatever else after them in the order given; no repeats."""
    given = list(dict.fromkeys(arms))
    return [arm for arm in FIRST_ARMS if arm in given] + [arm for arm in given if arm not in FIRST_ARMS]


def arm_colours(arms: Iterable[str]) -> dict[str, str]:
    """Colour per arm. The first three keep theirs in every report; others take the rest of the palette in order."""
    others = [arm for arm in arm_order(arms) if arm not in FIRST_ARMS]
    rest = ARM_PALETTE[len(FIRST_ARMS) :]
    colours = dict(zip(FIRST_ARMS, ARM_PALETTE, strict=False))
    colours |= {arm: rest[index % len(rest)] for index, arm in enumerate(others)}
    return {arm: colours[arm] for arm in arm_order(arms)}


def distinct(arms: Iterable[str]) -> list[str]:
    """The arms that no other has the colour of, or has it after them: those that a figure can tell apart."""
    first: dict[str, str] = {}
    for arm, colour in arm_colours(arms).items():
        first.setdefault(colour, arm)
    return list(first.values())


def class_colours(n_classes: int) -> list[str]:
    """One hex colour per class; the palette repeats after ten, so classes also carry their number in the figures."""
    return [CLASS_PALETTE[index % len(CLASS_PALETTE)] for index in range(n_classes)]


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """Positions moved apart until neighbours are at least `gap` from one another, in the order of the input.

    Each run of neighbours that are too close stays centred where it was: for labels at the ends of lines.
    """
    order = np.argsort(positions, kind="stable")
    groups: list[list[float]] = []  # each [sum of centres, count]
    for value in np.asarray(positions, dtype=float)[order]:
        groups.append([float(value), 1])
        while len(groups) > 1 and _too_close(groups[-2], groups[-1], gap):
            total, count = groups.pop()
            groups[-1] = [groups[-1][0] + total, groups[-1][1] + count]
    moved = np.empty(len(order))
    placed = [total / count + (index - (count - 1) / 2) * gap for total, count in groups for index in range(int(count))]
    moved[order] = placed
    return moved.tolist()


def _too_close(below: list[float], above: list[float], gap: float) -> bool:
    return above[0] / above[1] - below[0] / below[1] < gap * (below[1] + above[1]) / 2
