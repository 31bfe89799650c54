import json

import numpy as np
import pytest

from latent_audit.base.errors import InputError
from latent_audit.data import split_arrays
from latent_audit.data.prepare import prepare
from latent_audit.data.prepared import load_meta, load_split
from latent_audit.data.sources.download import download

DEFAULTS = {"limit": None, "pad_to": 32, "label": None, "image_size": None}
META_KEYS = {  # the contract with every later stage
    *("dataset", "classes", "channels", "height", "width", "native_height", "native_width", "pad", "n_train", "n_test"),
    *("limit", "available_train", "available_test", "raw_sha256", "terms", "images_may_be_shown", "columns", "notes"),
}


def run(tiny, out, **changes):
    prepare("fashion_mnist", tiny.mirror / "fashion_mnist", out, **{**DEFAULTS, **changes})
    return out


def test_pads_with_zeros_on_every_side_and_changes_nothing_else(tiny, tmp_path):
    out = run(tiny, tmp_path / "out")
    for split in ("train", "test"):
        images, labels = load_split(out, split)
        assert images.dtype == np.uint8 and labels.dtype == np.int64
        np.testing.assert_array_equal(images[:, 0], np.pad(tiny.images[split], ((0, 0), (2, 2), (2, 2))))
        np.testing.assert_array_equal(labels, tiny.labels[split])


def test_meta_has_the_keys_of_the_contract_sorted_and_true(tiny, tmp_path):
    text = (run(tiny, tmp_path / "out") / "meta.json").read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    assert set(json.loads(text)) == META_KEYS
    meta = load_meta(tmp_path / "out")
    assert (meta.dataset, meta.channels, meta.height, meta.native_height) == ("fashion_mnist", 1, 32, 28)
    assert meta.pad == [2, 2, 2, 2] and meta.limit is None and (meta.n_train, meta.n_test) == (120, 110)
    assert len(meta.raw_sha256) == 4


def test_an_odd_border_goes_below_and_to_the_right(tiny, tmp_path):
    out = run(tiny, tmp_path / "out", pad_to=31)
    assert load_meta(out).pad == [1, 2, 1, 2]
    np.testing.assert_array_equal(load_split(out, "test").images[:, 0, 1:29, 1:29], tiny.images["test"])


def test_limit_keeps_whole_classes_in_share_and_the_order_of_the_source(tiny, tmp_path):
    out = run(tiny, tmp_path / "out", limit=105)
    meta = load_meta(out)
    assert (meta.n_train, meta.n_test, meta.available_train, meta.available_test) == (105, 105, 120, 110)
    images, labels = load_split(out, "train")
    assert set(np.bincount(labels, minlength=10)) <= {10, 11}
    firsts = [np.flatnonzero((tiny.images["train"] == image[0, 2:30, 2:30]).all((1, 2)))[0] for image in images]
    assert firsts == sorted(set(firsts))
    np.testing.assert_array_equal(labels, tiny.labels["train"][firsts])


def test_a_limit_beyond_the_data_is_all_of_them(tiny, tmp_path):
    meta = load_meta(run(tiny, tmp_path / "out", limit=5000))
    assert (meta.limit, meta.n_train, meta.n_test) == (5000, 120, 110)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"limit": 99}, "limit: 99 images per split are too few: with fewer than 100 codes"),
        ({"limit": 0}, "limit: 0 images"),
        ({"pad_to": 27}, "pad_to: 27 is smaller than the images, which are 28x28; set pad_to to 28 or more"),
        ({"image_size": 0}, "image_size: 0; give 8 pixels or more"),
    ],
)
def test_refuses_parameters_that_make_no_sense(tiny, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        run(tiny, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_unknown_data_set_lists_the_known(tmp_path):
    known = "digits, fashion_mnist, mnist, kmnist, celeba, sprites, folder"
    with pytest.raises(InputError, match=f"no data set is called 'mnsit'; there are {known}"):
        prepare("mnsit", tmp_path, tmp_path / "out", **DEFAULTS)
    with pytest.raises(InputError, match=known):
        download("mnsit", tmp_path / "raw", mirror=None, path=None)
    assert not (tmp_path / "raw").exists()


def test_too_few_images_are_refused(tiny, tmp_path, as_idx):
    raw = tiny.mirror / "fashion_mnist"
    (raw / "t10k-images-idx3-ubyte.gz").write_bytes(as_idx(np.zeros((1, 28, 28))))
    (raw / "t10k-labels-idx1-ubyte.gz").write_bytes(as_idx(np.zeros(1)))
    with pytest.raises(InputError, match="1 test images; at least 100 are needed"):
        run(tiny, tmp_path / "out")


def test_the_same_bytes_twice_whatever_the_chunk(tiny, tmp_path, monkeypatch):
    run(tiny, tmp_path / "a", limit=101)
    monkeypatch.setattr(split_arrays, "CHUNK", 7)
    run(tiny, tmp_path / "b", limit=101)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["meta.json", "test_images.npy", "test_labels.npy", "train_images.npy", "train_labels.npy"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_a_run_that_dies_leaves_nothing_that_looks_whole(tiny, tmp_path, monkeypatch):
    out = run(tiny, tmp_path / "out")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "open_memmap", fail)
    with pytest.raises(InputError, match="No space left on device"):
        run(tiny, out)
    assert not (out / "meta.json").exists()
    assert not [path for path in out.iterdir() if path.suffix == ".part"]
    with pytest.raises(InputError, match=r"meta\.json: not there; run `dvc repro preprocess`"):
        load_split(out, "train")


def test_a_folder_that_cannot_be_written_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"Not a directory|File exists"):
        download("digits", tmp_path / "file" / "raw", mirror=None, path=None)
