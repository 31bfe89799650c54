""".safetensors files, read without torch: a header of JSON, then the tensors, which are mapped and not read.

https://github.com/huggingface/safetensors (format).
"""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from latent_audit.auditing.border import border, printable, short, some
from latent_audit.base.errors import InputError

LONGEST_HEADER = 100_000_000  # as the format's own library has it
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "V2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


class Tensors:
    """The tensors of a file, each mapped when it is asked for; see `open_safetensors`. bfloat16 is two bare bytes."""

    def __init__(self, path: Path, header: dict[str, Any], start: int):
        self._path, self._header, self._start = path, header, start
        self.names = sorted(header)

    @property
    def label_names(self) -> list[str]:
        """The tensors that may be labels."""
        return self.names

    def labels(self, name: str) -> np.ndarray:
        """A tensor as labels."""
        return self.read(name)

    def read(self, name: str) -> np.ndarray:
        """The tensor `name`, or an InputError where it has another type or lies elsewhere than its header says."""
        where = f"{self._path.name}, tensor '{short(printable(name))}'"
        entry = self._header[name]
        with border(where, "tensor; write the file again"):
            kind, shape, (first, last) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        if kind not in DTYPES:
            raise InputError(
                f"{where}: of type {short(str(kind))}, which is not read here; save it as float32 or bfloat16."
            )
        dtype, size = np.dtype(DTYPES[kind]), self._path.stat().st_size
        whole = all(type(number) is int and number >= 0 for number in (*shape, first, last))
        if not whole or last - first != math.prod(shape) * dtype.itemsize or self._start + last > size:
            raise InputError(
                f"{where}: its header says shape {short(str(list(shape)))} of {kind} and bytes {first} to {last}, "
                f"which does not fit together or into {size:,} bytes; the file is cut off or damaged: write it again."
            )
        if last == first:
            return np.empty(shape, dtype)
        with border(where, "tensor; write the file again"):
            bytes_ = np.memmap(self._path, np.uint8, "r", self._start + first, (last - first,))
            return bytes_.view(dtype).reshape(shape)


@contextmanager
def open_safetensors(path: Path) -> Iterator[Tensors]:
    """The `Tensors` of a .safetensors file.

    Raises
    ------
    InputError : no header, or one that is no JSON of tensors.
    """
    what = ".safetensors file; write it again with safetensors.numpy.save_file"
    with border(path.name, what), path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(LONGEST_HEADER, path.stat().st_size - 8):
            raise ValueError(f"a header of {length:,} bytes")
        header = json.loads(file.read(length).decode("utf-8"))
        if not isinstance(header, dict):
            raise ValueError("its header is no table of tensors")
    header.pop("__metadata__", None)
    if not header:
        raise InputError(f"{path.name}: holds no tensor.")
    if strange := [name for name, entry in header.items() if not isinstance(entry, dict)]:
        raise InputError(f"{path.name}: its header says nothing of the tensors {some(strange)}; write it again.")
    yield Tensors(path, header, 8 + length)
