"""The claims that only some studies have: conditioning, factors, attributes, large codes, codebooks."""

import numpy as np
import pandas as pd
import pytest

from latent_audit.base.measures import described
from latent_audit.claims.effects import claims_table
from latent_audit.claims.ledger import CLAIMS
from latent_audit.claims.observations import DESCRIBED, FIRST, of_dimensions
from latent_audit.decoding.diagnosis import every_registered

KNOWN = described(every_registered()) | {metric.name: metric for metric in DESCRIBED}
MARGINS = {claim.margin: 0.1 for claim in CLAIMS} | {"leakage": 0.2, "disentanglement_gain": 0.05, "ks_d": 0.05}
COMMON = {"epochs": 5, "latent_dim": 10, "family": "vae", "role": "vae", "code": "gaussian", "beta_kl": 1.0}
AE = COMMON | {"family": "ae", "role": "autoencoder", "code": "deterministic", "beta_kl": None}
ARMS = {
    "ae": AE,
    "vae": COMMON,
    "beta4": COMMON | {"beta_kl": 4.0},
    "cvae": COMMON | {"family": "cvae"},
    "vq": COMMON | {"family": "vqvae", "role": "other", "code": "discrete", "beta_kl": None},
}


def observed(metric: str, **of_arms: list[float]) -> pd.DataFrame:
    rows = [(arm, seed, "z", metric, x) for arm, values in of_arms.items() for seed, x in enumerate(values)]
    return pd.DataFrame(rows, columns=["arm", "seed", "code", "metric", "value"])


def rows_of(*tables: pd.DataFrame, claim_id: str, arms: dict | None = None) -> dict[str, str]:
    found = claims_table(pd.concat(tables), arms or ARMS, MARGINS, KNOWN)
    return {row["arms"]: row["verdict"] for _, row in found[found["claim_id"] == claim_id].iterrows()}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [([0.01, 0.02, 0.0], "supported"), ([0.0, 0.0, 0.0], "supported"), ([1.2, 1.3, 1.1], "contradicted"),
     ([0.05, 0.1, 0.14], "inconclusive")],
)  # fmt: skip
def test_information_about_the_label_is_asked_of_conditional_arms_alone(values, verdict):
    information = observed("label_information_nats", cvae=values, vae=[1.0, 1.1, 1.2], ae=[1.5, 1.6, 1.5])
    assert rows_of(information, claim_id="label_left_out") == {"cvae": verdict}


@pytest.mark.parametrize(
    ("metric", "claim_id"), [("mig_samples", "beta_disentangles"), ("dci_disentanglement", "beta_disentangles_dims")]
)
@pytest.mark.parametrize(
    ("strong", "verdict"),
    [([0.30, 0.32, 0.31], "supported"), ([0.10, 0.11, 0.11], "negligible"), ([0.01, 0.0, 0.01], "contradicted"),
     ([0.10, 0.30, 0.16], "inconclusive")],
)  # fmt: skip
def test_disentanglement_is_compared_between_neighbours_in_weight(metric, claim_id, strong, verdict):
    scores = observed(metric, vae=[0.10, 0.10, 0.11], beta4=strong, ae=[0.9, 0.9, 0.9])
    assert rows_of(scores, claim_id=claim_id) == {"beta4 vs vae": verdict}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [([0.01, 0.02, 0.02], "supported"), ([0.5, 0.6, 0.5], "contradicted"), ([0.1, 0.3, 0.2], "inconclusive")],
)
def test_leakage_is_asked_of_vaes(values, verdict):
    assert rows_of(observed("leakage", vae=values, ae=[0.9] * 3), claim_id="attributes_alone") == {"vae": verdict}


@pytest.mark.parametrize(
    ("of_ae", "verdict"), [([0.9, 0.91, 0.92], "supported"), ([0.51, 0.52, 0.5], "negligible"),
                           ([0.2, 0.21, 0.2], "contradicted"), ([0.5, 0.8, 0.6], "inconclusive")],
)  # fmt: skip
def test_middles_are_compared_with_the_autoencoder(of_ae, verdict):
    middles = observed("middle_straight", ae=of_ae, vae=[0.5, 0.5, 0.51])
    assert rows_of(middles, claim_id="vae_keeps_both_ends") == {"ae vs vae": verdict}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [([0.01, 0.02, 0.01], "supported"), ([2.0, 2.1, 2.2], "contradicted"), ([0.05, 0.1, 0.14], "inconclusive")],
)
def test_an_even_codebook_is_asked_of_discrete_arms_alone(values, verdict):
    gap = observed("uniform_gap_nats", vq=values)
    assert rows_of(gap, claim_id="codebook_even") == {"vq": verdict}
    assert rows_of(gap, claim_id="codebook_even", arms={"ae": AE, "vae": COMMON}) == {}


@pytest.mark.parametrize(("values", "verdict"), [([0.01, 0.02, 0.02], "supported"), ([0.1, 0.11, 0.1], "contradicted")])
def test_the_first_dimensions_are_asked_of_vaes(values, verdict):
    assert rows_of(observed("ks_d_max_first", vae=values), claim_id="first_dims_normal") == {"vae": verdict}


def per_dim(n_dims: int) -> pd.DataFrame:
    ks = np.full(n_dims, 0.01)
    ks[FIRST - 1 :] = 0.02
    ks[FIRST:] = 0.9
    zero = np.zeros(n_dims)
    named = {name: zero for name in ("mean", "w1", "skew", "excess_kurtosis", "ks_p_holm", "cvm_p_holm", "ad_p_holm")}
    return pd.DataFrame({"seed": 0, "code": "z", "dim": np.arange(n_dims), "ks_d": ks, "std": 1.0, **named})


def test_the_first_dimensions_are_told_apart_only_where_there_are_more():
    rows = of_dimensions(per_dim(FIRST + 1)).set_index("metric")["value"]
    assert (rows["ks_d_max_first"], rows["ks_d_max"]) == (0.02, 0.9)
    assert "ks_d_max_first" not in set(of_dimensions(per_dim(FIRST))["metric"])


def test_a_study_has_rows_of_what_it_measured_and_holm_counts_these_alone():
    plain = observed("ks_d_max", vae=[0.01, 0.011, 0.012])
    alone = claims_table(plain, ARMS, MARGINS, KNOWN)
    assert alone["claim_id"].tolist() == ["vae_marginals"]
    assert alone["p_holm"].tolist() == alone["p_value"].tolist()
    both = claims_table(
        pd.concat([plain, observed("uniform_gap_nats", vq=[0.5, 0.6, 0.7])]), ARMS, MARGINS, KNOWN
    )  # fmt: skip
    assert both["p_holm"].min() == pytest.approx(2 * both["p_value"].min())
