"""Pixels as they are stored -> 8 bits on a stated ground: which levels become black and white, what shines through."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageColor

from latent_audit.base.errors import InputError
from latent_audit.data.sources.decoding import Picture

FULL = {"8 bits": (0.0, 255.0), "16 bits": (0.0, 65535.0)}  # black and white of a depth that says what they are
SLIVER = 1 / 16  # of the full scale: what uses less of it is stretched
ODD_SHARE = 0.01  # of the pictures may lie outside the levels: one hot pixel does not keep a data set dark
NEARLY_ONE_LEVEL = 2  # levels above a black that is not 0: noise of a blank picture, not worth stretching

Colour = tuple[int, int, int]
Levels = dict[str, tuple[float, float]]  # for each depth, the values that become 0 and 255


class Range(NamedTuple):
    """Darkest and brightest visible value of one picture, in its file's units; `opaque`: nothing is transparent."""

    depth: str
    low: float
    high: float
    opaque: bool


def ground_colour(background: str) -> Colour:
    """RGB of a colour's name or #rrggbb."""
    try:
        return ImageColor.getrgb(background)[:3]
    except ValueError:
        raise InputError(f"data.background: {background!r} is no colour; give white, black, grey or #rrggbb.") from None


def range_of(picture: Picture) -> Range:
    """Depth, least and greatest value of a picture where it is visible; 0 and 0 where it is nowhere."""
    visible = picture.values if picture.alpha is None else picture.values[picture.alpha > 0]
    if not visible.size:
        return Range(picture.depth, 0.0, 0.0, False)
    return Range(picture.depth, float(visible.min()), float(visible.max()), picture.alpha is None)


def has_colour(picture: Picture) -> bool:
    """Whether any visible pixel is not grey."""
    if picture.values.shape[-1] == 1:
        return False
    red, green, blue = np.moveaxis(picture.values, -1, 0)
    coloured = (red != green) | (green != blue)
    return bool((coloured if picture.alpha is None else coloured & (picture.alpha > 0)).any())


def contrast_of(picture: Picture, ground: Colour) -> float:
    """Largest difference between two pixels within a channel, in the file's units, what is transparent on `ground`.

    Deep pictures that are transparent in places count as having all the contrast of their depth.
    """
    values = picture.values
    if picture.alpha is not None:
        if picture.depth != "8 bits":
            return float("inf") if picture.alpha.min() < picture.alpha.max() else 0.0
        values = _composite(values, picture.alpha, ground)
    return float((values.max((0, 1)).astype(np.float64) - values.min((0, 1))).max())


def levels_of(ranges: Sequence[Range]) -> tuple[Levels, list[str]]:
    """Levels for each depth among the pictures of a data set, and a sentence for each that is not plain 8 bits."""
    levels, notes = {}, []
    for depth in sorted({one.depth for one in ranges}):
        own = [one for one in ranges if one.depth == depth]
        levels[depth], words = _levels(depth, own)
        if words:
            notes.append(f"{len(own)} of {len(ranges)} pictures have {depth} a channel{words}")
    return levels, notes


def _levels(depth: str, ranges: Sequence[Range]) -> tuple[tuple[float, float], str]:
    """(black, white) of one depth, and the end of a sentence that says so, "" for 8 bits as they are."""
    opaque = [one for one in ranges if one.opaque] or (list(ranges) if depth != "8 bits" else [])
    if not opaque:
        return FULL[depth], ""
    low, high = min(one.low for one in opaque), max(one.high for one in opaque)
    black, white = FULL.get(depth) or _conventional(depth, low, high)
    for odd_share in (0.0, ODD_SHARE):
        low = float(np.quantile([one.low for one in opaque], odd_share, method="lower"))
        high = float(np.quantile([one.high for one in opaque], 1 - odd_share, method="higher"))
        if high - low < SLIVER * (white - black) and _worth_stretching(depth, low, high, white - black):
            of = f"{low:.6g} to {high:.6g} of {black:.6g} to {white:.6g}"
            return (low, high), f" and use only {of}: these became black and white."
    end = f": brought to 8 bits, {black:.6g} as black and {white:.6g} as white."
    return (black, white), "" if depth == "8 bits" else end


def _conventional(depth: str, low: float, high: float) -> tuple[float, float]:
    """Black and white of numbers that have no scale of their own: the smallest usual one that holds them, or theirs."""
    for white in (1.0, 255.0, 65535.0) if depth == "floating point" else (65535.0,):
        if low >= 0 and high <= white:
            return 0.0, white
    return (low, high) if high > low else (low, low + 1.0)


def _worth_stretching(depth: str, low: float, high: float, scale: float) -> bool:
    if depth == "floating point":
        return high - low > 1e-6 * scale
    return high > low and (low == 0 or high - low > NEARLY_ONE_LEVEL)


def developed(picture: Picture, levels: Levels, ground: Colour) -> Image.Image:
    """The picture in mode L or RGB: its levels brought to 0..255, what is transparent laid on `ground`."""
    values = picture.values
    black, white = (
        levels.get(picture.depth)
        or FULL.get(picture.depth)
        or _conventional(picture.depth, float(values.min()), float(values.max()))
    )
    if values.dtype != np.uint8 or (black, white) != FULL["8 bits"]:
        scaled = (values.astype(np.float32) - black) * (255 / (white - black))
        values = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    if picture.alpha is not None:
        values = _composite(values, picture.alpha, ground)
    return Image.fromarray(np.ascontiguousarray(values[..., 0] if values.shape[-1] == 1 else values))


def _composite(values: np.ndarray, alpha: np.ndarray, ground: Colour) -> np.ndarray:
    below = np.array(ground[:1] if len(set(ground)) == 1 else ground, dtype=np.float32)
    share = alpha[..., np.newaxis].astype(np.float32) / 255
    return np.rint(values * share + below * (1 - share)).astype(np.uint8)
