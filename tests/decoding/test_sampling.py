"""latent_audit.decoding.sampling: each sampler against the moments it promises."""

import numpy as np
import pytest

from latent_audit.decoding.sampling import SAMPLERS, draw_codes

N = 20_000
MEAN, COVARIANCE = np.array([5.0, -2.0]), np.array([[4.0, 1.5], [1.5, 1.0]])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240523)


@pytest.fixture
def codes() -> np.ndarray:
    return np.random.default_rng(1).multivariate_normal(MEAN, COVARIANCE, 2000)


def within_five_standard_errors(drawn: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> None:
    n = len(drawn)
    variances = np.diag(covariance)
    assert (np.abs(drawn.mean(axis=0) - mean) < 5 * np.sqrt(variances / n)).all()
    # of a normal sample's covariance: (s_ii s_jj + s_ij^2) / n
    spread = np.sqrt((np.outer(variances, variances) + covariance**2) / n)
    assert (np.abs(np.cov(drawn.T) - covariance) < 5 * spread).all()


def test_prior(codes, rng):
    within_five_standard_errors(draw_codes("prior", codes, N, rng=rng), np.zeros(2), np.eye(2))


def test_gaussian_has_the_codes_mean_and_covariance(codes, rng):
    drawn = draw_codes("gaussian", codes, N, rng=rng)
    within_five_standard_errors(drawn, codes.mean(axis=0), np.cov(codes.T, ddof=0))


def test_gaussian_of_codes_that_span_a_line_stays_on_it(rng):
    line = np.outer(rng.normal(size=500), [1.0, 2.0]) + np.array([3.0, 0.0])
    drawn = draw_codes("gaussian", line, 1000, rng=rng)
    np.testing.assert_allclose(drawn[:, 1], 2 * (drawn[:, 0] - 3), atol=1e-6)


def test_box_is_uniform_on_the_bounding_box(codes, rng):
    drawn = draw_codes("box", codes, N, rng=rng)
    low, high = codes.min(axis=0), codes.max(axis=0)
    assert ((drawn >= low) & (drawn <= high)).all()
    unit = (drawn - low) / (high - low)
    assert (np.abs(unit.mean(axis=0) - 0.5) < 5 / np.sqrt(12 * N)).all()
    assert (unit.min(axis=0) < 10 / N).all() and (unit.max(axis=0) > 1 - 10 / N).all()  # exp(-10) to miss each
    assert abs(np.corrcoef(unit.T)[0, 1]) < 5 / np.sqrt(N)  # a box forgets the codes' correlation


def clusters(rng: np.random.Generator) -> np.ndarray:
    near, far = rng.normal(size=(700, 2)), rng.normal(size=(300, 2)) + np.array([100.0, 0.0])
    return np.concatenate([near, far])


def test_gmm_finds_both_of_two_far_clusters_and_nothing_between(rng):
    drawn = draw_codes("gmm", clusters(rng), 4000, rng=rng)
    first = drawn[:, 0]
    assert not ((first > 10) & (first < 90)).any()
    share = (first > 50).mean()
    assert abs(share - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 4000)


def test_a_single_gaussian_fills_the_gap_that_gmm_leaves(rng):
    drawn = draw_codes("gaussian", clusters(rng), 4000, rng=rng)
    assert ((drawn[:, 0] > 10) & (drawn[:, 0] < 90)).mean() > 0.3


def test_gmm_draws_come_shuffled(rng):
    right = draw_codes("gmm", clusters(rng), 1000, rng=rng)[:, 0] > 50
    assert np.count_nonzero(right[1:] != right[:-1]) > 100  # sklearn gives them component by component: 1 change


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("latent_dim", [1, 3])
def test_shapes(sampler, latent_dim, rng):
    codes = rng.normal(size=(60, latent_dim))
    drawn = draw_codes(sampler, codes, 24, rng=rng)
    assert drawn.shape == (24, latent_dim)
    assert np.isfinite(drawn).all()


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_generator_decides(sampler, codes):
    first, again, other = (draw_codes(sampler, codes, 8, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_unknown_sampler(codes, rng):
    with pytest.raises(ValueError, match=r"unknown sampler 'flow'; choose one of prior, box, gaussian, gmm"):
        draw_codes("flow", codes, 3, rng=rng)
