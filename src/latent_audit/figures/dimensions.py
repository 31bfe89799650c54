"""Which dimensions of a code are drawn, and how they are called."""

from collections.abc import Mapping

import pandas as pd

MAX_DIMS = 8  # dimensions drawn one by one
LONGEST_NAME = 18  # characters of a column's name in a figure


def shown_dims(per_dim: pd.DataFrame, *, most: int = MAX_DIMS) -> list[int]:
    """The dimensions that are drawn: all, or the `most` furthest from N(0, 1) by KS D over arms and seeds."""
    worst = per_dim[per_dim["code"] == "z"].groupby("dim")["ks_d"].mean().sort_values(ascending=False, kind="stable")
    return sorted(worst.index[:most].tolist())


def dimension_name(dim: int) -> str:
    """z₀ for dimension 0: counted from 0, as arrays and the tables are."""
    return "z" + "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(int(dim)))


def names_of(per_dim: pd.DataFrame) -> dict[int, str]:
    """dimension -> the name of its column in the user's file, where the table has the column `name`."""
    return dict(zip(per_dim["dim"], per_dim["name"].astype(str), strict=True)) if "name" in per_dim else {}


def dimension_label(dim: int, names: Mapping[int, str]) -> str:
    """z₀ · age: the dimension's name, and that of its column where it has one."""
    own = names.get(dim)
    if own is None:
        return dimension_name(dim)
    return f"{dimension_name(dim)} · {own if len(own) <= LONGEST_NAME else f'{own[: LONGEST_NAME - 1]}…'}"


def dimension_words(dim: int, names: Mapping[int, str]) -> str:
    """Dimension 0 (age): the same for a sentence."""
    return f"dimension {dim}" + (f" ({names[dim]})" if dim in names else "")
