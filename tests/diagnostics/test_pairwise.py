import numpy as np
import pytest
from scipy.spatial.distance import cdist

from latent_audit.diagnostics import pairwise


@pytest.mark.parametrize("n", [20, pairwise.TILE, pairwise.TILE + 1, 5 * pairwise.TILE + 7])
def test_sums_over_tiles_agree_with_the_full_matrix(rng, n):
    x = 3 + rng.standard_normal((n, 3))
    apart = cdist(x, x)
    means = pairwise.prior_pair_means(x, 1.7)
    expected = {"distance": apart.mean(), "sum": cdist(x, -x).mean(), "rbf": np.exp(-(apart**2) / 2).mean()}
    for name, h in (("half_median", 0.85), ("median", 1.7), ("double_median", 3.4)):
        expected[name] = np.exp(-(apart**2) / (2 * h**2)).mean()
    assert means == pytest.approx(expected, rel=1e-10)
    shape = pairwise.shape_pair_means(x, 0.9)
    assert shape["cube"] == pytest.approx(((x @ x.T) ** 3).mean(), rel=1e-10)
    assert shape["kernel"] == pytest.approx(np.exp(-0.81 / 2 * apart**2).mean(), rel=1e-10)


def test_a_mean_a_million_times_the_spread_loses_no_distance(rng):
    x = rng.standard_normal((50, 2))
    near, far = pairwise.prior_pair_means(x, 1.0), pairwise.prior_pair_means(x + 1e6, 1.0)
    assert far["distance"] == pytest.approx(near["distance"], rel=1e-9)
    assert far["sum"] == pytest.approx(2 * np.sqrt(2) * 1e6, rel=1e-5)


def test_threads_do_not_change_a_bit(rng, monkeypatch):
    x = rng.standard_normal((6 * pairwise.TILE, 4))
    many = pairwise.prior_pair_means(x, 1.0)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert pairwise.prior_pair_means(x, 1.0) == many
