from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from latent_audit.diagnostics.wasserstein import w1_to_normal, w2_squared_to_normal, w2_to_normal


def column(values) -> np.ndarray:
    return np.sort(np.asarray(values, dtype=float))[:, None]


def w1_by_integration(x: np.ndarray) -> float:
    """int |F_n(t) - Phi(t)| dt, piece by piece between the sorted values: slow and naive."""
    x = np.sort(x)
    n = len(x)
    knots = np.concatenate([[min(-12.0, x[0] - 1)], x, [max(12.0, x[-1] + 1)]])
    total = 0.0
    for i in range(n + 1):
        cross = special.ndtri(i / n) if 0 < i < n else np.nan
        inner = [knots[i], *([cross] if knots[i] < cross < knots[i + 1] else []), knots[i + 1]]
        for low, high in pairwise(inner):
            pieces = np.linspace(low, high, 1 + max(1, int(high - low)))
            for a, b in pairwise(pieces):
                total += abs(integrate.fixed_quad(lambda t, i=i: i / n - special.ndtr(t), a, b, n=40)[0])
    return total


def w2_by_integration(x: np.ndarray) -> float:
    """int (F_n^-1(u) - z)^2 phi(z) dz cell by cell in the quantile domain."""
    x, n = np.sort(x), len(x)
    edges = np.clip(special.ndtri(np.arange(n + 1) / n), -13, 13)
    return sum(
        integrate.quad(lambda z, i=i: (x[i] - z) ** 2 * stats.norm.pdf(z), edges[i], edges[i + 1], epsabs=1e-13)[0]
        for i in range(n)
    )


def test_point_mass_at_zero_has_the_known_distances():
    # W1 = E|Z| = sqrt(2/pi), W2 = (E Z^2)^(1/2) = 1, whatever n.
    for n in (1, 2, 7, 1000):
        zeros = np.zeros((n, 1))
        assert w1_to_normal(zeros)[0] == pytest.approx(np.sqrt(2 / np.pi), rel=1e-12)
        assert w2_to_normal(zeros)[0] == pytest.approx(1.0, rel=1e-12)


def test_point_mass_at_c_has_w2_squared_one_plus_c_squared():
    assert w2_squared_to_normal(np.full((50, 1), 3.0))[0] == pytest.approx(10.0, rel=1e-12)


def test_two_points_by_hand():
    # x = -1, 1 (n = 2): W2^2 = 1 + 1 - 2 * 2 phi(0) = 2 - 4/sqrt(2 pi)
    assert w2_squared_to_normal(column([-1, 1]))[0] == pytest.approx(2 - 4 / np.sqrt(2 * np.pi), rel=1e-12)


def test_perfect_quantiles_of_a_shifted_scaled_normal_give_its_closed_form():
    # W2(N(m, s^2), N(0, 1))^2 = m^2 + (s - 1)^2; W1 of a pure shift is |m|. Error of n = 1e5 quantiles is ~1e-4.
    q = special.ndtri((np.arange(100_000) + 0.5) / 100_000)[:, None]
    assert w2_squared_to_normal(0.7 + 1.5 * q)[0] == pytest.approx(0.49 + 0.25, rel=1e-3)
    assert w1_to_normal(q - 0.3)[0] == pytest.approx(0.3, rel=1e-3)


@pytest.mark.parametrize("shift,scale", [(0.0, 1.0), (1.5, 0.3), (-40.0, 10.0)])
def test_agrees_with_numerical_integration(rng, shift, scale):
    x = shift + scale * rng.standard_normal(25)
    assert w1_to_normal(column(x))[0] == pytest.approx(w1_by_integration(x), rel=1e-9)
    assert w2_squared_to_normal(column(x))[0] == pytest.approx(w2_by_integration(x), rel=1e-8)


def test_w1_agrees_with_scipy_on_a_fine_grid_of_normal_quantiles(rng):
    x = rng.standard_t(4, 300)
    grid = special.ndtri((np.arange(300_000) + 0.5) / 300_000)
    assert w1_to_normal(column(x))[0] == pytest.approx(stats.wasserstein_distance(x, grid), abs=1e-4)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
def test_is_non_negative_ordered_and_symmetric(values):
    x = column(values)
    w1, w2 = w1_to_normal(x)[0], w2_to_normal(x)[0]
    scale = 1 + np.abs(x).max()
    assert 0 <= w1 <= w2 + 1e-7 * scale  # Jensen: W1 <= W2
    assert w1_to_normal(-x[::-1])[0] == pytest.approx(w1, rel=1e-9, abs=1e-9 * scale)
    assert w2_to_normal(-x[::-1])[0] == pytest.approx(w2, rel=1e-6, abs=1e-7 * scale)
