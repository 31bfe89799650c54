"""Bytes of one picture file -> its pixels as they are stored: at their own depth, with their transparency apart."""

import re
import warnings
import zlib
from contextlib import suppress
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from latent_audit.base.errors import InputError
from latent_audit.data.sources.metadata import UPRIGHT, without_metadata

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM")  # Pillow's other decoders are never reached
MAX_BYTES = 50_000_000  # per file: a bomb, or not a picture
MAX_PIXELS = 50_000_000  # per picture, before it is decoded
_UPRIGHT = {  # Exif's orientation -> what turns the array (H, W, ...) upright
    2: lambda array: array[:, ::-1],
    3: lambda array: array[::-1, ::-1],
    4: lambda array: array[::-1],
    5: lambda array: array.swapaxes(0, 1),
    6: lambda array: np.rot90(array, -1),
    7: lambda array: array[::-1, ::-1].swapaxes(0, 1),
    8: lambda array: np.rot90(array),
}


class UnreadablePicture(InputError):
    """One picture that cannot be used; `reason` says why without saying where."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}; repair or remove it.")
        self.reason = reason


class Picture(NamedTuple):
    """`values` (H, W, C), C 1 (grey) or 3 (RGB): uint8, or float32 in the file's own units where it is deeper.

    `depth` is "8 bits", "16 bits", "32 bits" or "floating point"; `alpha` (H, W) uint8, 0 transparent, None: opaque;
    `more`: the file holds further frames, which are not read.
    """

    values: np.ndarray
    alpha: np.ndarray | None
    depth: str
    more: bool = False


def decode(content: bytes, where: str) -> Picture:
    """The picture in `content`, upright.

    Raises
    ------
    UnreadablePicture
        With `where` in it: not a picture, damaged, of too many pixels, or with pixels that are no numbers. What is
        damaged beside the picture (EXIF and the like) is no reason.
    """
    check_size(len(content), where)
    if not content:
        raise UnreadablePicture(where, "not an image that can be read (an empty file)")
    files, orientation = without_metadata(content)
    failures: list[Exception] = []
    for file in files:
        try:
            return _decode(file, orientation)
        except MemoryError:
            raise
        except Exception as error:  # Pillow's decoders raise whatever the damage makes them stumble over
            failures.append(error)
    last = failures[-1]
    if isinstance(last, (Image.DecompressionBombError, Image.DecompressionBombWarning, _TooLarge)):
        raise UnreadablePicture(where, f"more than {MAX_PIXELS} pixels")
    raise UnreadablePicture(where, f"not an image that can be read ({_in_words(last)})") from last


def check_size(n_bytes: int, where: str) -> None:
    """Raise UnreadablePicture where a file is larger than any picture here has reason to be."""
    if n_bytes > MAX_BYTES:
        raise UnreadablePicture(where, f"{n_bytes} bytes; a picture of more than {MAX_BYTES} bytes is not read")


class _TooLarge(Exception):
    pass


def _in_words(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"none of {', '.join(FORMATS)}"
    return re.sub(r" ?<_io\.\w+ [^>]*>", "", str(error)) or type(error).__name__


def _decode(content: bytes, orientation: int) -> Picture:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        paired = _as_four_bytes(content)
        image = _opened(paired or content)
        more = image.format in ("GIF", "TIFF", "WEBP") and _has_more(content)
        if image.format == "TIFF":
            with suppress(Exception):
                orientation = int(getattr(image, "tag_v2", {}).get(0x0112, UPRIGHT))
        low_bytes = None if paired else _low_bytes(content, image)
        image.load()
        values, alpha, depth = _pixels(image) if paired is None else _from_four_bytes(image)
    if low_bytes is not None:
        values, depth = values.astype(np.float32) * 256 + low_bytes, "16 bits"
    if not np.isfinite(values).all():
        raise ValueError("pixels that are not finite numbers")
    if alpha is not None and alpha.min() == 255:
        alpha = None
    return _upright(Picture(values, alpha, depth, more), orientation)


def _opened(content: bytes) -> ImageFile.ImageFile:
    image = Image.open(BytesIO(content), formats=FORMATS)
    if image.width * image.height > MAX_PIXELS:
        raise _TooLarge
    setattr(image, "getexif", Image.Exif)  # noqa: B010 - TIFF reads it after the pixels, and stops at damage in it
    return image


def _has_more(content: bytes) -> bool:
    """Whether frames or pages follow the first; damage among those is no damage of the first."""
    with suppress(Exception):
        return bool(getattr(_opened(content), "is_animated", False))
    return False


def _low_bytes(content: bytes, image: ImageFile.ImageFile) -> np.ndarray | None:
    """The lower bytes (H, W, 3) of RGB with 16 bits a channel, of which Pillow keeps the upper; None: other files."""
    other = {"16B": "16L", "16L": "16B", "16N": "16B"}
    swapped = _opened(content)
    tiles = []
    for tile in swapped.tile:
        mode, *rest = (tile.args,) if isinstance(tile.args, str) else tile.args or ("",)
        if not (isinstance(mode, str) and re.fullmatch(r"RGB[AX]{0,2};16[BLN]", mode)):
            return None
        mode = mode[:-3] + other[mode[-3:]]
        tiles.append(tile._replace(args=mode if isinstance(tile.args, str) else (mode, *rest)))
    if not tiles:
        return None
    swapped.tile = tiles
    swapped.load()
    return np.asarray(swapped)[..., :3]


def _as_four_bytes(content: bytes) -> bytes | None:
    """A PNG of grey and alpha with 16 bits each, which Pillow cuts to 8, as RGBA of 8 bits; None: other files.

    The bytes of a pixel, and so the filters of its rows, are the same: only the header says what they are.
    """
    header = content[12:29]
    if content[12:16] != b"IHDR" or header[12:14] != b"\x10\x04":  # bit depth, colour type
        return None
    if zlib.crc32(header).to_bytes(4, "big") != content[29:33]:
        return None
    header = header[:12] + b"\x08\x06" + header[14:]
    return content[:12] + header + zlib.crc32(header).to_bytes(4, "big") + content[33:]


def _from_four_bytes(image: Image.Image) -> tuple[np.ndarray, np.ndarray, str]:
    """Values (H, W, 1), alpha (H, W) and the depth of a picture from `_as_four_bytes`."""
    high, low, alpha, _ = np.moveaxis(np.asarray(image), -1, 0)
    return (high.astype(np.float32) * 256 + low)[..., np.newaxis], alpha, "16 bits"


def _pixels(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None, str]:
    """Values (H, W, C), alpha (H, W) or None, and the depth."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image).astype(np.float32)
        key = image.info.get("transparency")
        alpha = np.where(values == key, 0, 255).astype(np.uint8) if isinstance(key, int) else None
        sixteen = image.mode.startswith("I;16") or image.format in ("PNG", "PPM")
        depth = "floating point" if image.mode == "F" else "16 bits" if sixteen else "32 bits"
        return values[..., np.newaxis], alpha, depth
    is_grey = image.mode in ("1", "L", "LA", "La")
    if not image.has_transparency_data and image.mode not in ("La", "RGBa"):
        values = np.asarray(image.convert("L" if is_grey else "RGB"))
        return values.reshape(*values.shape[:2], -1), None, "8 bits"
    if image.mode == "La":
        image = image.convert("LA")
    coloured = np.asarray(image.convert("RGBA"))
    return coloured[..., : 1 if is_grey else 3], coloured[..., 3], "8 bits"


def _upright(picture: Picture, orientation: int) -> Picture:
    if orientation not in _UPRIGHT:
        return picture
    turn = _UPRIGHT[orientation]
    alpha = None if picture.alpha is None else turn(picture.alpha)
    return picture._replace(values=turn(picture.values), alpha=alpha)
