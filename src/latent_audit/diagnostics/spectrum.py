"""How the KL is spread over the dimensions of a code, whatever their order: a spectrum, and how many are active."""

import numpy as np
import pandas as pd

COLUMNS = ("rank", "dim", "kl_nats", "share", "cumulative_share", "activity", "is_active", "is_collapsed")


def kl_spectrum(per_dim: pd.DataFrame) -> pd.DataFrame | None:
    """The dimensions of one code, the one of largest KL first; None without a posterior.

    Which index a dimension has is chance, and differs from training to training: replicates compare by rank.

    Parameters
    ----------
    per_dim : a row per dimension with dim, kl_nats, activity, is_active, is_collapsed (`decomposition.
    per_dimension_rate`).

    Returns
    -------
    COLUMNS: rank from 1; share, cumulative_share: of the KL of all dimensions (NaN where it is 0). is_active: Burda et
    al. (2016), arXiv:1509.00519, section 5.2.
    """
    if "kl_nats" not in per_dim or per_dim["kl_nats"].isna().all():
        return None
    table = per_dim.sort_values("kl_nats", ascending=False, kind="stable").reset_index(drop=True)
    kl, total = table["kl_nats"].to_numpy(), float(table["kl_nats"].sum())
    share = kl / total if total > 0 else np.full(len(kl), np.nan)
    made = table.assign(rank=np.arange(1, len(table) + 1), share=share, cumulative_share=share.cumsum())
    return made[list(COLUMNS)]
