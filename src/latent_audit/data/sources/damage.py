"""What cannot be learned from: pictures that cannot be read, and data sets whose pictures are blank or all the same."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from latent_audit.data.sources.names import printable

NAMED = 10  # names in a sentence; the rest is counted
LINES = 1000  # names in a message on the terminal
FLAT = 2  # levels of 255 between the darkest and the brightest pixel up to which a picture shows nothing
MOST_FLAT = 0.9  # share of such pictures above which a data set is refused


class Extent(NamedTuple):
    """Of images seen so far: how many, how many are flat, and the darkest and brightest value of each pixel."""

    n: int
    n_flat: int
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of_none(cls, shape: tuple[int, int, int]) -> "Extent":
        """Of no image yet: every value of images (C, H, W) that comes widens it."""
        return cls(0, 0, np.full(shape, 255, dtype=np.uint8), np.zeros(shape, dtype=np.uint8))

    def with_images(self, images: np.ndarray) -> "Extent":
        """Of these images (k, C, H, W) uint8 as well."""
        each = images.reshape(len(images), images.shape[1], -1)
        contrast = (each.max(-1) - each.min(-1)).max(-1)  # within a channel
        low, high = np.minimum(self.low, images.min(0)), np.maximum(self.high, images.max(0))
        return Extent(self.n + len(images), self.n_flat + int((contrast <= FLAT).sum()), low, high)


def blank_words(extent: Extent, where: Path) -> str | None:
    """Why nothing can be learned from these images; None where something can."""
    shown = f"values {extent.low.min()} to {extent.high.max()} of 0 to 255"
    if words := flat_words(str(where), extent.n_flat, extent.n):
        return words
    if (extent.high - extent.low).max() <= FLAT:
        return (
            f"{where}: all {extent.n} pictures are the same, or nearly ({shown}): there is nothing to learn from them."
        )
    return None


def flat_words(where: str, n_flat: int, n: int) -> str | None:
    """Why these pictures are refused; None where enough of them show something."""
    if n_flat <= MOST_FLAT * n:
        return None
    return (
        f"{where}: {n_flat} of {n} pictures are blank, of one shade each or nearly: there is nothing in them to learn. "
        "Look at the files; ink on a transparent ground needs a data.background of another colour than the ink."
    )


def damage_note(damaged: Mapping[str, str]) -> str:
    """One sentence for the page; "" where nothing is damaged."""
    if not damaged:
        return ""
    names = [printable(name) for name in sorted(damaged)]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    n = f"{len(names)} pictures" if len(names) > 1 else "1 picture"
    return f"{n} cannot be read and {'were' if len(names) > 1 else 'was'} left out: {', '.join(names[:NAMED])}{more}."


def damage_lines(damaged: Mapping[str, str], path: Path | None) -> list[str]:
    """A line for each damaged picture, under the user's own `path`, with the reason."""
    return [printable(f"{path / name if path else name}: {reason}") for name, reason in sorted(damaged.items())]


def refusal(damaged: Mapping[str, str], path: Path | None) -> str:
    """The error of a strict run: every damaged picture by name."""
    lines: Sequence[str] = damage_lines(damaged, path)
    more = [f"... and {len(lines) - LINES} more"] if len(lines) > LINES else []
    listing = "\n  ".join([*lines[:LINES], *more])
    return (
        f"{len(lines)} pictures cannot be read:\n  {listing}\n"
        "Repair or remove them, or set data.strict to false: then they are left out, and the page says so."
    )
