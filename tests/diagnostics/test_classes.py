import numpy as np
import pytest
from scipy import special, stats

from latent_audit.base.errors import InputError
from latent_audit.diagnostics.classes import area_scalars, class_areas
from latent_audit.diagnostics.nearest_classes import nearest_class


def scalar(areas, metric: str) -> float:
    return areas.scalars.set_index("metric").loc[metric, "value"]


def null_of(areas) -> dict[str, float]:
    """The row of area_tv."""
    return areas.scalars.set_index("metric").loc["area_tv"].to_dict()


def test_a_half_plane_each_gives_equal_areas(rng):
    x = rng.standard_normal((2000, 2))
    areas = class_areas(x, np.where(x[:, 0] > 0, "right", "left"), rng=rng)
    assert areas.label_map.shape == (200, 200)
    assert list(areas.table.columns) == ["label", "count", "share", "area", "centroid_0", "centroid_1"]
    assert areas.table["label"].tolist() == ["left", "right"]
    assert areas.table["area"].to_numpy() == pytest.approx([0.5, 0.5], abs=0.02)
    assert areas.table["area"].sum() == pytest.approx(1)
    assert scalar(areas, "area_entropy") == pytest.approx(1, abs=1e-3)
    assert scalar(areas, "area_tv") < 0.02
    # centroid of half a standard normal: +- E|Z| = +- sqrt(2/pi)
    assert areas.table["centroid_0"].to_numpy() == pytest.approx([-np.sqrt(2 / np.pi), np.sqrt(2 / np.pi)], abs=0.1)


def test_rows_of_the_map_run_up_the_second_dimension(rng):
    x = rng.standard_normal((2000, 2))
    label_map = class_areas(x, (x[:, 1] > 0).astype(int), rng=rng).label_map
    assert (label_map[:80] == 0).all() and (label_map[120:] == 1).all()


def test_area_is_prior_mass_not_share_of_the_codes(rng):
    # Class 1 holds 10% of the codes beyond x = 1: it owns P(Z > 1) = .1587 of the prior wherever its codes sit densely.
    x = np.vstack([rng.uniform([-4, -4], [1, 4], (4000, 2)), rng.uniform([1, -4], [4, 4], (2400, 2))])
    areas = class_areas(x, np.repeat([0, 1], [4000, 2400]), rng=rng)
    assert areas.table["area"][1] == pytest.approx(special.ndtr(-1.0), abs=0.01)
    assert areas.table["share"][1] == pytest.approx(2400 / 6400)


def test_a_class_that_owns_nothing_is_finite_and_counted(rng):
    x = np.vstack([rng.standard_normal((500, 2)), 50 + rng.standard_normal((20, 2))])
    areas = class_areas(x, np.repeat(["near", "far"], [500, 20]), rng=rng)
    assert areas.table.set_index("label").loc["far", "area"] == 0
    assert scalar(areas, "area_max_min") == 1 / (0.5 / 40_000)
    assert scalar(areas, "area_entropy") == 0
    assert scalar(areas, "classes_without_area") == 1


def test_scalars_by_hand():
    # areas .5 .25 .25: entropy 1.5 bits of log2 3; max/min 2; TV = .5(1/6 + 1/12 + 1/12)
    values = area_scalars(np.array([0.5, 0.25, 0.25]), 100)["value"].to_numpy()
    assert values == pytest.approx([1.5 / np.log2(3), 2.0, 1 / 6, 0.0])


def test_votes_agree_with_a_loop_and_ties_go_to_the_nearest():
    codes = np.array([[0.0], [1.0], [2.0], [3.0]])
    index = np.array([1, 0, 0, 1])
    assert nearest_class(np.array([[-1.0], [3.5], [1.1]]), codes, index, 2).tolist() == [1, 1, 0]
    assert nearest_class(np.array([[-1.0]]), codes, index, 4).tolist() == [1]  # two against two: the nearest has 1
    rng = np.random.default_rng(3)
    codes, points, index = rng.standard_normal((60, 3)), rng.standard_normal((40, 3)), rng.integers(0, 4, 60)
    for point, found in zip(points, nearest_class(points, codes, index, 7), strict=True):
        votes = index[np.argsort(((codes - point) ** 2).sum(axis=1))[:7]].tolist()
        assert found == max(votes, key=lambda c: (votes.count(c), -votes.index(c)))


def test_brute_force_beyond_16_dimensions_agrees(rng):
    codes, points, index = rng.standard_normal((80, 20)), rng.standard_normal((30, 20)), rng.integers(0, 3, 80)
    padded = nearest_class(points, codes, index, 1)
    naive = index[((points[:, None] - codes[None]) ** 2).sum(axis=2).argmin(axis=1)]
    assert np.array_equal(padded, naive)


