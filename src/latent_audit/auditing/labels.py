"""Labels that somebody else wrote, from an array or a file of them, or one sentence about what is wrong with them."""

import csv
import re
from pathlib import Path

import numpy as np

from latent_audit.auditing.arrays import read_npy
from latent_audit.auditing.border import border, printable, reason
from latent_audit.auditing.columns import HEADINGS
from latent_audit.auditing.paths import at_home, named_by, reached, refuse_absent
from latent_audit.base.errors import InputError

LABEL_SUFFIXES = (".npy", ".csv", ".txt")
# As numpy and pandas write what is not there; "NA" may be a class.
MISSING_LABELS = ("", "nan", "NaN", "None", "<NA>", "NaT")
_WHOLE = re.compile(r"[+-]?\d{1,18}(\.0*)?")


def label_array(values: np.ndarray, where: str) -> np.ndarray:
    """Labels as integers where every one is a whole number (also as text), else as strings.

    Raises
    ------
    InputError : not one label per row, missing labels (which rows), or values that name no class.
    """
    raw = np.asarray(values)
    if raw.ndim == 2 and raw.shape[1] == 1:
        raw = raw[:, 0]
    if raw.ndim != 1:
        hint = "; of a one-hot array take argmax(axis=1)" if raw.ndim == 2 else ""
        raise InputError(f"{where}: labels must be one value per row, got shape {raw.shape}{hint}.")
    if raw.dtype.kind in "iu" and not (raw.dtype == np.uint64 and len(raw) and raw.max() >= 2**63):
        return raw.astype(np.int64)
    if raw.dtype.kind not in "fbSUOu":
        raise InputError(f"{where}: labels must be integers or text, got dtype {raw.dtype}.")
    texts = [_text(value) for value in raw.tolist()]
    if missing := [row for row, text in enumerate(texts) if text in MISSING_LABELS]:
        shown = ", ".join(map(str, missing[:5]))
        raise InputError(
            f"{where}: {len(missing):,} of {len(texts):,} labels are missing, in rows {shown}"
            f"{', ...' if len(missing) > 5 else ''} (counted from 0); drop those rows or name their class."
        )
    if strange := [text for text in texts if not text.isprintable()]:
        raise InputError(
            f"{where}: the label {strange[0]!r} holds characters that cannot be printed; rename that class."
        )
    if all(_WHOLE.fullmatch(text) for text in texts):
        return np.array([int(text.split(".")[0]) for text in texts], dtype=np.int64)
    return np.array(texts, dtype=np.str_)


def why_no_classes(labels: np.ndarray, where: str) -> list[str]:
    """A note where all the labels are the same: then what needs two classes is left out. Else none."""
    if not len(labels) or (labels != labels[0]).any():
        return []
    return [f"{where}: all {len(labels):,} labels are {labels[0]!s}; what needs two classes is left out"]


def label_file_of(name: str, otherwise: str) -> tuple[np.ndarray, Path]:
    """The labels in the file called `name`, one per line as text or a .npy array, and its path.

    Raises
    ------
    InputError : no such file (`otherwise` says what else the name could have meant), or no list of labels.
    """
    path, named = at_home(Path(name)), printable(name)
    if not reached(path).is_file():
        raise InputError(f"--labels {named}: there is no such file, and {otherwise}.")
    refuse_absent(path)
    if path.suffix.lower() not in LABEL_SUFFIXES:
        raise InputError(f"--labels {named}: a file of labels must be one of {', '.join(LABEL_SUFFIXES)}.")
    with named_by(path):
        return (_array_in(path) if path.suffix.lower() == ".npy" else _lines_in(path)), path


def _array_in(path: Path) -> np.ndarray:
    with border(path.name, ".npy of labels; write it again"):
        return read_npy(path)


def _lines_in(path: Path) -> np.ndarray:
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().split("\n")
        cells = list(csv.reader(lines)) if path.suffix.lower() == ".csv" else [[line] for line in lines]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path.name}: not a text file in UTF-8 ({reason(error)}); is it really a list of labels?"
        ) from None
    if wide := [row for row, line in enumerate(cells, start=1) if len(line) > 1]:
        raise InputError(f"{path.name}: line {wide[0]} has {len(cells[wide[0] - 1])} cells; write one label per line.")
    return np.array(["".join(line).strip() for line in cells], dtype=object)


def without_heading(labels: np.ndarray, where: str, n: int) -> np.ndarray:
    """The lines of a .csv without the first where it names the column: by a usual name, or as one beyond `n`."""
    if not where.lower().endswith(".csv") or not len(labels):
        return labels
    named = str(labels[0]).lower() in HEADINGS and labels[0] not in labels[1:]
    return labels[1:] if named or len(labels) == n + 1 else labels


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return (value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)).strip()
