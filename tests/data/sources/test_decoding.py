import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from fuzz_pictures import exif_block, fuzz
from latent_audit.data.sources.decoding import UnreadablePicture, decode


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def block(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, kind: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG by hand, from its specification; `rows` with the filter byte before each."""
    header = block(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + block(b"IDAT", zlib.compress(rows)) + block(b"IEND", b"")


GREY = encoded(Image.new("L", (4, 4), 7))


@pytest.mark.parametrize("content", [b"", b"text", GREY[:30], GREY[:53], b"GIF89a", b"%PDF-1.4", b"II*\0", b"P5 9"])
def test_names_what_is_no_image_in_words(content):
    with pytest.raises(UnreadablePicture, match="here/x: not an image that can be read") as caught:
        decode(content, "here/x")
    assert "0x" not in str(caught.value) and "BytesIO" not in str(caught.value)


@pytest.mark.parametrize("side", [7_100, 10_000, 60_000])  # above our limit, Pillow's warning, Pillow's error
def test_refuses_too_many_pixels_before_they_are_decoded(side):
    with pytest.raises(UnreadablePicture, match=r"here/x: .*pixels"):
        decode(png(side, side, 8, 0, b""), "here/x")


@pytest.mark.parametrize(
    ("image", "format", "channels"),
    [
        (Image.new("1", (3, 3), 1), "PNG", 1),
        (Image.new("L", (3, 3), 255), "BMP", 1),
        (Image.new("P", (3, 3), 0), "GIF", 3),
        (Image.new("RGB", (3, 3), "white"), "WEBP", 3),
        (Image.new("CMYK", (3, 3)), "JPEG", 3),
        (Image.new("CMYK", (3, 3)), "TIFF", 3),
        (Image.new("L", (3, 3), 255), "PPM", 1),
    ],
)
def test_eight_bits_stay_as_they_are(image, format, channels):
    picture = decode(encoded(image, format), "x")
    assert picture.values.shape == (3, 3, channels) and picture.values.dtype == np.uint8
    assert picture.depth == "8 bits" and picture.alpha is None
    assert picture.values.max() == (255 if image.mode != "P" else picture.values.max())


def test_transparency_is_kept_apart():
    clear = decode(encoded(Image.new("RGBA", (3, 3), (255, 0, 0, 0))), "x")
    assert clear.alpha.max() == 0 and clear.values[0, 0].tolist() == [255, 0, 0]
    assert decode(encoded(Image.new("RGBA", (3, 3), (255, 0, 0, 255))), "x").alpha is None
    grey = decode(encoded(Image.new("LA", (3, 3), (200, 60))), "x")
    assert grey.values.shape == (3, 3, 1) and grey.alpha[0, 0] == 60
    palette = Image.new("P", (3, 3), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    seen = decode(encoded(palette, transparency=1), "x")
    assert seen.alpha.max() == 0 and seen.values[0, 0].tolist() == [10, 20, 30]
    one_bit = decode(png(8, 1, 1, 0, b"\0\xf0", block(b"tRNS", b"\0\0")), "x")  # black is transparent
    assert one_bit.values[0, :, 0].tolist() == [255] * 4 + [0] * 4
    assert one_bit.alpha[0].tolist() == [255] * 4 + [0] * 4


def test_sixteen_bits_of_grey_keep_all_of_them():
    deep = decode(encoded(Image.fromarray(np.array([[1, 0x0102, 0xFFFF]], dtype=np.uint16))), "x")
    assert deep.depth == "16 bits" and deep.values[0, :, 0].tolist() == [1, 0x0102, 0xFFFF]
    big = decode(encoded(Image.frombytes("I;16B", (2, 1), struct.pack(">2H", 1, 770)), "TIFF"), "x")
    assert big.depth == "16 bits" and big.values[0, :, 0].tolist() == [1, 770]
    pgm = decode(b"P5 2 1 65535\n" + struct.pack(">2H", 1, 770), "x")
    assert pgm.depth == "16 bits" and pgm.values[0, :, 0].tolist() == [1, 770]
    key = decode(png(2, 1, 16, 0, b"\0" + struct.pack(">2H", 5, 770), block(b"tRNS", struct.pack(">H", 770))), "x")
    assert key.alpha[0].tolist() == [255, 0]


@pytest.mark.parametrize("kind", [2, 6])  # RGB, RGBA
def test_sixteen_bits_of_colour_keep_all_of_them(kind):
    pixels = [1, 258, 4095] + ([0x8000] if kind == 6 else [])
    picture = decode(png(1, 1, 16, kind, b"\0" + struct.pack(f">{len(pixels)}H", *pixels)), "x")
    assert picture.depth == "16 bits" and picture.values[0, 0].tolist() == [1, 258, 4095]
    assert picture.alpha is None or picture.alpha[0, 0] == 0x80


def test_sixteen_bits_of_grey_with_alpha_keep_all_of_them():
    first, second, third = (1, 0xFFFF), (258, 0x8000), (4095, 0)  # grey, alpha
    raw = [struct.pack(">2H", *one) for one in (first, second, third)]
    across = [raw[0], *(bytes((b - a) % 256 for a, b in zip(*pair, strict=True)) for pair in (raw[:2], raw[1:]))]
    for filtered in (b"\0" + b"".join(raw), b"\1" + b"".join(across)):  # as they are; as differences to the left
        picture = decode(png(3, 1, 16, 4, filtered), "x")
        assert picture.depth == "16 bits"
        assert picture.values[0, :, 0].tolist() == [1, 258, 4095]
        assert picture.alpha is not None and picture.alpha[0].tolist() == [255, 128, 0]
    opaque = decode(png(1, 1, 16, 4, b"\0" + raw[0]), "x")
    assert opaque.alpha is None and opaque.values.tolist() == [[[1.0]]]
    with pytest.raises(UnreadablePicture):
        decode(png(1, 1, 16, 4, b"\0" + raw[0]).replace(b"\x10\x04\0\0\0", b"\x10\x04\0\0\1"), "x")  # its checksum lies


def test_floating_point_and_32_bits():
    values = np.array([[0.25, -2.0]], dtype=np.float32)
    picture = decode(encoded(Image.fromarray(values), "TIFF"), "x")
    assert picture.depth == "floating point" and picture.values[0, :, 0].tolist() == [0.25, -2.0]
    whole = decode(encoded(Image.fromarray(np.array([[3, 1 << 20]], dtype=np.int32)), "TIFF"), "x")
    assert whole.depth == "32 bits" and whole.values[0, :, 0].tolist() == [3, 1 << 20]
    with pytest.raises(UnreadablePicture, match="not finite"):
        decode(encoded(Image.fromarray(np.array([[np.nan]], dtype=np.float32)), "TIFF"), "x")


def test_the_first_of_several_pictures_is_taken_and_it_is_known():
    frames = [Image.new("L", (3, 3), shade) for shade in (9, 90)]
    picture = decode(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]), "x")
    assert picture.more and picture.values.max() == 9
    assert not decode(GREY, "x").more


def with_exif(content: bytes, block: bytes) -> bytes:
    block = b"Exif\0\0" + block
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + content[2:]


def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
    return struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_photo_held_upright_stays_upright(orientation, format):
    values = np.zeros((16, 32), dtype=np.uint8)
    values[:8, 16:] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if format == "WEBP" else {}
    content = encoded(Image.fromarray(values), format, exif=exif, **options)
    from PIL import ImageOps

    expected = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(content))).convert("L")) > 127
    np.testing.assert_array_equal(decode(content, "x").values[..., 0] > 127, expected)
    assert expected.shape == ((16, 32) if orientation < 5 else (32, 16))


def test_orientation_is_read_though_the_date_is_stored_as_a_double():
    jpeg = encoded(Image.fromarray(np.zeros((8, 16), dtype=np.uint8)), "JPEG")
    date = entry(0x0132, 12, 1, struct.pack("<I", 8))  # a DOUBLE where a text should be
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entry(0x0112, 3, 1, b"\6\0") + date
    assert decode(with_exif(jpeg, block), "x").values.shape == (16, 8, 1)
    lying = b"II*\0\x08\0\0\0" + struct.pack("<H", 60_000) + date + entry(0x0112, 3, 1, b"\6\0")
    assert decode(with_exif(jpeg, lying), "x").values.shape == (16, 8, 1)
    for value in (b"\0\0", b"\x09\0", b"\xff\xff"):
        odd = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry(0x0112, 3, 1, value)
        assert decode(with_exif(jpeg, odd), "x").values.shape == (8, 16, 1)


def test_metadata_that_lie_about_their_length_do_not_show_the_thumbnail():
    picture = encoded(Image.new("L", (48, 32), 200), "JPEG")
    lying = bytearray(with_exif(picture, exif_block() + encoded(Image.new("L", (12, 8), 10), "JPEG")))
    lying[4:6] = b"\0\x09"
    seen = decode(bytes(lying), "x").values
    assert seen.min() >= 198 and sorted(seen.shape[:2]) == [32, 48]


def test_texts_and_profiles_of_a_png_are_not_looked_at():
    bomb = block(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(10_000_000)))
    wrong_sum = block(b"tEXt", b"a\0b")[:-1] + b"!"
    content = png(2, 1, 8, 0, b"\0\1\2", bomb, wrong_sum, block(b"gAMA", b""), block(b"iCCP", b"x"))
    assert decode(content, "x").values[0, :, 0].tolist() == [1, 2]


def test_mutated_metadata_cost_no_picture():
    assert set(fuzz(300, seed=3)) == {"read"}
