"""Paths that somebody gave: what is not there, or may not be read, is said in one sentence."""

import os
from pathlib import Path

from latent_audit.base.errors import InputError


def reached(path: Path) -> Path:
    """The path, or an InputError where its being there cannot be asked: a folder closed to us, a name too long."""
    try:
        path.stat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise InputError(f"{path}: cannot be reached ({error.strerror}); check the path and its permissions.") from None
    return path


def refuse_absent(path: Path) -> None:
    """InputError unless `path` is a file that may be read and holds something."""
    if not reached(path).is_file():
        what = "is a directory" if path.is_dir() else "there is no such file"
        raise InputError(f"{path}: {what}; check the path.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read; check its permissions.")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty.")