def test_more_than_two_dimensions_count_prior_draws(rng):
    # The class depends on the third dimension alone, which the map of dims 0 and 1 cannot see.
    x = rng.standard_normal((3000, 3))
    areas = class_areas(x, (x[:, 2] > 0.5).astype(int), rng=rng, draws=5000)
    assert areas.table["area"][1] == pytest.approx(special.ndtr(-0.5), abs=0.04)
    seen = class_areas(x, (x[:, 2] > 0.5).astype(int), rng=rng, draws=500, dims=(0, 2)).label_map
    assert (seen[:100] == 0).all() and (seen[180:] == 1).all()


def test_one_dimension_gives_stripes(rng):
    x = rng.standard_normal((1000, 1))
    areas = class_areas(x, x[:, 0] > 0, rng=rng)
    assert (areas.label_map == areas.label_map[0]).all()
    assert areas.table["centroid_1"].isna().all()


def test_transforms_undo_what_they_say(rng):
    x = rng.standard_normal((1500, 2))
    labels = (x[:, 0] + x[:, 1] > 0).astype(int)
    base = class_areas(x, labels, rng=rng, transform="standardised").label_map
    moved = class_areas(9 + x * [3, 0.2], labels, rng=rng, transform="standardised").label_map
    assert (base == moved).mean() > 0.999
    mixed = class_areas(x @ np.array([[2.0, 1.0], [1.0, 2.0]]) - 4, labels, rng=rng, transform="whitened")
    assert mixed.table["area"].to_numpy() == pytest.approx([0.5, 0.5], abs=0.05)
    # the symmetric root keeps dimension 0 pointing along dimension 0
    whitened = class_areas(x, (x[:, 0] > 0).astype(int), rng=rng, transform="whitened").label_map
    assert (whitened[:, 120:] == 1).mean() > 0.95


def test_a_duplicated_dimension_can_be_whitened(rng):
    z = rng.standard_normal((400, 1))
    areas = class_areas(np.hstack([z, z]), (z[:, 0] > 0).astype(int), rng=rng, transform="whitened")
    assert areas.table["area"].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.zeros(100, int)}, "at least two classes"),
        ({"labels": np.arange(7)}, "one label per row"),
        ({"labels": np.where(np.arange(100) == 4, np.nan, 1.0)}, r"rows \[4\]"),
        ({"transform": "pca"}, "transform must be one of"),
        ({"dims": (0, 2)}, "two different ones of 0..1"),
        ({"dims": (1, 1)}, "two different ones"),
        ({"neighbours": 101}, "neighbours must be 1..100"),
        ({"x": np.full((100, 2), np.nan)}, "class_areas: codes are NaN"),
    ],
)
def test_bad_input_is_refused_in_words(rng, change, message):
    arguments = {"x": rng.standard_normal((100, 2)), "labels": np.arange(100) % 3} | change
    with pytest.raises(InputError, match=message):
        class_areas(**arguments, rng=rng)


def test_shuffled_labels_lie_inside_the_null_and_uneven_classes_do_not():
    rng, p = np.random.default_rng(8), []
    for _ in range(40):
        x = rng.standard_normal((300, 2))
        row = null_of(class_areas(x, rng.integers(0, 5, 300), rng=rng, grid=30, shuffles=39))
        p.append(row["p_value"])
    # p of labels without meaning is uniform over 1/40, ..., 1: KS below its 1% point
    assert stats.kstest(p, "uniform").statistic < 1.63 / np.sqrt(40)
    angle = np.arctan2(x[:, 1], x[:, 0])
    # five classes of as many codes each, one of which holds the middle: the others own what lies outside
    even, uneven = np.floor((angle + np.pi) / 2 / np.pi * 5).clip(0, 4), np.hypot(*x.T).argsort().argsort() // 60
    far = x * np.where(uneven == 0, 1, 8)[:, None]  # the prior lies wholly among the first
    assert null_of(class_areas(x, even, rng=rng, grid=30, shuffles=39))["p_value"] > 0.9
    found = null_of(class_areas(far, uneven, rng=rng, grid=30, shuffles=39))
    assert found["p_value"] == 1 / 40 and found["value"] > 1.5 * found["null_high"]


def test_the_null_of_shuffled_labels_is_as_wide_as_was_measured(rng):
    # Ten classes without meaning of 1,000 codes: total variation .10 to .13, own simulations.
    row = null_of(class_areas(rng.standard_normal((1000, 2)), rng.integers(0, 10, 1000), rng=rng))
    assert 0.05 < row["null_low"] < 0.10 < row["null_high"] < 0.16
    assert row["null_low"] < row["value"] < row["null_high"]
    assert row["n_p"] == 1000


def test_only_the_total_variation_has_a_null(rng):
    scalars = class_areas(rng.standard_normal((60, 2)), np.arange(60) % 3, rng=rng, grid=20, shuffles=19).scalars
    assert list(scalars.columns) == ["metric", "value", "p_value", "null_low", "null_high", "n_p"]
    assert scalars.loc[scalars["p_value"].notna(), "metric"].tolist() == ["area_tv"]


