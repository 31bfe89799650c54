"""latent_audit.claims.effects on observations made by hand."""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from latent_audit.base.errors import InputError
from latent_audit.base.measures import described
from latent_audit.claims.effects import COLUMNS, claims_table, effects_by_unit
from latent_audit.claims.intervals import mean_interval, next_interval, p_against
from latent_audit.claims.ledger import CLAIMS
from latent_audit.claims.observations import DESCRIBED
from latent_audit.claims.verdicts import VERDICTS
from latent_audit.decoding.diagnosis import every_registered

KNOWN = described(every_registered()) | {metric.name: metric for metric in DESCRIBED}
ARMS = {"ae": None, "vae": 1.0, "beta_vae": 4.0}
MARGINS = {
    **{claim.margin: 0.1 for claim in CLAIMS},
    "centre_offset": 0.1, "hole_fraction": 0.05, "ks_d": 0.05, "recon_nats": 1.0, "fd_log_ratio": 0.1,
}  # fmt: skip
NAN = np.nan


def scores(metric: str, code: str = "z", **of_arms: list[float] | dict[int, float]) -> pd.DataFrame:
    """Tidy rows of one metric; a list of values stands for seeds 0, 1, 2, ..."""
    rows = [
        (arm, seed, code, metric, value)
        for arm, values in of_arms.items()
        for seed, value in (values.items() if isinstance(values, Mapping) else enumerate(values))
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "code", "metric", "value"])


def described_arms(weights: Mapping[str, float | None]) -> dict[str, dict]:
    """arm.json of arms that differ in nothing but role and weight; None: an autoencoder."""
    return {
        arm: {"role": "autoencoder" if beta_kl is None else "vae", "family": "ae" if beta_kl is None else "vae",
              "beta_kl": beta_kl, "epochs": 5, "latent_dim": 2}
        for arm, beta_kl in weights.items()
    }  # fmt: skip


def table(*observed: pd.DataFrame, arms: Mapping[str, float | None] = ARMS, **margins: float) -> pd.DataFrame:
    return claims_table(pd.concat(observed, ignore_index=True), described_arms(arms), MARGINS | margins, KNOWN)


def only(found: pd.DataFrame, claim_id: str) -> pd.Series:
    (row,) = (row for _, row in found.iterrows() if row["claim_id"] == claim_id)
    return row


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.50, 0.52, 0.51], "supported"), ([0.01, 0.02, 0.01], "negligible"), ([0.05, 0.2, 0.1], "inconclusive"),
     ([0.5], "inconclusive")],
)  # fmt: skip
def test_a_claim_of_one_arm(values, expected):
    row = only(table(scores("centre_offset", ae=values)), "ae_off_centre")
    interval = mean_interval(values)
    assert row["verdict"] == expected
    assert (row["effect"], row["n_seeds"]) == (interval.mean, len(values))
    np.testing.assert_array_equal([row["low"], row["high"]], [max(interval.low, 0), interval.high])
    assert (row["arms"], row["code"], row["statistic"]) == ("ae", "z", "centre_offset")
    assert (row["margin"], row["direction"], row["figure"]) == (0.1, ">", "fig-codes")
    assert json.loads(row["values"]) == values


def test_a_claim_of_every_vae():
    found = table(scores("ks_d_max", vae=[0.10, 0.11, 0.12], beta_vae=[0.010, 0.012, 0.011]))
    assert found[["claim_id", "arms", "verdict"]].to_numpy().tolist() == [
        ["vae_marginals", "vae", "contradicted"], ["vae_marginals", "beta_vae", "supported"],
    ]  # fmt: skip


def test_a_difference_is_paired_by_the_seed():
    # the seeds differ wildly, the arms by 0.2 within each seed
    base, noise = [0.1, 0.9, 0.5, 0.3], [0.001, -0.001, 0.002, -0.002]
    found = table(scores("hole_fraction", ae=[b + 0.2 + e for b, e in zip(base, noise, strict=True)], vae=base),
                  arms={"ae": None, "vae": 1.0})  # fmt: skip
    row = only(found, "ae_holes")
    assert row["effect"] == pytest.approx(0.2)
    assert row["verdict"] == "supported"
    expected = mean_interval([0.2 + e for e in noise])
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    unpaired = stats.ttest_ind([b + 0.2 for b in base], base).confidence_interval(0.95)
    assert row["high"] - row["low"] < 0.02 * (unpaired.high - unpaired.low)
    assert row["statistic"] == "difference of hole_fraction"
    assert row["arms"] == "ae vs vae"
    np.testing.assert_allclose(json.loads(row["values"]), [0.201, 0.199, 0.202, 0.198])


