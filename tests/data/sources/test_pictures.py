import struct
import zipfile
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from latent_audit.base.errors import InputError
from latent_audit.data.sources import pictures
from latent_audit.data.sources.pictures import decode, open_folder, open_zip, pack, square


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


GREY = encoded(Image.new("L", (4, 4), 7))


def zip_of(path, members: dict[str, bytes]):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_reads_the_pictures_of_a_zip_and_passes_over_the_rest(tmp_path):
    path = zip_of(tmp_path / "a.zip", {"b/2.PNG": GREY, "b/1.png": GREY, "notes.txt": b"x", "__MACOSX/b/._1.png": b"x"})
    found = open_zip(path)
    assert found.names == ["b/1.png", "b/2.PNG"]
    assert np.asarray(found.load("b/1.png")).tolist() == [[7] * 4] * 4


def test_a_colon_in_a_name_leaves_no_folder(tmp_path):
    names = ["kind: 0/a.png", "shot 12:30:0.png"]
    assert open_zip(zip_of(tmp_path / "a.zip", dict.fromkeys(names, GREY))).names == names


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "/etc/out.png", "..\\out.png", "C:\\out.png"])
def test_refuses_a_member_that_leaves_the_folder(name, tmp_path):
    path = zip_of(tmp_path / "a.zip", {"in.png": GREY, name: GREY})
    with pytest.raises(InputError, match=r"a\.zip: member .*out\.png' points outside the archive"):
        open_zip(path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.zip"]


def test_refuses_a_member_that_is_too_large_before_it_is_read(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(51_000_000))
    assert (tmp_path / "bomb.zip").stat().st_size < 100_000
    with pytest.raises(InputError, match=r"member 'a\.png': 51000000 bytes; a picture of more than 50000000"):
        open_zip(tmp_path / "bomb.zip")


def test_refuses_an_encrypted_member(tmp_path):
    content = bytearray(zip_of(tmp_path / "a.zip", {"a.png": GREY}).read_bytes())
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1  # general purpose flag, bit 0, APPNOTE 4.4.4
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"member 'a\.png' is encrypted"):
        open_zip(tmp_path / "a.zip")


def test_refuses_what_is_no_zip_or_only_the_beginning_of_one(tmp_path):
    whole = zip_of(tmp_path / "a.zip", {"a.png": GREY}).read_bytes()
    for content in (whole[:-30], b"", b"<html>"):
        (tmp_path / "b.zip").write_bytes(content)
        with pytest.raises(InputError, match=r"b\.zip: not a whole zip file"):
            open_zip(tmp_path / "b.zip")
    with pytest.raises(InputError, match="not there; run `dvc repro download`"):
        open_zip(tmp_path / "none.zip")


def test_names_a_member_whose_content_is_damaged(tmp_path):
    content = bytearray(zip_of(tmp_path / "a.zip", {"a.png": GREY}).read_bytes())
    content[content.index(GREY) + 20] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"member 'a\.png' cannot be read \(Bad CRC-32"):
        open_zip(tmp_path / "a.zip").load("a.png")


@pytest.mark.parametrize("content", [b"", b"text", GREY[:30], GREY[:53], b"GIF89a", b"%PDF-1.4"])
def test_names_what_is_no_image(content):
    with pytest.raises(InputError, match="here/x: not an image that can be read"):
        decode(content, "here/x")


def png_claiming(width: int, height: int) -> bytes:
    def block(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = block(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + block(b"IDAT", zlib.compress(b"")) + block(b"IEND", b"")


@pytest.mark.parametrize("side", [7_100, 10_000, 60_000])  # above our limit, Pillow's warning, Pillow's error
def test_refuses_too_many_pixels_before_they_are_decoded(side):
    with pytest.raises(InputError, match=r"here/x: .*pixels"):
        decode(png_claiming(side, side), "here/x")


def test_every_kind_of_picture_becomes_grey_or_rgb():
    deep = Image.fromarray(np.full((3, 3), 0xAB00, dtype=np.uint16))
    assert np.asarray(decode(encoded(deep), "x")).max() == 0xAB
    clear = Image.new("RGBA", (3, 3), (255, 0, 0, 0))
    assert decode(encoded(clear), "x").mode == "RGB" and np.asarray(decode(encoded(clear), "x")).max() == 0
    assert decode(encoded(Image.new("1", (3, 3), 1)), "x").mode == "L"
    assert decode(encoded(Image.new("P", (3, 3), 1)), "x").mode == "RGB"
    assert decode(encoded(Image.new("CMYK", (3, 3)), "JPEG"), "x").mode == "RGB"
    assert decode(encoded(Image.new("LA", (3, 3), (200, 255))), "x").getpixel((0, 0)) == 200
    for format in ("BMP", "WEBP", "JPEG"):
        assert decode(encoded(Image.new("RGB", (3, 3), "white"), format), "x").getpixel((1, 1)) == (255, 255, 255)


def test_a_photo_held_upright_stays_upright():
    image = Image.new("L", (4, 2))
    image.putpixel((3, 0), 255)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side: turn clockwise by 90 degrees
    turned = decode(encoded(image, exif=exif), "x")
    assert turned.size == (2, 4) and turned.getpixel((1, 3)) == 255


def test_square_takes_the_centre():
    picture = np.zeros((8, 20, 3), dtype=np.uint8)
    picture[:, 6:14] = (10, 20, 30)
    result = square(Image.fromarray(picture), 8, 3)
    assert result.shape == (3, 8, 8)
    assert [np.unique(channel).tolist() for channel in result] == [[10], [20], [30]]
    assert square(Image.fromarray(picture), 4, 1).shape == (1, 4, 4)


def test_pack_has_no_clock_in_it_and_is_whole_or_absent(tmp_path, monkeypatch):
    (tmp_path / "one.png").write_bytes(GREY)
    files = [("<b>/é 1.png", tmp_path / "one.png")]
    pack(files, tmp_path / "a.zip")
    (tmp_path / "one.png").touch()
    pack(files, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert open_zip(tmp_path / "a.zip").names == ["<b>/é 1.png"]
    with pytest.raises(FileNotFoundError):
        pack([*files, ("gone.png", tmp_path / "gone.png")], tmp_path / "c.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "b.zip", "one.png"]


def test_open_folder_reads_what_open_zip_reads(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "1.png").write_bytes(GREY)
    (tmp_path / "readme.txt").write_text("x")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    found = open_folder(tmp_path)
    assert found.names == ["sub/1.png"] and found.load("sub/1.png").getpixel((0, 0)) == 7
    monkeypatch.setattr(pictures, "MAX_BYTES", 10)
    with pytest.raises(InputError, match="more than 10 bytes"):
        found.load("sub/1.png")
