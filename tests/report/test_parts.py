"""Numbers, tables, captions, pictures and SVG, one by one."""

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup
from PIL import Image

from latent_audit.base.measures import described, phrase_of
from latent_audit.decoding.diagnosis import every_registered
from latent_audit.report import pictures
from latent_audit.report.captions import CAPTIONS, caption
from latent_audit.report.data_uri import contact_sheet, recoded_uri, webp_uri
from latent_audit.report.explorer import quantile_table, script_json
from latent_audit.report.glossary import marked
from latent_audit.report.metric_text import finding_words, margin_words, next_seed_words, reason_words, statistic_words
from latent_audit.report.study_tables import p_words
from latent_audit.report.svg import hoist_styles, inline_svg, interval_svg
from latent_audit.report.tables import data_table, number, percent, percents, set_number, span
from latent_audit.report.verdicts import linked

DESCRIBED = described(every_registered())
NAN = float("nan")
# of tables that it has not got, or of weights that differ
OF_OTHER_STUDIES = ("fig-continuity", "fig-noise", "fig-detection", "fig-attributes", "fig-kl-weight")
SVG = """<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 width="72pt" height="36pt" viewBox="0 0 72 36"><metadata>who</metadata>
 <defs><path id="m1" d="M 0 0 L 1.23456 2"/></defs>
 <g id="axes_1"><g><use xlink:href="#m1" x="3.14159" y="2" style="fill: #1d2733; stroke: none"/></g>
 <text style="font: 9px 'DejaVu Sans', sans-serif; text-anchor: middle" transform="rotate(-0 3 4)">a &lt; b</text>
 </g></svg>"""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, "0.123"),
        (0.05, "0.050"),
        (1234.5, "1\u202f234"),
        (10000, "10\u202f000"),
        (-2.5, "−2.50"),
        (0.0, "0"),
        (float("nan"), "–"),
        (None, "–"),
        (3.2e-9, "3.2e−9"),
        (float("inf"), "∞"),
        (266.4, "266"),
    ],
)
def test_numbers_are_rounded_for_reading(value, text):
    assert number(value) == text


def test_shares_and_chosen_numbers():
    assert [percent(share) for share in (0.0123, 0.42, 0.912)] == ["1.2%", "42%", "91.2%"]
    assert set_number(0.05) == "0.05"


def test_a_table_sorts_by_the_whole_number_and_escapes_its_text():
    table = data_table(pd.DataFrame({"arm": ["<b>"], "value": [0.123456789]}), caption="a & b")
    assert 'data-sort="0.123456789">0.123<' in table
    assert "&lt;b&gt;" in table
    assert "<caption>a &amp; b</caption>" in table
    assert '<th scope="row">' in table


@pytest.mark.parametrize("anchor", [anchor for anchor in CAPTIONS if anchor not in OF_OTHER_STUDIES])
def test_every_caption_states_a_number(study, anchor):
    text = caption(anchor, study)
    assert re.search(r"\d", text)
    assert "nan" not in text.lower().split()


def test_captions_give_the_interval_over_seeds_or_say_there_is_none(study):
    assert "95% interval of the mean over 3 seeds" in caption("fig-holes", study)
    one = {name: table[table["seed"] == 0] for name, table in study.tables.items()}
    assert "One seed" in caption("fig-holes", study._replace(tables=one, seeds=(0,)))


def test_the_blur_stands_beside_the_samplers(study):
    text = caption("fig-generation", study)
    assert "own reconstructions of test images are at AE 6.01 (5.99 to 6.03)" in text
    assert "is AE 66.7%" in text  # 6.01 of 9.01
    table = study.tables["generation"]
    unmeasured = table[table["sampler"] != "reconstruction"]
    assert "blur" not in caption(
        "fig-generation", study._replace(tables=dict(study.tables) | {"generation": unmeasured})
    )


def with_errors(study, **errors: list[float]):
    rows = [
        {"arm": arm, "seed": seed, "metric": "recon_nll", "value": value}
        for arm, values in errors.items()
        for seed, value in enumerate(values)
    ]
    return study._replace(tables=study.tables | {"reconstruction": pd.DataFrame(rows)})


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ({"ae": [250.0, 251.0, 252.0], "vae": [251.1, 252.0, 252.9]}, "AE reconstructs best in 3 of 3 seeds: AE 251"),
        (
            {"ae": [250.0, 251.0, 252.0], "vae": [249.0, 251.5, 252.1]},
            "AE reconstructs best in 2 of 3 seeds, VAE in 1: AE 251",
        ),
        ({"ae": [250.0, 251.0]}, "AE 250"),
    ],
)
def test_the_best_arm_is_named_with_the_seeds_that_say_so(study, errors, words):
    assert caption("fig-reconstructions", with_errors(study, **errors)).startswith(words)


