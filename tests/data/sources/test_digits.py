import hashlib

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from latent_audit.base.errors import InputError
from latent_audit.data.prepare import prepare
from latent_audit.data.prepared import load_meta, load_split
from latent_audit.data.sources.download import download
from latent_audit.data.sources.registry import find


@pytest.fixture
def raw(tmp_path):
    download("digits", tmp_path / "raw", mirror=None, path=None)
    return tmp_path / "raw"


def test_split_is_stratified_and_has_the_known_counts(raw):
    source = find("digits").read(raw, label=None, image_size=None)
    assert (len(source.train.labels), len(source.test.labels)) == (1437, 360)
    n_of_class = np.bincount(load_digits().target)
    in_test = np.bincount(source.test.labels)
    assert np.abs(in_test - 0.2 * n_of_class).max() <= 1
    np.testing.assert_array_equal(in_test + np.bincount(source.train.labels), n_of_class)
    assert source.classes == list("0123456789")


def test_images_are_the_digits_upright_stretched_and_enlarged(raw):
    source = find("digits").read(raw, label=None, image_size=None)
    images = np.concatenate([split.read(np.arange(len(split.labels))) for split in (source.train, source.test)])
    assert images.shape == (1797, 1, 28, 28) and images.dtype == np.uint8
    assert images.min() == 0 and images.max() == 255
    # each is an original seen large: of all originals, shrunk images match their own and no turned or mirrored one
    small = images[:, 0, 3::7, 3::7].reshape(1797, 16).astype(float)  # samples at the middles of 4 x 4 cells
    originals = load_digits().images.reshape(1797, 4, 2, 4, 2).mean((2, 4)).reshape(1797, 16) * 255 / 16
    nearest = ((small[:200, None] - originals[None]) ** 2).sum(-1).min(1)
    turned = originals.reshape(-1, 4, 4)[:, ::-1].reshape(-1, 16)
    assert np.median(nearest) < np.median(((small[:200, None] - turned[None]) ** 2).sum(-1).min(1)) / 2


def test_one_image_is_where_it_should_be(raw):
    table = load_digits()
    zero = table.images[0]  # the first digit of the set, a zero: an empty middle, full left and right strokes
    source = find("digits").read(raw, label=None, image_size=8)  # at its own size nothing is interpolated
    images = np.concatenate([split.read(np.arange(len(split.labels))) for split in (source.train, source.test)])[:, 0]
    labels = np.concatenate([source.train.labels, source.test.labels])
    same = (images == np.round(zero * 255 / 16).astype(np.uint8)).all((1, 2))
    assert same.sum() == 1 and labels[same] == 0


def test_digits_stay_recognisable(raw, tmp_path):
    prepare("digits", raw, tmp_path / "out", limit=None, pad_to=16, label=None, image_size=12)
    train, test = (load_split(tmp_path / "out", split) for split in ("train", "test"))
    rows = [split.images.reshape(len(split.images), -1) / 255 for split in (train, test)]
    classifier = LogisticRegression(C=0.05, max_iter=300).fit(rows[0], train.labels)
    assert classifier.score(rows[1], test.labels) > 0.93  # a linear classifier reaches 0.95 to 0.97 on 8 x 8


def test_raw_file_has_the_same_bytes_every_time_and_is_checked(raw, tmp_path):
    download("digits", tmp_path / "again", mirror=None, path=None)
    assert (raw / "digits.npy").read_bytes() == (tmp_path / "again" / "digits.npy").read_bytes()
    prepare("digits", raw, tmp_path / "out", limit=100, pad_to=28, label=None, image_size=None)
    digest = hashlib.sha256((raw / "digits.npy").read_bytes()).hexdigest()
    assert load_meta(tmp_path / "out").raw_sha256 == {"digits.npy": digest}
    (raw / "digits.npy").write_bytes(b"not digits")
    with pytest.raises(InputError, match=r"digits\.npy: expected md5 70ae34ff35ee24e18200c64664679486, found"):
        download("digits", raw, mirror=None, path=None)
    with pytest.raises(InputError, match="expected md5"):
        find("digits").read(raw, label=None, image_size=None)
    (raw / "digits.npy").unlink()
    with pytest.raises(InputError, match="not there; run `dvc repro download`"):
        find("digits").read(raw, label=None, image_size=None)
