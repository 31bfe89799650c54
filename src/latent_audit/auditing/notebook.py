"""An audit's figures where somebody works: on Axes of theirs, and as one small picture."""

import io
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from latent_audit.auditing.page_figures import Glance, glances
from latent_audit.auditing.result import PLOTS
from latent_audit.base.errors import InputError
from latent_audit.figures.style import RC, own_style
from latent_audit.report.audit_words import View
from latent_audit.report.data_uri import png_uri

DPI = 80


def figures_by_name(view: View, z: np.ndarray) -> dict[str, Glance]:
    """The panels that these codes have, by their names in `PLOTS`."""
    panels = glances(view, z)
    return dict(zip(PLOTS if len(panels) == len(PLOTS) else PLOTS[1:3], panels, strict=True))


def draw_one(view: View, z: np.ndarray, what: str, ax: Axes | None) -> Axes:
    """One of PLOTS on `ax`, in the style that is set there; on a new figure without one."""
    if what not in PLOTS:
        raise InputError(f"plot: {what!r} is none of {', '.join(PLOTS)}.")
    found = figures_by_name(view, z)
    if what not in found:
        raise InputError(f"plot: codes of one dimension have no {what}; there are {', '.join(found)}.")
    if ax is None:
        import matplotlib.pyplot as plt  # a figure that a notebook shows: nothing else here needs pyplot

        ax = plt.subplots(figsize=(4.5, 3.4), layout="constrained")[1]
    _draw(found[what], ax)
    return ax


def draw_all(view: View, z: np.ndarray) -> np.ndarray:
    """Every panel on one new figure; the array of its Axes."""
    import matplotlib.pyplot as plt

    panels = glances(view, z)
    rows = -(-len(panels) // 2)
    axes = np.atleast_1d(plt.subplots(rows, 2, figsize=(9, 3.4 * rows), layout="constrained")[1]).ravel()
    for panel, ax in zip(panels, axes, strict=True):
        _draw(panel, ax)
    return axes


def picture(view: View, z: np.ndarray) -> str:
    """The panels abreast as a data URI, PNG on white: a notebook may be dark."""
    panels = glances(view, z)
    with own_style({**RC, "figure.facecolor": "white", "axes.facecolor": "white", "savefig.facecolor": "white"}):
        figure = Figure(figsize=(2.7 * len(panels), 2.3), dpi=DPI, layout="constrained")
        for panel, ax in zip(panels, np.atleast_1d(figure.subplots(1, len(panels))), strict=True):
            _draw(panel, ax)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    buffer.seek(0)
    return png_uri(Image.open(buffer).convert("P", palette=Image.Palette.ADAPTIVE, colors=64))


def _draw(panel: Glance, ax: Axes) -> Any:
    title, note, _, draw = panel
    draw(ax)
    ax.set_title(f"{title}\n{note}", fontsize="small")
