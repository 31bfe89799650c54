"""Stage `download`: the files of a data set, each verified, into one folder."""

from pathlib import Path

from latent_audit.base.errors import InputError
from latent_audit.data.sources.names import said_plainly
from latent_audit.data.sources.registry import find


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
