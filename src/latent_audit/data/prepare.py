"""Stage `preprocess`: raw files of any data set -> the same few arrays, in bounded memory whatever their length."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError
from latent_audit.data.held_out import OWN, Held, Splits, hold
from latent_audit.data.outsiders import FILE as OUTSIDERS
from latent_audit.data.outsiders import write_outsiders
from latent_audit.data.prepared import FEWEST
from latent_audit.data.raw_files import raw_sha256
from latent_audit.data.sources.damage import LINES, blank_words, damage_lines, damage_note, refusal
from latent_audit.data.sources.dataset import TREATMENT, Source, Treatment
from latent_audit.data.sources.names import said_plainly
from latent_audit.data.sources.registry import find
from latent_audit.data.split_arrays import kept, write_split

SMALLEST = 8  # pixels: three halvings, the encoder's, leave one


class Outcome(NamedTuple):
    """What was prepared (the content of meta.json), and a line for each picture that was left out."""

    meta: dict[str, Any]
    left_out: list[str]

    def in_words(self) -> list[str]:
        """Lines for the log: what there is, what was done to it, and each picture that was left out."""
        meta = self.meta
        of = f"{meta['n_train']} train and {meta['n_test']} test images, {'grey' if meta['channels'] == 1 else 'RGB'}"
        size = f"{meta['native_height']}x{meta['native_width']} padded with zeros to {meta['height']}x{meta['width']}"
        n_classes = len(meta["classes"])
        classes = f"{n_classes} classes" if n_classes > 1 else "no classes"
        lines = [f"{meta['dataset']}: {of}, {size}, {classes}", *meta["notes"], *self.left_out[:LINES]]
        return [*lines, f"... and {len(self.left_out) - LINES} more"] if len(self.left_out) > LINES else lines


def prepare(
    dataset: str,
    raw_dir: Path,
    out_dir: Path,
    *,
    limit: int | None,
    pad_to: int,
    label: str | None,
    image_size: int | None,
    treatment: Treatment = TREATMENT,
    strict: bool = False,
    path: Path | None = None,
    splits: Splits = OWN,
) -> Outcome:
    """Write {train,test}_images.npy (N, C, H, W) uint8, {train,test}_labels.npy int64, extras, outsiders, meta.json.

    Parameters
    ----------
    limit : keep at most this many images of each split: a fixed, seeded choice in which every class has its share,
        left in the order of the source. None: all.
    pad_to : height and width in pixels, reached with a border of zeros, the same on each side (28 -> 32: 2 pixels).
    label : the attribute that becomes the class (celeba); other data sets have one labelling and do not look at it.
    image_size : height and width in pixels before padding, for sets that are resized; None: the data set's own.
    treatment : how pictures that are not square, or transparent, are brought to that size.
    strict : refuse damaged pictures instead of leaving them out.
    path : where the user's own pictures are, to name the damaged ones by.
    splits : what is trained on and who is an outsider, where that is not as the data set has it.

    Raises
    ------
    InputError
        Unknown data set or class, `limit` below 100, `pad_to` below the image size, raw files that cannot be used, too
        few pictures, pictures that are blank or all the same; where `strict`, damaged pictures, all of them by name.
    """
    if limit is not None and limit < FEWEST:
        raise InputError(
            f"limit: {limit} images per split are too few: with fewer than {FEWEST} codes no test of a distribution "
            f"and no class area means anything. Give {FEWEST} or more, or leave it empty for all images."
        )
    if image_size is not None and image_size < SMALLEST:
        raise InputError(f"image_size: {image_size}; give {SMALLEST} pixels or more, or leave it empty.")
    try:
        with said_plainly(raw_dir, path if dataset == "folder" else None):
            held = hold(find(dataset).read(raw_dir, label=label, image_size=image_size, treatment=treatment), splits)
            source = held.source
            if strict and source.damaged:
                raise InputError(refusal(source.damaged, path))
            pad = _padding(source.image_shape, pad_to)
            for name, split in (("train", source.train), ("test", source.test)):
                if len(split.labels) < FEWEST:
                    raise InputError(_too_few(raw_dir, name, len(split.labels), source.notes))
            return _write(dataset, held, raw_dir, out_dir, limit=limit, pad=pad, strict=strict, path=path)
    except OSError as error:
        raise InputError(f"{error.filename or out_dir}: {error.strerror or error}; {out_dir} is not whole.") from error


def _too_few(raw_dir: Path, split: str, n: int, notes: Sequence[str]) -> str:
    return " ".join([f"{raw_dir}: {n} {split} images; at least {FEWEST} are needed.", *notes])


def _write(
    dataset: str,
    held: Held,
    raw_dir: Path,
    out_dir: Path,
    *,
    limit: int | None,
    pad: list[int],
    strict: bool,
    path: Path | None,
) -> Outcome:
    source = held.source
    out_dir.mkdir(parents=True, exist_ok=True)
    for name in ("meta.json", OUTSIDERS):  # meta.json is written last: with it, the folder is whole
        (out_dir / name).unlink(missing_ok=True)
    damaged, counts, notes = dict(source.damaged), {}, list(source.notes)
    with _removed_on_failure(out_dir):
        for name, split in (("train", source.train), ("test", source.test)):
            written = write_split(out_dir, name, split, source.image_shape, pad, limit, dataset)
            damaged |= {split.names[position]: reason for position, reason in written.damaged.items()}
            counts[name] = (len(split.labels) - len(written.damaged), len(written.kept))
            if blank := blank_words(written.extent, raw_dir):
                raise InputError(blank)
            if min(counts[name]) < FEWEST:
                raise InputError(_too_few(raw_dir, name, min(counts[name]), [*notes, damage_note(damaged)]))
        if strict and damaged:
            raise InputError(refusal(damaged, path))
        _write_outsiders(out_dir, held, pad, limit)
    if damaged:
        notes.append(damage_note(damaged))
    meta = _meta(dataset, source, raw_dir, limit, pad, counts, notes)
    write_text(out_dir / "meta.json", json.dumps(meta, indent=2, sort_keys=True) + "\n")
    return Outcome(meta, damage_lines(damaged, path))


def _write_outsiders(out_dir: Path, held: Held, pad: list[int], limit: int | None) -> None:
    """At most `limit` images of each set of outsiders, padded as the study's are; damaged pictures are refused."""
    images, border = {}, ((0, 0), (0, 0), (pad[0], pad[1]), (pad[2], pad[3]))
    for name, split in held.outsiders.items():
        chosen = kept(split.labels, limit, name, "outsider")
        if len(chosen) < FEWEST:
            raise InputError(f"{name}: {len(chosen)} outsiders are too few; at least {FEWEST} are needed.")
        images[name] = np.pad(split.read(chosen), border)
    write_outsiders(out_dir, images)


@contextmanager
def _removed_on_failure(out_dir: Path) -> Iterator[None]:
    """What is refused after it was written is not left lying there."""
    try:
        yield
    except InputError:
        for file in (*out_dir.glob("*.npy"), out_dir / OUTSIDERS):
            file.unlink(missing_ok=True)
        raise


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


def _meta(
    dataset: str,
    source: Source,
    raw_dir: Path,
    limit: int | None,
    pad: list[int],
    counts: Mapping[str, tuple[int, int]],
    notes: Sequence[str],
) -> dict[str, Any]:
    """`counts`: for each split the images that there are, and those kept."""
    channels, height, width = source.image_shape
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
        **{f"available_{name}": available for name, (available, _) in counts.items()},
        **{f"n_{name}": n_kept for name, (_, n_kept) in counts.items()},
        "raw_sha256": raw_sha256(raw_dir),
        "terms": source.terms,
        "images_may_be_shown": source.images_may_be_shown,
        "columns": dict(source.columns),
        "notes": list(notes),
    }
