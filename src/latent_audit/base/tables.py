"""Read and write tidy tables and small JSON files with the same bytes for the same values."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from latent_audit.base.atomic import atomic_path, write_text
from latent_audit.base.errors import InputError

DIGITS = 10  # significant digits kept: more than any reader needs, fewer than would differ between machines


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, atomically."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")


def read_table(path: Path) -> pd.DataFrame:
    """Read a table written by `write_table`; InputError where there is none."""
    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run `dvc repro`") from None


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys and a final newline, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file; InputError where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run `dvc repro`") from None
