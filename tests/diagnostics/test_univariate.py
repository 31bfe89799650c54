import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from latent_audit.base.errors import InputError
from latent_audit.diagnostics.univariate import TESTS, distances, moments, null_band, per_dimension

MOMENTS = ["mean", "std", "skew", "excess_kurtosis"]
PRIOR = ["ks_d", "ks_p", "cvm_w2", "cvm_p", "ad_a2", "ad_p", "w1", "w2"]
SHAPE = ["shapiro_w", "shapiro_p", "k2", "k2_p", "jb", "jb_p"]
COLUMNS = [
    "dim",
    "n",
    "kind",
    "distinct",
    "effective_distinct",
    *MOMENTS,
    *PRIOR,
    *SHAPE,
    *[f"log10_{name}" for name in TESTS],
]


def test_columns_are_the_contract(rng):
    table = per_dimension(rng.standard_normal((30, 3)), rng=rng)
    assert list(table.columns) == COLUMNS
    assert table["dim"].tolist() == [0, 1, 2]
    assert table["kind"].tolist() == ["continuous"] * 3


def test_agrees_with_scipy_in_every_column(rng):
    x = 0.05 + rng.standard_t(6, size=(700, 2))
    table = per_dimension(x, rng=rng)
    for j in range(2):
        row, column = table.iloc[j], x[:, j]
        assert row["mean"] == pytest.approx(column.mean())
        assert row["std"] == pytest.approx(column.std(ddof=0))
        assert row["skew"] == pytest.approx(stats.skew(column))
        assert row["excess_kurtosis"] == pytest.approx(stats.kurtosis(column))
        oracles = {
            "ks_d ks_p": stats.kstest(column, "norm"),
            "cvm_w2 cvm_p": stats.cramervonmises(column, "norm"),
            "shapiro_w shapiro_p": stats.shapiro(column),
            "k2 k2_p": stats.normaltest(column),
            "jb jb_p": stats.jarque_bera(column),
        }
        for names, oracle in oracles.items():
            statistic, p = names.split()
            assert row[statistic] == pytest.approx(oracle.statistic, rel=1e-9)
            if p not in ("k2_p", "jb_p"):  # scipy has their limit; see test_shape_tests
                assert row[p] == pytest.approx(oracle.pvalue, rel=1e-5)
        for p in TESTS:
            assert 10 ** row[f"log10_{p}"] == pytest.approx(row[p], rel=1e-9)


def test_exact_normal_quantiles_pass_everything(rng):
    q = special.ndtri((np.arange(2000) + 0.5) / 2000)[:, None]
    row = per_dimension(q, rng=rng).iloc[0]
    assert row["ks_d"] == pytest.approx(0.5 / 2000)  # D of the midpoint quantiles is exactly 1/(2n)
    assert row["cvm_w2"] == pytest.approx(1 / (12 * 2000))
    assert min(row[p] for p in TESTS) > 0.98


def test_logs_stay_finite_where_p_underflows(rng):
    table = per_dimension(50 + 1e3 * rng.standard_exponential((20_000, 2)), rng=rng)
    assert (table[["ks_p", "cvm_p", "ad_p"]] == 0).all(axis=None)
    # A single value of 20 sd does as much to JB, in 20,000 x 2 Phi(-21.6) = 1e-99 of normal samples.
    assert (table[["k2_p", "jb_p"]] < 1e-60).all(axis=None)
    logs = table[[f"log10_{p}" for p in TESTS]]
    assert np.isfinite(logs).all(axis=None) and (logs < -10).all(axis=None)


def test_constant_and_duplicated_dimensions_are_named(rng):
    z = rng.standard_normal((100, 1))
    x = np.hstack([z, np.full((100, 1), 0.1), z, np.zeros((100, 1)), -z])
    table = per_dimension(x, rng=rng)
    assert table["kind"].tolist() == ["continuous", "constant", "duplicate", "constant", "continuous"]
    shape = ["skew", "excess_kurtosis", "shapiro_w", "shapiro_p", "k2", "k2_p", "jb", "jb_p", "log10_k2_p"]
    flat = table[table["kind"] == "constant"]
    assert flat[shape].isna().all(axis=None)
    assert flat.drop(columns=[*shape, "log10_shapiro_p", "log10_jb_p"]).notna().all(axis=None)
    assert (flat["std"] == 0).all()
    assert table.loc[3, "ks_d"] == pytest.approx(0.5)  # all mass at 0: |1 - Phi(0)|
    assert table.loc[3, "w1"] == pytest.approx(np.sqrt(2 / np.pi))


def test_shapiro_uses_a_seeded_subsample_of_5000():
    x = np.random.default_rng(0).standard_normal((6000, 1))
    first, same, other = (per_dimension(x, rng=np.random.default_rng(s))["shapiro_w"][0] for s in (1, 1, 2))
    rows = np.sort(np.random.default_rng(1).choice(6000, 5000, replace=False))
    assert first == same != other
    assert first == pytest.approx(stats.shapiro(x[rows, 0]).statistic, rel=1e-12)


