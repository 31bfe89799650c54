"""Which columns of a file are codes: by what --columns chooses, by their names, and by what they hold."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np

from latent_audit.auditing.border import printable, some
from latent_audit.auditing.roles import kind_of, plain, stem_of
from latent_audit.base.errors import InputError

CHOOSE = "--columns chooses the codes"
_AT_FIRST = 1000  # rows that are looked at before all of them are


def chosen(names: Sequence[str], patterns: Sequence[str], where: str) -> list[str]:
    """The names that `patterns` choose, in the order of the file; a pattern is a name, or has * and ? in it.

    Each of `patterns` may hold several, separated by commas.

    Raises
    ------
    InputError : a pattern that no column has.
    """
    wanted = [part for given in patterns for part in ([given] if given in names else given.split(","))]
    found: set[str] = set()
    for pattern in (part.strip() for part in wanted):
        own = {pattern} & {*names} or {name for name in names if _matches(name, pattern)}
        if not own:
            raise InputError(f"{where}: --columns {pattern!r} is no column of it; it has {some(list(names))}.")
        found |= own
    return [name for name in names if name in found]


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name, pattern.replace("[", "[[]"))


def by_name(names: Sequence[str], where: str) -> tuple[list[str], list[str]]:
    """The columns whose names do not say that they are no codes, and notes on the others."""
    kinds = {name: kind_of(name) for name in names}
    if any(plain(name) == "x" for name in names):  # then y is its neighbour
        kinds |= {name: None for name in names if plain(name) == "y"}
    notes = []
    if index := [name for name in names if kinds[name] == "index"]:
        notes.append(f"{where}: left out, by name a row number or an identifier: {_listed(index)}; {CHOOSE}")
    if labels := [name for name in names if kinds[name] == "label"]:
        notes.append(
            f"{where}: left out, by name no code: {_listed(labels)}; if {labels[0]!r} holds the classes, say "
            f"--labels {shlex.quote(labels[0])}; {CHOOSE}"
        )
    if measures := [name for name in names if kinds[name] == "measure"]:
        notes.append(f"{where}: left out, by name a loss or a score: {_listed(measures)}; {CHOOSE}")
    return [name for name in names if kinds[name] is None], [printable(note) for note in notes]


def by_value(columns: Mapping[str, np.ndarray], integers: Collection[str], where: str) -> tuple[list[str], list[str]]:
    """The columns that can be codes by what they hold, and notes on the others.

    Row numbers are none, in whatever order, nor are whole numbers among columns of real ones. A column that is 0
    throughout stays (a dimension that is not used), as does one numbered like a column of real numbers (z_3 by z_4).

    Parameters
    ----------
    columns : name -> (sample,) float64, NaN where nothing is. integers : names of the columns stored as integers.

    Raises
    ------
    InputError : more columns of whole numbers than of others, and others: which are the codes?
    """
    whole = [name for name, values in columns.items() if _is_whole(values)]
    numbers = [name for name in whole if _counts_rows(columns[name])]
    real = [name for name in columns if name not in whole]
    stems = {stem_of(name)[0] for name in real} - {""}
    odd = [
        name for name in whole
        if real and name not in numbers and stem_of(name)[0] not in stems
        and (np.nanmax(columns[name]) > np.nanmin(columns[name]) or (name in integers and columns[name][0] != 0))
    ]  # fmt: skip
    if len(odd) > len(real):
        raise InputError(
            f"{where}: {len(odd)} columns hold whole numbers, {_listed(odd)}, and {len(real)} real ones, "
            f"{_listed(real)}; say which are the codes with --columns, as in --columns {shlex.quote(real[0])}."
        )
    notes = []
    if numbers:
        notes.append(f"{where}: left out, they number the rows: {_listed(numbers)}; {CHOOSE}")
    if odd:
        notes.append(f"{where}: left out, whole numbers among columns of real ones: {_listed(odd)}; {CHOOSE}")
    return [name for name in columns if name not in {*numbers, *odd}], [printable(note) for note in notes]


def _is_whole(values: np.ndarray) -> bool:
    """Whether every number that is there is whole."""
    for part in (values[:_AT_FIRST], values):
        present = part[np.isfinite(part)]
        if (present != np.rint(present)).any():
            return False
    return bool(np.isfinite(values).any())


def _counts_rows(values: np.ndarray) -> bool:
    """Whether these whole numbers are the numbers of the rows, from wherever they start and in whatever order."""
    if len(values) < 2 or values.max() - values.min() != len(values) - 1:  # NaN too
        return False
    return bool((np.diff(np.sort(values)) == 1).all())


def _listed(names: Sequence[str]) -> str:
    return some([printable(name) for name in names])
