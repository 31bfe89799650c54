"""On coloured rectangles in CelebA's layout: no face is in this repository."""

import os
import zipfile
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latent_audit.base.errors import InputError
from latent_audit.data.prepare import prepare
from latent_audit.data.prepared import load_array, load_meta, load_split
from latent_audit.data.sources.celeba_tables import read_attributes, read_partition
from latent_audit.data.sources.download import download
from latent_audit.data.sources.registry import DATASETS

N = 240
NAMES = [f"{i + 1:06}.jpg" for i in range(N)]
VALUES = np.array([[i % 2, i % 3 == 0, 1] for i in range(N)]) * 2 - 1  # Smiling, Young, Bald


def jpeg(shade: int) -> bytes:
    stream = BytesIO()
    image = Image.new("RGB", (22, 27), (shade, 100, 0))
    image.paste((shade, 160, 0), (0, 8, 22, 19))
    image.save(stream, "JPEG", quality=95, subsampling=0)
    return stream.getvalue()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror" / "celeba"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
        for i, name in enumerate(NAMES):
            archive.writestr(f"img_align_celeba/{name}", jpeg(i))
    rows = "".join(f"{name} {' '.join(f'{v:2}' for v in row)}\r\n" for name, row in zip(NAMES, VALUES, strict=True))
    (folder / "list_attr_celeba.txt").write_bytes(f"{N}\r\nSmiling Young Bald \r\n{rows}".encode())
    partition = "".join(f"{name} {(i >= 120) + (i >= 200)}\n" for i, name in enumerate(NAMES))
    (folder / "list_eval_partition.txt").write_text(partition)
    return folder


def run(mirror: Path, work: Path, *, label: str | None = None, limit: int | None = None) -> Path:
    download("celeba", work / "raw", mirror=str(mirror.parent), path=None)
    prepare("celeba", work / "raw", work / "out", limit=limit, pad_to=64, label=label, image_size=None)
    return work / "out"


def test_official_layout(mirror, tmp_path):
    out = run(mirror, tmp_path)
    meta, train, test = load_meta(out), load_split(out, "train"), load_split(out, "test")
    assert train.images.shape == (120, 3, 64, 64) and test.images.shape == (120, 3, 64, 64)
    assert meta.classes == ["not Smiling", "Smiling"] and meta.columns == {"attributes": ["Smiling", "Young", "Bald"]}
    assert not meta.images_may_be_shown and "non-commercial" in meta.terms
    np.testing.assert_array_equal(test.labels, np.arange(120, 240) % 2)
    attributes = load_array(out / "attributes_test.npy")
    assert attributes.dtype == np.uint8
    np.testing.assert_array_equal(attributes, (VALUES[120:] > 0))
    red = test.images[:, 0].mean((1, 2))
    np.testing.assert_allclose(red, np.arange(120, 240), atol=4)  # JPEG's loss; the order of the table is kept
    assert sorted(meta.raw_sha256) == ["img_align_celeba.zip", "list_attr_celeba.txt", "list_eval_partition.txt"]
    assert len(meta.notes) == 4
    assert meta.notes[3] == "Pictures are brought to 64x64: the central square, the rest cut off (data.fit: crop)."
    assert "img_align_celeba.zip is not the official file: md5" in meta.notes[0]
    assert "official 00d2c5bc6d35e252742224ab0c1e8fcb" in meta.notes[0]


def test_another_attribute_as_label(mirror, tmp_path):
    out = run(mirror, tmp_path, label="Young", limit=100)
    assert load_meta(out).classes == ["not Young", "Young"]
    assert np.abs(np.bincount(load_split(out, "train").labels) - [66.7, 33.3]).max() < 1.5  # a third is young
    with pytest.raises(InputError, match="CelebA has no attribute 'young'; it has Smiling, Young, Bald"):
        run(mirror, tmp_path, label="young")


def test_without_a_partition_a_fixed_tenth_is_held_out_and_said(mirror, tmp_path):
    (mirror / "list_eval_partition.txt").unlink()
    download("celeba", tmp_path / "raw", mirror=str(mirror.parent), path=None)
    with pytest.raises(InputError, match="24 test images; at least 100 are needed"):
        prepare("celeba", tmp_path / "raw", tmp_path / "out", limit=None, pad_to=64, label=None, image_size=None)
    from latent_audit.data.sources.registry import find

    source = find("celeba").read(tmp_path / "raw", label=None, image_size=None)
    assert (len(source.train.labels), len(source.test.labels)) == (216, 24)
    assert any(
        note.startswith("No list_eval_partition file: the test split is a fixed random 10%") for note in source.notes
    )


