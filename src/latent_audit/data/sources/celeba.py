"""CelebA in its official layout, whatever the size of its images: central square, 64 x 64, RGB, 40 attributes.

Reference: Z. Liu, P. Luo, X. Wang, X. Tang (2015), Deep Learning Face Attributes in the Wild, arXiv:1411.7766.

Checksums: torchvision publishes those of the official files, and a subset has others. So a file with another MD5 is
used and *noted* (`notes` in meta.json, beside the SHA-256 of what was read), not refused.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError
from latent_audit.data.sources.celeba_tables import read_attributes, read_partition
from latent_audit.data.sources.dataset import TREATMENT, Counts, DamagedPictures, Dataset, Source, Split, Treatment
from latent_audit.data.sources.decoding import UnreadablePicture
from latent_audit.data.sources.developing import developed, ground_colour
from latent_audit.data.sources.fetch import Resource, fetch, location_in, md5_of
from latent_audit.data.sources.fitting import FITS, check_fit, fitted
from latent_audit.data.sources.pictures import SUFFIXES, Pictures, is_clutter, open_folder, open_zip, pack
from latent_audit.data.sources.splits import train_test_positions

IMAGES, ATTRIBUTES, PARTITION = "img_align_celeba", "list_attr_celeba", "list_eval_partition"
DEFAULT_SIZE, DEFAULT_FIT, DEFAULT_LABEL, TEST_SHARE = 64, "crop", "Smiling", 0.1
OFFICIAL = Counts(162_770, 19_867 + 19_962)  # validation and test are one here; a subset has fewer
TERMS = "CelebA: non-commercial research only; its images may not be published or passed on"
BY_HAND = "CelebA has no address that a program may fetch it from: get it at https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html."


def _fetch(raw_dir: Path, *, mirror: str | None, path: Path | None) -> None:
    if not (raw_dir / IMAGES).is_dir():
        if unpacked := _unpacked(mirror):
            members = _pictures_in(unpacked)
            if not members:
                raise InputError(f"{unpacked}: holds no picture; put the aligned pictures of CelebA there.")
            pack(members, raw_dir / f"{IMAGES}.zip")
        else:
            fetch("celeba", [Resource(f"{IMAGES}.zip", None)], raw_dir, mirror=mirror, by_hand=BY_HAND)
    for table, required in ((ATTRIBUTES, True), (PARTITION, False)):
        either = [Resource(f"{table}{suffix}", None) for suffix in (".txt", ".csv")]
        fetch("celeba", either, raw_dir, mirror=mirror, required=required, by_hand=BY_HAND)


def _unpacked(mirror: str | None) -> Path | None:
    """The mirror's folder of pictures, where it has one and no archive."""
    folder = location_in(mirror, "celeba", IMAGES) if mirror else None
    is_used = isinstance(folder, Path) and folder.is_dir() and not folder.with_suffix(".zip").exists()
    return folder if isinstance(folder, Path) and is_used else None


def _pictures_in(folder: Path) -> list[tuple[str, Path]]:
    """(name in the archive, path) of every picture below `folder`, sorted."""
    entries = ((f"{IMAGES}/{entry.relative_to(folder).as_posix()}", entry) for entry in folder.rglob("*"))
    return sorted((name, entry) for name, entry in entries if name.lower().endswith(SUFFIXES) and not is_clutter(name))


def _origins(*, mirror: str | None, path: Path | None) -> list[tuple[str, Path | str]] | None:
    if not mirror:
        return None
    unpacked = _unpacked(mirror)
    pictures = (
        _pictures_in(unpacked) if unpacked else [(f"{IMAGES}.zip", location_in(mirror, "celeba", f"{IMAGES}.zip"))]
    )
    tables = [f"{table}{suffix}" for table in (ATTRIBUTES, PARTITION) for suffix in (".txt", ".csv")]
    return [*pictures, *((table, location_in(mirror, "celeba", table)) for table in tables)]


def _read(raw_dir: Path, *, label: str | None, image_size: int | None, treatment: Treatment = TREATMENT) -> Source:
    label, size = label or DEFAULT_LABEL, image_size or DEFAULT_SIZE
    fit, ground = check_fit(treatment.fit or DEFAULT_FIT), ground_colour(treatment.background)
    table_path = _present(raw_dir, ATTRIBUTES)
    if table_path is None:
        raise InputError(f"{raw_dir}: no {ATTRIBUTES}.txt or .csv; run `dvc repro download`.")
    attributes, notes = read_attributes(table_path)
    if label not in attributes.columns:
        raise InputError(f"label: CelebA has no attribute {label!r}; it has {', '.join(attributes.columns)}.")
    is_folder = (raw_dir / IMAGES).is_dir()
    pictures = open_folder(raw_dir / IMAGES) if is_folder else open_zip(raw_dir / f"{IMAGES}.zip")
    notes = [*_unofficial(raw_dir), *notes]
    member_of = _members(pictures, attributes.index)
    used, is_test = _used_rows(
        attributes, member_of, len(pictures.names), table_path, _present(raw_dir, PARTITION), label, notes
    )
    notes.append(f"Pictures are brought to {size}x{size}: {FITS[fit]} (data.fit: {fit}).")

    def split(rows: pd.DataFrame) -> Split:
        members = [member_of[name] for name in rows.index]
        read = partial(_images, pictures, members, size, fit, ground)
        return Split(rows[label].to_numpy(np.int64), read, {"attributes": rows.to_numpy(np.uint8)}, members)

    return Source(
        split(used.loc[~is_test]),
        split(used.loc[is_test]),
        (3, size, size),
        [f"not {label}", label],
        terms=TERMS,
        images_may_be_shown=False,
        columns={"attributes": list(attributes.columns)},
        notes=tuple(notes),
    )


