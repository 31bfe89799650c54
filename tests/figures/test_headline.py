"""The front page's figure: what is drawn where, from hand-made metrics."""

from matplotlib.figure import Figure

from latent_audit.figures.headline import Panel, entries, headline_panels, headline_svg, plot_intervals


def interval(mean: float, half: float | None = 0.1) -> dict:
    low, high = (None, None) if half is None else (mean - half, mean + half)
    return {"mean": mean, "low": low, "high": high, "n_seeds": 5}


METRICS = {
    "ae": {"ks_d_max": interval(0.6), "hole_fraction": interval(0.4), "area_tv": interval(0.5),
           "fd_clf_box": interval(250.0, 5), "fd_clf_gmm": interval(245.0, 5), "fd_clf_prior": interval(432.0, 5)},
    "vae": {"ks_d_max": interval(0.1), "hole_fraction": interval(0.1), "area_tv": interval(0.2),
            "fd_clf_prior": interval(265.0, 5)},
}  # fmt: skip
MARGINS = {"ks_d": 0.05, "hole_fraction": 0.05, "area_tv": 0.1}


def test_each_arm_has_a_dot_at_its_mean_a_bar_over_its_interval_and_the_margin_is_drawn():
    table = entries(METRICS, [("ae", "ks_d_max", "AE"), ("vae", "ks_d_max", "VAE")])
    ax = plot_intervals(table, Panel("title", "label", 0.05), ax=Figure().subplots())
    bar, dot = ax.get_lines()[:2]
    assert list(bar.get_xdata()) == [0.5, 0.7]
    assert list(dot.get_xdata()) == [0.6]
    assert list(ax.get_lines()[-1].get_xdata()) == [0.05, 0.05]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["AE", "VAE"]
    assert [note.get_text() for note in ax.texts] == ["0.60", "0.10"]


def test_one_seed_gives_a_dot_without_a_bar():
    table = entries({"ae": {"ks_d_max": interval(0.6, None)}}, [("ae", "ks_d_max", "AE")])
    assert table[["low", "mean", "high"]].to_numpy().tolist() == [[0.6, 0.6, 0.6]]


def test_seeds_whose_mean_would_mislead_are_dots_of_their_own():
    seeds = [0.24, 0.3, 0.45, 0.94, 0.965]
    found = interval(0.58, 0.4) | {"values": seeds, "by_values": True}
    table = entries({"ae": {"hole_fraction": found}}, [("ae", "hole_fraction", "AE")])
    ax = plot_intervals(table, Panel("title", "label", 0.06), ax=Figure().subplots())
    assert [list(line.get_xdata()) for line in ax.get_lines()] == [seeds, [0.06, 0.06]]
    assert len(ax.texts) == 0


def test_an_autoencoder_is_drawn_from_its_box_and_mixture_too_and_the_unmeasured_is_left_out():
    panels = headline_panels(METRICS, {"ae": None, "vae": 1.0}, MARGINS)
    samples = list(panels.values())[-1]
    assert samples["name"].tolist() == ["AE, box", "AE, mixture", "AE, N(0, I)", "VAE, N(0, I)"]
    without = {arm: {key: value for key, value in own.items() if "fd" not in key} for arm, own in METRICS.items()}
    assert len(headline_panels(without, {"ae": None, "vae": 1.0}, MARGINS)) == 3


def test_the_same_numbers_give_the_same_bytes():
    panels = headline_panels(METRICS, {"ae": None, "vae": 1.0}, MARGINS)
    assert headline_svg(panels) == headline_svg(panels)
