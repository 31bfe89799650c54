"""Run another study: an overlay of params/ on params.yaml, as a DVC experiment or in a scratch workspace."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from latent_audit.base.atomic import atomic_path
from latent_audit.base.errors import InputError
from latent_audit.params import Params, check_params

PIPELINE = ("dvc.yaml", "params.yaml", "params", "stages", "src", ".dvcignore")  # what a scratch workspace needs


def overlay_names(root: Path) -> list[str]:
    """The studies that exist: the overlays in params/."""
    return sorted(path.stem for path in (root / "params").glob("*.yaml"))


def read_overlay(root: Path, name: str) -> dict[str, Any]:
    """The overlay called `name`; InputError with the names that exist otherwise."""
    path = root / "params" / f"{name}.yaml"
    if name not in overlay_names(root):
        known = ", ".join(overlay_names(root)) or "none: run from the project's root"
        raise InputError(f"no study is called {name!r} (there is no {path}); the studies are {known}")
    overlay = _yaml(path.read_bytes(), str(path)) or {}
    if not isinstance(overlay, dict):
        raise InputError(f"{path}: holds no parameters; write `key: value` lines as in params.yaml")
    return overlay


def _yaml(text: bytes | str, where: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as error:
        raise InputError(f"{where}: not valid YAML ({' '.join(str(error).split())}); mend it and run again") from None


def merge(base: dict[str, Any], overlay: dict[str, Any]) -> None:
    """Put the overlay's values into `base`, key by key; a mapping merges, anything else replaces."""
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value


def flat(overlay: dict[str, Any], prefix: str = "") -> list[str]:
    """The overlay as `dvc exp run -S` arguments: one key=value per leaf; `+` where params.yaml lacks the key."""
    settings = []
    for key, value in overlay.items():
        if isinstance(value, dict):
            settings += flat(value, f"{prefix}{key}.")
        else:
            settings.append(f"{prefix}{key}={_hydra(value)}")
    return settings


def apply_overlay(path: Path, overlay: dict[str, Any]) -> Params:
    """Merge the overlay into the params file at `path`, keeping its comments, once the result has been checked."""
    yaml = YAML()
    content = yaml.load(path.read_text(encoding="utf-8"))
    merge(content, overlay)
    params = check_params(content, f"{path} with the overlay")
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)
    return params


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """key.key=value arguments as a nested overlay; values are YAML. InputError for one without `=`."""
    overlay: dict[str, Any] = {}
    for setting in settings:
        key, found, value = setting.partition("=")
        if not found or not key:
            raise InputError(f"-S {setting}: write key=value, for example -S train.epochs=3")
        nested = _yaml(value, f"-S {setting}")
        for part in reversed(key.split(".")):
            nested = {part: nested}
        merge(overlay, nested)
    return overlay


def run_experiment(root: Path, name: str, overlay: dict[str, Any], settings: list[str]) -> None:
    """`dvc exp run` with the overlay and then `settings`, as the experiment `name`.

    Raises
    ------
    InputError : DVC is not installed, git has no identity, or a stage failed.
    """
    base = YAML(typ="safe", pure=True).load((root / "params.yaml").read_text(encoding="utf-8"))
    known = set(flat_keys(base))
    new = [setting if setting.split("=")[0] in known else f"+{setting}" for setting in flat(overlay)]
    arguments = [part for setting in (*new, *settings) for part in ("-S", setting)]
    _dvc(root, "exp", "run", "--name", name, *arguments)


def flat_keys(content: dict[str, Any], prefix: str = "") -> list[str]:
    """The dotted names of every leaf."""
    keys = []
    for key, value in content.items():
        keys += flat_keys(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]
    return keys


def run_scratch(root: Path, name: str, overlay: dict[str, Any]) -> Path:
    """Run the study in .workspaces/<name>, a copy that shares nothing but DVC's cache.

    Returns
    -------
    Path of the report: copied to reports/<dataset>.html, or left in the copy where that is the page of this checkout's
    own data set. params.yaml, dvc.lock and the committed results stay as they are.
    """
    own = YAML(typ="safe", pure=True).load((root / "params.yaml").read_text(encoding="utf-8"))
    scratch = root / ".workspaces" / name
    scratch.mkdir(parents=True, exist_ok=True)
    for item in PIPELINE:
        _copy(root / item, scratch / item)
    params = apply_overlay(scratch / "params.yaml", overlay)
    (scratch / ".dvc").mkdir(exist_ok=True)
    shutil.copy(root / ".dvc/config", scratch / ".dvc/config")
    cache = root / ".dvc/cache"
    (scratch / ".dvc/config.local").write_text(f"[core]\n    no_scm = true\n[cache]\n    dir = {cache.resolve()}\n")
    _dvc(scratch, "repro")
    report = Path("reports") / f"{params.dataset}.html"
    if params.dataset == own["dataset"]:
        return scratch / report
    (root / "reports").mkdir(exist_ok=True)
    shutil.copy(scratch / report, root / report)
    return root / report


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    else:
        shutil.copy(source, target)


def mend_lock(folder: Path) -> bool:
    """Remove DVC's note of who reads and writes what where a killed DVC left it cut off: it would not start again.

    Returns
    -------
    Whether there was such a file. One that is whole stays: a DVC may be at work.
    """
    path = folder / ".dvc/tmp/rwlock"
    for _ in range(2):  # a DVC that is just writing it is done a moment later
        try:
            json.loads(path.read_text(encoding="utf-8"))
            return False
        except FileNotFoundError:
            return False
        except ValueError:
            time.sleep(0.5)
    path.unlink(missing_ok=True)
    return True


def _dvc(folder: Path, *arguments: str) -> None:
    mend_lock(folder)
    own = Path(sys.executable).parent  # the stages must run with this interpreter, whatever PATH says
    environment = os.environ | {"PATH": f"{own}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment |= {key: value for key, value in _identity().items() if key not in environment}
    result = subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=folder, env=environment, check=False)
    if result.returncode != 0:
        raise InputError(f"`dvc {' '.join(arguments[:2])}` failed in {folder} (exit {result.returncode}); see above")


def _identity() -> dict[str, str]:
    """A git identity for DVC's own commits where the user has configured none."""
    asked = subprocess.run(["git", "config", "user.email"], capture_output=True, check=False)
    if asked.returncode == 0:
        return {}
    who, address = "latent-audit", "latent-audit@localhost"
    return {
        "GIT_AUTHOR_NAME": who,
        "GIT_AUTHOR_EMAIL": address,
        "GIT_COMMITTER_NAME": who,
        "GIT_COMMITTER_EMAIL": address,
    }


def _hydra(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "[" + ",".join(_hydra(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
