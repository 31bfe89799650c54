"""Files of several arrays, and arrays too large to be taken whole: .safetensors, .h5ad, --array, maps, --reduce."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from latent_audit import AuditSettings, audit
from latent_audit.auditing import arrays as audit_arrays
from latent_audit.auditing.files import read_foreign
from latent_audit.auditing.stored import FileWarning
from latent_audit.base.errors import InputError

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
RNG = np.random.default_rng(6)
Z = RNG.standard_normal((60, 3))
MAPS = RNG.standard_normal((60, 3, 4, 4)).astype(np.float32)
LABELS = np.arange(60) % 3


def tensors(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    save_file(arrays, folder / "codes.safetensors")
    return folder / "codes.safetensors"


def by_hand(folder: Path, header: object, data: bytes = b"") -> Path:
    """A .safetensors file with a header of one's own."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    (folder / "codes.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
    return folder / "codes.safetensors"


def saved(folder: Path, array: np.ndarray) -> Path:
    np.save(folder / "codes.npy", array)
    return folder / "codes.npy"


# --- .safetensors ----------------------------------------------------------------------------------------------------


def test_tensors_are_read_by_their_names_or_by_the_one_that_is_named(tmp_path: Path):
    both = read_foreign(tensors(tmp_path, {"mu": Z, "logvar": np.zeros_like(Z), "labels": LABELS}), seed=1)
    np.testing.assert_array_equal(both.mu, Z)
    assert both.labels.tolist() == LABELS.tolist()
    path = tensors(tmp_path, {"encoder.out": Z, "other": 2 * Z, "kind": LABELS})
    named = read_foreign(path, array="other", labels="kind")
    np.testing.assert_array_equal(named.z, 2 * Z)
    assert named.labels.tolist() == LABELS.tolist()
    assert "the array 'other' is the codes" in named.notes[0]
    with pytest.raises(
        InputError, match=r"needs an array 'z' or 'mu', it has \['encoder.out', 'kind', 'other'\].*--array"
    ):
        read_foreign(path)
    with pytest.raises(
        InputError, match=r"--array 'none' is no array of it; it has \['encoder.out', 'kind', 'other'\]"
    ):
        read_foreign(path, array="none")
    np.testing.assert_array_equal(read_foreign(tensors(tmp_path, {"encoder.out": Z, "labels": LABELS})).z, Z)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.uint16])
def test_tensors_of_every_type(tmp_path: Path, dtype):
    values = np.abs(Z * 10).astype(np.int8).astype(dtype)
    np.testing.assert_array_equal(read_foreign(tensors(tmp_path, {"z": values})).z, values)


