"""`latent-audit audit` on an .npz with factors, attributes or indices beside the codes: a table more, or a sentence."""

import json
import shlex
import sys

import numpy as np
import pandas as pd
import pytest

from latent_audit import cli
from latent_audit.auditing import command as audit_command
from latent_audit.diagnostics.audit import AuditSettings

N = 80
RNG = np.random.default_rng(5)
FACTORS = np.stack([np.arange(N) % 2, np.arange(N) // 2 % 4], axis=1)
Z = FACTORS + 0.2 * RNG.standard_normal((N, 2))
INDICES = RNG.integers(0, 6, (N, 4))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """run(**arrays) saves codes.npz and audits it into result/; the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(audit_command.run_audit, "__kwdefaults__", audit_command.run_audit.__kwdefaults__ | {
        "settings": AuditSettings(neighbours=5, grid=20, null_draws=19, null_rows=40)
    })  # fmt: skip

    def start(options: str = "", **arrays) -> int:
        np.savez("codes.npz", **arrays)
        line = f"audit codes.npz --out result {options}"
        monkeypatch.setattr(sys, "argv", ["latent-audit", *shlex.split(line)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    return start


def test_factors_and_attributes_add_a_table_and_a_section_each(run, tmp_path):
    attributes = np.stack([FACTORS[:, 0], FACTORS[:, 1] > 1], axis=1)
    assert run(z=Z, factors=FACTORS, attributes=attributes, attribute_names=np.array(["Smiling", "Male"])) == 0
    scores = pd.read_csv(tmp_path / "result/disentanglement.csv")
    assert list(scores)[:2] == ["metric", "value"]
    named = {"mig_means", "mig_samples", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness",
             "factor_vae", "beta_vae", "modularity", "explicitness"}  # fmt: skip
    assert named <= set(scores["metric"])
    directions = pd.read_csv(tmp_path / "result/directions.csv")
    assert directions["direction"].tolist() == ["Smiling", "Male"]
    assert {"effect_size", "auc", "cosine_Smiling", "cosine_Male", "unit_0", "unit_1"} <= set(directions)
    page = (tmp_path / "result/index.html").read_text(encoding="utf-8")
    assert ">Factors</h2>" in page
    assert ">Attributes</h2>" in page
    assert "Smiling" in page
    about = json.loads((tmp_path / "result/audit.json").read_text(encoding="utf-8"))
    assert {"disentanglement.csv", "directions.csv", "joint.csv"} <= set(about["files"])
    assert about["notes"] == []


def test_indices_add_a_codebook_and_leave_out_normality(run, tmp_path):
    assert run(indices=INDICES, entries=6, z=Z) == 0
    assert sorted(path.name for path in (tmp_path / "result").iterdir()) == [
        "audit.json", "codebook.csv", "index.html", "reasons.csv",
    ]  # fmt: skip
    table = pd.read_csv(tmp_path / "result/codebook.csv").set_index("metric")["value"]
    counts = np.bincount(INDICES.ravel(), minlength=6) / INDICES.size
    assert table["perplexity"] == pytest.approx(np.exp(-(counts * np.log(counts)).sum()))
    assert table["dead_codes"] == 0
    page = (tmp_path / "result/index.html").read_text(encoding="utf-8")
    assert "No measure of normality applies" in page
    assert "N(0, 1)" not in page
    about = json.loads((tmp_path / "result/audit.json").read_text(encoding="utf-8"))
    assert about["arrays"] == ["indices"]
    assert (about["n"], about["latent_dim"]) == (N, 4)
    assert about["notes"] == ["codes.npz: indices of a codebook are audited; not used: ['z']"]


def test_an_array_called_indices_without_entries_is_of_something_else_beside_codes(run, tmp_path):
    assert run(z=Z, indices=np.arange(N)) == 0
    assert not (tmp_path / "result/codebook.csv").exists()
    about = json.loads((tmp_path / "result/audit.json").read_text(encoding="utf-8"))
    assert "not used: 'indices'" in about["notes"][0]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": Z, "factors": FACTORS[:-1]}, "79 rows for 80 codes"),
        ({"z": Z, "factors": np.ones((N, 1), int)}, "factor 0 is 1 in every row"),
        ({"z": Z, "attributes": FACTORS}, "must be 0 or 1"),
        ({"z": Z, "attributes": FACTORS[:, :1], "attribute_names": np.array(["a", "b"])}, "2 attribute_names for"),
        ({"z": Z, "attributes": FACTORS[:, :1] > 0, "attribute_names": np.array([1.0])}, "must be text"),
        ({"indices": INDICES}, "need `entries`"),
        ({"indices": INDICES - 1, "entries": 6}, "the smallest is -1"),
        ({"indices": INDICES, "entries": 5}, "a codebook of 5 entries has 0 to 4"),
    ],
)
def test_what_is_none_is_one_sentence_and_no_folder(run, tmp_path, capsys, arrays, message):
    assert run(**arrays) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not (tmp_path / "result").exists()


def test_the_same_bytes_twice(run, tmp_path):
    arrays = {"z": Z, "factors": FACTORS, "attributes": FACTORS[:, :1] > 0}
    assert run(**arrays) == 0
    first = {path.name: path.read_bytes() for path in (tmp_path / "result").iterdir()}
    assert run(**arrays) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "result").iterdir()} == first
