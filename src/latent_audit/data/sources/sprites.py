"""Generated sprites with dSprites' factors: shape, scale, orientation, x, y. The truth about every image is known.

Reference: L. Matthey, I. Higgins, D. Hassabis, A. Lerchner (2017), dSprites. The images here are drawn anew: same
factors, a coarser grid (17,280 images), an orientation grid without its repeated end point. Where `data.path` is the
`.npz` of the real dSprites, its images are taken instead (`dsprites.py`).
"""

import json
import math
from pathlib import Path

import numpy as np

from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError
from latent_audit.data.sources import dsprites
from latent_audit.data.sources.dataset import TREATMENT, Counts, Dataset, Source, Split, Treatment
from latent_audit.data.sources.splits import expected, train_test_positions

SHAPES = ["square", "ellipse", "heart"]
FACTORS = ["shape", "scale", "orientation", "x", "y"]
GRID = {"shape": len(SHAPES), "scale": 4, "orientation": 10, "x": 12, "y": 12}  # number of values of each factor
FILE, RECIPE = "sprites.json", json.dumps({"grid": GRID, "shapes": SHAPES}, sort_keys=True) + "\n"
TEST_SHARE, DEFAULT_SIZE, SMALLEST_SIZE = 0.15, 64, 16
REACH = 0.2  # half the longest extent of a sprite of scale 1, in image widths; centres lie in [0.25, 0.75]


def factor_table() -> np.ndarray:
    """(17280, 5) float32, in the order of FACTORS: shape 0..2, scale 0.5..1, orientation in radians, x and y in [0, 1].

    y grows downwards, as rows do; orientation turns clockwise as seen.
    """
    values = [
        np.arange(GRID["shape"]),
        np.linspace(0.5, 1.0, GRID["scale"]),
        np.linspace(0.0, 2 * np.pi, GRID["orientation"], endpoint=False),
        np.linspace(0.0, 1.0, GRID["x"]),
        np.linspace(0.0, 1.0, GRID["y"]),
    ]
    return np.stack(np.meshgrid(*values, indexing="ij"), axis=-1).reshape(-1, len(FACTORS)).astype(np.float32)


def draw(factors: np.ndarray, size: int) -> np.ndarray:
    """Binary images uint8 (n, 1, size, size), 0 or 255, of the rows of `factors` (n, 5)."""
    shape, scale, orientation, x, y = (factors[:, [i], None] for i in range(len(FACTORS)))
    pixel = (np.arange(size, dtype=np.float32) + 0.5) / size
    extent = REACH * scale
    right = (pixel[None, None, :] - (0.25 + 0.5 * x)) / extent  # (n, size, size) after broadcasting, in half extents
    down = (pixel[None, :, None] - (0.25 + 0.5 * y)) / extent
    across = np.cos(orientation) * right + np.sin(orientation) * down
    up = np.sin(orientation) * right - np.cos(orientation) * down
    inside = np.select(
        [shape == 0, shape == 1],
        [np.maximum(np.abs(across), np.abs(up)) <= 0.7, across**2 + (2 * up) ** 2 <= 1.0],
        _heart(1.25 * across, 1.25 * up + 0.1),
    )
    return (inside * np.uint8(255)).astype(np.uint8)[:, np.newaxis]


def _heart(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Inside of the sextic (x^2 + y^2 - 1)^3 = x^2 y^3, point down."""
    return (across**2 + up**2 - 1.0) ** 3 <= across**2 * up**3


def _fetch(raw_dir: Path, *, mirror: str | None, path: Path | None) -> None:
    if path is not None:
        dsprites.fetch(path, raw_dir, raw_dir / FILE)
        return
    for name in (dsprites.BITS, dsprites.CLASSES):  # of a run that had an archive
        (raw_dir / name).unlink(missing_ok=True)
    write_text(raw_dir / FILE, RECIPE)


def _read(raw_dir: Path, *, label: str | None, image_size: int | None, treatment: Treatment = TREATMENT) -> Source:
    size = image_size or DEFAULT_SIZE
    if size < SMALLEST_SIZE:
        raise InputError(f"image_size: {size}; a sprite is no longer a sprite below {SMALLEST_SIZE} pixels.")
    if told := dsprites.described(raw_dir / FILE):
        return dsprites.read(raw_dir, told, size, TEST_SHARE, SHAPES, FACTORS)
    if not (raw_dir / FILE).is_file() or (raw_dir / FILE).read_text(encoding="utf-8") != RECIPE:
        raise InputError(
            f"{raw_dir / FILE}: not there, or the recipe of other sprites; run `dvc repro --force download`."
        )
    factors = factor_table()
    labels = factors[:, 0].astype(np.int64)

    def split(positions: np.ndarray) -> Split:
        return Split(
            labels[positions], lambda chosen: draw(factors[positions[chosen]], size), {"factors": factors[positions]}
        )

    train, test = train_test_positions(labels, TEST_SHARE, "sprites", "split")
    return Source(split(train), split(test), (1, size, size), SHAPES, columns={"factors": FACTORS})


def _expect(path: Path | None) -> Counts | None:
    return expected(math.prod(GRID.values()), TEST_SHARE) if path is None else None


SPRITES = Dataset(_fetch, _read, DEFAULT_SIZE, expect=_expect)
