"""Figures that only some studies have: rows of pictures, names of scores, captions with the numbers of the tables."""

import numpy as np
import pandas as pd
import pytest

from latent_audit.figures.single_studies import detection_strips, noise_curves, score_histograms
from latent_audit.report import single_captions
from latent_audit.report.single_studies import (
    asked_rows,
    denoising_rows,
    interpolation_rows,
    levels,
    named_scores,
    passing_rows,
    single_study_rows,
    traversal_rows,
)

NAMES = {"ae": "AE", "vae": "VAE"}


def images(*shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 1, 8, 8), dtype=np.uint8)


def anomaly_table():
    values = {"elbo_mnist": 0.3, "mixture_mnist": 0.9, "elbo_left_out": 0.6, "mixture_left_out": 0.7}
    rows = [
        {"arm": arm, "seed": seed, "metric": "auroc", "value": value + 0.01 * (arm == "vae"), "of": of}
        for arm in NAMES for seed in (0, 1) for of, value in values.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_study_without_such_pictures_has_no_such_figures(study):
    assert single_study_rows(study, {arm: {} for arm in study.arms}) == {}


def test_each_pair_of_classes_is_a_row_with_a_strip_per_arm():
    pictures = {arm: {"interpolated": np.array([[0, 1], [2, 1]]), "interpolations": images(2, 12)} for arm in NAMES}
    rows = interpolation_rows(pictures, NAMES, ["cat", "dog", "cow"])
    assert [row.label for row in rows] == ["cat to dog", "cow to dog"]
    assert all(name in rows[0].panels[0].body for name in NAMES.values())


def test_an_arm_of_two_dimensions_has_no_traversal():
    pictures = {"ae": {}, "vae": {"traversed": np.array([2, 0]), "traversals": images(2, 11)}}
    (row,) = traversal_rows(pictures, NAMES)
    assert [panel.title for panel in row.panels] == ["VAE"] and "z₂, z₀" in row.panels[0].note


def test_denoising_shows_clean_and_noisy_once_and_every_arm():
    pictures = {arm: {"clean": images(8), "noisy": images(8), "denoised": images(8)} for arm in NAMES}
    body = denoising_rows(pictures, NAMES)[0].panels[0].body
    assert [body.count(f"<span>{name}</span>") for name in ("clean", "noisy", "AE", "VAE")] == [1, 1, 1, 1]


def test_outsiders_that_pass_are_a_row_per_set():
    own = {"passing_mnist": images(8), "passing_mnist_decoded": images(8)}
    own |= {"passing_left_out": images(8), "passing_left_out_decoded": images(8)}
    rows = passing_rows(dict.fromkeys(NAMES, own), NAMES)
    assert [row.label for row in rows] == ["MNIST", "class left out"]
    assert [panel.title for panel in rows[0].panels] == ["AE", "VAE"]


def test_levels_and_scores_are_read_off_their_names():
    assert levels(pd.Series(["at_0", "at_40"])).tolist() == [0.0, 0.4]
    named, order = named_scores(anomaly_table())
    assert order == [
        "MNIST: negative ELBO",
        "MNIST: fitted mixture",
        "class left out: negative ELBO",
        "class left out: fitted mixture",
    ]
    assert set(named["row"]) == set(order)


def test_the_caption_names_the_best_score_and_where_the_elbo_is_misled(study):
    text = single_captions.detection(study._replace(tables={"anomaly": anomaly_table()}))
    assert "MNIST: fitted mixture of VAE, 0.91" in text and "class left out: fitted mixture of VAE, 0.71" in text
    assert "outlines, solid MNIST, dashed class left out." in text
    assert "misled (below 1/2): AE on MNIST, VAE on MNIST." in text


def test_the_caption_of_the_noise_gives_both_ends(study):
    rows = [
        {"arm": arm, "seed": seed, "metric": metric, "value": 0.01 if level == "at_0" else 0.05, "level": level}
        for arm in study.arms for seed in study.seeds for metric in ("denoised_mse", "noise_mse")
        for level in ("at_0", "at_20", "at_40")
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    text = single_captions.noise(study._replace(tables={"denoising": table}))
    assert "AE 0.0100" in text and "AE 0.0500" in text
    (band,) = noise_curves(table.assign(sd=levels(table["level"])))
    assert "<svg" in band.sketches[0].svg


def test_traversals_count_silent_dimensions(study):
    metrics = {"vae": {"silent_dimensions": {"mean": 12.0}}}
    assert "mean over seeds: VAE 12." in single_captions.traversals(study._replace(metrics=metrics))


def test_scores_are_drawn_in_strips_and_histograms():
    named, order = named_scores(anomaly_table())
    (band,) = detection_strips(named, {"auroc": "AUROC"}, order)
    assert len(band.sketches) == 1
    rng = np.random.default_rng(0)
    inside = {arm: rng.standard_normal(200) for arm in NAMES}
    (band,) = score_histograms(inside, {arm: {"mnist": rng.standard_normal(100) + 3} for arm in NAMES}, words="nats")
    assert [part.title for part in band.sketches] == ["AE", "VAE"]


def test_each_class_that_was_asked_for_is_a_row_of_a_conditional_arm(study):
    pictures = {"ae": {}, "vae": {"asked": images(3, 10)}}
    ((row,), nothing) = asked_rows(pictures, NAMES, ["a", "b", "c"]), asked_rows({"ae": {}}, NAMES, ["a"])
    assert nothing == []
    assert [panel.title for panel in row.panels] == ["VAE"]
    assert "from the top: a, b, c" in row.panels[0].body
    told = study._replace(metrics={**study.metrics, "vae": {**study.metrics["vae"], "asked_accuracy": {"mean": 0.875}}})
    assert "88% (chance" in single_captions.asked(told)


@pytest.mark.parametrize(
    "anchor",
    ["fig-interpolations", "fig-traversals", "fig-asked", "fig-denoised", "fig-noise", "fig-passing"],
)
def test_every_figure_has_a_section_and_a_caption(anchor):
    from latent_audit.report.captions import CAPTIONS
    from latent_audit.report.sections import SECTIONS

    assert anchor in CAPTIONS and any(anchor in held for _, _, held in SECTIONS)


def test_many_arms_share_the_rows_of_traversals():
    def rows_of(n_arms: int) -> int:
        own = {"traversals": np.zeros((20, 11, 1, 8, 8), dtype=np.uint8), "traversed": np.arange(20)}
        names = {f"arm{k}": f"arm {k}" for k in range(n_arms)}
        [row] = traversal_rows(dict.fromkeys(names, own), names)
        return len(row.panels[0].note.split(","))

    assert [rows_of(n) for n in (1, 3, 5)] == [20, 20, 12]
