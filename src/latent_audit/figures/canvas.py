"""Draw on an Axes, get SVG text with the same bytes every time. Pyplot is not involved."""

import io
from collections.abc import Callable
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latent_audit.figures.style import RASTER_DPI, RC, SAVED, own_style

PANEL = (280.0, 280.0)  # points; the page scales panels to its columns, so all text keeps one proportion to its panel


class Sketch(NamedTuple):
    """A drawn panel: title, a note after it, what it shows in words, and the SVG text."""

    title: str
    note: str
    alt: str
    svg: str


class Band(NamedTuple):
    """Sketches side by side. `kind` is the page's layout: arms (three or more abreast), pair, or one."""

    kind: str
    label: str
    sketches: list[Sketch]


def sketch(
    draw: Callable[[Axes], object], *, title: str = "", note: str = "", alt: str, size: tuple[float, float] = PANEL
) -> Sketch:
    """Call `draw` on an empty Axes of `size` points in the study's style and keep the SVG."""
    with own_style(RC):
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), dpi=RASTER_DPI, layout="constrained")
        ax = figure.subplots()
        ax.patch.set_visible(False)
        figure.patch.set_visible(False)
        draw(ax)
        buffer = io.StringIO()
        figure.savefig(
            buffer, format="svg", dpi=RASTER_DPI, transparent=True, metadata={"Date": None, "Creator": None}, **SAVED
        )
    return Sketch(title, note, alt, buffer.getvalue())
