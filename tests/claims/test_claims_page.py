"""docs/claims.md says of every margin in params.yaml how large it is, and why."""

import re

from import_graph import ROOT
from latent_audit.claims.ledger import CLAIMS
from latent_audit.claims.verdicts import VERDICTS
from latent_audit.settings.study import load_params

PAGE = (ROOT / "docs/claims.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.M)


def test_the_margins_of_the_page_are_those_of_params_yaml():
    margins = load_params(ROOT / "params.yaml").diagnostics.margins
    assert {name: float(value) for name, value, _, _ in ROWS} == margins
    assert len(ROWS) == len(margins)


def test_every_margin_has_a_reason():
    assert all(len(reason) > 40 for *_, reason in ROWS)
    assert {name for name, *_ in ROWS} == {claim.margin for claim in CLAIMS}


def test_every_verdict_is_explained_and_readme_leads_there():
    assert all(f"\n| {verdict} | " in PAGE for verdict in VERDICTS)
    assert "docs/claims.md" in (ROOT / "README.md").read_text(encoding="utf-8")