def test_p_values_are_uniform_under_the_null(rng):
    # 200 dimensions of n = 500 true draws; KS of the p-values below its 1% point .115.
    table = per_dimension(rng.standard_normal((500, 200)), rng=rng)
    for p in TESTS:
        assert stats.kstest(table[p], "uniform").statistic < 0.115, p


def test_scaling_by_ten_moves_the_prior_tests_but_not_the_shape(rng):
    x = rng.standard_normal((300, 2))
    one, ten = per_dimension(x, rng=np.random.default_rng(1)), per_dimension(10 * x, rng=np.random.default_rng(1))
    for name in ("skew", "excess_kurtosis", "shapiro_w", "k2", "jb"):
        assert ten[name].to_numpy() == pytest.approx(one[name].to_numpy(), rel=1e-7)
    assert (ten["ks_d"] > 5 * one["ks_d"]).all() and (ten["w1"] > 5).all()


@settings(derandomize=True, deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.floats(-5, 5), st.floats(0.1, 10))
def test_row_order_dimension_order_and_sign_flips(seed, shift, scale):
    draw = np.random.default_rng(seed)
    x = shift + scale * draw.standard_normal((40, 3))
    base = per_dimension(x, rng=np.random.default_rng(0)).drop(columns="kind")
    shuffled = per_dimension(draw.permutation(x)[:, ::-1], rng=np.random.default_rng(0)).drop(columns="kind")
    assert shuffled.iloc[::-1].drop(columns="dim").to_numpy() == pytest.approx(
        base.drop(columns="dim").to_numpy(), rel=1e-6, abs=1e-9
    )
    even = ["std", "excess_kurtosis", "ks_d", "cvm_w2", "ad_a2", "w1", "w2", "shapiro_w", "k2", "jb"]
    flipped = per_dimension(-x, rng=np.random.default_rng(0))
    assert flipped[even].to_numpy() == pytest.approx(base[even].to_numpy(), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((19, 2)), "at least 20 rows of codes, got 19"),
        (np.zeros(50), r"\(sample, latent\) array"),
        (np.zeros((50, 0)), "at least one column"),
        (np.full((50, 2), "a"), "real numbers"),
        (np.where(np.arange(100).reshape(50, 2) == 7, np.nan, 0.0), r"1 of 50 rows, \[3\], columns \[1\]"),
        (np.where(np.arange(100).reshape(50, 2) == 8, np.inf, 0.0), r"rows, \[4\], columns \[0\]"),
        (np.full((50, 2), 1e200), "and 45 more"),
    ],
)
def test_bad_codes_are_refused_in_words(rng, x, message):
    with pytest.raises(InputError, match=message):
        per_dimension(x, rng=rng)


def null_frame(x) -> pd.DataFrame:
    return pd.DataFrame(distances(np.sort(x, axis=0)) | moments(x))


def test_null_band_holds_95_percent_of_new_draws(rng):
    band = null_band(100, rng=rng, draws=1000).set_index("statistic")
    fresh = null_frame(rng.standard_normal((100, 2000)))
    for name, row in band.iterrows():
        inside = fresh[name].between(row["null_low"], row["null_high"]).mean()
        # 5 standard errors: binomial of 2000 draws plus the two estimated quantiles of 1000
        assert abs(inside - 0.95) < 5 * np.sqrt(0.95 * 0.05 * (1 / 2000 + 1 / 1000)), name


def test_null_band_of_w1_at_10000_matches_the_measured_floor(rng):
    # Mean W1 .0127 and mean D .0087 under the null at n = 10,000 (own simulation of 200 runs) lie inside.
    band = null_band(10_000, ["w1", "ks_d"], rng=rng, draws=200).set_index("statistic")
    assert band.loc["w1", "null_low"] < 0.0127 < band.loc["w1", "null_high"]
    assert band.loc["ks_d", "null_low"] < 0.0087 < band.loc["ks_d", "null_high"]


def test_null_band_refuses_what_it_cannot_give(rng):
    with pytest.raises(InputError, match="unknown statistics"):
        null_band(100, ["colour"], rng=rng)
    with pytest.raises(InputError, match="n >= 20"):
        null_band(10, rng=rng)


def test_k2_of_an_exactly_symmetric_sample_has_no_part_of_the_skew():
    """Z(skew) of D'Agostino (1970) is delta asinh(0) = 0; scipy's skewtest gives 1.0 where the skew is exactly 0."""
    x = np.repeat([-1.0, 0.0, 1.0], [30, 120, 30])
    row = per_dimension(x[:, None], rng=np.random.default_rng(0)).iloc[0]
    assert stats.skew(x) == 0
    assert row["k2"] == pytest.approx(stats.kurtosistest(x).statistic ** 2, rel=1e-12)
    assert row["k2"] == pytest.approx(0.0632, abs=5e-5)
    assert row["k2_p"] == pytest.approx(0.9689, abs=2e-3)  # exp(-K2 / 2), the limit
