"""What differs between runs: parameters, verdicts, measures paired by seed; and the series that a sweep makes."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite, isnan, log
from typing import Any, NamedTuple

from latent_audit.base.measures import Metric
from latent_audit.claims.intervals import Interval, mean_interval
from latent_audit.models.settings import KlWeight, pixels_per_unit_beta
from latent_audit.runs.revisions import Run

ABSENT = "(not there)"
MIN_SERIES = 3  # weights on the KL that make a curve
NO_PART_IN_TRAINING = ("beta", "arms", "seeds", "device", "diagnostics", "critic")


class Parameter(NamedTuple):
    """One dotted key of params.yaml and its value in each run."""

    key: str
    values: list[Any]

    @property
    def differs(self) -> bool:
        """Whether any run has another value than the first."""
        return any(value != self.values[0] for value in self.values[1:])


class Difference(NamedTuple):
    """A measure in one run less the first run: paired by seed; `interval` is None where no two seeds are shared."""

    same: bool
    interval: Interval | None

    @property
    def decided(self) -> bool:
        """Whether the 95% interval leaves 0 out."""
        return not self.same and self.interval is not None and (self.interval.low > 0 or self.interval.high < 0)


class VerdictRow(NamedTuple):
    """One claim put to one arm or pair of arms: its row of claims.csv in each run (None: not there)."""

    claim: str
    arms: str
    rows: list[dict[str, Any] | None]

    @property
    def changed(self) -> bool:
        """Whether two runs that both put the claim disagree on it."""
        return len({row["verdict"] for row in self.rows if row is not None}) > 1


class Point(NamedTuple):
    """One VAE arm at one weight: the letters of the runs that have it with these numbers."""

    arm: str
    letters: str
    weight: KlWeight
    metrics: Mapping[str, Mapping[str, Any]]


class Series(NamedTuple):
    """VAE arms that differ in their weight on the KL alone, in its order; `left_out`: arms that differ in more."""

    points: list[Point]
    left_out: list[str]


def parameters(runs: Sequence[Run]) -> list[Parameter]:
    """Every leaf of every params.yaml, in the order of the first that has it."""
    flat = [_flat(run.params) for run in runs]
    keys = dict.fromkeys(key for leaves in flat for key in leaves)
    return [Parameter(key, [leaves.get(key, ABSENT) for leaves in flat]) for key in keys]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """By hand: OmegaConf flattens nothing, and pandas' json_normalize makes its own numbers of ours."""
    leaves: dict[str, Any] = {}
    for key, value in values.items():
        leaves |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) and value else {f"{prefix}{key}": value}
    return leaves


def arms_of(runs: Sequence[Run]) -> list[str]:
    """Every arm of every run, in the order in which they come."""
    return list(dict.fromkeys(arm for run in runs for arm in run.metrics))


def descriptions(runs: Sequence[Run]) -> dict[str, Metric]:
    """What is known of each metric, by the first run that describes it."""
    return {name: metric for run in reversed(runs) for name, metric in run.measures.items()}


def entry(run: Run, arm: str, metric: str) -> dict[str, Any] | None:
    """mean, low, high, n_seeds of one measure; None where the run has not measured it."""
    found = run.metrics.get(arm, {}).get(metric)
    return None if found is None or found["mean"] is None or isnan(found["mean"]) else found


def difference(first: Run, other: Run, arm: str, metric: str) -> Difference | None:
    """`other` less `first`, with a 95% interval over the seeds that both have; None where one lacks the measure."""
    before, after = entry(first, arm, metric), entry(other, arm, metric)
    if before is None or after is None:
        return None
    if before == after:
        return Difference(True, None)
    left, right = (run.per_seed.get(arm, {}).get(metric, {}) for run in (first, other))
    seeds = sorted(set(left) & set(right))
    if len(seeds) < 2:
        return Difference(False, None)
    return Difference(False, mean_interval([right[seed] - left[seed] for seed in seeds]))


