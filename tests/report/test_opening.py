"""The answer in pictures, its picture for README, what to do, and headings that state findings."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from latent_audit.base.measures import Metric
from latent_audit.report.advice import advice
from latent_audit.report.findings import headings
from latent_audit.report.hero import hero_of
from latent_audit.report.opening import columns, hole_bar
from latent_audit.report.render import render_study
from latent_audit.report.sections import TITLES

SHARE = {"hole_fraction": Metric("hole_fraction", "holes", "share", 0.0, 1.0)}


@pytest.fixture
def judged(study):
    """AE surely has too many holes, VAE few; from a mixture AE may be sampled, of VAE that is open."""

    def row(claim_id: str, arm: str, verdict: str, statistic: str = "hole_fraction") -> dict:
        ends = {"supported": (0.01, 0.03), "contradicted": (0.3, 0.6), "inconclusive": (0.02, 0.2)}[verdict]
        return study.claims.iloc[0].to_dict() | {
            "claim_id": claim_id, "arms": arm, "verdict": verdict, "statistic": statistic, "margin": 0.06,
            "direction": "<", "low": ends[0], "high": ends[1],
        }  # fmt: skip

    rows = [
        row("ae_few_holes", "ae", "contradicted"), row("vae_few_holes", "vae", "supported"),
        row("ae_mixture_suffices", "ae", "supported", "ln(fd_clf_gmm / fd_clf_reconstruction)"),
        row("vae_mixture_suffices", "vae", "inconclusive", "ln(fd_clf_gmm / fd_clf_reconstruction)"),
    ]  # fmt: skip
    return study._replace(claims=pd.DataFrame(rows), measures=SHARE)


def test_a_column_per_arm_has_its_verdict_eight_draws_of_each_law_and_its_holes(judged, pictures):
    ae, vae = columns(judged, pictures, judged=True)
    assert (ae.chip, vae.chip) == ("No", "Few holes")
    assert [sheet.law for sheet in ae.sheets] == ["N(0, I)", "a mixture fitted to the codes"]
    assert (ae.sheets[0].width, ae.sheets[0].height) == (4 * 33 - 1, 2 * 33 - 1)
    assert ae.holes == "3.0% (30% to 60%) of draws from N(0, I) land in a hole"  # 2, 3 and 4% in the fixture
    assert [one.chip for one in columns(judged, pictures, judged=False)] == ["Not judged"] * 2


def test_the_bar_has_its_interval_its_seeds_and_the_limit_to_scale():
    share = {"mean": 0.2, "low": 0.1, "high": 0.3, "values": [0.1, 0.3], "by_values": False}
    bar = hole_bar(share, limit=0.06, most=0.4, alt="x")
    assert re.search(r'<rect x="0" y="10" width="100.0" height="12" class="h-share"', bar)
    assert re.search(r'<line x1="50.0" x2="150.0" y1="16" y2="16" class="h-interval"', bar)
    assert re.findall(r'<circle cx="([\d.]+)"', bar) == ["50.0", "150.0"]
    assert re.search(r'<line x1="30.0" x2="30.0" y1="2" y2="26" class="h-limit"', bar)
    assert "limit 6%" in bar
    grouped = hole_bar(share | {"by_values": True}, limit=None, most=0.4, alt="x")
    assert "h-share" not in grouped and "h-interval" not in grouped and "h-limit" not in grouped


def test_the_page_opens_with_the_columns_and_says_so_to_who_links_to_it(judged, pictures):
    page = render_study(judged, {}, None, pictures)
    assert page.index('class="headline') < page.index('class="wide opening"') < page.index('class="lede"')
    assert page.count('class="o-arm"') == 2
    assert '<meta property="og:image" content="made_up.svg">' in page
    assert re.search(r'<meta property="og:description" content="Not with AE \(30% to 60% of draws from N', page)
    assert 'class="wide opening"' not in render_study(judged, {}, None)


def test_the_picture_for_readme_is_the_same_answer_and_follows_the_dark(judged, pictures):
    drawn = hero_of(judged, pictures)
    root = ET.fromstring(drawn)
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"AE", "VAE", "No", "Few holes"} <= set(texts)
    assert len(list(root.iter("{http://www.w3.org/2000/svg}image"))) == 4
    assert "prefers-color-scheme:dark" in drawn
    assert not re.search(r'href="(?!data:)', drawn)
    assert hero_of(judged, pictures) == drawn
    few = hero_of(judged._replace(seeds=(0,)), pictures)
    assert "Reduced data: not evidence." in few and ">Not judged<" in few


def test_what_to_do_follows_from_both_verdicts(judged, study):
    ae, vae = advice(judged, reduced=False)
    assert ae.startswith("AE: draw from a mixture of ten Gaussians") and vae == "VAE: N(0, I) will do."
    assert "full study" in advice(judged, reduced=True)[0]
    assert advice(study, reduced=False) == ["No claim on sampling was put to these arms."]


def test_headings_state_findings_where_there_are_numbers(judged):
    found = headings(judged, TITLES, reduced=False)
    assert found["holes"] == "Draws from the prior land in holes: AE 3.0%, VAE 5.0%"
    assert found["generation"].endswith("are: AE +50% from N(0, I), −50% from a mixture; VAE +50%, −50%")
    assert found["verdicts"] == "Of 4 tests, 2 supported, 1 contradicted, 1 inconclusive"
    assert found["todo"] == "What to do: draw from N(0, I) with VAE, from a mixture fitted to the codes with AE"
    assert found["run"] == TITLES["run"]
    assert headings(judged, TITLES, reduced=True) == dict(TITLES)
    empty = judged._replace(tables={"joint": judged.tables["joint"].iloc[:0], "per_dim": judged.tables["per_dim"]})
    assert headings(empty, TITLES, reduced=False)["generation"] == TITLES["generation"]


def test_pictures_without_a_mixture_show_the_prior_alone(judged, pictures):
    few = {arm: {key: np.asarray(own[key]) for key in own if key != "samples_gmm"} for arm, own in pictures.items()}
    assert [len(one.sheets) for one in columns(judged, few, judged=True)] == [1, 1]
