"""Images that a model was not trained on: the test images of other data sets, and those of a class that was left out.

`preprocess` writes them beside the prepared splits, in the shape of those; a data set without any has no such files.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latent_audit.base.atomic import atomic_path, write_text
from latent_audit.base.errors import InputError
from latent_audit.data.prepared import load_array, load_meta, load_split

FILE = "outsiders.json"
OTHER_CLASSES = "other_classes"  # to an arm that sees some classes only, the test images of the others


def write_outsiders(folder: Path, images: dict[str, np.ndarray]) -> None:
    """Write each set of images, uint8 (n, channel, height, width), and their names in order; none: nothing."""
    files = {}
    for index, (name, values) in enumerate(images.items()):
        files[name] = f"outsider_{index}_images.npy"
        with atomic_path(folder / files[name]) as temporary, temporary.open("wb") as stream:
            np.save(stream, values)
    if files:
        write_text(folder / FILE, json.dumps(files, indent=2) + "\n")


def load_outsiders(folder: Path, seen: Sequence[int] | None = None) -> dict[str, np.ndarray]:
    """The images of every set of outsiders by its name, mapped from disk; empty where there is none.

    seen : the labels that an arm sees, of which the others are a set of outsiders to it; None: all.

    Raises
    ------
    InputError : the list of them cannot be read, or an array is missing or cut short.
    """
    own = {} if seen is None else {OTHER_CLASSES: _of_others(folder, seen)}
    path = folder / FILE
    if not path.exists():
        return own
    try:
        files: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); run `dvc repro --force preprocess`.") from error
    return own | {name: load_array(folder / file, mapped=True) for name, file in files.items()}


def _of_others(folder: Path, seen: Sequence[int]) -> np.ndarray:
    others = [label for label in range(len(load_meta(folder).classes)) if label not in seen]
    return load_split(folder, "test", others).images
