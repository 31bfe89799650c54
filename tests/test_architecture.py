"""The layout as a test: stages declare what they import, imports run one way, stages import no stage."""

import ast
import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from import_graph import ROOT, SRC, closure, imported_files

PACKAGE = SRC / "latent_audit"
STAGES = sorted((ROOT / "stages").glob("*.py"))
DVC = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]

# A room may import itself, the rooms named here, and nothing else of ours.
BASE = {"errors", "randomness", "densities"}
ROOMS = {
    "errors": set(),
    "randomness": set(),
    "densities": set(),
    "params": {"errors"},
    "devices": {"errors"},
    "replicates": {"errors"},
    "data": {"artifacts", "errors", "params", "randomness"},
    "models": {"randomness"},
    "artifacts": {"errors", "models"},
    "training": {"artifacts", "data", "models", "replicates", *BASE},
    "progress": {"training"},
    "inference": {"artifacts", "data", "diagnostics", "models", "training", *BASE},
    "diagnostics": BASE,
    "stats": {"errors"},
    "figures": set(),
    "report": {"artifacts", "errors"},
}


def declared(stage: str) -> dict:
    """The declaration of a stage in dvc.yaml, whichever form it has."""
    entry = DVC[stage]
    return entry.get("do", entry)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("script", STAGES, ids=lambda path: path.stem)
def test_a_stage_declares_exactly_the_files_its_script_imports(script):
    deps = {ROOT / dep for dep in declared(script.stem)["deps"] if dep.endswith((".py",))}
    needed = {script} | closure(script)
    assert {str(path) for path in needed - deps} == set(), "imported but not declared"
    assert {str(path) for path in deps - needed} == set(), "declared but not imported"


def test_every_stage_has_a_script_and_every_script_a_stage():
    assert {path.stem for path in STAGES} == set(DVC)


@pytest.mark.parametrize("script", STAGES, ids=lambda path: path.stem)
def test_a_stage_imports_no_other_stage(script):
    names = {path.stem for path in STAGES}
    tree = ast.parse(script.read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & names and not any(str(name).startswith("stages") for name in imported)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    room = room_of(path)
    if room not in ROOMS:
        return  # the command line, the API and what measures a replicate stand above all rooms
    allowed = ROOMS[room] | {room, "__init__"}
    assert {room_of(file) for file in imported_files(path)} <= allowed


@pytest.mark.parametrize("room", ["diagnostics", "stats", "figures", "report"])
def test_torch_stays_out_of_the_rooms_that_only_compute_tables_and_pages(room):
    for path in (PACKAGE / room).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name for name in modules if name.split(".")[0] in {"torch", "torchvision"}}, path


def test_there_is_no_utils():
    assert not [path for path in ROOT.glob("src/**/*util*")]


def test_every_overlay_and_stage_parameter_exists_in_params():
    params = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for name in DVC:
        for key in declared(name).get("params", []):
            if "${" not in key:
                node = params
                for part in key.split("."):
                    assert part in node, f"{name}: {key}"
                    node = node[part]


def test_the_page_declares_the_templates_scripts_and_styles_it_is_made_of():
    report = PACKAGE / "report"
    assets = {"template.html", "page.html", "style.css", "report.js", "decoder.js", "explorer.js"}
    needed = {report / name for name in assets} | set((report / "partials").glob("*.html"))
    assert needed <= {ROOT / dep for dep in declared("render")["deps"]}


def outputs(kinds: tuple[str, ...]) -> list[str]:
    """The paths that stages declare under these keys of dvc.yaml."""
    entries = [entry for name in DVC for kind in kinds for entry in declared(name).get(kind, [])]
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def test_deps_are_whole_outputs_so_that_the_lock_can_be_checked_without_data():
    outs = outputs(("outs", "metrics"))
    inside = [dep for name in DVC for dep in declared(name)["deps"] if any(dep.startswith(f"{out}/") for out in outs)]
    assert inside == []


def test_one_small_file_is_declared_as_metrics():
    assert outputs(("metrics",)) == ["reports/headline.json"]
    content = json.loads((ROOT / "reports/headline.json").read_text(encoding="utf-8"))
    assert all(len(of_arm) <= 8 for of_arm in content.values())
    whole = json.loads((ROOT / "reports/metrics.json").read_text(encoding="utf-8"))
    assert all(whole[arm][name]["mean"] == value for arm, own in content.items() for name, value in own.items())


def test_every_plot_has_one_unit_and_names_its_axes():
    plots = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["plots"]
    assert all({"x_label", "y_label"} <= set(settings) for plot in plots for settings in plot.values())
    files = [name for plot in plots for settings in plot.values() for name in settings["y"]]
    assert len(files) == len(set(files))


def test_what_takes_long_stays_in_the_run_cache():
    """DVC keeps no run of a stage that has an uncached output that is no metric: only quick ones may have it."""
    uncached = {
        name for name in DVC for out in declared(name).get("outs", []) if isinstance(out, dict) and "cache" in str(out)
    }
    assert uncached <= {"compare", "render"}
