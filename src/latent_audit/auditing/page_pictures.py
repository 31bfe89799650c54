"""The pictures of an audit's page: sheets of images, and what a decoder made of codes and of draws."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from PIL import Image

from latent_audit.auditing.decoded import INTERPOLATION, Decoded
from latent_audit.report.data_uri import contact_sheet, webp_uri
from latent_audit.report.tables import percent

ABREAST = 8  # images side by side
LARGEST = 96  # pixels a side; larger ones are reduced: eight stand side by side
TITLES = {
    "codes": "Codes, decoded",
    "prior": "Drawn from N(0, I)",
    "gaussian": "Drawn from a Gaussian fitted to the codes",
    "mixture": "Drawn from a mixture of Gaussians fitted to the codes",
    INTERPOLATION: "Straight lines between two codes",
}


class Sheet(NamedTuple):
    """Images in rows as one picture."""

    title: str
    uri: str
    width: int
    height: int


def sheets(pictures: Mapping[str, np.ndarray]) -> list[Sheet]:
    """A sheet per entry: title (or a name of TITLES) -> uint8 (sample, channel, height, width)."""
    return [_sheet(TITLES.get(name, f"Codes {name}"), images) for name, images in pictures.items()]


def decoded_words(decoded: Decoded) -> str:
    """Whether what is decoded comes back, where there is an encoder; "" without one."""
    table = decoded.round_trip
    if table is None:
        return ""
    words = {"codes": "codes", "prior": "draws of N(0, I)", "gaussian": "draws of the fitted Gaussian",
             "mixture": "draws of the fitted mixture"}  # fmt: skip
    parts = [f"{words[str(row['of'])]} {percent(row['relative'])}" for row in table.to_dict("records")]
    parts[0] = parts[0].replace("codes ", "codes end up ", 1) + " of their spread from where they were"
    return (
        f"Decoded and encoded again, {', '.join(parts)} (0%: they come back; 100%: as far off as their mean is). Where "
        "draws come back much worse than codes, the decoder was handed what no encoder gives."
    )


def _sheet(title: str, images: np.ndarray) -> Sheet:
    """Images in rows of ABREAST as one picture. A last row is filled up with black."""
    images = _reduced(images)
    rows = -(-len(images) // ABREAST)
    tiles = np.zeros((rows * ABREAST, *images.shape[1:]), dtype=np.uint8)
    tiles[: len(images)] = images
    sheet = contact_sheet(tiles.reshape(rows, ABREAST, *images.shape[1:]), gap=1)
    return Sheet(title, webp_uri(sheet), sheet.width, sheet.height)


def _reduced(images: np.ndarray) -> np.ndarray:
    """The same at most LARGEST pixels a side, in their own proportions."""
    height, width = images.shape[2:]
    scale = LARGEST / max(height, width)
    if scale >= 1:
        return images
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = [
        np.stack([np.asarray(Image.fromarray(channel).resize(size, Image.Resampling.LANCZOS)) for channel in image])
        for image in images
    ]
    return np.stack(small)
