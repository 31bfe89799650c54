"""The audit's statistics beside pingouin, hyppo, prdc and scipy: the values, the time and the memory, in one run.

Each side runs in a process of its own, ours and theirs by turns; it warms up on a few rows (hyppo compiles), then
computes once. Time is that of all its threads on the processor, which other programs beside it hardly change. Memory
is by how much the peak of the process grows in that call. Writes results/libraries.json.

    python benchmarks/libraries.py measure
"""

import importlib.metadata
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
import typer

from measured import run, save, spread

WARM_UP = 60  # rows
Statistic = Callable[[np.ndarray], dict[str, float]]
app = typer.Typer(add_completion=False)


class Case(NamedTuple):
    """A statistic that a library has, too: of which codes, ours, and theirs in the same units."""

    library: str
    what: str
    n: int
    d: int
    ours: Statistic
    theirs: Statistic


def codes(n: int, d: int) -> np.ndarray:
    """Skewed, correlated codes, so that no statistic is trivial."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((n, d))
    x[:, 0] = np.exp(0.4 * x[:, 0]) - 1
    return x @ (np.eye(d) + 0.1 * rng.standard_normal((d, d)) / np.sqrt(d)) + 0.2


def halves(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two samples that differ."""
    first, second = np.array_split(x, 2)
    return first, 1.1 * second


def our_henze_zirkler(x: np.ndarray) -> dict[str, float]:
    """Of the whitened codes."""
    from latent_audit.diagnostics.codes import Codes
    from latent_audit.diagnostics.multivariate_shape import shape_statistics

    return {"henze_zirkler": shape_statistics(Codes(x).whitened)["henze_zirkler"]}


def their_henze_zirkler(x: np.ndarray) -> dict[str, float]:
    """pingouin's, which holds all pairs at once."""
    import pingouin

    return {"henze_zirkler": float(pingouin.multivariate_normality(x).hz)}


def our_symmetry(x: np.ndarray) -> dict[str, float]:
    """Energy distance of the codes to their mirror image."""
    from latent_audit.diagnostics.pairwise import prior_pair_means

    means = prior_pair_means(x, 1.0)
    return {"energy": 2 * (means["sum"] - means["distance"])}


def hyppos_symmetry(x: np.ndarray) -> dict[str, float]:
    """hyppo's, by way of the distance covariance with the label of the sample."""
    from hyppo.ksample import Energy

    return {"energy": float(Energy(bias=True).statistic(x, -x))}


def scipys_symmetry(x: np.ndarray) -> dict[str, float]:
    """scipy's is the root, in one dimension."""
    from scipy.stats import energy_distance

    return {"energy": float(energy_distance(x[:, 0], -x[:, 0])) ** 2}


def our_manifold(x: np.ndarray) -> dict[str, float]:
    """Precision, recall, density and coverage with balls to the fifth neighbour."""
    from latent_audit.diagnostics.generation import manifold_scores

    return manifold_scores(*halves(x)[::-1], k=5)


def their_manifold(x: np.ndarray) -> dict[str, float]:
    """Naeem et al.'s own."""
    from prdc import compute_prdc

    real, generated = halves(x)
    return {name: float(value) for name, value in compute_prdc(real, generated, nearest_k=5).items()}


def our_frechet(x: np.ndarray) -> dict[str, float]:
    """By singular values."""
    from latent_audit.diagnostics.generation import frechet_distance

    return {"frechet": frechet_distance(*halves(x))}


def their_frechet(x: np.ndarray) -> dict[str, float]:
    """By scipy's root of a matrix, as it is written everywhere."""
    from scipy.linalg import sqrtm

    first, second = halves(x)
    a, b = (np.cov(y, rowvar=False, ddof=0) for y in (first, second))
    off = first.mean(axis=0) - second.mean(axis=0)
    return {"frechet": float(off @ off + np.trace(a + b - 2 * sqrtm(a @ b).real))}


def our_dimensions(x: np.ndarray) -> dict[str, float]:
    """Every statistic of every dimension; those that scipy has."""
    from latent_audit.diagnostics.univariate import per_dimension

    table = per_dimension(x, rng=np.random.default_rng(0))
    names = ("skew", "excess_kurtosis", "ks_d", "cvm_w2", "shapiro_w")
    return {name: float(table[name].mean()) for name in names}


