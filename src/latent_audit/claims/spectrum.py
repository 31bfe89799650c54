"""Active units and the spectrum of the KL of one arm, over its seeds, for a page."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from latent_audit.claims.intervals import mean_interval, within


class Units(NamedTuple):
    """How much of its code an arm uses: active dimensions and nats, seed by seed, of latent_dim dimensions."""

    active: list[int]
    kl_nats: list[float]
    latent_dim: int

    @property
    def sentence(self) -> str:
        """It in words: how many dimensions are active, and that nothing can be sampled where none is."""
        least, most, d = min(self.active), max(self.active), self.latent_dim
        count = f"{least}" if least == most else f"{least} to {most}"
        seeds = f" in {len(self.active)} seeds" if len(self.active) > 1 else ""
        said = f"{count} of {d} dimensions {'is' if d == 1 else 'are'} active{seeds}"
        dead = sum(active == 0 for active in self.active)
        if not dead:
            return f"{said}."
        where = "it has" if len(self.active) == 1 else f"{dead} of {len(self.active)} seeds have"
        return f"{said}: {where} collapsed, and whatever is drawn there decodes to the same average."


def units_of_arm(spectrum: pd.DataFrame) -> Units:
    """Active dimensions (Burda et al. 2016) and the whole KL, seed by seed.

    Parameters
    ----------
    spectrum : rows seed, rank, dim, kl_nats, ..., is_active of one arm (diagnostics/ARM/spectrum.csv).
    """
    by_seed = spectrum.groupby("seed", sort=False)
    active = [int(_truth(rows["is_active"]).sum()) for _, rows in by_seed]
    return Units(active, [float(rows["kl_nats"].sum()) for _, rows in by_seed], int(spectrum["rank"].max()))


def spectrum_over_seeds(spectrum: pd.DataFrame) -> pd.DataFrame:
    """The KL of the dimension of each rank, largest first, over the seeds of one arm.

    Returns
    -------
    Rows rank, kl_nats (mean), low, high (95% interval of the mean, not below 0; NaN for one seed), share (mean of the
    shares), active_seeds, n_seeds.
    """
    rows = []
    for rank, own in spectrum.groupby("rank"):
        found = within(mean_interval(own["kl_nats"].tolist()), 0.0, np.inf)
        active = int(_truth(own["is_active"]).sum())
        rows.append((rank, found.mean, found.low, found.high, own["share"].mean(), active, found.n_seeds))
    columns = ["rank", "kl_nats", "low", "high", "share", "active_seeds", "n_seeds"]
    return pd.DataFrame(rows, columns=columns)


def _truth(column: pd.Series) -> pd.Series:
    """A column of truth values, which an arm with empty cells has as text."""
    return column.astype(str) == "True"
