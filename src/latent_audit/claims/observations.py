"""Wide and per-dimension tables -> tidy scalars (seed, code, metric, value), which is what arms are compared on."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from latent_audit.base.measures import PLAIN, POINTS, Measure, Metric, range_of, share
from latent_audit.claims.intervals import mean_interval, next_interval, told_by_values, within

COLUMNS = ["seed", "code", "metric", "value"]
DESCRIBED = (  # what `of_dimensions` and `derived` make, beside ks_d_max, w1_max and active_units
    Metric("centre_offset", "distance of the mean from 0, in the codes’ own sd", low=0.0, section="codes"),
    Metric("skew_max", "largest skewness of a dimension, either sign", low=0.0),
    Metric("excess_kurtosis_max", "largest excess kurtosis of a dimension, either sign", low=0.0),
    Metric("std_max", "sd of the widest dimension", "code units", 0.0, section="codes"),
    Metric("std_min", "sd of the narrowest dimension", "code units", 0.0, section="codes"),
    Metric("ks_d_max_first", "KS distance to N(0, 1) of the worst of the first 50 dimensions", low=0.0, high=1.0),
    share("rejected_share", "share of the tests of N(0, 1) that reject after Holm’s adjustment"),
    share("asymmetry", "asymmetry about 0 (0 none, 1 all far on one side)", unit="", section="codes"),
    Metric(
        "excess_reach", "how far the largest coordinate lies beyond the prior’s own largest, in the prior’s sd",
        section="codes",
    ),
    Metric(
        "knn_gain", "k-NN accuracy beyond that of naming the commonest class", POINTS, -1.0, 1.0, better="higher",
        section="codes",
    ),
)  # fmt: skip
FIRST = 50  # dimensions that tutorials of a larger code look at
FRECHET = ("fd_clf", "fd_random")  # in the features of a classifier; without classes, of an untrained network
HEADLINE = ("hole_fraction", "ks_d_max", "marginal_kl", "recon_nll", "active_units")
HEADLINE_SAMPLERS = ("prior", "gmm")


def of_dimensions(per_dim: pd.DataFrame) -> pd.DataFrame:
    """The worst dimension of each replicate and code.

    centre_offset : max_j |mean_j| / std_j (0 / 0 counts as 0). ks_d_max, w1_max : largest distance to N(0, 1).
    skew_max, excess_kurtosis_max : largest absolute value. std_max, std_min : widest and narrowest dimension.
    ks_d_max_first : ks_d_max of the first 50 dimensions of a code that has more.
    rejected_share : share of the tests of H_prior ("is N(0, 1)") with a Holm-adjusted p below 0.05.
    active_units : dimensions with Var_x(mu) > 0.01 (VAE only; Burda et al. 2016).
    """
    prior_tests = per_dim[["ks_p_holm", "cvm_p_holm", "ad_p_holm"]]
    scalars = pd.DataFrame(
        {
            "seed": per_dim["seed"],
            "code": per_dim["code"],
            "centre_offset": _offset(per_dim),
            "ks_d_max": per_dim["ks_d"],
            "w1_max": per_dim["w1"],
            "skew_max": per_dim["skew"].abs(),
            "excess_kurtosis_max": per_dim["excess_kurtosis"].abs(),
            "std_max": per_dim["std"],
        }
    )
    worst = scalars.groupby(["seed", "code"], sort=False).max()
    worst["std_min"] = per_dim.groupby(["seed", "code"], sort=False)["std"].min()
    worst["rejected_share"] = (prior_tests < 0.05).mean(axis=1).groupby([per_dim["seed"], per_dim["code"]]).mean()
    if per_dim["dim"].max() >= FIRST:
        first = per_dim[per_dim["dim"] < FIRST]
        worst["ks_d_max_first"] = first.groupby(["seed", "code"], sort=False)["ks_d"].max()
    if "activity" in per_dim:
        worst["active_units"] = (per_dim["activity"] > 0.01).groupby([per_dim["seed"], per_dim["code"]]).sum()
    return worst.reset_index().melt(["seed", "code"], var_name="metric")[COLUMNS]


def of_scalars(table: pd.DataFrame, *, code: str | None = None, qualifier: str | None = None) -> pd.DataFrame:
    """COLUMNS of a tidy table; `code` where it has none; the values of column `qualifier` join the metric's name."""
    rows = table.assign(code=code) if code is not None else table
    if qualifier is not None:
        ending = np.where(rows[qualifier] == PLAIN, "", "_" + rows[qualifier])
        rows = rows.assign(metric=rows["metric"] + ending)
    return rows[COLUMNS]


