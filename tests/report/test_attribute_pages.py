"""What the page says of attribute vectors and of factors: figures, captions, and the words above a table."""

import itertools

import numpy as np
import pandas as pd
import pytest

from latent_audit.base.measures import Metric
from latent_audit.figures.attributes import attribute_curves, leakage_maps, leakage_ratios
from latent_audit.report import attribute_captions
from latent_audit.report.measure_tables import WORDS
from latent_audit.report.render import render_study
from latent_audit.report.sections import SECTIONS
from latent_audit.report.single_studies import single_study_bands, vector_rows

ORDER = ("Male", "Blond_Hair")
LEAKS = {("Male", "Male"): 0.5, ("Blond_Hair", "Blond_Hair"): 1.0, ("Male", "Blond_Hair"): -0.4}


def effects(arms=("ae", "vae"), seeds=(0, 1, 2)) -> pd.DataFrame:
    """Every score changes evenly along alpha; blond hair leaks nothing, and male takes blond hair away."""
    rows = [
        {"arm": arm, "seed": seed, "attribute": attribute, "by": by, "alpha": alpha, "on": on,
         "effect": alpha * LEAKS.get((attribute, on), 0.0) * (2 if arm == "vae" and attribute == on else 1)}
        for arm in arms for seed in seeds for by in ("means", "probe") for alpha in (-2.0, -1.0, 0.0, 1.0, 2.0)
        for attribute, on in itertools.product(ORDER, ORDER)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def measured(study) -> pd.DataFrame:
    values = {"leakage": 0.31, "analogy_success": 0.75, "analogy_chance": 0.25, "middle_straight": 0.62,
              "middle_circle": 0.71}  # fmt: skip
    rows = [(arm, seed, metric, value, "raw") for arm in study.arms for seed in study.seeds
            for metric, value in values.items()]  # fmt: skip
    rows += [(arm, seed, "judge_auc", 0.9, name) for arm in study.arms for seed in study.seeds for name in ORDER]
    return pd.DataFrame(rows, columns=["arm", "seed", "metric", "value", "of"])


@pytest.fixture
def told(study):
    tables = {**study.tables, "attributes": measured(study), "attribute_effects": effects(study.arms, study.seeds)}
    return study._replace(tables=tables)


def test_leakage_is_over_what_a_vector_does_to_its_own_attribute():
    own = effects(("ae",))
    expected = pd.DataFrame([[1.0, -0.8], [0.0, 1.0]], index=ORDER, columns=ORDER)
    pd.testing.assert_frame_equal(leakage_ratios(own, ORDER), expected, check_names=False)
    backwards = own.assign(effect=-own["effect"])
    assert leakage_ratios(backwards, ORDER).isna().all(axis=None)


def test_a_panel_per_attribute_and_a_map_per_arm():
    (curves,), (maps,) = attribute_curves(effects(), ORDER), leakage_maps(effects(), ORDER)
    assert [part.title for part in curves.sketches] == ["Male", "Blond Hair"]
    assert [part.title for part in maps.sketches] == ["AE", "VAE"]
    assert "−0.80" in maps.sketches[0].svg and "−0.40" in maps.sketches[1].svg


def test_the_caption_says_what_leaks_most_and_how_many_analogies_come_out(told):
    text = attribute_captions.attributes(told)
    assert "mean over attributes: AE 0.31" in text
    assert "the vector of “Male” changes “Blond Hair” −0.8" in text
    assert "Analogies that come out: AE 75" in text and "dealt out anew: AE 25" in text
    assert "AE 0.62" in text and "AE 0.71" in text
    assert "Male 0.900, Blond Hair 0.900." in text


def test_without_analogies_the_caption_says_nothing_of_them(told):
    table = told.tables["attributes"]
    rare = told._replace(
        tables={**told.tables, "attributes": table[~table["metric"].str.startswith("analogy")]}
    )  # fmt: skip
    assert "nalogies" not in attribute_captions.attributes(rare)


def test_the_figure_has_a_place_on_the_page(told, study):
    assert "fig-attributes" in single_study_bands(told, {}) and "fig-attributes" not in single_study_bands(study, {})
    (held,) = (held for anchor, _, held in SECTIONS if anchor == "attributes")
    assert held == ("fig-attributes", "fig-vectors")


def test_a_sheet_of_averages_per_arm_that_has_vectors():
    images = np.zeros((2, 9, 3, 8, 8), np.uint8)
    pictures = {"ae": {}, "vae": {"attribute_names": np.array(ORDER), "attribute_strips": images}}
    (row,) = vector_rows(pictures, {"ae": "AE", "vae": "VAE"})
    assert [(panel.title, panel.note) for panel in row.panels] == [("VAE", "from the top: Male, Blond Hair")]
    assert vector_rows({"ae": {}}, {"ae": "AE"}) == []


def test_a_study_with_factors_says_why_published_gaps_differ(study):
    metric = Metric("mig_samples", "mutual information gap", section="disentanglement")
    value = {"mean": 0.2, "low": 0.1, "high": 0.3, "by_values": False, "values": [0.1, 0.2, 0.3]}
    metrics = {arm: {**own, "mig_samples": value} for arm, own in study.metrics.items()}
    with_factors = study._replace(measures={**study.measures, "mig_samples": metric}, metrics=metrics)
    assert WORDS["disentanglement"] in render_study(with_factors, {}, None)
    assert "factor of 600" not in render_study(study, {}, None)
