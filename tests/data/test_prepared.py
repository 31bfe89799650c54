import json
import subprocess
import sys

import numpy as np
import pytest

from latent_audit.base.errors import InputError
from latent_audit.data.outsiders import load_outsiders
from latent_audit.data.prepare import prepare
from latent_audit.data.prepared import counted, labels_of, load_array, load_meta, load_split, told_apart


@pytest.fixture
def prepared(tiny, tmp_path):
    prepare(
        "fashion_mnist",
        tiny.mirror / "fashion_mnist",
        tmp_path / "prepared",
        limit=None,
        pad_to=32,
        label=None,
        image_size=None,
    )
    return tmp_path / "prepared"


def test_images_stay_on_disk_and_what_is_written_to_them_does_not_reach_it(prepared):
    before = (prepared / "train_images.npy").read_bytes()
    images, _ = load_split(prepared, "train")
    assert isinstance(images, np.memmap)
    images[:] = 9  # copy on write: torch.from_numpy warns of arrays it cannot write to
    images.flush()
    assert (prepared / "train_images.npy").read_bytes() == before


def test_importing_it_loads_no_torch_and_no_data_set():
    code = "import sys, latent_audit.data.prepared; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "torchvision", "pandas", "sklearn", "PIL", "latent_audit.data.sources.registry"} & set(loaded)


def test_missing_files_say_what_to_run(prepared, tmp_path):
    with pytest.raises(InputError, match=r"nowhere/meta\.json: not there; run `dvc repro preprocess`"):
        load_split(tmp_path / "nowhere", "train")
    (prepared / "train_labels.npy").unlink()
    with pytest.raises(InputError, match=r"train_labels\.npy: not there; run `dvc repro preprocess`"):
        load_split(prepared, "train")


def test_refuses_arrays_that_are_cut_or_do_not_fit_the_description(prepared):
    np.save(prepared / "test_labels.npy", np.zeros(7, dtype=np.int64))
    with pytest.raises(InputError, match=r"test has images uint8 \(110, 1, 32, 32\), labels int64 \(7,\)"):
        load_split(prepared, "test")
    whole = (prepared / "train_images.npy").read_bytes()
    (prepared / "train_images.npy").write_bytes(whole[:-1])
    with pytest.raises(InputError, match=r"train_images\.npy: not a whole \.npy file"):
        load_split(prepared, "train")
    np.save(prepared / "train_images.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(InputError, match=r"train_images\.npy: not a whole \.npy file"):
        load_array(prepared / "train_images.npy")


def test_refuses_a_description_of_another_kind(prepared):
    meta = json.loads((prepared / "meta.json").read_text())
    (prepared / "meta.json").write_text(json.dumps({**meta, "colour": 1}))
    with pytest.raises(InputError, match=r"its keys are .*colour"):
        load_meta(prepared)
    (prepared / "meta.json").write_text("{")
    with pytest.raises(InputError, match=r"meta\.json: not JSON"):
        load_meta(prepared)


def test_refuses_another_split(prepared):
    with pytest.raises(InputError, match="split 'valid'; it is 'train' or 'test'"):
        load_split(prepared, "valid")


@pytest.mark.parametrize("split", ["train", "test"])
def test_classes_that_one_split_lacks_cannot_be_told_apart(prepared, split):
    assert told_apart(prepared) == load_meta(prepared).classes
    labels = np.load(prepared / f"{split}_labels.npy")
    np.save(prepared / f"{split}_labels.npy", np.zeros_like(labels))
    assert told_apart(prepared) == []


def test_an_arm_sees_the_images_of_its_classes_only_and_the_others_are_outsiders_to_it(prepared):
    whole, own = load_split(prepared, "test"), load_split(prepared, "test", [3, 7])
    assert set(own.labels) == {3, 7}
    np.testing.assert_array_equal(own.images, whole.images[np.isin(whole.labels, [3, 7])])
    ((name, others),) = load_outsiders(prepared, [3, 7]).items()
    assert name == "other_classes"
    np.testing.assert_array_equal(others, whole.images[~np.isin(whole.labels, [3, 7])])
    assert told_apart(prepared, [3]) == [] and told_apart(prepared, [3, 7]) == load_meta(prepared).classes


def test_too_few_images_of_an_arms_classes_are_refused_with_the_parameter(prepared, monkeypatch):
    assert counted(prepared, None, "arms.x.classes") == load_meta(prepared)
    with pytest.raises(InputError, match=r"arms\.x\.classes: 24 training and 22 test images; at least 100"):
        counted(prepared, [3, 7], "arms.x.classes")
    monkeypatch.setattr("latent_audit.data.prepared.FEWEST", 20)
    few = counted(prepared, [3, 7], "arms.x.classes")
    assert (few.n_train, few.n_test) == (24, 22)


def test_classes_are_named_or_numbered_and_leave_an_outsider():
    assert labels_of(["cat", "dog", "cow"], ["Cow", 0, "0"], "arms.x.classes") == (0, 2)
    with pytest.raises(InputError, match=r"arms\.x\.classes: there is no class 'horse'; there are cat, dog"):
        labels_of(["cat", "dog"], ["horse"], "arms.x.classes")
    with pytest.raises(InputError, match=r"arms\.x\.classes: all 2 classes: none is left to be an outsider"):
        labels_of(["cat", "dog"], ["dog", "cat"], "arms.x.classes")
