"""latent_audit.claims.observations: the worst dimension, derived scalars and learning curves, by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from latent_audit.base.measures import described, range_of
from latent_audit.claims.observations import (
    COLUMNS,
    derived,
    headline,
    intervals,
    learning_curves,
    of_dimensions,
    of_scalars,
    summarise,
)
from latent_audit.decoding.diagnosis import every_registered


def per_dim(**columns: list) -> pd.DataFrame:
    """Two dimensions of code z of seed 4 unless told otherwise."""
    table = {
        "seed": [4, 4], "code": ["z", "z"], "dim": [0, 1], "mean": [1.0, -3.0], "std": [0.5, 2.0], "skew": [0.1, -0.4],
        "excess_kurtosis": [-1.0, 0.5], "ks_d": [0.2, 0.1], "w1": [0.3, 0.7], "ks_p_holm": [0.01, 0.2],
        "cvm_p_holm": [0.04, 0.06], "ad_p_holm": [0.0, 0.05],
    }  # fmt: skip
    return pd.DataFrame(table | columns)


def value(observations: pd.DataFrame, metric: str, *, seed: int = 4, code: str = "z") -> float:
    chosen = observations.query("metric == @metric and seed == @seed and code == @code")["value"]
    assert len(chosen) == 1
    return chosen.item()


def test_the_worst_dimension_by_hand():
    found = of_dimensions(per_dim())
    assert list(found.columns) == COLUMNS
    expected = {
        "centre_offset": 2.0,  # |1| / 0.5 beats |-3| / 2
        "ks_d_max": 0.2, "w1_max": 0.7, "skew_max": 0.4, "excess_kurtosis_max": 1.0, "std_max": 2.0, "std_min": 0.5,
        "rejected_share": 0.5,  # 0.01, 0.04, 0.0 of six; 0.05 is not below 0.05
    }  # fmt: skip
    assert {metric: value(found, metric) for metric in expected} == pytest.approx(expected)
    assert len(found) == len(expected)


def test_replicates_and_codes_are_kept_apart():
    second = per_dim(seed=[7, 7], ks_d=[0.9, 0.8], ks_p_holm=[1.0, 1.0], cvm_p_holm=[1.0, 1.0], ad_p_holm=[1.0, 1.0])
    third = per_dim(code=["mu", "mu"], ks_d=[0.5, 0.6], std=[3.0, 4.0])
    found = of_dimensions(pd.concat([second, per_dim(), third], ignore_index=True))
    assert value(found, "ks_d_max") == 0.2
    assert value(found, "ks_d_max", seed=7) == 0.9
    assert value(found, "rejected_share", seed=7) == 0
    assert value(found, "rejected_share") == 0.5
    assert value(found, "ks_d_max", code="mu") == 0.6
    assert value(found, "std_min", code="mu") == 3


@pytest.mark.parametrize(("mean", "expected"), [([0.0, 0.0], 0.0), ([0.0, 1e-9], np.inf)])
def test_the_offset_of_a_constant_code(mean, expected):
    assert value(of_dimensions(per_dim(mean=mean, std=[0.0, 0.0])), "centre_offset") == expected


def test_active_units_of_a_vae():
    found = of_dimensions(per_dim(activity=[0.5, 0.01]))  # 0.01 is not above 0.01
    assert value(found, "active_units") == 1


def test_of_scalars():
    table = pd.DataFrame(
        {"seed": [0, 0], "code": ["mu", "z"], "metric": ["a", "b"], "value": [1.0, 2.0], "p_value": 0.5}
    )
    found = of_scalars(table)
    assert list(found.columns) == COLUMNS
    assert found.to_numpy().tolist() == [[0, "mu", "a", 1.0], [0, "z", "b", 2.0]]


def test_of_scalars_with_a_qualifier_and_a_code():
    table = pd.DataFrame(
        {"seed": [0, 0], "sampler": ["box", "prior"], "metric": ["fd_clf", "fd_clf"], "value": [1.0, 2.0]}
    )
    found = of_scalars(table, code="z", qualifier="sampler")
    assert found.to_numpy().tolist() == [[0, "z", "fd_clf_box", 1.0], [0, "z", "fd_clf_prior", 2.0]]
    assert "code" not in table


def tidy(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def test_derived_by_hand():
    found = derived(tidy(
        (4, "z", "symmetry_energy", 0.6), (4, "z", "mean_norm", 1.5),
        (4, "z", "max_abs_z", 9.0), (4, "z", "expected_max_abs_z", 3.5),
        (4, "z", "knn_accuracy", 0.75), (4, "z", "majority_accuracy", 0.25), (4, "z", "unrelated", 8.0),
    ))  # fmt: skip
    assert {row.metric: row.value for row in found.itertuples()} == pytest.approx(
        {"asymmetry": 0.2, "excess_reach": 5.5, "knn_gain": 0.5}
    )
    assert list(found.columns) == COLUMNS


def test_derived_keeps_to_the_replicates_and_codes_that_have_both_parts():
    found = derived(tidy(
        (0, "z", "max_abs_z", 9.0), (0, "z", "expected_max_abs_z", 3.0), (1, "z", "max_abs_z", 8.0),
        (1, "z", "expected_max_abs_z", 3.0), (0, "mu", "max_abs_z", 1.0),
    ))  # fmt: skip
    assert found.to_numpy().tolist() == [[0, "z", "excess_reach", 6.0], [1, "z", "excess_reach", 5.0]]


def test_derived_of_nothing():
    found = derived(tidy((0, "z", "other", 1.0)))
    assert len(found) == 0
    assert list(found.columns) == COLUMNS


def test_summarise_gathers_every_table():
    joint = pd.DataFrame(
        {"seed": [4, 4], "code": ["z", "z"], "metric": ["max_abs_z", "expected_max_abs_z"], "value": [5.0, 3.0]}
    )
    transforms = pd.DataFrame(
        {"seed": 4, "code": "z", "transform": ["raw", "whitened"], "metric": "ks_d_max", "value": [0.2, 0.1]}
    )
    separability = pd.DataFrame({"seed": [4], "code": ["z"], "metric": ["knn_accuracy"], "value": [0.9]})
    reconstruction = pd.DataFrame({"seed": [4], "metric": ["recon_nll"], "value": [240.0]})
    generation = pd.DataFrame({"seed": [4], "sampler": ["box"], "metric": ["fd_clf"], "value": [12.0]})
    continuity = pd.DataFrame({"seed": [4], "metric": ["midpoint_confidence"], "value": [0.8]})
    tables = {
        "per_dim": per_dim(), "joint": joint, "transforms": transforms, "separability": separability,
        "reconstruction": reconstruction,
    }  # fmt: skip
    found = summarise(tables | {"generation": generation, "continuity": continuity}, every_registered())
    assert list(found.columns) == COLUMNS
    assert value(found, "ks_d_max") == 0.2  # once: the raw transform is the code itself
    assert value(found, "ks_d_max_whitened") == 0.1
    assert value(found, "excess_reach") == 2
    assert value(found, "recon_nll") == 240
    assert value(found, "fd_clf_box") == 12
    assert value(found, "midpoint_confidence") == 0.8
    fewer = summarise(tables, every_registered())
    assert set(found["metric"]) - set(fewer["metric"]) == {"fd_clf_box", "midpoint_confidence"}
    assert not found.duplicated(["seed", "code", "metric"]).any()


def test_learning_curves_by_hand():
    rows = [
        (0, 1, "train", 300.0),
        (0, 1, "test", 260.0),
        (0, 2, "test", 250.0),
        (1, 1, "test", 262.0),
        (1, 2, "test", 254.0),
    ]
    history = pd.DataFrame(rows, columns=["seed", "epoch", "split", "recon_nll"])
    found = learning_curves({"vae": history, "ae": history.query("epoch == 1").assign(recon_nll=100.0)})
    assert list(found.columns) == ["epoch", "vae", "ae"]
    assert found["epoch"].tolist() == [1, 2]
    assert found["vae"].tolist() == [261, 252]
    assert found["ae"].tolist()[0] == 100
    assert np.isnan(found["ae"].tolist()[1])  # an arm may train for fewer epochs


@pytest.mark.parametrize(
    ("metric", "ends"),
    [
        ("hole_fraction", (0, 1)),
        ("ks_d_max_whitened", (0, 1)),
        ("recall_prior", (0, 1)),
        ("marginal_kl", (-np.inf, np.inf)),  # an estimate, which the noise of its draws may take below 0
        ("fd_clf_box", (0, np.inf)),
        ("of_somebody_else", (-np.inf, np.inf)),
    ],
)
def test_what_a_metric_can_be_stands_in_its_description(metric, ends):
    assert range_of(metric, described(every_registered())) == ends


def test_intervals_end_where_the_metric_ends():
    rows = [("vae", seed, "z", metric, value) for metric in ("jump_rate", "other")
            for seed, value in enumerate([0.0, 0.01, 0.2])]  # fmt: skip
    table = pd.DataFrame(rows, columns=["arm", *COLUMNS])
    found = intervals(table, described(every_registered()), digits=6)["vae"]
    assert found["jump_rate"]["low"] == 0
    assert found["other"]["low"] < 0
    assert found["other"]["high"] == found["jump_rate"]["high"]


def test_intervals_hold_the_next_seed_and_the_seeds():
    rows = [("vae", seed, "z", "jump_rate", value) for seed, value in ((1, 0.3), (0, 0.1), (2, 0.2))]
    found = intervals(pd.DataFrame(rows, columns=["arm", *COLUMNS]), described(every_registered()), digits=6)
    entry = found["vae"]["jump_rate"]
    assert entry["values"] == [0.1, 0.3, 0.2]  # by seed
    assert (entry["next_low"], entry["next_high"]) == (0, pytest.approx(0.2 + 0.496828, abs=1e-5))
    assert entry["by_values"]  # the interval of the mean reaches below 0
    assert json.loads(json.dumps(found)) == found
    single = intervals(pd.DataFrame(rows[:1], columns=["arm", *COLUMNS]), described(every_registered()), digits=6)
    assert single["vae"]["jump_rate"] == {
        "mean": 0.3, "low": None, "high": None, "n_seeds": 1, "next_low": None, "next_high": None, "values": [0.3],
        "by_values": False,
    }  # fmt: skip


def test_the_headline_is_a_dozen_numbers_of_what_was_measured():
    def entry(value):
        return {"mean": value, "low": None, "high": None, "n_seeds": 1}

    vae = {"hole_fraction": entry(0.1), "active_units": entry(2.0), "fd_clf_gmm": entry(9.0), "kid_prior": entry(1.0)}
    found = headline({"ae": {"hole_fraction": entry(0.5), "marginal_kl": entry(None)}, "vae": vae})
    assert found == {
        "ae": {"hole_fraction": 0.5},
        "vae": {"hole_fraction": 0.1, "active_units": 2.0, "fd_clf_gmm": 9.0},
    }


def test_tables_of_data_without_classes_are_summarised():
    joint = pd.DataFrame({"seed": [4], "code": ["z"], "metric": ["max_abs_z"], "value": [5.0]})
    transforms = pd.DataFrame({"seed": [4], "code": "z", "transform": "raw", "metric": "ks_d_max", "value": [0.2]})
    reconstruction = pd.DataFrame({"seed": [4], "metric": ["recon_nll"], "value": [240.0]})
    tables = {"per_dim": per_dim(), "joint": joint, "transforms": transforms, "reconstruction": reconstruction}
    found = summarise(tables, every_registered())
    assert value(found, "recon_nll") == 240
