"""scikit-learn's digits: real, 1,797 images of 8 x 8, inside the package, so that a first run needs no download.

Reference: E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI repository.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from latent_audit.base.atomic import atomic_path
from latent_audit.base.errors import InputError
from latent_audit.data.sources.dataset import TREATMENT, Dataset, Source, Split, Treatment
from latent_audit.data.sources.fetch import Resource, check
from latent_audit.data.sources.splits import expected, train_test_positions

SIDE, LEVELS, TEST_SHARE, DEFAULT_SIZE = 8, 16, 0.2, 28
N_IMAGES = 1797
CLASSES = tuple(str(digit) for digit in range(10))
FILE = Resource(
    "digits.npy", "70ae34ff35ee24e18200c64664679486"
)  # (1797, 65) uint8: 64 grey values 0..16, then the label
TERMS = "UCI Optical Recognition of Handwritten Digits (test part), as shipped by scikit-learn: CC BY 4.0"


def _fetch(raw_dir: Path, *, mirror: str | None, path: Path | None) -> None:
    target = raw_dir / FILE.name
    if not target.exists():
        from sklearn.datasets import load_digits  # here: a slow import that only this function needs

        values, digits = load_digits(return_X_y=True)
        with atomic_path(target) as temporary, temporary.open("wb") as stream:
            np.save(stream, np.column_stack([values, digits]).astype(np.uint8))
    check(target, FILE, origin="scikit-learn's load_digits, or a file there already: delete it to write it anew")


def _read(raw_dir: Path, *, label: str | None, image_size: int | None, treatment: Treatment = TREATMENT) -> Source:
    if not (raw_dir / FILE.name).exists():
        raise InputError(f"{raw_dir / FILE.name}: not there; run `dvc repro download`.")
    check(raw_dir / FILE.name, FILE, origin="delete it and run `dvc repro download`")
    table = np.load(raw_dir / FILE.name)
    size = image_size or DEFAULT_SIZE
    labels = table[:, -1].astype(np.int64)

    def split(positions: np.ndarray) -> Split:
        return Split(
            labels[positions], lambda chosen: np.stack([_enlarge(row, size) for row in table[positions[chosen]]])
        )

    train, test = train_test_positions(labels, TEST_SHARE, "digits", "split")
    return Source(split(train), split(test), (1, size, size), list(CLASSES), terms=TERMS)


def _enlarge(row: np.ndarray, size: int) -> np.ndarray:
    """One row of the table as an image (1, size, size): 0..16 stretched to 0..255, bicubic, clipped by Pillow."""
    grey = np.round(row[:-1].reshape(SIDE, SIDE) * (255 / LEVELS)).astype(np.uint8)
    return np.asarray(Image.fromarray(grey).resize((size, size), Image.Resampling.BICUBIC))[np.newaxis]


DIGITS = Dataset(_fetch, _read, DEFAULT_SIZE, expect=lambda path: expected(N_IMAGES, TEST_SHARE), classes=CLASSES)