def test_pairs_are_found_by_seed_whatever_the_order_of_the_rows():
    first = scores("hole_fraction", ae={3: 0.9, 1: 0.5, 2: 0.7}, vae={1: 0.1, 2: 0.2, 3: 0.3})
    row = only(table(first, arms={"ae": None, "vae": 1.0}), "ae_holes")
    assert json.loads(row["values"]) == [0.4, 0.5, 0.6]  # seeds 1, 2, 3
    again = only(table(first.sample(frac=1, random_state=0), arms={"ae": None, "vae": 1.0}), "ae_holes")
    pd.testing.assert_series_equal(row, again, check_names=False)


def test_log_ratio():
    found = table(
        scores("fd_clf_box", ae=[8.0, 8.0]), scores("fd_clf_prior", vae=[2.0, 1.0]), arms={"ae": None, "vae": 1.0}
    )
    row = only(found, "prior_beats_box")
    assert row["statistic"] == "ln(fd_clf_box / fd_clf_prior)"
    assert row["effect"] == pytest.approx((np.log(4) + np.log(8)) / 2)
    np.testing.assert_allclose(json.loads(row["values"]), np.log([4, 8]), rtol=1e-5)


def test_a_log_ratio_does_not_depend_on_the_unit():
    made = [
        only(
            table(
                scores("fd_clf_gmm", ae=[3.0 * unit, 2.5 * unit]), scores("fd_clf_prior", vae=[2.0 * unit, 2.2 * unit])
            ),
            "gmm_closes_gap",
        )
        for unit in (1.0, 1000.0)
    ]
    assert made[0]["effect"] == pytest.approx(made[1]["effect"])
    assert made[0]["low"] == pytest.approx(made[1]["low"])


def test_weak_and_strong_are_neighbours_in_beta_kl():
    """Three VAEs, not in order: 1 against 2 and 2 against 4, never 1 against 4 or an arm against itself."""
    arms = {"strongest": 4.0, "ae": None, "plain": 1.0, "middle": 2.0}
    nll = scores("recon_nll", ae=[90.0, 91.0], plain=[100.0, 101.0], middle=[110.0, 111.5], strongest=[111.0, 111.0])
    found = table(nll, arms=arms)
    rows = found[found["claim_id"] == "beta_costs_reconstruction"]
    assert rows["arms"].tolist() == ["middle vs plain", "strongest vs middle"]
    np.testing.assert_allclose(rows["effect"], [10.25, 0.25])
    assert (found["claim_id"] == "vae_costs_reconstruction").sum() == 3


def test_two_autoencoders_each_play_their_role():
    arms = {"ae": None, "denoising": None, "vae": 1.0, "beta_vae": 4.0}
    holes = scores("hole_fraction", ae=[0.5, 0.5], denoising=[0.4, 0.4], vae=[0.1, 0.1], beta_vae=[0.0, 0.0])
    found = table(scores("centre_offset", ae=[1.0, 1.1], denoising=[0.0, 0.01]), holes, arms=arms)
    assert found[found["claim_id"] == "ae_off_centre"]["arms"].tolist() == ["ae", "denoising"]
    assert found[found["claim_id"] == "ae_holes"]["arms"].tolist() == [
        "ae vs vae", "ae vs beta_vae", "denoising vs vae", "denoising vs beta_vae",
    ]  # fmt: skip


def test_a_study_without_vaes_or_without_autoencoders():
    assert set(table(scores("centre_offset", ae=[1.0, 1.1]), arms={"ae": None})["arms"]) == {"ae"}
    assert set(table(scores("ks_d_max", vae=[0.1, 0.1]), arms={"vae": 1.0})["arms"]) == {"vae"}


