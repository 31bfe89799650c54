"""Write a folder whole or not at all: beside the target under a temporary name, then one rename."""

import errno
import fnmatch
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from latent_audit.base.errors import InputError

# What file managers, notebooks and network shares leave in any folder: nobody's, and replaced with the rest.
LITTER = (
    ".DS_Store", "._*", "Thumbs.db", "ehthumbs.db", "desktop.ini", "Icon\r", ".ipynb_checkpoints", ".directory",
    "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information", ".Trash-*", ".fuse_hidden*", ".nfs*",
)  # fmt: skip
LARGEST_MARKER = 2**24  # bytes of the JSON file that an earlier result is known by


def refuse_foreign(target: Path, *, marker: str, made_by: str) -> None:
    """InputError unless `target` is free: absent, an empty folder, or one that holds nothing but an earlier result.

    Parameters
    ----------
    marker : name of the JSON file in an earlier result; its `made_by` must be this one, its `files` list the rest.
    """
    there, present = False, []
    try:
        there = target.exists()
        present = sorted(entry.name for entry in target.iterdir() if not _is_litter(entry.name))
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise InputError(f"{target}: cannot be reached ({error.strerror}); choose another folder.") from None
    if not there:
        if target.is_symlink():
            raise InputError(f"{target}: is a link to nothing; remove it or choose another folder.")
        return
    if not target.is_dir():
        raise InputError(f"{target}: is a file; choose a folder that is not there yet.")
    if target == Path.cwd() or target in Path.cwd().parents:
        raise InputError(f"{target}: is the folder you stand in, or holds it, and would be replaced; name another one.")
    if not present:
        return
    own = _own_files(target / marker, made_by)
    if own is None:
        raise InputError(
            f"{target}: holds {len(present)} entries and is no earlier result (no {marker} of ours in it); "
            "choose a new folder or empty this one."
        )
    if strangers := [name for name in present if name not in own or (target / name).is_dir()]:
        raise InputError(
            f"{target}: an earlier result would be replaced, but it also holds {strangers[:5]}; move what is yours."
        )


def _is_litter(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in LITTER)


def _own_files(path: Path, made_by: str) -> set[str] | None:
    """What an earlier result consists of by the word of its marker, None where that is none of ours."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_MARKER:  # opening a pipe would wait for its other end
            return None
        described: Any = json.loads(path.read_text(encoding="utf-8"))
        return {path.name, *described["files"]} if described["made_by"] == made_by else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its place when the block ends well, and is gone when it does not.

    Whatever was at `target` is replaced whole (see `refuse_foreign`). Parents that had to be made are removed again
    when the block fails. A mount point cannot be renamed: there the contents take the place of the contents.

    Raises
    ------
    InputError : the folder cannot be made there, or not be put in place.
    """
    made = [parent for parent in target.parents if not parent.exists()]
    temporary = None
    done = False
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target if os.path.ismount(target) else target.parent
            temporary = Path(tempfile.mkdtemp(dir=beside, prefix=f".{target.name}.", suffix=".part"))
        except OSError as error:
            raise InputError(
                f"{target}: cannot be made there ({error.strerror}); choose a folder that may be written."
            ) from None
        yield temporary
        temporary.chmod(0o755)
        _put(temporary, target)
        done = True
    finally:
        if not done:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            for parent in made:
                if parent.is_dir() and not any(parent.iterdir()):
                    parent.rmdir()


def _put(folder: Path, target: Path) -> None:
    """Rename `folder` to `target`; what was there moves aside first, and comes back if the rename fails."""
    aside = folder.with_suffix(".old")
    try:
        if os.path.ismount(target) or not _renamed(folder, target, aside):
            _swap_contents(folder, target, aside)
    except OSError as error:
        raise InputError(f"{target}: cannot be put in place ({error.strerror}); choose another folder.") from None
    shutil.rmtree(aside, ignore_errors=True)


def _renamed(folder: Path, target: Path, aside: Path) -> bool:
    """Whether the folders could be exchanged by renaming; False for a place where something is mounted."""
    occupied = target.exists()
    try:
        if occupied:
            os.replace(target, aside)
    except OSError as error:
        if error.errno in (errno.EBUSY, errno.EXDEV):
            return False
        raise
    try:
        os.replace(folder, target)
    except OSError:
        if occupied:
            os.replace(aside, target)
        raise
    return True


def _swap_contents(folder: Path, target: Path, aside: Path) -> None:
    """Move what is in `target` to `aside` and what is in `folder` to `target`; back again where that fails."""
    aside.mkdir()
    old = [entry for entry in target.iterdir() if entry not in (folder, aside) and not _is_litter(entry.name)]
    moved: list[tuple[Path, Path]] = []
    try:
        for entry, home in [*((entry, aside) for entry in old), *((entry, target) for entry in folder.iterdir())]:
            shutil.move(entry, home / entry.name)
            moved.append((entry, home / entry.name))
    except OSError:
        for source, there in reversed(moved):
            shutil.move(there, source)
        aside.rmdir()
        raise
    folder.rmdir()
