"""latent_audit.claims.ledger: the claims are well formed, and their margins are set."""

import re
from pathlib import Path

from latent_audit.claims.ledger import CLAIMS
from latent_audit.settings.study import load_params


def test_every_margin_is_in_params_yaml_and_every_margin_there_is_used():
    margins = load_params(Path(__file__).resolve().parents[2] / "params.yaml").diagnostics.margins
    assert {claim.margin for claim in CLAIMS} == set(margins)


def test_ids_are_unique_and_plain():
    ids = [claim.claim_id for claim in CLAIMS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z_]*", claim_id) for claim_id in ids)


def test_claims_are_well_formed():
    for claim in CLAIMS:
        roles = [term.role for term in (claim.left, claim.right) if term is not None]
        assert claim.direction in ("<", ">"), claim.claim_id
        assert claim.scale in ("difference", "log_ratio"), claim.claim_id
        assert claim.figure.startswith("fig-"), claim.claim_id
        assert claim.claim and claim.source, claim.claim_id
        assert set(roles) <= {"ae", "vae", "weak", "strong", "conditional", "discrete"}, claim.claim_id
        terms = [claim.left, claim.right]
        assert terms[0] != terms[1], claim.claim_id  # an arm against itself needs two metrics
        assert ("weak" in roles) == ("strong" in roles), claim.claim_id
        assert claim.scale == "difference" or claim.right is not None, claim.claim_id


def test_every_statement_is_of_the_sampled_codes():
    assert {term.code for claim in CLAIMS for term in (claim.left, claim.right) if term is not None} == {"z"}
