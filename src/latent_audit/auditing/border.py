"""The border to files that somebody else wrote: whatever a library trips over there becomes one sentence."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from latent_audit.base.errors import InputError

MOST_SHOWN = 5


@contextmanager
def border(where: str, what: str) -> Iterator[None]:
    """Turn whatever is raised inside into an InputError: a damaged file can trip a library anywhere.

    Parameters
    ----------
    where : the file. what : what it should be, and what to do, as in "a .npy array; write it again".
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(
            f"{where}: needs more memory than there is ({reason(error)}); cut the file in parts."
        ) from None
    except Exception as error:
        raise InputError(f"{where}: not a readable {what} ({reason(error)}).") from error


def reason(error: BaseException) -> str:
    """What a library said is wrong with a file, short enough to be quoted: its bytes may be in it."""
    first = printable((str(error).splitlines() or [type(error).__name__])[0].rstrip("."))
    return (first if len(first) <= 80 else f"{first[:77]}...") or type(error).__name__


def printable(text: str) -> str:
    """The text with what cannot be printed, or not be written as UTF-8, spelt out: \\x01 for the character 1."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def some(values: Sequence[object]) -> str:
    """At most five of the values, and how many more there are."""
    shown = ", ".join(short(repr(value)) for value in values[:MOST_SHOWN])
    return f"[{shown}]" if len(values) <= MOST_SHOWN else f"[{shown}, and {len(values) - MOST_SHOWN:,} more]"


def short(text: str, most: int = 60) -> str:
    """The text, cut with an ellipsis beyond `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
