"""Every score of disentanglement on codes whose score is known without computing it."""

import itertools

import numpy as np
import pandas as pd
import pytest

from latent_audit import AuditSettings, audit
from latent_audit.base.errors import InputError
from latent_audit.base.measures import every_measure
from latent_audit.diagnostics.beside import beside_tables
from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.dci import completeness, disentanglement
from latent_audit.diagnostics.disentanglement import gap
from latent_audit.diagnostics.ground_truth import Factors
from latent_audit.diagnostics.modularity import modularity
from latent_audit.diagnostics.mutual_information import in_bins, of_posterior
from latent_audit.diagnostics.subject import Posterior, Subject

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
SIZES = (4, 5, 3)
GRID = np.array(list(itertools.product(*map(range, SIZES))) * 10)  # 600 rows: every combination ten times
SCORES = ("mig_means", "mig_samples", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness",
          "factor_vae", "beta_vae", "modularity", "explicitness")  # fmt: skip
CHANCE = np.mean([1 / size for size in SIZES])


def table_of(codes: np.ndarray, factors: np.ndarray = GRID, posterior: Posterior | None = None) -> pd.DataFrame:
    values = Codes(np.array(codes, dtype=np.float64))
    beside = Factors.of(factors, n=len(values), where="test")
    subject = Subject(values, FAST, (0, 1), 0, posterior=posterior, factors=beside)
    return beside_tables(subject, every_measure)["disentanglement"].set_index("metric")


def scores(codes: np.ndarray, factors: np.ndarray = GRID, posterior: Posterior | None = None) -> dict[str, float]:
    return table_of(codes, factors, posterior)["value"].to_dict()


@pytest.fixture(scope="module")
def perfect() -> dict[str, float]:
    return scores(GRID)


def test_the_perfect_code(perfect):
    """One dimension per factor: every score is at its largest, by its own definition."""
    assert set(SCORES) < set(perfect)
    for name in set(SCORES) - {"sap", "explicitness"}:
        assert perfect[name] == pytest.approx(1.0, abs=1e-9), name
    # a dimension that knows nothing names one value of each factor right (Kumar et al. 2018, balanced errors)
    assert perfect["sap"] == pytest.approx(1 - CHANCE, abs=0.06)
    assert perfect["sap_r2"] == pytest.approx(1.0, abs=1e-9)
    assert perfect["explicitness"] > 0.99  # softmax of a linear score orders the values of a line


def test_the_constant_code():
    """Nothing is known: gaps 0, forests and probes at the share of the commonest value, AUC 0.5."""
    found = scores(np.zeros((len(GRID), 3)))
    for name in ("mig_means", "mig_samples", "sap", "sap_r2", "dci_disentanglement", "dci_completeness", "factor_vae",
                 "modularity"):  # fmt: skip
        assert found[name] == pytest.approx(0.0, abs=1e-12), name
    assert found["dci_informativeness"] == pytest.approx(CHANCE, abs=0.06)
    assert found["beta_vae"] == pytest.approx(1 / 3, abs=1e-9)  # one of three factors, each held equally often
    assert found["explicitness"] == pytest.approx(0.5)


def test_the_duplicated_code():
    """Two dimensions for each factor: no gap, but each dimension serves one factor; completeness 1 - ln 2 / ln 6."""
    found = scores(np.hstack([GRID, GRID]))
    for name in ("mig_means", "mig_samples", "sap", "sap_r2"):
        assert found[name] == pytest.approx(0.0, abs=1e-9), name
    for name in ("dci_disentanglement", "factor_vae", "beta_vae", "modularity"):
        assert found[name] == pytest.approx(1.0, abs=1e-9), name
    assert found["dci_completeness"] == pytest.approx(1 - np.log(2) / np.log(6), abs=0.08)


def test_a_code_rotated_by_45_degrees():
    """Two factors of the same law in two dimensions: each dimension knows both alike, so gaps and modularity are 0."""
    factors = np.array(list(itertools.product(range(6), range(6))) * 15)
    centred = factors - factors.mean(axis=0)
    turned = centred @ np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    found = scores(turned, factors)
    assert found["mig_means"] == pytest.approx(0.0, abs=0.02)
    assert found["sap_r2"] == pytest.approx(0.0, abs=1e-9)
    assert found["modularity"] == pytest.approx(0.0, abs=0.05)
    assert found["dci_disentanglement"] < 0.1
    assert found["factor_vae"] == pytest.approx(0.5, abs=0.1)  # which dimension varies least is a coin
    assert found["beta_vae"] == pytest.approx(0.5, abs=0.1)  # both differ alike, whichever factor is held
    assert found["dci_informativeness"] > 0.9  # what a forest can read is all still there
    assert found["explicitness"] > 0.99


def test_permuted_dimensions_and_factors_change_no_score(perfect, rng):
    codes = GRID + 0.3 * rng.standard_normal(GRID.shape)
    given = scores(codes)
    assert scores(codes[:, [2, 0, 1]]) == given
    assert scores(codes, GRID[:, [1, 2, 0]]) == given
    assert scores(GRID[:, [2, 1, 0]]) == perfect