def test_captions_say_where_no_density_gives_areas(study):
    classes = study.tables["classes"]
    unknown = classes.assign(area=classes["area"].where(classes["arm"] == "vae"))
    without = study._replace(tables=dict(study.tables) | {"classes": unknown})
    name = study.names["ae"]
    assert f"{name}: not given, no density of the classes fits" in caption("fig-pspace", without)
    assert f": {name} " in caption("fig-areas", study) and f": {name} " not in caption("fig-areas", without)
    assert "by the vote of the nearest test codes" in caption("fig-areas", study)


def test_captions_escape_class_names(study):
    assert "&lt;script&gt;" in caption("fig-pspace", study)


def test_svg_takes_the_pages_colours_and_loses_what_it_does_not_need():
    svg = inline_svg(SVG, name="x", alt='says "a"', variables={"#1d2733": "--ink"})
    assert "var(--ink,#1d2733)" in svg
    assert "DejaVu" not in svg
    assert "who" not in svg
    assert "rotate(-0" not in svg
    assert 'href="#x-0"' in svg
    assert 'id="x-0"' in svg
    assert "3.14" in svg
    assert "3.14159" not in svg
    assert "a &lt; b" in svg
    assert "says &quot;a&quot;</title>" in svg


def test_styles_become_shared_classes():
    bodies, sheet = hoist_styles([inline_svg(SVG, name=name, alt="", variables={}) for name in ("a", "b")])
    assert all("style=" not in body for body in bodies)
    assert sheet.count("fill:#1d2733") == 1


def test_the_interval_picture_tints_the_side_where_the_claim_holds():
    def tint(direction: str) -> str:
        svg = interval_svg(
            effect=1.0,
            low=0.5,
            high=1.5,
            margin=0.0,
            direction=direction,
            values=[0.9],
            domain=(-1.0, 2.0),
            verdict="supported",
            alt="x",
        )
        return re.search(r'<rect x="([\d.]+)"', svg)[1]

    assert float(tint(">")) > 0
    assert float(tint("<")) == 0


def test_one_seed_has_no_interval_to_draw():
    nan = float("nan")
    svg = interval_svg(
        effect=1.0,
        low=nan,
        high=nan,
        margin=0.5,
        direction=">",
        values=[1.0],
        domain=(0, 1),
        verdict="inconclusive",
        alt="x",
    )
    assert "i-bar" not in svg
    assert "nan" not in svg


def test_a_sheet_is_its_tiles_in_reading_order():
    tiles = np.arange(6, dtype=np.uint8).reshape(2, 3, 1, 1, 1) * np.ones((1, 1, 1, 2, 2), dtype=np.uint8)
    sheet = np.asarray(contact_sheet(tiles))
    np.testing.assert_array_equal(sheet[::2, ::2], [[0, 1, 2], [3, 4, 5]])
    assert contact_sheet(tiles, gap=1).size == (8, 5)
    assert contact_sheet(tiles, tile=4).size == (12, 8)


def test_images_of_two_channels_cannot_be_shown():
    with pytest.raises(ValueError, match="2 channels"):
        contact_sheet(np.zeros((1, 1, 2, 4, 4), dtype=np.uint8))


def test_few_colours_survive_recoding_exactly():
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.choice([0, 255], (40, 40, 1)).astype(np.uint8).repeat(3, axis=2))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    back = Image.open(io.BytesIO(base64.b64decode(recoded_uri(uri).split(",")[1]))).convert("RGB")
    np.testing.assert_array_equal(np.asarray(back), np.asarray(picture))
    assert webp_uri(picture).startswith("data:image/webp;base64,")


def test_quantiles_are_sorted_and_of_each_dimension():
    table = quantile_table(np.column_stack([np.arange(1000.0), -np.arange(1000.0)]))
    assert (np.diff(table, axis=1) > 0).all()
    assert table[0, 32] == pytest.approx(499.5)


def test_json_cannot_end_its_script():
    assert "</" not in script_json({"a": "</script><!--"})


