"""Shift and scale: exact moments of many blocks, and what unit scaling leaves."""

import numpy as np
import pytest
from scipy import stats

from latent_audit.diagnostics.running_moments import merged, moments_of, spread_of, spreads_merged
from latent_audit.diagnostics.scaling import scaling_table

RNG = np.random.default_rng(8)
SD_SCALE = 0.18215  # of Stable Diffusion's first autoencoder: 1 / sd of its latents


def test_moments_of_parts_are_the_moments_of_all():
    x = RNG.gamma(2.0, size=(1000, 3)) + 1e4
    whole = None
    for part in np.split(x, [1, 400, 640]):
        whole = merged(whole, moments_of(part[:, :, None], (0, 2)))
    assert whole.n == 1000
    np.testing.assert_allclose(whole.mean, x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(whole.variance, x.var(axis=0), rtol=1e-9)
    np.testing.assert_allclose(whole.skew, stats.skew(x), rtol=1e-6)
    np.testing.assert_allclose(whole.excess_kurtosis, stats.kurtosis(x), rtol=1e-6)
    pooled = whole.pooled()
    assert pooled.n == 3000
    assert float(pooled.skew) == pytest.approx(stats.skew(x.ravel()), rel=1e-6)
    assert float(pooled.excess_kurtosis) == pytest.approx(stats.kurtosis(x.ravel()), rel=1e-6)
    spread = None
    for part in np.split(x, [1, 400]):
        spread = spreads_merged(spread, spread_of(part))
    np.testing.assert_allclose(spread.m2 / spread.n, x.var(axis=0), rtol=1e-9)


def latents() -> np.ndarray:
    """Four channels with an offset, whose pooled sd is that of Stable Diffusion's latents exactly."""
    x = RNG.standard_normal((5000, 4)) * (0.5, 1.0, 1.0, 2.0) + (1.0, 0.0, -1.0, 0.0)
    return (x - x.mean()) / x.std() / SD_SCALE + 0.3


def test_shift_and_scale_make_unit():
    x = latents()
    table = scaling_table(moments_of(x[:, :, None], (0, 2)), x)
    assert table["scope"].tolist() == ["pooled", "0", "1", "2", "3"]
    for scope, values in zip(table["scope"], [x, *x.T], strict=True):
        row = table[table["scope"] == scope].iloc[0]
        scaled = (values - row["shift"]) * row["scale"]
        assert scaled.mean() == pytest.approx(0, abs=1e-10)
        assert scaled.var() == pytest.approx(1)
        assert row["ks_d"] == pytest.approx(stats.kstest(scaled.ravel(), "norm").statistic)
        assert row["mean"] == row["shift"]
    assert table["scale"].iloc[0] == pytest.approx(SD_SCALE)
    assert table["n"].tolist() == [20000, *[5000] * 4]


def test_what_is_left_names_the_channel_that_goes_along():
    x = RNG.standard_normal((4000, 3))
    x[:, 2] = -0.6 * x[:, 0] + 0.8 * x[:, 2]
    table = scaling_table(moments_of(x[:, :, None], (0, 2)), x).set_index("scope")
    assert table["correlated_with"].tolist()[:2] == ["0, 2", "2"]
    assert table.loc["2", "correlated_with"] == "0"
    assert table.loc[["pooled", "0", "2"], "correlation_max"].tolist() == pytest.approx([-0.6] * 3, abs=0.05)


def test_a_channel_without_spread_has_no_scale():
    x = np.column_stack([np.full(100, 3.3), RNG.standard_normal(100)])
    table = scaling_table(moments_of(x[:, :, None], (0, 2)), x).set_index("scope")
    assert np.isnan(table.loc["0", ["scale", "ks_d", "skew", "correlation_max"]].to_numpy(dtype=float)).all()
    assert table.loc["0", "shift"] == pytest.approx(3.3)
    assert table.loc["1", "scale"] == pytest.approx(1 / x[:, 1].std())
