import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latent_audit.base.errors import InputError
from latent_audit.data.prepare import prepare
from latent_audit.data.prepared import load_meta, load_split
from latent_audit.data.sources.dataset import TREATMENT, Treatment
from latent_audit.data.sources.download import download
from latent_audit.data.sources.folder import FEWEST, picture_files


def fill(folder: Path, n: int, *, colour: bool = False, size: tuple[int, int] = (12, 10)) -> None:
    """n images, each a bright square on one shade, brighter from file to file."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        shade = i % 200
        image = Image.new("RGB", size, (shade, shade, shade + 50 * colour))
        image.paste((shade + 20, shade + 20, shade + 20), (2, 2, 6, 6))
        image.save(folder / f"{i:04}.png")


def run(
    images: Path,
    work: Path,
    *,
    pad_to: int = 32,
    image_size: int | None = None,
    strict: bool = False,
    treatment: Treatment = TREATMENT,
) -> Path:
    download("folder", work / "raw", mirror=None, path=images)
    prepare(
        "folder", work / "raw", work / "out", limit=None, pad_to=pad_to, label=None, image_size=image_size,
        treatment=treatment, strict=strict, path=images,
    )  # fmt: skip
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
    out = run(tmp_path / "mine", tmp_path, pad_to=28, treatment=Treatment("crop"))
    meta = load_meta(out)
    assert (meta.classes, meta.channels, meta.n_test) == (["all"], 3, 100)
    image = load_split(out, "train").images[0]
    assert image.shape == (3, 28, 28) and image[2, -1, -1] == image[0, -1, -1] + 50
    assert set(load_split(out, "train").labels) | set(load_split(out, "test").labels) == {0}
    assert meta.notes[0] == "The pictures lie side by side, without classes: what needs classes is absent."


def test_one_class_is_said(tmp_path):
    fill(tmp_path / "mine" / "cats", FEWEST)
    meta = load_meta(run(tmp_path / "mine", tmp_path))
    assert meta.classes == ["cats"]
    assert meta.notes[0] == "The pictures are all of one class: what needs classes is absent."


def test_the_same_bytes_from_two_folders(tmp_path):
    for work in ("a", "b"):
        fill(tmp_path / work / "mine", FEWEST)
        run(tmp_path / work / "mine", tmp_path / work, image_size=8)
    first, second = ({path.relative_to(tmp_path / work) for path in (tmp_path / work).rglob("*.*")} for work in "ab")
    assert first == second and any(file.name == "train_images.npy" for file in first)
    for file in sorted(first):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def damage(folder: Path, n: int) -> list[str]:
    names = [f"broken{i:02}.jpg" for i in range(n)]
    for i, name in enumerate(names):
        (folder / name).write_bytes(b"not a picture"[: 13 * (i > 0)])  # the first is empty
    return names


def test_damaged_pictures_are_left_out_and_named(tmp_path):
    fill(tmp_path / "mine", FEWEST)
    names = damage(tmp_path / "mine", 3)
    (tmp_path / "mine" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    meta = load_meta(run(tmp_path / "mine", tmp_path))
    assert meta.n_train + meta.n_test == FEWEST == meta.available_train + meta.available_test
    assert meta.notes[-1] == f"4 pictures cannot be read and were left out: {', '.join([*names, 'gone.png'])}."
    intact = tmp_path / "intact"
    fill(intact / "mine", FEWEST)
    expected = load_split(run(intact / "mine", intact), "train")
    np.testing.assert_array_equal(load_split(tmp_path / "out", "train").images, expected.images)


def test_many_damaged_pictures_are_counted_in_the_note(tmp_path):
    fill(tmp_path / "mine", FEWEST)
    damage(tmp_path / "mine", 12)
    note = load_meta(run(tmp_path / "mine", tmp_path)).notes[-1]
    assert note.startswith("12 pictures cannot be read") and note.endswith("broken09.jpg and 2 more.")


def test_strict_refuses_them_all_under_the_users_own_path(tmp_path):
    fill(tmp_path / "mine", FEWEST)
    names = damage(tmp_path / "mine", 12)
    with pytest.raises(InputError, match="12 pictures cannot be read") as caught:
        run(tmp_path / "mine", tmp_path, strict=True)
    assert all(str(tmp_path / "mine" / name) in str(caught.value) for name in names)
    assert "BytesIO" not in str(caught.value) and "an empty file" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_too_few_pictures_that_can_be_read_are_refused(tmp_path):
    fill(tmp_path / "mine", FEWEST - 1)
    damage(tmp_path / "mine", 1)
    with pytest.raises(InputError, match=rf"{FEWEST - 1} images; at least {FEWEST} .* 1 more cannot be read: broken00"):
        run(tmp_path / "mine", tmp_path)


@pytest.mark.parametrize("n_flat", [0, FEWEST])
def test_errors_about_the_copy_name_the_users_own_path(tmp_path, n_flat):
    fill(tmp_path / "mine", FEWEST - bool(n_flat == 0))
    damage(tmp_path / "mine", 1)
    for i in range(n_flat):
        Image.new("L", (12, 10), 7).save(tmp_path / "mine" / f"{i:04}.png")
    with pytest.raises(InputError) as caught:
        run(tmp_path / "mine", tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'mine'}: {FEWEST - (n_flat == 0)} ")


def test_control_characters_of_names_are_spelt_out(tmp_path, capsys):
    escape = "\x1b]0;owned\x07"
    for name in (f"cats{escape}", f"dogs{escape}"):
        fill(tmp_path / "mine" / name, FEWEST // 2 + 1)
    (tmp_path / "mine" / f"cats{escape}" / f"broken{escape}.png").write_bytes(b"x")
    download("folder", tmp_path / "raw", mirror=None, path=tmp_path / "mine")
    arguments = {"limit": None, "pad_to": 32, "label": None, "image_size": None, "path": tmp_path / "mine"}
    outcome = prepare("folder", tmp_path / "raw", tmp_path / "out", **arguments)
    assert outcome.meta["classes"] == [r"cats\x1b]0;owned\x07", r"dogs\x1b]0;owned\x07"]
    said = outcome.in_words()
    assert all(line.isprintable() for line in [*said, *outcome.meta["notes"]])
    assert any(r"broken\x1b]0;owned\x07.png" in line for line in said)
    with pytest.raises(InputError) as caught:
        prepare("folder", tmp_path / "raw", tmp_path / "out2", strict=True, **arguments)
    assert "\x1b" not in str(caught.value) and r"broken\x1b]0;owned\x07.png" in str(caught.value)
    (tmp_path / "mine" / f"notes{escape}.txt").write_text("x")
    with pytest.raises(InputError) as caught:
        download("folder", tmp_path / "raw", mirror=None, path=tmp_path / "mine")
    assert "\x1b" not in str(caught.value)


def test_files_that_are_no_pictures_are_named_all_at_once(tmp_path):
    fill(tmp_path / "mine", FEWEST)
    for name in ("notes.txt", "labels.csv"):
        (tmp_path / "mine" / name).write_text("x")
    with pytest.raises(InputError, match=r"labels\.csv, .*notes\.txt: not an image; only \.png, \.jpg"):
        run(tmp_path / "mine", tmp_path)


@pytest.mark.parametrize(
    ("name", "is_folder"),
    [
        *[(name, True) for name in ("@eaDir", "lost+found", "$RECYCLE.BIN", ".ipynb_checkpoints", "__MACOSX")],
        *[(name, False) for name in ("ehthumbs.db", "Icon\r", ".DS_Store", "Thumbs.db", "desktop.ini")],
    ],
)
def test_what_systems_leave_is_passed_over(name, is_folder, tmp_path):
    for where in ("mine", "mine/cats"):
        (tmp_path / where).mkdir()
        (tmp_path / where / name).mkdir() if is_folder else (tmp_path / where / name).write_bytes(b"x")
    Image.new("L", (4, 4)).save(tmp_path / "mine" / "cats" / "a.png")
    assert [name for name, _ in picture_files(tmp_path / "mine")] == ["cats/a.png"]


def test_black_ink_on_a_transparent_ground_is_seen(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for i in range(FEWEST):
        icon = Image.new("RGBA", (16, 16))
        icon.paste((0, 0, 0, 255), (2, 2, 6 + i % 9, 6 + i % 7))
        icon.save(folder / f"{i:04}.png")
    out = run(folder, tmp_path, image_size=16)
    image = load_split(out, "train").images[0, 0, 8:24, 8:24]
    assert image[0, 0] == 255 and image[3, 3] == 0
    assert f"{FEWEST} of {FEWEST} pictures are transparent in places: laid on white" in load_meta(out).notes[-1]
    with pytest.raises(InputError, match=rf"{FEWEST} of {FEWEST} pictures are blank.*another colour than the ink"):
        run(folder, tmp_path / "black", treatment=Treatment(background="black"))
    assert not (tmp_path / "black" / "out").exists()


def test_sixteen_bits_with_a_small_range_are_seen(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for i in range(FEWEST):
        values = np.zeros((8, 8), dtype=np.uint16)
        values[2:6, 2:6] = 400 + i % 400  # 3 of 255 at most
        Image.fromarray(values).save(folder / f"{i:04}.png")
    out = run(folder, tmp_path, image_size=8)
    assert load_split(out, "train").images.max() == 255
    assert "use only 0 to 799 of 0 to 65535" in load_meta(out).notes[-1]


@pytest.mark.parametrize(
    ("noise", "words"), [(0, "661 of 661 pictures are blank"), (1, "661 of 661 pictures are blank")]
)
def test_pictures_of_one_shade_are_refused(noise, words, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for i in range(FEWEST):
        values = 100 + i % 50 + noise * rng.integers(0, 2, (9, 16))
        Image.fromarray(values.astype(np.uint8)).save(folder / f"{i:04}.png")
    with pytest.raises(InputError, match=words):
        run(folder, tmp_path)


def test_pictures_that_are_all_the_same_are_refused(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    picture = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) * 4)
    for i in range(FEWEST):
        picture.save(folder / f"{i:04}.png")
    with pytest.raises(InputError, match="all 561 pictures are the same"):
        run(folder, tmp_path)
    assert not list((tmp_path / "out").iterdir())


def test_grey_beside_colour_is_taken_as_colour_and_said(tmp_path):
    fill(tmp_path / "mine" / "grey", FEWEST)
    fill(tmp_path / "mine" / "coloured", 5, colour=True, size=(20, 10))
    meta = load_meta(run(tmp_path / "mine", tmp_path))
    assert meta.channels == 3
    assert meta.notes == [
        "Pictures of 12x10 to 20x10 pixels were brought to 28x28 (data.image_size): the whole picture, its shape kept, "
        "with bars of data.background where it is not square (data.fit: pad).",
        f"5 of {FEWEST + 5} pictures have a colour, the others are grey: all are taken as RGB.",
    ]


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


def test_folders_inside_a_class_belong_to_it(tmp_path):
    for place in ("cats/2020/01", "cats", "dogs/old", "elsewhere"):
        fill(tmp_path / "mine" / place if place != "elsewhere" else tmp_path / place, 1)
    (tmp_path / "mine" / "dogs" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "mine" / "dogs" / "round").symlink_to(tmp_path / "mine" / "dogs")
    names = [name for name, _ in picture_files(tmp_path / "mine")]
    assert names == ["cats/0000.png", "cats/2020/01/0000.png", "dogs/linked/0000.png", "dogs/old/0000.png"]


def test_splits_are_not_taken_for_classes(tmp_path):
    for place in ("train/cats", "test/cats"):
        fill(tmp_path / "mine" / place, 1)
    with pytest.raises(InputError, match="its folders test, train are splits, not classes"):
        picture_files(tmp_path / "mine")


def test_refuses_a_name_that_no_archive_can_hold(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    try:
        (folder / "a\udcff.png").write_bytes(b"x")
    except OSError:
        pytest.skip("this file system refuses such names itself")
    with pytest.raises(InputError, match="not valid UTF-8; rename it"):
        download("folder", tmp_path / "raw", mirror=None, path=folder)
