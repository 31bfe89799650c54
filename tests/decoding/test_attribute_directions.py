"""Attribute vectors, analogies and morphs in worlds whose answers are known."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from latent_audit.base.errors import InputError
from latent_audit.critic.network import Critic
from latent_audit.data.prepared import Meta
from latent_audit.decoding.attribute_arithmetic import (
    MEANS,
    PROBE,
    TRIPLES,
    analogies,
    analogy,
    changes,
    directions_of,
    effect_table,
    great_circle_middle,
    halves_of,
    kept_ends,
    leakage,
)
from latent_audit.decoding.attribute_directions import MEASURE, chosen_of
from latent_audit.decoding.attribute_judge import Attributes, enough, fit_judge
from latent_audit.decoding.attribute_pictures import attribute_pictures
from latent_audit.decoding.beside import attributes_of
from latent_audit.decoding.subject import DecoderSubject
from latent_audit.models.autoencoder import Autoencoder, ModelSpec
from latent_audit.models.image import ImageShape

CPU = torch.device("cpu")
IMAGE = ImageShape(1, 8, 8)
NAMES = ("Male", "Eyeglasses", "Smiling")
HALF = np.full(3, 0.5)
CROSSED = np.array(list(itertools.product([False, True], repeat=3)))  # every combination once


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def planted(n: int = 40, latent: int = 5, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes whose attribute k adds a vector of its own; the rest of a code is the same for every combination."""
    vectors = rng(1).standard_normal((3, latent))
    has = np.repeat(CROSSED, n, axis=0)
    rest = np.tile(noise * rng(2).standard_normal((n, latent)), (len(CROSSED), 1))
    return has @ vectors + rest, has, vectors


def test_a_planted_direction_is_recovered():
    codes, has, vectors = planted()
    np.testing.assert_allclose(directions_of(codes, has)[MEANS], vectors, atol=1e-6)


def test_the_probe_is_as_long_and_points_along_a_direction_where_the_rest_is_round():
    has = np.repeat([[False], [True]], 2_000, axis=0)
    codes = rng().standard_normal((4_000, 3)) + has * np.array([0.0, 2.0, 0.0])
    found = directions_of(codes, has)
    lengths = {by: np.linalg.norm(one) for by, one in found.items()}
    assert lengths[PROBE] == pytest.approx(lengths[MEANS])
    assert (found[PROBE][0] / lengths[PROBE])[1] > 0.99


def solving(vectors: np.ndarray):
    """The scores that a linear world gives: 1 along a direction of its own, 0 along the others."""
    return lambda z: z @ np.linalg.pinv(vectors)


def test_a_direction_that_changes_one_attribute_leaks_nothing():
    codes, has, vectors = planted()
    table = effect_table(codes, NAMES, directions_of(codes, has), NAMES, solving(vectors))
    change = changes(table)
    np.testing.assert_allclose(change.to_numpy(), 4 * np.eye(3), atol=1e-6)
    assert list(change.index) == list(change.columns) == list(NAMES)
    for over in (np.max, np.mean):
        np.testing.assert_allclose(list(leakage(change, over).values()), 0, atol=1e-6)
    curve = table[(table["by"] == MEANS) & (table["attribute"] == "Male") & (table["on"] == "Male")]
    np.testing.assert_allclose(curve["effect"], curve["alpha"], atol=1e-6)


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [(1.0, 0.0, 0.0), (1.0, 1.0, 0.5), (1.0, -1.0, 0.5), (4.0, 1.0, 0.2), (0.0, 1.0, 1.0), (-2.0, 1.0, 1.0),
     (0.0, 0.0, np.nan)],
)  # fmt: skip
def test_leakage_by_hand(own, other, expected):
    change = pd.DataFrame([[own, other, 0.0]], index=["a"], columns=["a", "b", "c"])
    assert leakage(change, np.max)["a"] == pytest.approx(expected, nan_ok=True)


def test_leakage_of_a_single_attribute_is_unknown():
    assert np.isnan(leakage(pd.DataFrame([[1.0]], index=["a"], columns=["a"]), np.max)["a"])


