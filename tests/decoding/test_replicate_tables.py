"""What a replicate's tables say about other replicates and about its own last epoch."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from latent_audit.claims.observations import summarise
from latent_audit.decoding.diagnosis import every_registered, tables_of_arm
from latent_audit.decoding.reconstruction import reconstruction_table
from latent_audit.decoding.replicate_tables import agreement_table, measure_codes
from latent_audit.diagnostics.audit import AuditSettings
from latent_audit.models import registry


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


VAE = SimpleNamespace(family=registry.family("vae"), spec=SimpleNamespace(n_classes=0))


def test_a_family_without_a_kl_has_no_row_of_one():
    rows = [{"seed": 0, "epoch": 1, "split": "test", "objective": 1.0, "recon_nll": 3.0}]
    codes = {"bce": np.array([0.1]), "mse": np.array([0.01])}
    table = reconstruction_table(codes, pd.DataFrame(rows))
    assert list(table["metric"]) == ["recon_nll", "objective", "bce", "mse"]


def test_a_replicate_has_the_answer_its_reasons_regions_and_spectrum_as_tables():
    rng = np.random.default_rng(2)
    mu = rng.standard_normal((120, 2)) * [2.0, 1e-3]
    logvar = np.tile([-2.0, 0.0], (120, 1))
    codes = {"mu": mu, "logvar": logvar, "z": mu + np.exp(logvar / 2) * rng.standard_normal(mu.shape)}
    codes |= {f"train_{name}": codes[name] for name in ("mu", "z")} | {"train_labels": np.zeros(120, dtype=int)}
    measured = []
    for replicate in (0, 1):
        settings = AuditSettings(null_draws=19, null_rows=40, unit_counts=False, replicate=replicate)
        # without classes neither decoder nor critic is asked, only what kind of code it is
        tables, maps = measure_codes(codes, VAE, None, [], seed=5, settings=settings, device=torch.device("cpu"))
        assert maps is None
        measured.append(({name: table.assign(seed=replicate) for name, table in tables.items()}, maps))
    arm = tables_of_arm(measured, {seed: mu for seed in (0, 1)})
    assert arm["verdict"]["seed"].tolist() == [0, 1] and set(arm["verdict"]["may_sample"]) <= {"fitted", "no"}
    first = arm["reasons"].groupby("seed").first()
    assert first["metric"].tolist() == arm["verdict"]["metric"].tolist()
    assert {"region", "codes_share", "prior_share", "p_holm"} <= set(arm["regions"])
    assert (
        arm["spectrum"]["dim"].tolist() == [0, 1, 0, 1] and arm["spectrum"]["is_active"].tolist() == [True, False] * 2
    )
    summary = summarise(arm, every_registered())
    named = set(summary["metric"])
    assert {"hole_mass_train", "hole_fraction_train", "effective_rank", "intrinsic_dim_twonn", "active_units"} <= named
    assert not summary.duplicated(["seed", "code", "metric"]).any()