def test_csv_tables_and_an_unpacked_folder_give_the_same_arrays(mirror, tmp_path):
    expected = run(mirror, tmp_path / "a")
    with zipfile.ZipFile(mirror / "img_align_celeba.zip") as archive:
        archive.extractall(mirror)
    (mirror / "img_align_celeba.zip").unlink()
    read_attributes(mirror / "list_attr_celeba.txt")[0].mul(2).astype(int).sub(1).to_csv(
        mirror / "list_attr_celeba.csv", index_label="image_id"
    )
    read_partition(mirror / "list_eval_partition.txt")[0].to_csv(
        mirror / "list_eval_partition.csv", index_label="image_id"
    )
    (mirror / "list_attr_celeba.txt").unlink()
    (mirror / "list_eval_partition.txt").unlink()
    packed = run(mirror, tmp_path / "b")
    raw = tmp_path / "c" / "raw"
    raw.mkdir(parents=True)
    (mirror / "img_align_celeba").rename(raw / "img_align_celeba")  # by hand, as its site gives it
    by_hand = run(mirror, tmp_path / "c")
    for name in ("train_images", "test_images", "train_labels", "attributes_test"):
        for other in (packed, by_hand):
            np.testing.assert_array_equal(load_array(expected / f"{name}.npy"), load_array(other / f"{name}.npy"))
    assert "img_align_celeba/" in load_meta(by_hand).raw_sha256


def test_the_place_of_the_pictures_is_the_mirrors(mirror, tmp_path):
    place = partial(DATASETS["celeba"].place, mirror=str(mirror.parent), path=None)
    assert place() == mirror / "img_align_celeba.zip"
    with zipfile.ZipFile(mirror / "img_align_celeba.zip") as archive:
        archive.extractall(mirror)
        name = next(one for one in archive.namelist() if one.endswith(".jpg"))
    (mirror / "img_align_celeba.zip").unlink()
    assert (place() / name).is_file()
    assert DATASETS["celeba"].place(mirror=None, path=None) is None
    assert DATASETS["folder"].place(mirror=None, path=tmp_path) == tmp_path


def test_pictures_in_a_folder_of_their_own_name_are_found(mirror, tmp_path):
    expected = run(mirror, tmp_path / "a")
    with zipfile.ZipFile(mirror / "img_align_celeba.zip") as archive:
        archive.extractall(mirror / "img_align_celeba")  # as unpacking on top of a folder of that name leaves them
    (mirror / "img_align_celeba.zip").unlink()
    nested = run(mirror, tmp_path / "b")
    for name in ("train_images.npy", "test_images.npy"):
        assert (nested / name).read_bytes() == (expected / name).read_bytes()


def test_a_subset_of_the_images_is_used_and_said(mirror, tmp_path):
    text = (mirror / "list_attr_celeba.txt").read_text().replace(f"{N}\n", f"{N + 1}\n", 1) + "999999.jpg 1 1 1\n"
    (mirror / "list_attr_celeba.txt").write_text(text)
    note = "240 images used: 241 have attributes (list_attr_celeba.txt), 240 have a picture."
    assert note in load_meta(run(mirror, tmp_path)).notes


@pytest.mark.parametrize("suffix", [".png", ".JPG", ".jpeg"])
def test_pictures_are_matched_whatever_their_suffix(suffix, mirror, tmp_path):
    expected = load_split(run(mirror, tmp_path / "a"), "test").labels
    (mirror / "img_align_celeba.zip").unlink()
    (mirror / "img_align_celeba").mkdir()
    for i, name in enumerate(NAMES):
        picture = Image.open(BytesIO(jpeg(i)))
        picture.save(mirror / "img_align_celeba" / (Path(name).stem + suffix))
    (mirror / "img_align_celeba" / "._000001.jpg").write_bytes(b"x")
    out = run(mirror, tmp_path / "b")
    np.testing.assert_array_equal(load_split(out, "test").labels, expected)
    np.testing.assert_allclose(load_split(out, "test").images[:, 0].mean((1, 2)), np.arange(120, 240), atol=4)


def test_a_count_that_lies_and_a_byte_order_mark_are_notes(mirror, tmp_path):
    expected = run(mirror, tmp_path / "a")
    for table in ("list_attr_celeba.txt", "list_eval_partition.txt"):
        text = (mirror / table).read_text().replace(f"{N}\n", "202599\n", 1)
        (mirror / table).write_text("\ufeff" + text, encoding="utf-8")
    out = run(mirror, tmp_path / "b")
    notes = load_meta(out).notes
    assert "list_attr_celeba.txt promises 202599 images in its first line, and 240 rows follow." in notes
    assert sum("byte order mark" in note for note in notes) == 2
    for name in ("train_images.npy", "test_labels.npy", "attributes_train.npy"):
        assert (out / name).read_bytes() == (expected / name).read_bytes()


