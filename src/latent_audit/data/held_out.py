"""Other splits of a data set than its own: both joined for training, or a class left out of it, and who is an outsider.

Outsiders are images that no model of the study has seen; each set of them takes the shape of the study's images.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from PIL import Image

from latent_audit.base.errors import InputError
from latent_audit.data.prepared import class_of
from latent_audit.data.sources.dataset import DamagedPictures, Source, Split
from latent_audit.data.sources.registry import find

JOINED = (
    "The models were trained on the train and the test split joined: no test split is left for anything but pictures, "
    "and what is called test here was trained on."
)


class Splits(NamedTuple):
    """What a study makes of a data set's splits: parameters `data.join_splits`, `data.leave_out`, `data.outsider`.

    outsiders : the folder of the raw files of each other data set, by its name.
    """

    join: bool = False
    leave_out: str | int | None = None
    outsiders: Mapping[str, Path] = MappingProxyType({})


LEFT_OUT = "left_out"  # the name of a class's images as outsiders, beside the names of data sets
OWN = Splits()  # the splits that the data set has


class Held(NamedTuple):
    """A data set as the study takes it, and the splits that are outsiders to it, by name."""

    source: Source
    outsiders: dict[str, Split]


def hold(source: Source, splits: Splits) -> Held:
    """The data set with a class left out of both splits and, where asked for, both joined into the training split.

    Raises
    ------
    InputError : there is no such class, nothing to tell apart is left, or an outsider cannot be read.
    """
    outsiders, notes = {}, []
    for name, raw_dir in splits.outsiders.items():
        outsiders[name], note = other_set(name, raw_dir, source.image_shape)
        notes += [note] if note else []
    if splits.leave_out is not None:
        label = class_of(source.classes, splits.leave_out, "data.leave_out")
        outsiders[LEFT_OUT] = _rows(source.test, np.flatnonzero(source.test.labels == label))
        source = _without(source, label)
    source = joined(source) if splits.join else source
    return Held(source._replace(notes=(*source.notes, *notes)), outsiders)


def _without(source: Source, label: int) -> Source:
    """The data set without a class; those behind it move up by one."""
    if len(source.classes) < 3:
        raise InputError(
            f"data.leave_out: of {len(source.classes)} classes fewer than two would be left: nothing to tell apart."
        )

    def kept(split: Split) -> Split:
        rest = _rows(split, np.flatnonzero(split.labels != label))
        return rest._replace(labels=rest.labels - (rest.labels > label))

    name = source.classes[label]
    note = f"The class {name} was left out of training and of the test split; its test images are outsiders."
    classes = [one for one in source.classes if one != name]
    return source._replace(
        train=kept(source.train), test=kept(source.test), classes=classes, notes=(*source.notes, note)
    )


def _rows(split: Split, rows: np.ndarray) -> Split:
    """Some images of a split, in the order of `rows`."""

    def read(positions: np.ndarray) -> np.ndarray:
        try:
            return split.read(rows[positions])
        except DamagedPictures as error:
            own = {int(row): position for position, row in enumerate(rows)}
            raise DamagedPictures({own[at]: reason for at, reason in error.reasons.items()}) from None

    names = [split.names[int(row)] for row in rows] if len(split.names) else []
    return Split(split.labels[rows], read, {name: values[rows] for name, values in split.extras.items()}, names)


def joined(source: Source) -> Source:
    """The data set with its test images in the training split as well, behind the others."""
    train, test = source.train, source.test
    border = len(train.labels)

    def read(positions: np.ndarray) -> np.ndarray:
        images = np.empty((len(positions), *source.image_shape), dtype=np.uint8)
        reasons: dict[int, str] = {}
        for split, mask, shift in ((train, positions < border, 0), (test, positions >= border, border)):
            try:
                if mask.any():
                    images[mask] = split.read(positions[mask] - shift)
            except DamagedPictures as error:
                reasons |= {at + shift: reason for at, reason in error.reasons.items()}
        if reasons:
            raise DamagedPictures(reasons)
        return images

    labels = np.concatenate([train.labels, test.labels])
    extras = {name: np.concatenate([values, test.extras[name]]) for name, values in train.extras.items()}
    both = Split(labels, read, extras, [*train.names, *test.names])
    return source._replace(train=both, notes=(*source.notes, JOINED))


def other_set(name: str, raw_dir: Path, shape: tuple[int, int, int]) -> tuple[Split, str]:
    """The test images of another data set in the shape (channel, height, width) of the study's, and a note on it."""
    source = find(name).read(raw_dir, label=None, image_size=None)
    if source.image_shape == shape:
        return source.test, ""

    def read(positions: np.ndarray) -> np.ndarray:
        return np.stack([reshaped(image, shape) for image in source.test.read(positions)])

    note = (
        f"The images of {name}, {_size(source.image_shape)}, were brought to {_size(shape)} to be outsiders: such "
        "a change alone can make them easy to tell."
    )
    return source.test._replace(read=read), note


def reshaped(image: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """A uint8 image (channel, height, width) in another shape: resized bilinearly, colours to grey, grey three times.

    Grey is Pillow's luminance: ITU-R BT.601.
    """
    channels, height, width = shape
    picture = Image.fromarray(image[0] if len(image) == 1 else np.moveaxis(image, 0, -1))
    picture = picture.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
    values = np.asarray(picture)
    return values[np.newaxis] if channels == 1 else np.moveaxis(values, -1, 0)


def _size(shape: tuple[int, int, int]) -> str:
    return f"{shape[1]}x{shape[2]} {'grey' if shape[0] == 1 else 'RGB'}"
