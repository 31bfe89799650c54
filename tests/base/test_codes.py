"""latent_audit.base.codes: float32 on disk, float64 in hand, and nothing that executes."""

import gc
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

from latent_audit.base.codes import read_codes, write_codes
from latent_audit.base.errors import InputError


def test_round_trip(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "mu": rng.normal(size=(5, 2)),
        "z": rng.normal(size=(5, 2)).astype(np.float32),
        "labels": np.arange(5, dtype=np.int64),
        "lattice": rng.integers(0, 256, (2, 2), dtype=np.uint8),
    }
    path = tmp_path / "vae" / "seed-0.npz"
    write_codes(path, arrays)
    read = read_codes(path)
    assert list(read) == list(arrays)
    assert {name: values.dtype.name for name, values in read.items()} == {
        "mu": "float64", "z": "float64", "labels": "int64", "lattice": "uint8",
    }  # fmt: skip
    for name, values in arrays.items():
        expected = values.astype(np.float32) if values.dtype.kind == "f" else values
        assert np.array_equal(read[name], expected)
    with np.load(path) as archive:
        assert archive["mu"].dtype == archive["z"].dtype == np.float32


def test_equal_arrays_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_codes(tmp_path / name, {"z": np.ones((3, 2))})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


def test_a_pickle_inside_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, allow_pickle=True, z=np.array([Bomb()], dtype=object))
    with pytest.raises(InputError, match=r"cannot read the codes .*x\.npz.*run `dvc repro encode`"):
        read_codes(path)


def test_a_bare_pickle_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(pickle.dumps({"z": 1}))
    with pytest.raises(InputError, match=r"cannot read the codes"):
        read_codes(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the codes .*seed-9\.npz.*run `dvc repro encode`"):
        read_codes(tmp_path / "seed-9.npz")


@pytest.mark.parametrize("damage", ["half", "empty", "one array"])
def test_damaged_file(tmp_path, damage):
    path = tmp_path / "seed-0.npz"
    write_codes(path, {"z": np.ones((50, 2))})
    if damage == "one array":
        with path.open("wb") as file:
            np.save(file, np.ones(3))
    else:
        path.write_bytes(path.read_bytes()[: 200 if damage == "half" else 0])
    kind, message = error_of(path)
    assert kind is InputError, message
    assert message.startswith("cannot read the codes")


def error_of(path: Path) -> tuple[type[Exception] | None, str]:
    """The error of reading `path`, kept without its frames: numpy leaves a file open in them that is no whole .npz."""
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        try:
            read_codes(path)
            kind, message = None, ""
        except Exception as error:
            kind, message = type(error), str(error)
        gc.collect()
    return kind, message


def test_a_failed_write_keeps_the_old_codes(tmp_path):
    path = tmp_path / "seed-0.npz"
    write_codes(path, {"z": np.ones((3, 2))})
    with pytest.raises(TypeError):
        write_codes(path, {1: np.zeros(3)})  # type: ignore[dict-item]
    assert np.array_equal(read_codes(path)["z"], np.ones((3, 2)))
    assert list(tmp_path.iterdir()) == [path]