def test_what_was_not_measured_is_left_out():
    found = table(scores("ks_d_max", vae=[0.1, 0.2]), scores("hole_fraction", ae=[0.5, 0.5]))
    # no ae_holes: the VAEs have none to compare with
    assert found["claim_id"].tolist() == ["ae_few_holes", "vae_marginals"]


def test_codes_are_not_mixed():
    found = table(scores("ks_d_max", code="mu", vae=[0.1, 0.2]))
    assert len(found) == 0
    assert list(found.columns) == list(COLUMNS)


def test_every_claim_has_its_row_when_all_is_measured():
    terms = [term for claim in CLAIMS for term in (claim.left, claim.right) if term is not None]
    metrics = {name for term in terms for name in (term.metric, term.lower) if name is not None}
    rng = np.random.default_rng(0)
    arms = described_arms(ARMS)
    arms |= {"cvae": arms["vae"] | {"family": "cvae"}, "vq": {"role": "other", "family": "vqvae", "code": "discrete"}}
    observed = [scores(metric, **{arm: rng.uniform(0, 1, 3).tolist() for arm in arms}) for metric in sorted(metrics)]
    found = claims_table(pd.concat(observed, ignore_index=True), arms, MARGINS, KNOWN)
    assert list(found.columns) == list(COLUMNS)
    assert list(dict.fromkeys(found["claim_id"])) == [claim.claim_id for claim in CLAIMS]
    assert set(found["verdict"]) <= set(VERDICTS)
    assert not found.isna().any(axis=None)
    assert found.index.equals(pd.RangeIndex(len(found)))


def test_seeds_that_one_arm_lacks_are_named():
    observed = scores("hole_fraction", ae={0: 0.5, 1: 0.5, 2: 0.5}, vae={0: 0.1, 3: 0.1})
    message = r"claim 'ae_holes': seeds \[1, 2, 3\] have a score for only one of 'ae', 'vae'; run `dvc repro`"
    with pytest.raises(InputError, match=message):
        table(observed, arms={"ae": None, "vae": 1.0})


def test_missing_margins_are_named():
    margins = {name: value for name, value in MARGINS.items() if name not in ("ks_d", "hole_fraction")}
    with pytest.raises(InputError, match=r"diagnostics\.margins lacks hole_fraction, ks_d; fix each margin"):
        claims_table(scores("ks_d_max", vae=[0.1]), described_arms(ARMS), margins, KNOWN)


def test_values_keep_six_digits():
    row = only(table(scores("centre_offset", ae=[1 / 3, 2 / 3])), "ae_off_centre")
    assert row["values"] == "[0.333333, 0.666667]"


def test_without_classes_claims_on_fd_clf_are_put_to_the_fd_of_random_features():
    measured = scores("fd_random_prior", ae=[8.0, 8.0], vae=[4.0, 4.0])
    found = only(table(measured, arms={"ae": None, "vae": 1.0}), "ae_prior_fails")
    assert found["statistic"] == "ln(fd_random_prior / fd_random_prior)"
    assert found["effect"] == pytest.approx(np.log(2))


def test_effects_stand_apart_by_unit():
    found = effects_by_unit(
        table(
            scores("centre_offset", ae=[1.0, 1.0]),
            scores("hole_fraction", ae=[0.5, 0.5], vae=[0.1, 0.1]),
            scores("recon_nll", ae=[9.0, 9.0], vae=[12.0, 12.0]),
            scores("fd_clf_prior", ae=[8.0, 8.0], vae=[4.0, 4.0]),
            arms={"ae": None, "vae": 1.0},
        ),
        KNOWN,
    )
    assert {unit: rows["claim"].tolist() for unit, rows in found.items()} == {
        "nats": ["vae_costs_reconstruction, vae vs ae"],
        "share": ["ae_few_holes, ae", "vae_few_holes, vae", "ae_holes, ae vs vae"],
        "sd": ["ae_off_centre, ae"],
        "ln_ratio": ["ae_prior_fails, ae vs vae"],
    }
    assert found["nats"]["effect"].tolist() == [3.0]


