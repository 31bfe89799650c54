"""Measures and pictures of families that decode under a label, or from indices, on tiny networks."""

import numpy as np
import pandas as pd
import pytest
import torch

from latent_audit.base.tables import read_json, write_json
from latent_audit.claims.observations import summarise
from latent_audit.critic.network import build_critic
from latent_audit.decoding.asked_class import MEASURE as ASKED
from latent_audit.decoding.asked_class import asked_class
from latent_audit.decoding.beside import applies_to, beside_of
from latent_audit.decoding.codebook_use import MEASURE as CODEBOOK
from latent_audit.decoding.codebook_use import normalised_error
from latent_audit.decoding.conditioned import labels_like, why_no_explorer
from latent_audit.decoding.decoder import write_decoder_of
from latent_audit.decoding.diagnosis import every_registered, tables_of_arm
from latent_audit.decoding.discrete_generation import MEASURE as GRIDS
from latent_audit.decoding.generation import MEASURE as GENERATION
from latent_audit.decoding.pictures import draw_pictures
from latent_audit.decoding.replicate_tables import measure_codes
from latent_audit.decoding.subject import DecoderSubject
from latent_audit.diagnostics.audit import AuditSettings
from latent_audit.encoding.encode import encode_test_and_train
from latent_audit.models.autoencoder import ModelSpec, build
from latent_audit.models.image import ImageShape
from splits import make_splits

CPU, IMAGE = torch.device("cpu"), ImageShape(1, 16, 16)
SPECS = {
    "vae": ModelSpec("vae", "dense", IMAGE, 2, {"widths": (8,)}, n_classes=5),
    "cvae": ModelSpec("cvae", "dense", IMAGE, 2, {"widths": (8,)}, n_classes=5),
    "vqvae": ModelSpec("vqvae", "grid", IMAGE, 48, {"widths": (4, 4)}, 5, {"entries": 8, "positions": 16}),
}
FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)


def subject_of(family: str) -> DecoderSubject:
    model, splits = build(SPECS[family], seed=0).eval(), make_splits()
    codes = encode_test_and_train(model, splits, reconstruction="bce", seed=0, device=CPU)
    codes = {name: a.astype(np.float64) if a.dtype.kind == "f" else a for name, a in codes.items()}
    images = {name: split.images for name, split in splits.items()}
    return DecoderSubject(codes, model, build_critic(IMAGE, 5, seed=0), images, pd.DataFrame(), "bce", 0, CPU)


@pytest.fixture(scope="module")
def subjects() -> dict[str, DecoderSubject]:
    return {family: subject_of(family) for family in SPECS}


def test_the_share_that_is_drawn_as_asked_and_its_interval():
    """8 of 10 right: Clopper-Pearson 0.4439 to 0.9748, as in every table; of class 1 three of five."""
    asked = np.repeat([0, 1], 5)
    named = np.array([0, 0, 0, 0, 0, 1, 1, 1, 0, 0])
    found = asked_class(asked, np.eye(2)[named])
    assert found["asked_accuracy"] == 0.8
    assert found["asked_low"] == pytest.approx(0.4439, abs=1e-4)
    assert found["asked_high"] == pytest.approx(0.9748, abs=1e-4)
    assert found["asked_worst"] == 0.6
    assert asked_class(asked, np.eye(2)[asked])["asked_high"] == 1
    assert asked_class(asked, np.eye(2)[1 - asked])["asked_low"] == 0


def test_labels_dealt_out_anew_are_at_chance():
    """A model whose labels are shuffled draws a class of its own choice: one in five is the one asked for."""
    asked, rng = np.repeat(np.arange(5), 400), np.random.default_rng(7)
    found = asked_class(rng.permutation(asked), np.eye(5)[asked])
    assert found["asked_low"] < 0.2 < found["asked_high"]


def test_only_a_model_that_is_told_labels_is_asked_for_classes(subjects):
    assert ASKED.of(subjects["vae"]) is None
    found = ASKED.of(subjects["cvae"])
    assert found is not None
    assert 0 <= found.set_index("metric")["value"]["asked_accuracy"] <= 1


def test_labels_of_draws_are_as_frequent_as_those_of_the_images(subjects):
    rng = np.random.default_rng(0)
    labels = labels_like(subjects["cvae"].model, np.array([3, 3, 3, 1]), 2000, rng=rng)
    assert labels is not None
    assert (labels == 3).mean() == pytest.approx(0.75, abs=5 * np.sqrt(0.19 / 2000))
    assert set(labels) == {1, 3}
    assert labels_like(subjects["vae"].model, np.array([3, 1]), 5, rng=rng) is None


def test_a_conditional_model_is_scored_and_shown_under_labels(subjects):
    table = GENERATION.of(subjects["cvae"])
    assert table is not None
    assert {"prior", "gmm", "reconstruction", "test_floor"} <= set(table["sampler"])
    own = subjects["cvae"]
    shown = draw_pictures(own.model, dict(own.codes), own.images["test"], seed=0, device=CPU)
    assert shown["asked"].shape == (5, 10, 1, 16, 16)
    assert (shown["asked"][0] != shown["asked"][1]).any()
    assert shown["lattice"].shape == (21, 21, 1, 16, 16)


