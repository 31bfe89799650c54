"""Arrays with names (of an .npz, or columns of lists) as z, mu and logvar, by what they are called and hold."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from latent_audit.auditing.border import printable, short, some
from latent_audit.auditing.judge import by_value, chosen
from latent_audit.auditing.roles import SPREADS, kind_of, plain, role_of, to_logvar
from latent_audit.auditing.sheet import Taken
from latent_audit.base.errors import InputError
from latent_audit.base.limits import LARGEST_LATENT_DIM
from latent_audit.diagnostics.blocks import Maps
from latent_audit.diagnostics.checks import as_codes
from latent_audit.diagnostics.short_floats import is_short_float, widened

Read = Callable[[str], Any]


class _Found(NamedTuple):
    """role (z, mu, logvar, ...) -> the array's name, and what each of the unused ones is not used for."""

    roles: dict[str, str]
    unused: dict[str, str]


def of_arrays(names: Sequence[str], read: Read, where: str, *, patterns: Sequence[str] = (), what: str) -> Taken:
    """z, mu and logvar of the arrays called so, or nearly so; spreads of other kinds are turned into logvar.

    Parameters
    ----------
    read : gives the array of a name. patterns : choose the dimensions, by their numbers from 0. what : array, or ...

    Raises
    ------
    InputError : no z and no mu, unequal shapes, a spread that is not positive, anything that `as_matrix` refuses.
    """
    found = _found(names)
    if not {"z", "mu"} & set(found.roles):
        raise InputError(
            f"{where}: needs an array 'z' or 'mu', it has {some(list(names))}; name the codes 'z', or say --array NAME "
            "of a file of arrays."
        )
    if "logvar" in found.roles and "mu" not in found.roles:
        raise InputError(f"{where}: has {found.roles['logvar']!r} without 'mu'; give both or neither.")
    arrays, notes, unused = _read(found, read, where, what)
    if len({array.shape for array in arrays.values()}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise InputError(f"{where}: these must have one shape: {shapes}.")
    kept, said = dimensions(arrays.get("z", arrays.get("mu", np.empty(0))), patterns, where)
    columns = {} if kept is None else {role: [str(k) for k in kept] for role in arrays}
    parts = {role: some_of(array, kept) for role, array in arrays.items()}
    z, mu, logvar = (parts.get(role) for role in ("z", "mu", "logvar"))
    return Taken(z, mu, logvar, columns, [*notes, *said, *_named(unused, where)])


def as_matrix(array: Any, where: str) -> tuple[np.ndarray | Maps, list[str]]:
    """(sample, latent) float64, and what was done to get there; a single axis is one dimension.

    Latent maps, sequences and more than 2,048 dimensions are left where they are, to be read in parts.

    Parameters
    ----------
    array : of numpy, or with shape, dtype and parts as one has them.

    Raises
    ------
    InputError : not real numbers, no axis or more than four, and what `as_codes` refuses.
    """
    if array.dtype.kind not in "fiu" and not is_short_float(array.dtype):
        raise InputError(f"{where}: codes must be real numbers, got dtype {array.dtype}; {_advice(array)}.")
    if len(array.shape) == 0:
        raise InputError(f"{where}: codes must be (sample, latent), got shape ().")
    if len(array.shape) > 2 or (len(array.shape) == 2 and array.shape[1] > LARGEST_LATENT_DIM):
        return Maps.of(array, where=where), []
    array = widened(np.asarray(array.toarray() if hasattr(array, "toarray") else array))
    notes = [f"{where}: {len(array):,} numbers on one axis are read as one dimension"] if array.ndim == 1 else []
    matrix = array.reshape(len(array), -1) if array.size else array.reshape(len(array), *array.shape[1:] or (1,))
    return as_codes(matrix, where=where), notes


def some_of(codes: np.ndarray | Maps, kept: Sequence[int] | None) -> np.ndarray | Maps:
    """Some of the dimensions, or channels; None is all. What then is narrow enough is read."""
    if kept is None:
        return codes
    if not isinstance(codes, Maps):
        return codes[:, kept]
    narrow = codes.only(kept)
    if narrow.kind != "codes" or narrow.channels > LARGEST_LATENT_DIM:
        return narrow
    return np.concatenate([block[:, :, 0] for _, block in narrow.blocks()])


def dimensions(matrix: np.ndarray | Maps, patterns: Sequence[str], where: str) -> tuple[list[int] | None, list[str]]:
    """The dimensions that are codes, by their numbers, and notes on the others; None where all are.

    Without patterns all channels of latent maps and all of very many dimensions are.
    """
    wide = isinstance(matrix, Maps)
    names = [str(index) for index in range(matrix.channels if wide else matrix.shape[1])]
    if patterns:
        kept, notes = chosen(names, patterns, where), []
    elif wide or len(names) == 1:
        return None, []
    else:
        kept, notes = by_value(dict(zip(names, matrix.T, strict=True)), set(), where)
    if not kept:
        raise InputError(f"{where}: no column is left to be a dimension. {' '.join(notes)}")
    return (None if kept == names else [int(name) for name in kept]), notes


def _advice(array: np.ndarray) -> str:
    """What to do with an array that is not of real numbers, for its kind."""
    if array.dtype.kind == "c":
        return "take the real part or both as columns and save it again"
    if array.dtype.names is not None:
        return (
            f"its fields are {some(list(array.dtype.names))}: make columns of them with "
            "numpy.lib.recfunctions.structured_to_unstructured(a) and save it again"
        )
    if array.dtype.kind == "V":
        return (
            f"numpy has no such type ({array.dtype.itemsize} bytes, as short floats other than bfloat16 are saved): "
            "save it again from where it was made with .astype(numpy.float32), or .float() of a torch tensor"
        )
    return "convert it with astype(float) and save it again"


def roles_among(names: Sequence[str]) -> dict[str, str]:
    """role (z, mu, logvar, ...) -> the array called so; of several spreads the first of SPREADS.

    Without z and mu it is the one array called like codes (`codes`, `latents`, ...), or else the only one there is
    besides row numbers, labels and spreads, such as the `arr_0` of `numpy.savez(file, codes)`.
    """
    roles: dict[str, str] = {}
    for role in ("z", "mu", *SPREADS):
        called = [name for name in names if role_of(name) == role and (role != "z" or plain(name) == "z")]
        exact = [name for name in called if name == role]
        if called and not (role in SPREADS and set(SPREADS) & set(roles)):
            roles[role] = (exact or called)[0]
    if not {"z", "mu"} & set(roles):
        like = [name for name in names if role_of(name) == "z"]
        like = like or [name for name in names if role_of(name) is None and kind_of(name) is None]
        roles |= {"z": like[0]} if len(like) == 1 else {}
    return roles


def _found(names: Sequence[str]) -> _Found:
    roles = roles_among(names)
    return _Found(roles, {name: "" for name in names if name not in roles.values()})


def _read(
    found: _Found, read: Read, where: str, what: str
) -> tuple[dict[str, np.ndarray | Maps], list[str], dict[str, str]]:
    """The arrays by role (z, mu, logvar), notes on them, and those that are not used, with a reason or none."""
    arrays: dict[str, np.ndarray | Maps] = {}
    notes: list[str] = []
    unused = dict(found.unused)
    for role, name in found.roles.items():
        raw = read(name)
        shape = next((array.shape for array in arrays.values()), None)
        as_wide = tuple(raw.shape) if len(raw.shape) > 1 else (*raw.shape, 1) if len(raw.shape) else ()
        if name not in ("z", "mu", "logvar") and shape not in (None, as_wide):  # of something else, by its shape
            unused[name] = f"its shape {raw.shape} is not {shape}"
            continue
        if role in SPREADS and "mu" not in arrays:
            unused[name] = "there is no mu for it"
            continue
        place = f"{where}, {what} '{short(printable(name))}'"
        matrix, said = as_matrix(raw, place)
        arrays["logvar" if role in SPREADS else role] = _logvar(matrix, role, place) if role in SPREADS else matrix
        notes += said
        if role in ("sigma", "var", "logsigma"):
            notes.append(f"{place} is by its name {SPREADS[role][1]}")
        elif name != role:
            notes.append(f"{place} is taken as {role}")
    return arrays, notes, unused


def _logvar(codes: np.ndarray | Maps, role: str, place: str) -> np.ndarray | Maps:
    """logvar from a spread of the given role, of maps when they are read."""
    if not isinstance(codes, Maps):
        return to_logvar(codes, role, place)
    if role == "logvar":
        return codes
    return codes.changed(lambda block: to_logvar(block.reshape(len(block), -1), role, place).reshape(block.shape))


def _named(unused: dict[str, str], where: str) -> list[str]:
    """A note on the arrays that are not used, and how to use one of labels."""
    if not unused:
        return []
    listed = ", ".join(f"{short(printable(name))!r}{f' ({why})' if why else ''}" for name, why in unused.items())
    likely = next((name for name in unused if kind_of(name) == "label"), None)
    hint = "" if likely is None else f"; if {printable(likely)!r} holds the classes, say --labels {printable(likely)}"
    return [f"{where}: not used: {listed}{hint}"]
