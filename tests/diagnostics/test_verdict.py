"""latent_audit.diagnostics.verdict: one answer, calibrated under the null, true to what is known of the codes."""

import numpy as np
import pytest

from import_graph import ROOT
from latent_audit.base.errors import InputError
from latent_audit.diagnostics.audit import audit
from latent_audit.diagnostics.tables_of_code import AuditSettings
from latent_audit.diagnostics.verdict import ANSWERS, REASONS

FAST = AuditSettings(null_draws=99, null_rows=300)


def verdict(z=None, **given):
    return audit(z, settings=FAST, **given).judgement


@pytest.mark.parametrize(("n", "d", "sets"), [(400, 2, 30), (400, 12, 12)])
def test_normal_codes_may_be_sampled_in_at_least_95_percent_of_sets(n, d, sets):
    draws = np.random.default_rng(11).standard_normal((sets, n, d))
    answers = [verdict(x).may_sample for x in draws]
    wrong = sum(answer != "prior" for answer in answers)
    assert wrong <= 0.05 * sets + 3 * np.sqrt(0.05 * 0.95 * sets)


@pytest.mark.parametrize(
    ("change", "answer", "words"),
    [
        (lambda x: np.column_stack([x, x[:, 0]]), "fitted", "dimensions 0, 10 are copies"),
        (lambda x: np.column_stack([x, -x[:, 3]]), "fitted", "dimensions 3, 10 are copies"),
        (lambda x: x + 0.6 * np.eye(10)[9], "fitted", "dimension 9"),
        (lambda x: x / np.linalg.norm(x, axis=1, keepdims=True) * np.sqrt(10), "no", "shell"),
    ],
)
def test_a_departure_is_named_by_its_dimensions(change, answer, words, rng):
    found = verdict(change(rng.standard_normal((1000, 10))))
    assert found.may_sample == answer
    assert words in found.sentence
    assert found.reasons["matters"].iloc[0]


def test_a_difference_too_small_to_matter_is_said_and_may_be_sampled(rng):
    x = rng.standard_normal((20_000, 2))
    x[:, 1] *= 0.95
    found = verdict(x)
    assert found.may_sample == "prior" and "too little to matter" in found.sentence
    assert found.reasons["differs"].any() and not found.reasons["matters"].any()


def test_a_dead_vae_has_nothing_to_sample(rng):
    mu, logvar = 1e-3 * rng.standard_normal((1000, 6)), 1e-3 * rng.standard_normal((1000, 6))
    found = verdict(mu=mu, logvar=logvar)
    assert found.may_sample == "no" and found.sentence.startswith("Nothing to sample")
    assert "Lower the weight on the KL" in found.advice[0]
    assert verdict(np.ones((100, 3))).sentence.startswith("Nothing to sample: all codes are the same")


def test_collapsed_dimensions_are_named_beside_the_answer(rng):
    mu = 0.9 * rng.standard_normal((2000, 4))
    logvar = np.full((2000, 4), np.log(1 - 0.81))
    mu[:, [1, 2]], logvar[:, [1, 2]] = 0.0, 0.0
    found = verdict(mu=mu, logvar=logvar)
    assert found.may_sample == "prior"
    assert found.advice[0].startswith("Drop the dimensions 1, 2: they carry nothing; the other 2 carry")


def test_few_codes_are_undecided(rng):
    assert verdict(rng.standard_normal((60, 2))).may_sample == "undecided"
    assert verdict(rng.standard_normal((60, 2)) + 3).may_sample in ("fitted", "no")


def test_what_is_recommended_can_be_sampled_and_beats_the_prior(rng):
    found = verdict(rng.standard_normal((2000, 2)) * [2.0, 0.4] + [1.0, 0.0])
    assert found.may_sample == "fitted" and found.prior is not None and found.fits is not None
    assert found.prior.sample(5000, rng).std(axis=0) == pytest.approx([2.0, 0.4], rel=0.1)
    by = found.fits.set_index("law")["log_likelihood"]
    assert by["gaussian"] > by["prior"]


def test_reasons_are_one_family_in_order(rng):
    reasons = verdict(rng.standard_normal((500, 3)) * [1.0, 1.0, 2.0]).reasons
    assert list(reasons.columns)[: len(REASONS)] == list(REASONS)
    assert (reasons["p_holm"] >= reasons["p_value"] - 1e-12).all()
    assert reasons["matters"].is_monotonic_decreasing
    assert reasons.loc[0, "metric"] in ("log_sd_max", "hole_mass", "c2st_auc", "ks_d_max", "radius_ks")


@pytest.mark.parametrize("d", [2, 10])
def test_each_kind_of_departure_has_its_answer(d, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from departures import DEPARTURES

    small = {"none: N(0, I)", "variance 0.9 in one dimension", "correlation 0.1 of one pair"}
    for number, (name, draw) in enumerate(DEPARTURES.items()):
        codes = draw(np.random.default_rng([3, number]), 1000, d)
        found = audit(codes, settings=AuditSettings(null_draws=59)).judgement
        assert found.may_sample in ANSWERS
        assert (found.may_sample == "prior") == (name in small), f"{name}, d {d}: {found.sentence}"


def test_the_same_seed_gives_the_same_verdict(rng):
    x = rng.standard_normal((300, 2)) * 1.5
    first, second = verdict(x), verdict(x)
    assert first.sentence == second.sentence and first.reasons.equals(second.reasons)


def test_the_answer_is_at_hand_in_python_and_in_a_notebook(rng):
    wide = audit(3 * rng.standard_normal((500, 2)), settings=FAST)
    assert wide.may_sample == "fitted" and wide.verdict == wide.judgement.sentence
    assert wide.reasons["differs"].all() and wide.reasons["matters"].iloc[0]
    assert wide.recommended_prior().sample(4000, rng).std() == pytest.approx(3, rel=0.1)
    assert "<strong>Not from N(0, I)" in wide._repr_html_() and "<table" in wide._repr_html_()
    normal = audit(rng.standard_normal((500, 2)), settings=FAST)
    assert len(normal.reasons) == 0
    assert normal.recommended_prior().sample(4000, rng).std() == pytest.approx(1, rel=0.1)
    of_seed, of_generator = (normal.recommended_prior().sample(4, of) for of in (7, np.random.default_rng(7)))
    np.testing.assert_array_equal(of_seed, of_generator)
    with pytest.raises(InputError, match="recommended_prior: there is none"):
        audit(np.zeros((100, 2)), settings=FAST).recommended_prior()


def test_a_dimension_of_one_value_is_said_in_words_not_by_an_infinite_factor(rng):
    x = rng.standard_normal((400, 4))
    x[:, 2] = 0.0
    found = verdict(x)
    assert "dimension 2 has one value in all codes" in found.sentence
    assert "inf" not in found.sentence.split()
