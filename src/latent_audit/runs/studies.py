"""Run another study: an overlay of params/ on params.yaml, as a DVC experiment or in a scratch workspace."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from latent_audit.base.atomic import atomic_path, write_text
from latent_audit.base.errors import InputError
from latent_audit.base.plain_yaml import read_yaml
from latent_audit.runs.git_here import require_git
from latent_audit.runs.recover import recover
from latent_audit.settings.study import Params
from latent_audit.settings.whole import check_whole

PIPELINE = ("dvc.yaml", "params.yaml", "params", "stages", "src", ".dvcignore")  # what a scratch workspace needs
SCRATCH_CONFIG = "[core]\n    no_scm = true\n[cache]\n    dir = ../../../.dvc/cache\n"  # as seen from its own .dvc
KEY = re.compile(r"\+{0,2}([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")  # `+`, with which DVC adds a key, is allowed and needless


def overlay_names(root: Path) -> list[str]:
    """The studies that exist: the overlays in params/."""
    return sorted(path.stem for path in (root / "params").glob("*.yaml"))


def read_overlay(root: Path, name: str) -> dict[str, Any]:
    """The overlay called `name`, which calls the study so; InputError with the names that exist otherwise."""
    path = root / "params" / f"{name}.yaml"
    if name not in overlay_names(root):
        known = ", ".join(overlay_names(root)) or "none: run from the project's root"
        raise InputError(f"no study is called {name!r} (there is no {path}); the studies are {known}")
    overlay = read_yaml(_bytes(path), str(path)) or {}
    if not isinstance(overlay, dict):
        raise InputError(f"{path}: holds no parameters; write `key: value` lines as in params.yaml")
    return {**overlay, "study": name}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); run from the project's root") from None


def merge(base: dict[str, Any], overlay: dict[str, Any]) -> None:
    """Put the overlay's values into `base`, key by key; a mapping merges, anything else replaces.

    By hand, because `base` keeps its comments (OmegaConf's does not) and a path may hold `${`.
    """
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value


def apply_overlay(path: Path, overlay: dict[str, Any]) -> Params:
    """Merge the overlay into the params file at `path`, keeping its comments, once the result has been checked.

    An arm that the overlay sets to null is taken out.
    """
    where = f"{path} with the overlay"
    content = _bytes(path)
    if not isinstance(read_yaml(content, str(path)), dict):
        raise InputError(f"{path} must be a mapping of parameters; bring it back with `git checkout {path.name}`")
    yaml = YAML()
    merged = yaml.load(content.decode("utf-8-sig"))
    merge(merged, overlay)
    arms = merged.get("arms")
    for name in [name for name, arm in arms.items() if arm is None] if isinstance(arms, dict) else []:
        del arms[name]
    params = check_whole(merged, where)
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yaml.dump(merged, file)
    return params


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """key.key=value arguments as a nested overlay; InputError for one that is none."""
    overlay: dict[str, Any] = {}
    for setting in settings:
        key, found, value = setting.partition("=")
        plain = KEY.fullmatch(key)
        if not found or not plain:
            raise InputError(f"-S {setting}: write key=value, for example -S train.epochs=3")
        nested = _value(value, f"-S {setting}")
        for part in reversed(plain[1].split(".")):
            nested = {part: nested}
        merge(overlay, nested)
    return overlay


def _value(text: str, where: str) -> Any:
    """Numbers, switches, null, [lists], {mappings} and "quoted" words are YAML; anything else is taken as it stands.

    So a path needs no quotes against YAML: `# : , & ~ ( )` belong to it.
    """
    if text.lstrip()[:1] in ("[", "{", '"', "'"):
        return read_yaml(text, where)
    try:
        value = read_yaml(text, where)
    except InputError:
        return text
    if value is None:
        return None if text.strip().lower() in ("", "~", "null") else text  # `#1` is a comment, and a path
    return text if isinstance(value, str | dict | list) else value


def run_experiment(root: Path, name: str, overlay: dict[str, Any]) -> None:
    """`dvc exp run` with the overlay, as the experiment `name`.

    The overlay is written into params.yaml, as `dvc exp run -S` does, but not in a grammar where `(`, `,` or `~` of a
    path mean something.

    Raises
    ------
    InputError : wrong parameters, no git, or a stage failed; the message says how to bring params.yaml back.
    """
    require_git(root, otherwise="leave out --experiment: the scratch copy needs no git")
    apply_overlay(root / "params.yaml", overlay)
    try:
        _dvc(root, "exp", "run", "--name", name)
    except InputError as error:
        raise InputError(
            f"{error}. params.yaml keeps the study's parameters: `git checkout params.yaml` undoes that"
        ) from None


def run_scratch(root: Path, name: str, overlay: dict[str, Any]) -> Path:
    """Run the study in .workspaces/<name>, sharing DVC's cache; params.yaml and the rest of the checkout stay.

    Returns
    -------
    The report's path, reports/<name>.html; its tables, parameters and dvc.lock lie in reports/<name>/.

    Raises
    ------
    InputError : wrong parameters, the name of the checkout's own page, a workspace that cannot be written, or a stage
        failed; an earlier result of the study then stays as it was.
    """
    scratch = root / ".workspaces" / name
    own = read_yaml(_bytes(root / "params.yaml"), "params.yaml")
    if isinstance(own, dict) and name == own.get("dataset"):
        raise InputError(
            f"reports/{name}.html is the page of `dvc repro`; call the overlay params/{name}.yaml otherwise"
        )
    try:
        params = _lay_out(root, scratch, overlay)
    except (OSError, shutil.Error) as error:
        raise InputError(
            f"{scratch} cannot be written ({getattr(error, 'strerror', None) or error}); run in a clone of your own: "
            f"`git clone '{root}' somewhere-else`"
        ) from None
    _dvc(scratch, "repro", mirror_from=root)
    return _bring_home(scratch, root / "reports", name, params.dataset)


def _bring_home(scratch: Path, reports: Path, name: str, dataset: str) -> Path:
    """Copy what the study has found to `reports`: its page and, in a folder of its own, what the page rests on."""
    made, tables = scratch / "reports", reports / name
    tables.mkdir(parents=True, exist_ok=True)
    for source in (made / "metrics.json", made / "claims.csv", scratch / "params.yaml", scratch / "dvc.lock"):
        write_text(tables / source.name, source.read_text(encoding="utf-8"))
    for suffix in (".svg", ".html"):
        write_text(reports / f"{name}{suffix}", (made / f"{dataset}{suffix}").read_text(encoding="utf-8"))
    return reports / f"{name}.html"


def _lay_out(root: Path, scratch: Path, overlay: dict[str, Any]) -> Params:
    """Fill the workspace; its parameters are checked before anything of an earlier one is replaced."""
    scratch.mkdir(parents=True, exist_ok=True)
    for item in PIPELINE:
        if not (root / item).exists():
            raise InputError(f"there is no {root / item}; run from the project's root")
    _copy(root / "params.yaml", scratch / "params.yaml")
    params = apply_overlay(scratch / "params.yaml", overlay)
    if params.data.path is not None:  # what is relative is meant from the checkout
        absolute = root / params.data.path.expanduser()
        params = apply_overlay(scratch / "params.yaml", {"data": {"path": str(absolute)}})
    for item in set(PIPELINE) - {"params.yaml"}:
        _copy(root / item, scratch / item)
    (scratch / ".dvc").mkdir(exist_ok=True)
    shutil.copy(root / ".dvc/config", scratch / ".dvc/config")
    (scratch / ".dvc/config.local").write_text(SCRATCH_CONFIG, encoding="utf-8")
    return params


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    else:
        shutil.copy(source, target)


def _dvc(folder: Path, *arguments: str, mirror_from: Path | None = None) -> None:
    for sentence in recover(folder):
        print(sentence, file=sys.stderr)
    own = Path(sys.executable).parent  # the stages must run with this interpreter, whatever PATH says
    environment = os.environ | {"PATH": f"{own}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment |= {key: value for key, value in _identity().items() if key not in environment}
    mirror = environment.get("LATENT_AUDIT_MIRROR")
    if mirror_from is not None and mirror and (mirror_from / mirror).is_dir():
        environment["LATENT_AUDIT_MIRROR"] = str(mirror_from / mirror)  # a relative one is meant from the checkout
    result = subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=folder, env=environment, check=False)
    if result.returncode != 0:
        raise InputError(f"`dvc {' '.join(arguments[:2])}` failed in {folder} (exit {result.returncode}); see above")


def _identity() -> dict[str, str]:
    """A git identity for DVC's own commits where the user has configured none."""
    if shutil.which("git") is None:
        return {}
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
