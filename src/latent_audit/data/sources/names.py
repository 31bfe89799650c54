"""Names that somebody gave to files and folders: they are said as the user knows them, without control characters."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latent_audit.base.errors import InputError


def printable(text: str) -> str:
    """The text with what a terminal would obey instead of showing it spelt out: \\x1b for an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


@contextmanager
def said_plainly(copy: Path | None = None, own: Path | None = None) -> Iterator[None]:
    """Messages in printable lines; those about the `copy`, or about data.path, begin with the user's `own` path."""
    try:
        yield
    except InputError as error:
        message = str(error)
        for start in ("data.path: ", f"{copy}: "):
            if own is not None and message.startswith(start):
                message = f"{own}: {message.removeprefix(start)}"
                break
        raise InputError("\n".join(map(printable, message.split("\n")))) from error.__cause__
