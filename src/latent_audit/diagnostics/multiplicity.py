"""p-values of many tests at once: Holm's step-down and Benjamini and Hochberg's false discovery rate."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from latent_audit.base.errors import InputError


def holm(p: np.ndarray) -> np.ndarray:
    """Holm (1979): adjusted p_(i) = max over j <= i of min(1, (m - j + 1) p_(j)); any shape, NaN stays and counts not.

    Controls the probability of one false rejection under any dependence between the tests.
    """
    return _ignoring_nan(p, _holm)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Benjamini & Hochberg (1995), adjusted p; any shape, NaN stays and does not count. Valid under PRDS."""
    return _ignoring_nan(p, stats.false_discovery_control)


def _ignoring_nan(p: np.ndarray, adjustment) -> np.ndarray:
    p = np.asarray(p, dtype=np.float64)
    known = ~np.isnan(p)
    if ((p[known] < 0) | (p[known] > 1)).any():
        raise InputError(f"p-values must lie in [0, 1], got {p[known].min():g} to {p[known].max():g}.")
    adjusted = np.full(p.shape, np.nan)
    if known.any():
        adjusted[known] = adjustment(p[known])
    return adjusted


def _holm(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p, kind="stable")
    steps = np.minimum(p[order] * np.arange(len(p), 0, -1), 1.0)
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


def adjust(table: pd.DataFrame, by: str | Sequence[str]) -> pd.DataFrame:
    """The table with `<test>_p_holm` and `<test>_p_bh` after each `<test>_p` column.

    The family is every p in every p column (dims x tests, x seeds where there are several) of the rows that share the
    values of `by`, e.g. by="code". NaN p stay NaN and do not count. The log10 columns are left alone.

    Raises
    ------
    InputError : `by` names a column that is not there, or the table has no p column.
    """
    keys = [by] if isinstance(by, str) else list(by)
    names = [str(c) for c in table.columns if str(c).endswith("_p") and not str(c).startswith("log10_")]
    if missing := [key for key in keys if key not in table.columns]:
        raise InputError(f"adjust: no column {missing}; the table has {table.columns.tolist()}.")
    if not names:
        raise InputError(f"adjust: no column that ends in _p; the table has {table.columns.tolist()}.")
    values = table[names].to_numpy(dtype=np.float64)
    by_holm, by_bh = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    for rows in table.reset_index(drop=True).groupby(keys, dropna=False).indices.values():
        by_holm[rows], by_bh[rows] = holm(values[rows]), benjamini_hochberg(values[rows])
    adjusted = table.copy()
    for j, name in enumerate(names):
        place = adjusted.columns.tolist().index(name)
        adjusted.insert(place + 1, f"{name}_holm", by_holm[:, j])
        adjusted.insert(place + 2, f"{name}_bh", by_bh[:, j])
    return adjusted