@pytest.mark.parametrize(
    ("statistic", "arms", "effect", "words"),
    [
        ("hole_fraction", ["AE"], 0.42, "42%: share of prior draws"),
        ("difference of hole_fraction", ["AE", "VAE"], 0.2, "AE higher than VAE by 20 percentage points"),
        ("difference of recon_nll", ["VAE", "AE"], -3.0, "VAE lower than AE by 3"),
        (
            "ln(fd_clf_box / fd_clf_prior)",
            ["AE", "VAE"],
            np.log(3),
            "AE’s FD-clf (from its box) is 3.00 times that of VAE (from its prior)",
        ),
        (
            "ln(fd_clf_gmm / fd_clf_reconstruction)",
            ["AE"],
            np.log(1.02),
            "AE’s FD-clf (from its fitted mixture) is 1.02 times that (of its own reconstructions).",
        ),
        ("some_new_metric", ["AE"], 1.5, "1.50: some new metric"),
    ],
)
def test_findings_in_words(statistic, arms, effect, words):
    row = {"statistic": statistic, "effect": effect, "direction": ">", "margin": 0.05, "low": effect, "high": effect}
    assert words in finding_words(row, arms, DESCRIBED)
    assert statistic_words(statistic, DESCRIBED)


def test_reasons_in_words():
    row = {"statistic": "ks_d_max", "direction": "<", "margin": 0.05, "low": 0.01, "high": 0.02, "verdict": "supported"}
    assert reason_words(row, DESCRIBED).endswith("all of it below the margin of 0.05.")
    assert "One seed gives no interval" in reason_words(row | {"low": NAN, "verdict": "inconclusive"}, DESCRIBED)
    share = row | {"statistic": "difference of hole_fraction", "low": 0.163, "high": 0.389, "verdict": "contradicted"}
    assert reason_words(share, DESCRIBED).startswith(
        "95% interval 16 to 39 points, none of it below the margin of 5 points"
    )
    ratio = row | {"statistic": "ln(fd_clf_box / fd_clf_prior)", "low": 0.0, "high": np.log(2), "margin": np.log(1.5)}
    assert reason_words(ratio, DESCRIBED).startswith("95% interval 1.00 to 2.00 times")
    assert reason_words(ratio, DESCRIBED).endswith("margin of 1.50 times.")
    assert phrase_of("ks_d_max", DESCRIBED).startswith("largest KS")


LARGER = {"statistic": "difference of recon_nll", "direction": ">", "margin": 1.0, "n_seeds": 5}


@pytest.mark.parametrize(
    ("low", "high", "verdict", "words"),
    [
        (
            -0.4,
            0.8,
            "negligible",
            "all of it below the margin of 1 nat per image, so too little to matter.",
        ),
        (-1.2, 0.8, "negligible", "so too little to matter; whether there is as much of the opposite stays open."),
        (-3.0, -2.0, "contradicted", "−3.00 to −2.00, all of it below 0."),
        (0.5, 2.0, "inconclusive", "0.50 to 2.00, on both sides of the margin of 1 nat per image."),
    ],
)
def test_reasons_of_a_claim_that_something_is_larger(low, high, verdict, words):
    found = reason_words(LARGER | {"low": low, "high": high, "verdict": verdict}, DESCRIBED)
    assert found.startswith("95% interval −") == (low < 0)
    assert found.endswith(words)


def test_what_cannot_be_told_is_said():
    row = LARGER | {"statistic": "marginal_kl", "low": NAN, "high": NAN, "effect": NAN, "verdict": "inconclusive"}
    assert "because a seed has no value" in reason_words(row, DESCRIBED)
    few = row | {"bracket": "marginal_kl_loo"}
    assert reason_words(few, DESCRIBED).startswith("There is no interval, because too few codes were measured")
    assert finding_words(few, ["VAE"], DESCRIBED) == "This cannot be told from so few codes."
    known = few | {"low": 0.2, "high": 0.4, "effect": 0.3, "verdict": "inconclusive"}
    assert "holds those of two estimates, one too low and one too high, 0.200 to 0.400" in reason_words(
        known, DESCRIBED
    )


SEEDS = {"by_values": True, "values": "[0.94, 0.24, 0.965, 0.3, 0.45]", "low": 0.15, "high": 1.0, "effect": 0.58}


def test_seeds_in_groups_are_told_one_by_one():
    row = LARGER | SEEDS | {"statistic": "hole_fraction", "margin": 0.06, "direction": "<", "verdict": "contradicted"}
    assert finding_words(row, ["AE"], DESCRIBED).startswith("24, 30, 45, 94, 96%, seed by seed: share of prior")
    assert reason_words(row, DESCRIBED) == "95% interval of their mean: none of it below the margin of 6%."
    assert next_seed_words(row, DESCRIBED) == "as these: 24 to 45% or 94 to 96%"
    pair = row | {"statistic": "difference of hole_fraction"}
    words = finding_words(pair, ["AE", "VAE"], DESCRIBED)
    assert re.match(r"AE less VAE, seed by seed: 24, 30, 45, 94, 9[67] percentage points: share of prior draws", words)


