"""Paths that somebody gave: messages name them as they were given; what cannot be read is said in one sentence."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latent_audit.auditing.border import printable
from latent_audit.base.errors import InputError


class _Named(InputError):
    """One that begins with the path of its file already: a folder further in may hold a file of the same name."""


@contextmanager
def named_by(path: Path) -> Iterator[None]:
    """Messages that begin with the file's name begin with the path that the user gave: files may have one name."""
    try:
        yield
    except _Named:
        raise
    except InputError as error:
        message, name = str(error), path.name
        if not name or not message.startswith((f"{name}:", f"{name},")):
            raise
        raise _Named(printable(str(path)) + message[len(name) :]) from error.__cause__


def at_home(path: Path) -> Path:
    """The path with `~` expanded."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise InputError(f"{printable(str(path))}: there is no such home; write the path out.") from None


def reached(path: Path) -> Path:
    """The path, or an InputError where its being there cannot be asked: a folder closed to us, a name too long."""
    try:
        path.stat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise InputError(
            f"{printable(str(path))}: cannot be reached ({error.strerror}); check the path and its permissions."
        ) from None
    except ValueError as error:  # a null byte in it
        raise InputError(f"{printable(str(path))}: is no path ({error}).") from None
    return path


def refuse_absent(path: Path) -> None:
    """InputError unless `path` is a file that may be read and holds something."""
    shown = printable(str(path))
    if not reached(path).exists():
        raise InputError(f"{shown}: there is no such file; check the path.")
    if not path.is_file():
        kind = "is a directory" if path.is_dir() else f"is no file but a {_kind(path)}"
        raise InputError(f"{shown}: {kind}; check the path.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{shown}: may not be read; check its permissions.")
    if path.stat().st_size == 0:
        raise InputError(f"{shown}: the file is empty.")


def _kind(path: Path) -> str:
    mode = path.stat().st_mode
    return "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"
