"""The benchmark of a GPU, tried where there is none, and of each departure: everything but their speed."""

import json
import sys

import pytest

from import_graph import ROOT
from workspaces import run


def test_the_benchmark_of_each_departure_runs_and_is_tabled(tmp_path, monkeypatch):
    options = ["--rounds", "1", "--n-images", "200", "--precision", "float32", "--out", str(tmp_path)]
    run(ROOT, sys.executable, "benchmarks/isolated.py", "measure", *options)
    result = json.loads((tmp_path / "isolated.json").read_text())
    assert [row["departure"] for row in result["rows"]] == ["Keras' step of Adam", "helper process"]
    assert all(row["worth"]["least"] > 0 for row in result["rows"])
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import tables

    assert "| helper process | float32 | 1 |" in tables.isolated(result)


def test_the_accelerators_benchmark_runs_and_is_tabled(tmp_path, monkeypatch):
    options = ["--device", "cpu", "--images", "20", "--epochs", "1", "--rounds", "1", "--out", str(tmp_path)]
    run(ROOT, sys.executable, "benchmarks/accelerator.py", *options)
    result = json.loads((tmp_path / "accelerator.json").read_text())
    assert list(result["precisions"]) == ["float32", "bfloat16"]
    for precision, tolerance in (("float32", 1e-5), ("bfloat16", 0.01)):
        one = result["precisions"][precision]
        assert one["same_bytes_again"] is True
        assert one["elbo_from_cpu_float32"] < tolerance
        assert one["study_seconds"] == pytest.approx(sum(one["seconds"].values()), rel=1e-3)
        assert one["five_seeds_over_one"]["least"] > 0
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import tables

    table = tables.accelerator(result)
    assert "| bfloat16 |" in table
    assert "| yes |" in table
