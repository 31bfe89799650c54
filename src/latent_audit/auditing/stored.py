"""Codes that the Python API is given by the place where they are: a file, a mapping of arrays, an AnnData."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from latent_audit.auditing.border import some
from latent_audit.auditing.files import read_foreign
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.forms import finished

BESIDE = ("mu", "logvar")


class FileWarning(UserWarning):
    """What was done to get codes out of a file, and what was left out."""


def opened(audit: Callable[..., Any], where_from: Any, array: str | None, **options: Any) -> Any:
    """The audit of what is stored there.

    Parameters
    ----------
    audit : of arrays. where_from : a path, a mapping or an AnnData. array : which of its arrays is z; None takes those
        called z, mu and logvar. options : the others of `audit`.

    Raises
    ------
    InputError : no such array; arrays of one's own beside a file.
    """
    if isinstance(where_from, str | Path):
        return _of_file(audit, Path(where_from), array, options)
    if hasattr(where_from, "obsm"):
        return audit(_of_annotated(where_from, array), **options)
    if not isinstance(where_from, Mapping):
        raise InputError(f"audit: array {array!r} chooses one of several; z is {type(where_from).__name__}.")
    names = [str(name) for name in where_from]
    if array is not None:
        if array not in names:
            raise InputError(f"audit: there is no array {array!r}; it has {some(names)}.")
        return audit(where_from[array], **options)
    found = {role: where_from[role] for role in ("z", *BESIDE) if role in names and options.get(role) is None}
    if not {"z", "mu"} & set(found):
        raise InputError(f"audit: needs an array 'z' or 'mu', it has {some(names)}; say which with array=.")
    return audit(found.pop("z", None), **options | found)


def _of_file(audit: Callable[..., Any], path: Path, array: str | None, options: dict[str, Any]) -> Any:
    beside = [name for name in (*BESIDE, "train") if options.get(name) is not None]
    if beside:
        raise InputError(
            f"audit: {', '.join(beside)} cannot stand beside a file; give arrays, or put it into the file."
        )
    reduce, labels = options.pop("reduce"), options.pop("labels")
    named = labels if isinstance(labels, str) else None
    codes = read_foreign(path, labels=named, seed=options["seed"], array=array, reduce=reduce)
    for note in codes.notes:
        warnings.warn(note, FileWarning, stacklevel=4)
    own = codes.labels
    if labels is not None and named is None:
        own = labels if codes.form is None else _of_rows(labels, codes.form)
    options |= {"mu": codes.mu, "logvar": codes.logvar, "labels": own}
    tables = audit(codes.z, **options)
    return tables if codes.form is None else finished(tables, codes.form)


def _of_rows(labels: Any, form: Any) -> Any:
    import numpy as np

    if len(labels) != form.n:
        raise InputError(
            f"audit: {len(labels):,} labels for {form.n:,} codes; give one label per row, in the same order."
        )
    return np.asarray(labels)[form.sample]


def _of_annotated(adata: Any, array: str | None) -> Any:
    """X, or an entry of obsm or layers, of an AnnData."""
    names = [*(f"obsm/{name}" for name in adata.obsm), *(f"layers/{name}" for name in adata.layers), "X"]
    of_obsm = [name for name in names if name.startswith("obsm/")]
    if array is None and len(of_obsm) > 1:
        raise InputError(f"audit: which array holds the codes? Say array=; it has {some(names)}.")
    wanted = array or (of_obsm or ["X"])[0]
    own = [name for name in names if wanted in (name, name.partition("/")[2])]
    if len(own) != 1:
        raise InputError(f"audit: there is no array {wanted!r}; it has {some(names)}.")
    group, _, name = own[0].partition("/")
    return adata.X if group == "X" else getattr(adata, group)[name]
