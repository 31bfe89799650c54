"""What a caller hands over as codes: arrays, tensors, lists; as numpy arrays, and z drawn where it is not there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latent_audit.base.errors import InputError
from latent_audit.base.limits import LARGEST_LATENT_DIM
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.decomposition import LARGEST_LOGVAR
from latent_audit.diagnostics.short_floats import NAMES as SHORT_FLOATS
from latent_audit.diagnostics.short_floats import widened


def as_array(values: Any, where: str = "audit") -> Any:
    """The values as a numpy array; a torch tensor is detached and fetched, short floats become float32. None stays, and
    so does what is read in parts: latent maps, and arrays and sparse matrices of more columns than are audited.

    Raises
    ------
    InputError : rows of different lengths, a sparse or quantised tensor, a mapping, masked values.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise InputError(f"{where}: {np.ma.count_masked(values):,} values are masked; drop those rows first.")
    if values is None:
        return None
    if isinstance(values, np.ndarray):
        return values if _in_parts(values) else widened(values)
    if isinstance(values, Mapping):
        raise InputError(f"{where}: is a mapping; give its arrays by name, as in audit(**arrays).")
    if callable(getattr(values, "toarray", None)):  # a sparse matrix of scipy
        if _in_parts(values):
            return values.tocsr()
        values = values.toarray()
    if callable(getattr(values, "detach", None)):  # a tensor of torch, which need not be imported to be asked
        values = values.detach()
        if str(getattr(values, "dtype", "")).removeprefix("torch.").startswith(SHORT_FLOATS):
            values = values.float()
        values = values.cpu()
    try:
        return widened(np.asarray(values))
    except (ValueError, TypeError, RuntimeError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InputError(
            f"{where}: cannot be made an array ({why}); give a dense one, its rows of one length."
        ) from None


def _in_parts(values: Any) -> bool:
    return len(values.shape) > 2 or (len(values.shape) == 2 and values.shape[1] > LARGEST_LATENT_DIM)


def is_frame(values: Any) -> bool:
    """Whether the values are a data frame, of pandas or polars."""
    return hasattr(values, "columns") and hasattr(values, "shape") and not isinstance(values, np.ndarray)


def is_stored(values: Any) -> bool:
    """Whether the values are a file, or a mapping of arrays: a path, an open .npz, an AnnData."""
    return isinstance(values, str | Path | Mapping) or hasattr(values, "obsm")


def drawn(mu: np.ndarray, logvar: np.ndarray, seed: int) -> np.ndarray:
    """One draw of N(mu, exp(logvar)) per row, (sample, latent); the same seed gives the same draw."""
    noise = rng_for(seed, "audit", "posterior").standard_normal(logvar.shape)
    return mu + np.exp(0.5 * logvar) * noise


def refuse_wide(logvar: np.ndarray, where: str) -> None:
    """InputError where a log variance is beyond what a float64 can be drawn and divided by."""
    if (worst := np.abs(logvar).max()) > LARGEST_LOGVAR:
        raise InputError(
            f"{where}: logvar reaches {worst:g} in absolute value, allowed are {LARGEST_LOGVAR:g}; "
            "is it a variance or a diverged run?"
        )


def with_names(per_dim: Any, columns: Mapping[str, Sequence[str]], latent_dim: int) -> Any:
    """per_dim with `name`, the column of the user's file or frame, beside `dim`; as it is where there are no names."""
    full = {code: names for code, names in columns.items() if len(names) == latent_dim}
    if not full or all(list(names) == [str(index) for index in range(latent_dim)] for names in full.values()):
        return per_dim
    first = next(iter(full.values()))
    names = [full.get(code, first)[dim] for code, dim in zip(per_dim["code"], per_dim["dim"], strict=True)]
    named = per_dim.copy()
    named.insert(named.columns.get_loc("dim") + 1, "name", names)
    return named
