"""An 8-bit picture of any shape -> a square of the size that the study wants."""

import numpy as np
from PIL import Image, ImageOps

from latent_audit.base.errors import InputError
from latent_audit.data.sources.developing import Colour

BICUBIC = Image.Resampling.BICUBIC
FITS = {
    "pad": "the whole picture, its shape kept, with bars of data.background where it is not square",
    "crop": "the central square, the rest cut off",
    "stretch": "the whole picture, stretched to a square",
}


def check_fit(fit: str) -> str:
    """`fit` itself; an InputError lists what it can be."""
    if fit not in FITS:
        raise InputError(f"data.fit: {fit!r}; it is one of {', '.join(FITS)}.")
    return fit


def fitted(image: Image.Image, size: int, channels: int, fit: str, ground: Colour) -> np.ndarray:
    """`image` as uint8 (channels, size, size), resized bicubic and antialiased as `fit` says."""
    image = image.convert("L" if channels == 1 else "RGB")
    if fit == "crop":
        result = ImageOps.fit(image, (size, size), BICUBIC)
    elif fit == "stretch":
        result = image.resize((size, size), BICUBIC)
    else:
        result = _padded(image, size, ground)
    return np.asarray(result).reshape(size, size, channels).transpose(2, 0, 1)


def _padded(image: Image.Image, size: int, ground: Colour) -> Image.Image:
    longest = max(image.size)
    width, height = (max(1, round(side * size / longest)) for side in image.size)
    below = Image.new("RGB", (size, size), ground).convert(image.mode)
    below.paste(image.resize((width, height), BICUBIC), ((size - width) // 2, (size - height) // 2))
    return below


def fit_note(sizes: set[tuple[int, int]], size: int, fit: str) -> str | None:
    """What was done to pictures of these (width, height): a sentence, or None where they were as wanted."""
    if sizes <= {(size, size)}:
        return None
    small, large = min(sizes, key=_area), max(sizes, key=_area)
    of = f"{small[0]}x{small[1]}"
    of += f" to {large[0]}x{large[1]}" if len(sizes) > 1 else ""
    return f"Pictures of {of} pixels were brought to {size}x{size} (data.image_size): {FITS[fit]} (data.fit: {fit})."


def _area(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] * size[1], size[0]
