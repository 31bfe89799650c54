"""Picture files in a folder or a zip, read safely: names, sizes and contents are not trusted."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from latent_audit.base.atomic import atomic_path
from latent_audit.base.errors import InputError
from latent_audit.data.sources.decoding import Picture, UnreadablePicture, check_size, decode

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".pgm", ".ppm")
CLUTTER = {  # what systems leave behind, in lower case; so do names with a leading dot
    *("__macosx", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", "icon\uf00d"),
    *("@eadir", "#recycle", "#snapshot", "$recycle.bin", "recycler", "system volume information", "lost+found"),
    *("lost.dir", "network trash folder", "temporary items", "__pycache__"),
}
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold: bytes must not depend on the clock

_BAD_ZIP = (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError)


class Pictures(NamedTuple):
    """`names`: sorted, "folder/file" with forward slashes; `load` decodes one by its name."""

    names: list[str]
    load: Callable[[str], Picture]


def is_clutter(name: str) -> bool:
    """Whether any part of the path is a hidden file or folder, or one that the system made."""
    return any(part.startswith(".") or part.lower() in CLUTTER for part in PurePosixPath(name).parts)


def open_folder(folder: Path) -> Pictures:
    """The pictures anywhere below `folder`; other files are passed over."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    names = sorted(name for name in paths if name.lower().endswith(SUFFIXES) and not is_clutter(name))

    def load(name: str) -> Picture:
        try:
            check_size(paths[name].stat().st_size, str(paths[name]))
            content = paths[name].read_bytes()
        except OSError as error:
            raise UnreadablePicture(str(paths[name]), error.strerror or type(error).__name__) from error
        return decode(content, str(paths[name]))

    return Pictures(names, load)


def open_zip(path: Path) -> Pictures:
    """The pictures in a zip; other members are passed over.

    Raises
    ------
    InputError
        Not a zip, or a member that leaves the folder or is encrypted.
    UnreadablePicture
        On `load`: a member that is too large or damaged.
    """
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise InputError(f"{path}: not there; run `dvc repro download`.") from None
    except _BAD_ZIP as error:
        raise InputError(f"{path}: not a whole zip file ({error}); delete it and fetch it again.") from error
    members = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    for name, info in members.items():
        if _leaves_folder(name):
            raise InputError(f"{path}: member {name!r} points outside the archive; this zip is not to be trusted.")
        if info.flag_bits & 1:
            raise InputError(f"{path}: member {name!r} is encrypted; give a zip without a password.")
    names = sorted(name for name in members if name.lower().endswith(SUFFIXES) and not is_clutter(name))

    def load(name: str) -> Picture:
        check_size(members[name].file_size, f"{path}: member {name!r}")
        try:
            content = archive.read(members[name])  # reads no more than the size checked above
        except _BAD_ZIP as error:
            raise UnreadablePicture(f"{path}: member {name!r}", f"cannot be read ({error})") from error
        return decode(content, f"{path}: {name}")

    return Pictures(names, load)


def pack(files: Iterable[tuple[str, Path]], target: Path) -> dict[str, str]:
    """Write `files` (name in the archive, path) to one zip, uncompressed, in the order given, with no dates in it.

    Returns
    -------
    What is not in it, by name, and why: a file that is too large for a picture, or that cannot be read.
    """
    left_out = {}
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, path in files:
            try:
                if not path.is_file():
                    raise UnreadablePicture(str(path), "not a file, or a link to nothing")
                check_size(path.stat().st_size, str(path))
                content = path.read_bytes()
            except UnreadablePicture as error:
                left_out[name] = error.reason
            except OSError as error:
                left_out[name] = error.strerror or type(error).__name__
            else:
                archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), content)
    return left_out


def _leaves_folder(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:(/|$)", str(path)) is not None