def derived(observations: pd.DataFrame) -> pd.DataFrame:
    """Scalars made of two others: asymmetry, excess_reach, knn_gain (those whose parts are there).

    asymmetry : symmetry_energy / (2 mean |z|), in [0, 1]: 0 symmetric, towards 1 as all mass lies far on one side.
    excess_reach : largest |coordinate| beyond the median of that maximum under N(0, I) at the same n, prior sd.
    knn_gain : k-NN accuracy above always naming the commonest class.
    """
    wide = observations.pivot(index=["seed", "code"], columns="metric", values="value")
    made = pd.DataFrame(index=wide.index)
    if {"symmetry_energy", "mean_norm"} <= set(wide):
        made["asymmetry"] = wide["symmetry_energy"] / (2 * wide["mean_norm"])
    if {"max_abs_z", "expected_max_abs_z"} <= set(wide):
        made["excess_reach"] = wide["max_abs_z"] - wide["expected_max_abs_z"]
    if {"knn_accuracy", "majority_accuracy"} <= set(wide):
        made["knn_gain"] = wide["knn_accuracy"] - wide["majority_accuracy"]
    return made.reset_index().melt(["seed", "code"], var_name="metric").dropna(subset="value")[COLUMNS]


def _offset(per_dim: pd.DataFrame) -> pd.Series:
    mean, std = per_dim["mean"].abs().to_numpy(), per_dim["std"].to_numpy()
    beyond = np.where(mean > 0, np.inf, 0.0)
    return pd.Series(np.divide(mean, std, out=beyond, where=std > 0), index=per_dim.index)


def summarise(tables: Mapping[str, pd.DataFrame], measures: Iterable[Measure]) -> pd.DataFrame:
    """Every scalar of an arm's tables, COLUMNS; a metric that two tables have (as `elbo`) counts in the first.

    Parameters
    ----------
    tables : per_dim and those that the measures made, each with a `seed` column. measures : in the order of the rows.
    """
    parts = [of_dimensions(tables["per_dim"])]
    for name, qualifier in {measure.table: measure.qualifier for measure in measures}.items():
        if name in tables and len(tables[name]):
            code = None if "code" in tables[name] else "z"
            parts.append(of_scalars(tables[name], code=code, qualifier=qualifier))
    observations = pd.concat(parts, ignore_index=True)
    observations = observations.drop_duplicates(["seed", "code", "metric"], ignore_index=True)
    return pd.concat([observations, derived(observations)], ignore_index=True)


def headline(metrics: Mapping[str, Mapping[str, Mapping[str, float | int | None]]]) -> dict[str, dict[str, float]]:
    """The few numbers per arm that runs are compared by: means over seeds, arm -> metric -> value.

    Parameters
    ----------
    metrics : arm -> metric -> `mean` and more, as in reports/metrics.json. What an arm was not measured on is left out.
    """
    wanted = [*HEADLINE, *(f"{distance}_{sampler}" for distance in FRECHET for sampler in HEADLINE_SAMPLERS)]
    found = {arm: {name: own.get(name, {}).get("mean") for name in wanted} for arm, own in metrics.items()}
    return {arm: {name: mean for name, mean in own.items() if mean is not None} for arm, own in found.items()}


def intervals(
    observations: pd.DataFrame, metrics: Mapping[str, Metric], *, digits: int
) -> dict[str, dict[str, dict[str, Any]]]:
    """arm -> metric -> what its seeds of z say, clipped to what the metric can be; NaN is None.

    mean, low, high, n_seeds : of the 95% interval of the mean. next_low, next_high : 95% of one further seed. values :
    in the order of the seeds. by_values : whether they are to be shown one by one (`intervals.told_by_values`).
    """
    made: dict[str, dict[str, dict[str, Any]]] = {}
    of_z = observations[observations["code"] == "z"]
    for (arm, metric), rows in of_z.groupby(["arm", "metric"]):
        values, ends = rows.sort_values("seed")["value"].tolist(), range_of(str(metric), metrics)
        further = within(next_interval(values), *ends)
        found = within(mean_interval(values), *ends)._asdict() | {"next_low": further.low, "next_high": further.high}
        made.setdefault(str(arm), {})[str(metric)] = {
            **{key: _rounded(value, digits) for key, value in found.items()},
            "values": [_rounded(value, digits) for value in values],
            "by_values": told_by_values(values, *ends),
        }
    return made


def _rounded(value: float | int, digits: int) -> float | int | None:
    if isinstance(value, int):
        return value
    return float(f"{value:.{digits}g}") if pd.notna(value) else None


def learning_curves(histories: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Mean over seeds of the test reconstruction in nats per image: `epoch` and a column per arm, for `dvc plots`."""
    curves = {
        arm: history[history["split"] == "test"].groupby("epoch")["recon_nll"].mean()
        for arm, history in histories.items()
    }
    return pd.DataFrame(curves).rename_axis("epoch").reset_index()
