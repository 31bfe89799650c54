"""What stands beside codes, checked: factors that made the samples, attributes they have, indices of a codebook."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from latent_audit.base.errors import InputError
from latent_audit.diagnostics.checks import MINIMUM_ROWS

MOST_VALUES = 200  # of a factor: each is a class to be told from the others
MOST_ENTRIES = 1_000_000  # of a codebook
NO_NORMALITY = (
    "an index names an entry of the codebook and has no size, so there is no distance to N(0, I) to measure, "
    "nor a mean, a tail or a hole"
)


@dataclass(frozen=True, eq=False)
class Factors:
    """index (sample, factor) int64, the place of a factor's value among its sorted values; names of the factors."""

    index: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def of(cls, values: Any, *, n: int, where: str) -> "Factors":
        """Factors of whole numbers, a row for each of the n codes.

        Raises
        ------
        InputError : not (sample, factor), rows missing, not whole numbers, a factor that is constant or has as good as
            no value twice.
        """
        table = _whole(
            _table(values, n, where, "factor"), where, "factors", "np.unique(values, return_inverse=True)[1]"
        )
        names = _names(values, table.shape[1])
        columns = []
        for name, column in zip(names, table.T, strict=True):
            found, index = np.unique(column, return_inverse=True)
            if len(found) < 2:
                raise InputError(f"{where}: factor {name} is {found[0]} in every row; leave out what does not vary.")
            if len(found) > min(MOST_VALUES, n // 2):
                raise InputError(
                    f"{where}: factor {name} has {len(found):,} different values in {n:,} rows, at most "
                    f"{min(MOST_VALUES, n // 2):,} are allowed; bin a measurement first."
                )
            columns.append(index.reshape(-1))
        return cls(np.stack(columns, axis=1).astype(np.int64), names)


@dataclass(frozen=True, eq=False)
class Attributes:
    """has (sample, attribute) bool; names of the attributes."""

    has: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def of(cls, values: Any, *, n: int, where: str, names: Sequence[str] | None = None) -> "Attributes":
        """Attributes of 0 and 1, or of -1 and 1, a row for each of the n codes.

        Raises
        ------
        InputError : not (sample, attribute), rows missing, another value, an attribute that all have or that fewer than
            two have (or lack).
        """
        table = _table(values, n, where, "attribute")
        if table.dtype.kind == "b":
            table = table.astype(np.int64)
        if table.dtype.kind not in "fiu":
            raise InputError(f"{where}: attributes must be 0 or 1 (or -1 or 1), got dtype {table.dtype}.")
        found = np.unique(table)
        if not (np.isin(found, (0, 1)).all() or np.isin(found, (-1, 1)).all()):
            shown = ", ".join(f"{value:g}" for value in found[:6])
            more = ", ..." if len(found) > 6 else ""
            raise InputError(f"{where}: attributes must be 0 or 1 (or -1 or 1 throughout), found {shown}{more}.")
        has, called = table > 0, _names(values, table.shape[1], names)
        if len(called) != table.shape[1]:
            raise InputError(f"{where}: {len(called)} names for {table.shape[1]} attributes.")
        for name, column in zip(called, has.T, strict=True):
            n_with = int(column.sum())
            if min(n_with, n - n_with) < 2:
                raise InputError(
                    f"{where}: attribute {name} is there in {n_with:,} of {n:,} rows; a direction needs two with it "
                    "and two without: leave it out."
                )
        return cls(has, called)


@dataclass(frozen=True, eq=False)
class Indices:
    """values (sample, position) int64, each in 0..entries - 1."""

    values: np.ndarray
    entries: int

    @classmethod
    def of(cls, values: Any, entries: Any, *, where: str) -> "Indices":
        """Indices of a codebook; a grid (sample, row, column) is flattened.

        Raises
        ------
        InputError : no `entries`, not whole numbers, negative, not below `entries`, fewer than 20 rows.
        """
        size = _entries(entries, where)
        raw = np.asarray(values)
        if raw.ndim == 1:
            raw = raw[:, None]
        if raw.ndim not in (2, 3) or 0 in raw.shape[1:]:
            raise InputError(f"{where}: indices must be (sample, position), got shape {raw.shape}.")
        if len(raw) < MINIMUM_ROWS:
            raise InputError(f"{where}: needs at least {MINIMUM_ROWS} rows of indices, got {len(raw)}.")
        flat = _whole(raw.reshape(len(raw), -1), where, "indices", "the number of the nearest entry")
        if (low := flat.min()) < 0:
            raise InputError(f"{where}: indices count from 0, and the smallest is {low}; leave out what marks nothing.")
        if (high := flat.max()) >= size:
            raise InputError(
                f"{where}: the largest index is {high}, and a codebook of {size:,} entries has 0 to {size - 1:,}; "
                f"`entries` must be {high + 1:,} or more."
            )
        return cls(flat, size)


def _entries(entries: Any, where: str) -> int:
    if entries is None:
        raise InputError(f"{where}: indices need `entries`, the number of codes in the codebook, a scalar beside them.")
    raw = np.asarray(entries)
    if raw.size != 1 or raw.dtype.kind not in "fiu" or not np.isfinite(raw).all() or float(raw.item()) % 1:
        raise InputError(f"{where}: `entries` must be one whole number, got {raw.dtype} of shape {raw.shape}.")
    if not 1 <= (size := int(raw.item())) <= MOST_ENTRIES:
        raise InputError(f"{where}: `entries` must be 1 to {MOST_ENTRIES:,}, got {size}.")
    return size


def _table(values: Any, n: int, where: str, column: str) -> np.ndarray:
    raw = np.asarray(values)
    raw = raw[:, None] if raw.ndim == 1 else raw
    if raw.ndim != 2 or raw.shape[1] == 0:
        raise InputError(f"{where}: must be (sample, {column}), got shape {raw.shape}.")
    if len(raw) != n:
        raise InputError(f"{where}: {len(raw):,} rows for {n:,} codes; give one row per code, in the same order.")
    return raw


def _whole(raw: np.ndarray, where: str, what: str, advice: str) -> np.ndarray:
    """The same as int64, where they are whole numbers of any type."""
    if raw.dtype.kind == "b":
        return raw.astype(np.int64)
    fine = raw.dtype.kind in "iu" or (raw.dtype.kind == "f" and bool((np.isfinite(raw) & (raw == np.rint(raw))).all()))
    if not fine:
        raise InputError(f"{where}: {what} must be whole numbers, got {raw.dtype} with others; give {advice}.")
    return raw.astype(np.int64)


def _names(values: Any, n: int, given: Sequence[str] | None = None) -> tuple[str, ...]:
    """What was given, or the columns of a data frame, or the numbers from 0."""
    own = getattr(values, "columns", None) if given is None else given
    return tuple(str(index) for index in range(n)) if own is None else tuple(str(name) for name in own)
