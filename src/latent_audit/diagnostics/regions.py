"""Where codes and draws from N(0, I) differ most: boxes and shells with the share of each law that lies in them."""

import itertools
import json
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special, stats
from sklearn.tree import DecisionTreeClassifier

from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.coverage import subsample
from latent_audit.diagnostics.multiplicity import holm
from latent_audit.diagnostics.parallel import single_threaded

LEAVES = 16
LEAST_IN_A_LEAF = 20  # codes and draws together, and at least a fiftieth of all
MOST_BOUNDS = 4  # splits above a leaf: a region is said in so many words
SHELLS = 8  # of equal prior mass
ROWS = 20_000
FITTED = 4_000_000  # numbers that the tree is fitted to at most: fewer codes in more dimensions
LEVEL = 0.95  # of all intervals together
COLUMNS = (
    "rank", "kind", "region", "bounds", "codes_share", "codes_low", "codes_high", "prior_share", "difference",
    "p_value", "p_holm", "n",
)  # fmt: skip

Bounds = dict[int, tuple[float, float]]  # dimension -> from, to


class Region(NamedTuple):
    """A box along the axes, or a shell about 0 (bounds of the single key -1: distances from 0)."""

    kind: str
    bounds: Bounds

    def holds(self, x: np.ndarray) -> np.ndarray:
        """(sample,) whether each code of (sample, latent) lies in it."""
        inside = np.ones(len(x), dtype=bool)
        for dim, (low, high) in self.bounds.items():
            value = np.sqrt((x * x).sum(axis=1)) if self.kind == "shell" else x[:, dim]
            inside &= (value > low) & (value <= high)
        return inside

    def prior_share(self, latent_dim: int) -> float:
        """The mass that N(0, I) has in it, exactly."""
        if self.kind == "shell":
            low, high = self.bounds[-1]
            return float(stats.chi.cdf(high, latent_dim) - stats.chi.cdf(low, latent_dim))
        return float(np.prod([special.ndtr(high) - special.ndtr(low) for low, high in self.bounds.values()]))

    @property
    def words(self) -> str:
        """Its bounds in words; z0 is dimension 0."""
        if not self.bounds:
            return "everywhere"
        name = "|z|" if self.kind == "shell" else None
        return ", ".join(_between(name or f"z{dim}", *ends) for dim, ends in sorted(self.bounds.items()))


def regions(x: Codes | np.ndarray, *, rng: np.random.Generator) -> pd.DataFrame:
    """The regions in which the share of the codes differs from that of N(0, I), the largest difference first.

    A classification tree of at most 16 leaves (Breiman et al. 1984) is fitted to half of the codes and as many draws of
    N(0, I). Its leaves are boxes along the axes; the share of codes is of the other half, which had no say in their
    choice, and the share of the prior is exact. Beside them, from two dimensions on, eight shells about 0 of equal
    prior mass. At most 20,000 codes are used.

    Returns
    -------
    A row per region: COLUMNS. kind : "box" or "shell". region : in words. bounds : JSON, dimension ("|z|" of a shell)
    -> [from, to], null where it has no end. codes_low, codes_high : Clopper & Pearson's (1934) interval of the codes'
    share; 95% for all rows together (Bonferroni), so it holds for the one that looks worst. prior_share : exact.
    difference : codes_share - prior_share. p_value : of equal shares, exact binomial, twice the smaller side; p_holm :
    over all rows. n : codes counted.

    Raises
    ------
    InputError : see `checks.as_codes`.
    """
    codes = Codes.of(x, where="regions")
    d = codes.shape[1]
    used = rng.permutation(subsample(codes.values, min(ROWS, max(500, FITTED // (2 * d))), rng=rng))
    fit, held = np.array_split(used, 2)
    found = [*_boxes(fit, rng.standard_normal(fit.shape)), *(_shells(d) if d > 1 else [])]
    table = _table(found, held)
    order = (-table["difference"].abs()).argsort(kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    return table.assign(rank=np.arange(1, len(table) + 1))[list(COLUMNS)]


def shown_rows(table: pd.DataFrame, *, most: int = 8) -> pd.DataFrame:
    """For a page: of the regions that differ after Holm's adjustment the `most` largest differences.

    Columns region, codes, low, high, prior: the region in words and shares in [0, 1].
    """
    differing = table[table["p_holm"] < 1 - LEVEL].head(most)
    names = {"codes_share": "codes", "codes_low": "low", "codes_high": "high", "prior_share": "prior"}
    return differing.rename(columns=names)[["region", *names.values()]].reset_index(drop=True)


def _boxes(codes: np.ndarray, draws: np.ndarray) -> list[Region]:
    """The leaves of a tree that tells codes from draws."""
    both, of_codes = np.concatenate([codes, draws]), np.repeat([1, 0], [len(codes), len(draws)])
    model = DecisionTreeClassifier(
        max_leaf_nodes=LEAVES, max_depth=MOST_BOUNDS, min_samples_leaf=max(LEAST_IN_A_LEAF, len(both) // 50),
        random_state=0,
    )  # fmt: skip
    with single_threaded():
        tree = model.fit(both, of_codes).tree_
    found, waiting = [], [(0, Bounds())]
    while waiting:
        node, bounds = waiting.pop()
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            found.append(Region("box", bounds))
            continue
        dim, cut = int(tree.feature[node]), float(tree.threshold[node])
        low, high = bounds.get(dim, (-np.inf, np.inf))
        waiting += [(right, bounds | {dim: (cut, high)}), (left, bounds | {dim: (low, cut)})]
    return found


def _shells(latent_dim: int) -> list[Region]:
    edges = np.array([-np.inf, *stats.chi.ppf(np.arange(1, SHELLS + 1) / SHELLS, latent_dim)])
    return [Region("shell", {-1: (float(a), float(b))}) for a, b in itertools.pairwise(edges)]


def _table(found: list[Region], held: np.ndarray) -> pd.DataFrame:
    n, level = len(held), (1 - LEVEL) / len(found)
    k = np.array([int(region.holds(held).sum()) for region in found])
    prior = np.array([region.prior_share(held.shape[1]) for region in found])
    low = np.where(k > 0, stats.beta.ppf(level / 2, np.maximum(k, 1), n - k + 1), 0.0)
    high = np.where(k < n, stats.beta.isf(level / 2, k + 1, np.maximum(n - k, 1)), 1.0)
    sides = np.minimum(stats.binom.cdf(k, n, prior), stats.binom.sf(k - 1, n, prior))
    p = np.minimum(1.0, 2 * sides)
    return pd.DataFrame(
        {
            "kind": [region.kind for region in found], "region": [region.words for region in found],
            "bounds": [_json(region) for region in found], "codes_share": k / n, "codes_low": low, "codes_high": high,
            "prior_share": prior, "difference": k / n - prior, "p_value": p, "p_holm": holm(p), "n": n,
        }
    )  # fmt: skip


def _json(region: Region) -> str:
    def ends(pair: tuple[float, float]) -> list[float | None]:
        return [float(f"{end:.6g}") if np.isfinite(end) else None for end in pair]

    return json.dumps({"|z|" if dim < 0 else str(dim): ends(pair) for dim, pair in sorted(region.bounds.items())})


def _between(name: str, low: float, high: float) -> str:
    below, above = (f"{end:.2f}".replace("-", "−") for end in (low, high))
    if low == -np.inf:
        return f"{name} up to {above}"
    return f"{name} above {below}" if high == np.inf else f"{name} from {below} to {above}"
