"""What an .npz may hold beside codes: factors, attributes with their names, indices of a codebook and its size."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from latent_audit.auditing.roles import role_of
from latent_audit.base.errors import InputError

FACTORS, ATTRIBUTES, NAMES, INDICES, ENTRIES = "factors", "attributes", "attribute_names", "indices", "entries"
Read = Callable[[str], np.ndarray]


def names_beside(names: Sequence[str]) -> list[str]:
    """Those of the arrays that stand beside codes, by their names.

    `indices` without `entries` are of something else where there are codes; `entries` and `attribute_names` need what
    they belong to.
    """
    codes = any(role_of(name) in ("z", "mu") for name in names)
    found = [name for name in (FACTORS, ATTRIBUTES) if name in names]
    if INDICES in names and (ENTRIES in names or not codes):
        found += [INDICES, *([ENTRIES] if ENTRIES in names else [])]
    if NAMES in names and ATTRIBUTES in names:
        found.append(NAMES)
    return found


def read_beside(names: Sequence[str], read: Read, where: str) -> dict[str, np.ndarray]:
    """The arrays of `names_beside`; what they must hold is judged by `audit`."""
    found = {name: read(name) for name in names_beside(names)}
    if NAMES in found and found[NAMES].dtype.kind not in "US":
        raise InputError(f"{where}: {NAMES} must be text, got {found[NAMES].dtype}.")
    return found


def arguments(beside: Mapping[str, np.ndarray], where: str) -> dict[str, Any]:
    """What of it `audit` takes beside codes: factors, and attributes as a frame where they have names."""
    given: dict[str, Any] = {name: beside[name] for name in (FACTORS, ATTRIBUTES) if name in beside}
    if NAMES not in beside:
        return given
    raw, called = np.asarray(beside[ATTRIBUTES]), np.ravel(beside[NAMES])
    names = [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in called]
    if raw.ndim != 2 or raw.shape[1] != len(names):
        raise InputError(f"{where}: {len(names)} {NAMES} for attributes of shape {raw.shape}.")
    if len(set(names)) < len(names):
        raise InputError(f"{where}: {NAMES} has a name twice; each attribute needs its own.")
    return given | {ATTRIBUTES: pd.DataFrame(raw, columns=names)}