def verdict_rows(runs: Sequence[Run]) -> list[VerdictRow]:
    """Every claim and its arms, in the order of the ledger, with each run's verdict."""
    tables = [{(row["claim_id"], row["arms"]): row for row in run.claims.to_dict("records")} for run in runs]
    rows = []
    for key in dict.fromkeys(key for table in tables for key in table):
        found = [table.get(key) for table in tables]
        rows.append(VerdictRow(str(next(row for row in found if row)["claim"]), str(key[1]), found))
    return rows


def n_pixels(run: Run) -> int | None:
    """C*H*W of the images, from the run's own numbers; None where they do not tell.

    recon_nll sums over pixels what `bce` or `mse` averages, each over draws of its own, so their quotient is near the
    count. The networks halve three times: the side is a multiple of 8, and of the counts that can be the nearest is it.
    """
    mse = run.params.get("model", {}).get("reconstruction") == "mse"
    possible = [channels * side**2 for channels in (1, 3) for side in range(8, 520, 8)]
    for arm in sorted(run.metrics, key=lambda arm: _family(run, arm) != "ae"):  # an autoencoder draws nothing: exact
        total, mean = entry(run, arm, "recon_nll"), entry(run, arm, "mse" if mse else "bce")
        if total is None or mean is None:
            continue
        # the constants of a unit-variance Gaussian: 0.5 * log(2 pi) per pixel
        count = total["mean"] / (0.5 * mean["mean"] + 0.5 * log(6.283185307179586) if mse else mean["mean"])
        nearest = min(possible, key=lambda value: abs(log(value / count)))
        return nearest if abs(log(nearest / count)) < 0.02 else None
    return None


def weight(run: Run, arm: str) -> KlWeight | None:
    """The arm's weight in both conventions; None for an autoencoder, NaN for what cannot be told."""
    own = run.params.get("arms", {}).get(arm, {})
    if _family(run, arm) == "ae":
        return None
    count = n_pixels(run)
    loss = run.params.get("model", {}).get("reconstruction")
    scale = float("nan") if count is None or loss is None else pixels_per_unit_beta(count, loss)
    if own.get("beta_kl") is not None:
        beta_kl = _positive(own["beta_kl"])
        return KlWeight(scale / beta_kl, beta_kl)
    beta = _positive(own["beta"] if own.get("beta") is not None else run.params.get("beta"))
    return KlWeight(beta, scale / beta)


def _positive(value: Any) -> float:
    """The value if it is a positive number, else NaN: an old or half-edited params.yaml may hold anything."""
    usable = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if usable else float("nan")


def _family(run: Run, arm: str) -> str:
    return run.params.get("arms", {}).get(arm, {}).get("family", "ae" if arm == "ae" else "vae")


def beta_series(runs: Sequence[Run]) -> Series | None:
    """The largest set of VAE arms, over all runs, that share all but the weight; None below three distinct weights."""
    groups: dict[str, list[Point]] = {}
    for run in runs:
        for arm, metrics in run.metrics.items():
            own = weight(run, arm)
            if own is not None and isfinite(own.beta_kl) and "recon_nll" in metrics:
                _merge(groups.setdefault(_training(run, arm), []), Point(arm, run.letter, own, metrics))
    best = max(groups.values(), key=_n_weights, default=[])
    if _n_weights(best) < MIN_SERIES:
        return None
    others = [f"{point.arm} of {point.letters}" for points in groups.values() if points is not best for point in points]
    return Series(sorted(best, key=lambda point: point.weight.beta_kl), others)


def _merge(points: list[Point], new: Point) -> None:
    for index, old in enumerate(points):
        if old.arm == new.arm and old.metrics == new.metrics:
            points[index] = old._replace(letters=old.letters + new.letters)
            return
    points.append(new)


def _n_weights(points: Sequence[Point]) -> int:
    return len({f"{point.weight.beta_kl:.6g}" for point in points})


def _training(run: Run, arm: str) -> str:
    """Everything but the weight that the trained arm depends on, as one key."""
    own = run.params.get("arms", {}).get(arm, {})
    train = dict(run.params.get("train", {}))
    train |= {key: own[key] for key in ("epochs", "learning_rate") if own.get(key) is not None}
    rest = {key: value for key, value in run.params.items() if key not in (*NO_PART_IN_TRAINING, "train")}
    return json.dumps([rest, train], sort_keys=True, default=str)
