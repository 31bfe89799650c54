"""The four verdicts on a claim, from its interval, its direction and its margin."""

import numpy as np

from latent_audit.claims.intervals import Interval

VERDICTS = ("supported", "negligible", "contradicted", "inconclusive")


def verdict(interval: Interval, direction: str, margin: float) -> str:
    """One of VERDICTS, by where the whole interval lies; a margin on its edge is inside it.

    A claim that something is larger (">"), by more than `margin`:

    - `supported`: the interval lies above the margin;
    - `contradicted`: it lies below 0 and reaches below -margin: the opposite sign, and not surely too small to matter;
    - `negligible`: else, where it lies below the margin: of what is claimed there is less than matters. So (-1.2, .8)
      against 1 is negligible: whatever the sign, it is not larger by 1;
    - `inconclusive`: the margin is inside.

    A claim that something is smaller than `margin` ("<") has no fourth case: `supported` below the margin,
    `contradicted` above it, `inconclusive` with the margin inside.

    Without an interval (one seed, or a value that is not known) either claim is `inconclusive`.
    """
    low, high = interval.low, interval.high
    if not np.isfinite([low, high]).all() or low <= margin <= high:
        return "inconclusive"
    above = low > margin
    if direction == "<":
        return "contradicted" if above else "supported"
    if above:
        return "supported"
    return "contradicted" if high < 0 and low < -abs(margin) else "negligible"
