"""The columns of a file before and after they are judged: which are read, and which of them are z, mu, logvar."""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from latent_audit.auditing.border import printable, short, some
from latent_audit.auditing.judge import CHOOSE, by_name, by_value, chosen
from latent_audit.auditing.roles import SPREADS, Posterior, apart_from_codes, posterior_of, to_logvar
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.blocks import Maps

LABEL_COLUMNS = ("labels", "label")  # taken as the labels where none were named
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([.,'’\u00a0\u202f ]\d{3})+([.,]\d+)?")


class Wanted(NamedTuple):
    """What was asked for: the column of the labels, and the patterns that choose those of the codes.

    elsewhere : the labels are in a file of their own, so that a column of labels is not read.
    """

    label: str | None
    patterns: Sequence[str]
    elsewhere: bool = False


class Plan(NamedTuple):
    """The columns to be read as numbers, the one of the labels, and notes on what is left out by its name."""

    read: list[str]
    label: str | None
    notes: list[str]


class Sheet(NamedTuple):
    """Columns as a file has them.

    numbers : name -> (sample,) float64, NaN where nothing is. integers : the columns stored as whole numbers.
    text : column -> the first row that is no number, and what it holds. labels : as the file has them, None without.
    lists : name -> (sample, latent) float64, the columns of lists of one length.
    """

    numbers: Mapping[str, np.ndarray]
    integers: set[str]
    text: Mapping[str, tuple[int, str]]
    labels: np.ndarray | None
    label_column: str | None
    notes: list[str]
    lists: Mapping[str, np.ndarray] = {}


class Taken(NamedTuple):
    """z, mu, logvar (sample, latent) float64 or None; role -> the columns that it is made of; notes.

    `Maps` where they are latent maps, or have too many dimensions to be audited as they are.
    """

    z: np.ndarray | Maps | None
    mu: np.ndarray | Maps | None
    logvar: np.ndarray | Maps | None
    columns: dict[str, list[str]]
    notes: list[str]


def plan(names: Sequence[str], wanted: Wanted, where: str) -> Plan:
    """What to read of a file with these columns.

    Raises
    ------
    InputError : no such column, or one that is asked for as a code and as the labels.
    """
    label, patterns, elsewhere = wanted
    if label is not None and label not in names:
        raise InputError(f"{where}: no column '{printable(label)}' for --labels; it has {some(list(names))}.")
    if patterns:
        read = chosen([name for name in names if name != label], patterns, where)
        free = [name for name in LABEL_COLUMNS if name in names and name not in read]
        return Plan(read, None if elsewhere else label or next(iter(free), None), [])
    label = label or next((name for name in LABEL_COLUMNS if name in names), None)
    read, notes = by_name([name for name in names if name != label], where)
    return Plan(read, None if elsewhere else label, notes)


def taken(sheet: Sheet, patterns: Sequence[str], where: str) -> Taken:
    """The codes of a sheet: mu and logvar where columns are called so, else z of every column that can be a code.

    Raises
    ------
    InputError : no column left, columns of text, missing numbers, a spread that is not positive.
    """
    names = list(sheet.numbers)
    found = posterior_of(names, where)
    if found is not None and found.rest and patterns:
        found = None  # what was chosen is more than a posterior: all of it are codes
    if found is not None:
        _refuse_text(sheet, [name for name in names if name not in found.rest], where)
        return _of_posterior(found, sheet, where)
    first, other = ("", []) if patterns else apart_from_codes([name for name in names if name not in sheet.text])
    names = [name for name in names if name not in other]
    _refuse_text(sheet, names, where)
    numbers = {name: sheet.numbers[name] for name in names}
    kept, notes = (names, []) if patterns else by_value(numbers, sheet.integers, where)
    if other:
        beside = f"beside {short(printable(first))!r} and so on"
        notes.append(f"{where}: left out, {beside}: {some([printable(name) for name in other])}; {CHOOSE}")
    if not kept:
        raise InputError(f"{where}: no column is left to be a dimension; {CHOOSE}. {' '.join(notes)}".rstrip())
    return Taken(_matrix(sheet, kept, where), None, None, {"z": kept}, notes)


def _of_posterior(found: Posterior, sheet: Sheet, where: str) -> Taken:
    parts = {"z": found.z, "mu": found.mu, "logvar": found.logvar}
    arrays = {role: _matrix(sheet, names, where) if names else None for role, names in parts.items()}
    said = ", ".join(f"{role} of {short(printable(names[0]))!r} and so on" if len(names) > 1 else
                     f"{role} of {short(printable(names[0]))!r}" for role, names in parts.items() if names)  # fmt: skip
    notes = [f"{where}: taken by their names: {said}"]
    if (raw := arrays["logvar"]) is not None and found.spread != "logvar":
        arrays["logvar"] = to_logvar(raw, found.spread, f"{where}, column {found.logvar[0]!r} and so on")
        notes.append(f"{where}: {found.logvar[0]!r} and so on: by their names {SPREADS[found.spread][1]}")
    if found.rest:
        rest = some([printable(name) for name in found.rest])
        notes.append(f"{where}: left out beside them: {rest}; {CHOOSE}")
    columns = {role: names for role, names in parts.items() if names}
    return Taken(arrays["z"], arrays["mu"], arrays["logvar"], columns, notes)


def _matrix(sheet: Sheet, names: Sequence[str], where: str) -> np.ndarray:
    matrix = np.column_stack([sheet.numbers[name] for name in names])
    bad = ~np.isfinite(matrix)
    if bad.any():
        rows, columns = np.flatnonzero(bad.any(axis=1)), np.flatnonzero(bad.any(axis=0))
        named = some([names[index] for index in columns.tolist()])
        raise InputError(
            f"{where}: codes are missing, NaN or infinite in {len(rows):,} of {len(matrix):,} rows, "
            f"{some(rows.tolist())} (counted from 0), columns {named}; drop those rows or look "
            "for a diverged training run."
        )
    return matrix


def _refuse_text(sheet: Sheet, names: Sequence[str], where: str) -> None:
    if not names:
        raise InputError(
            f"{where}: no column is left to be a dimension besides the labels; {CHOOSE}. {' '.join(sheet.notes)}"
        )
    text = {name: found for name, found in sheet.text.items() if name in names}
    if not text:
        return
    name, (row, value) = next(iter(text.items()))
    as_asked = shlex.quote(printable(name))
    advice = f"if it holds the classes, say --labels {as_asked}; else choose the codes with --columns"
    if _THOUSANDS.fullmatch(value.strip()):
        advice = "write numbers without a mark between the thousands"
    elif value.lstrip().startswith(("[", "(", "array(")):
        advice = "spread the list into columns, one number each, or save it as .npy or as a parquet column of lists"
    raise InputError(
        f"{where}: {len(text)} column{'s' * (len(text) > 1)} not of numbers: {some(list(text))}; row {row} "
        f"(counted from 0) of {short(name)!r} holds {value[:40]!r}. Every column but the labels is a dimension: "
        f"{advice}."
    )
