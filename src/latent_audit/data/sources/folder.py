"""The user's own images: a folder per class, or all flat. Copied into one zip: a run depends on its bytes alone.

Which pictures there are, which can be read, how deep and how large they are, is looked at once, in `_survey`.
"""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError
from latent_audit.data.sources.damage import FLAT, flat_words
from latent_audit.data.sources.dataset import TREATMENT, Counts, Dataset, Source, Split, Treatment
from latent_audit.data.sources.decoding import UnreadablePicture
from latent_audit.data.sources.developing import (
    Colour,
    Levels,
    Range,
    contrast_of,
    developed,
    ground_colour,
    has_colour,
    levels_of,
    range_of,
)
from latent_audit.data.sources.fitting import check_fit, fit_note, fitted
from latent_audit.data.sources.names import printable
from latent_audit.data.sources.pictures import SUFFIXES, Pictures, is_clutter, open_zip, pack
from latent_audit.data.sources.splits import expected, train_test_positions

FILE, LEFT_OUT = "images.zip", "left_out.json"
TEST_SHARE, DEFAULT_SIZE, DEFAULT_FIT, FEWEST_TEST = 0.15, 28, "pad", 100
FEWEST = math.floor((FEWEST_TEST - 1) / TEST_SHARE) + 1  # images in all, so that the test split has FEWEST_TEST
NO_CLASSES = "all"  # the one class of a folder without classes
ALREADY_SPLIT = {"train", "training", "test", "testing", "val", "valid", "validation"}


def _fetch(raw_dir: Path, *, mirror: str | None, path: Path | None) -> None:
    files = picture_files(path)
    if len(files) < FEWEST:
        raise InputError(_too_few(len(files), str(path)))
    left_out = pack(files, raw_dir / FILE)
    (raw_dir / LEFT_OUT).unlink(missing_ok=True)
    if left_out:
        write_text(raw_dir / LEFT_OUT, json.dumps(left_out, indent=2, sort_keys=True) + "\n")


def _too_few(n: int, where: str) -> str:
    return (
        f"{where}: {n} images; at least {FEWEST} are needed, "
        f"so that the {TEST_SHARE:.0%} that are held out are {FEWEST_TEST} or more."
    )


def picture_files(path: Path | None) -> list[tuple[str, Path]]:
    """("class/file" or "file", path) of every image, sorted; whatever is no image is refused by name, all at once."""
    if path is None:
        raise InputError(
            "data.path: empty; the data set `folder` reads your images from there. Give the folder's path."
        )
    folder = path.expanduser()
    if not folder.is_dir():
        raise InputError(f"data.path: {folder} is not a folder.")
    try:
        top = sorted(entry for entry in folder.iterdir() if not is_clutter(entry.name))
        classes, flat = [one for one in top if one.is_dir()], [one for one in top if not one.is_dir()]
        _check_top(folder, classes, flat)
        named = [(entry.relative_to(folder).as_posix(), entry) for one in classes for entry in _below(one)]
    except OSError as error:
        raise InputError(f"{error.filename or folder}: {error.strerror or error}; make it readable.") from error
    named += [(entry.name, entry) for entry in flat]
    _check_names(folder, named)
    with_pictures = {PurePosixPath(name).parts[0] for name, _ in named}
    if empty := [str(one) for one in classes if one.name not in with_pictures]:
        raise InputError(f"{_listed(empty)}: a class without an image; remove the folder or fill it.")
    return sorted(named)


def _check_top(folder: Path, classes: Sequence[Path], flat: Sequence[Path]) -> None:
    if classes and flat:
        raise InputError(
            f"{folder}: holds both folders ({classes[0].name!r}, ...) and files ({flat[0].name!r}, ...); "
            "put every image into a folder of its class, or all of them side by side."
        )
    if len(classes) > 1 and {one.name.lower() for one in classes} <= ALREADY_SPLIT:
        raise InputError(
            f"{folder}: its folders {', '.join(one.name for one in classes)} are splits, not classes; the study makes "
            "its own: give the folder of one of them as data.path, or put the classes of both together."
        )


def _below(folder: Path) -> list[Path]:
    """Every file below `folder`, through links to folders too, each folder once."""
    files, seen = [], set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else sorted(one for one in folders if not is_clutter(one))
        files += [] if real in seen else [Path(place, name) for name in names if not is_clutter(name)]
        seen.add(real)
    return files


def _raise(error: OSError) -> None:
    raise error


def _check_names(folder: Path, named: Sequence[tuple[str, Path]]) -> None:
    if others := sorted(str(entry) for name, entry in named if not name.lower().endswith(SUFFIXES)):
        raise InputError(
            f"{_listed(others)}: not an image; only {', '.join(SUFFIXES)} files are read. Move elsewhere what is none."
        )
    for name, _ in named:
        if not name.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in name):
            raise InputError(f"{folder}: the file name {name!r} is not valid UTF-8; rename it.")
        if "\\" in name or name[1:3] == ":/":
            raise InputError(f"{folder}: the name {name!r} would be a path in another system; rename it.")


