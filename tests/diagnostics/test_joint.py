import numpy as np
import pytest
from scipy import stats

from latent_audit.base.errors import InputError
from latent_audit.diagnostics import null
from latent_audit.diagnostics.joint import METRICS, joint

SMALL = {"calibration_rows": 60, "draws": 99, "projections": 20}


def measure(x, **options):
    return joint(x, rng=np.random.default_rng(0), **SMALL | options).set_index("metric")


def test_rows_and_columns_are_the_contract(rng):
    table = joint(rng.standard_normal((80, 2)), rng=rng, **SMALL)
    assert list(table.columns) == ["metric", "value", "p_value", "null_low", "null_high", "n_p"]
    assert table["metric"].tolist() == [*METRICS, "rank"]
    n_p = table.set_index("metric")["n_p"]
    assert n_p["symmetry_energy"] == 60 and (n_p.drop("symmetry_energy") == 80).all()
    assert table.drop(index=len(METRICS)).notna().all(axis=None)


def test_p_values_are_calibrated_under_the_null(rng):
    tables = [joint(rng.standard_normal((60, 2)), rng=rng, **SMALL | {"draws": 199}) for _ in range(200)]
    p = {m: [t.loc[i, "p_value"] for t in tables] for i, m in enumerate(METRICS)}
    # two-sample 1% point of KS: 200 p-values against a null of 199 draws that they share
    limit = 1.63 * np.sqrt(1 / 200 + 1 / 199)
    for metric, values in p.items():
        if metric.startswith("hole_fraction"):  # few distinct values: conservative
            assert np.mean(np.array(values) <= 0.05) < 0.05 + 5 * np.sqrt(0.05 * 0.95 / 200)
        else:
            assert stats.kstest(values, "uniform").statistic < limit, metric
        inside = np.mean([t["value"].between(t["null_low"], t["null_high"])[METRICS.index(metric)] for t in tables])
        assert inside > 0.95 - 5 * np.sqrt(0.95 * 0.05 * 2 / 199), metric


def test_null_band_moved_from_few_rows_to_many_agrees_with_drawing_many():
    few = {k: null.null_table(k, 100, 3, 400, 20, 1) for k in ("prior", "shape")}
    many = {k: null.null_table(k, 400, 3, 400, 20, 2) for k in ("prior", "shape")}
    for kind, table in few.items():
        for metric, draws in table.items():
            low, high = np.quantile(many[kind][metric], [0.025, 0.975])
            moved = np.quantile(null.at_rows(metric, draws, n_p=100, n=400, latent_dim=3), [0.025, 0.975])
            # quantiles of 400 draws scatter by about a fifth of the width; the unmoved band would be off by more
            assert np.abs(np.subtract(moved, (low, high))).max() < 0.3 * (high - low), metric


def test_wrong_scale_fails_the_prior_and_keeps_the_shape(rng):
    x = rng.standard_normal((300, 2))
    one, ten = measure(x), measure(10 * x)
    for metric in ("mardia_b1p", "mardia_b2p", "henze_zirkler", "gaussian_tc"):
        assert ten.loc[metric, "value"] == pytest.approx(one.loc[metric, "value"], rel=1e-6)
    assert ten.loc["hole_fraction_whitened", "value"] == pytest.approx(
        one.loc["hole_fraction_whitened", "value"], abs=0.02
    )
    for metric in ("mmd2_rbf", "energy_d2", "sliced_w2", "max_sliced_w2", "radius_ks", "hole_fraction"):
        assert ten.loc[metric, "p_value"] < 1e-4  # below the floor 1 / (99 + 1) of the draws
        assert ten.loc[metric, "value"] > ten.loc[metric, "null_high"]
    # ten times a symmetric code is symmetric
    assert ten.loc["symmetry_energy", "p_value"] > 0.01
    assert ten.loc["symmetry_energy", "value"] < 2 * ten.loc["symmetry_energy", "null_high"]
    assert measure(x + 1).loc["symmetry_energy", "p_value"] < 1e-4


def test_skewed_and_short_tailed_codes_fail_the_shape(rng):
    skewed = measure(rng.exponential(size=(300, 2)))
    assert max(skewed.loc["mardia_b1p", "p_value"], skewed.loc["henze_zirkler", "p_value"]) < 1e-4
    flat = measure(rng.uniform(-1, 1, (300, 2)))
    assert flat.loc["mardia_b2p", "p_value"] < 1e-3  # two-sided, from the lower side
    assert flat.loc["mardia_b2p", "value"] < flat.loc["mardia_b2p", "null_low"]


