"""latent_audit.diagnostics.two_sample and fitted: classifiers that tell laws apart, and laws fitted to codes."""

import numpy as np
import pytest
from scipy import stats

from latent_audit.diagnostics.codes import Codes
from latent_audit.diagnostics.fitted import fit_gaussian, fit_mixture, judged
from latent_audit.diagnostics.two_sample import told_apart, two_sample


def test_equal_laws_are_not_told_apart(rng):
    p = [two_sample(rng.standard_normal((200, 3)), rng=rng)["p_value"][0] for _ in range(40)]
    assert np.mean(np.array(p) < 0.05) <= 0.15


def test_a_shift_has_the_auc_that_it_must(rng):
    x, draws = rng.standard_normal((4000, 1)) + 1, rng.standard_normal((4000, 1))
    told = told_apart(x, draws, rng=rng)
    assert told.auc == pytest.approx(stats.norm.cdf(1 / np.sqrt(2)), abs=0.02)
    assert told.overlap == pytest.approx(2 * stats.norm.cdf(-0.5), abs=0.03)  # 1 - total variation
    assert told.p_value < 1e-10


def test_in_many_dimensions_a_larger_sd_leaves_nothing_in_common(rng):
    table = two_sample(1.2 * rng.standard_normal((2000, 200)), rng=rng).set_index("metric")["value"]
    assert table["overlap"] < 0.1 and table["c2st_auc"] > 0.99


def test_a_gaussian_is_fitted_and_its_density_is_scipys(rng):
    x = rng.standard_normal((3000, 2)) @ np.array([[1.0, 0.5], [0.0, 0.3]]) + [2.0, -1.0]
    law = fit_gaussian(x)
    assert law.means[0] == pytest.approx([2, -1], abs=0.1)
    oracle = stats.multivariate_normal(law.means[0], law.covariances[0]).logpdf(x[:5])
    assert law.log_density(x[:5]) == pytest.approx(oracle)
    draws = law.sample(20_000, rng)
    assert np.cov(draws, rowvar=False) == pytest.approx(law.covariances[0], abs=0.05)


def test_a_mixture_finds_two_far_groups_and_samples_from_them(rng):
    x = np.concatenate([rng.standard_normal((700, 3)) - 6, rng.standard_normal((300, 3)) + 6])
    law = fit_mixture(x, seed=1)
    assert law is not None and law.weights.sum() == pytest.approx(1)
    draws = law.sample(5000, rng)
    assert (draws[:, 0] < 0).mean() == pytest.approx(0.7, abs=0.03)
    assert (np.abs(draws[:, 0]) > 2).mean() > 0.99
    assert law.log_density(x).mean() > fit_gaussian(x).log_density(x).mean()


def test_what_varies_in_no_direction_is_sampled_there(rng):
    x = rng.standard_normal((400, 2))
    x = np.column_stack([x, -x[:, 0], np.full(400, 3.0)])
    for law in (fit_gaussian(x), fit_mixture(x, seed=0)):
        draws = law.sample(200, rng)
        assert draws[:, 0] + draws[:, 2] == pytest.approx(np.zeros(200), abs=1e-6)
        assert draws[:, 3] == pytest.approx(np.full(200, 3.0), abs=1e-6)


def test_laws_are_judged_on_codes_that_they_were_not_fitted_to(rng):
    x = rng.standard_normal((2000, 2)) * [3.0, 0.2]
    table, laws = judged(Codes(x), rng=rng, seed=0)
    by = table.set_index("law")
    assert by.loc["prior", "auc"] > 0.7 > 0.55 > by.loc["gaussian", "auc"]
    assert by.loc["gaussian", "log_likelihood"] > by.loc["prior", "log_likelihood"] + 1
    assert set(laws) == {"diagonal", "gaussian", "mixture"}
