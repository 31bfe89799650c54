"""latent_audit.claims: an arm's answers, its spectrum and its critic, as a page says them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from latent_audit.base.tables import read_table, write_table
from latent_audit.claims.judgements import arm_judgement, poor_critic
from latent_audit.claims.spectrum import spectrum_over_seeds, units_of_arm


def verdicts(*answers, law="mixture"):
    rows = [
        {
            "seed": seed, "may_sample": answer, "sentence": f"seed {seed} says {answer}.",
            "why": "" if answer == "prior" else f"a hole of {seed}0%",
            "metric": "" if answer == "prior" else "hole_mass",
            "law": law if answer in ("fitted", "no") else "",
        }
        for seed, answer in enumerate(answers)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_seeds_that_agree_have_one_answer():
    found = arm_judgement(verdicts("fitted", "fitted", "fitted"))
    assert found.may_sample == "fitted" and found.answers == {"fitted": 3}
    assert found.deciding == {"hole_mass": 3} and found.laws == {"mixture": 3}
    assert found.sentence == (
        "Not from N(0, I), but from a law fitted to the codes (3 of 3 seeds). Fitted: a mixture of Gaussians. In seed "
        "0, a hole of 00%."
    )


def test_seeds_that_differ_are_mixed_and_counted(tmp_path):
    write_table(tmp_path / "verdict.csv", verdicts("no", "prior", "fitted", "prior"))  # empty cells come back as NaN
    found = arm_judgement(read_table(tmp_path / "verdict.csv"))
    assert found.may_sample == "mixed"
    assert list(found.answers.items()) == [("prior", 2), ("fitted", 1), ("no", 1)]
    assert found.sentence.startswith("N(0, I) may be sampled (2 of 4 seeds); not from N(0, I), but")
    assert found.laws == {"mixture": 1} and found.deciding == {"hole_mass": 2}


def test_one_seed_speaks_for_itself_and_all_yes_needs_no_reason():
    assert arm_judgement(verdicts("no")).sentence == "seed 0 says no."
    assert arm_judgement(verdicts("prior", "prior")).sentence == "N(0, I) may be sampled (2 of 2 seeds)."


def spectrum(kl_by_seed, active):
    rows = [
        (seed, rank, nats, nats / max(sum(kl), 1e-9), rank <= active[seed])
        for seed, kl in enumerate(kl_by_seed)
        for rank, nats in enumerate(kl, start=1)
    ]
    return pd.DataFrame(rows, columns=["seed", "rank", "kl_nats", "share", "is_active"])


def test_the_spectrum_over_seeds_is_students_interval_by_rank():
    found = spectrum_over_seeds(spectrum([[3.0, 0.1], [4.0, 0.0], [5.0, 0.0]], active=[2, 1, 1]))
    assert found["kl_nats"].tolist() == pytest.approx([4.0, 0.1 / 3])
    half = stats.t.ppf(0.975, 2) / np.sqrt(3)
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx([4 - half, 4 + half])
    assert found.loc[1, "low"] == 0 and found["active_seeds"].tolist() == [3, 1]


def test_units_are_counted_seed_by_seed_and_a_collapse_is_said(tmp_path):
    write_table(tmp_path / "spectrum.csv", spectrum([[3.0, 0.1], [4.0, 0.0], [0.0, 0.0]], active=[2, 1, 0]))
    units = units_of_arm(read_table(tmp_path / "spectrum.csv"))
    assert units.active == [2, 1, 0] and units.kl_nats == pytest.approx([3.1, 4.0, 0.0]) and units.latent_dim == 2
    assert units.sentence == (
        "0 to 2 of 2 dimensions are active in 3 seeds: 1 of 3 seeds have collapsed, and whatever is drawn there "
        "decodes to the same average."
    )
    assert (
        units_of_arm(spectrum([[3.0, 0.1]] * 2, active=[2, 2])).sentence == "2 of 2 dimensions are active in 2 seeds."
    )


def test_a_poor_critic_is_said_with_how_far_it_is_from_a_guess():
    said = poor_critic({"accuracy": 0.4, "majority_accuracy": 0.1, "poor": True})
    assert "40% of the test images" in said and "33% of the way" in said
    assert "0% of the way" in poor_critic({"accuracy": 0.4, "majority_accuracy": 0.5, "poor": True})
    assert poor_critic({"accuracy": 0.9, "majority_accuracy": 0.1, "poor": False}) == ""
    assert poor_critic({"accuracy": None, "majority_accuracy": None, "poor": False}) == ""
