"""Stage `source`: the state of what lies outside DVC, as a digest, so that `download` is run again when it changes.

The digest is of names and contents, not of dates: the same files give the same bytes on every machine. Contents are
read once: a file beside the listing, which nothing depends on, remembers the digest of each by its size and times.
"""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError
from latent_audit.data.sources.fetch import state_of_url
from latent_audit.data.sources.names import said_plainly
from latent_audit.data.sources.registry import find

SETTLED_SECONDS = 2  # a file written later than that may be written again within the same tick of its times


class Change(NamedTuple):
    """Numbers of files: in all, and against the last look those that are new, of other content, and gone."""

    n_files: int
    n_new: int
    n_changed: int
    n_gone: int


def list_source(dataset: str, target: Path, *, mirror: str | None, path: Path | None) -> str:
    """Write the state of the files that `download` would take to `target`, unless it is there; a line for the log.

    Of data with published checksums nothing is written: what stands at `target` comes with the project.

    Where they cannot be reached (a drive that is not plugged in, no network), an earlier listing of the same
    `path` stays, so that what was taken from there can be worked with.

    Raises
    ------
    InputError
        Unknown data set; the user's folder is not there and never was, or cannot be used.
    """
    chosen = find(dataset)
    if chosen.origins is None:
        return f"{dataset}: nothing to look at, its files are checked by their checksums, as {target.name} says"
    with said_plainly():
        files = chosen.origins(mirror=mirror, path=path)
    earlier = _earlier(target, path)
    if files is None and earlier:
        return f"{dataset}: its source cannot be reached; what was taken from it before is used"
    if files is None and path is not None and dataset == "folder":
        raise InputError(f"data.path: {path.expanduser()} is not a folder.")
    digest, change = _digest(files or [], target.with_name(f".{dataset}.seen.json"))
    if digest is None and earlier:
        return f"{dataset}: its source cannot be reached; what was taken from it before is used"
    content = {"path": str(path) if path else None, "n_files": change.n_files, "blake2b": digest}
    if content == earlier:
        return f"{dataset}: {change.n_files} files, as before"
    _write_if_new(target, content)
    return f"{dataset}: {change.n_files} files: {change.n_new} new, {change.n_changed} changed, {change.n_gone} gone"


def _write_if_new(target: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=2, sort_keys=True) + "\n"
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        write_text(target, text)


def _earlier(target: Path, path: Path | None) -> dict[str, Any] | None:
    """The listing that is there, if it is of the same `path` and of files that there were."""
    try:
        content = json.loads(target.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_same = isinstance(content, dict) and content.get("path") == (str(path) if path else None)
    return content if is_same and content.get("blake2b") else None


def _digest(files: Sequence[tuple[str, Path | str]], memory: Path) -> tuple[str | None, Change]:
    """One digest of the names and contents of those files that are there; None where there is none."""
    seen, now = _remembered(memory), {}
    whole = hashlib.blake2b(digest_size=16)
    for name, location in files:
        state = _state(location, seen.get(name))
        if state is not None:
            now[name] = state
            whole.update(f"{len(name)} {name} {state[-1]}\n".encode("utf-8", "surrogateescape"))
    n_changed = sum(name in seen and state[-1] != seen[name][-1] for name, state in now.items())
    change = Change(len(now), len(now.keys() - seen.keys()), n_changed, len(seen.keys() - now.keys()))
    if now != seen:
        write_text(memory, json.dumps(now))
    return (whole.hexdigest() if now else None), change


def _remembered(memory: Path) -> dict[str, list[Any]]:
    """By name: size, times (0 where the file was too young to trust them), digest."""
    try:
        content = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _state(location: Path | str, before: list[Any] | None) -> list[Any] | None:
    """Size, times and digest of one file; None where it is not there."""
    if isinstance(location, str):
        state = state_of_url(location)
        return None if state is None else [0, 0, 0, state]
    try:
        stat = location.stat()
        is_settled = time.time() - max(stat.st_mtime, stat.st_ctime) > SETTLED_SECONDS
        times = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns] if is_settled else [stat.st_size, 0, 0]
        if before and is_settled and before[:-1] == times:
            return before
        return [*times, _content_digest(location)]
    except FileNotFoundError:
        return None
    except OSError as error:  # it will be left out, and said; until it can be read
        return [0, 0, 0, f"unreadable: {error.errno}"]


def _content_digest(path: Path) -> str:
    if not os.path.isfile(path):
        return "no file"
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
