"""Panels: equal scales over the arms, words for who cannot see them, the same bytes every time."""

import numpy as np
import pandas as pd
import pytest

from latent_audit.figures import compose, dimensions, scores
from latent_audit.figures.canvas import sketch
from latent_audit.figures.p_value_panels import effect_maps, log10_adjusted
from latent_audit.figures.style import arm_colours

ARMS = ("ae", "vae")


@pytest.fixture
def codes():
    rng = np.random.default_rng(3)
    return {"ae": 4 * rng.standard_normal((50, 2)), "vae": rng.standard_normal((50, 2))}


@pytest.fixture
def labels():
    return np.arange(50) % 3


def test_bytes_repeat():
    def draw(ax):
        ax.plot([0, 1], [0, 1])

    first, again = (sketch(draw, alt="a line").svg for _ in range(2))
    assert first == again
    assert "<dc:date>" not in first


def test_all_arms_share_a_scale_and_the_window_of_the_prior_comes_second(codes, labels):
    bands = compose.code_planes(codes, labels, n_classes=3, dims={arm: (0, 1) for arm in ARMS})
    assert [[part.title for part in band.sketches] for band in bands] == [["AE", "VAE"]] * 2
    assert len({part.note for part in bands[0].sketches}) == 1
    assert all("3.5" in part.note for part in bands[1].sketches)
    assert all(part.alt for band in bands for part in band.sketches)


def test_narrow_codes_need_one_row_only(codes, labels):
    bands = compose.code_planes({"vae": 0.3 * codes["vae"]}, labels, n_classes=3, dims={"vae": (0, 1)})
    assert len(bands) == 1


def test_underflowing_p_values_stay_ordered():
    rows = pd.DataFrame({"ks_p_holm": [0.0, 0.0, 0.5], "log10_ks_p": [-400.0, -900.0, -0.6]})
    values = log10_adjusted(rows, "ks_p", family=10)
    np.testing.assert_allclose(values, [-399.0, -899.0, np.log10(0.5)])


def test_many_dimensions_are_cut_to_the_worst():
    per_dim = pd.DataFrame({"code": "z", "dim": np.arange(20), "ks_d": np.linspace(0, 1, 20)})
    assert dimensions.shown_dims(per_dim, most=3) == [17, 18, 19]


def test_scores_that_were_not_measured_have_no_panel():
    table = pd.DataFrame({"arm": "ae", "seed": 0, "sampler": "prior", "metric": "fd_clf", "value": [2.0]})
    (band,) = scores.generation(table)
    assert len(band.sketches) == 1


def test_without_classes_there_is_one_colour_and_no_map(codes, labels):
    dims = {arm: (0, 1) for arm in ARMS}
    bands = compose.p_space(codes, labels, {}, n_classes=0, dims=dims)
    assert [[part.title for part in band.sketches] for band in bands] == [["AE", "VAE"]]
    drawn = [
        part for band in (*bands, *compose.code_planes(codes, labels, n_classes=1, dims=dims)) for part in band.sketches
    ]
    assert not [part.alt for part in drawn if "class" in part.alt]


def scored(metric: str, **values: list[float]) -> pd.DataFrame:
    """Rows of one metric: sampler -> a value per seed, of one arm."""
    rows = [("ae", seed, sampler, metric, x) for sampler, found in values.items() for seed, x in enumerate(found)]
    return pd.DataFrame(rows, columns=["arm", "seed", "sampler", "metric", "value"])


def test_distances_are_multiples_of_the_own_reconstructions_seed_by_seed():
    table = scored("fd_clf", prior=[6.0, 9.0], gmm=[2.0, 3.0], reconstruction=[2.0, 3.0], test_floor=[0.1, 0.1])
    over = scores.over_own(table)
    assert over.groupby("sampler")["value"].apply(list).to_dict() == {"gmm": [1.0, 1.0], "prior": [3.0, 3.0]}
    assert scores.over_own(table[table["sampler"] != "reconstruction"]).empty