def test_the_codebook_of_a_model(subjects):
    table = CODEBOOK.of(subjects["vqvae"])
    assert table is not None
    found = table.set_index("metric")["value"]
    counts = np.bincount(subjects["vqvae"].codes["indices"].ravel(), minlength=8)
    share = counts[counts > 0] / counts.sum()
    assert found["perplexity"] == pytest.approx(np.exp(-(share * np.log(share)).sum()))
    assert found["dead_codes"] == (counts == 0).sum()
    assert [found["bits_per_sample"], found["bits_uniform"]] == pytest.approx([48, 48])
    assert found["bits_marginal"] <= found["bits_uniform"]
    assert CODEBOOK.of(subjects["vae"]) is None


def test_the_normalised_error_by_hand():
    """Pixels 0 and 1 in equal parts vary by 1/4; an error of 0.05 is a fifth of it."""
    images = np.array([0, 255], dtype=np.uint8).reshape(1, 1, 1, 2)
    assert normalised_error(np.array([0.05]), images) == pytest.approx(0.2)
    assert np.isnan(normalised_error(np.array([0.05]), np.zeros((1, 1, 2, 2), np.uint8)))


def test_grids_of_three_priors_are_decoded_and_scored(subjects):
    table = GRIDS.of(subjects["vqvae"])
    assert table is not None
    assert list(table) == ["sampler", "metric", "value"]
    assert set(table["sampler"]) == {"uniform", "marginal", "autoregressive", "reconstruction", "test_floor"}
    assert GRIDS.of(subjects["vae"]) is None
    own = subjects["vqvae"]
    shown = draw_pictures(own.model, dict(own.codes), own.images["test"], seed=0, device=CPU)
    assert shown["samples_autoregressive"].shape == (24, 1, 16, 16)
    assert "lattice" not in shown


def test_a_discrete_code_has_no_row_of_normality(subjects):
    own = subjects["vqvae"]
    tables, maps = measure_codes(
        dict(own.codes), own.model, own.critic, list("abcde"), seed=0, settings=FAST, device=CPU
    )  # fmt: skip
    assert maps is None
    assert {name: len(table) for name, table in tables.items()} == {"per_dim": 0, "joint": 0, "transforms": 0}
    assert "ks_d" in tables["per_dim"]


def test_the_tables_of_a_discrete_arm_are_summed_up_without_rows_of_normality(subjects):
    own = subjects["vqvae"]
    tables, _ = measure_codes(dict(own.codes), own.model, own.critic, list("abcde"), seed=0, settings=FAST, device=CPU)
    book = CODEBOOK.of(own)
    assert book is not None
    measured = [({**tables, "codebook": book}, None)] * 2
    seeds = [({name: table.assign(seed=seed) for name, table in made.items()}, maps)
             for seed, (made, maps) in enumerate(measured)]  # fmt: skip
    whole = tables_of_arm(seeds, {0: own.codes["mu"], 1: own.codes["mu"]})
    assert len(whole["agreement"]) == 0
    summary = summarise(whole, every_registered())
    assert set(summary["metric"]) == set(book["metric"])
    assert set(summary["code"]) == {"z"}


def test_factors_and_attributes_of_the_prepared_data(prepared):
    """What a small choice of images leaves constant, or as good as, is left out."""
    write_json(prepared / "meta.json", read_json(prepared / "meta.json") | {
        "columns": {"factors": ["x", "still"], "attributes": ["Rare", "Smiling"]}
    })  # fmt: skip
    x = np.repeat([0.5, 0.75], 20)
    np.save(prepared / "factors_test.npy", np.stack([x, np.ones(40)], axis=1).astype(np.float32))
    rare, half = np.arange(40) < 3, np.arange(40) % 2
    np.save(prepared / "attributes_test.npy", np.stack([rare, half], axis=1).astype(np.uint8))
    found = beside_of(prepared)
    assert found["factors"].tolist() == [[0]] * 20 + [[1]] * 20
    assert list(found["attributes"]) == ["Smiling"]
    assert found["attributes"]["Smiling"].tolist() == half.tolist()
    labels = np.load(prepared / "test_labels.npy")
    own = beside_of(prepared, [0, 2, 3])  # of an arm that sees three classes
    np.testing.assert_array_equal(own["attributes"]["Smiling"], half[np.isin(labels, [0, 2, 3])])
    assert len(own["factors"]) == np.isin(labels, [0, 2, 3]).sum()


def test_a_data_set_without_them_has_none(prepared):
    assert beside_of(prepared) == {}


def test_they_give_a_study_tables_of_their_own(subjects):
    own = subjects["vae"]
    factors = np.stack([np.arange(40) % 2, np.arange(40) // 2 % 2], axis=1)
    beside = {"factors": factors, "attributes": pd.DataFrame(factors, columns=["Smiling", "Male"])}
    tables, _ = measure_codes(
        dict(own.codes), own.model, own.critic, list("abcde"), seed=0, settings=FAST, device=CPU, beside=beside
    )  # fmt: skip
    assert list(tables["disentanglement"]) == ["metric", "value", "chance"]
    assert set(tables["directions"]["direction"]) == {"Smiling", "Male"}


def test_what_a_family_rules_out_is_not_measured(subjects):
    applies = applies_to(subjects["vqvae"].model.family, lambda measure: True)
    assert not applies(GENERATION)
    assert applies(GRIDS)


def test_the_page_is_told_why_it_cannot_decode(subjects, tmp_path):
    for family, words in (("cvae", "under a label"), ("vqvae", "indices of a codebook")):
        assert words in why_no_explorer(subjects[family].model)
        write_decoder_of(tmp_path / family, subjects[family].model, codes=np.eye(2))
        assert words in (tmp_path / family / "no-decoder.txt").read_text(encoding="utf-8")
    assert why_no_explorer(subjects["vae"].model) == ""
