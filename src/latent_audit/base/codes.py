"""Read and write codes/<arm>/seed-<k>.npz: float32 on disk, float64 for whoever computes with them."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from latent_audit.base.atomic import atomic_path
from latent_audit.base.errors import InputError


def write_codes(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write `arrays` as an .npz, atomically; floating arrays become float32, which is what the networks gave."""
    stored = {
        name: values.astype(np.float32) if values.dtype.kind == "f" else values for name, values in arrays.items()
    }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **stored)  # pyright: ignore[reportArgumentType]


def read_codes(path: Path) -> dict[str, np.ndarray]:
    """The arrays of one replicate, floating ones as float64.

    Raises
    ------
    InputError : the file is missing or is not an .npz of plain arrays.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, BadZipFile) as error:  # a .npy has no .files
        raise InputError(f"cannot read the codes {path} ({error}); run `dvc repro encode`") from None
    return {name: values.astype(np.float64) if values.dtype.kind == "f" else values for name, values in arrays.items()}
