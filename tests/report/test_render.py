"""The page: one file that loads nothing, escapes everything, repeats byte for byte, and leaves out what it lacks."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import jinja2
import numpy as np
import pandas as pd
import pytest

from latent_audit.base.measures import Metric
from latent_audit.report.answer import answer, beside, headline, limit_words
from latent_audit.report.explorer import without_largest
from latent_audit.report.render import MAX_BYTES, environment, fits, render_study
from latent_audit.report.tables import percent_span
from latent_audit.report.verdicts import at_a_glance, claims, corrected, not_compared


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
    assert all((a.get("href") or "").startswith(("#", "data:")) for a in page.all("link", "use", "image"))
    followed = {a["href"] for a in page.all("a") if not a["href"].startswith("#")}  # only when somebody clicks
    assert all(link == "index.html" or re.fullmatch(r"https://arxiv\.org/abs/[\d.]+", link) for link in followed)
    assert not re.search(r"url\((?!#|\$\{image)", text)  # of an embedded picture, enlarged by the script
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
    assert text.index('id="fig-holes"') < text.index('id="fig-codes"')
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
    banner = re.search(r'<aside class="banner[^"]*".*?</aside>', text, re.DOTALL)
    assert banner
    assert word in banner[0]
    assert re.findall(r'<p class="headline[^"]*">(.*?)</p>', text) == ["No verdict is drawn from reduced data."]
    assert 'class="tally"' not in text
    assert "Not evidence: the form of the table" in text


def test_a_full_study_carries_none(text):
    assert 'class="banner' not in text
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
    assert found["verdicts"] == {"supported": 1, "negligible": 1, "contradicted": 1, "inconclusive": 1}
    ae, vae = found["arms"]
    assert (ae["name"], ae["beta"], ae["beta_kl"], ae["ks_d_max"]) == ("AE", None, None, None)
    assert (vae["beta"], vae["beta_kl"], vae["weight"]) == (1024.0, 1.0, "β = 1024, β_KL = 1")
    assert [vae[f"ks_d_max{end}"] for end in ("", "_low", "_high", "_values")] == [0.04, 0.03, 0.05, None]
    assert vae["fd_clf_prior"] == 9
    hostile = study._replace(names={"ae": "</script><script>alert(1)</script>", "vae": "VAE"})
    assert "</script><script>alert" not in render_study(hostile, {}, None)


VERDICT = {"within": "supported", "beyond": "contradicted", "open": "inconclusive"}


def row(claim_id: str, arm: str, side: str, **more) -> dict:
    """A row of claims.csv as the headline reads it."""
    statistic = {"few_holes": "hole_fraction", "marginals": "ks_d_max", "joint": "marginal_kl"}
    return {
        "claim_id": claim_id, "claim": claim_id.replace("_", " "), "arms": arm, "direction": "<", "margin": 0.06,
        "statistic": statistic.get(claim_id.split("_", 1)[1], "ln(fd_clf_gmm / fd_clf_reconstruction)"),
        "verdict": VERDICT[side], "effect": 0.03, "code": "z", "source": "", "figure": "fig-holes",
        "low": 0.01, "high": 0.07, "n_seeds": 3, "values": "[]", **more,
    }  # fmt: skip


def with_rows(study, *rows: dict):
    return study._replace(claims=pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("holes", "each", "joint", "words"),
    [
        (
            "within",
            "within",
            "within",
            "Few holes with VAE (1.0% to 7.0%): less than the limit. The codes of VAE are near-normal dimension by",
        ),
        ("within", "beyond", "within", "Yet the codes of VAE are not normal dimension by dimension."),
        ("within", "open", "beyond", "Yet the codes of VAE are not normal taken together."),
        ("within", "open", "within", "Undecided: whether the codes of VAE are normal dimension by dimension."),
        (
            "open",
            "within",
            "within",
            "Undecided with VAE (1.0% to 7.0%): the share may lie on either side of the limit.",
        ),
        ("beyond", "within", "within", "land in holes) and VAE (1.0% to 7.0%): more than the limit of 6%."),
    ],
)
def test_the_headline_reads_the_rows_of_the_ledger(study, holes, each, joint, words):
    share = {"hole_fraction": Metric("hole_fraction", "holes", "share", 0.0, 1.0)}
    own = with_rows(
        study._replace(measures=share), row("ae_few_holes", "ae", "beyond"), row("vae_few_holes", "vae", holes),
        row("vae_marginals", "vae", each), row("vae_joint", "vae", joint),
    )  # fmt: skip
    said = " ".join(answer(own))
    assert words in said
    assert "6%" in said
    assert said.startswith("Not with AE (1.0% to 7.0% of draws from N(0, I) land in holes)")
    named = {part.row for part in (*headline(own), *beside(own)) if part.row}
    assert {"row-ae_few_holes-ae", "row-vae_few_holes-vae"} <= named
    assert named <= {case.row for claim in claims(own) for case in claim.cases}


def test_without_an_interval_it_is_undecided_and_the_seeds_stand_in_where_a_mean_would_mislead(study):
    nan = float("nan")
    one_seed = with_rows(study, row("vae_few_holes", "vae", "open", low=nan, high=nan, n_seeds=1))
    assert (
        "Undecided with VAE (one seed, no interval): the share may lie on either side of the limit"
        in answer(one_seed)[0]
    )
    assert "No claim was put to AE." in answer(one_seed)[0]
    seeds = row("ae_few_holes", "ae", "open", by_values=True, values="[0.94, 0.24, 0.965, 0.3, 0.45]")
    share = {"hole_fraction": Metric("hole_fraction", "holes", "share", 0.0, 1.0)}
    assert (
        "AE (24, 30, 45, 94, 96% of draws from N(0, I) land in holes)"
        in answer(with_rows(study._replace(measures=share), seeds))[0]
    )


def test_an_arm_whose_mixture_suffices_does_not_read_as_a_plain_no(study):
    own = with_rows(
        study, row("ae_few_holes", "ae", "beyond"), row("ae_mixture_suffices", "ae", "within", margin=0.1),
        row("vae_mixture_suffices", "vae", "open", margin=0.1),
    )  # fmt: skip
    said = answer(own)[0]
    assert "Yes to a mixture: its images are surely less than 1.11 times as far" in limit_words(own)
    assert "From a mixture fitted to the codes instead: yes with AE, undecided with VAE." in said


def test_many_arms_of_one_verdict_are_named_without_their_intervals(study):
    names = {f"arm{k}": f"Arm {k}" for k in range(5)}
    own = study._replace(names=names, claims=pd.DataFrame([row("ae_few_holes", arm, "beyond") for arm in names]))
    said = answer(own._replace(arms=dict.fromkeys(names, study.arms["ae"])))[0]
    assert said.startswith(
        "Not with Arm 0, Arm 1, Arm 2, Arm 3 and Arm 4, by the share of draws from N(0, I) that land"
    )


def test_an_interval_whose_ends_read_alike_is_written_once():
    assert percent_span(0.98396, 0.98404) == "98.4%"
    assert percent_span(0.1, 0.2) == "10% to 20%"


def test_without_claims_on_holes_there_is_no_headline_verdict(study):
    assert answer(study)[0].startswith("No claim on holes was put to these arms")
    assert [part.row for part in headline(study)] == [""]


def test_the_page_links_the_headline_to_its_rows(study):
    one = study.claims.iloc[0].to_dict() | {"claim_id": "ae_few_holes", "direction": "<", "verdict": "contradicted"}
    page = render_study(study._replace(claims=pd.DataFrame([one])), {}, None)
    assert '<a href="#row-ae_few_holes-ae">' in page
    assert '<tr id="row-ae_few_holes-ae"' in page
    assert '<tbody id="claim-ae_few_holes">' in page


def test_the_correction_is_counted_and_marked(study, text):
    assert corrected(study) == "3 of 4 decided; 2 of these survive Holm’s correction for all 4"
    assert corrected(study._replace(claims=study.claims.drop(columns="p_holm"))) == ""
    assert "2 of these survive Holm’s correction" in text
    assert text.count("survives Holm’s correction (p 0.03") == 2
    assert text.count("does not survive Holm’s correction (p 0.06") == 1


def test_margin_and_next_seed_have_columns_of_their_own(text):
    assert '<td class="c-margin" data-label="margin">over 0.05</td>' in text
    assert '<td class="c-next" data-label="one more seed">0.050 to 0.350</td>' in text


def test_a_table_made_when_there_were_three_verdicts_is_still_shown(study, figures):
    new = ["p_value", "p_holm", "next_low", "next_high", "bracket", "by_values"]
    old = study.claims.drop(columns=new).iloc[:3]
    page = render_study(study._replace(claims=old), figures, None)
    assert "Holm’s correction" not in page
    assert '<td class="c-next" data-label="one more seed">–</td>' in page


def test_arms_that_are_not_compared_are_said(study, text):
    assert not_compared(study) == []
    assert "Every arm has the same encoder and decoder and was trained 3 times" in text
    arms = {arm: dict(own) for arm, own in study.arms.items()}
    arms["vae"]["epochs"], arms["vae"]["architecture"] = 9, "dense"
    page = render_study(study._replace(arms=arms), {}, None)
    assert "No claim compares AE and VAE: they differ in more than the weight on the KL (architecture, epochs)." in page
    assert "Every arm was trained 3 times" in page
    arms["vae"]["role"], arms["vae"]["family"] = "other", "vq"
    assert not_compared(study._replace(arms=arms)) == [
        "VAE plays in no claim: it is neither an autoencoder nor a VAE (vq)."
    ]


def test_seeds_in_two_groups_are_never_a_mean_with_an_interval(study, figures):
    seeds = [0.24, 0.30, 0.45, 0.94, 0.965]
    found = {"mean": 0.579, "low": 0.146, "high": 1.0, "n_seeds": 5, "values": seeds, "by_values": True}
    own = study._replace(metrics=study.metrics | {"ae": {"hole_fraction": found}})
    own = own._replace(measures={"hole_fraction": Metric("hole_fraction", "holes", "share", 0.0, 1.0, section="holes")})
    listed = "24, 30, 45, 94, 96%"
    assert at_a_glance(own)[0].seeds == {"holes": listed}
    assert f"AE {listed}" in answer(own)[1]
    page = render_study(own, figures, None)
    assert page.count(listed) == 3  # the answer, the glance, the table of measures
    assert "14.6" not in page and "58%" not in page
