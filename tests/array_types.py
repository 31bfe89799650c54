"""The shapes and kinds that signatures promise of their arrays, held while the tests run: what jaxtyping calls a hook.

Functions that speak of no array are left alone: pyright has their types, and a check of each call costs time.
"""

import inspect
from collections.abc import Callable
from typing import Any, get_args

from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray, install_import_hook

from import_graph import SRC

CHECKED = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float


def check_arrays() -> None:
    """From now on each module of ours that annotates arrays is imported with its calls checked."""
    paths = [path for path in SRC.rglob("*.py") if "\nfrom jaxtyping import " in path.read_text(encoding="utf-8")]
    modules = [".".join(path.relative_to(SRC).with_suffix("").parts) for path in paths]
    install_import_hook(modules, typechecker="array_types.checked")


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` that raises where an argument or its result is not what it says, if it speaks of an array."""
    hints = getattr(function, "__annotations__", {}).values()
    return CHECKED(function) if any(speaks_of_an_array(hint) for hint in hints) else function


def speaks_of_an_array(hint: Any) -> bool:
    """Whether jaxtyping's types stand anywhere in an annotation."""
    if inspect.isclass(hint) and issubclass(hint, AbstractArray):
        return True
    return any(speaks_of_an_array(part) for part in get_args(hint))
