"""The real dSprites, from the user's own `.npz`: 737,280 binary images of 64 x 64 pixels, and the factors of each.

Of the archive `imgs` (n, side, side) of 0 and 1 and `latents_classes` (n, 6) are read: colour (one value), shape,
scale, orientation, x, y, each as a place among its values. The images are kept as bits, 377 MB instead of 3 GB.

Reference: L. Matthey, I. Higgins, D. Hassabis, A. Lerchner (2017), dSprites.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from latent_audit.base.atomic import atomic_path, write_text
from latent_audit.base.errors import InputError
from latent_audit.base.hashing import file_sha256
from latent_audit.data.sources.dataset import Source, Split
from latent_audit.data.sources.splits import train_test_positions

BITS, CLASSES = "images_packed.npy", "latents_classes.npy"
CHUNK = 4_096  # images that are unpacked at a time
N_FACTORS = 6  # colour, and the five that the generated sprites have
MOST_SIDE = 1_024  # pixels; a header may ask for anything


class Header(NamedTuple):
    """Of an array in the archive."""

    shape: tuple[int, ...]
    dtype: np.dtype


def fetch(path: Path, raw_dir: Path, recipe: Path) -> None:
    """Fill `raw_dir` with the bits of the images, their factors, and a recipe that names the archive by its checksum.

    Raises
    ------
    InputError : no such file, no such arrays in it, or arrays that are not of this layout.
    """
    source = path.expanduser()
    if not source.is_file():
        raise InputError(f"data.path: {source} is not a file; for sprites it is the .npz of dSprites, or empty.")
    recipe.unlink(missing_ok=True)
    try:
        with zipfile.ZipFile(source) as archive:
            classes = _classes(archive, source)
            side = _pack(archive, source, len(classes), raw_dir / BITS)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise InputError(f"data.path: {source} is not a whole .npz ({error}); get it again.") from error
    with atomic_path(raw_dir / CLASSES) as temporary, temporary.open("wb") as stream:
        np.save(stream, classes)
    words = {"npz": source.name, "sha256": file_sha256(source), "images": len(classes), "side": side}
    write_text(recipe, json.dumps(words, sort_keys=True) + "\n")


def described(recipe: Path) -> dict[str, Any] | None:
    """What `fetch` wrote of an archive; None where the raw folder is not of one."""
    try:
        found = json.loads(recipe.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) and "npz" in found else None


def read(
    raw_dir: Path, told: dict[str, Any], size: int, test_share: float, shapes: list[str], factors: list[str]
) -> Source:
    """The archive's images at `size` pixels a side: as they are, or the means of whole squares of pixels.

    Raises
    ------
    InputError : `size` does not divide the images' side; the raw folder is not whole.
    """
    side = told["side"]
    if side % size:
        raise InputError(f"image_size: {size}; images of {side}x{side} are brought to {side} or a divisor of it.")
    try:
        bits, classes = np.load(raw_dir / BITS, mmap_mode="r"), np.load(raw_dir / CLASSES)
    except (FileNotFoundError, ValueError, EOFError) as error:
        raise InputError(f"{raw_dir}: not whole ({error}); run `dvc repro --force download`.") from error
    values, labels = classes[:, 1:].astype(np.float32), classes[:, 1].astype(np.int64)
    names = shapes if labels.max() < len(shapes) else [f"shape {k}" for k in range(labels.max() + 1)]

    def split(positions: np.ndarray) -> Split:
        return Split(
            labels[positions],
            lambda chosen: _unpacked(bits, positions[chosen], side, size),
            {"factors": values[positions]},
        )

    train, test = train_test_positions(labels, test_share, "dsprites", "split")
    notes = (
        f"{told['npz']}: {told['images']:,} images of {side}x{side} pixels, SHA-256 {told['sha256']}. Factors are "
        "places among their values; the first and the last orientation of dSprites are the same.",
    )
    return Source(split(train), split(test), (1, size, size), names, columns={"factors": factors}, notes=notes)


def _unpacked(bits: np.ndarray, positions: np.ndarray, side: int, size: int) -> np.ndarray:
    """uint8 (k, 1, size, size), 0 to 255."""
    step, made = side // size, np.empty((len(positions), 1, size, size), dtype=np.uint8)
    for start in range(0, len(positions), CHUNK):
        own = positions[start : start + CHUNK]
        flat = np.unpackbits(bits[own], axis=1, count=side * side)
        squares = flat.reshape(len(own), size, step, size, step).mean(axis=(2, 4))
        made[start : start + CHUNK, 0] = np.rint(255 * squares).astype(np.uint8)
    return made


def _header(stream: IO[bytes], source: Path, name: str) -> Header:
    version = np.lib.format.read_magic(stream)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = reader(stream)
    if fortran or dtype.hasobject:
        raise InputError(f"data.path: {source}: {name} is not a plain array in C order; save it anew with numpy.savez.")
    return Header(shape, dtype)


def _member(archive: zipfile.ZipFile, source: Path, name: str) -> str:
    if f"{name}.npy" not in archive.namelist():
        there = ", ".join(sorted(one.removesuffix(".npy") for one in archive.namelist())) or "nothing"
        raise InputError(
            f"data.path: {source} has no array {name}; dSprites has imgs and latents_classes, here is {there}."
        )
    return f"{name}.npy"


def _classes(archive: zipfile.ZipFile, source: Path) -> np.ndarray:
    """(n, 6) int64."""
    with archive.open(_member(archive, source, "latents_classes")) as stream:
        found = np.lib.format.read_array(stream, allow_pickle=False)
    if found.ndim != 2 or found.shape[1] != N_FACTORS or found.dtype.kind not in "iu" or not len(found):
        raise InputError(
            f"data.path: {source}: latents_classes is {found.dtype} {found.shape}; it has {N_FACTORS} columns of "
            "integers."
        )
    if found.min() < 0 or len(np.unique(found[:, 0])) > 1:
        raise InputError(
            f"data.path: {source}: latents_classes must be 0 or more, and its first column, colour, constant."
        )
    return found.astype(np.int64)


def _pack(archive: zipfile.ZipFile, source: Path, n: int, target: Path) -> int:
    """Write the bits of `imgs`, a chunk at a time, and give the side of the images."""
    with archive.open(_member(archive, source, "imgs")) as stream:
        shape, dtype = _header(stream, source, "imgs")
        square = len(shape) == 3 and shape[1] == shape[2] and 0 < shape[1] <= MOST_SIDE
        if not square or shape[0] != n or dtype not in (np.dtype(np.uint8), np.dtype(bool)):
            raise InputError(
                f"data.path: {source}: imgs is {dtype} {shape}; it is uint8 ({n}, side, side), a row for each of "
                "latents_classes."
            )
        pixels = shape[1] * shape[2]
        with atomic_path(target) as temporary:
            bits = np.lib.format.open_memmap(temporary, "w+", np.uint8, (n, -(-pixels // 8)))
            for start, chunk in _chunks(stream, n, pixels):
                if not set(np.unique(chunk)) <= {0, 1}:
                    raise InputError(f"data.path: {source}: imgs holds other values than 0 and 1, as dSprites has.")
                bits[start : start + len(chunk)] = np.packbits(chunk, axis=1)
            bits.flush()
            del bits
    return int(shape[1])


def _chunks(stream: IO[bytes], n: int, pixels: int) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, n, CHUNK):
        rows = min(CHUNK, n - start)
        content = stream.read(rows * pixels)
        if len(content) < rows * pixels:
            raise EOFError("imgs is cut short")
        yield start, np.frombuffer(content, dtype=np.uint8).reshape(rows, pixels)
