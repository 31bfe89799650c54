"""The page in a real browser, network off: its explorer by mouse, touch and keys; its claims; its looks; on paper."""

from pathlib import Path

import numpy as np
import pytest

from browsers import in_browser
from latent_audit.report.render import render_study
from page_networks import encoder_layers
from page_scripts import through_page


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


def test_the_explorer_opens_with_an_image_decoded_by_every_arm(seen):
    greeting = seen["mouse"]["greeting"]
    assert greeting["words"].startswith("Test image")
    assert len(greeting["greys"]) == 2 + 2 * 2  # per arm a picture, eight draws and a path
    assert min(greeting["greys"]) > 10


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


def test_what_the_critic_sees_is_read_from_the_nearest_picture_that_it_was_shown(seen):
    hole = seen["tools"]["tour"][1]
    x, y = hole["state"]["points"]["ae"]
    assert max(abs(x), abs(y)) < 1.15  # the tour leads to where N(0, I) is densest: within the cells
    assert "criticboot & shoe, in the nearest of 4 × 4 pictures" in hole["place"]
    assert "critic" not in seen["mouse"]["outsidePlace"]


def test_the_rain_counts_what_falls_into_holes(seen):
    ae, vae = (int(text.split(" of ")[0]) for text in seen["tools"]["counts"])
    # the fixture's hole is one quarter of the plane in AE: 50 of 200 draws, standard deviation 6.1
    assert abs(ae - 50) < 5 * 6.2
    assert vae < ae
    assert "measured" in seen["tools"]["counts"][0] and "25.0%" in seen["tools"]["counts"][0]


def test_an_image_is_found_by_its_number_and_its_address_leads_back_to_it(seen):
    assert seen["tools"]["found"]["picked"] == 7
    assert "image=7" in seen["tools"]["hash"]
    assert seen["tools"]["notFound"].startswith("Image 100000 is not among these 60; 59 is the nearest")
    assert seen["linked"]["picked"] == 7


def test_an_address_leads_back_to_a_free_point(seen):
    free, linked = seen["tools"]["free"], seen["linkedFree"]
    assert "image=" not in seen["tools"]["freeHash"]
    for arm in ("ae", "vae"):
        assert linked["picked"][arm] == pytest.approx(free["picked"][arm], abs=1e-4)
    assert (linked["a"], linked["b"]) == (free["a"], free["b"])


def grey(levels) -> np.ndarray:
    """The pad's pixels in [0, 1], row by row."""
    return np.reshape(levels, (28, 28)) / 255


def test_a_drawing_is_placed_by_every_encoder_and_its_loss_is_said(seen):
    own = seen["own"]
    assert isinstance(own["before"]["picked"], int)
    assert own["hidden"]
    drawn = grey(own["drawn"])
    # the fixture's images are noise of mean 1/2, so that the pad's ground is that of the nearer end
    ground = drawn[0, 0]
    changed = np.argwhere(np.abs(drawn - ground) > 0.5)
    assert changed[:, 0].min() >= 11 and changed[:, 0].max() <= 16  # a pen of four pixels, along row 14
    assert changed[:, 1].min() in range(3, 6) and changed[:, 1].max() in range(22, 25)
    for index, arm in enumerate(("ae", "vae")):
        image = np.pad(drawn, 2)[None, None]
        expected = through_page(encoder_layers(index), image, (2,))[0]
        assert own["state"]["points"][arm] == pytest.approx(expected, abs=0.02)
        assert "nats" in own["results"][arm] and "median 250" in own["results"][arm]
        assert "nearest code" in own["places"][arm]
    assert own["said"] == "Your picture, placed by AE, VAE."
    assert own["caption"] == "yours"
    assert own["alike"].startswith("Most like it") and own["alike"].count(",") == 4 + 2  # five names


def test_what_is_no_picture_is_refused_in_words_and_what_is_one_is_fitted(seen):
    own = seen["own"]
    assert own["refused"].startswith("Pick a test image first")
    bar = grey(own["bar"])  # 120 x 30 pixels of a page of 300 x 200, without their margins: four times as wide as tall
    ink = np.argwhere(np.abs(bar - bar[0, 0]) > 0.5)
    assert ink[:, 1].min() <= 1 and ink[:, 1].max() >= 26
    assert ink[:, 0].min() in range(9, 12) and ink[:, 0].max() in range(16, 19)
    assert own["dropped"] == own["bar"]
    assert bar[0, 0] == pytest.approx(grey(own["cleared"])[0, 0], abs=0.02)  # on the ground of the images


def test_a_drawing_goes_when_it_is_cleared(seen):
    own = seen["own"]
    assert len(set(own["cleared"])) == 1
    assert own["gone"] == 0
    assert own["after"]["points"] != own["state"]["points"]  # the bar had moved it, and there it stays


def test_a_test_image_can_be_the_start_and_keys_draw(seen):
    own = seen["own"]
    assert len(set(own["copy"])) > 50  # noise, of many levels
    keys = grey(own["keys"])
    ink = np.argwhere(np.abs(keys - keys[0, 0]) > 0.5)
    assert 14 in ink[:, 0] and 14 in ink[:, 1] and 10 in ink[:, 1]
    assert len(ink) < 60


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
