"""Stage `preprocess`: raw files of any data set -> the same few arrays, in bounded memory whatever their length."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

from latent_audit.base.atomic import atomic_path, write_text
from latent_audit.base.errors import InputError
from latent_audit.data.sources.dataset import Source, Split
from latent_audit.data.sources.registry import find
from latent_audit.data.sources.splits import stratified_order

CHUNK = 1024  # images in memory at a time
FEWEST = 100  # images per split below which no diagnostic of a distribution means anything
SMALLEST = 8  # pixels: three halvings, the encoder's, leave one


def prepare(
    dataset: str,
    raw_dir: Path,
    out_dir: Path,
    *,
    limit: int | None,
    pad_to: int,
    label: str | None,
    image_size: int | None,
) -> None:
    """Write {train,test}_images.npy (N, C, H, W) uint8, {train,test}_labels.npy int64, extras, meta.json.

    Parameters
    ----------
    limit : keep at most this many images of each split: a fixed, seeded choice in which every class has its share,
        left in the order of the source. None: all.
    pad_to : height and width in pixels, reached with a border of zeros, the same on each side (28 -> 32: 2 pixels).
    label : the attribute that becomes the class (celeba); other data sets have one labelling and do not look at it.
    image_size : height and width in pixels before padding, for sets that are resized; None: the data set's own.

    Raises
    ------
    InputError
        Unknown data set, `limit` below 100, `pad_to` below the image size, or raw files that cannot be used.
    """
    if limit is not None and limit < FEWEST:
        raise InputError(
            f"limit: {limit} images per split are too few: with fewer than {FEWEST} codes no test of a distribution "
            f"and no class area means anything. Give {FEWEST} or more, or leave it empty for all images."
        )
    if image_size is not None and image_size < SMALLEST:
        raise InputError(f"image_size: {image_size}; give {SMALLEST} pixels or more, or leave it empty.")
    source = find(dataset).read(raw_dir, label=label, image_size=image_size)
    pad = _padding(source.image_shape, pad_to)
    for name, split in (("train", source.train), ("test", source.test)):
        if len(split.labels) < FEWEST:
            raise InputError(f"{raw_dir}: {len(split.labels)} {name} images; at least {FEWEST} are needed.")
    try:
        _write(dataset, source, raw_dir, out_dir, limit=limit, pad=pad)
    except OSError as error:
        raise InputError(f"{error.filename or out_dir}: {error.strerror or error}; {out_dir} is not whole.") from error


def _write(dataset: str, source: Source, raw_dir: Path, out_dir: Path, *, limit: int | None, pad: list[int]) -> None:
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "meta.json").unlink(missing_ok=True)  # it is written last: with it, the folder is whole
    for name, split in (("train", source.train), ("test", source.test)):
        kept = _kept(split.labels, limit, dataset, name)
        _write_images(out_dir / f"{name}_images.npy", split, kept, source.image_shape, pad)
        _write_array(out_dir / f"{name}_labels.npy", split.labels[kept].astype(np.int64))
        for extra, values in split.extras.items():
            _write_array(out_dir / f"{extra}_{name}.npy", values[kept])
    meta = _meta(dataset, source, raw_dir, limit, pad)
    write_text(out_dir / "meta.json", json.dumps(meta, indent=2, sort_keys=True) + "\n")


def _padding(image_shape: tuple[int, int, int], pad_to: int) -> list[int]:
    """[top, bottom, left, right] in pixels; an odd one goes to the bottom and to the right."""
    _, height, width = image_shape
    if pad_to < max(height, width):
        raise InputError(
            f"pad_to: {pad_to} is smaller than the images, which are {height}x{width}; "
            f"set pad_to to {max(height, width)} or more, or image_size to {pad_to} where the data set can be resized."
        )
    top, left = (pad_to - height) // 2, (pad_to - width) // 2
    return [top, pad_to - height - top, left, pad_to - width - left]


def _kept(labels: np.ndarray, limit: int | None, dataset: str, split: str) -> np.ndarray:
    if limit is None or limit >= len(labels):
        return np.arange(len(labels))
    return np.sort(stratified_order(labels, dataset, split, "limit")[:limit])


def _write_images(target: Path, split: Split, kept: np.ndarray, shape: tuple[int, int, int], pad: list[int]) -> None:
    channels, height, width = shape
    top, bottom, left, right = pad
    padded = (len(kept), channels, top + height + bottom, left + width + right)
    with atomic_path(target) as temporary:
        images = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=padded)
        if hasattr(os, "posix_fallocate"):  # a full disk is an error here; later, at a mapped page, it kills
            with temporary.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, temporary.stat().st_size)
        for start in range(0, len(kept), CHUNK):
            chunk = split.read(kept[start : start + CHUNK])
            images[start : start + CHUNK, :, top : top + height, left : left + width] = chunk
        images.flush()


def _write_array(target: Path, values: np.ndarray) -> None:
    with atomic_path(target) as temporary, temporary.open("wb") as stream:
        np.save(stream, values)


def _meta(dataset: str, source: Source, raw_dir: Path, limit: int | None, pad: list[int]) -> dict[str, object]:
    channels, height, width = source.image_shape
    available = {"train": len(source.train.labels), "test": len(source.test.labels)}
    return {
        "dataset": dataset,
        "classes": source.classes,
        "channels": channels,
        "height": height + pad[0] + pad[1],
        "width": width + pad[2] + pad[3],
        "native_height": height,
        "native_width": width,
        "pad": pad,
        "limit": limit,
        **{f"available_{name}": n for name, n in available.items()},
        **{f"n_{name}": n if limit is None else min(n, limit) for name, n in available.items()},
        "raw_sha256": _raw_sha256(raw_dir),
        "terms": source.terms,
        "images_may_be_shown": source.images_may_be_shown,
        "columns": dict(source.columns),
        "notes": list(source.notes),
    }


def _raw_sha256(raw_dir: Path) -> dict[str, str]:
    """SHA-256 of each file of `raw_dir`; of a folder in it, one for the sorted names and digests of its files."""
    digests = {}
    for entry in sorted(raw_dir.iterdir()):
        if entry.name.startswith("."):
            continue  # a .part left by a killed run, a .gitignore
        if entry.is_file():
            digests[entry.name] = _sha256(entry)
        else:
            files = sorted(path for path in entry.rglob("*") if path.is_file())
            listing = "".join(f"{_sha256(path)}  {path.relative_to(entry).as_posix()}\n" for path in files)
            digests[f"{entry.name}/"] = hashlib.sha256(listing.encode()).hexdigest()
    return digests


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