def test_coverage_is_drawn_unless_the_own_reconstructions_cover_next_to_nothing():
    sharp = scored("coverage", prior=[0.4], reconstruction=[0.6])
    blurred = scored("coverage", prior=[0.01], reconstruction=[0.02])
    assert not scores.is_blurred(sharp) and scores.is_blurred(blurred)
    assert [len(scores.generation(table)[0].sketches) for table in (sharp, blurred)] == [1, 0]


def test_all_codes_together_are_drawn_by_both_estimates_of_the_arms_that_have_them():
    rows = [("vae", seed, "z", metric, 0.1) for seed in (0, 1) for metric in ("marginal_kl", "marginal_kl_loo")]
    table = pd.DataFrame(
        [*rows, ("ae", 0, "z", "hole_fraction", 0.5)], columns=["arm", "seed", "code", "metric", "value"]
    )
    (band,) = scores.joint(table, {"marginal_kl": 0.1})
    assert [part.title for part in band.sketches] == ["KL of all codes together to N(0, I)"]
    assert "VAE" in band.sketches[0].alt and "AE," not in band.sketches[0].alt


def test_codes_beyond_the_window_of_a_histogram_are_said(codes):
    per_dim = pd.DataFrame({"arm": "ae", "seed": 0, "code": "z", "dim": [0, 1], "ks_d": 0.3, "w1": 1.0})
    wide = {"ae": np.column_stack([np.linspace(-40, 40, 101), np.zeros(101)]), "vae": codes["vae"]}
    first, second = compose.marginals(wide, per_dim, None, null={}, margins={})[0].sketches
    assert first.note.endswith("; beyond ±10: 75% of AE")
    assert "beyond" not in second.note


@pytest.fixture
def of_two_and_four():
    """Codes of an arm of 2 dimensions and of one of 4, whose last two are the furthest from N(0, 1), and the table."""
    rng = np.random.default_rng(4)
    codes = {"ae": rng.standard_normal((50, 2)), "vae": rng.standard_normal((50, 4))}
    sizes = dict.fromkeys(["mean", "skew", "excess_kurtosis", "w1"], 0.1) | {"std": 1.0}
    rows = [
        {"arm": arm, "seed": 0, "code": "z", "dim": dim, "ks_d": 0.1 + 0.2 * (dim > 1)} | sizes
        for arm, own in codes.items()
        for dim in range(own.shape[1])
    ]
    return codes, pd.DataFrame(rows)


def test_a_dimension_is_drawn_of_the_arms_that_have_it(of_two_and_four):
    codes, per_dim = of_two_and_four
    histograms = compose.marginals(codes, per_dim, None, null={}, margins={})[0].sketches
    assert ["AE, VAE" in sketched.alt for sketched in histograms] == [dim < 2 for dim in dimensions.shown_dims(per_dim)]


def test_effects_are_drawn_of_the_dimensions_that_an_arm_has(of_two_and_four):
    _, per_dim = of_two_and_four
    [band] = effect_maps(per_dim)
    of_ae, of_vae = (one.svg.count(">z") for one in band.sketches)
    assert of_vae > of_ae


def test_holes_are_counted_alike_in_all_arms(of_two_and_four):
    codes, _ = of_two_and_four
    joint = pd.DataFrame(
        [("ae", "hole_fraction", 0.2), ("ae", "hole_mass", 0.1), ("vae", "hole_mass", 0.05)],
        columns=["arm", "metric", "value"],
    ).assign(code="z", seed=0)
    bands = compose.holes(codes, {"ae": np.zeros((4, 4))}, joint, measure="hole_mass", null=None, margin=None)
    assert len(bands[0].sketches) == 1
    assert all(colour.lower() in bands[1].sketches[0].svg.lower() for colour in arm_colours(codes).values())
