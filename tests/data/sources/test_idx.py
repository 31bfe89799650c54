import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from latent_audit.base.errors import InputError
from latent_audit.data.prepare import prepare
from latent_audit.data.prepared import load_meta, load_split
from latent_audit.data.sources.download import download
from latent_audit.data.sources.idx import read_idx
from latent_audit.data.sources.registry import find


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content, mtime=0))
    return path


def test_reads_a_file_written_by_hand(tmp_path):
    # 0x00000803: unsigned bytes, three axes; then 2, 1, 3; then the values, row by row
    path = written(tmp_path / "x.gz", bytes.fromhex("00000803 00000002 00000001 00000003 010203 fdfeff"))
    np.testing.assert_array_equal(read_idx(path, 3), [[[1, 2, 3]], [[253, 254, 255]]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("00000801 00000002 0102", "begins with bytes 00000801, and an IDX file of 3 axes.* with 00000803"),
        ("", "begins with bytes none"),
        ("00000803 00000002", "begins with bytes 00000803"),
        ("00000803 00000002 00000001 00000003 0102030405", r"promises \(2, 1, 3\) values, and 5 follow"),
        ("00000803 00000002 00000001 00000003 01020304050607", "and 7 follow"),
        ("00000803 80000000 80000000 00000004", "and 0 follow"),  # 2^64 values, which 64 bits count as none
    ],
)
def test_refuses_what_is_not_the_file_its_header_says(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        read_idx(written(tmp_path / "x.gz", bytes.fromhex(content)), 3)


def test_refuses_a_missing_a_cut_and_a_plain_file(tmp_path, as_idx):
    whole = as_idx(np.zeros((5, 28, 28)))
    with pytest.raises(InputError, match=r"none\.gz: not there; run `dvc repro download`"):
        read_idx(tmp_path / "none.gz", 3)
    (tmp_path / "cut.gz").write_bytes(whole[:-10])
    with pytest.raises(InputError, match=r"cut\.gz: not a whole gzip file"):
        read_idx(tmp_path / "cut.gz", 3)
    (tmp_path / "plain.gz").write_bytes(gzip.decompress(whole))
    with pytest.raises(InputError, match=r"plain\.gz: not a whole gzip file"):
        read_idx(tmp_path / "plain.gz", 3)


def test_fetches_and_reads_all_four(tiny, tmp_path):
    download("fashion_mnist", tmp_path / "raw", mirror=str(tiny.mirror), path=None)
    source = find("fashion_mnist").read(tmp_path / "raw", label=None, image_size=None)
    assert source.classes[0] == "T-shirt/top" and source.classes[9] == "Ankle boot"
    np.testing.assert_array_equal(source.test.labels, tiny.labels["test"])
    np.testing.assert_array_equal(source.train.read(np.array([5, 0]))[:, 0], tiny.images["train"][[5, 0]])


def test_a_bad_file_among_the_four_stops(tiny, tmp_path):
    (tiny.mirror / "fashion_mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"x")
    with pytest.raises(
        InputError, match=r"t10k-labels-idx1-ubyte\.gz: expected md5 .*, found 9dd4e461268c8034f5c8564e155c"
    ):
        download("fashion_mnist", tmp_path / "raw", mirror=str(tiny.mirror), path=None)


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("train-labels-idx1-ubyte.gz", np.zeros(119), "120 images and 119 labels"),
        ("train-labels-idx1-ubyte.gz", np.full(120, 10), "label 10 in a set of 10 classes"),
        ("t10k-images-idx3-ubyte.gz", np.zeros((110, 27, 28)), r"train images are 28x28, test images \(27, 28\)"),
    ],
)
def test_refuses_files_that_do_not_belong_together(tiny, as_idx, file, values, message):
    raw = tiny.mirror / "fashion_mnist"
    (raw / file).write_bytes(as_idx(values))
    with pytest.raises(InputError, match=message):
        find("fashion_mnist").read(raw, label=None, image_size=None)


def test_its_images_are_not_resized(tiny):
    with pytest.raises(InputError, match="image_size 64: its images are 28x28"):
        find("fashion_mnist").read(tiny.mirror / "fashion_mnist", label=None, image_size=64)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_real_files(name, tmp_path):
    mirror = os.environ.get("LATENT_AUDIT_MIRROR")
    if not mirror:
        pytest.skip("LATENT_AUDIT_MIRROR is not set: the real files are not at hand")
    download(name, tmp_path / "raw", mirror=mirror, path=None)
    prepare(name, tmp_path / "raw", tmp_path / "out", limit=100, pad_to=32, label=None, image_size=None)
    meta = load_meta(tmp_path / "out")
    assert (meta.available_train, meta.available_test, meta.n_test) == (60_000, 10_000, 100)
    assert set(load_split(tmp_path / "out", "test").labels) == set(range(10))
