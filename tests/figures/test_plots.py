"""What is drawn: the artists' data, labels and scales."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy.special import ndtr

from latent_audit.figures import scores
from latent_audit.figures.codes import apart, plot_centroids, plot_codes, plot_holes, plot_prior_circles
from latent_audit.figures.marginals import plot_marginal
from latent_audit.figures.p_value_heat_map import plot_effect_map, plot_p_map
from latent_audit.figures.strips import plot_strips
from latent_audit.figures.style import arm_colours
from latent_audit.figures.training import plot_history
from latent_audit.figures.unit_square import plot_class_map, plot_p_space

COLOURS = arm_colours(["ae", "vae"])


@pytest.fixture
def ax():
    return Figure().subplots()


def test_history_draws_the_mean_over_seeds_and_its_range(ax):
    rows = [(arm, seed, epoch, split, 10.0 * seed + epoch) for arm in COLOURS for seed in (0, 2) for epoch in (1, 2)
            for split in ("train", "test")]  # fmt: skip
    history = pd.DataFrame(rows, columns=["arm", "seed", "epoch", "split", "recon_nll"])
    plot_history(history, metric="recon_nll", colours=COLOURS, ax=ax)
    assert len(ax.get_lines()) == 4  # two arms, two splits
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), [11.0, 12.0])
    assert [to_hex(line.get_color()) for line in ax.get_lines()[::2]] == list(COLOURS.values())
    band = ax.collections[0].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == (1.0, 22.0)
    assert {text.get_text() for text in ax.texts} == {"AE", "VAE"}


def test_an_arm_without_the_metric_is_left_out(ax):
    history = pd.DataFrame({"arm": ["ae", "vae"], "seed": 0, "epoch": 1, "split": "test", "kl": [np.nan, 3.0]})
    plot_history(history, metric="kl", colours=COLOURS, ax=ax)
    assert [text.get_text() for text in ax.texts] == ["VAE"]


def test_codes_keep_their_units_and_colours(ax):
    codes, labels = np.array([[0.0, 1.0], [2.0, -3.0]]), np.array([1, 0])
    plot_prior_circles(ax=plot_codes(codes, labels, colours=["#ff0000", "#0000ff"], limit=4.0, ax=ax))
    points = ax.collections[0]
    np.testing.assert_allclose(points.get_offsets(), codes)
    assert [to_hex(colour) for colour in points.get_facecolors()] == ["#0000ff", "#ff0000"]
    assert ax.get_xlim() == ax.get_ylim() == (-4.0, 4.0)
    assert ax.get_aspect() == 1
    assert [patch.radius for patch in ax.patches] == [1, 2, 3]


def test_centroids_outside_the_window_are_not_drawn(ax):
    ax.set(xlim=(-1, 1), ylim=(-1, 1))
    plot_centroids(np.array([[0.0, 0.0], [5.0, 0.0]]), ["0", "1"], colours=["#111111", "#222222"], ax=ax)
    assert [text.get_text() for text in ax.texts] == ["0"]


@pytest.mark.parametrize("points", [np.zeros((4, 2)), np.array([[0.0, 0.0], [0.01, 0.0], [3.0, 3.0]])])
def test_discs_stand_apart(points):
    moved = apart(points, 1.0)
    gaps = np.linalg.norm(moved[:, None] - moved[None], axis=-1)[np.triu_indices(len(points), 1)]
    assert gaps.min() >= 0.97


def test_holes_are_shaded_where_there_is_no_code_only(ax):
    hole = np.array([[0.0, 1.0], [0.0, 0.0]])
    plot_holes(hole, np.zeros((1, 2)), colour="#123456", limit=2.0, ax=ax)
    alpha = np.asarray(ax.images[0].get_array())[..., 3]
    assert (alpha > 0).tolist() == [[False, True], [False, False]]
    assert ax.images[0].get_extent() == [-2.0, 2.0, -2.0, 2.0]


def test_a_histogram_is_a_density_over_all_samples(ax):
    x = np.array([0.05] * 50 + [100.0] * 50)  # half of the mass lies outside the window
    plot_marginal({"ae": x}, colours=COLOURS, limit=2.0, ax=ax)
    corners = ax.collections[0].get_paths()[0].vertices
    assert abs(np.trapezoid(corners[:, 1], corners[:, 0])) == pytest.approx(0.5)
    curve = ax.get_lines()[-1]
    assert curve.get_ydata().max() == pytest.approx(1 / np.sqrt(2 * np.pi))


def test_p_space_is_the_normal_distribution_function(ax):
    codes = np.array([[0.0, 1.6448536269514722]])
    plot_p_space(codes, np.array([0]), colours=["#111111"], ax=ax)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), ndtr(codes))
    assert ax.collections[0].get_offsets()[0, 1] == pytest.approx(0.95)


def test_every_class_with_area_is_named_inside_its_area(ax):
    label_map = np.zeros((40, 40), dtype=int)
    label_map[:, 30:] = 2
    plot_class_map(label_map, ["a", "b", "c"], colours=["#111111", "#222222", "#333333"], ax=ax)
    spots = {text.get_text(): text.xy for text in ax.texts}
    assert set(spots) == {"a", "c"}
    assert spots["a"][0] < 0.75 < spots["c"][0]


def test_p_values_are_written_as_exponents_and_large_ones_left_pale(ax):
    table = pd.DataFrame({"KS": [-12.0, np.log10(0.3)]}, index=["z₁", "z₂"])
    plot_p_map(table, ax=ax)
    assert [text.get_text() for text in ax.texts] == ["−12", "0.3"]
    assert [patch.get_alpha() > 0 for patch in ax.patches] == [True, False]


def test_effects_are_deeper_the_larger_they_are_whatever_their_sign(ax):
    plot_effect_map(pd.DataFrame({"mean": [0.1, -0.4, -9.0]}, index=list("abc")), colour="#0a64ad", ax=ax)
    depths = [patch.get_alpha() for patch in ax.patches]
    assert depths == sorted(depths)
    assert depths[-1] == 0.5
    assert [text.get_text() for text in ax.texts] == ["0.10", "−0.40", "−9.00"]


def test_strips_show_every_seed_the_mean_the_null_and_the_margin(ax):
    table = pd.DataFrame({"row": "z₁", "arm": ["ae", "ae", "vae"], "value": [1.0, 3.0, 0.5]})
    plot_strips(table, rows=["z₁"], colours=COLOURS, null={"z₁": (0.0, 0.1)}, margin=0.7, ax=ax)
    drawn = [
        line.get_xdata().tolist() if hasattr(line.get_xdata(), "tolist") else line.get_xdata()
        for line in ax.get_lines()
    ]
    assert [1.0, 3.0] in drawn
    assert [2.0, 2.0] in drawn
    assert [0.7, 0.7] in drawn
    assert ax.collections[0].get_paths()[0].get_extents().x1 == pytest.approx(0.1)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["AE", "VAE"]


def test_an_arm_whose_areas_are_not_known_has_no_points():
    rows = [(arm, seed, "z", label, str(label), 0.5) for arm in ("ae", "vae") for seed in (0, 1) for label in (0, 1)]
    classes = pd.DataFrame(rows, columns=["arm", "seed", "code", "label", "class_name", "area"])
    classes.loc[classes["arm"] == "ae", "area"] = np.nan
    alts = [scores.areas(table)[0].sketches[0].alt for table in (classes, classes[classes["arm"] == "vae"])]
    assert alts[0] == alts[1]
