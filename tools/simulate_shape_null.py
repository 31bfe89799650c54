"""Makes `shape_null.csv`, what K2 and Jarque-Bera are of n normal values: some two minutes on one core.

    python tools/simulate_shape_null.py

Power sums of samples add up. So a pool of ten million blocks of 100 values is drawn once: the samples of 100 to 1,000
rows are its blocks side by side, each used once per n, and larger samples are drawn from the million of 1,000 rows.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from latent_audit.base.atomic import write_text
from latent_audit.base.randomness import rng_for
from latent_audit.diagnostics.shape_tests import TABLE, jb_statistic, k2_statistic

COMMAND = "python tools/simulate_shape_null.py"
SMALL, SMALL_DRAWS = (20, 25, 30, 40, 50, 70), 4_000_000
BLOCK, BLOCKS, OF_BLOCKS = 100, 10_000_000, (100, 200, 300, 500, 700, 1_000)
LARGE, LARGE_DRAWS = (2_000, 5_000, 10_000, 20_000, 50_000), 2_000_000
VALUES_AT_ONCE = 200_000  # 1.6 MB, which stays in a core's cache
HUNDREDS = tuple(share / 100 for share in (99.9, 99, 97, *range(95, 4, -5), 4, 3, 2, 1.5))
TAIL = tuple(step * 10.0**-k for k in (2, 3, 4, 5) for step in (1, 0.7, 0.5, 0.3, 0.2, 0.15)[: 1 if k == 5 else 6])
LEVELS = np.array([*HUNDREDS, *TAIL])


def power_sums(rows: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """(4, draws): the sums of x, x^2, x^3 and x^4 over `rows` normal values each."""
    at_once = max(1, VALUES_AT_ONCE // rows)
    parts = []
    for start in range(0, draws, at_once):
        x = rng.standard_normal((min(at_once, draws - start), rows))
        square = x * x
        cubes, fourths = np.einsum("ij,ij->i", square, x), np.einsum("ij,ij->i", square, square)
        parts.append(np.stack([x.sum(axis=1), square.sum(axis=1), cubes, fourths]))
    return np.concatenate(parts, axis=1)


def statistics(sums: np.ndarray, n: int) -> dict[str, np.ndarray]:
    """K2 and JB of samples of n rows by their power sums (4, draws)."""
    mean, second, third, fourth = sums / n
    variance = second - mean**2
    skew = (third - 3 * mean * second + 2 * mean**3) / variance**1.5
    kurtosis = (fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4) / variance**2
    return {"k2": k2_statistic(skew, kurtosis - 3, n), "jb": jb_statistic(skew, kurtosis - 3, n)}


def samples() -> Iterator[tuple[int, np.ndarray]]:
    """Each n with the power sums of its samples."""
    for n in SMALL:
        yield n, power_sums(n, SMALL_DRAWS, rng_for(0, "shape-null", str(n)))
    pool = power_sums(BLOCK, BLOCKS, rng_for(0, "shape-null", "blocks"))
    of_blocks = pool
    for n in OF_BLOCKS:
        side_by_side = n // BLOCK
        whole = pool[:, : BLOCKS // side_by_side * side_by_side]
        of_blocks = whole.reshape(4, -1, side_by_side).sum(axis=2)
        yield n, of_blocks
    for n in LARGE:
        rng, sums = rng_for(0, "shape-null", str(n)), np.zeros((4, LARGE_DRAWS))
        for _ in range(n // OF_BLOCKS[-1]):
            sums += np.take(of_blocks, rng.integers(of_blocks.shape[1], size=LARGE_DRAWS), axis=1)
        yield n, sums


def table() -> pd.DataFrame:
    """Columns n, p, k2, jb: the statistic that n normal values exceed with probability p."""
    parts = []
    for n, sums in samples():
        quantiles = {name: np.quantile(values, 1 - LEVELS) for name, values in statistics(sums, n).items()}
        parts.append(pd.DataFrame({"n": n, "p": LEVELS} | quantiles))
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    """Write the table, with the command that made it in its first line."""
    rows = table().to_csv(index=False, float_format="%.5g", lineterminator="\n")
    write_text(TABLE, f"# {COMMAND}\n{rows}")


if __name__ == "__main__":
    main()
