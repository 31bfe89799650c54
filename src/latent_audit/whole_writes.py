"""Have DVC write dvc.lock, and its note of who reads and writes what, whole or not at all.

DVC writes both in place. Killed in that tenth of a second, of which every stage has one, it leaves them cut off and
does not start again. The Makefile lays `latent_audit_dvc.pth` beside the installed packages, by which Python calls
`install` at the start of every `dvc`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

from dvc.fs import LocalFileSystem  # pyright: ignore[reportPrivateImportUsage]

NAMES = ("dvc.lock", "rwlock")


def install() -> None:
    """From now on in this process, as the module says; every other file is opened as before."""
    opened: Any = LocalFileSystem.open

    def open_whole(self: LocalFileSystem, path: str, mode: str = "r", **options: Any) -> AbstractContextManager[IO]:
        if mode.startswith("w") and Path(path).name in NAMES:
            return _whole(Path(path), mode, options.get("encoding"))
        return opened(self, path, mode, **options)

    LocalFileSystem.open = open_whole  # type: ignore[assignment]


@contextmanager
def _whole(path: Path, mode: str, encoding: str | None) -> Iterator[IO]:
    """A file that takes the place of `path` when the block ends well; until then it lies in DVC's own folder."""
    notes = path.parent / ".dvc/tmp"
    part = (notes if notes.is_dir() else path.parent) / f"{path.name}.part"
    try:
        with part.open(mode, encoding=encoding) as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