def test_every_claim_has_a_unit_that_is_right():
    columns = ["claim_id", "arms", "statistic", "effect"]
    shares = {
        "asymmetry",
        "hole_fraction",
        "hole_limit",
        "ks_d",
        "area_tv",
        "area_gain",
        "knn_gain",
        "confidence_gain",
        "jump_gain",
        "leakage",
        "disentanglement_gain",
    }
    nats = {"marginal_kl", "total_correlation", "recon_nats", "normality_gain", "label_nats", "codebook_gap"}
    for claim in CLAIMS:
        if claim.scale != "log_ratio":
            expected = "share" if claim.margin in shares else "nats" if claim.margin in nats else "sd"
            row = pd.DataFrame([(claim.claim_id, "vae", claim.left.metric, 1.0)], columns=columns)
            found = effects_by_unit(row, KNOWN)
            assert [unit for unit, rows in found.items() if len(rows)] == [expected], claim.claim_id


# intervals, p and brackets -------------------------------------------------------------------------------------------


def test_the_next_seed_has_a_wider_interval_that_ends_where_the_metric_does():
    values = [0.24, 0.30, 0.45, 0.94, 0.965]
    row = only(table(scores("hole_fraction", ae=values), arms={"ae": None}), "ae_few_holes")
    assert (row["low"], row["high"]) == (pytest.approx(mean_interval(values).low), 1.0)
    assert mean_interval(values).high > 1
    assert next_interval(values).low < 0
    assert (row["next_low"], row["next_high"]) == (0.0, 1.0)
    assert row["by_values"]
    narrow = [0.01, 0.012, 0.011, 0.009]
    row = only(table(scores("hole_fraction", vae=narrow), arms={"vae": 1.0}), "vae_few_holes")
    expected = next_interval(narrow)
    assert (row["next_low"], row["next_high"]) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert not row["by_values"]


def test_a_difference_of_two_shares_ends_at_plus_and_minus_one():
    found = table(scores("hole_fraction", ae=[0.99, 0.2], vae=[0.0, 0.1]), arms={"ae": None, "vae": 1.0})
    row = only(found, "ae_holes")
    assert (row["next_low"], row["next_high"]) == (-1.0, 1.0)


def test_p_is_of_the_margin_and_is_corrected_for_all_rows():
    offsets, reach = [0.50, 0.52, 0.51], [0.9, 1.2, 1.05]
    found = table(scores("centre_offset", ae=offsets), scores("excess_reach", ae=reach), excess_reach=1.0)
    first, second = only(found, "ae_off_centre"), only(found, "ae_unbounded")
    assert first["p_value"] == pytest.approx(stats.ttest_1samp(offsets, 0.1).pvalue)
    assert second["p_value"] == pytest.approx(stats.ttest_1samp(reach, 1.0).pvalue)
    assert (second["verdict"], second["p_value"] > 0.05) == ("inconclusive", True)
    # two rows: the smaller p is doubled, the larger stays
    assert (first["p_holm"], second["p_holm"]) == (pytest.approx(2 * first["p_value"]), second["p_value"])


def test_a_row_without_p_does_not_count_in_the_correction():
    found = table(scores("centre_offset", ae=[0.50, 0.52, 0.51]), scores("excess_reach", ae=[2.0, NAN, 2.0]))
    assert np.isnan(only(found, "ae_unbounded")["p_holm"])
    assert only(found, "ae_off_centre")["p_holm"] == only(found, "ae_off_centre")["p_value"]


def bracket(lower: list[float], upper: list[float], **more) -> pd.Series:
    observed = (scores("marginal_kl", vae=upper), scores("marginal_kl_loo", vae=lower))
    return only(table(*observed, arms={"vae": 1.0}, marginal_kl=0.1, **more), "vae_joint")


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        ([0.01, 0.02, 0.015], [0.03, 0.04, 0.035], "supported"),  # even the upper end is below .1
        ([0.21, 0.22, 0.215], [0.33, 0.34, 0.335], "contradicted"),  # even the lower end is above
        ([0.01, 0.02, 0.015], [0.33, 0.34, 0.335], "inconclusive"),  # the truth may lie on either side
        ([-9.0, -8.0, -8.5], [0.01, 0.02, 0.015], "supported"),
    ],
)
def test_a_bracket_decides_by_its_worse_end(lower, upper, expected):
    row = bracket(lower, upper)
    low, high = mean_interval(lower), mean_interval(upper)
    assert row["verdict"] == expected
    assert (row["low"], row["high"]) == (low.low, high.high)
    assert row["effect"] == pytest.approx((low.mean + high.mean) / 2)
    assert (row["next_low"], row["next_high"]) == (next_interval(lower).low, next_interval(upper).high)
    assert (row["statistic"], row["bracket"]) == ("marginal_kl", "marginal_kl_loo")
    assert (row["p_value"] < 0.05) == (expected != "inconclusive")
    if expected != "inconclusive":
        assert row["p_value"] == max(p_against(lower, 0.1), p_against(upper, 0.1))