def ten_classes(rng, n: int, d: int, *, apart: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ten equal classes of sd 1, the first of sd .8, their centres at `apart` from 0; codes, labels and centres."""
    centres = rng.standard_normal((10, d))
    centres *= apart / np.linalg.norm(centres, axis=1)[:, None]
    labels = rng.integers(0, 10, n)
    return centres[labels] + rng.standard_normal((n, d)) * np.where(labels == 0, 0.8, 1.0)[:, None], labels, centres


@pytest.mark.parametrize(("n", "d"), [(10_000, 50), (1000, 50), (3000, 10), (2000, 200)])
def test_a_narrower_class_owns_what_bayes_gives_it_not_what_neighbours_do(n, d):
    rng = np.random.default_rng(d)
    x, labels, centres = ten_classes(rng, n, d, apart=1.0)
    z, sd = rng.standard_normal((20_000, d)), np.where(np.arange(10) == 0, 0.8, 1.0)
    log_p = -d * np.log(sd) - 0.5 * ((z[:, None] - centres) ** 2).sum(axis=2) / sd**2
    truth = (log_p.argmax(axis=1) == 0).mean()
    found = class_areas(x, labels, rng=rng, grid=20, draws=10_000).table["area"][0]
    assert found == pytest.approx(truth, abs=0.03)  # about 6.5% at d 50
    if d == 50:
        assert truth == pytest.approx(0.065, abs=0.01)
        assert (nearest_class(z[:500], x, labels, 15) == 0).mean() > 0.9  # the hub


def test_the_null_beyond_two_dimensions_is_that_of_shuffled_labels():
    p = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        x, labels = rng.standard_normal((300, 8)), rng.integers(0, 4, 300)
        p.append(null_of(class_areas(x, labels, rng=rng, grid=20, draws=2000, shuffles=39))["p_value"])
    assert stats.kstest(p, "uniform").statistic < 1.63 / np.sqrt(30)
    uneven = x * np.where(labels == 0, 1, 3)[:, None]
    assert null_of(class_areas(uneven, labels, rng=rng, grid=20, draws=2000, shuffles=39))["p_value"] == 1 / 40


def test_where_no_density_fits_there_are_no_areas_but_a_map(rng):
    x = rng.standard_normal((3000, 3))
    board = (np.sin(4 * x[:, 0]) + np.sin(4 * x[:, 1]) > 0).astype(int)
    areas = class_areas(x, board, rng=rng, grid=40)
    assert areas.table["area"].isna().all() and areas.table["share"].notna().all()
    values = areas.scalars.set_index("metric")["value"]
    assert values[["area_entropy", "area_max_min", "area_tv", "classes_without_area"]].isna().all()
    assert values["area_knn_accuracy"] > 0.8 > 0.6 > values["area_density_accuracy"]
    assert set(np.unique(areas.label_map)) == {0, 1}


@pytest.mark.parametrize("x", [np.zeros((60, 5)), np.eye(60, 600)], ids=["without spread", "600 dimensions"])
def test_what_no_density_can_be_fitted_to_has_no_areas(rng, x):
    areas = class_areas(x, np.arange(60) % 3, rng=rng, grid=20)
    assert areas.table["area"].isna().all()
    assert "area_density_accuracy" not in areas.scalars["metric"].tolist()


def test_classes_of_their_own_shape_and_odd_sizes(rng):
    # Each class is wide in another dimension; only covariances of their own tell them apart.
    labels = rng.integers(0, 3, 3000)
    x = rng.standard_normal((3000, 3)) * np.where(np.arange(3) == labels[:, None], 3.0, 0.3)
    values = class_areas(x, labels, rng=rng, grid=20, draws=5000)
    assert scalar(values, "area_density_accuracy") > 0.9
    assert values.table["area"].to_numpy() == pytest.approx([1 / 3] * 3, abs=0.03)
    single = np.r_[np.zeros(59, dtype=int), 1]
    assert class_areas(x[:60], single, rng=rng, grid=20, draws=500).table["area"].sum() == pytest.approx(1)
    doubled = np.hstack([x, x[:, :1], np.ones((3000, 1))])  # a dimension twice, and one without spread
    twice = class_areas(doubled, labels, rng=rng, grid=20, draws=5000).table["area"].to_numpy()
    assert twice.sum() == pytest.approx(1)


def test_the_same_stream_gives_the_same_areas(rng):
    x, labels, _ = ten_classes(rng, 400, 6, apart=2.0)
    one, same, other = (
        class_areas(x, labels, rng=np.random.default_rng(seed), grid=20, draws=2000) for seed in (1, 1, 2)
    )
    assert one.scalars.equals(same.scalars) and one.table.equals(same.table)
    assert not one.scalars.equals(other.scalars)
    assert np.array_equal(one.label_map, other.label_map)
