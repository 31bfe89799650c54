"""Arrays by what they are called: the same answer for a file, for the mapping that numpy.load gives, and for a dict."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from latent_audit import AuditSettings, audit, audit_side_by_side
from latent_audit.auditing.files import read_foreign
from latent_audit.auditing.stored import FileWarning
from latent_audit.base.errors import InputError

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
N, D = 60, 2
RNG = np.random.default_rng(11)
Z, LABELS = RNG.standard_normal((N, D)), np.arange(N) % 2
STD = np.full((N, D), 0.5)


def saved(path: Path, **arrays: Any) -> Path:
    """An .npz of the arrays."""
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("name", ["arr_0", "codes", "latents", "embeddings", "x", "my_vectors"])
def test_the_only_array_of_a_file_is_the_codes(tmp_path: Path, name: str):
    codes = read_foreign(saved(tmp_path / "c.npz", **{name: Z}))
    np.testing.assert_array_equal(codes.z, Z)
    assert codes.notes == [f"c.npz, array '{name}' is taken as z"]


def test_labels_beside_it_and_other_arrays_beside_codes_by_name_do_not_matter(tmp_path: Path):
    codes = read_foreign(saved(tmp_path / "c.npz", latents=Z, images=np.zeros((N, 4)), targets=LABELS))
    np.testing.assert_array_equal(codes.z, Z)
    assert any("'images', 'targets'" in note for note in codes.notes)
    labelled = read_foreign(saved(tmp_path / "d.npz", arr_0=Z, labels=LABELS))
    np.testing.assert_array_equal(labelled.z, Z)
    np.testing.assert_array_equal(labelled.labels, LABELS)


@pytest.mark.parametrize("names", [("a", "b"), ("codes", "embeddings"), ("z_train", "z_test"), ("sigma",), ("y",)])
def test_which_of_several_is_asked(tmp_path: Path, names: tuple[str, ...]):
    with pytest.raises(InputError, match="--array NAME"):
        read_foreign(saved(tmp_path / "c.npz", **{name: Z for name in names}))


def test_an_open_archive_is_what_its_path_is(tmp_path: Path):
    path = saved(tmp_path / "c.npz", mu=Z, sigma=STD, labels=LABELS)
    with pytest.warns(FileWarning, match="'sigma'.* standard deviation"):
        of_mapping = audit(np.load(path), settings=FAST)
    with pytest.warns(FileWarning) as said:
        of_path = audit(path, settings=FAST)
    assert "'sigma' is by its name a standard deviation" in str(said[0].message)
    assert of_mapping.audited is not None and of_path.audited is not None
    np.testing.assert_array_equal(of_mapping.audited.logvar, np.full((N, D), 2 * np.log(0.5)))
    np.testing.assert_array_equal(of_mapping.audited.labels, LABELS)
    pd.testing.assert_frame_equal(of_mapping.joint, of_path.joint)


def test_a_mapping_holds_what_may_stand_beside_codes_and_the_rest_is_named():
    has = (RNG.random((N, 2)) > 0.5).astype(int)
    arrays = {"codes": Z, "factors": np.c_[LABELS, LABELS[::-1]], "attributes": has, "attribute_names": ["Hat", "Tie"]}
    with pytest.warns(FileWarning, match=r"not used: \['loss'\]"):
        found = audit({**arrays, "loss": np.zeros(N)}, settings=FAST)
    assert found.disentanglement is not None and found.directions is not None
    assert list(found.directions["direction"]) == ["Hat", "Tie"]
    indices = audit({"indices": np.tile(np.arange(4), (30, 1)), "entries": 4})
    assert indices.codebook is not None and indices.codebook.set_index("metric").loc["perplexity", "value"] == 4


def test_what_is_given_apart_comes_first():
    with warnings.catch_warnings():
        warnings.simplefilter("error", FileWarning)
        found = audit({"z": Z, "labels": LABELS}, labels=LABELS[::-1], settings=FAST)
    assert found.audited is not None
    np.testing.assert_array_equal(found.audited.labels, LABELS[::-1])


def test_archives_side_by_side(tmp_path: Path):
    archive = np.load(saved(tmp_path / "c.npz", mu=Z, log_var=2 * np.log(STD), step=np.array(7)))
    with pytest.warns(FileWarning, match=r"not used: \['step'\]"):
        found = audit_side_by_side({"first": archive, "second": {"z": Z}}, settings=FAST)
    assert found["first"].audited is not None
    np.testing.assert_array_equal(found["first"].audited.logvar, 2 * np.log(STD))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("names", [("z_0", "z_1"), ("latent1", "latent2"), ("dim_0", "dim_1"), ("PC1", "PC2")])
def test_beside_columns_called_alike_and_numbered_nothing_else_is_a_code(
    tmp_path: Path, names: tuple[str, str], suffix: str
):
    table = pd.DataFrame(Z, columns=list(names)).assign(brightness=RNG.random(N))
    path = tmp_path / f"c{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    codes = read_foreign(path)
    np.testing.assert_array_equal(codes.z, Z)
    assert list(codes.columns["z"]) == list(names)
    assert f"c{suffix}: left out, beside '{names[0]}' and so on: ['brightness']" in codes.notes[-1]
    assert read_foreign(path, columns=["*"]).z.shape == (N, 3)


def test_beside_codes_coordinates_of_a_map_are_none_and_text_is_asked_about(tmp_path: Path):
    table = pd.DataFrame(Z, columns=["z_0", "z_1"]).assign(umap_1=Z[:, 0] * 2, umap_2=Z[:, 1] * 2)
    table.assign(genre="cat").to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(InputError, match=r"'genre'.*say --labels genre"):
        read_foreign(tmp_path / "c.csv")
    with pytest.warns(UserWarning, match=r"left out, beside 'z_0' and so on: \['umap_1', 'umap_2'\]"):
        assert audit(table, settings=FAST).per_dim["name"].tolist() == ["z_0", "z_1"]


def test_two_numbered_parts_of_one_code_are_both_kept(tmp_path: Path):
    both = np.c_[Z, Z[::-1]]
    pd.DataFrame(both, columns=["style_0", "style_1", "content_0", "content_1"]).to_csv(tmp_path / "c.csv", index=False)
    np.testing.assert_array_equal(read_foreign(tmp_path / "c.csv").z, both)


@pytest.mark.parametrize(
    ("mean", "spread"), [("dim{}_mu", "dim{}_logvar"), ("mu_q_{}", "log_var_q_{}"), ("{}_mean", "{}_lv")]
)
def test_a_posterior_whatever_stands_about_its_names(tmp_path: Path, mean: str, spread: str):
    table = pd.DataFrame({name.format(k): (Z, 2 * np.log(STD))[kind][:, k] for kind, name in enumerate((mean, spread))
                          for k in range(D)})  # fmt: skip
    table.to_csv(tmp_path / "c.csv", index=False)
    codes = read_foreign(tmp_path / "c.csv")
    np.testing.assert_array_equal(codes.mu, Z)
    assert codes.logvar is not None
    np.testing.assert_allclose(codes.logvar, 2 * np.log(STD))