def _listed(names: Sequence[str], most: int = 10) -> str:
    """Names with commas, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


class _Seen(NamedTuple):
    """What the survey keeps of one picture."""

    values: Range
    size: tuple[int, int]
    coloured: bool
    more: bool
    contrast: float  # in the file's units: the largest difference within a channel, on the ground


def _survey(pictures: Pictures, ground: Colour) -> tuple[dict[str, _Seen], dict[str, str]]:
    """What each picture is, by name; and of those that cannot be read, why."""
    seen, damaged = {}, {}
    for name in pictures.names:
        try:
            picture = pictures.load(name)
        except UnreadablePicture as error:
            damaged[name] = error.reason
        else:
            height, width = picture.values.shape[:2]
            contrast = contrast_of(picture, ground)
            seen[name] = _Seen(range_of(picture), (width, height), has_colour(picture), picture.more, contrast)
    return seen, damaged


def _read(raw_dir: Path, *, label: str | None, image_size: int | None, treatment: Treatment = TREATMENT) -> Source:
    size, fit, ground = image_size or DEFAULT_SIZE, check_fit(treatment.fit or DEFAULT_FIT), treatment.background
    colour = ground_colour(ground)
    pictures = open_zip(raw_dir / FILE)
    seen, damaged = _survey(pictures, colour)
    damaged |= _left_out(raw_dir)
    if len(seen) < FEWEST:
        raise InputError(_too_few(len(seen), "data.path") + (f" {_damage_words(damaged)}" if damaged else ""))
    names = list(seen)
    levels, level_notes = levels_of([one.values for one in seen.values()])
    n_flat = _n_flat(list(seen.values()), levels)
    if blank := flat_words("data.path", n_flat, len(seen)):
        raise InputError(blank)
    channels = _channels(list(seen.values()), grey_ground=len(set(colour)) == 1)
    class_of = [parts[0] if len(parts := PurePosixPath(name).parts) > 1 else NO_CLASSES for name in names]
    classes = sorted(set(class_of))
    labels = np.array([classes.index(one) for one in class_of], dtype=np.int64)
    classes = [printable(one) for one in classes]  # still different: a name with a backslash was refused

    def split(positions: np.ndarray) -> Split:
        def read(chosen: np.ndarray) -> np.ndarray:
            loaded = (pictures.load(names[position]) for position in positions[chosen])
            return np.stack([fitted(developed(one, levels, colour), size, channels, fit, colour) for one in loaded])

        return Split(labels[positions], read)

    train, test = train_test_positions(labels, TEST_SHARE, "folder", "split")
    notes = _notes(list(seen.values()), channels, n_flat, ground)
    shape_note = fit_note({one.size for one in seen.values()}, size, fit)
    notes = [*_class_notes(classes), *([shape_note] if shape_note else []), *level_notes, *notes]
    return Source(split(train), split(test), (channels, size, size), classes, notes=tuple(notes), damaged=damaged)


def _left_out(raw_dir: Path) -> dict[str, str]:
    path = raw_dir / LEFT_OUT
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _damage_words(damaged: dict[str, str]) -> str:
    return f"{len(damaged)} more cannot be read: {_listed(sorted(damaged))}."


def _channels(seen: Sequence[_Seen], *, grey_ground: bool) -> int:
    """1 where every picture is grey, whatever its file says; 3 as soon as one has, or shows, a colour."""
    coloured = any(one.coloured for one in seen)
    return 3 if coloured or (not grey_ground and any(not one.values.opaque for one in seen)) else 1


def _n_flat(seen: Sequence[_Seen], levels: Levels) -> int:
    """Number of pictures that show nothing, bars aside."""
    scale = {depth: 255 / (white - black) for depth, (black, white) in levels.items()}
    return sum(one.contrast * scale[one.values.depth] <= FLAT for one in seen)


def _class_notes(classes: Sequence[str]) -> list[str]:
    if list(classes) == [NO_CLASSES]:
        return ["The pictures lie side by side, without classes: what needs classes is absent."]
    return ["The pictures are all of one class: what needs classes is absent."] if len(classes) == 1 else []


def _notes(seen: Sequence[_Seen], channels: int, n_flat: int, background: str) -> list[str]:
    n, coloured = len(seen), sum(one.coloured for one in seen)
    clear, more = sum(not one.values.opaque for one in seen), sum(one.more for one in seen)
    notes = []
    if channels == 3 and coloured < n:
        notes.append(f"{coloured} of {n} pictures have a colour, the others are grey: all are taken as RGB.")
    if clear:
        notes.append(f"{clear} of {n} pictures are transparent in places: laid on {background} (data.background).")
    if n_flat:
        notes.append(f"{n_flat} of {n} pictures are blank: of one shade, or nearly.")
    if more:
        notes.append(f"{more} of {n} files hold several pictures (frames, pages): the first of each is taken.")
    return notes


def _origins(*, mirror: str | None, path: Path | None) -> list[tuple[str, Path | str]] | None:
    if path is not None and not path.expanduser().exists():
        return None
    return [(name, entry) for name, entry in picture_files(path)]


def _expect(path: Path | None) -> Counts | None:
    """As if every file could be read; None where the folder cannot be used, which is said where it is."""
    try:
        n = len(picture_files(path))
    except InputError:
        return None
    return expected(n, TEST_SHARE) if n >= FEWEST else None


def _place(*, mirror: str | None, path: Path | None) -> Path | None:
    return path


FOLDER = Dataset(_fetch, _read, DEFAULT_SIZE, _origins, _expect, _place)
