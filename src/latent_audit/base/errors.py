"""The one error that a user's input can raise, and how a command reports it: one message, exit code 2, no traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """What was wrong, where, and what to do next, in words for the person who gave the input."""


@contextmanager
def reported() -> Iterator[None]:
    """Turn an InputError, or a lack of memory, into a message on stderr and exit code 2; a bug keeps its traceback."""
    try:
        yield
    except InputError as error:
        message = str(error)
    except MemoryError as error:
        message = f"out of memory ({error or 'no size given'}); close other programs, or set data.limit, and run again"
    else:
        return
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(2) from None
