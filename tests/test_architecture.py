"""The layout as a test: stages declare what they import, imports run one way, stages import no stage."""

import ast
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
    "report": {"artifacts", "errors", "figures"},
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
