"""After a kill: mend what DVC writes in place, dvc.lock and its note of who reads what, where it was cut off.

Nothing that is whole is touched: stages that stand whole in dvc.lock stay as they are. The others come back from the
last commit, or are left out, and DVC's own cache has their results.
"""

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError

PAUSE = 0.5  # seconds after which a DVC that was just writing is done


def recover(root: Path) -> list[str]:
    """Mend the DVC project at `root`; one sentence for each thing that was found, none where all is whole.

    Raises
    ------
    InputError : no DVC project is here, or dvc.lock holds a merge conflict, which only its owner can decide.
    """
    if not (root / ".dvc").is_dir():
        raise InputError(f"{root} holds no DVC project; run from the root of a clone of the study")
    found = [_mend_note(root / ".dvc/tmp/rwlock"), _mend_lock_file(root / "dvc.lock")]
    return [sentence for sentence in found if sentence]


def _is_damaged(path: Path, is_whole: Callable[[str], bool]) -> bool:
    """Whether the file is there, was cut off, and is no longer being written."""
    for attempt in range(2):
        try:
            if is_whole(path.read_text(encoding="utf-8")):
                return False
        except (FileNotFoundError, NotADirectoryError):
            return False
        except UnicodeDecodeError:
            pass
        if attempt == 0:
            time.sleep(PAUSE)
    return True


def _mend_note(path: Path) -> str | None:
    """Remove a note that is cut off, or that speaks only of processes which are no DVC any more."""
    if _is_damaged(path, lambda text: _pids(text) is not None):
        path.unlink(missing_ok=True)
        return f"{path}: cut off; removed, DVC writes a new one"
    pids = _pids(path.read_text(encoding="utf-8")) if path.is_file() else None
    if not pids or any(_is_dvc(pid) for pid in pids):
        return None
    path.unlink(missing_ok=True)
    return f"{path}: speaks of killed runs only (pid {', '.join(map(str, sorted(pids)))}); removed"


def _pids(text: str) -> set[int] | None:
    """The processes that the note speaks of; None where it is not what DVC writes."""
    try:
        note = json.loads(text)
        writers = list(note.get("write", {}).values())
        readers = [info for infos in note.get("read", {}).values() for info in infos]
        return {int(info["pid"]) for info in (*writers, *readers) if info}
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        return None


def _is_dvc(pid: int) -> bool:
    try:
        return any("dvc" in part for part in psutil.Process(pid).cmdline())
    except psutil.AccessDenied:
        return True
    except (psutil.Error, OverflowError, ValueError):
        return False


def _mend_lock_file(path: Path) -> str | None:
    if not _is_damaged(path, _is_whole_lock):
        return None
    text = path.read_bytes().decode("utf-8", "ignore")
    if re.search("^(<{7}|>{7}) ", text, re.MULTILINE):
        raise InputError(f"{path} holds a merge conflict: take one side with `git checkout --ours` or `--theirs`")
    kept, committed = _blocks(text)[:-1], _blocks(_committed(path))  # where it was cut off the last cannot be trusted
    stages = dict(committed) | dict(kept)
    names = [name for name, _ in kept] + [name for name, _ in committed if name not in dict(kept)]
    mended = "".join(["schema: '2.0'\nstages:\n", *(stages[name] for name in names)])
    if not names or not _is_whole_lock(mended):
        path.unlink()
        return f"{path}: cut off, and no stage in it is whole; removed. `dvc repro` writes it again, from DVC's cache"
    write_text(path, mended)
    restored = [name for name in names if name not in dict(kept)]
    return f"{path}: cut off; kept {_listed(dict(kept))}, from the last commit {_listed(restored)}"


def _is_whole_lock(text: str) -> bool:
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from voluptuous import Invalid

    try:
        content: Any = YAML(typ="safe").load(text)
        COMPILED_LOCKFILE_SCHEMA(content)
    except (YAMLError, Invalid, ValueError):
        return False
    return text.endswith("\n")


def _blocks(text: str) -> list[tuple[str, str]]:
    """(name, lines) of each stage, as DVC writes them."""
    _, found, below = text.partition("\nstages:\n")
    parts = re.split(r"^(?=  \S)", below, flags=re.MULTILINE) if found else []
    return [(part.splitlines()[0], part) for part in parts if part.startswith("  ")]


def _committed(path: Path) -> str:
    """dvc.lock of the last commit; empty where there is no git, no commit or no such file."""
    command = ["git", "-C", str(path.parent), "cat-file", "blob", f"HEAD:./{path.name}"]
    try:
        shown = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return ""
    return shown.stdout.decode("utf-8", "ignore") if shown.returncode == 0 else ""


def _listed(names: Any) -> str:
    words = [name.strip().removesuffix(":").strip("'\"") for name in names]
    return ", ".join(words) or "nothing"
