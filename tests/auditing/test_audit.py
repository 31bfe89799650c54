"""The audit of arrays: which tables come out, that they are the diagnostics' own numbers, and what is refused."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import latent_audit
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.audit import AuditSettings, AuditTables, audit
from latent_audit.diagnostics.checks import OneClassWarning
from latent_audit.diagnostics.decomposition import NoDrawWarning

FAST = AuditSettings(neighbours=5, grid=20, null_draws=39, null_rows=60)
JOINT = (
    "mardia_b1p", "mardia_b2p", "henze_zirkler", "mmd2_rbf", "energy_d2", "sliced_w2", "gaussian_tc", "hole_fraction",
)  # fmt: skip
POSTERIOR = (
    "kl", "index_code_mi", "total_correlation", "dimwise_kl", "marginal_kl", "index_code_mi_loo",
    "total_correlation_loo", "dimwise_kl_loo", "marginal_kl_loo", "marginal_kl_perfect", "total_correlation_perfect",
    "active_units", "collapsed_units",
)  # fmt: skip


def posterior(n: int = 60, latent_dim: int = 3, seed: int = 7) -> dict[str, np.ndarray]:
    """A posterior as a VAE might have it; its last dimension is the prior itself, i.e. collapsed."""
    rng = np.random.default_rng(seed)
    mu, logvar = rng.standard_normal((n, latent_dim)), np.full((n, latent_dim), -2.0)
    mu[:, -1], logvar[:, -1] = 0.0, 0.0
    return {"mu": mu, "logvar": logvar, "z": mu + np.exp(logvar / 2) * rng.standard_normal((n, latent_dim))}


def value(tables: AuditTables, metric: str, code: str = "z", column: str = "value") -> float:
    rows = tables.joint
    return rows.loc[(rows["metric"] == metric) & (rows["code"] == code), column].item()


@pytest.fixture(scope="module")
def vae() -> AuditTables:
    return audit(**posterior(), labels=np.arange(60) % 4, seed=3, settings=FAST)


def test_the_package_gives_the_audit_without_loading_anything_before():
    lines = [
        "import sys, latent_audit",
        "light = not {'numpy', 'pandas', 'latent_audit.diagnostics.audit'} & set(sys.modules)",
        "from latent_audit import audit, AuditSettings, AuditTables",
        "print(light, audit.__module__, 'torch' in sys.modules, 'matplotlib' in sys.modules)",
    ]
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True, env=_environment()
    )
    assert ran.stdout.split() == ["True", "latent_audit.auditing.api", "False", "False"]
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        _ = latent_audit.absent


def _environment() -> dict[str, str]:
    import os

    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def test_tables_have_the_public_columns(vae: AuditTables):
    assert isinstance(vae, AuditTables)
    assert vae.per_dim.columns[:4].tolist() == ["code", "dim", "n", "kind"]
    named = ["mean", "std", "skew", "excess_kurtosis", "ks_d", "cvm_w2", "ad_a2", "w1", "w2", "shapiro_w", "k2", "jb"]
    tests = [
        f"{test}_p{ending}" for test in ("ks", "cvm", "ad", "shapiro", "k2", "jb") for ending in ("", "_holm", "_bh")
    ]
    assert {*named, *tests, "log10_ks_p", "kl_nats", "activity"} <= set(vae.per_dim)
    assert vae.joint.columns.tolist() == ["code", "metric", "value", "p_value", "null_low", "null_high", "n_p"]
    assert {*JOINT, *POSTERIOR} <= set(vae.joint.loc[vae.joint["code"] == "z", "metric"])
    assert vae.classes.columns.tolist() == [
        "code", "label", "class_name", "count", "share", "area", "centroid_0", "centroid_1"
    ]  # fmt: skip
    assert vae.separability.columns.tolist() == ["code", "metric", "value"]
    assert vae.transforms.columns.tolist() == ["code", "transform", "metric", "value"]
    for table in vae[:5]:
        assert table["code"].unique().tolist() == ["mu", "z"]
        assert table.index.equals(pd.RangeIndex(len(table)))


def test_per_dim_agrees_with_scipy(vae: AuditTables):
    rows = vae.per_dim[vae.per_dim["code"] == "z"]
    for dim, column in enumerate(posterior()["z"].T):
        expected = stats.kstest(column, "norm")
        assert rows["ks_d"].iloc[dim] == pytest.approx(expected.statistic, abs=1e-12)
        assert rows["ks_p"].iloc[dim] == pytest.approx(expected.pvalue, rel=1e-6)


def test_kl_is_the_sum_of_its_three_parts(vae: AuditTables):
    parts = sum(value(vae, name) for name in ("index_code_mi", "total_correlation", "dimwise_kl"))
    assert value(vae, "kl") == pytest.approx(parts, abs=1e-6)
    assert value(vae, "marginal_kl") == pytest.approx(
        value(vae, "total_correlation") + value(vae, "dimwise_kl"), abs=1e-6
    )


def test_units_are_counted_where_asked(vae: AuditTables):
    assert (value(vae, "active_units"), value(vae, "collapsed_units")) == (2, 1)  # by construction
    plain = audit(**posterior(), settings=AuditSettings(null_draws=19, null_rows=60, unit_counts=False))
    assert "active_units" not in set(plain.joint["metric"])  # the pipeline counts them over per_dim


def test_the_plane_shown_is_the_one_that_carries_most(vae: AuditTables):
    assert vae.dims == (0, 1)  # the third is the prior itself: no KL
    wide = np.random.default_rng(0).standard_normal((60, 3)) * (1, 5, 3)
    assert audit(wide, settings=FAST).dims == (1, 2)
    assert audit(wide, dims=(0, 2), settings=FAST).dims == (0, 2)


def test_a_deterministic_code_is_measured_once_for_both_rows():
    z = posterior()["z"]
    steps: list[str] = []
    both = audit(z, mu=z, labels=np.arange(60) % 4, settings=FAST, report_step=steps.append)
    assert steps[-2].startswith("z: equal to mu")
    for table in both[:5]:
        of_mu, of_z = (table[table["code"] == code].drop(columns="code").reset_index(drop=True) for code in ("mu", "z"))
        pd.testing.assert_frame_equal(of_mu, of_z)
    alone = audit(z, labels=np.arange(60) % 4, settings=FAST)
    assert value(alone, "energy_d2") == value(both, "energy_d2")


def test_transforms_are_the_worst_dimension_after_each_map():
    z = posterior()["z"] * 10 + 3
    rows = audit(z, settings=FAST).transforms.set_index(["transform", "metric"])["value"]
    standard = (z - z.mean(axis=0)) / z.std(axis=0)
    for transform, mapped in (("raw", z), ("standardised", standard)):
        worst = max(stats.kstest(column, "norm").statistic for column in mapped.T)
        assert rows[transform, "ks_d_max"] == pytest.approx(worst, abs=1e-12)
    assert rows["whitened", "ks_d_max"] < 0.3 < rows["raw", "ks_d_max"]


def test_same_seed_same_tables_and_another_seed_another_draw(vae: AuditTables):
    again = audit(**posterior(), labels=np.arange(60) % 4, seed=3, settings=FAST)
    for table, other in zip(vae[:5], again[:5], strict=True):
        pd.testing.assert_frame_equal(table, other, check_exact=True)
    np.testing.assert_array_equal(vae.class_map, again.class_map)
    other = audit(**posterior(), labels=np.arange(60) % 4, seed=4, settings=FAST)
    assert value(other, "sliced_w2") != value(vae, "sliced_w2")
    assert value(other, "energy_d2") == value(vae, "energy_d2")  # exact, no draw in it


def test_a_z_that_is_no_draw_of_its_posterior_is_warned_of():
    codes = posterior()
    with pytest.warns(NoDrawWarning, match=r"z equals mu.*Draw it"):
        audit(codes["mu"], mu=codes["mu"], logvar=codes["logvar"], settings=FAST)


@pytest.mark.parametrize("kind", [float, "S3", object])
def test_labels_may_be_floats_bytes_or_objects(vae: AuditTables, kind):
    tables = audit(**posterior(), labels=(np.arange(60) % 4).astype(kind), seed=3, settings=FAST)
    assert tables.classes is not None
    assert vae.classes is not None
    pd.testing.assert_frame_equal(
        tables.classes.drop(columns=["label", "class_name"]), vae.classes.drop(columns=["label", "class_name"])
    )
    assert tables.classes["class_name"].astype(str).tolist() == vae.classes["class_name"].astype(str).tolist()


def test_true_prior_draws_look_unremarkable():
    tables = audit(np.random.default_rng(20).standard_normal((150, 2)), settings=FAST)
    p = tables.joint["p_value"].dropna()
    # dependent p-values; under the null each is below 0.05 once in twenty, and few of them speak of different things
    assert (p > 0.05).mean() > 0.65
    assert tables.may_sample == "prior"
    assert (tables.per_dim["ks_p_holm"] > 0.05).all()


def test_scaling_changes_the_distance_to_the_prior_but_not_the_neighbours():
    rng = np.random.default_rng(5)
    labels = np.arange(80) % 2
    z = rng.standard_normal((80, 2)) + 2.0 * labels[:, None]
    small, large = (audit(scale * z, labels=labels, settings=FAST) for scale in (1, 10))
    assert large.per_dim["ks_d"].min() > small.per_dim["ks_d"].max()
    scores = [t.separability.set_index("metric")["value"]["knn_accuracy"] for t in (small, large)]
    assert scores[0] == scores[1] > 0.8
    assert value(large, "henze_zirkler") == pytest.approx(value(small, "henze_zirkler"), rel=1e-9)


def test_names_of_classes_are_kept_beside_their_number():
    z = posterior()["z"]
    whole = audit(z, labels=np.array([3.0, 7.0])[np.arange(60) % 2], settings=FAST).classes
    assert whole["label"].tolist() == [3, 7]
    assert whole["class_name"].tolist() == ["3", "7"]
    text = audit(z, labels=np.array(["shoe", "bag"], dtype=object)[np.arange(60) % 2], settings=FAST).classes
    assert text["label"].tolist() == [0, 1]
    assert text["class_name"].tolist() == ["bag", "shoe"]
    assert text["count"].tolist() == [30, 30]


def test_a_reference_split_is_used_for_the_probes():
    z, labels = posterior()["z"], np.arange(60) % 2
    far = {"z": z + 1000 * labels[:, None], "labels": 1 - labels}  # every test code is nearest to class 0's, named 1
    scores = audit(z, labels=labels, train=far, settings=FAST).separability.set_index("metric")["value"]
    assert scores["knn_accuracy"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("n", "labels"), [(39, np.arange(39) % 2), (60, np.r_[1, np.zeros(59, dtype=int)])], ids=["few rows", "singleton"]
)
def test_what_cannot_be_halved_has_no_separability(n: int, labels: np.ndarray):
    tables = audit(np.random.default_rng(0).standard_normal((n, 2)), labels=labels, settings=FAST)
    assert tables.separability is None
    assert tables.classes["count"].sum() == n


@pytest.mark.parametrize("latent_dim", [1, 40])
def test_degenerate_dimensions_are_named_not_fatal(latent_dim: int):
    z = np.random.default_rng(2).standard_normal((45, latent_dim))
    z[:, -1] = 0.0 if latent_dim > 1 else z[:, -1]
    if latent_dim > 1:
        z[:, 1] = z[:, 0]
    tables = audit(z, labels=np.arange(45) % 3, settings=FAST)
    kinds = tables.per_dim["kind"].tolist()
    assert kinds == (
        ["continuous"] if latent_dim == 1 else ["continuous", "duplicate", *["continuous"] * 37, "constant"]
    )
    assert np.isfinite(tables.transforms["value"]).all()


def _with(array: np.ndarray, bad: float) -> np.ndarray:
    changed = array.copy()
    changed[[4, 9], 1] = bad
    return changed


Z = posterior()["z"]
REFUSED = {
    "NaN": ({"z": _with(Z, np.nan)}, r"audit, z: .*2 of 60 rows, \[4, 9\], columns \[1\]"),
    "infinite mu": ({"z": Z, "mu": _with(Z, np.inf)}, r"audit, mu: .*rows, \[4, 9\]"),
    "few rows": ({"z": Z[:19]}, "at least 20 rows of codes, got 19"),
    "one axis": ({"z": Z[:, 0]}, r"reshape a single dimension to \(n, 1\)"),
    "wide": ({"z": np.zeros((20, 2049))}, "2,049 dimensions, at most 2,048"),
    "complex": ({"z": Z + 1j}, "must be real numbers, got dtype complex128"),
    "shapes": ({"z": Z, "mu": Z[:, :2]}, r"mu has shape \(60, 2\) and z \(60, 3\)"),
    "logvar alone": ({"z": Z, "logvar": Z}, "logvar was given without mu"),
    "variance as logvar": ({"z": Z, "mu": Z, "logvar": Z + 200}, "logvar reaches 20"),
    "label count": ({"z": Z, "labels": np.arange(59)}, "59 labels for 60 codes"),
    "missing label": ({"z": Z, "labels": [None, "a"] * 30}, r"labels are missing in rows \[0, 2, 4, 6, 8, and 25"),
    "masked": ({"z": np.ma.masked_greater(Z, 2)}, r"audit, z: \d+ values are masked"),
    "ragged": ({"z": [[1.0], [1.0, 2.0]] * 30}, "audit, z: cannot be made an array"),
    "mapping": ({"z": {"z": Z}}, r"as in audit\(\*\*arrays\)"),
    "dims": ({"z": Z, "dims": (0, Z.shape[1])}, r"dims must be two different ones of 0\.\."),
    "train": ({"z": Z, "labels": np.arange(60) % 2, "train": {"z": Z}}, "audit, train: has no 'labels'; it has"),
    "label table": ({"z": Z, "labels": np.ones((60, 2))}, r"labels of shape \(60, 2\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_before_anything_is_computed(case: str):
    given, message = REFUSED[case]
    steps: list[str] = []
    with pytest.raises(InputError, match=message):
        audit(**given, report_step=steps.append)
    assert steps == []


def test_labels_of_one_class_are_put_aside():
    with pytest.warns(OneClassWarning, match="all 60 are 1; what needs two classes is left out"):
        found = audit(Z, labels=np.ones(60, dtype=int), settings=FAST)
    assert (found.classes, found.separability) == (None, None)
    pd.testing.assert_frame_equal(found.joint, audit(Z, settings=FAST).joint)


@pytest.mark.filterwarnings("error")
def test_as_many_classes_as_codes_and_codes_near_the_smallest_number_are_measured():
    codes = np.random.default_rng(0).standard_normal((40, 3))
    areas = audit(codes, labels=np.arange(40), settings=FAST).classes
    assert areas is not None
    assert areas["area"].isna().all()
    assert audit(codes[:, :2] * 1e-300, settings=FAST).per_dim["shapiro_w"].isna().all()


def test_a_measurement_is_no_label():
    with pytest.raises(InputError, match="1,001 different values in 1,001 rows, at most 1,000"):
        audit(np.zeros((1001, 1)), labels=np.arange(1001) / 3)
