"""latent_audit.diagnostics.verdict_tables and spectrum: an answer as a row, and the dimensions by what they carry."""

import json

import numpy as np
import pandas as pd
import pytest

from latent_audit.base.tables import read_table, write_table
from latent_audit.diagnostics.audit import audit
from latent_audit.diagnostics.decomposition import per_dimension_rate
from latent_audit.diagnostics.spectrum import kl_spectrum
from latent_audit.diagnostics.tables_of_code import AuditSettings
from latent_audit.diagnostics.verdict_tables import VERDICT, verdict_table

FAST = AuditSettings(null_draws=39, null_rows=200)


def row_of(*codes, **given):
    found = audit(*codes, settings=FAST, **given)
    table = verdict_table(found.judgement, 2)
    assert list(table.columns) == list(VERDICT) and len(table) == 1
    return found, table.iloc[0]


def test_the_row_of_wide_codes_names_the_test_that_decides_and_the_law_instead(rng, tmp_path):
    found, row = row_of(3 * rng.standard_normal((400, 2)))
    assert row["may_sample"] == "fitted" and row["sentence"] == found.verdict
    assert row["why"] in found.verdict and row["metric"] == found.judgement.reasons["metric"].iloc[0]
    assert row["effect"] >= row["margin"] and row["p_holm"] < 0.05
    assert 1 <= row["n_mattering"] <= row["n_differing"] <= row["n_tests"] == len(found.judgement.reasons)
    assert row["law"] in ("diagonal", "gaussian") and 0.4 < row["law_auc"] < 0.6
    # E ln N(x; 0, 9 I) - ln N(x; 0, I) = 9 - 1 - ln 9 of two dimensions
    assert row["law_gain_nats"] == pytest.approx(8 - np.log(9), abs=1.0)
    write_table(tmp_path / "verdict.csv", row.to_frame().T)
    assert json.loads(read_table(tmp_path / "verdict.csv")["advice"][0]) == list(found.judgement.advice)


def test_normal_codes_have_no_reason_and_dead_ones_nothing_to_sample(rng):
    _, normal = row_of(rng.standard_normal((300, 2)))
    assert normal["may_sample"] == "prior" and normal["why"] == "" and normal["law"] == ""
    _, dead = row_of(mu=1e-3 * rng.standard_normal((300, 2)), logvar=np.zeros((300, 2)))
    assert dead["may_sample"] == "no" and dead["metric"] == "" and dead["sentence"].startswith("Nothing to sample")


def test_the_spectrum_is_the_kl_in_order_and_adds_up():
    """Posteriors N(+-m, 1) have a KL of m^2 / 2 in every sample."""
    means = np.array([0.2, 2.0, 0.0, 1.0])
    mu = np.where(np.arange(100)[:, None] % 2, 1.0, -1.0) * means
    table = kl_spectrum(per_dimension_rate(mu, np.zeros_like(mu)))
    assert table is not None
    assert table["rank"].tolist() == [1, 2, 3, 4] and table["dim"].tolist() == [1, 3, 0, 2]
    assert table["kl_nats"].tolist() == pytest.approx([2.0, 0.5, 0.02, 0.0])
    assert table["cumulative_share"].iloc[-1] == pytest.approx(1)
    assert table["share"].tolist() == pytest.approx((np.array([2.0, 0.5, 0.02, 0.0]) / 2.52).tolist())
    assert table["is_active"].tolist() == [True, True, True, False]


def test_without_a_posterior_there_is_no_spectrum_and_without_kl_no_share():
    assert kl_spectrum(pd.DataFrame({"dim": [0]})) is None
    silent = kl_spectrum(per_dimension_rate(np.zeros((30, 2)), np.zeros((30, 2))))
    assert silent is not None and silent["share"].isna().all() and not silent["is_active"].any()
