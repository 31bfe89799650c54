"""Scratch copies of the project on scikit-learn's digits, small enough that the whole study takes seconds."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from import_graph import ROOT

ARMS = ("ae", "beta_vae")  # of the study's: one of each family, and the one that `beta` retrains
TINY = {
    "dataset": "digits", "seeds": [0, 1], "data.limit": 200, "train.epochs": 1, "critic.epochs": 1,
    "diagnostics.null_draws": 19, "diagnostics.null_rows": 100, "diagnostics.grid": 20,
}  # fmt: skip


def environment() -> dict[str, str]:
    own = Path(sys.executable).parent
    identity = {f"GIT_{who}_{what}": "t@t.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return (
        os.environ
        | identity
        | {"PYTHONPATH": "src", "PATH": f"{own}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    )


def run(folder: Path, *command: str, expect: int | None = 0) -> str:
    result = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    output = result.stdout + result.stderr
    assert expect is None or result.returncode == expect, output
    return output


def stages_that_ran(output: str) -> list[str]:
    """All but those of stages/sources, which say what lies outside DVC."""
    return [
        stage for stage in re.findall(r"Running stage '([^']+)'", output) if not stage.startswith("stages/sources/")
    ]


def stages_that_changed(folder: Path) -> list[str]:
    """What `dvc status` lists, but those of stages/sources, which are always looked at."""
    changed = json.loads(run(folder, "dvc", "status", "--json"))
    return sorted(stage for stage in changed if not stage.startswith("stages/sources/"))


def set_params(folder: Path, settings: dict) -> None:
    yaml = YAML()
    path = folder / "params.yaml"
    content = yaml.load(path.read_text(encoding="utf-8"))
    for key, value in settings.items():
        *parts, last = key.split(".")
        node = content
        for part in parts:
            node = node[part]
        node[last] = value
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


def keep_arms(folder: Path, *names: str) -> None:
    """Take every other arm out of params.yaml."""
    yaml = YAML()
    path = folder / "params.yaml"
    content = yaml.load(path.read_text(encoding="utf-8"))
    for name in set(content["arms"]) - set(names):
        del content["arms"][name]
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


def copy_project(target: Path) -> Path:
    """The project as it stands here, tiny, with two arms."""
    target.mkdir()
    for name in ("dvc.yaml", "params.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, target / name)
    for name in ("stages", "src", "params"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (target / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc/config", target / ".dvc/config")
    shutil.copy(ROOT / ".dvc/.gitignore", target / ".dvc/.gitignore")
    set_params(target, TINY)
    keep_arms(target, *ARMS)
    return target


def without_git(folder: Path) -> Path:
    """The same folder, which DVC uses without git."""
    (folder / ".dvc/config.local").write_text("[core]\n    no_scm = true\n")
    return folder


def committed_copy(target: Path) -> Path:
    """A copy in a git repository of its own, committed."""
    copy_project(target)
    run(target, "git", "init", "-q")
    run(target, "git", "add", "-A")
    run(target, "git", "commit", "-qm", "tiny")
    return target