def their_dimensions(x: np.ndarray) -> dict[str, float]:
    """scipy's, dimension by dimension; Shapiro and Wilk's on the same rows."""
    from scipy import stats

    rows = np.sort(np.random.default_rng(0).choice(len(x), 5000, replace=False)) if len(x) > 5000 else slice(None)
    made = [
        (
            stats.skew(y), stats.kurtosis(y), stats.kstest(y, "norm").statistic,
            stats.cramervonmises(y, "norm").statistic, stats.shapiro(y[rows]).statistic,
            stats.normaltest(y).pvalue, stats.jarque_bera(y).pvalue,
        )
        for y in x.T
    ]  # fmt: skip
    mean = np.mean(np.array(made), axis=0)[:5]
    return dict(zip(("skew", "excess_kurtosis", "ks_d", "cvm_w2", "shapiro_w"), mean.tolist(), strict=True))


CASES = {
    "henze-zirkler": Case(
        "pingouin", "Henze–Zirkler statistic", 4000, 10, our_henze_zirkler, their_henze_zirkler
    ),
    "energy": Case(
        "hyppo", "energy distance of codes to their mirror image", 2000, 10, our_symmetry, hyppos_symmetry
    ),
    "energy-1d": Case(
        "scipy", "energy distance to the mirror image in one dimension, where scipy sorts", 4000, 1, our_symmetry,
        scipys_symmetry,
    ),
    "manifold": Case("prdc", "precision, recall, density, coverage", 6000, 64, our_manifold, their_manifold),
    "frechet": Case("scipy", "Fréchet distance, by the root of a matrix", 10_000, 128, our_frechet, their_frechet),
    "dimensions": Case(
        "scipy", "moments and five tests of each dimension", 10_000, 50, our_dimensions, their_dimensions
    ),
}  # fmt: skip


@app.command()
def one(name: str, side: str) -> None:
    """Compute one side of one case and print it as a line of JSON."""
    case = CASES[name]
    compute = case.ours if side == "ours" else case.theirs
    compute(codes(WARM_UP * max(1, case.d // 16), case.d))
    x = codes(case.n, case.d)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    values = compute(x)
    seconds = time.process_time() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"values": values, "seconds": seconds, "mib": grown}))


@app.command()
def measure(
    rounds: Annotated[int, typer.Option(help="of ours and theirs by turns")] = 5,
    only: Annotated[list[str] | None, typer.Option(help="names of cases")] = None,
) -> None:
    """Run every case and write results/libraries.json."""
    rows = [compared(name, rounds) for name in only or CASES]
    used = sorted({CASES[name].library for name in only or CASES})
    libraries = {name: importlib.metadata.version(name) for name in used}
    command = f"python benchmarks/libraries.py measure --rounds {rounds}"
    command += "".join(f" --only {name}" for name in only or ())
    save("libraries", command, {"libraries": libraries, "rows": rows})


def compared(name: str, rounds: int) -> dict[str, object]:
    """Both sides of a case by turns: CPU seconds, theirs over ours, memory, and how far the values differ."""
    case = CASES[name]
    found: dict[str, list[dict]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for side, runs in found.items():
            printed = run(sys.executable, __file__, "one", name, side, watch=False).output
            runs.append(json.loads(printed.strip().splitlines()[-1]))
    ours, theirs = found["ours"], found["theirs"]
    shared = ours[0]["values"].keys() & theirs[0]["values"].keys()
    apart = max(_apart(ours[0]["values"][value], theirs[0]["values"][value]) for value in shared)
    row = {
        "case": name, "library": case.library, "what": case.what, "n": case.n, "d": case.d, "largest_difference": apart,
        "values": {value: [ours[0]["values"][value], theirs[0]["values"][value]] for value in sorted(shared)},
        "theirs_over_ours": spread([b["seconds"] / a["seconds"] for a, b in zip(ours, theirs, strict=True)]),
        **{f"{side}_seconds": spread([one["seconds"] for one in runs]) for side, runs in found.items()},
        **{f"{side}_mib": max(one["mib"] for one in runs) for side, runs in found.items()},
    }  # fmt: skip
    print(row, flush=True)
    return row


def _apart(ours: float, theirs: float) -> float:
    """The difference as a share of theirs."""
    return abs(ours - theirs) / max(abs(theirs), 1e-12)


if __name__ == "__main__":
    app()
