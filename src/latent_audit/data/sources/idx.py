"""The three sets in MNIST's IDX format: mnist, fashion_mnist, kmnist. Addresses and checksums are torchvision's.

Reference: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits, section "File formats".
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from latent_audit.base.errors import InputError
from latent_audit.data.sources.dataset import TREATMENT, Counts, Dataset, Source, Split, Treatment
from latent_audit.data.sources.fetch import Resource, fetch

SIDE = 28  # pixels
NUMBERS = tuple(str(digit) for digit in range(10))
CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
HIRAGANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
COUNTS = Counts(60_000, 10_000)  # of all three
IMAGES, LABELS = 3, 1  # number of axes of the two kinds of IDX file
UNSIGNED_BYTE = 8  # the third byte of the magic number; the fourth is the number of axes


def dataset(name: str, torchvision_name: str, terms: str, classes: tuple[str, ...]) -> Dataset:
    """The data set `name`, whose addresses, checksums and class names are those of a class of torchvision.datasets.

    classes : those names again, which are asked for before there is time to import torchvision.
    """

    def fetch_all(raw_dir: Path, *, mirror: str | None, path: Path | None) -> None:
        published = _published(torchvision_name)
        for file_name, md5 in published.resources:
            fetch(name, [Resource(file_name, md5)], raw_dir, mirror=mirror, public=published.mirrors)

    def read(raw_dir: Path, *, label: str | None, image_size: int | None, treatment: Treatment = TREATMENT) -> Source:
        train, test = _split(raw_dir, "train"), _split(raw_dir, "t10k")
        height, width = train[0].shape[1:]
        if test[0].shape[1:] != (height, width):
            raise InputError(f"{raw_dir}: train images are {height}x{width}, test images {test[0].shape[1:]}.")
        if image_size not in (None, height):
            raise InputError(
                f"{name}: image_size {image_size}: its images are {height}x{width} and stay so; leave image_size empty."
            )
        _check_labels(raw_dir, np.concatenate([train[1], test[1]]), len(classes))
        return Source(_lazy(*train), _lazy(*test), (1, height, width), list(classes), terms=terms)

    return Dataset(fetch_all, read, SIDE, expect=lambda path: COUNTS, classes=classes)


def read_idx(path: Path, n_axes: int) -> np.ndarray:
    """The array of unsigned bytes in a gzipped IDX file.

    Parameters
    ----------
    n_axes : 3 for images (n, height, width), 1 for labels (n,).

    Raises
    ------
    InputError
        Not there, not gzip, cut short, another kind of IDX file, or not as long as its header says.
    """
    try:
        with gzip.open(path, "rb") as stream:
            content = stream.read()
    except FileNotFoundError:
        raise InputError(f"{path}: not there; run `dvc repro download`.") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip file ({error}); delete it and fetch it again.") from error
    header_size = 4 + 4 * n_axes
    wanted = struct.pack(">I", UNSIGNED_BYTE << 8 | n_axes)
    if len(content) < header_size or content[:4] != wanted:
        raise InputError(
            f"{path}: begins with bytes {content[:4].hex() or 'none'}, and an IDX file of {n_axes} axes of unsigned "
            f"bytes with {wanted.hex()}: another kind of file."
        )
    shape = struct.unpack(f">{n_axes}I", content[4:header_size])
    values = np.frombuffer(content, dtype=np.uint8, offset=header_size)
    if len(values) != math.prod(shape):
        raise InputError(f"{path}: its header promises {shape} values, and {len(values)} follow.")
    return values.reshape(shape)


def _published(torchvision_name: str) -> Any:
    import torchvision  # here: importing it costs seconds, and only these sets need it

    return getattr(torchvision.datasets, torchvision_name)


def _split(raw_dir: Path, prefix: str) -> tuple[np.ndarray, np.ndarray]:
    images = read_idx(raw_dir / f"{prefix}-images-idx3-ubyte.gz", IMAGES)
    labels = read_idx(raw_dir / f"{prefix}-labels-idx1-ubyte.gz", LABELS)
    if len(images) != len(labels):
        raise InputError(f"{raw_dir}: {prefix} has {len(images)} images and {len(labels)} labels; fetch both again.")
    return images, labels.astype(np.int64)


def _check_labels(raw_dir: Path, labels: np.ndarray, n_classes: int) -> None:
    if len(labels) and labels.max() >= n_classes:
        raise InputError(
            f"{raw_dir}: label {labels.max()} in a set of {n_classes} classes: the labels are another set's."
        )


def _lazy(images: np.ndarray, labels: np.ndarray) -> Split:
    return Split(labels, lambda positions: images[positions][:, np.newaxis])
