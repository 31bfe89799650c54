"""The user's own images: one folder per class, or flat. Copied into one zip: a run depends on its bytes alone."""

import math
from pathlib import Path, PurePosixPath

import numpy as np

from latent_audit.base.errors import InputError
from latent_audit.data.sources.dataset import Dataset, Source, Split
from latent_audit.data.sources.pictures import SUFFIXES, Pictures, is_clutter, open_zip, pack, square
from latent_audit.data.sources.splits import train_test_positions

FILE = "images.zip"
TEST_SHARE, DEFAULT_SIZE, FEWEST_TEST = 0.15, 28, 100
FEWEST = math.floor((FEWEST_TEST - 1) / TEST_SHARE) + 1  # images in all, so that the test split has FEWEST_TEST


def _fetch(raw_dir: Path, *, mirror: str | None, path: Path | None) -> None:
    if path is None:
        raise InputError(
            "data.path: empty; the data set `folder` reads your images from there. Give the folder's path."
        )
    files = _files(path.expanduser())
    if len(files) < FEWEST:
        raise InputError(
            f"{path}: {len(files)} images; at least {FEWEST} are needed, "
            f"so that the {TEST_SHARE:.0%} that are held out are {FEWEST_TEST} or more."
        )
    pack(files, raw_dir / FILE)


def _files(folder: Path) -> list[tuple[str, Path]]:
    """("class/file" or "file", path) of every image, sorted; anything that is no image is refused by name."""
    if not folder.is_dir():
        raise InputError(f"data.path: {folder} is not a folder.")
    top = [entry for entry in folder.iterdir() if not is_clutter(entry.name)]
    classes = [entry for entry in top if entry.is_dir()]
    flat = [entry for entry in top if not entry.is_dir()]
    if classes and flat:
        raise InputError(
            f"{folder}: holds both folders ({classes[0].name!r}, ...) and files ({flat[0].name!r}, ...); "
            "put every image into a folder of its class, or all of them side by side."
        )
    inside = [entry for one in classes for entry in one.iterdir() if not is_clutter(entry.name)]
    named = [(entry.relative_to(folder).as_posix(), entry) for entry in (inside if classes else flat)]
    for name, entry in named:
        if not entry.is_file() or not name.lower().endswith(SUFFIXES):
            kind = "a folder inside a class" if entry.is_dir() else "not an image"
            raise InputError(f"{entry}: {kind}; only {', '.join(SUFFIXES)} files are read. Move it elsewhere.")
        if not name.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in name):
            raise InputError(f"{folder}: the file name {name!r} is not valid UTF-8; rename it.")
        if "\\" in name or name[1:3] == ":/":
            raise InputError(f"{folder}: the name {name!r} would be a path in another system; rename it.")
    for one in classes:
        if not any(entry.parent == one for entry in inside):
            raise InputError(f"{one}: a class without an image; remove the folder or fill it.")
    return sorted(named)


def _read(raw_dir: Path, *, label: str | None, image_size: int | None) -> Source:
    pictures = open_zip(raw_dir / FILE)
    size = image_size or DEFAULT_SIZE
    channels = _channels(pictures, size)
    class_of = [parts[0] if len(parts := PurePosixPath(name).parts) > 1 else "all" for name in pictures.names]
    classes = sorted(set(class_of))
    labels = np.array([classes.index(one) for one in class_of], dtype=np.int64)

    def split(positions: np.ndarray) -> Split:
        def read(chosen: np.ndarray) -> np.ndarray:
            names = [pictures.names[position] for position in positions[chosen]]
            return np.stack([square(pictures.load(name), size, channels) for name in names])

        return Split(labels[positions], read)

    train, test = train_test_positions(labels, TEST_SHARE, "folder", "split")
    return Source(split(train), split(test), (channels, size, size), classes)


def _channels(pictures: Pictures, size: int) -> int:
    """1 where every image is grey, whatever its file says; 3 as soon as one has a colour."""
    for name in pictures.names:
        image = pictures.load(name)
        if image.mode == "RGB":
            red, green, blue = square(image, size, 3)
            if (red != green).any() or (green != blue).any():
                return 3
    return 1


FOLDER = Dataset(_fetch, _read)
