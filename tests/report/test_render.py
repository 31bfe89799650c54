"""The page: one file that loads nothing, escapes everything, repeats byte for byte, and leaves out what it lacks."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import jinja2
import numpy as np
import pytest

from latent_audit.report.explorer import without_largest
from latent_audit.report.render import MAX_BYTES, environment, fits, render_study
from latent_audit.report.verdicts import answer


class Page(HTMLParser):
    """Elements with their attributes, ids, and the headings in order."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="module")
def text(study, figures, explorer) -> str:
    return render_study(study, figures, explorer)


@pytest.fixture(scope="module")
def page(text) -> Page:
    return Page(text)


def test_bytes_repeat(study, figures, explorer, text):
    assert render_study(study, figures, explorer) == text


def test_the_page_fits(text):
    assert fits(text)
    assert not fits("x" * (MAX_BYTES + 1))


def test_nothing_is_loaded_from_anywhere(text, page):
    assert all(a.get("src", "data:").startswith("data:") for a in page.all("img", "script", "iframe", "source"))
    assert all((a.get("href") or "").startswith(("#", "data:")) for a in page.all("a", "link", "use", "image"))
    assert not re.search(r"url\((?!#)", text)
    assert "@import" not in text


def test_the_policy_lets_this_script_run_and_no_other(text):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy.replace("&#43;", "+")
    assert "unsafe-eval" not in policy


def test_every_picture_has_words(page):
    for attributes in page.all("img"):
        assert attributes.get("alt") or "hidden" in attributes
    for attributes in page.all("svg", "canvas"):
        assert (
            attributes.get("aria-label") or attributes.get("aria-labelledby") or attributes.get("aria-hidden") == "true"
        )


def test_ids_are_unique_and_every_link_has_its_target(page):
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for attributes in page.all("a", "use") if attributes["href"].startswith("#")}
    assert targets <= set(ids)


def test_tables_have_captions_and_scopes(text, page):
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(attributes.get("scope") in {"col", "row", "rowgroup"} for attributes in page.all("th"))
    assert 'class="claims sortable"' in text
    assert 'data-sort="' in text


def test_users_words_stay_words(text):
    for hostile in ("<script>alert(1)</script>", "<script>alert"):
        assert hostile not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4  # class, note, claim, parameter
    assert "\\u003cscript\\u003ealert(1)" in text  # in the explorer's JSON


def test_a_lost_number_is_an_error(study, figures):
    with pytest.raises(jinja2.UndefinedError):
        environment().from_string("{{ study.lost }}").render(study={})
    table = study.tables["joint"].assign(value=np.nan, null_high=np.nan)
    broken = study._replace(tables=dict(study.tables) | {"joint": table})
    with pytest.raises(ValueError, match="lacks its numbers"):
        render_study(broken, figures, None)
    assert "–" in render_study(broken, {}, None)


def test_an_unknown_verdict_is_refused(study):
    with pytest.raises(ValueError, match="probably"):
        render_study(study._replace(claims=study.claims.assign(verdict="probably")), {}, None)


def test_what_does_not_apply_is_absent(study, figures):
    few = {anchor: figures[anchor] for anchor in ("fig-codes", "fig-holes")}
    text = render_study(study, few, None)
    for absent in ("fig-training", 'id="generation"', 'id="explorer"', "explorer-data"):
        assert absent not in text
    assert text.index('id="fig-codes"') < text.index('id="fig-holes"')
    assert "Figure 1." in text
    assert "Figure 3." not in text


def test_without_scripts_the_lattice_stands_in_for_the_explorer(page):
    used = [attributes["href"] for attributes in page.all("use")]
    assert used.count("#lattice-ae") == 2


def live(text: str) -> list[str]:
    return re.findall(r'class="explorer-weights" data-arm="(\w+)"', text)


def test_weights_can_be_left_out(study, figures, explorer, text):
    none = render_study(study, figures, without_largest(without_largest(explorer)))
    assert live(text) == ["ae", "vae"]
    assert live(none) == []
    assert none.count("its decoder has 246,") == 2  # 2,048 x 3 + 128 x 128 x 9 + ... weights
    assert "more than the page holds" not in text