def test_analogies_come_out_in_a_linear_world_and_are_at_chance_on_shuffled_attributes():
    codes, has, vectors = planted(noise=0.01)
    score = solving(vectors)
    found = analogies(codes, Attributes(NAMES, {"test": has}), "test", NAMES, score, HALF, rng=rng())
    assert [(one.attribute, one.other) for one in found] == [("Eyeglasses", "Male"), ("Smiling", "Male")]
    assert [one.success for one in found] == [1.0, 1.0]
    shuffled = has[rng(3).permutation(len(has))]
    by_chance = analogies(codes, Attributes(NAMES, {"test": shuffled}), "test", NAMES, score, HALF, rng=rng())
    within = 4 * 0.5 / np.sqrt(TRIPLES)  # one of four combinations comes out, give or take
    for one in by_chance:
        assert abs(one.success - 0.25) < within and abs(one.chance - 0.25) < within


def test_an_analogy_of_codes_that_are_too_rare_is_unknown():
    first, second = np.array([[True] * 9 + [False] * 2, [True] * 5 + [False] * 6])
    assert np.isnan(analogy(np.zeros((11, 2)), (first, second), lambda z: (z[:, 0], z[:, 1]), (0.5, 0.5), rng=rng()))


def test_a_half_lies_between_the_means_of_both_kinds():
    scores, has = (
        np.array([[1.0, 5.0], [3.0, 5.0], [10.0, 5.0]]),
        np.array([[False, True], [False, True], [True, True]]),
    )
    np.testing.assert_array_equal(halves_of(scores, has), [6.0, np.nan])