def test_duplicated_and_constant_dimensions_lower_the_rank(rng):
    z = rng.standard_normal((200, 2))
    table = measure(np.hstack([z, z[:, :1], np.full((200, 1), 3.0)]))
    assert table.loc["rank", "value"] == 2
    assert table.loc["gaussian_tc", "value"] == np.inf and table.loc["gaussian_tc", "p_value"] == 0
    plain = measure(z)
    for metric in ("mardia_b1p", "mardia_b2p", "henze_zirkler"):
        assert table.loc[metric, "value"] == pytest.approx(plain.loc[metric, "value"], rel=1e-6)
        assert table.loc[metric, "null_high"] == plain.loc[metric, "null_high"]


def test_codes_without_spread_or_with_more_dimensions_than_rows(rng):
    flat = measure(np.zeros((50, 2)))
    assert flat.loc["rank", "value"] == 0
    assert flat.loc[["mardia_b1p", "henze_zirkler", "hole_fraction_whitened"], "value"].isna().all()
    assert flat.loc["energy_d2", "p_value"] < 1e-4
    wide = measure(rng.standard_normal((30, 40)))
    assert wide.loc[list(null.SHAPE_METRICS), ["value", "p_value"]].isna().all(axis=None)
    assert wide.loc["energy_d2", ["value", "p_value"]].notna().all()


def test_same_seed_same_table_and_the_null_is_paid_once(rng, monkeypatch):
    x = rng.standard_normal((100, 2))
    first = measure(x)
    hits = null.null_table.cache_info().hits
    assert measure(x).equals(first)
    assert null.null_table.cache_info().hits == hits + 2
    null.null_table.cache_clear()
    null.hole_null.cache_clear()
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert measure(x).equals(first)  # one thread, same bytes
    assert not joint(x, rng=np.random.default_rng(1), **SMALL).set_index("metric").equals(first)


def test_a_kernel_too_narrow_for_so_many_dimensions_is_left_out(rng):
    """At d 16 the value would be within 1% of that of any codes that lie apart."""
    rows = measure(rng.standard_normal((1000, 16)), calibration_rows=200, draws=19)
    assert rows.loc[["mmd2_rbf", "henze_zirkler"], "value"].isna().all()
    assert rows.loc[["mmd2_rbf_median", "energy_d2"], "value"].notna().all()
    assert measure(rng.standard_normal((200, 2))).loc[["mmd2_rbf", "henze_zirkler"], "value"].notna().all()


def test_balls_are_not_counted_beyond_three_dimensions(rng):
    holes = ["hole_fraction", "hole_fraction_whitened"]
    assert measure(rng.standard_normal((60, 3))).loc[holes, "value"].notna().all()
    assert measure(rng.standard_normal((60, 4))).loc[holes, ["value", "p_value"]].isna().all(axis=None)


@pytest.mark.parametrize(("n", "d"), [(400, 2), (400, 8)])
def test_p_of_all_rows_holds_with_a_null_of_few(n, d):
    """The extrapolated nulls, tried at four times the rows that they were drawn at."""
    options = {"calibration_rows": 100, "draws": 199, "projections": 20, "null_seed": 4}
    tables = [joint(x, rng=np.random.default_rng(s), **options).set_index("metric")["p_value"] for s, x in
              enumerate(np.random.default_rng(8).standard_normal((150, n, d)))]  # fmt: skip
    for metric in METRICS:
        p = np.array([table[metric] for table in tables])
        if np.isnan(p).any():
            continue
        # binomial noise of 150 sets, and of a threshold from 199 draws
        assert (p <= 0.05).mean() < 0.05 + 4 * np.sqrt(0.05 * 0.95 * (1 / 150 + 1 / 199)), metric
        assert (p <= 0.005).mean() < 0.005 + 4 * np.sqrt(0.01 / 150), metric


def test_errors_are_in_words(rng):
    with pytest.raises(InputError, match="joint: needs at least 20 rows"):
        joint(np.zeros((5, 2)), rng=rng)
    with pytest.raises(InputError, match="draws >= 19"):
        joint(np.zeros((50, 2)), rng=rng, draws=3)
    with pytest.raises(InputError, match=r"columns \[1\]"):
        joint(np.array([[0.0, np.inf]] * 30), rng=rng)


def test_one_row_more_than_dimensions_says_nothing_about_the_shape(rng):
    """With n = d + 1 the Mahalanobis distances are constants, whatever the data."""
    rows = measure(rng.standard_normal((21, 20)))
    assert rows.loc[["mardia_b1p", "mardia_b2p", "henze_zirkler"], "value"].isna().all()


def test_the_null_band_of_sliced_w2_moves_right_in_many_dimensions():
    """n W2^2 of normal draws is ln ln n plus a constant: a band moved without it lies too high."""
    centre, spread = null._scale("sliced_w2", 10_000, 64)
    of_few = null._scale("sliced_w2", 1_000, 64)[1]
    assert centre == 0
    assert spread / of_few == pytest.approx(np.sqrt((3.51 / 1e4) / (3.29 / 1e3)), rel=0.01)  # simulated by themselves
