"""Pages of arms that each saw some classes only, and of more arms than there are colours."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from import_graph import ROOT
from latent_audit.base.tables import write_table
from latent_audit.figures.style import ARM_PALETTE, arm_colours, distinct
from latent_audit.report import gather
from latent_audit.report.gather import Gathered, few
from latent_audit.report.one_class import PUBLISHED, one_class_table, published
from latent_audit.report.page_budget import fitted_page
from latent_audit.report.pictures import reconstruction_rows
from latent_audit.report.verdicts import pairs_words

TEN = [f"digit_{k}" for k in range(10)]


@pytest.fixture
def restricted(study):
    """`ae` saw class 1, `vae` classes 0 and 2 of MNIST."""
    arms = {"ae": dict(study.arms["ae"]) | {"classes": [1]}, "vae": dict(study.arms["vae"]) | {"classes": [0, 2]}}
    found = {"mean": 0.9012, "low": 0.85, "high": 0.95, "n_seeds": 3, "values": [0.9, 0.9, 0.9]}
    metrics = {arm: dict(own) for arm, own in study.metrics.items()}
    metrics["ae"]["auroc_reconstruction_other_classes"] = found
    metrics["vae"]["auroc_kl_other_classes"] = found | {"low": None, "high": None}
    tables = {name: table for name, table in study.tables.items() if name not in ("classes", "separability")}
    return study._replace(
        arms=arms, metrics=metrics, meta=dict(study.meta) | {"dataset": "mnist", "classes": []}, class_colours=[],
        tables=tables, critic=dict(study.critic) | {"classes": ["a", "b", "c"]},
    )  # fmt: skip


def cells(table) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", str(table))
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_auroc_stands_arm_by_arm_beside_what_has_been_published(restricted, study):
    assert one_class_table(study) is None
    head, *rows = cells(one_class_table(restricted))
    assert head == ["arm", "reconstruction error", "KL", "Deep SVDD, Ruff et al. 2018"]
    assert rows == [["AE", "0.901 (0.850 to 0.950)", "–", "0.997"], ["VAE", "–", "0.901", "–"]]
    assert published("fashion_mnist", [1]) == published("mnist", [0, 1]) == "–"


def test_the_published_figures_are_those_that_the_study_is_held_to():
    with (ROOT / "benchmarks/published.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["study"] == "mnist_oneclass"]
    assert [row["arm"] for row in rows] == TEN
    assert tuple(float(row["published"]) for row in rows) == PUBLISHED["mnist"]


def test_a_page_of_such_arms_has_the_table_and_no_explorer(restricted, figures, pictures):
    shown = {"fig-detection": figures["fig-generation"]}
    tables = dict(restricted.tables)
    tables["anomaly"] = tables["joint"].assign(metric="auroc", of="reconstruction_other_classes")
    page = fitted_page(restricted._replace(tables=tables), shown, pictures, None)
    assert "AUROC by arm, test images of its own classes" in page and 'id="explorer"' not in page
    assert "each on its own, so nothing is shown by class" in page
    assert restricted.distance.metric == "fd_clf" and "have no classes that could be told apart" not in page


def test_arms_of_other_images_have_originals_of_their_own(pictures):
    names = {"ae": "AE", "vae": "VAE"}
    strips = re.findall(
        r"<span>(.*?)</span>", str(reconstruction_rows(pictures, names, of_each=True)[0].panels[0].body)
    )
    assert strips == ["AE, original", "AE", "VAE, original", "VAE"]
    strips = re.findall(r"<span>(.*?)</span>", str(reconstruction_rows(pictures, names)[0].panels[0].body))
    assert strips == ["original", "AE", "VAE"]


def test_figures_show_the_arms_that_have_a_colour_of_their_own():
    assert distinct(TEN) == TEN[: len(ARM_PALETTE) - 3]
    every = ["ae", "vae", "beta_vae", *TEN]
    colours = [arm_colours(every)[arm] for arm in distinct(every)]
    assert sorted(colours) == sorted(ARM_PALETTE)


def test_arms_beyond_the_palette_stay_in_tables_and_leave_figures(study):
    arms = dict.fromkeys(TEN, study.arms["ae"])
    table = study.tables["joint"]
    tables = {"joint": table.assign(arm=np.resize(TEN, len(table)))}
    many = study._replace(
        arms=arms, names={arm: arm for arm in TEN}, colours=dict.fromkeys(TEN, "--arm-0"), tables=tables
    )
    none = {arm: {} for arm in TEN}
    whole = Gathered(many, none, none, {}, {}, {}, None, (1, 8, 8))
    shown = few(whole)
    assert list(shown.codes) == list(shown.pictures) == list(shown.study.arms) == TEN[:5]
    assert set(shown.study.tables["joint"]["arm"]) <= set(TEN[:5])
    assert few(shown) is shown and len(whole.study.arms) == 10


def test_pairs_that_are_all_of_some_arms_are_those_arms():
    names = {arm: arm.upper() for arm in "abcd"}
    pairs = [(a, b) for a in "abcd" for b in "abcd" if a < b]
    assert pairs_words(pairs, names) == "any two of A, B, C, D"
    assert pairs_words(pairs[:2], names) == "A and B, A and C"


def test_a_study_of_autoencoders_alone_has_no_kl_to_show(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("per_dim", "joint", "reconstruction"):
        write_table(Path("diagnostics/ae") / f"{name}.csv", pd.DataFrame({"seed": [0], "value": [1.0]}))
    rows = {"seed": [0], "epoch": [1], "split": ["test"], "objective": [1.0], "recon_nll": [2.0]}
    write_table(Path("models/ae/history.csv"), pd.DataFrame(rows))
    history = gather._tables({"ae": {"beta_kl": None}})["history"]
    assert history["kl"].isna().all() and history["elbo"].isna().all() and history["recon_nll"].tolist() == [2.0]
