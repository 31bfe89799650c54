"""Mutated metadata on intact pictures: nothing may end in a traceback, be refused, or change a pixel.

python tests/fuzz_pictures.py --n 6000 --seed 1
"""

import argparse
import struct
import sys
import traceback
import zlib
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from latent_audit.base.errors import InputError
from latent_audit.data.sources.decoding import decode

RICH = {
    0x010F: "Maker",
    0x0110: "Model",
    0x0112: 6,
    0x011A: 72.0,
    0x011B: 72.0,
    0x0128: 2,
    0x0132: "2020:01:02 03:04:05",
}


class Seed(NamedTuple):
    """One intact file, where its metadata lie in it, and its pixels as stored."""

    name: str
    content: bytes
    start: int
    end: int
    pixels: np.ndarray


def exif_block() -> bytes:
    """A TIFF structure with orientation 6, texts, ratios, an Exif and a GPS directory; without "Exif\\0\\0"."""
    exif = Image.Exif()
    for tag, value in RICH.items():
        exif[tag] = value
    exif.get_ifd(0x8769).update({0x9003: "2020:01:02 03:04:05", 0xA002: 24, 0x927C: b"maker's note " * 4})
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.0)})
    return exif.tobytes().removeprefix(b"Exif\0\0")


def seeds() -> list[Seed]:
    """A JPEG whose metadata hold a thumbnail, a PNG and a WebP."""
    rng = np.random.default_rng(5)
    picture = Image.fromarray(rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)).resize((48, 32))
    exif = exif_block()
    thumbnail = _encoded(picture.resize((12, 8)), "JPEG")
    jpeg = _encoded(picture, "JPEG")
    block = b"Exif\0\0" + exif + thumbnail
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    png = _encoded(picture, "PNG")
    chunks = (
        _chunk(b"eXIf", exif)
        + _chunk(b"tEXt", b"Comment\0" + b"text " * 9)
        + _chunk(b"iCCP", b"p\0\0" + zlib.compress(b"x"))
    )
    webp = _encoded(picture, "WEBP", lossless=True, exif=exif)
    at = webp.index(b"EXIF")
    return [
        Seed("JPEG", jpeg[:2] + segment + jpeg[2:], 2, 2 + len(segment), _pixels(jpeg)),
        Seed("PNG", png[:33] + chunks + png[33:], 33, 33 + len(chunks), _pixels(png)),
        Seed("WEBP", webp, at + 8, len(webp), _pixels(_encoded(picture, "WEBP", lossless=True))),
    ]


def _encoded(image: Image.Image, format: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(content)).convert("RGB"))


def mutated(seed: Seed, rng: np.random.Generator) -> bytes:
    """One to eight bytes of the metadata changed: flipped, set to an extreme, or a run of them."""
    content = bytearray(seed.content)
    for _ in range(rng.integers(1, 9)):
        at = int(rng.integers(seed.start, seed.end))
        kind = rng.integers(4)
        if kind == 0:
            content[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            content[at] = int(rng.choice([0, 1, 12, 0x7F, 0x80, 0xFF]))
        elif kind == 2:
            content[at] = int(rng.integers(256))
        else:
            n = min(int(rng.integers(2, 9)), seed.end - at)
            content[at : at + n] = rng.bytes(n)
    return bytes(content)


def is_the_picture(found: np.ndarray, pixels: np.ndarray) -> bool:
    """Whether `found` is `pixels`, turned or mirrored or as it was."""
    turned = (np.rot90(each, k) for each in (pixels, pixels[:, ::-1]) for k in range(4))
    return any(found.shape == each.shape and (found == each).all() for each in turned)


def fuzz(n: int, seed: int) -> Counter[str]:
    """How `n` mutated files of each kind ended: "read", "refused", "another picture", "traceback"."""
    ends: Counter[str] = Counter()
    for one in seeds():
        rng = np.random.default_rng([seed, len(one.name)])
        for _ in range(n):
            ends[_end(one, mutated(one, rng))] += 1
    return ends


def _end(seed: Seed, content: bytes) -> str:
    try:
        found = decode(content, seed.name).values
    except InputError as error:
        print(error, file=sys.stderr)
        return "refused"
    except Exception:
        traceback.print_exc()
        return "traceback"
    return "read" if is_the_picture(found, seed.pixels) else "another picture"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000, help="files of each kind")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    ends = fuzz(arguments.n, arguments.seed)
    print(dict(ends))
    sys.exit(set(ends) != {"read"})
