"""CelebA in its official layout, whatever the size of its images: central square, 64 x 64, RGB, 40 attributes.

Reference: Z. Liu, P. Luo, X. Wang, X. Tang (2015), Deep Learning Face Attributes in the Wild, arXiv:1411.7766.

Checksums: torchvision publishes those of the official files, and a subset has others. So a file with another MD5 is
used and *noted* (`notes` in meta.json, beside the SHA-256 of what was read), not refused.
"""

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from latent_audit.base.errors import InputError
from latent_audit.data.sources.celeba_tables import read_attributes, read_partition
from latent_audit.data.sources.dataset import Dataset, Source, Split
from latent_audit.data.sources.fetch import Resource, fetch, location_in, md5_of
from latent_audit.data.sources.pictures import Pictures, open_folder, open_zip, pack, square
from latent_audit.data.sources.splits import train_test_positions

IMAGES, ATTRIBUTES, PARTITION = "img_align_celeba", "list_attr_celeba", "list_eval_partition"
DEFAULT_SIZE, DEFAULT_LABEL, TEST_SHARE = 64, "Smiling", 0.1
TERMS = "CelebA: non-commercial research only; its images may not be published or passed on"
BY_HAND = "CelebA has no address that a program may fetch it from: get it at https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html."


def _fetch(raw_dir: Path, *, mirror: str | None, path: Path | None) -> None:
    if not (raw_dir / IMAGES).is_dir():
        unpacked = location_in(mirror, "celeba", IMAGES) if mirror else None
        if isinstance(unpacked, Path) and unpacked.is_dir() and not unpacked.with_suffix(".zip").exists():
            pictures = sorted(entry for entry in unpacked.rglob("*") if entry.suffix.lower() in (".jpg", ".png"))
            if not pictures:
                raise InputError(f"{unpacked}: holds no .jpg or .png; put the aligned pictures of CelebA there.")
            members = ((f"{IMAGES}/{entry.relative_to(unpacked).as_posix()}", entry) for entry in pictures)
            pack(members, raw_dir / f"{IMAGES}.zip")
        else:
            fetch("celeba", [Resource(f"{IMAGES}.zip", None)], raw_dir, mirror=mirror, by_hand=BY_HAND)
    for table, required in ((ATTRIBUTES, True), (PARTITION, False)):
        either = [Resource(f"{table}{suffix}", None) for suffix in (".txt", ".csv")]
        fetch("celeba", either, raw_dir, mirror=mirror, required=required, by_hand=BY_HAND)


def _read(raw_dir: Path, *, label: str | None, image_size: int | None) -> Source:
    label, size = label or DEFAULT_LABEL, image_size or DEFAULT_SIZE
    table_path = _present(raw_dir, ATTRIBUTES)
    if table_path is None:
        raise InputError(f"{raw_dir}: no {ATTRIBUTES}.txt or .csv; run `dvc repro download`.")
    attributes = read_attributes(table_path)
    if label not in attributes.columns:
        raise InputError(f"label: CelebA has no attribute {label!r}; it has {', '.join(attributes.columns)}.")
    is_folder = (raw_dir / IMAGES).is_dir()
    pictures = open_folder(raw_dir / IMAGES) if is_folder else open_zip(raw_dir / f"{IMAGES}.zip")
    member_of = _by_file_name(pictures, raw_dir)
    notes = _unofficial(raw_dir)
    used, is_test = _used_rows(attributes, member_of, _present(raw_dir, PARTITION), label, notes)

    def split(rows: pd.DataFrame) -> Split:
        members = [member_of[name] for name in rows.index]

        def read(chosen: np.ndarray) -> np.ndarray:
            return np.stack([square(pictures.load(members[position]), size, 3) for position in chosen])

        return Split(rows[label].to_numpy(np.int64), read, {"attributes": rows.to_numpy(np.uint8)})

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


def _present(raw_dir: Path, table: str) -> Path | None:
    return next((path for suffix in (".txt", ".csv") if (path := raw_dir / f"{table}{suffix}").is_file()), None)


def _by_file_name(pictures: Pictures, raw_dir: Path) -> dict[str, str]:
    """Member of the archive for each file name: copies differ in the folders around it."""
    member_of = {PurePosixPath(name).name: name for name in pictures.names}
    if len(member_of) != len(pictures.names):
        raise InputError(f"{raw_dir / IMAGES}: some file names come twice, in different folders.")
    return member_of


def _used_rows(
    attributes: pd.DataFrame, member_of: dict[str, str], partition_path: Path | None, label: str, notes: list[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows that have an image (and a partition), in the table's order, and which of them are for the test."""
    used = attributes.loc[attributes.index.isin(list(member_of))]
    if partition_path is not None:
        partition = read_partition(partition_path)
        used = used.loc[used.index.isin(partition.index)]
        is_test = partition.loc[used.index].to_numpy() != 0
    else:
        notes.append(
            f"No {PARTITION} file: the test split is a fixed random {TEST_SHARE:.0%}, and shares people with train."
        )
        is_test = np.zeros(len(used), dtype=bool)
        if len(used):
            is_test[train_test_positions(used[label].to_numpy(np.int64), TEST_SHARE, "celeba", "split")[1]] = True
    if len(used) < max(len(attributes), len(member_of)):
        notes.append(f"{len(used)} images used: {len(attributes)} have attributes, {len(member_of)} have a picture.")
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


CELEBA = Dataset(_fetch, _read)
