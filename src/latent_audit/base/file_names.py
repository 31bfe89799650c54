"""Names of files as text: on disk they are bytes, and need not be UTF-8."""

import os


def as_text(name: str) -> str:
    """The name as it can be written into a page or a table; what is not UTF-8 in it becomes a replacement mark."""
    return os.fsencode(name).decode("utf-8", "replace")
