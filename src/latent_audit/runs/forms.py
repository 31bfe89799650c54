"""How the numbers of a measure are written where runs stand side by side: one precision for all of them.

A difference is then what a reader gets by subtracting the two numbers beside it.
"""

from collections.abc import Callable, Sequence
from math import floor, isfinite, log10

from latent_audit.base.measures import SHARE
from latent_audit.report.tables import ABSENT, number
from latent_audit.runs.compared import arms_of, descriptions, entry
from latent_audit.runs.revisions import Run

SHARES = ("hole_fraction", "hole_fraction_whitened")  # of runs made before they described their measures
DIGITS = 4  # significant, of the largest value
TINY, HUGE = 1e-3, 1e7  # beyond, a number is written by itself


def form_for(runs: Sequence[Run], metric: str, *, signed: bool = False) -> Callable[[float], str]:
    """A form for the values of `metric` in any of the runs; `signed`: for differences, shares in percentage points."""
    known, found = descriptions(runs), (entry(run, arm, metric) for run in runs for arm in arms_of(runs))
    share = known[metric].unit == SHARE if metric in known else metric in SHARES
    largest = max((abs(own["mean"]) for own in found if own is not None), default=0.0) * (100 if share else 1)
    if not share and not TINY <= largest < HUGE:
        return number
    decimals = (2 if largest < 10 else 1) if share else max(DIGITS - 1 - floor(log10(largest)), 0)
    unit = (" pp" if signed else "%") if share else ""

    def form(value: float) -> str:
        if not isfinite(value):
            return ABSENT
        text = f"{value * (100 if share else 1) + 0.0:,.{decimals}f}".replace(",", "\u202f")
        sign = "+" if signed and value > 0 else ""
        return f"{sign}{text}{unit}".replace("-", "−")

    return form