def test_samples_in_another_order_are_at_chance(rng):
    """Codes of other samples: what is left is the chance that stands beside every score."""
    codes = GRID + 0.01 * rng.standard_normal(GRID.shape)
    found = scores(rng.permuted(codes, axis=0))
    for name in ("mig_means", "mig_samples", "sap", "sap_r2"):
        assert found[name] < 0.1, name
    assert found["beta_vae"] == pytest.approx(1 / 3, abs=0.1)
    assert found["explicitness"] == pytest.approx(0.5, abs=0.06)


def test_the_chance_beside_a_score_is_that_of_factors_dealt_out_anew(rng):
    codes = GRID + 0.01 * rng.standard_normal(GRID.shape)
    table = table_of(codes)
    assert table.loc["explicitness", "chance"] == pytest.approx(0.5, abs=0.06)
    assert table.loc["mig_means", "chance"] < 0.1 < table.loc["mig_means", "value"]


def test_the_two_versions_of_mig_differ_where_the_posterior_is_wide(rng):
    """Means that are the factor, posteriors so wide that a draw knows little of it: 1 in bins, almost 0 on samples.

    I(z; v) of v = -1 or 1 and z ~ N(v, 10^2) is 0.005 nats by the channel capacity at a signal of 0.01, of ln 2.
    """
    factors = rng.integers(0, 2, (1200, 2))
    mu = 2.0 * factors - 1
    logvar = np.full(mu.shape, 2 * np.log(10.0))
    z = mu + 10 * rng.standard_normal(mu.shape)
    found = scores(mu, factors, Posterior(Codes(mu), Codes(logvar), Codes(z)))
    assert found["mig_means"] == pytest.approx(1.0, abs=0.01)
    assert found["mig_samples"] < 0.02


def test_exact_information_of_two_normals(rng):
    """N(-2, 1) and N(2, 1) with equal weight: I = ln 2 - E[H_b(p(v | z))], integrated numerically."""
    factor = rng.integers(0, 2, (4000, 1))
    mu = np.where(factor == 1, 2.0, -2.0)
    z = mu + rng.standard_normal(mu.shape)
    found = of_posterior(mu, np.zeros_like(mu), z, factor, rng=rng)[0, 0]
    x = np.linspace(-12, 12, 20001)
    low, high = (np.exp(-0.5 * (x - m) ** 2) / np.sqrt(2 * np.pi) for m in (-2, 2))
    mixture, p = 0.5 * (low + high), high / (low + high)
    p = np.clip(p, 1e-300, 1 - 1e-16)
    truth = np.log(2) + np.trapezoid(mixture * (p * np.log(p) + (1 - p) * np.log1p(-p)), x)
    assert found == pytest.approx(truth, abs=5 * 0.35 / np.sqrt(1000))  # sd of the integrand below 0.35


def test_posteriors_without_overlap_know_the_factor_exactly(rng):
    factor = np.arange(300)[:, None] % 3
    mu = factor * 100.0
    assert of_posterior(mu, np.zeros_like(mu), mu.copy(), factor, rng=rng)[0, 0] == pytest.approx(np.log(3))


def test_importances_by_hand():
    """One factor half on each of two dimensions, one wholly on a third: entropies of the definition."""
    importance = np.array([[0.5, 0.0], [0.5, 0.0], [0.0, 1.0]])
    assert disentanglement(importance) == pytest.approx(1.0)
    assert completeness(importance) == pytest.approx(((1 - np.log(2) / np.log(3)) + 1) / 2)
    assert disentanglement(np.full((2, 2), 0.25)) == pytest.approx(0.0)
    assert np.isnan(disentanglement(np.ones((3, 1))))
    assert np.isnan(completeness(np.ones((1, 3))))


def test_modularity_by_hand():
    """Information 2 and 1 of two factors: 1 - 1 / 4."""
    assert modularity(np.array([[2.0, 1.0]])) == pytest.approx(0.75)
    assert modularity(np.array([[2.0, 0.0], [0.0, 0.0]])) == pytest.approx(0.5)  # an empty dimension counts as 0


def test_the_gap_of_a_single_dimension_is_above_nothing():
    assert gap(np.array([[0.7]])).tolist() == [0.7]


def test_bins_tell_twenty_values_apart():
    """Forty values in twenty bins: ln 20 of ln 40, the ceiling that mig_means names."""
    values = np.repeat(np.arange(40), 10)[:, None]
    assert in_bins(values.astype(float), values)[0, 0] == pytest.approx(np.log(20))


def test_the_audit_gives_the_same_table(rng):
    codes = GRID + 0.3 * rng.standard_normal(GRID.shape)
    found = audit(codes, factors=GRID, settings=FAST).disentanglement
    assert list(found) == ["metric", "value", "chance", "code", "note"]
    assert set(found["code"]) == {"z"}
    assert found.set_index("metric")["value"].to_dict() == scores(codes)
    assert audit(codes, settings=FAST).disentanglement is None


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        (np.c_[GRID[:, 0], np.ones(600, int)], "factor 1 is 1 in every row"),
        (GRID[:-1], "599 rows for 600 codes"),
        (GRID + 0.5, "must be whole numbers"),
        (GRID.astype(str), "must be whole numbers"),
        (np.c_[GRID, np.arange(600)], "factor 3 has 600 different values"),
        (GRID[:, :, None], r"must be \(sample, factor\)"),
    ],
)
def test_factors_that_are_none_are_refused_in_words(factors, message, rng):
    with pytest.raises(InputError, match=message):
        audit(rng.standard_normal((600, 2)), factors=factors, settings=FAST)
