""".h5ad files of AnnData: X, layers and obsm as arrays that are read in parts, columns of obs as labels.

https://anndata.readthedocs.io/en/latest/fileformat-prose.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from latent_audit.auditing.arrays import refuse_bomb
from latent_audit.auditing.border import border, printable, short, some
from latent_audit.base.errors import InputError

GROUPS = ("obsm", "layers")
SPARSE = ("csr_matrix", "csc_matrix")


class Annotated:
    """The arrays of an .h5ad file, by names as `X`, `obsm/X_pca` and `layers/counts`; see `open_h5ad`."""

    def __init__(self, path: Path, names: list[str], label_names: list[str]):
        self._path, self.names, self.label_names = path, names, label_names

    def resolved(self, name: str) -> str:
        """The full name of an array that may be called without its group, or an InputError that lists all."""
        own = [full for full in self.names if name in (full, full.partition("/")[2])]
        if len(own) != 1:
            raise InputError(f"{self._path.name}: --array {name!r} is no array of it; it has {some(self.names)}.")
        return own[0]

    def read(self, name: str) -> Any:
        """An array, of which nothing is read yet, or a sparse matrix."""
        where = f"{self._path.name}, array '{short(printable(name))}'"
        with border(where, "array of an .h5ad; write it again"), _h5py().File(self._path, "r") as file:
            held = file[name]
            if not isinstance(held, _h5py().Dataset):
                return _sparse(held, where)
            refuse_bomb(held.size * held.dtype.itemsize, held.id.get_storage_size(), where)
            return _Stored(self._path, name, held.shape, held.dtype)

    def labels(self, name: str) -> np.ndarray:
        """A column of obs."""
        where = f"{self._path.name}, column '{short(printable(name))}' of obs"
        with border(where, "column; write it again"), _h5py().File(self._path, "r") as file:
            held = file["obs"][name]
            if isinstance(held, _h5py().Dataset):
                return _text(held[()])
            codes, categories = held["codes"][()], _text(held["categories"][()])
            if (codes < 0).any():
                raise InputError(f"{where}: {int((codes < 0).sum()):,} labels are missing; drop those rows.")
            return categories[codes]


class _Stored:
    """An array of an HDF5 file, opened for each part that is read, so that no file stays open."""

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype):
        self._path, self._name, self.shape, self.dtype, self.ndim = path, name, shape, dtype, len(shape)

    def __getitem__(self, rows: slice) -> np.ndarray:
        where = f"{self._path.name}, array '{self._name}'"
        with border(where, "array; write it again"), _h5py().File(self._path, "r") as file:
            return file[self._name][rows]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)


@contextmanager
def open_h5ad(path: Path) -> Iterator[Annotated]:
    """The arrays of an .h5ad file.

    Raises
    ------
    InputError : h5py is not installed, no HDF5 file, or nothing in it that could be codes.
    """
    h5py = _h5py(path.name)
    with border(path.name, ".h5ad file; write it again with AnnData.write_h5ad"), h5py.File(path, "r") as file:
        names = [
            f"{group}/{name}" for group in GROUPS if isinstance(file.get(group), h5py.Group) for name in file[group]
            if _is_array(file[group][name], h5py)
        ]  # fmt: skip
        names += ["X"] if "X" in file and _is_array(file["X"], h5py) else []
        obs = file.get("obs")
        label_names = [name for name in obs if name != "__categories"] if isinstance(obs, h5py.Group) else []
    if not names:
        raise InputError(f"{path.name}: has no X, obsm or layers, where codes would be.")
    yield Annotated(path, names, label_names)


def usual(names: list[str], where: str) -> str:
    """The array that is taken where none was named: the one of obsm, or X where there is none."""
    embedded = [name for name in names if name.startswith("obsm/")]
    if len(embedded) > 1:
        raise InputError(f"{where}: which array holds the codes? Say --array NAME; it has {some(names)}.")
    return embedded[0] if embedded else "X" if "X" in names else names[0]


def _h5py(name: str = "") -> Any:
    try:
        import h5py
    except ModuleNotFoundError:
        raise InputError(
            f"{name}: an .h5ad file needs h5py, which is not installed: pip install 'latent-audit[anndata]', or save "
            "the codes with numpy.save('codes.npy', adata.obsm['X_scVI'])"
        ) from None
    return h5py


def _is_array(held: Any, h5py: Any) -> bool:
    if isinstance(held, h5py.Dataset):
        return held.ndim > 0 and held.dtype.kind in "fiuV"
    return _kind(held) in SPARSE


def _kind(held: Any) -> str:
    """What a group says that it is."""
    said = held.attrs.get("encoding-type", held.attrs.get("h5sparse_format", ""))
    return {"csr": "csr_matrix", "csc": "csc_matrix"}.get(str(said), str(said))


def _sparse(held: Any, where: str) -> sparse.csr_matrix:
    shape = tuple(int(number) for number in held.attrs.get("shape", held.attrs.get("h5sparse_shape")))
    parts = [held[name] for name in ("data", "indices", "indptr")]
    for part in parts:
        refuse_bomb(part.size * part.dtype.itemsize, part.id.get_storage_size(), where)
    of_kind = sparse.csr_matrix if _kind(held) == "csr_matrix" else sparse.csc_matrix
    return sparse.csr_matrix(of_kind(tuple(part[()] for part in parts), shape=shape))


def _text(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "SO":
        return values
    return np.array([v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values], dtype=np.str_)
