"""What an audit was of and how it was made, for audit.json and for the page; no clock, no host, no path."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

from latent_audit.diagnostics.audit import AuditSettings, AuditTables

PACKAGES = ("latent-audit", "numpy", "scipy", "scikit-learn", "pandas", "matplotlib", "pillow")


def about(
    tables: AuditTables,
    *,
    arrays: Sequence[str],
    shape: tuple[int, int],
    labels: np.ndarray | None,
    columns: Mapping[str, Sequence[str]],
    images: Sequence[int] | None,
    seed: int,
    settings: AuditSettings,
    notes: Sequence[str],
) -> dict[str, Any]:
    """Sizes, what was taken, the answer, settings and versions.

    Parameters
    ----------
    arrays : the names of those that were given. shape : codes and dimensions. columns : role -> names of the columns
        that it was made of. images : the shape of the images beside the codes.
    notes : what a reader should be told of the input.
    """
    return {
        "arrays": list(arrays),
        "n": shape[0],
        "latent_dim": shape[1],
        "classes": None if labels is None else len(np.unique(labels)),
        "columns": {role: list(names) for role, names in columns.items()},
        "images": None if images is None else list(images),
        "shown_dims": list(tables.dims),
        "may_sample": tables.judgement.may_sample,
        "verdict": tables.verdict,
        "advice": list(tables.judgement.advice),
        "fits": _rows(tables.judgement.fits),
        "seed": seed,
        "settings": asdict(settings),
        "notes": list(notes),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _rows(table: pd.DataFrame | None) -> list[dict[str, Any]] | None:
    """The rows of a table as JSON has them: NaN is null."""
    if table is None:
        return None
    return [{k: None if v != v else v for k, v in row.items()} for row in table.to_dict("records")]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
