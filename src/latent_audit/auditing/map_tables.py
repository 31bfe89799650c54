"""Latent maps on an audit's page: their scaling, how their positions hang together, and a few positions."""

import pandas as pd
from markupsafe import Markup

from latent_audit.diagnostics.latent_maps import MapTables
from latent_audit.report.tables import data_table, number

MOST_ROWS = 40  # of a table on the page; the file has all
DIGITS = 5  # of a shift and a scale: they are written into configurations
HEADINGS = {
    "scope": "channel, from 0", "std": "sd", "excess_kurtosis": "ex. kurtosis", "ks_d": "KS D",
    "correlation_max": "correlation", "correlated_with": "with channel", "correlation_down": "with the one below",
    "correlation_right": "with the next", "effective_positions": "worth, positions", "effective_n": "worth, in all",
    "fixed_share": "fixed share", "ks_p_holm": "KS p, Holm",
}  # fmt: skip


def map_tables(maps: MapTables | None) -> list[tuple[str, Markup]]:
    """Title and table of each section; none where the codes are no maps."""
    if maps is None:
        return []
    one = "position" if maps.kind == "maps" else "token"
    values = number(int(maps.scaling["n"].iloc[0]))
    scaling = (
        f"scaling.csv: (z - shift) × scale has mean 0 and variance 1, over {values} values. Left then: skew, kurtosis, "
        f"and of {number(maps.rows)} seeded {one}s the KS distance to N(0, 1) and the largest correlation of channels"
    )
    spatial = (
        f"spatial.csv: correlation of neighbouring {one}s over the samples, and how many independent ones they are "
        "worth: no more are audited. “Fixed” is the share of the variance that is the same in every sample"
    )
    positions = f"positions.csv: a seeded few {one}s, each over the samples, against N(0, 1)"
    return [
        ("Unit scaling", _table(maps.scaling.drop(columns=["n", "ks_n"]), scaling, DIGITS)),
        (f"Between {one}s", _table(maps.spatial, spatial)),
        (f"Single {one}s", _table(maps.positions, positions)),
    ]


def _table(table: pd.DataFrame, caption: str, digits: int = 3) -> Markup:
    more = len(table) - MOST_ROWS
    caption += f"; {number(more)} more rows are in the file" if more > 0 else ""
    return data_table(
        table.head(MOST_ROWS), caption=caption, headings=HEADINGS, form=lambda value: number(value, digits)
    )