def test_estimates_that_cross_still_span_their_interval():
    row = bracket([0.05, 0.06, 0.055], [0.02, 0.03, 0.025])
    assert row["low"] == mean_interval([0.02, 0.03, 0.025]).low
    assert row["high"] == mean_interval([0.05, 0.06, 0.055]).high


@pytest.mark.parametrize("missing", ["lower", "upper"])
def test_a_bracket_with_an_unknown_end_is_inconclusive(missing):
    ends = {"lower": [0.01, 0.02, 0.015], "upper": [0.03, 0.04, 0.035]}
    ends[missing][1] = NAN
    row = bracket(**ends)
    assert row["verdict"] == "inconclusive"
    assert np.isnan([row["low"], row["high"], row["p_value"], row["p_holm"]]).all()
    assert not row["by_values"]


def test_without_the_second_estimate_the_first_stands_alone():
    row = only(table(scores("marginal_kl", vae=[0.01, 0.02, 0.015]), arms={"vae": 1.0}), "vae_joint")
    assert (row["bracket"], row["verdict"]) == ("", "supported")
    assert row["high"] == mean_interval([0.01, 0.02, 0.015]).high


def test_a_difference_of_brackets_takes_the_worst_ends():
    weak, weak_loo, strong, strong_loo = [0.5, 0.6, 0.55], [0.4, 0.48, 0.45], [0.2, 0.22, 0.21], [0.15, 0.16, 0.18]
    row = only(
        table(
            scores("marginal_kl", vae=weak, beta_vae=strong),
            scores("marginal_kl_loo", vae=weak_loo, beta_vae=strong_loo),
        ),
        "beta_buys_normality",
    )
    assert row["low"] == mean_interval(np.subtract(weak_loo, strong).tolist()).low
    assert row["high"] == mean_interval(np.subtract(weak, strong_loo).tolist()).high
    assert row["statistic"] == "difference of marginal_kl"


def test_the_mixture_is_held_against_the_arms_own_reconstructions():
    found = table(
        scores("fd_clf_gmm", ae=[245.0, 246.0], vae=[300.0, 310.0]),
        scores("fd_clf_reconstruction", ae=[242.0, 243.0], vae=[200.0, 210.0]),
        arms={"ae": None, "vae": 1.0},
    )
    row = only(found, "ae_mixture_suffices")
    assert (row["arms"], row["statistic"]) == ("ae", "ln(fd_clf_gmm / fd_clf_reconstruction)")
    assert row["effect"] == pytest.approx(np.mean(np.log([245 / 242, 246 / 243])))
    assert row["verdict"] == "supported"
    assert only(found, "vae_mixture_suffices")["verdict"] == "contradicted"


def test_holes_of_arms_of_which_some_have_too_many_dimensions_to_count_balls_are_judged_by_the_mass():
    missing = [float("nan")] * 3
    found = table(
        scores("hole_fraction", ae=missing, vae=[0.01, 0.01, 0.011]),
        scores("hole_mass", ae=[0.5, 0.51, 0.52], vae=[0.02, 0.021, 0.02]),
        arms={"ae": None, "vae": 1.0},
    )
    rows = found[found["claim_id"].isin(["ae_few_holes", "vae_few_holes"])]
    assert set(rows["statistic"]) == {"hole_mass"}
    assert dict(zip(rows["arms"], rows["verdict"], strict=True)) == {"ae": "contradicted", "vae": "supported"}
