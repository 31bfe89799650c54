"""Rows of decoded pictures: reconstructions beside originals, lattices, samples."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from markupsafe import Markup, escape

from latent_audit.figures.dimensions import dimension_name
from latent_audit.report.data_uri import contact_sheet, webp_uri
from latent_audit.report.study import Panel, Row
from latent_audit.report.svg import lattice_svg

Tiles = tuple[int, int, int]  # pixels a side, as `lattice_rows` takes them

PER_BLOCK = 8  # images abreast: readable on a phone, where the blocks stand below one another
LATTICE_TILE = 24  # pixels; images are reduced to this in the lattices
ATLAS_TILE = 40  # where the lattice also serves the explorer, in place of weights
FINEST: Tiles = (ATLAS_TILE, LATTICE_TILE, LATTICE_TILE)
COARSER: Sequence[Tiles] = (  # where a page has no room
    (LATTICE_TILE, LATTICE_TILE, LATTICE_TILE),
    (LATTICE_TILE, 16, 16),
    (16, 16, 12),
    (12, 12, 8),
)
SAMPLERS = {
    "samples_prior": "N(0, I)",
    "samples_box": "its own bounding box",
    "samples_gaussian": "a Gaussian fitted to its codes",
    "samples_gmm": "a mixture of 10 Gaussians fitted to its codes",
}
GRID_SAMPLERS = {
    "samples_uniform": "entries of the codebook drawn evenly",
    "samples_marginal": "entries drawn by the frequencies of their place",
    "samples_autoregressive": "entries drawn after their left and upper neighbours",
}
Pictures = Mapping[str, Mapping[str, np.ndarray]]  # arm -> array name -> uint8 images


def reconstruction_rows(pictures: Pictures, names: Mapping[str, str], *, of_each: bool = False) -> list[Row]:
    """Blocks of `PER_BLOCK` test images: the originals, and below them each arm's reconstructions.

    of_each : whether each arm has originals of its own, because it sees other images than the others.
    """
    first = next(iter(pictures.values()))
    lines = {"original": first["originals"]} | {names[arm]: own["reconstructions"] for arm, own in pictures.items()}
    if of_each:
        lines = {
            f"{names[arm]}{words}": own[key]
            for arm, own in pictures.items()
            for words, key in ((", original", "originals"), ("", "reconstructions"))
        }
    blocks = []
    for start in range(0, len(first["originals"]), PER_BLOCK):
        strips = [
            strip(name, images[start : start + PER_BLOCK], f"{name}: test images {start + 1} to {start + PER_BLOCK}")
            for name, images in lines.items()
        ]
        blocks.append(Panel("", Markup("").join(strips)))
    return [Row(blocks, "tiles")]


def lattice_rows(
    pictures: Pictures, names: Mapping[str, str], live: Collection[str], tiles: Tiles = FINEST
) -> list[Row]:
    """The decoded plane per arm, on an even grid of [-3, 3]^2 and on the quantiles of the prior.

    live : arms that the explorer decodes for itself; of the others it reads the first row, which is finer there.
    tiles : pixels a side, at most, of an image in the first row where it is finer, there where not, in the second row.
    """
    kinds = (
        ("lattice", "An even grid in code units", ("−3", "−2", "−1", "0", "1", "2", "3"), "z"),
        (
            "lattice_quantile",
            "An even grid of the unit square, carried back by Φ⁻¹",
            ("0", ".25", ".5", ".75", "1"),
            "Φ",
        ),
    )
    rows = []
    for kind, label, ticks, unit in kinds:
        panels = []
        for arm, own in pictures.items():
            tile = min(own[kind].shape[-1], tiles[2 if kind != "lattice" else arm in live])
            uri = webp_uri(contact_sheet(own[kind], tile=tile), quality=66)
            alt = f"Decoded images of {names[arm]} over the plane of codes: {label.lower()}."
            first, second = (dimension_name(dim) if unit == "z" else f"Φ({dimension_name(dim)})" for dim in own["dims"])
            drawn = lattice_svg(uri, symbol=f"{kind}-{arm}", alt=alt, ticks=ticks, axes=(first, second))
            panels.append(Panel(names[arm], drawn))
        rows.append(Row(panels, "arms", label))
    return rows


def sample_rows(
    pictures: Pictures, names: Mapping[str, str], samplers: Mapping[str, str] = MappingProxyType(SAMPLERS)
) -> list[Row]:
    """Decoded draws, a row per density, arms side by side; no row without an arm."""
    rows = []
    for kind, label in samplers.items() if pictures else ():
        panels = []
        for arm, own in pictures.items():
            tiles = own[kind].reshape(-1, PER_BLOCK, *own[kind].shape[1:])
            panels.append(
                Panel(names[arm], picture(tiles, f"{len(own[kind])} images that {names[arm]} draws from {label}"))
            )
        rows.append(Row(panels, "arms", f"Codes from {label}"))
    return rows


def strip(name: str, images: np.ndarray, alt: str) -> Markup:
    """Images side by side, their name before them."""
    return Markup('<div class="strip"><span>{}</span>{}</div>').format(name, picture(images[None], alt))


def picture(tiles: np.ndarray, alt: str) -> Markup:
    """Tiles (row, column, image) as one picture."""
    sheet = contact_sheet(tiles, gap=1)
    return Markup('<img class="sheet" src="{}" width="{}" height="{}" alt="{}">').format(
        webp_uri(sheet), sheet.width, sheet.height, escape(alt)
    )


def sheet_of_draws(pictures: Pictures) -> str | None:
    """Draws from N(0, I) as a data URI, a row of `PER_BLOCK` for each arm: what an index shows of a study."""
    rows = [own["samples_prior"][:PER_BLOCK] for own in pictures.values() if "samples_prior" in own]
    return webp_uri(contact_sheet(np.stack(rows), gap=1)) if rows else None
