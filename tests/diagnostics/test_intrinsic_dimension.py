"""latent_audit.diagnostics.intrinsic_dimension: spheres, rolls, planes in many dimensions, and the normal law."""

import numpy as np
import pytest

from latent_audit.diagnostics.intrinsic_dimension import (
    effective_rank,
    intrinsic_dimension,
    levina_bickel,
    neighbour_distances,
    of_neighbours,
    two_nn,
)


def embedded(x, d, rng):
    """The same points, turned into d dimensions."""
    return x @ np.linalg.qr(rng.standard_normal((d, x.shape[1])))[0].T


def swiss_roll(rng, n):
    t = 1.5 * np.pi * (1 + 2 * rng.uniform(size=n))
    return np.column_stack([t * np.cos(t), 21 * rng.uniform(size=n), t * np.sin(t)])


def sphere(rng, n, d):
    x = rng.standard_normal((n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_the_effective_rank_of_known_singular_values(rng):
    """Orthogonal columns of lengths 3, 1: shares 3/4 and 1/4."""
    x = np.linalg.qr(rng.standard_normal((200, 3)) - 0.0)[0]
    x = np.linalg.qr(x - x.mean(axis=0))[0] * [3.0, 1.0, 0.0] + [5.0, -2.0, 7.0]
    assert effective_rank(x) == pytest.approx(np.exp(-0.75 * np.log(0.75) - 0.25 * np.log(0.25)))


def test_isotropic_codes_have_the_rank_of_their_dimensions_and_a_plane_has_two(rng):
    assert effective_rank(rng.standard_normal((20_000, 10))) == pytest.approx(10, abs=0.01)
    plane = embedded(np.linalg.qr(rng.standard_normal((3000, 2)))[0], 30, rng)
    assert effective_rank(plane) == pytest.approx(2, abs=0.01)
    assert effective_rank(1e90 * plane) == pytest.approx(2, abs=0.01)
    assert effective_rank(np.column_stack([rng.standard_normal(500)] * 4)) == pytest.approx(1, abs=1e-6)
    assert np.isnan(effective_rank(np.full((50, 3), 2.0)))
    assert effective_rank(rng.standard_normal((40, 300))) < 39.001  # no more than rows less one


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng: swiss_roll(rng, 2000), 2),
        (lambda rng: sphere(rng, 2000, 3), 2),
        (lambda rng: sphere(rng, 2000, 6), 5),
        (lambda rng: embedded(rng.uniform(size=(2000, 3)), 40, rng), 3),
        (lambda rng: rng.standard_normal((2000, 1)), 1),
    ],
)
def test_both_estimates_find_the_dimension_of_a_manifold(draw, truth, rng):
    found = of_neighbours(draw(rng))
    assert found["intrinsic_dim_twonn"] == pytest.approx(truth, rel=0.1)
    assert found["intrinsic_dim_mle"] == pytest.approx(truth, rel=0.12)


def test_the_estimates_of_distances_whose_law_is_exact(rng):
    """At even density the volumes up to the neighbours are arrival times: T_j = (sum of j exponentials)^(1/d)."""
    for d in (1, 7, 30):
        distances = rng.exponential(size=(4000, 20)).cumsum(axis=1) ** (1 / d)
        assert two_nn(distances) == pytest.approx(d, rel=0.06)
        assert levina_bickel(distances) == pytest.approx(d, rel=0.02)


@pytest.mark.parametrize("d", [2, 20])
def test_distances_are_those_of_all_pairs(d, rng):
    x = rng.standard_normal((120, d)) + 50
    pairs = np.linalg.norm(x[:, None] - x[None], axis=2)
    assert neighbour_distances(x, 5) == pytest.approx(np.sort(pairs, axis=1)[:, 1:6], rel=1e-6)


def test_copies_of_a_code_do_not_count(rng):
    x = rng.standard_normal((300, 2))
    assert of_neighbours(np.concatenate([x, x])) == of_neighbours(x)
    assert np.isnan(list(of_neighbours(np.zeros((100, 2))).values())).all()


def test_true_draws_lie_in_their_band_and_a_plane_below(rng):
    of_prior = intrinsic_dimension(rng.standard_normal((500, 12)), rng=rng).set_index("metric")
    of_plane = intrinsic_dimension(embedded(rng.standard_normal((500, 2)), 12, rng), rng=rng).set_index("metric")
    for name in ("intrinsic_dim_twonn", "intrinsic_dim_mle"):
        low, high = of_prior.loc[name, ["null_low", "null_high"]]
        assert 0.9 * low < of_prior.loc[name, "value"] < 1.1 * high and 7 < low < high < 13
        assert of_plane.loc[name, "value"] < 2.6 < low
    assert of_prior["p_value"].isna().all()
    assert of_plane.loc["effective_rank", "value"] == pytest.approx(2, abs=0.02)
