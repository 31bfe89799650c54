"""What the Python API is given, as arrays: files, mappings and AnnData opened; of maps and many dimensions, rows."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from latent_audit.auditing.beside import ENTRIES, INDICES, NAMES, arguments, read_beside
from latent_audit.auditing.border import some
from latent_audit.auditing.files import read_foreign
from latent_audit.auditing.roles import SPREADS, to_logvar
from latent_audit.auditing.stack import roles_among
from latent_audit.auditing.stores import LABEL_ARRAYS
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.audit import arrays_of
from latent_audit.diagnostics.forms import Form, formed, needs_form
from latent_audit.diagnostics.inputs import as_array, is_stored

ROLES = ("z", "mu", "logvar")


class FileWarning(UserWarning):
    """What was done to get codes out of a file, and what was left out."""


class Given(NamedTuple):
    """What `audit` is of: the arguments of `diagnostics.audit.audit` by their names, and which rows these are."""

    arrays: dict[str, Any]
    form: Form | None = None


def given(
    arrays: Mapping[str, Any], *, array: str | None, reduce: str | None, seed: int, labels_of: Callable[[Any], Any]
) -> Given:
    """The arrays that are audited.

    Parameters
    ----------
    arrays : z, mu, logvar, labels, train, factors, attributes, indices, entries as the user gave them; z may be a path,
        a mapping or an AnnData. array : which of the arrays there is z; None takes those called z, mu and logvar.
    reduce : see `reduce.spec_of`. labels_of : judges labels.

    Raises
    ------
    InputError : no such array; arrays of one's own beside those of a file; what `formed` refuses.

    Warns
    -----
    FileWarning : notes on a file, as the command says them.
    """
    own = dict(arrays)
    if isinstance(own["z"], str | Path):
        return _of_file(own, array, reduce, seed, labels_of)
    if is_stored(own["z"]):
        own |= _of_annotated(own["z"], array) if hasattr(own["z"], "obsm") else _of_mapping(own, array)
    elif array is not None:
        raise InputError(f"audit: array {array!r} chooses one of several; z is {type(own['z']).__name__}.")
    own["labels"] = labels_of(own["labels"])
    if own["indices"] is not None:
        return Given(own)
    with warnings.catch_warnings(record=True) as caught:  # of columns: said again where frames are audited as they are
        warnings.simplefilter("always")
        codes, _ = arrays_of(*(own[role] for role in ROLES))
    codes = {role: codes.get(role) for role in ROLES}
    if not needs_form(*codes.values(), reduce=reduce):
        return Given(own)
    if own["train"] is not None:
        raise InputError("audit: train goes with codes that are audited as they are, not with latent maps or reduce.")
    for one in caught:
        warnings.warn(one.message, one.category, stacklevel=3)
    besides = {name: own[name] for name in ("factors", "attributes") if own[name] is not None}
    form = formed(**codes, labels=own["labels"], reduce=reduce, seed=seed, one_each=bool(besides), where="audit")
    rows = {name: form.rows_of(table, f"audit, {name}") for name, table in besides.items()}
    return Given(own | {role: getattr(form, role) for role in (*ROLES, "labels")} | rows, form)


def _of_file(
    own: dict[str, Any], array: str | None, reduce: str | None, seed: int, labels_of: Callable[[Any], Any]
) -> Given:
    path, labels = Path(own["z"]), own["labels"]
    if beside := [name for name, values in own.items() if values is not None and name not in ("z", "labels")]:
        raise InputError(f"audit: {', '.join(beside)} cannot stand beside a file; give arrays, or put them into it.")
    named = labels if isinstance(labels, str) else None
    codes = read_foreign(path, labels=named, seed=seed, array=array, reduce=reduce)
    for note in codes.notes:
        warnings.warn(note, FileWarning, stacklevel=4)
    if INDICES in codes.beside:
        return Given(own | {"z": None, "indices": codes.beside[INDICES], "entries": codes.beside.get(ENTRIES)})
    if labels is not None and named is None:
        judged = labels_of(labels)
        codes = codes._replace(labels=judged if codes.form is None else codes.form.rows_of(judged, "audit, labels"))
    own |= {role: getattr(codes, role) for role in (*ROLES, "labels")} | arguments(codes.beside, path.name)
    return Given(own, codes.form)


def _of_mapping(own: dict[str, Any], array: str | None) -> dict[str, Any]:
    """The array of that name, or those that are called z, mu and a spread, as in a file; what else of it is taken.

    What was given apart comes before what a mapping holds. `labels` are taken, and what may stand beside codes.
    """
    held = {str(name): values for name, values in own["z"].items()}
    if array is not None:
        if array not in held:
            raise InputError(f"audit: there is no array {array!r}; it has {some(list(held))}.")
        return {"z": held[array]}
    label = next((name for name in LABEL_ARRAYS if name in held), None)

    def read(name: str) -> Any:
        return np.asarray(held[name]) if name == NAMES else held[name]

    besides = read_beside([name for name in held if name != label], read, "audit")
    found = arguments(besides, "audit") | {name: besides[name] for name in (INDICES, ENTRIES) if name in besides}
    if label is not None:
        found["labels"] = held[label]
    names = [name for name in held if name not in {label, *besides}]
    roles = {} if INDICES in besides else roles_among(names)
    if INDICES not in besides and not {"z", "mu"} & set(roles):
        raise InputError(f"audit: needs an array 'z' or 'mu', it has {some(list(held))}; say which with array=.")
    for role, name in roles.items():
        as_logvar = role in SPREADS and role != "logvar"
        found["logvar" if as_logvar else role] = _spread(held[name], role, name) if as_logvar else held[name]
    if unused := [name for name in names if name not in roles.values()]:
        _warn(f"audit: not used: {some(unused)}")
    return {"z": None} | {name: values for name, values in found.items() if name == "z" or own[name] is None}


def _spread(values: Any, role: str, name: str) -> np.ndarray:
    """logvar from a spread of another kind, and a warning that says so."""
    _warn(f"audit: {name!r} is by its name {SPREADS[role][1]}")
    return to_logvar(np.asarray(as_array(values, f"audit, {name}"), dtype=np.float64), role, f"audit, {name}")


def _warn(note: str) -> None:
    warnings.warn(note, FileWarning, stacklevel=6)


def _of_annotated(adata: Any, array: str | None) -> dict[str, Any]:
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
    return {"z": adata.X if group == "X" else getattr(adata, group)[name]}
