"""What the weight on the KL buys and costs, beside the advice: from the arms that differ in it alone."""

import re

import pytest

from latent_audit.report.kl_weight import bought_and_cost, by_weight, kl_weight_bands
from latent_audit.report.page_panels import page_rows
from latent_audit.report.render import render_study


def measures(holes: float, distortion: float, rate: float) -> dict:
    return {
        "hole_fraction": {"mean": holes, "low": holes - 0.01, "high": holes + 0.01},
        "recon_nll": {"mean": distortion, "low": distortion - 1, "high": distortion + 1},
        "kl_closed_form": {"mean": rate, "low": None, "high": None},
    }


@pytest.fixture
def swept(study):
    """An AE and two VAEs of weights 4 and 1, in this order, with made-up measures."""
    strong = {**study.arms["vae"], "beta_kl": 4.0}
    return study._replace(
        arms={"ae": study.arms["ae"], "beta_vae": strong, "vae": study.arms["vae"]},
        names={"ae": "AE", "beta_vae": "β-VAE", "vae": "VAE"},
        colours={"ae": "--arm-0", "beta_vae": "--arm-2", "vae": "--arm-1"},
        metrics={"ae": measures(0.4, 262, 1), "vae": measures(0.11, 262, 6), "beta_vae": measures(0.05, 265, 4.5)},
    )


def test_arms_stand_in_the_order_of_their_weight_and_the_caption_says_what_changed(swept):
    assert by_weight(swept) == ["vae", "beta_vae"]
    said = bought_and_cost(swept)
    assert said.startswith(
        "From β_KL 1 to 4 the share of prior draws in holes goes from 11.0% to 5.0%, the reconstruction error from 262 "
        "to 265 nats and the KL of the codes to the prior from 6.00 to 4.50 nats per image."
    )
    assert "AE, without a KL" in said and "Two weights are two points" in said


def test_no_curve_joins_arms_that_differ_in_more_than_the_weight(swept):
    other = {**swept.arms["beta_vae"], "latent_dim": 5}
    assert by_weight(swept._replace(arms={**swept.arms, "beta_vae": other})) == []
    same = {**swept.arms["beta_vae"], "beta_kl": swept.arms["vae"]["beta_kl"]}
    assert kl_weight_bands(swept._replace(arms={**swept.arms, "beta_vae": same})) == []


def test_an_arm_that_was_not_measured_is_no_point(swept):
    assert by_weight(swept._replace(metrics={**swept.metrics, "beta_vae": {}})) == []


def test_the_figure_stands_in_what_to_do_and_repeats_its_bytes(swept):
    rows = page_rows("fig-kl-weight", kl_weight_bands(swept))
    assert len(rows[0].panels) == 2
    assert rows == page_rows("fig-kl-weight", kl_weight_bands(swept))
    page = render_study(swept, {"fig-kl-weight": rows}, None)
    todo = page[page.index('<section id="todo"') : page.index('<section id="run"')]
    assert re.search(r'id="fig-kl-weight"', todo)
    assert 'id="todo"' in render_study(swept, {}, None)
