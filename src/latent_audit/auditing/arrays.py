""".npy and .npz files that other people wrote: shapes are judged before memory is taken, and nothing is unpickled.

What is large and not packed is mapped, not read.
"""

import math
import struct
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from latent_audit.auditing.border import border, printable, reason, short
from latent_audit.base.errors import InputError

PICKLE = b"\x80"  # the first byte of a pickle of protocol 2 and later
FREE_BYTES = 256 * 2**20  # a file may always unpack to so much,
LARGEST_RATIO = 100  # and beyond that to so many times its packed size: floats do not compress like that
MAPPED_BYTES = 2**26  # an array of more, not packed, is mapped
MOST_AXES = 16
LONGEST_AXIS = 2**48
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npy(path: Path) -> np.ndarray:
    """The array in a .npy file, of any shape and of any plain dtype.

    Raises
    ------
    InputError : not a .npy file, a pickle or an array of objects, or a file shorter or longer than its header says.
    """
    with path.open("rb") as file:
        return _read_array(file, path.stat().st_size, path.name, (path, 0))


class Archive:
    """The arrays of a .npz file, each read when it is asked for; see `open_npz`."""

    def __init__(self, file: zipfile.ZipFile, path: Path):
        self._file, self._name, self._path = file, path.name, path
        members = file.namelist()
        self.names = [member.removesuffix(".npy") for member in members if member.endswith(".npy")]
        if len(set(self.names)) < len(self.names):
            raise InputError(f"{path.name}: holds two arrays of one name; write it again with numpy.savez.")

    def read(self, name: str) -> np.ndarray:
        """The array `name`, or an InputError as of `read_npy`, or because it unpacks to suspiciously many bytes."""
        info = self._file.getinfo(f"{name}.npy")
        where = f"{self._name}, array '{short(printable(name))}'"
        refuse_bomb(info.file_size, info.compress_size, where)
        with border(where, ".npy member; the archive is damaged: write it again"), self._file.open(info) as member:
            return _read_array(member, info.file_size, where, self._place(info))

    @property
    def label_names(self) -> list[str]:
        """The arrays that may be labels."""
        return self.names

    def labels(self, name: str) -> np.ndarray:
        """An array as labels."""
        return self.read(name)

    def _place(self, info: zipfile.ZipInfo) -> tuple[Path, int] | None:
        """Where in the file a member begins that is neither packed nor encrypted."""
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size <= MAPPED_BYTES:
            return None
        with self._path.open("rb") as file:
            file.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
        return self._path, info.header_offset + 30 + name + extra


@contextmanager
def open_npz(path: Path) -> Iterator[Archive]:
    """An `Archive` over a .npz file.

    Raises
    ------
    InputError : not a zip archive, one that is cut off or damaged, or one that needs a password.
    """
    what = ".npz archive; it is cut off, damaged, or no .npz at all: write it again with numpy.savez"
    with border(path.name, what), zipfile.ZipFile(path) as file:
        yield Archive(file, path)


def refuse_bomb(unpacked: int, packed: int, where: str) -> None:
    """InputError where `packed` bytes claim to unpack to more than 256 MiB and more than 100 times their size."""
    if unpacked > FREE_BYTES and unpacked > LARGEST_RATIO * packed:
        raise InputError(
            f"{where}: {packed:,} bytes claim to unpack to {unpacked:,}, more than {LARGEST_RATIO} times as many; "
            "codes do not compress like that. If it is meant, save it uncompressed (numpy.savez, or .npy)."
        )


def _read_array(file: IO[bytes], size: int, where: str, place: tuple[Path, int] | None) -> np.ndarray:
    """An array of a file, or of a member of one.

    place : the file and where in it the array's own file begins, to map it; None where it is packed.
    """
    start = file.read(len(npy.MAGIC_PREFIX))
    if start != npy.MAGIC_PREFIX:
        kind = "a pickle, which is never opened here" if start.startswith(PICKLE) else f"its first bytes are {start!r}"
        raise InputError(f"{where}: not a .npy array ({kind}); write it with numpy.save.")
    file.seek(0)
    shape, in_columns, dtype = _header(file, where)
    promised, held = math.prod(shape) * dtype.itemsize, size - file.tell()
    if promised != held:
        raise InputError(
            f"{where}: shape {short(str(shape))} of {dtype} needs {promised:,} bytes and {held:,} are there; "
            "the file is cut off or damaged: write it again."
        )
    if place is not None and held > MAPPED_BYTES:
        path, start = place
        return np.memmap(path, dtype, "r", start + file.tell(), shape, order="F" if in_columns else "C")
    file.seek(0)
    with _of_any_age(), border(where, ".npy array; write it again"):
        return np.asanyarray(npy.read_array(file, allow_pickle=False))


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns come first, and dtype as a .npy file promises them, or an InputError where no array can be
    like that."""
    try:
        version = npy.read_magic(file)
        with _of_any_age():
            shape, in_columns, dtype = _HEADERS[version](file)
    except Exception as error:  # it is parsed as Python, which can fail in many ways
        hint = ""
        if "bfloat16" in str(error) or "float8" in str(error):
            hint = " numpy alone has no such type: save it again with .astype(numpy.float32)."
        raise InputError(
            f"{where}: its .npy header cannot be read ({reason(error)}); write it with numpy.save.{hint}"
        ) from None
    if dtype.hasobject:
        raise InputError(
            f"{where}: an array of Python objects (a pickle inside), which is never opened here; "
            "convert it with astype(float), or astype(str) for labels, and save it again."
        )
    whole = all(type(axis) is int and 0 <= axis <= LONGEST_AXIS for axis in shape)
    if not whole or len(shape) > MOST_AXES or dtype.subdtype is not None or dtype.itemsize == 0:
        raise InputError(
            f"{where}: its .npy header cannot be true (shape {short(printable(str(shape)))} of {short(str(dtype))}); "
            "write it with numpy.save."
        )
    return shape, in_columns, dtype


@contextmanager
def _of_any_age() -> Iterator[None]:
    """Headers that Python 2 wrote are read like any other: numpy's warning about them asks for nothing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*created on Python 2", category=UserWarning)
        yield
