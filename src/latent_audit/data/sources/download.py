"""Stage `download`: the files of a data set, each verified, into one folder."""

import json
from collections.abc import Sequence
from pathlib import Path

from latent_audit.base.atomic import write_text
from latent_audit.base.errors import InputError
from latent_audit.data.sources.names import said_plainly
from latent_audit.data.sources.registry import DATASETS, find


def download_outsiders(names: Sequence[str], raw_dir: Path, *, mirror: str | None) -> None:
    """Fill a folder of `raw_dir` with the raw files of each data set that the study's images are held against.

    Raises
    ------
    InputError : as `download`; or a data set without published checksums, whose state nobody would watch.
    """
    raw_dir.mkdir(parents=True, exist_ok=True)
    write_text(raw_dir / "names.json", json.dumps(list(names)) + "\n")
    for name in names:
        if find(name).origins is not None:
            fixed = ", ".join(one for one, chosen in DATASETS.items() if chosen.origins is None)
            raise InputError(f"data.outsider: {name} has no published checksums; there are {fixed}.")
        download(name, raw_dir / name, mirror=mirror, path=None)


def download(dataset: str, raw_dir: Path, *, mirror: str | None, path: Path | None) -> None:
    """Fill `raw_dir` with the raw files of `dataset`; files that are there and whole are kept.

    Parameters
    ----------
    mirror : a folder or http(s)/file URL that holds `<dataset>/<file>`, tried first; None: not set.
    path : the user's own images, for the data set `folder`; the others do not look at it.

    Raises
    ------
    InputError
        Unknown data set; no source answers; a file is not what its published checksum says; nothing can be written.
    """
    chosen = find(dataset)
    try:
        raw_dir.mkdir(parents=True, exist_ok=True)
        with said_plainly():
            chosen.fetch(raw_dir, mirror=mirror, path=path)
    except OSError as error:
        raise InputError(
            f"{error.filename or raw_dir}: {error.strerror or error}; nothing half-written was kept."
        ) from error
