"""Files of arrays that have names, .npz, .safetensors and .h5ad: which of them are codes, labels, or stand beside."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from latent_audit.auditing.arrays import open_npz
from latent_audit.auditing.beside import ENTRIES, INDICES, read_beside
from latent_audit.auditing.border import some
from latent_audit.auditing.h5ad_files import Annotated, open_h5ad, usual
from latent_audit.auditing.labels import label_file_of
from latent_audit.auditing.safetensors_files import open_safetensors
from latent_audit.auditing.sheet import Taken
from latent_audit.auditing.stack import of_arrays
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.ground_truth import Indices

STORES = {".npz": open_npz, ".safetensors": open_safetensors, ".h5ad": open_h5ad}
LABEL_ARRAYS = ("labels", "label")  # where none was named


class Asked(NamedTuple):
    """labels: an array, a column or a file, None for what is called so. columns: patterns. seed: of the draws. array:
    which of several. reduce: as of `reduce.spec_of`."""

    labels: str | None
    columns: Sequence[str]
    seed: int
    array: str | None = None
    reduce: str | None = None


class Found(NamedTuple):
    """The codes of a file, its labels as they stand there, the file of these where it is another one, and what stands
    beside the codes (`beside.names_beside`)."""

    codes: Taken
    labels: np.ndarray | None
    label_file: Path | None
    beside: Mapping[str, np.ndarray] = {}


def of_store(path: Path, asked: Asked) -> Found:
    """The arrays of a file by their names, or the one that was named.

    Raises
    ------
    InputError : no such array, none that could be codes, or anything that the readers of these files refuse.
    """
    with STORES[path.suffix.lower()](path) as store:
        own = asked.labels or next((name for name in LABEL_ARRAYS if name in store.label_names), None)
        others = [name for name in store.names if name != own or isinstance(store, Annotated)]
        besides = {} if isinstance(store, Annotated) else read_beside(others, store.read, path.name)
        if INDICES in besides and asked.array is None:
            return _of_indices(besides, store.names, path.name)
        chosen, notes = _chosen(store, [name for name in others if name not in besides], asked, path.name)
        if chosen is None:
            names, read = [name for name in others if name not in besides], store.read
        else:
            names, read = ["z"], lambda _: store.read(chosen)
        codes = of_arrays(names, read, path.name, patterns=asked.columns, what="array")
        given = store.labels(own) if own is not None and own in store.label_names else None
        there = list(store.label_names)
    label_file = None
    if asked.labels is not None and given is None:
        given, label_file = label_file_of(asked.labels, f"{path.name} has the arrays {some(there)}")
    beside = {name: array for name, array in besides.items() if name != chosen}
    return Found(codes._replace(notes=[*notes, *codes.notes]), given, label_file, beside)


def _chosen(store: Any, others: list[str], asked: Asked, where: str) -> tuple[str | None, list[str]]:
    """The array that is z where one was named, or where a file has names of its own kind; None by the arrays' names."""
    if isinstance(store, Annotated):
        name = store.resolved(asked.array) if asked.array is not None else usual(store.names, where)
    elif asked.array is not None:
        name = asked.array
        if name not in store.names:
            raise InputError(f"{where}: --array {name!r} is no array of it; it has {some(store.names)}.")
    elif len(others) == 1 and where.lower().endswith(".safetensors"):
        name = others[0]
    else:
        return None, []
    return name, [f"{where}: the array {name!r} is the codes"]


def _of_indices(besides: Mapping[str, np.ndarray], names: Sequence[str], where: str) -> Found:
    """A discrete code: the indices stand for z, and nothing else of the file is looked at."""
    values = Indices.of(besides[INDICES], besides.get(ENTRIES), where=where).values
    unused = [name for name in names if name not in (INDICES, ENTRIES)]
    notes = [f"{where}: indices of a codebook are audited; not used: {some(unused)}"] if unused else []
    return Found(Taken(values.astype(np.float64), None, None, {}, notes), None, None, besides)
