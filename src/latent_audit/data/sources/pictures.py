"""Picture files in a folder or a zip, read safely: names, sizes and contents are not trusted."""

import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from latent_audit.base.atomic import atomic_path
from latent_audit.base.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP")  # Pillow's other decoders are never reached by these files
MAX_BYTES = 50_000_000  # per file: a bomb, or not a picture
MAX_PIXELS = 50_000_000  # per picture, before it is decoded
CLUTTER = ("__MACOSX", "Thumbs.db", "desktop.ini")  # what systems leave behind; so do names with a leading dot
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold: bytes must not depend on the clock

_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)
_BAD_ZIP = (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError)


class Pictures(NamedTuple):
    """`names`: sorted, "folder/file" with forward slashes; `load` decodes one by its name."""

    names: list[str]
    load: Callable[[str], Image.Image]


def is_clutter(name: str) -> bool:
    """Whether any part of the path is a hidden file or folder, or one that the system made."""
    return any(part.startswith(".") or part in CLUTTER for part in PurePosixPath(name).parts)


def open_folder(folder: Path) -> Pictures:
    """The pictures anywhere below `folder`; other files are passed over."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    names = sorted(name for name in paths if name.lower().endswith(SUFFIXES) and not is_clutter(name))

    def load(name: str) -> Image.Image:
        check_size(paths[name].stat().st_size, str(paths[name]))
        return decode(paths[name].read_bytes(), str(paths[name]))

    return Pictures(names, load)


def open_zip(path: Path) -> Pictures:
    """The pictures in a zip; other members are passed over.

    Raises
    ------
    InputError
        Not a zip; a member that leaves the folder, is encrypted or is too large; on `load`, one that cannot be read.
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
        check_size(info.file_size, f"{path}: member {name!r}")
    names = sorted(name for name in members if name.lower().endswith(SUFFIXES) and not is_clutter(name))

    def load(name: str) -> Image.Image:
        try:
            content = archive.read(members[name])  # reads no more than the size checked above
        except _BAD_ZIP as error:
            raise InputError(f"{path}: member {name!r} cannot be read ({error}); fetch the zip again.") from error
        return decode(content, f"{path}: {name}")

    return Pictures(names, load)


def pack(files: Iterable[tuple[str, Path]], target: Path) -> None:
    """Write `files` (name in the archive, path) to one zip, uncompressed, in the order given, with no dates in it."""
    with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, path in files:
            check_size(path.stat().st_size, str(path))
            archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), path.read_bytes())


def decode(content: bytes, where: str) -> Image.Image:
    """The picture in `content`, upright, as mode L (grey) or RGB; what is transparent becomes black, 16-bit grey 8-bit.

    An InputError names `where` when it is not a picture that can be read, or one of too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(content), formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise InputError(f"{where}: {image.width}x{image.height} pixels; at most {MAX_PIXELS} are read.")
        return _grey_or_rgb(ImageOps.exif_transpose(image))
    except InputError:
        raise
    except Image.DecompressionBombWarning as error:
        raise InputError(f"{where}: more than {MAX_PIXELS} pixels.") from error
    except _UNREADABLE as error:
        raise InputError(f"{where}: not an image that can be read ({error}); repair or remove it.") from error


def square(image: Image.Image, size: int, channels: int) -> np.ndarray:
    """The central square of `image`, resized (bicubic, antialiased) to uint8 (channels, size, size)."""
    fitted = ImageOps.fit(image.convert("L" if channels == 1 else "RGB"), (size, size), Image.Resampling.BICUBIC)
    return np.asarray(fitted).reshape(size, size, channels).transpose(2, 0, 1)


def check_size(n_bytes: int, where: str) -> None:
    """Raise InputError where a file is larger than any picture here has reason to be."""
    if n_bytes > MAX_BYTES:
        raise InputError(f"{where}: {n_bytes} bytes; a picture of more than {MAX_BYTES} bytes is not read.")


def _leaves_folder(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:(/|$)", str(path)) is not None


def _grey_or_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode}, not 8 or 16 bits")
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "black")
        opaque.alpha_composite(image.convert("RGBA"))
        return opaque.convert("L" if image.mode in ("L", "LA") else "RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")
