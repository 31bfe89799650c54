"""What makes the table of K2 and Jarque-Bera: statistics as scipy's, and a small simulation that agrees with it."""

import numpy as np
import pytest
from scipy import stats
from tools import simulate_shape_null as simulation

from import_graph import ROOT
from latent_audit.diagnostics.shape_tests import TABLE, jb_log_p, k2_log_p


def test_the_table_says_how_it_was_made_and_can_be_made_again():
    assert TABLE.read_text(encoding="utf-8").startswith(f"# {simulation.COMMAND}\n")
    assert (ROOT / simulation.COMMAND.removeprefix("python ")).samefile(simulation.__file__)
    x = np.random.default_rng(0).standard_normal((8, 100))
    sums = np.stack([(x**power).sum(axis=1) for power in (1, 2, 3, 4)])
    found = simulation.statistics(sums, 100)
    assert found["k2"] == pytest.approx(stats.normaltest(x, axis=1).statistic, rel=1e-8)
    assert found["jb"] == pytest.approx(stats.jarque_bera(x, axis=1).statistic, rel=1e-8)
    assert simulation.power_sums(30, 7, np.random.default_rng(1))[1] == pytest.approx(
        (np.random.default_rng(1).standard_normal((7, 30)) ** 2).sum(axis=1)
    )


def test_a_small_simulation_agrees_with_the_table(monkeypatch):
    monkeypatch.setattr(simulation, "SMALL", (25,))
    monkeypatch.setattr(simulation, "SMALL_DRAWS", 20_000)
    monkeypatch.setattr(simulation, "BLOCKS", 20_000)
    monkeypatch.setattr(simulation, "OF_BLOCKS", (100, 200))
    monkeypatch.setattr(simulation, "LARGE", (400,))
    monkeypatch.setattr(simulation, "LARGE_DRAWS", 20_000)
    made = simulation.table()
    assert made["n"].unique().tolist() == [25, 100, 200, 400]
    for test, log_p in (("k2", k2_log_p), ("jb", jb_log_p)):
        for n, rows in made[made["p"] >= 0.01].groupby("n"):
            true_p, se = rows["p"].to_numpy(), np.sqrt(rows["p"] * (1 - rows["p"]) / 10_000).to_numpy()
            assert (np.abs(np.exp(log_p(rows[test].to_numpy(), int(n))) - true_p) < 5 * se).all()
