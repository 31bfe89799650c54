"""What a folder holds, by name: adding a file to a folder of architectures, families or measures is all it takes."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from latent_audit.base.errors import InputError


def discover(package: ModuleType, attribute: str) -> dict[str, Any]:
    """The `attribute` of every module of `package` that has one, by its `name`, in the order of the files' names.

    Raises
    ------
    ValueError : two files offer the same name.
    """
    found: dict[str, Any] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        entry = getattr(importlib.import_module(f"{package.__name__}.{info.name}"), attribute, None)
        if entry is None:
            continue
        if entry.name in found:
            raise ValueError(f"{package.__name__}: two files offer {attribute} {entry.name!r}; rename one")
        found[entry.name] = entry
    return found


def names(package: ModuleType) -> list[str]:
    """The names of the files of `package`, without importing them."""
    return sorted(info.name for info in pkgutil.iter_modules(package.__path__))


def pick(entries: dict[str, Any], name: str, *, key: str) -> Any:
    """The entry called `name`; InputError with the names there are, for the parameter `key`, otherwise."""
    if name not in entries:
        raise InputError(f"{key}: there is no {name!r}; there are {', '.join(entries)}")
    return entries[name]
