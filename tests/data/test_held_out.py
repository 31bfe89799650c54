from pathlib import Path

import numpy as np
import pytest

from latent_audit.base.errors import InputError
from latent_audit.data.held_out import Splits, hold, joined, reshaped
from latent_audit.data.outsiders import load_outsiders
from latent_audit.data.prepare import prepare
from latent_audit.data.prepared import class_of, load_meta, load_split
from latent_audit.data.sources.dataset import DamagedPictures, Source, Split
from latent_audit.data.sources.download import download, download_outsiders

CLASSES = ["cat", "dog", "cow"]


def split(labels, first):
    """Images whose every pixel is their number, from `first` on."""
    labels = np.array(labels)

    def read(positions):
        if bad := [int(at) for at in positions if first + at == 3]:
            raise DamagedPictures(dict.fromkeys(bad, "torn"))
        return (
            np.full((len(positions), 1, 2, 2), 0, np.uint8) + (first + positions).astype(np.uint8)[:, None, None, None]
        )

    return Split(
        labels, read, {"row": first + np.arange(len(labels))}, [f"{first + at}.png" for at in range(len(labels))]
    )


def source():
    return Source(split([0, 1, 2, 0], 0), split([1, 2, 2], 10), (1, 2, 2), CLASSES)


def test_joined_trains_on_both_splits_and_tests_on_the_test_split():
    both = joined(source())
    np.testing.assert_array_equal(both.train.labels, [0, 1, 2, 0, 1, 2, 2])
    np.testing.assert_array_equal(both.train.read(np.array([1, 5, 2, 4]))[:, 0, 0, 0], [1, 11, 2, 10])
    np.testing.assert_array_equal(both.train.extras["row"], [0, 1, 2, 3, 10, 11, 12])
    np.testing.assert_array_equal(both.test.labels, source().test.labels)
    assert both.train.names[4] == "10.png" and "no test split is left" in both.notes[-1]


def test_damaged_pictures_keep_their_places_when_splits_are_joined_and_rows_left_out():
    with pytest.raises(DamagedPictures) as error:
        joined(source()).train.read(np.arange(7))
    assert error.value.reasons == {3: "torn"}
    without = hold(source(), Splits(leave_out="dog")).source.train
    with pytest.raises(DamagedPictures) as error:
        without.read(np.arange(3))  # images 0, 2 and 3
    assert error.value.reasons == {2: "torn"} and without.names[2] == "3.png"


@pytest.mark.parametrize("asked", ["dog", "DOG", 1, "1"])
def test_a_class_is_left_out_of_both_splits_and_its_test_images_are_outsiders(asked):
    held = hold(source(), Splits(leave_out=asked))
    assert held.source.classes == ["cat", "cow"]
    np.testing.assert_array_equal(held.source.train.labels, [0, 1, 0])
    np.testing.assert_array_equal(held.source.test.read(np.arange(2))[:, 0, 0, 0], [11, 12])
    (name, outsiders), *others = held.outsiders.items()
    assert name == "left_out" and not others
    np.testing.assert_array_equal(outsiders.read(np.arange(1))[:, 0, 0, 0], [10])
    assert "dog" in held.source.notes[-1]


def test_a_class_that_is_a_number_is_meant_by_its_name_first():
    assert class_of(["7", "1", "0"], 0, "x") == 2 and class_of(["a", "b"], 0, "x") == 0


@pytest.mark.parametrize("asked", ["horse", 3, "-1"])
def test_a_class_that_is_not_there_is_refused_with_those_that_are(asked):
    with pytest.raises(InputError, match=r"data\.leave_out: there is no class .*cat, dog, cow"):
        class_of(CLASSES, asked, "data.leave_out")


def test_two_classes_less_one_leave_nothing_to_tell_apart():
    with pytest.raises(InputError, match="nothing to tell apart"):
        hold(source()._replace(classes=["cat", "dog"]), Splits(leave_out="dog"))


def test_reshaped_changes_size_and_colour():
    grey = np.full((1, 4, 4), 90, np.uint8)
    assert reshaped(grey, (3, 2, 2)).tolist() == np.full((3, 2, 2), 90).tolist()
    red = np.zeros((3, 4, 4), np.uint8)
    red[0] = 255
    assert reshaped(red, (1, 4, 4)).tolist() == np.full((1, 4, 4), 76).tolist()  # .299 of 255


def test_outsiders_of_another_set_are_written_in_the_shape_of_the_studys_images(tiny, tmp_path):
    download("digits", tmp_path / "digits", mirror=None, path=None)
    download_outsiders(["digits"], tmp_path / "others", mirror=None)
    prepare(
        "fashion_mnist", tiny.mirror / "fashion_mnist", tmp_path / "out", limit=None, pad_to=32, label=None,
        image_size=None, splits=Splits(True, None, {"digits": tmp_path / "others" / "digits"}),
    )  # fmt: skip
    (name, images), *others = load_outsiders(tmp_path / "out").items()
    assert name == "digits" and not others and images.shape == (360, 1, 32, 32) and images.dtype == np.uint8
    assert not images[:, :, :2].any() and images[:, :, 2:30].any()
    meta = load_meta(tmp_path / "out")
    assert meta.n_train == 230 and meta.n_test == 110  # joined
    train, test = (load_split(tmp_path / "out", name).images for name in ("train", "test"))
    np.testing.assert_array_equal(train[120:], test)


def test_without_outsiders_there_are_none(tmp_path):
    assert load_outsiders(tmp_path) == {}


def test_a_set_without_published_checksums_is_no_outsider(tmp_path):
    with pytest.raises(InputError, match=r"celeba has no published checksums; there are .*mnist"):
        download_outsiders(["celeba"], tmp_path / "others", mirror=str(Path("nowhere")))
