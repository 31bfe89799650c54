"""latent_audit.diagnostics.regions: where the codes are too many or too few, out of sample."""

import json

import numpy as np
import pytest
from scipy import stats

from latent_audit.diagnostics.regions import COLUMNS, Region, regions, shown_rows


def test_a_box_and_a_shell_hold_what_the_normal_law_says():
    quarter = Region("box", {0: (-np.inf, 0.0), 3: (0.0, np.inf)})
    assert quarter.prior_share(5) == pytest.approx(0.25)
    assert Region("box", {1: (-1.0, 1.0)}).prior_share(5) == pytest.approx(0.6826895)
    assert Region("shell", {-1: (-np.inf, 1.0)}).prior_share(2) == pytest.approx(1 - np.exp(-0.5))  # Rayleigh
    assert quarter.words == "z0 up to 0.00, z3 above 0.00"


def test_boxes_cover_everything_once_and_shells_too(rng):
    table = regions(rng.standard_normal((2000, 4)) * 1.3, rng=rng)
    for _, rows in table.groupby("kind"):
        assert rows["codes_share"].sum() == pytest.approx(1)
        assert rows["prior_share"].sum() == pytest.approx(1)
    assert list(table.columns) == list(COLUMNS)
    assert table["difference"].abs().is_monotonic_decreasing and table["rank"].tolist() == list(
        range(1, 1 + len(table))
    )


def test_a_corner_without_codes_is_found_with_its_share(rng):
    x = rng.standard_normal((8000, 3))
    x = x[~((x[:, 0] > 0.5) & (x[:, 2] < 0))][:6000]  # 15.4% of the prior
    worst = regions(x, rng=rng).iloc[0]
    truth = stats.norm.sf(0.5) / 2
    assert worst["codes_share"] < 0.02 and worst["prior_share"] == pytest.approx(truth, abs=0.03)
    bounds = json.loads(worst["bounds"])
    assert bounds["0"][0] == pytest.approx(0.5, abs=0.15) and bounds["2"][1] == pytest.approx(0, abs=0.15)
    assert worst["p_holm"] < 1e-10 and worst["codes_high"] < worst["prior_share"]


def test_in_many_dimensions_the_shell_says_where_the_codes_are(rng):
    worst = regions(1.2 * rng.standard_normal((2000, 50)), rng=rng).iloc[0]
    truth = stats.chi.sf(stats.chi.ppf(7 / 8, 50) / 1.2, 50)
    assert worst["kind"] == "shell" and worst["region"].startswith("|z| above")
    assert worst["codes_low"] < truth < worst["codes_high"] and worst["prior_share"] == pytest.approx(1 / 8)
    assert json.loads(worst["bounds"])["|z|"][1] is None


@pytest.mark.parametrize("d", [1, 4])
def test_of_normal_codes_a_region_differs_in_at_most_one_set_of_twenty(d, rng):
    sets = 60
    tables = [regions(rng.standard_normal((300, d)), rng=rng) for _ in range(sets)]
    most = 0.05 * sets + 3 * np.sqrt(0.05 * 0.95 * sets)
    assert sum((table["p_holm"] < 0.05).any() for table in tables) <= most
    outside = [((t["prior_share"] < t["codes_low"]) | (t["prior_share"] > t["codes_high"])).any() for t in tables]
    assert sum(outside) <= most


def test_rows_for_a_page_are_those_that_differ(rng):
    x = rng.normal([0.8, 0.0], 1.0, (3000, 2))
    shown = shown_rows(regions(x, rng=rng), most=3)
    assert len(shown) == 3 and list(shown.columns) == ["region", "codes", "low", "high", "prior"]
    assert ((shown["low"] > shown["prior"]) | (shown["high"] < shown["prior"])).all()
    assert "z0" in shown["region"][0]
    assert shown_rows(regions(np.asarray(rng.standard_normal((300, 2))), rng=rng)).empty


def test_equal_codes_have_their_regions(rng):
    table = regions(np.zeros((100, 2)), rng=rng)
    assert table.loc[table["kind"] == "shell", "codes_share"].sum() == 1
    assert table["codes_share"].max() == 1 and table["p_holm"].min() < 1e-6
