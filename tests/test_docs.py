"""What docs/ says is what the code gives: the tables of measures, and the notebook from top to bottom."""

import json
import re

import pytest
from docs import measures, notebook

from import_graph import ROOT
from latent_audit.auditing import api
from latent_audit.diagnostics.audit import AuditSettings
from latent_audit.diagnostics.references import COLUMNS, NULLS, SOURCES
from latent_audit.diagnostics.tables_of_code import registered
from latent_audit.diagnostics.univariate import TESTS
from latent_audit.diagnostics.verdict import DESCRIBED

FAST = AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)


def test_the_tables_of_measures_are_those_of_the_registry():
    page = (ROOT / "docs/audit.md").read_text(encoding="utf-8")
    assert measures.filled(page) == page, "run python docs/measures.py"
    for measure in registered():
        assert all(f"| `{metric.name}` |" in page for metric in measure.metrics)
    with pytest.raises(ValueError, match="lacks"):
        measures.filled("no mark")


def test_every_null_and_source_is_of_a_number_that_there_is():
    known = {metric.name for measure in registered() for metric in measure.metrics}
    known |= {metric.name for metric in (*COLUMNS, *DESCRIBED)}
    assert set(NULLS) <= known and set(SOURCES) <= known
    statistics = {
        "ks_p": "ks_d",
        "cvm_p": "cvm_w2",
        "ad_p": "ad_a2",
        "shapiro_p": "shapiro_w",
        "k2_p": "k2",
        "jb_p": "jb",
    }
    assert {statistics[test] for test in TESTS} <= set(NULLS)
    assert all(re.search(r"\(\d{4}\)", source) for source in SOURCES.values())


@pytest.fixture
def committed() -> dict:
    return json.loads((ROOT / "docs/audit.ipynb").read_text(encoding="utf-8"))


def test_the_notebook_runs_from_top_to_bottom(committed: dict, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(api.audit.__kwdefaults__, "settings", FAST)
    with torch.random.fork_rng(devices=[]):  # layers draw before they are initialised anew
        names = notebook.run(committed)
    assert names["found"].may_sample in ("prior", "fitted", "no") and len(names["images"]) == 16
    assert (tmp_path / "audit.html").stat().st_size > 100_000


def test_the_committed_outputs_are_of_every_cell_and_small(committed: dict):
    code = [cell for cell in committed["cells"] if cell["cell_type"] == "code"]
    assert (ROOT / "docs/audit.ipynb").stat().st_size < 300_000
    if not any(cell["outputs"] for cell in code):
        pytest.skip("docs/audit.ipynb is kept without outputs: python docs/notebook.py makes them")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    html = ["text/html" in output.get("data", {}) for cell in code for output in cell["outputs"]]
    assert sum(html) == 3 and sum("image/png" in o.get("data", {}) for cell in code for o in cell["outputs"]) == 2
