"""The page in a real browser, network off: its explorer by mouse, touch and keys; its claims; its looks; on paper."""

from pathlib import Path

import pytest

from browsers import in_browser
from latent_audit.report.render import render_study


@pytest.fixture(scope="module")
def seen(study, figures, explorer, pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    page = folder / "report.html"
    page.write_text(render_study(study, figures, explorer, pictures), encoding="utf-8")
    found = in_browser(Path(__file__).with_name("browser.js"), folder, url=page.as_uri())
    return found | {"url": page.as_uri()}


def test_the_page_works_offline(seen):
    assert seen["errors"] == []
    assert set(seen["requests"]) == {seen["url"]}
    assert seen["still"]


def test_hovering_previews_and_the_way_to_a_button_changes_nothing(seen):
    mouse = seen["mouse"]
    assert mouse["hovered"].startswith("Preview")
    assert mouse["whileHovering"]["picked"] == mouse["first"]["picked"]
    assert mouse["afterButton"]["b"] == mouse["first"]["picked"]
    assert mouse["afterButton"]["a"] == mouse["first"]["a"]


def test_an_arrow_picks_the_next_image_and_a_drag_moves_the_point(seen):
    mouse = seen["mouse"]
    assert isinstance(mouse["arrow"]["picked"], int) and mouse["arrow"]["picked"] != mouse["first"]["picked"]
    free = mouse["dragged"]["points"]
    assert free["ae"] == free["vae"]  # the other arm follows to the same z
    assert free["vae"] == pytest.approx([1.75, 1.75], abs=0.1)
    assert mouse["said"].startswith("A free point")
    assert min(mouse["drawn"]) > 10  # grey levels: something was decoded


def test_the_ends_of_the_path_are_dragged_by_themselves(seen):
    ends = seen["mouse"]["ends"]
    assert ends["points"]["vae"] == pytest.approx([-2.1, -2.1], abs=0.1)
    assert ends["a"]["vae"] == pytest.approx([0.7, -0.7], abs=0.1)


def test_a_lasso_counts_what_it_goes_round_and_moves_nothing(seen):
    mouse = seen["mouse"]
    assert int(mouse["lasso"].split(" ")[0]) > 50  # of 60 codes that follow N(0, I), within 3.4
    assert "codes of VAE" in mouse["lasso"]
    assert mouse["sameAfterLasso"]["points"] == mouse["dragged"]["points"]


def test_every_plane_is_fitted_to_its_own_codes_and_holds_the_prior(seen):
    for view in seen["mouse"]["inside"].values():
        assert view["share"] >= 0.95
        assert view["prior"]
    views = seen["mouse"]["first"]["views"]
    assert views["ae"]["s"] > 1.5 * views["vae"]["s"]


def test_a_point_that_left_every_plane_keeps_its_coordinates(seen):
    assert seen["mouse"]["outside"]["points"]["vae"][0] < -6


def test_a_finger_decodes_without_scrolling_and_sees_plane_and_pictures_at_once(seen):
    touch = seen["touch"]
    assert touch["shown"] == ["vae"]
    assert touch["scrolled"] == 0
    assert isinstance(touch["state"]["picked"], dict)
    for box in (touch["box"], touch["picture"], touch["original"]):
        assert box["y"] >= 0 and box["y"] + box["height"] <= 844


def test_the_tour_leads_from_an_image_through_a_hole_across_a_border(seen):
    typical, hole, same, border = seen["tools"]["tour"]
    assert isinstance(typical["state"]["picked"], int)
    assert hole["button"].endswith("Into the hole of AE") and "in a hole" in hole["place"]
    assert same["state"]["points"] == hole["state"]["points"] and "VAE" in same["button"]
    assert isinstance(border["state"]["a"], int) and border["state"]["picked"] == border["state"]["b"]
    assert all(step["said"] for step in seen["tools"]["tour"])


def test_the_rain_counts_what_falls_into_holes(seen):
    ae, vae = (int(text.split(" of ")[0]) for text in seen["tools"]["counts"])
    # the fixture's hole is one quarter of the plane in AE: 50 of 200 draws, standard deviation 6.1
    assert abs(ae - 50) < 5 * 6.2
    assert vae < ae
    assert "measured" in seen["tools"]["counts"][0] and "25.0%" in seen["tools"]["counts"][0]


def test_an_image_is_found_by_its_number_and_its_address_leads_back_to_it(seen):
    assert seen["tools"]["found"]["picked"] == 7
    assert "image=7" in seen["tools"]["hash"]
    assert seen["linked"]["picked"] == 7


def test_claims_are_sorted_filtered_put_back_and_saved(seen):
    claims = seen["claims"]
    assert claims["effect"] != claims["before"]
    assert claims["verdict"][0] == "row-b-ae"  # contradicted
    assert len(claims["withoutSupported"]) < len(claims["before"])
    assert not [row for row in claims["withoutVae"] if "vae" in row]
    assert claims["reset"] == claims["before"]
    head, *rows = claims["csv"].splitlines()
    assert head.startswith("claim,verdict,of,effect")
    assert len(rows) == len(claims["before"])


def test_tiles_are_enlarged_and_terms_explained(seen):
    assert seen["lens"] == [112]
    terms = dict(seen["tips"])
    assert "arm" in terms and all(terms.values())


@pytest.mark.parametrize("view", ["light 1440", "light 768", "light 390", "dark 1440"])
def test_it_looks_right(seen, view):
    found = seen["views"][view]
    assert found["width"] == int(view.split()[1])
    assert found["text"] >= 9
    assert found["contents"]["now"] == ["#normality"]
    assert found["atTop"] in ([], ["#answer"])
    assert found.get("axe", []) == []


def test_the_contents_stay_in_sight(seen):
    assert seen["views"]["light 768"]["contents"]["top"] == 0
    assert seen["views"]["light 390"]["contents"]["top"] == 0
    assert seen["views"]["light 1440"]["contents"]["top"] >= 0


def test_the_answer_in_pictures_is_on_the_first_screens(seen):
    assert seen["views"]["light 1440"]["opening"] <= 900
    assert seen["views"]["light 390"]["opening"] <= 2 * 844


def test_paper_keeps_legends_and_closed_numbers(seen):
    assert seen["print"] == {
        "app": "none", "stand": "block", "adjust": "exact", "key": "flex", "closed": True, "rows": "avoid",
    }  # fmt: skip
