"""latent_audit.claims.roles: who plays what, and who is compared with whom."""

import pytest

from latent_audit.claims.ledger import CLAIMS
from latent_audit.claims.roles import casts, differences, left_out, playing

BY_ID = {claim.claim_id: claim for claim in CLAIMS}


def arm(role: str = "vae", beta_kl: float | None = 1.0, **more) -> dict:
    family = {"autoencoder": "ae", "vae": "vae", "other": "vq"}[role]
    beta_kl = beta_kl if role == "vae" else None
    common = {"architecture": "conv", "settings": {"widths": [32]}, "latent_dim": 2, "epochs": 5, "corruption": None}
    return {"arm": f"{role}-{beta_kl}", "family": family, "role": role, "code": "gaussian" if role == "vae" else "x",
            "beta": None, "beta_kl": beta_kl, **common, **more}  # fmt: skip


AE, VAE, BETA = arm("autoencoder"), arm(), arm(beta_kl=4.0)


def cast(claim_id: str, **arms: dict) -> list[tuple[str, ...]]:
    return [tuple(found.values()) for found in casts(BY_ID[claim_id], arms)]


def test_the_role_decides_and_not_the_weight():
    weightless = arm(beta_kl=None)  # a VAE of a family without a KL term
    arms = {"ae": AE, "vae": VAE, "codebook": arm("other"), "weightless": weightless}
    assert playing(arms) == {"ae": ["ae"], "vae": ["vae", "weightless"]}
    assert cast("ae_off_centre", **arms) == [("ae",)]
    assert cast("vae_marginals", **arms) == [("vae",), ("weightless",)]
    assert cast("beta_costs_reconstruction", **arms) == []  # there is no weight to order it by


def test_an_arm_of_another_kind_plays_in_no_claim():
    assert all(not list(casts(claim, {"codebook": arm("other")})) for claim in CLAIMS)


@pytest.mark.parametrize(
    "more",
    [{"epochs": 9}, {"latent_dim": 8}, {"architecture": "dense"}, {"settings": {"widths": [64]}},
     {"corruption": {"kind": "mask", "level": 0.5}}, {"reconstruction": "mse"}, {"something_new": 1}],
)  # fmt: skip
def test_arms_that_differ_in_more_than_the_weight_are_not_compared(more):
    other = arm(**more)
    assert differences(AE, other) == list(more)
    assert cast("ae_holes", ae=AE, vae=VAE, other=other) == [("ae", "vae")]
    assert cast("vae_marginals", ae=AE, vae=VAE, other=other) == [("vae",), ("other",)]  # by themselves they play on
    assert left_out({"ae": AE, "vae": VAE, "other": other}) == {tuple(more): [("ae", "other"), ("vae", "other")]}


def test_a_claim_may_say_in_what_its_arms_may_differ():
    across = BY_ID["ae_holes"]._replace(across=("epochs",))
    longer = arm(epochs=9)
    assert [found["vae"] for found in casts(across, {"ae": AE, "longer": longer})] == ["longer"]
    assert list(casts(across, {"ae": AE, "other": longer | {"latent_dim": 3}})) == []


def test_two_arms_of_one_role_are_of_one_family():
    other = VAE | {"family": "wae", "beta_kl": 4.0}
    assert differences(VAE, other) == ["family"]
    assert differences(AE, other) == []
    assert cast("beta_costs_reconstruction", vae=VAE, wae=other) == []
    assert differences(VAE, BETA) == []


def test_neighbours_are_sought_among_those_that_can_be_compared():
    arms = {"four": BETA, "one": VAE, "two": arm(beta_kl=2.0, epochs=9), "ten": arm(beta_kl=10.0, epochs=9)}
    assert cast("beta_costs_reconstruction", **arms) == [("one", "four"), ("two", "ten")]


def test_equal_weights_are_no_pair():
    arms = {"one": VAE, "again": VAE, "four": BETA}
    pairs = {(found["weak"], found["strong"]) for found in casts(BY_ID["beta_costs_reconstruction"], arms)}
    assert pairs == {("one", "four"), ("again", "four")}