def _images(
    pictures: Pictures, members: list[str], size: int, fit: str, ground: tuple[int, int, int], chosen: np.ndarray
) -> np.ndarray:
    """The pictures at `chosen`, uint8 (k, 3, size, size); DamagedPictures names all of them that cannot be read."""
    images, damaged = [], {}
    for position in chosen:
        try:
            image = developed(pictures.load(members[position]), {}, ground)
            images.append(fitted(image, size, 3, fit, ground))
        except UnreadablePicture as error:
            damaged[int(position)] = error.reason
    if damaged:
        raise DamagedPictures(damaged)
    return np.stack(images)


def _present(raw_dir: Path, table: str) -> Path | None:
    return next((path for suffix in (".txt", ".csv") if (path := raw_dir / f"{table}{suffix}").is_file()), None)


def _members(pictures: Pictures, wanted: pd.Index) -> dict[str, str]:
    """Member of the archive for each name of the table that has one.

    Copies differ in the folders around the pictures and in their suffix: 000001.jpg is found as .png or .JPG too.
    """
    by_name: dict[str, list[str]] = {}
    for member in pictures.names:
        name = PurePosixPath(member).name.lower()
        for key in {name, PurePosixPath(name).stem}:
            by_name.setdefault(key, []).append(member)
    found = {}
    for name in wanted:
        own = by_name.get(name.lower()) or by_name.get(PurePosixPath(name.lower()).stem) or []
        if len(own) > 1:
            raise InputError(f"{IMAGES}: {name} comes twice, as {own[0]} and {own[1]}; leave one of them there.")
        if own:
            found[name] = own[0]
    if not found:
        raise InputError(_other_subset(ATTRIBUTES, list(wanted), [PurePosixPath(one).name for one in pictures.names]))
    return found


def _other_subset(table: str, names: Sequence[str], others: Sequence[str]) -> str:
    return (
        f"{table}: none of its {len(names)} pictures ({names[0] if len(names) else 'none'}, ...) is among the "
        f"{len(others)} that there are ({others[0] if len(others) else 'none'}, ...): the table is of another subset; "
        "fetch the one that belongs to these pictures."
    )


def _used_rows(
    attributes: pd.DataFrame,
    member_of: dict[str, str],
    n_pictures: int,
    table_path: Path,
    partition_path: Path | None,
    label: str,
    notes: list[str],
) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows that have an image (and a partition), in the table's order, and which of them are for the test."""
    used = attributes.loc[attributes.index.isin(list(member_of))]
    if len(used) < max(len(attributes), n_pictures):
        notes.append(
            f"{len(used)} images used: {len(attributes)} have attributes ({table_path.name}), "
            f"{n_pictures} have a picture."
        )
    if partition_path is not None:
        partition, partition_notes = read_partition(partition_path)
        notes.extend(partition_notes)
        part_of = {PurePosixPath(name.lower()).stem: part for name, part in partition.items()}
        parts = [part_of.get(PurePosixPath(name.lower()).stem) for name in used.index]
        is_used = np.array([part is not None for part in parts])
        if not is_used.any():
            raise InputError(_other_subset(partition_path.name, list(partition.index), list(used.index)))
        if not is_used.all():
            notes.append(f"{is_used.sum()} images used: the others have no line in {partition_path.name}.")
        return used.loc[is_used], np.array([part != 0 for part in parts])[is_used]
    notes.append(
        f"No {PARTITION} file: the test split is a fixed random {TEST_SHARE:.0%}, and shares people with train."
    )
    is_test = np.zeros(len(used), dtype=bool)
    is_test[train_test_positions(used[label].to_numpy(np.int64), TEST_SHARE, "celeba", "split")[1]] = True
    return used, is_test


def _unofficial(raw_dir: Path) -> list[str]:
    """A sentence for each file whose MD5 is not the published one."""
    from torchvision.datasets import CelebA  # here: importing it costs seconds

    published = {name: md5 for _, md5, name in CelebA.file_list}
    notes = []
    for path in sorted(raw_dir.iterdir()):
        if not path.is_file() or path.name.startswith("."):
            continue
        found = md5_of(path)
        if found != published.get(path.name):
            expected = published.get(path.name, "none is published")
            notes.append(f"{path.name} is not the official file: md5 {found}, official {expected}.")
    if (raw_dir / IMAGES).is_dir():
        notes.append(f"{IMAGES}/ is unpacked, so it was not compared with the official archive.")
    return notes


def _place(*, mirror: str | None, path: Path | None) -> Path | None:
    """The folder around the mirror's unpacked pictures, or its archive of them."""
    if not mirror:
        return None
    unpacked, archive = _unpacked(mirror), location_in(mirror, "celeba", f"{IMAGES}.zip")
    return unpacked.parent if unpacked else archive if isinstance(archive, Path) and archive.is_file() else None


CELEBA = Dataset(_fetch, _read, DEFAULT_SIZE, _origins, expect=lambda path: OFFICIAL, place=_place)