def test_bfloat16_tensors_and_npy_files_of_two_bare_bytes(tmp_path: Path):
    upper = (Z.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    expected = (upper.astype(np.uint32) << 16).view(np.float32)
    header = {"__metadata__": {"format": "pt"}, "z": {"dtype": "BF16", "shape": [60, 3], "data_offsets": [0, 360]}}
    np.testing.assert_array_equal(read_foreign(by_hand(tmp_path, header, upper.tobytes())).z, expected)
    np.testing.assert_array_equal(read_foreign(saved(tmp_path, upper.view("V2"))).z, expected)


def test_bfloat16_as_ml_dtypes_stores_it(tmp_path: Path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    short = Z.astype(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(read_foreign(saved(tmp_path, short)).z, short.astype(np.float64))


ENTRY = {"dtype": "F32", "shape": [60, 3], "data_offsets": [0, 720]}
DAMAGED = {
    "no header": (b"", "not a readable .safetensors file"),
    "no json": (b"{oops", "not a readable .safetensors file"),
    "a list": ([1, 2], "its header is no table of tensors"),
    "nothing": ({"__metadata__": {}}, "holds no tensor"),
    "words": ({"z": 3}, r"says nothing of the tensors \['z'\]"),
    "no shape": ({"z": {"dtype": "F32"}}, "tensor 'z': not a readable tensor"),
    "cut off": ({"z": ENTRY | {"data_offsets": [360, 1080]}}, "the file is cut off or damaged"),
    "too few": ({"z": ENTRY | {"shape": [61, 3]}}, r"shape \[61, 3\] of F32 and bytes 0 to 720, which does not fit"),
    "negative": ({"z": ENTRY | {"shape": [-60, -3]}}, "does not fit together"),
    "type": ({"z": ENTRY | {"dtype": "F8_E4M3"}}, "of type F8_E4M3, which is not read here"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_tensors_are_refused(tmp_path: Path, case: str):
    header, message = DAMAGED[case]
    with pytest.raises(InputError, match=message):
        read_foreign(by_hand(tmp_path, header, bytes(720)))


def test_a_header_longer_than_its_file_is_refused_before_it_is_read(tmp_path: Path):
    (tmp_path / "codes.safetensors").write_bytes((2**40).to_bytes(8, "little") + b"{}")
    with pytest.raises(InputError, match=r"a header of 1,099,511,627,776 bytes"):
        read_foreign(tmp_path / "codes.safetensors")


# --- .h5ad ------------------------------------------------------------------------------------------------------------


def annotated(folder: Path, obsm: dict[str, np.ndarray], *, sparse: bool = False) -> Path:
    """An .h5ad as AnnData 0.8 and later write it."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "cells.h5ad", "w") as file:
        for name, array in obsm.items():
            file[f"obsm/{name}"] = array
        kinds = file.create_group("obs/kind")
        kinds["codes"], kinds["categories"] = (LABELS % 2).astype(np.int8), [b"B cell", b"T cell"]
        file["obs/batch"] = np.array([b"a", b"b", b"c"])[LABELS]
        if not sparse:
            file["X"] = 3 * Z
            return folder / "cells.h5ad"
        wide = np.zeros((60, 3000))
        wide[:, :3] = Z
        from scipy.sparse import csc_matrix

        own, group = csc_matrix(wide), file.create_group("X")
        group.attrs["encoding-type"], group.attrs["shape"] = "csc_matrix", own.shape
        group["data"], group["indices"], group["indptr"] = own.data, own.indices, own.indptr
    return folder / "cells.h5ad"


def test_cells_are_read_from_obsm_or_x_with_labels_of_obs(tmp_path: Path):
    path = annotated(tmp_path, {"X_scVI": Z})
    codes = read_foreign(path, labels="kind")
    np.testing.assert_array_equal(codes.z, Z)
    assert codes.labels.tolist() == np.array(["B cell", "T cell"])[LABELS % 2].tolist()
    assert "the array 'obsm/X_scVI' is the codes" in codes.notes[0]
    np.testing.assert_array_equal(read_foreign(path, array="X").z, 3 * Z)
    assert read_foreign(path, labels="batch", array="obsm/X_scVI").labels[:3].tolist() == ["a", "b", "c"]
    with pytest.raises(InputError, match=r"--array 'X_pca' is no array of it; it has \['obsm/X_scVI', 'X'\]"):
        read_foreign(path, array="X_pca")
    with pytest.raises(InputError, match=r"--labels leiden: there is no such file"):
        read_foreign(path, labels="leiden")


def test_several_embeddings_must_be_named_and_sparse_counts_are_reduced(tmp_path: Path):
    path = annotated(tmp_path, {"X_pca": Z, "X_scVI": 2 * Z}, sparse=True)
    with pytest.raises(InputError, match=r"which array holds the codes\? Say --array NAME; it has \['obsm/X_pca', "):
        read_foreign(path)
    np.testing.assert_array_equal(read_foreign(path, array="X_scVI").z, 2 * Z)
    of_counts = read_foreign(path, array="X", reduce="random:5")
    assert of_counts.z.shape == (60, 5)
    square = (Z**2).sum()
    assert (of_counts.z**2).sum() == pytest.approx(of_counts.form.reduction.kept_share * square)


def test_what_is_no_h5ad_is_refused(tmp_path: Path):
    h5py = pytest.importorskip("h5py")
    (tmp_path / "text.h5ad").write_text("1,2\n")
    with pytest.raises(InputError, match=r"not a readable \.h5ad file"):
        read_foreign(tmp_path / "text.h5ad")
    with h5py.File(tmp_path / "empty.h5ad", "w") as file:
        file["obs/kind"] = LABELS
    with pytest.raises(InputError, match="has no X, obsm or layers"):
        read_foreign(tmp_path / "empty.h5ad")


def test_without_h5py_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "cells.h5ad").write_bytes(b"\x89HDF\r\n")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match=r"cells\.h5ad: .* pip install 'latent-audit\[anndata\]'"):
        read_foreign(tmp_path / "cells.h5ad")


# --- which array, and what is never opened ---------------------------------------------------------------------------


def test_an_array_of_an_npz_is_named(tmp_path: Path):
    np.savez(tmp_path / "codes.npz", train=Z, test=Z[:30], y=LABELS)
    np.testing.assert_array_equal(read_foreign(tmp_path / "codes.npz", array="test", labels=None).z, Z[:30])
    with pytest.raises(InputError, match=r"--array 'valid' is no array of it; it has \['train', 'test', 'y'\]"):
        read_foreign(tmp_path / "codes.npz", array="valid")
    with pytest.raises(InputError, match=r"--array 'z' is of \.npz, \.safetensors, \.h5ad; it holds one array"):
        read_foreign(saved(tmp_path, Z), array="z")
    pd.DataFrame(Z).to_csv(tmp_path / "codes.csv")
    with pytest.raises(InputError, match="--columns chooses the codes of it"):
        read_foreign(tmp_path / "codes.csv", array="z")


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pkl", ".pickle", ".ckpt"])
def test_pickles_are_refused_with_the_line_that_converts_them(tmp_path: Path, suffix: str):
    (tmp_path / f"z{suffix}").write_bytes(b"\x80\x04")
    with pytest.raises(InputError, match=r"never opened here\. Convert it once") as refused:
        read_foreign(tmp_path / f"z{suffix}")
    line = str(refused.value).partition("python -c ")[2]
    assert line.startswith('"import numpy, ') and f"'z{suffix}'" in line and "numpy.save('z.npy', " in line
    compile(line.strip('"'), "line", "exec")


def test_the_line_for_a_pickle_makes_the_file_that_is_read(tmp_path: Path):
    import pickle

    (tmp_path / "z.pkl").write_bytes(pickle.dumps(Z.tolist()))
    with pytest.raises(InputError) as refused:
        read_foreign(tmp_path / "z.pkl")
    code = str(refused.value).partition(': python -c "')[2].rstrip('"')
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    np.testing.assert_array_equal(read_foreign(tmp_path / "z.npy").z, Z.astype(np.float32))


# --- maps and many dimensions ----------------------------------------------------------------------------------------


def test_maps_are_rows_of_positions_in_every_format(tmp_path: Path):
    np.savez(tmp_path / "codes.npz", z=MAPS, labels=LABELS)
    of_npz = read_foreign(tmp_path / "codes.npz")
    of_tensors = read_foreign(tensors(tmp_path, {"z": MAPS, "labels": LABELS}))
    np.testing.assert_array_equal(of_npz.z, of_tensors.z)
    assert of_npz.form.maps.shape == (60, 3, 4, 4)
    assert of_npz.labels.tolist() == LABELS.tolist()  # one position of each
    assert of_npz.n_samples == 60
    flat = read_foreign(saved(tmp_path, MAPS))
    assert len(flat.z) > 60
    assert "single positions of 60 maps of 3 x 4 x 4" in flat.notes[0]


def test_columns_choose_channels(tmp_path: Path):
    found = read_foreign(saved(tmp_path, MAPS), columns=["0,2"])
    assert found.form.maps.shape == (60, 2, 4, 4)
    assert found.columns == {"z": ["0", "2"]}
    wide = np.hstack([Z, np.zeros((60, 3000))])
    np.testing.assert_array_equal(read_foreign(saved(tmp_path, wide), columns=["0,1,2"]).z, Z)


def test_a_large_array_that_is_not_packed_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit_arrays, "MAPPED_BYTES", 100)
    assert isinstance(audit_arrays.read_npy(saved(tmp_path, MAPS)), np.memmap)
    np.testing.assert_array_equal(audit_arrays.read_npy(saved(tmp_path, np.asfortranarray(Z))), Z)
    np.savez(tmp_path / "codes.npz", first=Z, z=MAPS)
    np.savez_compressed(tmp_path / "packed.npz", z=MAPS)
    with audit_arrays.open_npz(tmp_path / "codes.npz") as archive:
        mapped = archive.read("z")
        assert isinstance(mapped, np.memmap)
        np.testing.assert_array_equal(mapped, MAPS)
        np.testing.assert_array_equal(archive.read("first"), Z)
    with audit_arrays.open_npz(tmp_path / "packed.npz") as archive:
        np.testing.assert_array_equal(archive.read("z"), MAPS)
    with zipfile.ZipFile(tmp_path / "codes.npz", "a") as file:
        file.writestr("more.npy", saved(tmp_path, 2 * Z).read_bytes())
    with audit_arrays.open_npz(tmp_path / "codes.npz") as archive:
        np.testing.assert_array_equal(archive.read("more"), 2 * Z)


def test_a_posterior_of_maps_with_sds(tmp_path: Path):
    sd = np.full_like(MAPS, 0.5)
    np.savez(tmp_path / "codes.npz", mu=MAPS, sigma=sd)
    found = read_foreign(tmp_path / "codes.npz")
    np.testing.assert_allclose(found.logvar, 2 * np.log(0.5))
    assert any("one draw of N(mu, exp(logvar))" in note for note in found.notes)
    np.savez(tmp_path / "codes.npz", mu=MAPS, sigma=-sd)
    with pytest.raises(InputError, match="not above 0"):
        read_foreign(tmp_path / "codes.npz")


@pytest.mark.parametrize("suffix", [".npy", ".parquet", ".csv"])
def test_many_dimensions_are_reduced_in_every_format(tmp_path: Path, suffix: str):
    wide = np.hstack([Z, np.zeros((60, 2100))]).astype(np.float32)
    path = tmp_path / f"codes{suffix}"
    if suffix == ".npy":
        np.save(path, wide)
    elif suffix == ".parquet":
        pd.DataFrame({"embedding": list(wide)}).to_parquet(path)
    else:
        pd.DataFrame(wide).to_csv(path, index=False)
    found = read_foreign(path, reduce="pca:3")
    assert found.z.shape == (30, 3)
    assert np.sqrt((found.z**2).sum()) == pytest.approx(np.linalg.norm(wide[found.form.sample]), rel=1e-5)
    assert any("reduced to 3 leading principal components of 2,103 dimensions" in note for note in found.notes)


# --- in Python -------------------------------------------------------------------------------------------------------


def test_python_takes_the_same_places(tmp_path: Path):
    path = tensors(tmp_path, {"z": Z, "other": 2 * Z})
    expected = audit(2 * Z, settings=FAST).per_dim
    with pytest.warns(FileWarning, match="the array 'other' is the codes"):
        of_file = audit(path, array="other", settings=FAST)
    pd.testing.assert_frame_equal(of_file.per_dim, expected)
    pd.testing.assert_frame_equal(audit({"a": Z, "b": 2 * Z}, array="b", settings=FAST).per_dim, expected)
    with pytest.raises(InputError, match=r"there is no array 'c'; it has \['a', 'b'\]"):
        audit({"a": Z, "b": Z}, array="c")
    with pytest.raises(InputError, match=r"needs an array 'z' or 'mu', it has \['a', 'b'\]"):
        audit({"a": Z, "b": Z})
    with pytest.raises(InputError, match="array 'b' chooses one of several; z is ndarray"):
        audit(Z, array="b")
    with pytest.raises(InputError, match="mu cannot stand beside a file"):
        audit(str(path), mu=Z)


def test_python_takes_an_annotated_object():
    class Cells:
        obsm = {"X_scVI": 2 * Z}  # noqa: RUF012
        layers: dict[str, np.ndarray] = {}  # noqa: RUF012
        X = Z

    expected = audit(2 * Z, settings=FAST).per_dim
    pd.testing.assert_frame_equal(audit(Cells(), settings=FAST).per_dim, expected)
    assert audit(Cells(), array="X", settings=FAST).per_dim["std"].tolist() == pytest.approx(Z.std(axis=0).tolist())


def test_a_frame_with_a_column_of_lists():
    table = pd.DataFrame({"embedding": Z.tolist()})
    pd.testing.assert_frame_equal(audit(table, settings=FAST).per_dim, audit(Z, settings=FAST).per_dim)
    with pytest.raises(
        InputError, match=r"column 'embedding': its lists .*; the list of row 2 \(counted from 0\) has 1 "
    ):
        audit(pd.DataFrame({"embedding": [*Z[:2].tolist(), [1.0], *Z[3:].tolist()]}))
    with pytest.raises(InputError, match=r"the list of row 2 .* is missing"):
        audit(pd.DataFrame({"embedding": [*Z[:2].tolist(), None, *Z[3:].tolist()]}))
