import numpy as np
import pytest
from scipy import special

from latent_audit.base.errors import InputError
from latent_audit.diagnostics.classes import area_scalars, class_areas, nearest_class


def scalar(areas, metric: str) -> float:
    return areas.scalars.set_index("metric").loc[metric, "value"]


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
