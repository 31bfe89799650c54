"""What each arm's audits answer, and the spectrum of its KL, as the page gives them."""

import pandas as pd

from latent_audit.report.arm_answers import MOST_RANKS, arm_answers, spectrum_table


def verdicts(arm, answers):
    rows = [
        {"arm": arm, "seed": seed, "may_sample": answer, "sentence": "All of it.", "why": "half is short of codes",
         "metric": "hole_mass", "law": "mixture" if answer == "fitted" else ""}
        for seed, answer in enumerate(answers)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def spectrum(arm, kl):
    rows = [
        {"arm": arm, "seed": seed, "rank": rank, "dim": rank - 1, "kl_nats": nats, "share": nats / sum(kl),
         "is_active": nats > 0.1}
        for seed in (0, 1) for rank, nats in enumerate(kl, start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_each_arm_says_what_its_seeds_answer_and_how_many_dimensions_are_active(study):
    tables = {
        "verdict": pd.concat([verdicts("ae", ["no", "no"]), verdicts("vae", ["fitted", "prior"])]),
        "spectrum": spectrum("vae", [2.0, 1.0, 0.0]),
    }
    (ae, first), (vae, second) = arm_answers(study._replace(tables=tables))
    assert (ae, vae) == ("AE", "VAE")
    assert "(2 of 2 seeds)" in first and "active" not in first
    assert "(1 of 2 seeds)" in second and "2 of 3 dimensions are active in 2 seeds." in second


def test_without_verdicts_nothing_is_said(study):
    assert arm_answers(study._replace(tables={})) == []


def test_a_plane_has_no_table_and_more_dimensions_have_the_largest(study):
    arms = {arm: {**own, "latent_dim": 40} for arm, own in study.arms.items()}
    many = study._replace(arms=arms, tables={"spectrum": spectrum("vae", [40.0 - rank for rank in range(40)])})
    table = str(spectrum_table(many))
    assert table.count("(2 of 2)") == MOST_RANKS
    flat = many._replace(arms={arm: {**own, "latent_dim": 2} for arm, own in study.arms.items()})
    assert spectrum_table(flat) is None and spectrum_table(many._replace(tables={})) is None
