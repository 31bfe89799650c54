"""What of N(0, I) the audit notices: twenty kinds of departure and the null, in 2 to 200 dimensions.

Writes results/departures.json, from which tables.py makes the table of docs/audit.md.

    python benchmarks/departures.py
"""

import itertools
import json
from collections.abc import Callable, Iterable
from typing import Annotated

import numpy as np
import typer
from scipy.special import ndtri

from latent_audit.diagnostics.audit import audit
from measured import RESULTS, save

Draw = Callable[[np.random.Generator, int, int], np.ndarray]


def normal(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """n draws of N(0, I)."""
    return rng.standard_normal((n, d))


def one(change: Callable[[np.ndarray], np.ndarray]) -> Draw:
    """N(0, I) with its first dimension changed."""

    def draw(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        x = normal(rng, n, d)
        x[:, 0] = change(x[:, 0])
        return x

    return draw


def every(change: Callable[[np.ndarray], np.ndarray]) -> Draw:
    """N(0, I) with all of it changed."""
    return lambda rng, n, d: change(normal(rng, n, d))


def correlated(rho: float) -> Draw:
    """N(0, I) with a correlation of the first two dimensions."""

    def draw(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        x = normal(rng, n, d)
        x[:, 1] = rho * x[:, 0] + np.sqrt(1 - rho**2) * x[:, 1]
        return x

    return draw


def missing_disk(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """No code within 0.6 of 0 in the plane of the first two dimensions: 16.5% of the prior."""
    x = normal(rng, n, d)
    while (inside := (x[:, :2] ** 2).sum(axis=1) < 0.36).any():
        x[inside, :2] = rng.standard_normal((int(inside.sum()), 2))
    return x


def checkerboard(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """The first two dimensions each N(0, 1), together on half of the squares of a 4 x 4 board of p-values."""
    x = normal(rng, n, d)
    i, j = rng.integers(4, size=n), rng.integers(2, size=n)
    column = 2 * j + i % 2
    x[:, 0], x[:, 1] = (ndtri((k + rng.uniform(size=n)) / 4) for k in (i, column))
    return x


def parity(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Three dimensions, two by two independent, whose product is positive (two dimensions: their signs agree)."""
    x = normal(rng, n, d)
    last = min(d, 3) - 1
    x[:, last] = np.abs(x[:, last]) * np.sign(x[:, :last]).prod(axis=1)
    return x


def sphere(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """All codes at the same distance from 0."""
    x = normal(rng, n, d)
    return x / np.linalg.norm(x, axis=1, keepdims=True) * np.sqrt(d)


def rotated_uniforms(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Independent uniform coordinates of variance 1, turned at random."""
    rotation = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return rng.uniform(-np.sqrt(3), np.sqrt(3), (n, d)) @ rotation


def copied(sign: float) -> Draw:
    """The second dimension is the first, or its negative."""

    def draw(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        x = normal(rng, n, d)
        x[:, 1] = sign * x[:, 0]
        return x

    return draw


def heavy(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Student's t with 5 degrees of freedom in every dimension, of variance 1."""
    return rng.standard_t(5, (n, d)) * np.sqrt(3 / 5)


def clusters(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Five clusters of sd 0.5 about centres of N(0, 0.75 I)."""
    centres = np.sqrt(0.75) * rng.standard_normal((5, d))
    return centres[rng.integers(5, size=n)] + 0.5 * normal(rng, n, d)


def of_one_scale(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Every code stretched or shrunk as a whole, by a factor of exp(0.3 N(0, 1)), mean square 1."""
    factor = np.exp(0.3 * rng.standard_normal((n, 1)) - 0.09)
    return normal(rng, n, d) * factor


DEPARTURES: dict[str, Draw] = {
    "none: N(0, I)": normal,
    "mean 0.3 in one dimension": one(lambda x: x + 0.3),
    "mean 0.1 in every dimension": every(lambda x: x + 0.1),
    "variance 0.9 in one dimension": one(lambda x: x * np.sqrt(0.9)),
    "sd 0.7 in one dimension": one(lambda x: 0.7 * x),
    "sd 1.2 in every dimension": every(lambda x: 1.2 * x),
    "correlation 0.1 of one pair": correlated(0.1),
    "correlation 0.5 of one pair": correlated(0.5),
    "missing disk": missing_disk,
    "checkerboard with exact margins": checkerboard,
    "heavy tails (t5)": heavy,
    "one dimension skewed": one(lambda x: (np.exp(0.5 * x) - np.exp(0.125)) / np.sqrt(np.exp(0.5) - np.exp(0.25))),
    "all collapsed (sd 0.05)": every(lambda x: 0.05 * x),
    "one dimension collapsed": one(lambda x: 0.01 * x),
    "one dimension duplicated": copied(1.0),
    "one dimension duplicated, negated": copied(-1.0),
    "on a sphere": sphere,
    "rotated uniforms": rotated_uniforms,
    "parity of three": parity,
    "five clusters": clusters,
    "each code of its own scale": of_one_scale,
}


def main(
    dims: Annotated[list[int] | None, typer.Option("--dim", help="numbers of dimensions")] = None,
    rows: Annotated[list[int] | None, typer.Option("--rows", help="numbers of codes")] = None,
    seed: int = 0,
    keep: Annotated[bool, typer.Option(help="the sizes of the last result that are not asked for")] = False,
) -> None:
    """Audit every departure in every size and write results/departures.json, after each size anew."""
    path = RESULTS / "departures.json"
    found = json.loads(path.read_text(encoding="utf-8"))["rows"] if keep and path.exists() else []
    for size in itertools.product(dims or [2, 10, 50, 200], rows or [1_000, 10_000]):
        found = [row for row in found if (row["d"], row["n"]) != size]
        found += [answer(name, number, *size, seed) for number, name in enumerate(DEPARTURES)]
        found.sort(key=lambda row: (row["d"], row["n"]))  # stable: the departures stay in their order
        save("departures", commands(dict.fromkeys((row["d"], row["n"]) for row in found)), {"rows": found})


def answer(name: str, number: int, d: int, n: int, seed: int) -> dict[str, object]:
    """What the audit says of one set of codes."""
    rng = np.random.default_rng([seed, number, n, d])
    verdict = audit(DEPARTURES[name](rng, n, d), seed=seed).judgement
    reasons = verdict.reasons
    flags = reasons[reasons["differs"]]["metric"].tolist()[:3]
    row = {"departure": name, "n": n, "d": d, "may_sample": verdict.may_sample, "flags": flags}
    print(row, flush=True)
    return row | {"sentence": verdict.sentence}


def commands(sizes: Iterable[tuple[int, int]]) -> str:
    """What makes a table of these sizes (d, n): a command for the dimensions that have the same numbers of codes."""
    by_rows: dict[tuple[int, ...], list[int]] = {}
    for d, group in itertools.groupby(sorted(sizes), key=lambda size: size[0]):
        by_rows.setdefault(tuple(n for _, n in group), []).append(d)
    lines = [
        "python benchmarks/departures.py"
        + " --keep" * (place > 0)
        + "".join(f" --dim {d}" for d in dims)
        + "".join(f" --rows {n}" for n in rows)
        for place, (rows, dims) in enumerate(by_rows.items())
    ]
    return " && ".join(lines)


if __name__ == "__main__":
    typer.run(main)
