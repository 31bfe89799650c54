import zipfile
from io import BytesIO

import pytest
from PIL import Image

from latent_audit.base.errors import InputError
from latent_audit.data.sources import decoding
from latent_audit.data.sources.decoding import UnreadablePicture
from latent_audit.data.sources.pictures import is_clutter, open_folder, open_zip, pack


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
    assert found.load("b/1.png").values[..., 0].tolist() == [[7] * 4] * 4


def test_a_colon_in_a_name_leaves_no_folder(tmp_path):
    names = ["kind: 0/a.png", "shot 12:30:0.png"]
    assert open_zip(zip_of(tmp_path / "a.zip", dict.fromkeys(names, GREY))).names == names


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "/etc/out.png", "..\\out.png", "C:\\out.png"])
def test_refuses_a_member_that_leaves_the_folder(name, tmp_path):
    path = zip_of(tmp_path / "a.zip", {"in.png": GREY, name: GREY})
    with pytest.raises(InputError, match=r"a\.zip: member .*out\.png' points outside the archive"):
        open_zip(path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.zip"]


def test_a_member_that_is_too_large_is_not_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(51_000_000))
    assert (tmp_path / "bomb.zip").stat().st_size < 100_000
    with pytest.raises(UnreadablePicture, match=r"member 'a\.png': 51000000 bytes; a picture of more than 50000000"):
        open_zip(tmp_path / "bomb.zip").load("a.png")


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
    with pytest.raises(UnreadablePicture, match=r"member 'a\.png': cannot be read \(Bad CRC-32"):
        open_zip(tmp_path / "a.zip").load("a.png")


@pytest.mark.parametrize(
    "name",
    [
        *(".DS_Store", "Thumbs.db", "ehthumbs.db", "desktop.ini", "Icon\r", "@eaDir", "lost+found", "$RECYCLE.BIN"),
        *("__MACOSX/a.png", ".ipynb_checkpoints/a.png", "cats/@eaDir/a.png", "._a.png", "THUMBS.DB"),
        *("System Volume Information", "#recycle", ".Trashes", ".git"),
    ],
)
def test_what_systems_leave_behind_is_passed_over(name):
    assert is_clutter(name)


@pytest.mark.parametrize("name", ["Icon.png", "cats/a.png", "lost/a.png", "thumbs.db.png"])
def test_pictures_with_such_names_are_not(name):
    assert not is_clutter(name)


def test_pack_has_no_clock_in_it_and_is_whole_or_absent(tmp_path, monkeypatch):
    (tmp_path / "one.png").write_bytes(GREY)
    files = [("<b>/é 1.png", tmp_path / "one.png")]
    pack(files, tmp_path / "a.zip")
    (tmp_path / "one.png").touch()
    pack(files, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert open_zip(tmp_path / "a.zip").names == ["<b>/é 1.png"]


def test_pack_says_what_it_could_not_take(tmp_path, monkeypatch):
    (tmp_path / "one.png").write_bytes(GREY)
    (tmp_path / "large.png").write_bytes(GREY * 9)
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    monkeypatch.setattr(decoding, "MAX_BYTES", len(GREY))
    left_out = pack([(name, tmp_path / name) for name in ("gone.png", "large.png", "one.png")], tmp_path / "a.zip")
    assert open_zip(tmp_path / "a.zip").names == ["one.png"]
    assert set(left_out) == {"gone.png", "large.png"}
    assert "a link to nothing" in left_out["gone.png"] and "is not read" in left_out["large.png"]


def test_open_folder_reads_what_open_zip_reads(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "1.png").write_bytes(GREY)
    (tmp_path / "readme.txt").write_text("x")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    found = open_folder(tmp_path)
    assert found.names == ["sub/1.png"] and found.load("sub/1.png").values[0, 0, 0] == 7
    monkeypatch.setattr(decoding, "MAX_BYTES", 10)
    with pytest.raises(UnreadablePicture, match="more than 10 bytes"):
        found.load("sub/1.png")
