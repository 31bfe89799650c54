"""What stands in a picture's file beside the picture: which way up it is held is read, the rest is put aside.

Damage there must not cost the picture. Decoders read EXIF, XMP and comments before they reach the pixels and stop at
the first odd byte, so they are given the file without them.

References: JPEG, ITU-T T.81, annex B; Exif 2.32, 4.6 (tag 0x0112); PNG, third edition, 5; WebP container, RFC 9649.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

UPRIGHT = 1  # Exif's orientation runs from 1 to 8
JFIF = bytes.fromhex("ffe000104a46494600010100000100010000")  # the smallest: no density, no thumbnail
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_PNG, _PNG_CHUNKS = b"\x89PNG\r\n\x1a\n", (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_WEBP_ASIDE, _WEBP_FLAGS = (b"EXIF", b"XMP ", b"ICCP"), 0x20 | 0x08 | 0x04


class _Segment(NamedTuple):
    marker: int
    content: bytes


class _Broken(Exception):
    """A file whose parts do not follow each other as its format says."""


def without_metadata(content: bytes) -> tuple[list[bytes], int]:
    """Files that hold the same picture, to be tried one after the other, and the orientation, 1 to 8.

    First the file without its metadata; then, for a metadata block that lies about its own length, the picture that is
    found behind it; last `content` as it came.
    """
    if content[:2] == b"\xff\xd8":
        stripped, orientation = _jpeg(content)
    elif content[:8] == _PNG:
        stripped, orientation = _png(content)
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        stripped, orientation = _webp(content)
    else:
        stripped, orientation = [], UPRIGHT
    return [*stripped, content], orientation


def orientation_in(exif: bytes) -> int:
    """Orientation in an Exif block that begins with its TIFF header; 1 where there is none that can be read."""
    if exif[:2] not in (b"II", b"MM"):
        return UPRIGHT
    order = "little" if exif[:2] == b"II" else "big"

    def number(at: int, n_bytes: int) -> int:
        return int.from_bytes(exif[at : at + n_bytes], order)

    start = number(4, 4)
    for entry in range(start + 2, min(start + 2 + 12 * number(start, 2), len(exif) - 11), 12):
        if number(entry, 2) == 0x0112:
            n_bytes = {1: 1, 3: 2, 4: 4}.get(number(entry + 2, 2))  # BYTE, SHORT, LONG
            value = number(entry + 8, n_bytes) if n_bytes else UPRIGHT
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT


def _in_xmp(packet: bytes) -> int:
    found = re.search(rb"""tiff:Orientation(?:>|=["'])([1-8])\b""", packet)
    return int(found[1]) if found else UPRIGHT


def _jpeg(content: bytes) -> tuple[list[bytes], int]:
    kept, orientation, from_xmp = [content[:2]], UPRIGHT, UPRIGHT
    try:
        for marker, segment in _segments(content, 2):
            if segment[4:10] == b"Exif\0\0":  # whatever its marker says
                orientation = orientation_in(segment[10:])
            elif marker == 0xE1 and b"xpacket" in segment:
                from_xmp = _in_xmp(segment)
            elif marker == 0xE0:
                kept.append(JFIF if segment[4:8] == b"JFIF" else b"")
            elif not (0xE1 <= marker <= 0xEF or marker == 0xFE) or (marker == 0xEE and len(segment) >= 16):
                kept.append(segment)
        walked = [b"".join(kept)]
    except _Broken:
        walked = []
    if orientation == UPRIGHT and not walked and (at := content.find(b"Exif\0\0")) >= 0:
        orientation = orientation_in(content[at + 6 :])
    return [*walked, *_jpeg_found_again(content)], orientation if orientation != UPRIGHT else from_xmp


def _segments(content: bytes, at: int) -> Iterator[_Segment]:
    """The segments from `at` on; the last begins with the start of scan and holds all that follows."""
    while content[at : at + 1] == b"\xff" and at + 4 <= len(content):
        marker = content[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker < 0xC0 and marker not in _ALONE:
            break
        if marker == 0xDA:
            yield _Segment(marker, content[at:])
            return
        length = 0 if marker in _ALONE else int.from_bytes(content[at + 2 : at + 4], "big")
        if marker not in _ALONE and length < 2:
            break
        yield _Segment(marker, content[at : at + 2 + length])
        at += 2 + length
    raise _Broken


def _jpeg_found_again(content: bytes) -> list[bytes]:
    """The picture with the longest scan that begins at some quantisation table: a thumbnail's is shorter."""
    best, longest = [], 0
    for match in re.finditer(rb"\xff\xdb[\x00-\x02]", content):
        try:
            segments = list(_segments(content, match.start()))
        except _Broken:
            continue
        tables = [one.content for one in segments if one.marker == 0xDB]
        if any((len(table) - 4) % 65 for table in tables):
            continue  # not whole tables of 8 bits: a chain that began inside the metadata
        scan = _END_OF_SCAN.search(segments[-1].content, 4)
        length = scan.start() if scan else len(segments[-1].content)
        if length > longest:
            best, longest = [content[:2] + JFIF + content[match.start() :]], length
    return best


def _png(content: bytes) -> tuple[list[bytes], int]:
    kept, orientation, at = [_PNG], UPRIGHT, 8
    while at + 12 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if not kind.isalpha() or at + 12 + length > len(content):
            break
        if kind in _PNG_CHUNKS:
            kept.append(content[at : at + 12 + length])
        elif kind == b"eXIf":
            orientation = orientation_in(content[at + 8 : at + 8 + length])
        at += 12 + length
    whole = [b"".join(kept)] if kept[-1][4:8] == b"IEND" else []
    pixels = content.find(b"IDAT") - 4
    palette = next((at for kind in (b"PLTE", b"tRNS") if 33 <= (at := content.find(kind) - 4) < pixels), pixels)
    found_again = [content[:33] + content[palette:]] if content[12:16] == b"IHDR" and palette > 33 else []
    return [*whole, *found_again], orientation


def _webp(content: bytes) -> tuple[list[bytes], int]:
    kept, orientation, at = [], UPRIGHT, 12
    while at + 8 <= len(content):
        kind, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        chunk = content[at : at + 8 + length + length % 2]
        if kind == b"EXIF":
            orientation = orientation_in(chunk[8:].removeprefix(b"Exif\0\0"))
        elif kind == b"VP8X" and len(chunk) >= 9:
            kept.append(chunk[:8] + bytes([chunk[8] & ~_WEBP_FLAGS]) + chunk[9:])
        elif kind not in _WEBP_ASIDE:
            kept.append(chunk)
        at += 8 + length + length % 2
    body = b"WEBP" + b"".join(kept)
    return [b"RIFF" + len(body).to_bytes(4, "little") + body], orientation