def test_the_middle_of_a_great_circle():
    first, second = np.array([[2.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 2.0], [-1.0, 0.0], [1.0, 1.0]])
    expected = np.array([[2**0.5, 2**0.5], [0.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(great_circle_middle(first, second), expected, atol=1e-12)


def test_what_a_middle_keeps():
    first, second = np.array([[0.0], [100.0]]), np.array([[2.0], [104.0]])
    ratio, nearer = kept_ends((first + second) / 2, first, second)
    assert ratio == pytest.approx(((1 + 2) / 2) / ((104 + 98) / 2)) and nearer == 1
    assert kept_ends(np.roll(first, 1, axis=0), first, second)[1] == 0


def test_the_judge_is_calibrated_on_test_pictures():
    has = np.repeat(CROSSED, 10, axis=0)
    inputs = np.concatenate([3.0 * has - 1, rng().standard_normal((len(has), 1))], axis=1)
    judge = fit_judge(inputs, has, inputs, has, rng=rng())
    np.testing.assert_allclose([judge.auc, judge.accuracy], 1)
    scores = judge.scores(inputs)
    assert scores[has[:, 0], 0].mean() == pytest.approx(1)
    assert scores[~has[:, 0], 0].mean() == pytest.approx(0)


def test_a_judge_of_nothing_is_at_chance():
    has = rng().random((2_000, 1)) < 0.5
    judge = fit_judge(rng(1).standard_normal((2_000, 4)), has, rng(2).standard_normal((2_000, 4)), has, rng=rng())
    assert abs(judge.auc[0] - 0.5) < 0.05


def test_an_attribute_of_all_pictures_cannot_be_judged():
    with pytest.raises(InputError, match="every attribute needs pictures with it and without it"):
        fit_judge(np.zeros((4, 1)), np.ones((4, 1), bool), np.zeros((4, 1)), np.ones((4, 1), bool), rng=rng())
    rare = {"train": np.arange(30)[:, None] < [9, 10], "test": np.arange(30)[:, None] < [15, 20]}
    assert enough(Attributes(("rare", "not"), rare)).names == ("not",)


def test_which_directions_are_asked_for():
    assert chosen_of(("Bald", "Male", "Smiling")) == ("Smiling", "Male")
    assert chosen_of(("red", "large")) == ("red", "large")


class Quarters(Autoencoder):
    """A decoder whose dimension k sets the brightness of the quarter k of the picture; the fourth stays dark."""

    def __init__(self):
        nn.Module.__init__(self)
        self.spec = ModelSpec("ae", "conv", IMAGE, 3)

    def decode(self, z, condition=None):
        picture = torch.full((len(z), *IMAGE), -3.0)
        for k, (row, column) in enumerate([(0, 0), (0, 4), (4, 0)]):
            picture[:, :, row : row + 4, column : column + 4] = z[:, k, None, None, None]
        return picture


class Blind(Critic):
    """A critic without classes, whose features are two pixels: all else is judged by the pixels themselves."""

    def __init__(self):
        nn.Module.__init__(self)
        self.classify = None

    def features(self, x):
        return x[:, 0, 0, [0, 4]]


def quarters_subject(has: np.ndarray | None) -> DecoderSubject:
    """Images of crossed attributes, each one quarter brighter, as their codes decode."""
    crossed = np.repeat(CROSSED, 20, axis=0)
    codes = 1.0 * crossed - 0.5
    with torch.no_grad():
        images = Quarters().decode(torch.tensor(codes)).sigmoid().mul(255).round().byte().numpy()
    stored = {"mu": codes, "z": codes, "train_mu": codes, "train_z": codes, "labels": np.zeros(len(codes), int)}
    attributes = None if has is None else Attributes(NAMES, {"train": has, "test": has})
    both = {"train": images, "test": images}
    return DecoderSubject(stored, Quarters(), Blind(), both, pd.DataFrame(), "bce", 0, CPU, attributes=attributes)


def test_a_decoder_that_changes_one_attribute_alone_leaks_nothing_through_pictures_and_their_judge():
    subject = quarters_subject(np.repeat(CROSSED, 20, axis=0))
    table = MEASURE.of(subject)
    assert table is not None
    rows = table.set_index(["metric", "of"])["value"]
    assert rows["judge_auc", "raw"] == 1
    assert rows["leakage", "raw"] == pytest.approx(0, abs=1e-6)
    assert rows["attribute_effect", "Male"] > 2  # of two real gaps either way, less what the sigmoid bends
    assert rows["analogy_success", "Eyeglasses_Male"] == 1
    assert subject.attribute_study is not None
    effects = subject.attribute_study.effects
    assert list(effects.columns) == ["attribute", "by", "alpha", "on", "effect"]
    assert len(effects) == 3 * 2 * 5 * 3
    apart = effects[effects["attribute"] != effects["on"]]
    np.testing.assert_allclose(apart["effect"], 0, atol=1e-6)


def test_attributes_that_no_picture_shows_are_not_judged():
    shuffled = np.repeat(CROSSED, 20, axis=0)[rng(5).permutation(160)]
    assert MEASURE.of(quarters_subject(shuffled)) is None


def test_without_attributes_the_measure_does_not_apply():
    assert "attributes" not in quarters_subject(None).there
    assert MEASURE.needs <= quarters_subject(np.repeat(CROSSED, 20, axis=0)).there


def test_a_strip_shows_the_average_with_less_and_more_of_each_attribute():
    subject = quarters_subject(np.repeat(CROSSED, 20, axis=0))
    made = attribute_pictures(subject.model, subject.codes, subject.attributes, device=CPU)
    assert made["attribute_names"].tolist() == ["Smiling", "Eyeglasses", "Male"]  # in the order of preference
    smiling = made["attribute_strips"][0].astype(int)
    assert smiling.shape == (9, 1, 8, 8)
    assert (np.diff(smiling[:, 0, 4, 0]) > 0).all()  # its own quarter brightens, step by step
    np.testing.assert_array_equal(smiling[:, :, :4], np.broadcast_to(smiling[4, :, :4], (9, 1, 4, 8)))
    assert attribute_pictures(subject.model, subject.codes, None, device=CPU) == {}


def test_attributes_are_read_of_both_splits_and_of_the_classes_that_an_arm_sees(tmp_path):
    def save(name: str, values: np.ndarray) -> None:
        np.save(tmp_path / f"{name}.npy", values)

    for split in ("train", "test"):
        save(f"attributes_{split}", np.array([[1, -1], [-1, 1], [1, 1]]))
        save(f"{split}_labels", np.array([0, 1, 1]))
    fields = dict.fromkeys(Meta._fields, 0) | {"columns": {"attributes": ["a", "b"]}}
    (tmp_path / "meta.json").write_text(json.dumps(fields))
    found = attributes_of(tmp_path)
    assert found is not None and found.names == ("a", "b")
    assert found.has["test"].tolist() == [[True, False], [False, True], [True, True]]
    seen = attributes_of(tmp_path, [1])
    assert seen is not None and seen.has["train"].tolist() == [[False, True], [True, True]]
    (tmp_path / "meta.json").write_text(json.dumps(fields | {"columns": {}}))
    assert attributes_of(tmp_path) is None
