"""Which dimensions of a code are drawn, and how they are called."""

import pandas as pd

MAX_DIMS = 8  # dimensions drawn one by one


def shown_dims(per_dim: pd.DataFrame, *, most: int = MAX_DIMS) -> list[int]:
    """The dimensions that are drawn: all, or the `most` furthest from N(0, 1) by KS D over arms and seeds."""
    worst = per_dim[per_dim["code"] == "z"].groupby("dim")["ks_d"].mean().sort_values(ascending=False, kind="stable")
    return sorted(worst.index[:most].tolist())


def dimension_name(dim: int) -> str:
    """z₁ for dimension 0: counted from 1, as readers do."""
    return "z" + "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(dim + 1))
