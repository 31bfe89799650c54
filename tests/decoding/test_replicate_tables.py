"""What a replicate's tables say about other replicates and about its own last epoch."""

import numpy as np
import pandas as pd
import pytest

from latent_audit.decoding.reconstruction import reconstruction_table
from latent_audit.decoding.replicate_tables import agreement_table


def test_a_rotated_and_scaled_code_agrees_fully_and_an_independent_one_does_not():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((500, 2))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    table = agreement_table({0: z, 1: 3 * z @ turn + 5, 2: rng.standard_normal((500, 2))})
    scores = table.set_index(["seed", "other_seed", "metric"])["value"]
    assert scores[0, 1, "linear_cka"] == pytest.approx(1)
    assert scores[0, 1, "procrustes_distance"] == pytest.approx(0, abs=1e-12)
    assert scores[0, 2, "linear_cka"] < 0.05
    assert len(table) == 3 * 2


def test_one_replicate_has_nothing_to_agree_with():
    assert agreement_table({0: np.zeros((30, 2))}).empty


def test_the_last_epoch_on_the_test_split_is_what_counts():
    rows = [
        {"seed": seed, "epoch": epoch, "split": split, "objective": 1.0, "recon_nll": value, "kl": 2.0, "elbo": -3.0}
        for seed, epoch, split, value in [
            (0, 1, "test", 10.0), (0, 2, "train", 20.0), (0, 2, "test", 30.0), (1, 2, "test", 40.0),
        ]
    ]  # fmt: skip
    codes = {"bce": np.array([0.1, 0.3]), "mse": np.array([0.01, 0.03])}
    history = pd.DataFrame(rows).query("seed == 0")
    table = reconstruction_table(codes, history).set_index("metric")["value"]
    assert table["recon_nll"] == 30.0
    assert table["kl_test"] == 2.0
    assert table["bce"] == pytest.approx(0.2)


def test_a_family_without_a_kl_has_no_row_of_one():
    rows = [{"seed": 0, "epoch": 1, "split": "test", "objective": 1.0, "recon_nll": 3.0}]
    codes = {"bce": np.array([0.1]), "mse": np.array([0.01])}
    table = reconstruction_table(codes, pd.DataFrame(rows))
    assert list(table["metric"]) == ["recon_nll", "objective", "bce", "mse"]
