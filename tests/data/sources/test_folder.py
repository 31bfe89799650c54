import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latent_audit.base.errors import InputError
from latent_audit.data.prepare import prepare
from latent_audit.data.prepared import load_meta, load_split
from latent_audit.data.sources.download import download
from latent_audit.data.sources.folder import FEWEST


def fill(folder: Path, n: int, *, colour: bool = False) -> None:
    """n images of 12 x 10, each of one shade, brighter from file to file."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        shade = i % 200
        Image.new("RGB", (12, 10), (shade, shade, shade + 50 * colour)).save(folder / f"{i:04}.png")


def run(images: Path, work: Path, *, pad_to: int = 32, image_size: int | None = None) -> Path:
    download("folder", work / "raw", mirror=None, path=images)
    prepare("folder", work / "raw", work / "out", limit=None, pad_to=pad_to, label=None, image_size=image_size)
    return work / "out"


def test_a_folder_per_class_whatever_it_is_called(tmp_path):
    names = ["<script>alert(1)</script>".replace("/", "∕"), 'Ünï cödé \'n "quotes"', "{{ 7 * 7 }}"]
    for name in names:
        fill(tmp_path / "mine" / name, 240)
    (tmp_path / "mine" / ".DS_Store").write_bytes(b"x")
    out = run(tmp_path / "mine", tmp_path, image_size=8)
    meta = load_meta(out)
    assert meta.classes == sorted(names)
    assert (meta.channels, meta.height, meta.native_height, meta.pad) == (1, 32, 8, [12, 12, 12, 12])
    assert (meta.n_train, meta.n_test) == (612, 108)
    test = load_split(out, "test")
    np.testing.assert_array_equal(np.bincount(test.labels), [36, 36, 36])
    assert json.loads((out / "meta.json").read_text())["classes"] == sorted(names)


def test_flat_folder_is_one_class_and_colour_is_seen(tmp_path):
    fill(tmp_path / "mine", FEWEST, colour=True)
    out = run(tmp_path / "mine", tmp_path, pad_to=28)
    meta = load_meta(out)
    assert (meta.classes, meta.channels, meta.n_test) == (["all"], 3, 100)
    image = load_split(out, "train").images[0]
    assert image.shape == (3, 28, 28) and image[2].min() == image[0].max() + 50


def test_the_same_bytes_from_two_folders(tmp_path):
    for work in ("a", "b"):
        fill(tmp_path / work / "mine", FEWEST)
        run(tmp_path / work / "mine", tmp_path / work, image_size=8)
    for file in sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*")):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_names_the_file_that_is_no_image(tmp_path):
    fill(tmp_path / "mine", FEWEST)
    (tmp_path / "mine" / "broken.jpg").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"broken\.jpg: not an image that can be read"):
        run(tmp_path / "mine", tmp_path)
    assert not (tmp_path / "out").exists()
    (tmp_path / "mine" / "broken.jpg").rename(tmp_path / "mine" / "notes.txt")
    with pytest.raises(InputError, match=r"notes\.txt: not an image; only \.png, \.jpg"):
        run(tmp_path / "mine", tmp_path)


def test_refuses_too_few_images(tmp_path):
    fill(tmp_path / "mine", 1)
    with pytest.raises(
        InputError, match=rf"1 images; at least {FEWEST} are needed, so that the 15% .* are 100 or more"
    ):
        run(tmp_path / "mine", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="0 images"):
        run(tmp_path / "empty", tmp_path)


def test_refuses_folders_it_cannot_understand(tmp_path):
    with pytest.raises(InputError, match=r"data\.path: empty"):
        download("folder", tmp_path / "raw", mirror=None, path=None)
    with pytest.raises(InputError, match=r"data\.path: .*nowhere is not a folder"):
        download("folder", tmp_path / "raw", mirror=None, path=tmp_path / "nowhere")
    fill(tmp_path / "mine" / "cats", 1)
    fill(tmp_path / "mine", 1)
    with pytest.raises(InputError, match=r"holds both folders \('cats', ...\) and files \('0000.png', ...\)"):
        download("folder", tmp_path / "raw", mirror=None, path=tmp_path / "mine")
    (tmp_path / "mine" / "0000.png").unlink()
    (tmp_path / "mine" / "dogs").mkdir()
    with pytest.raises(InputError, match="dogs: a class without an image"):
        download("folder", tmp_path / "raw", mirror=None, path=tmp_path / "mine")
    fill(tmp_path / "mine" / "dogs" / "deep", 1)
    with pytest.raises(InputError, match="deep: a folder inside a class"):
        download("folder", tmp_path / "raw", mirror=None, path=tmp_path / "mine")


def test_refuses_a_name_that_no_archive_can_hold(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    try:
        (folder / "a\udcff.png").write_bytes(b"x")
    except OSError:
        pytest.skip("this file system refuses such names itself")
    with pytest.raises(InputError, match="not valid UTF-8; rename it"):
        download("folder", tmp_path / "raw", mirror=None, path=folder)