def test_tables_of_another_subset_are_named(mirror, tmp_path):
    text = (mirror / "list_attr_celeba.txt").read_text()
    for i, name in enumerate(NAMES):
        text = text.replace(name, f"{i + 5001:06}.jpg")
    (mirror / "list_attr_celeba.txt").write_text(text)
    words = r"list_attr_celeba: none of its 240 pictures \(005001.jpg, ...\) .* 240 that there are \(000001.jpg, ...\)"
    with pytest.raises(InputError, match=words):
        run(mirror, tmp_path)


def test_damaged_pictures_are_left_out_and_others_taken_in_their_place(mirror, tmp_path):
    damaged = {"000003.jpg", "000130.jpg"}
    with zipfile.ZipFile(mirror / "img_align_celeba.zip", "w") as archive:
        for i, name in enumerate(NAMES):
            archive.writestr(f"img_align_celeba/{name}", jpeg(i)[: 200 if name in damaged else None])
    meta = load_meta(run(mirror, tmp_path))
    assert (meta.n_train, meta.n_test, meta.available_train) == (119, 119, 119)
    listed = "img_align_celeba/000003.jpg, img_align_celeba/000130.jpg"
    assert meta.notes[-1] == f"2 pictures cannot be read and were left out: {listed}."
    assert len(load_array(tmp_path / "out" / "attributes_train.npy")) == 119
    assert load_meta(run(mirror, tmp_path, limit=110)).n_train == 110
    with pytest.raises(InputError, match=r"2 pictures cannot be read:\n  img_align_celeba/000003.jpg: .*\n.*000130"):
        prepare(
            "celeba",
            tmp_path / "raw",
            tmp_path / "out",
            limit=None,
            pad_to=64,
            label=None,
            image_size=None,
            strict=True,
        )
    assert not list((tmp_path / "out").iterdir())


def test_an_archive_that_leaves_its_folder_is_refused(mirror, tmp_path):
    with zipfile.ZipFile(mirror / "img_align_celeba.zip", "a") as archive:
        archive.writestr("../../000001.jpg", jpeg(1))
    with pytest.raises(InputError, match="points outside the archive"):
        run(mirror, tmp_path)


def test_says_how_to_get_it_where_no_source_has_it(tmp_path):
    with pytest.raises(
        InputError, match=r"no source gave img_align_celeba\.zip.*\n.*not set\n.*mmlab\.ie\.cuhk\.edu\.hk"
    ):
        download("celeba", tmp_path / "raw", mirror=None, path=None)
    with pytest.raises(InputError, match=r"no list_attr_celeba\.txt or \.csv; run `dvc repro download`"):
        prepare("celeba", tmp_path / "raw", tmp_path / "out", limit=None, pad_to=64, label=None, image_size=None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a table that can be read"),
        ("1\na b\n1.jpg 1 5\n", "attributes must be -1 or 1"),
        ("1\na b\n1.jpg 1\n", "attributes must be -1 or 1"),
        ("1\na b\n1.jpg 1 1 1\n", "attributes must be -1 or 1"),
        ("2\na b\n1.jpg 1 1\n1.jpg 1 1\n", "'1.jpg' comes twice"),
        ("1\n", "not a table that can be read"),
        ("1\na b\n", "attributes must be -1 or 1"),
    ],
)
def test_refuses_damaged_attributes(text, message, tmp_path):
    path = tmp_path / "list_attr_celeba.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"list_attr_celeba\.txt: .*({message})"):
        read_attributes(path)


@pytest.mark.parametrize("text", ["", "1.jpg 3\n", "1.jpg\n", "1.jpg x\n", "1.jpg 0 0\n"])
def test_refuses_a_damaged_partition(text, tmp_path):
    path = tmp_path / "list_eval_partition.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=r"list_eval_partition\.txt: "):
        read_partition(path)


def test_the_real_subset(tmp_path):
    mirror = os.environ.get("LATENT_AUDIT_MIRROR")
    if not mirror or not (Path(mirror) / "celeba").is_dir():
        pytest.skip("LATENT_AUDIT_MIRROR is not set, or has no celeba: the real files are not at hand")
    download("celeba", tmp_path / "raw", mirror=mirror, path=None)
    prepare("celeba", tmp_path / "raw", tmp_path / "out", limit=100, pad_to=64, label=None, image_size=None)
    meta = load_meta(tmp_path / "out")
    assert len(meta.columns["attributes"]) == 40 and not meta.images_may_be_shown
    assert set(load_split(tmp_path / "out", "test").labels) == {0, 1}
