"""Arrays of images -> contact sheets -> data URIs."""

import base64
import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

QUALITY = 78  # of lossy WebP: beyond this, 32-pixel tiles no longer gain visibly
EFFORT = 75  # of lossless WebP, which calls it quality: 100 takes a hundred times as long to save an eighth at most


def contact_sheet(
    tiles: UInt8[np.ndarray, "row column channel height width"], *, gap: int = 0, tile: int | None = None
) -> Image.Image:
    """Tiles side by side in one picture, `gap` transparent pixels between them; `tile` resizes each to that side.

    Raises
    ------
    ValueError : the images have neither one channel nor three.
    """
    rows, columns, channels, height, width = tiles.shape
    if channels not in (1, 3):
        raise ValueError(f"contact_sheet: images have {channels} channels; 1 (grey) or 3 (RGB) can be shown")
    if tile is not None and (tile, tile) != (height, width):
        tiles = np.stack([np.stack([_resized(image, tile) for image in row]) for row in tiles])
        height = width = tile
    mode = {(1, False): "L", (3, False): "RGB", (1, True): "LA", (3, True): "RGBA"}[channels, gap > 0]
    bands = channels + (gap > 0)
    sheet = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, bands), dtype=np.uint8)
    for row in range(rows):
        for column in range(columns):
            top, left = row * (height + gap), column * (width + gap)
            block = sheet[top : top + height, left : left + width]
            block[..., :channels] = tiles[row, column].transpose(1, 2, 0)
            if gap:
                block[..., -1] = 255
    return Image.fromarray(sheet[..., 0] if bands == 1 else sheet, mode=None).convert(mode)


def _resized(image: np.ndarray, side: int) -> np.ndarray:
    picture = Image.fromarray(image[0] if image.shape[0] == 1 else image.transpose(1, 2, 0))
    array = np.asarray(picture.resize((side, side), Image.Resampling.LANCZOS))
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def webp_uri(picture: Image.Image, *, quality: int = QUALITY) -> str:
    """The picture as a data URI, lossy WebP with exact transparency."""
    buffer = io.BytesIO()
    bands = picture.getbands()
    picture.convert("RGBA" if "A" in bands else "RGB").save(buffer, "WEBP", quality=quality, method=6, alpha_quality=60)
    return _uri("image/webp", buffer.getvalue())


def png_uri(picture: Image.Image) -> str:
    """The picture as a data URI, PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return _uri("image/png", buffer.getvalue())


def recoded_uri(uri: str, *, quality: int = 40) -> str:
    """An embedded PNG (what matplotlib writes for rasterised artists) as a much smaller WebP of the same size.

    Up to 256 colours stay exact; more are compressed with loss.
    """
    picture = Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))).convert("RGBA")
    candidates = [webp_uri(picture, quality=quality)]
    if picture.getcolors(maxcolors=64) is not None:
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", lossless=True, method=6, quality=EFFORT)
        candidates.append(_uri("image/webp", buffer.getvalue()))
    return min(candidates, key=len)


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
