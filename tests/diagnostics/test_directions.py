"""Directions of planted attributes, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from latent_audit import AuditSettings, audit
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.directions import directions, of_attributes, tidy
from latent_audit.diagnostics.rank_auc import rank_auc

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)


@pytest.fixture
def planted(rng):
    """Pairs of codes that differ by a known vector, each pair the same noise: the difference of means is the vector."""
    noise = rng.standard_normal((200, 5))
    vector = np.array([1.0, -2.0, 0.5, 0.25, 3.0])
    return np.concatenate([noise, noise + vector]), np.repeat([False, True], 200)[:, None], vector


def unit_of(table: pd.DataFrame, row: int = 0) -> np.ndarray:
    return table.filter(regex="^unit_").to_numpy()[row]


def test_a_planted_direction_is_recovered(planted, rng):
    codes, has, vector = planted
    table = directions(codes, has, ("smile",), rng=rng)
    assert table["direction"].tolist() == ["smile"]
    assert np.allclose(unit_of(table) * table["length"][0], vector, rtol=0, atol=1e-6)
    assert table["length"][0] == pytest.approx(np.linalg.norm(vector), abs=1e-6)
    assert table[["n_with", "n_without"]].to_numpy().tolist() == [[200, 200]]
    assert np.isnan(table["cosine_max"][0])  # there is no other


def test_effect_and_auc_are_those_of_two_normals(rng):
    """N(0, 1) against N(2, 1) along one of three axes: d = 2, AUC = Phi(2 / sqrt 2) = 0.9214 (Hanley & McNeil)."""
    has = np.arange(20_000) % 2 == 1
    codes = rng.standard_normal((20_000, 3))
    codes[has, 1] += 2
    row = directions(codes, has[:, None], ("a",), rng=rng).iloc[0]
    assert row["effect_size"] == pytest.approx(2.0, abs=5 * np.sqrt(4 / 20_000 + 1 / 10_000))
    assert row["auc"] == pytest.approx(0.92135, abs=0.01)
    assert row["probe_cosine"] == pytest.approx(1.0, abs=0.01)
    assert row["probe_auc"] == pytest.approx(row["auc"], abs=0.01)


def test_chance_is_not_an_effect(rng):
    """Labels dealt out: in as many dimensions as codes allow, samples that a direction was made of would show one."""
    codes, has = rng.standard_normal((200, 150)), rng.permutation(200) < 100
    row = directions(codes, has[:, None], ("a",), rng=rng).iloc[0]
    assert row["auc"] == pytest.approx(0.5, abs=0.15)
    assert abs(row["effect_size"]) < 0.5


def test_cosines_between_directions(rng):
    codes, has = (
        np.zeros((400, 2)),
        np.stack([np.arange(400) % 2 == 0, np.arange(400) % 4 < 2, rng.random(400) < 0.5], 1),
    )
    codes[:, 0] += has[:, 0] + 0.001 * rng.standard_normal(400)
    codes[:, 1] += has[:, 1] + 0.001 * rng.standard_normal(400)
    table = directions(codes, has[:, [0, 1, 0]], ("x", "y", "again"), rng=rng)
    assert table["cosine_y"][0] == pytest.approx(0.0, abs=1e-3)
    assert table["cosine_again"][0] == pytest.approx(1.0)
    assert table["cosine_max"].to_numpy()[[0, 2]].tolist() == pytest.approx([1.0, 1.0])
    rows = tidy(table)
    assert list(rows) == ["direction", "metric", "value"]
    assert len(rows) == 18


def test_codes_without_spread_have_no_direction(rng):
    row = directions(np.zeros((40, 2)), (np.arange(40) % 2 == 0)[:, None], ("a",), rng=rng).iloc[0]
    assert row["length"] == 0
    assert row["effect_size"] == 0
    assert row["auc"] == 0.5
    assert np.isnan(row["probe_cosine"])


def test_each_attribute_has_metrics_of_its_own():
    found = {metric.name: metric for metric in of_attributes(["Blond_Hair", "Blond_Hair", "not plain"])}
    assert len(found) == 6
    assert found["auc_Blond_Hair"].words.endswith(", Blond Hair")


def test_auc_of_ranks_by_hand():
    """Of the pairs (2, 1), (2, 3), (3, 1), (3, 3): above, below, above, tied."""
    assert rank_auc(np.array([2, 3, 1, 3]), np.array([True, True, False, False])) == pytest.approx(2.5 / 4)
    assert np.isnan(rank_auc(np.array([1.0, 2.0]), np.array([True, True])))


def test_an_audit_takes_attributes_of_either_kind_and_the_names_of_a_frame(planted):
    codes, has, _ = planted
    other = np.arange(400) % 4 < 2
    ones = np.stack([has[:, 0], other], axis=1).astype(int)
    found = audit(codes, attributes=pd.DataFrame({"Smiling": ones[:, 0], "Male": ones[:, 1]}), settings=FAST)
    assert found.directions is not None
    assert found.directions["direction"].tolist() == ["Smiling", "Male"]
    signed = audit(codes, attributes=2 * ones - 1, settings=FAST).directions
    assert signed is not None
    assert signed["direction"].tolist() == ["0", "1"]
    assert signed.filter(regex="^unit_").equals(found.directions.filter(regex="^unit_"))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (np.arange(60) % 3, "must be 0 or 1 .* found 0, 1, 2"),
        (np.arange(60) % 3 - 1, "found -1, 0, 1"),
        (np.ones(60), "attribute 0 is there in 60 of 60 rows"),
        (np.arange(50) % 2, "50 rows for 60 codes"),
        (np.array(["yes", "no"] * 30), "got dtype"),
        (np.full(60, np.nan), "found nan"),
    ],
)
def test_attributes_that_are_none_are_refused_in_words(attributes, message, rng):
    with pytest.raises(InputError, match=message):
        audit(rng.standard_normal((60, 2)), attributes=attributes, settings=FAST)