@pytest.mark.parametrize(
    ("statistic", "margin", "words"),
    [
        ("difference of recon_nll", 1.0, "1 nat per image"),
        ("marginal_kl", 0.1, "0.1 nats"),
        ("hole_fraction", 0.06, "6%"),
        ("difference of hole_fraction", 0.05, "5 points"),
        ("ks_d_max", 0.05, "0.05"),
        ("ln(fd_clf_gmm / fd_clf_prior)", 0.1, "1.11 times"),
    ],
)
def test_margins_have_their_unit(statistic, margin, words):
    assert margin_words({"statistic": statistic, "margin": margin}, DESCRIBED) == words


def test_the_next_seed_has_the_units_of_the_statistic():
    row = {"statistic": "hole_fraction", "next_low": 0.02, "next_high": 0.15}
    assert next_seed_words(row, DESCRIBED) == "2.0% to 15.0%"
    assert next_seed_words({"statistic": "hole_fraction"}, DESCRIBED) == "–"


def test_only_the_lattice_that_serves_the_explorer_is_finer(monkeypatch):
    tiles = {}
    monkeypatch.setattr(pictures, "contact_sheet", lambda images, tile: tiles.setdefault(len(tiles), tile))
    monkeypatch.setattr(pictures, "webp_uri", lambda sheet, quality: "data:")
    own = {name: np.zeros((21, 21, 1, 64, 64), np.uint8) for name in ("lattice", "lattice_quantile")}
    own["dims"] = np.array([0, 1])
    pictures.lattice_rows({"ae": own, "vae": own}, {"ae": "AE", "vae": "VAE"}, {"vae"})
    assert list(tiles.values()) == [pictures.ATLAS_TILE, *[pictures.LATTICE_TILE] * 3]  # ae, vae; both of the quantiles


@pytest.mark.parametrize(
    ("shares", "texts"),
    [
        ([0.24, 0.965], ["24", "96"]),
        ([0.057, 0.113], ["5.7", "11.3"]),
        ([0.912, 0.965], ["91.2", "96.5"]),
        ([0.02, 0.15], ["2.0", "15.0"]),
        ([float("nan"), 0.5], ["–", "50.0"]),
    ],
)
def test_shares_that_are_read_together_have_one_precision(shares, texts):
    assert percents(shares) == texts


def test_ends_of_an_interval_have_the_decimals_of_the_larger():
    assert span(0.0609, 1.2) == "0.06 to 1.20"
    assert span(-3.0, 12.345) == "−3.0 to 12.3"
    assert span(1e-9, 2e-9) == "1.0e−9 to 2.0e−9"


def test_terms_are_defined_where_they_are_first_used_and_nowhere_in_a_tag():
    text = marked("A critic & the Critic see <b> holes; no margins", {"critic": 'who "judges"', "hole": "a gap"})
    assert text.count("<dfn") == 2
    assert 'data-tip="who &#34;judges&#34;">critic</dfn> &amp; the Critic see &lt;b&gt;' in text
    assert ">holes</dfn>" in text
    inside = marked(Markup('<a href="#hole">here</a> a hole'), {"hole": "a gap"})
    assert inside.startswith('<a href="#hole">here</a> a <dfn')


def test_arxiv_ids_lead_to_their_paper_and_the_rest_is_escaped():
    words = linked("A & B (2018), arXiv:1810.00597")
    assert 'A &amp; B (2018), <a href="https://arxiv.org/abs/1810.00597" rel="noreferrer">' in words


def test_a_p_value_that_underflowed_is_not_zero():
    assert p_words(0.0) == "<1e−300"
    assert p_words(0.25) == "0.250"


def test_the_picture_of_an_effect_has_its_numbers_inside(study):
    svg = interval_svg(
        effect=0.0, low=-1.0, high=0.1, margin=-1.0, direction=">", values=[], domain=(-1.0, 2.0), verdict="supported",
        alt="x", ends="-1.00 to 0.10", limit="-1 nats",
    )  # fmt: skip
    assert ">-1.00 to 0.10</text>" in svg and ">-1 nats</text>" in svg
    for x, words in re.findall(r'<text x="(-?\d+)" y="[-\d.]+">([^<]*)</text>', svg):
        assert float(x) - 3.1 * len(words) >= -4.5 and float(x) + 3.1 * len(words) <= 204.5
