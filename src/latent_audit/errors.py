"""The one error that a user's input can raise, and how a command reports it: one message, exit code 2, no traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """What was wrong, where, and what to do next, in words for the person who gave the input."""


@contextmanager
def reported() -> Iterator[None]:
    """Turn an InputError into its message on stderr and exit code 2; anything else is a bug and keeps its traceback."""
    try:
        yield
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
