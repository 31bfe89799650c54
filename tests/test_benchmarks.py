"""The benchmark of a GPU, tried where there is none, and of each departure: everything but their speed."""

import json
import sys

import pytest

from import_graph import ROOT
from workspaces import run


def test_the_benchmark_of_each_departure_runs_and_is_tabled(tmp_path, monkeypatch):
    """A point without each departure is trained; the table is then made of one's rate."""
    for off in ("Keras' step of Adam", "helper process"):
        point = run(ROOT, sys.executable, "benchmarks/isolated.py", "point", off, "float32", "1", "200")
        assert json.loads(point)["rate"] > 0
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import isolated
    import tables

    asked = []
    monkeypatch.setattr(
        isolated, "run", lambda *command, **_: asked.append(command) or type("Run", (), {"output": point})
    )
    isolated.measure(rounds=1, n_images=200, precision=["float32"], out=tmp_path)
    assert [command[3] for command in asked] == ["", "Keras' step of Adam", "", "helper process"]
    result = json.loads((tmp_path / "isolated.json").read_text())
    assert [row["departure"] for row in result["rows"]] == ["Keras' step of Adam", "helper process"]
    assert all(row["worth"]["median"] == 1 for row in result["rows"])
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


def test_the_statistics_beside_other_libraries_are_the_same_numbers_and_are_tabled(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import libraries
    import tables

    for name in ("energy-1d", "frechet", "dimensions"):  # scipy is always there
        case = libraries.CASES[name]
        x = libraries.codes(300, min(case.d, 8))
        assert case.ours(x) == pytest.approx(case.theirs(x), rel=1e-6)
    printed = '{"values": {"energy": 0.5}, "seconds": 2.0, "mib": 3.0}'
    monkeypatch.setattr(libraries, "run", lambda *command, **_: type("Run", (), {"output": printed}))
    row = libraries.compared("energy-1d", 2)
    assert row["largest_difference"] == 0 and row["theirs_over_ours"]["median"] == 1
    machine = {"cores": 2, "cpu": "a processor", "memory_gib": 8}
    result = {"command": "it", "machine": machine, "libraries": {"scipy": "1"}, "rows": [row]}
    assert "in one dimension, where scipy sorts | 4,000 x 1 | 2 | 2 |" in tables.libraries(result)


def test_the_departures_of_some_sizes_name_the_commands_that_make_them(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from departures import commands

    here = "python benchmarks/departures.py"
    assert commands([(10, 1000), (2, 1000)]) == f"{here} --dim 2 --dim 10 --rows 1000"
    both = commands([(2, 1000), (2, 10_000), (200, 1000)])
    assert both == f"{here} --dim 2 --rows 1000 --rows 10000 && {here} --keep --dim 200 --rows 1000"
