"""Write a file whole or not at all: to a temporary name beside the target, then one rename."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latent_audit.base.errors import InputError


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` that replaces it when the block ends well and is removed when it does not.

    Raises
    ------
    InputError : the file cannot be written (a full disk, a folder without permission to write); `target` is as it was.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o644)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except FileNotFoundError:  # of something that the block reads
        raise
    except OSError as error:
        raise InputError(
            f"cannot write {target}: {error.strerror or error}; nothing half-written was left. Free space there, or "
            "make its folder writable, and run again: what was finished before is kept."
        ) from error


def write_text(target: Path, text: str) -> None:
    """Write `text` as UTF-8 with Unix line ends, atomically; `?` for what has no UTF-8, as in a file's odd name."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(text.encode("utf-8", "replace"))