@pytest.mark.parametrize(
    ("meta", "seeds", "word"),
    [({"limit": 300}, (0, 1, 2), "training images"), ({"dataset": "digits"}, (0, 1, 2), "8 by 8"), ({}, (0,), "seed")],
)
def test_reduced_data_carry_a_banner(study, meta, seeds, word):
    text = render_study(study._replace(meta=dict(study.meta) | meta, seeds=seeds), {}, None)
    banner = re.search(r'<aside class="banner".*?</aside>', text, re.DOTALL)
    assert banner
    assert word in banner[0]
    assert re.findall(r'<p class="headline">(.*?)</p>', text) == ["No verdict is drawn from reduced data."]
    assert 'class="tally"' not in text
    assert "Not evidence: the form of the table" in text


def test_a_full_study_carries_none(text):
    assert 'class="banner"' not in text
    assert "No verdict" not in text
    assert 'class="tally"' in text


def test_photos_that_may_not_be_shown_are_not(study, figures):
    meta = dict(study.meta) | {"images_may_be_shown": False}
    text = render_study(study._replace(meta=meta), {"fig-samples": figures["fig-samples"]}, None)
    assert "terms of this data set" in text
    assert "fig-reconstructions" not in text


def test_both_conventions_of_beta_and_every_parameter_are_there(text):
    assert "β = 1024, β_KL = 1" in text
    assert "diagnostics.margins.ks_d" in text


def test_the_page_says_its_own_summary_in_json(study, figures, text):
    found = json.loads(re.search(r'<script type="application/json" id="summary">(.*?)</script>', text, re.DOTALL)[1])
    assert (found["dataset"], found["reduced"], found["seeds"]) == ("made_up", False, [0, 1, 2])
    assert found["verdicts"] == {"supported": 1, "contradicted": 1, "inconclusive": 1}
    ae, vae = found["arms"]
    assert (ae["name"], ae["beta"], ae["beta_kl"], ae["ks_d_max"]) == ("AE", None, None, None)
    assert (vae["beta"], vae["beta_kl"], vae["weight"]) == (1024.0, 1.0, "β = 1024, β_KL = 1")
    assert [vae[f"ks_d_max{end}"] for end in ("", "_low", "_high")] == [0.04, 0.03, 0.05]
    assert vae["fd_clf_prior"] == 9
    hostile = study._replace(names={"ae": "</script><script>alert(1)</script>", "vae": "VAE"})
    assert "</script><script>alert" not in render_study(hostile, {}, None)


def interval(low, high):
    return {"mean": 0.0, "low": low, "high": high}


@pytest.mark.parametrize(
    ("holes", "ks_d", "marginal_kl", "words"),
    [  # the limit on holes is 0.05 beyond the 0.015 that chance leaves; that on KS D 0.05, on the KL 0.1
        ((0.01, 0.06), (0.03, 0.049), (0.0, 0.09), "Yes for VAE: few holes, near-normal codes."),
        ((0.01, 0.06), (0.06, 0.07), (0.0, 0.09), "With care for VAE: few holes, though the codes are not normal."),
        ((0.01, 0.06), (0.03, 0.07), (0.2, 0.3), "few holes, though the codes taken together are not normal."),
        ((0.01, 0.06), (0.03, 0.07), (0.0, 0.09), "few holes, though it is undecided whether the codes are normal."),
        ((0.01, 0.07), (0.03, 0.049), (0.0, 0.09), "Undecided for VAE (1.0% to 7.0%): the share of draws in holes may"),
        ((None, None), (None, None), (None, None), "Undecided for VAE (one seed, no interval)"),
        (
            (0.07, 0.08),
            (0.03, 0.049),
            (0.0, 0.09),
            "Not for any of these arms: too much of the prior",
        ),
    ],
)
def test_the_headline_takes_whole_intervals_against_the_margins(study, holes, ks_d, marginal_kl, words):
    metrics = {"hole_fraction": interval(*holes), "ks_d_max": interval(*ks_d), "marginal_kl": interval(*marginal_kl)}
    params = {"diagnostics": {"margins": {"ks_d": 0.05, "hole_fraction": 0.05, "marginal_kl": 0.1}}}
    own = study._replace(metrics={"ae": {"hole_fraction": interval(0.2, 0.4)}, "vae": metrics}, params=params)
    headline = answer(own)[0]
    assert words in headline
    assert ("Not for AE: too much" in headline) == (holes != (0.07, 0.08))
    assert ("Not for any of these arms" in headline) == (holes == (0.07, 0.08))
