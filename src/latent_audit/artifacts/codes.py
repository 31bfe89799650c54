"""Read and write codes/<arm>/seed-<k>.npz: float32 on disk, float64 for whoever computes with them."""

from pathlib import Path

import numpy as np

from latent_audit.artifacts.atomic import atomic_path
from latent_audit.errors import InputError


def write_codes(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write `arrays` as an .npz, atomically; floating arrays become float32, which is what the networks gave."""
    stored = {
        name: values.astype(np.float32) if values.dtype.kind == "f" else values for name, values in arrays.items()
    }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **stored)


def read_codes(path: Path) -> dict[str, np.ndarray]:
    """The arrays of one replicate, floating ones as float64.

    Raises
    ------
    InputError : the file is missing or is not an .npz of plain arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the codes {path} ({error}); run `dvc repro encode`") from None
    return {name: values.astype(np.float64) if values.dtype.kind == "f" else values for name, values in arrays.items()}
