"""The layout as a test: every file has a room, stages declare the rooms they import, imports run one way."""

import ast
import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from import_graph import ROOT, SRC, closure, imported_files, is_empty
from latent_audit.data.sources.registry import DATASETS
from workspaces import run

PACKAGE = SRC / "latent_audit"
STAGES = sorted((ROOT / "stages").glob("*.py"))
FILES = sorted(PACKAGE.rglob("*.py"))
DVC = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
SOURCES = YAML(typ="safe", pure=True).load((ROOT / "stages/sources/dvc.yaml").read_text(encoding="utf-8"))["stages"]
NOBODYS_DEP = "console"  # nothing in it reaches a file

# A room may import itself, the rooms and single files named here, and nothing else of ours.
ROOMS: dict[str, set[str]] = {
    "base": set(),
    "compute": {"base"},
    "data": {"base"},
    "models": {"base"},
    "training": {"base", "compute", "data/prepared.py", "models"},
    "critic": {"base", "data/prepared.py", "models/image.py"},
    "encoding": {"base", "compute", "data/prepared.py", "models"},
    "diagnostics": {"base"},
    "decoding": {
        "base",
        "critic",
        "data/outsiders.py",
        "data/prepared.py",
        "diagnostics",
        "encoding/encode.py",
        "models",
    },
    "claims": {"base", "diagnostics/multiplicity.py"},
    "figures": set(),
    "report": {
        "base",
        "claims",
        "data/outsiders.py",
        "data/prepared.py",
        "diagnostics/coverage.py",
        "diagnostics/fitted.py",
        "diagnostics/ground_truth.py",
        "figures",
        "settings",
    },
    "auditing": {"base", "diagnostics", "figures", "report"},
    "loss_weights": {"base", "models/settings.py"},
    "console": {"training"},
    "settings": {
        "base",
        "claims",
        "critic/settings.py",
        "data",
        "diagnostics/settings.py",
        "models",
        "training/settings.py",
    },
    "runs": {"base", "claims", "figures", "models/settings.py", "report", "settings"},
    "cli.py": {"auditing", "base", "loss_weights", "runs"},
    "__init__.py": set(),  # it imports by name, when asked
}
# What an edit of a room re-runs although the script does not import the file: stages of seconds, never training.
LONG = {"train"}


def declared(stage: str) -> dict:
    """The declaration of a stage in dvc.yaml, whichever form it has."""
    entry = SOURCES["watched"] if stage == "source" else DVC[stage]
    return entry.get("do", entry)


def declared_files(stage: str) -> set[Path]:
    """The files of the package under a stage's deps."""
    deps = [ROOT / dep for dep in declared(stage)["deps"] if dep.startswith("src/")]
    return {file for dep in deps for file in ([dep] if dep.is_file() else dep.rglob("*.py"))}


def room_of(path: Path) -> str:
    """The room of a file, or its own name where it stands beside the rooms."""
    return path.relative_to(PACKAGE).parts[0]


def within(path: Path, allowed: set[str]) -> bool:
    """Whether `path` lies in an allowed room, or is an allowed file."""
    return room_of(path) in allowed or path.relative_to(PACKAGE).as_posix() in allowed


def is_public_name(path: Path) -> bool:
    """Whether `path` is the package itself, which imports nothing until asked."""
    return path == PACKAGE / "__init__.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_file_has_a_room_and_imports_run_one_way(path):
    room = room_of(path)
    assert room in ROOMS, f"{path} has no room"
    ours = {file for file in imported_files(path) if not is_empty(file)}
    strangers = [file for file in ours if not within(file, ROOMS[room] | {room, "__init__.py"})]
    assert strangers == []


def test_rooms_make_no_circle():
    floors: list[str] = []
    left = {room: {name.split("/")[0] for name in allowed} for room, allowed in ROOMS.items()}
    while left:
        free = [room for room, needs in left.items() if needs <= set(floors)]
        assert free, f"a circle among {sorted(left)}"
        floors += free
        left = {room: needs for room, needs in left.items() if room not in free}


def test_every_allowed_arrow_is_used():
    for room, allowed in ROOMS.items():
        imported = {file for path in FILES if room_of(path) == room for file in imported_files(path)}
        unused = {name for name in allowed if not any(within(file, {name}) for file in imported)}
        assert unused == set(), f"{room} may import what it does not"


@pytest.mark.parametrize("script", STAGES, ids=lambda path: path.stem)
def test_what_a_stage_imports_lies_inside_its_deps(script):
    needed = {file for file in closure(script) if room_of(file) != NOBODYS_DEP and not is_public_name(file)}
    assert {str(file) for file in needed - declared_files(script.stem)} == set(), "imported but not declared"
    assert f"stages/{script.name}" in declared(script.stem)["deps"]


@pytest.mark.parametrize("script", STAGES, ids=lambda path: path.stem)
def test_a_stage_declares_no_room_that_it_does_not_import(script):
    needed = closure(script)
    for dep in declared(script.stem)["deps"]:
        if dep.startswith("src/"):
            assert any(file == ROOT / dep or (ROOT / dep) in file.parents for file in needed), dep


@pytest.mark.parametrize("stage", sorted(LONG))
def test_no_page_measure_or_data_set_retrains_a_network(stage):
    rooms = {room_of(file) for file in declared_files(stage)}
    assert rooms <= {"base", "compute", "data", "models", "training"}
    assert {file.name for file in declared_files(stage) if room_of(file) == "data"} == {"prepared.py", "sizes.py"}


def test_every_stage_has_a_script_and_every_script_a_stage():
    assert {path.stem for path in STAGES} == set(DVC) | {"source"}


def test_every_data_set_has_its_state_in_a_file_or_a_stage_that_looks():
    watched = {name for name, dataset in DATASETS.items() if dataset.origins is not None}
    assert set(SOURCES["watched"]["foreach"]) == watched
    tracked = run(ROOT, "git", "ls-files", "stages/sources/*.json").split()
    assert {Path(name).stem for name in tracked} == set(DATASETS) - watched


def test_the_table_of_contents_is_short():
    assert len((ROOT / "dvc.yaml").read_text(encoding="utf-8").splitlines()) <= 220
    assert sum(len(declared(stage)["deps"]) for stage in DVC) <= 100


@pytest.mark.parametrize("script", STAGES, ids=lambda path: path.stem)
def test_a_stage_imports_no_other_stage(script):
    names = {path.stem for path in STAGES}
    tree = ast.parse(script.read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & names and not any(str(name).startswith("stages") for name in imported)


@pytest.mark.parametrize("room", ["diagnostics", "claims", "figures", "report", "auditing", "loss_weights"])
def test_torch_stays_out_of_the_rooms_that_only_compute_tables_and_pages(room):
    for path in (PACKAGE / room).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name for name in modules if name.split(".")[0] in {"torch", "torchvision"}}, path


def test_there_is_no_utils():
    assert not [path for path in ROOT.glob("src/**/*util*")]


def _has(params: dict, key: str) -> bool:
    node = params
    for part in key.split("."):
        if part not in node:
            return False
        node = node[part]
    return True


def test_every_parameter_of_a_stage_exists_in_params():
    params = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    keys = [(name, key) for name in DVC for key in declared(name).get("params", []) if "${" not in key]
    assert len(keys) > len(DVC)
    assert [pair for pair in keys if not _has(params, pair[1])] == []


def test_the_page_declares_the_templates_scripts_and_styles_it_is_made_of():
    assert "src/latent_audit/report" in declared("render")["deps"]


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
