"""latent_audit.claims.effects on observations made by hand."""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from latent_audit.base.errors import InputError
from latent_audit.base.measures import described
from latent_audit.claims.effects import COLUMNS, claims_table, effects_by_unit, verdict
from latent_audit.claims.intervals import Interval, mean_interval
from latent_audit.claims.ledger import CLAIMS
from latent_audit.claims.observations import DESCRIBED
from latent_audit.decoding.diagnosis import every_registered

KNOWN = described(every_registered()) | {metric.name: metric for metric in DESCRIBED}
ARMS = {"ae": None, "vae": 1.0, "beta_vae": 4.0}
MARGINS = {
    **{claim.margin: 0.1 for claim in CLAIMS},
    "centre_offset": 0.1, "hole_fraction": 0.05, "ks_d": 0.05, "recon_nats": 1.0, "fd_log_ratio": 0.1,
}  # fmt: skip
INF, NAN = np.inf, np.nan


def scores(metric: str, code: str = "z", **of_arms: list[float] | dict[int, float]) -> pd.DataFrame:
    """Tidy rows of one metric; a list of values stands for seeds 0, 1, 2, ..."""
    rows = [
        (arm, seed, code, metric, value)
        for arm, values in of_arms.items()
        for seed, value in (values.items() if isinstance(values, Mapping) else enumerate(values))
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "code", "metric", "value"])


def table(*observed: pd.DataFrame, arms: Mapping[str, float | None] = ARMS, **margins: float) -> pd.DataFrame:
    return claims_table(pd.concat(observed, ignore_index=True), arms, MARGINS | margins)


def only(found: pd.DataFrame, claim_id: str) -> pd.Series:
    (row,) = (row for _, row in found.iterrows() if row["claim_id"] == claim_id)
    return row


@pytest.mark.parametrize(
    ("low", "high", "direction", "margin", "expected"),
    [
        (0.2, 0.4, ">", 0.1, "supported"),
        (0.2, 0.4, "<", 0.1, "contradicted"),
        (-0.4, -0.2, ">", 0.1, "contradicted"),
        (-0.4, -0.2, "<", 0.1, "supported"),
        (0.0, 0.05, ">", 0.1, "contradicted"),  # significantly above 0, but not by the margin: it does not hold
        (0.0, 0.05, "<", 0.1, "supported"),
        (0.05, 0.4, ">", 0.1, "inconclusive"),
        (0.05, 0.4, "<", 0.1, "inconclusive"),
        (0.1, 0.4, ">", 0.1, "inconclusive"),  # a margin on the edge is inside
        (0.0, 0.1, "<", 0.1, "inconclusive"),
        (0.1, 0.1, ">", 0.1, "inconclusive"),
        (0.2, 0.2, ">", 0.1, "supported"),
        (NAN, NAN, ">", 0.1, "inconclusive"),  # one seed
        (NAN, NAN, "<", 0.1, "inconclusive"),
        (0.2, INF, ">", 0.1, "inconclusive"),
    ],
)
def test_verdict(low, high, direction, margin, expected):
    assert verdict(Interval((low + high) / 2, low, high, 5), direction, margin) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.50, 0.52, 0.51], "supported"), ([0.01, 0.02, 0.01], "contradicted"), ([0.05, 0.2, 0.1], "inconclusive"),
     ([0.5], "inconclusive")],
)  # fmt: skip
def test_a_claim_of_one_arm(values, expected):
    row = only(table(scores("centre_offset", ae=values)), "ae_off_centre")
    interval = mean_interval(values)
    assert row["verdict"] == expected
    assert (row["effect"], row["n_seeds"]) == (interval.mean, len(values))
    np.testing.assert_array_equal([row["low"], row["high"]], [interval.low, interval.high])
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
    assert found["claim_id"].tolist() == ["vae_marginals"]  # no ae_holes: the VAEs have none to compare with


def test_codes_are_not_mixed():
    found = table(scores("ks_d_max", code="mu", vae=[0.1, 0.2]))
    assert len(found) == 0
    assert list(found.columns) == list(COLUMNS)


def test_every_claim_has_its_row_when_all_is_measured():
    metrics = {term.metric for claim in CLAIMS for term in (claim.left, claim.right) if term is not None}
    rng = np.random.default_rng(0)
    observed = [scores(metric, **{arm: rng.uniform(1, 2, 3).tolist() for arm in ARMS}) for metric in sorted(metrics)]
    found = table(*observed)
    assert list(found.columns) == list(COLUMNS)
    assert list(dict.fromkeys(found["claim_id"])) == [claim.claim_id for claim in CLAIMS]
    assert set(found["verdict"]) <= {"supported", "contradicted", "inconclusive"}
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
        claims_table(scores("ks_d_max", vae=[0.1]), ARMS, margins)


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
        "share": ["ae_holes, ae vs vae"],
        "sd": ["ae_off_centre, ae"],
        "ln_ratio": ["ae_prior_fails, ae vs vae"],
    }
    assert found["nats"]["effect"].tolist() == [3.0]


def test_every_claim_has_a_unit_that_is_right():
    columns = ["claim_id", "arms", "statistic", "effect"]
    shares = {"asymmetry", "hole_fraction", "ks_d", "area_tv", "area_gain", "knn_gain", "confidence_gain", "jump_gain"}
    nats = {"marginal_kl", "total_correlation", "recon_nats", "normality_gain"}
    for claim in CLAIMS:
        if claim.scale != "log_ratio":
            expected = "share" if claim.margin in shares else "nats" if claim.margin in nats else "sd"
            row = pd.DataFrame([(claim.claim_id, "vae", claim.left.metric, 1.0)], columns=columns)
            found = effects_by_unit(row, KNOWN)
            assert [unit for unit, rows in found.items() if len(rows)] == [expected], claim.claim_id
