"""What a report and an audit both need to put drawings on a page: figures as rows of panels, and the map of holes."""

from collections.abc import Sequence

import numpy as np

from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.coverage import hole_radius, nearest_distance
from latent_audit.figures.canvas import Band
from latent_audit.figures.style import CSS_VARIABLES
from latent_audit.report.data_uri import recoded_uri
from latent_audit.report.study import Panel, Row
from latent_audit.report.svg import inline_svg

HOLE_SIDE = 96  # cells along each side of a map of holes


def page_rows(anchor: str, bands: Sequence[Band]) -> list[Row]:
    """Drawn panels as rows of the figure at `anchor` (fig-...): SVG in the page's colours, ids of its own."""
    name = anchor.removeprefix("fig-")
    return [
        Row(
            [
                Panel(
                    part.title,
                    inline_svg(
                        part.svg,
                        name=f"{name}{row}{column}",
                        alt=part.alt,
                        variables=CSS_VARIABLES,
                        recode=recoded_uri,
                    ),
                    part.note,
                )
                for column, part in enumerate(band.sketches)
            ],
            band.kind,
            band.label,
        )
        for row, band in enumerate(bands)
    ]


def hole_map(codes: np.ndarray, seed: int, *, window: float) -> np.ndarray:
    """Prior density (share of its maximum) at the cells of [-window, window]^2 that lack codes, 0 elsewhere.

    codes : (sample, 2). Returns (HOLE_SIDE, HOLE_SIDE), row 0 = bottom.
    """
    plane = _centres(HOLE_SIDE, window)
    return np.where(empty_cells(codes, seed, window=window), np.exp(-0.5 * (plane**2).sum(axis=-1)), 0.0)


def empty_cells(codes: np.ndarray, seed: int, *, window: float, side: int = HOLE_SIDE) -> np.ndarray:
    """Which cells of [-window, window]^2 lack codes: true in (side, side), row 0 = bottom.

    To lack codes: to be further from every code than all but 1% of as many prior draws are from one another
    (`coverage.hole_radius`). codes : (sample, 2).
    """
    radius = hole_radius(*codes.shape, rng=rng_for(seed, "report", "holes"))
    centres = _centres(side, window).reshape(-1, 2)
    return nearest_distance(centres, codes).reshape(side, side) > radius


def _centres(side: int, window: float) -> np.ndarray:
    centres = (np.arange(side) + 0.5) / side * 2 * window - window
    return np.stack(np.meshgrid(centres, centres), axis=-1)
