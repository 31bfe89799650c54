"""What the pages of a parquet file say of their own sizes: by these memory is taken, whatever the file's notes say.

Reference: Apache Parquet format, "Data Pages"; its headers are structs of Thrift's compact protocol.
"""

from typing import IO

from latent_audit.base.errors import InputError

_UNPACKED, _PACKED = 2, 3  # the fields of a page's header
_AT_ONCE, _LONGEST = 2**12, 2**24  # bytes of a header: usual, and with the longest statistics
_TRUE, _FALSE, _BYTE, _WHOLE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, (4, 5, 6), 7, 8, 9, 10, 12  # types
_MOST_NESTED = 16


class _Damaged(Exception):
    pass


def unpacked_bytes(file: IO[bytes], start: int, length: int, where: str) -> int:
    """Bytes that the pages between `start` and `start + length` unpack to, by their own headers.

    Raises
    ------
    InputError : there is no whole page where one must begin.
    """
    place, total = start, 0
    while place < start + length:
        try:
            unpacked, packed, header = _sizes_at(file, place)
        except (IndexError, _Damaged):
            raise InputError(
                f"{where}: not a readable parquet file (no page begins at byte {place:,}); write it again."
            ) from None
        total += unpacked
        place += header + packed
    return total


def _sizes_at(file: IO[bytes], place: int) -> tuple[int, int, int]:
    """Of the page at `place`: its bytes unpacked, its bytes as they stand, and those of its header before them."""
    file.seek(place)
    start = file.read(_AT_ONCE)
    try:
        return _sizes(start)
    except IndexError:
        return _sizes(start + file.read(_LONGEST))


def _sizes(content: bytes) -> tuple[int, int, int]:
    header = _Reader(content)
    fields = header.struct()
    unpacked, packed = fields.get(_UNPACKED, -1), fields.get(_PACKED, -1)
    if unpacked < 0 or packed < 0:
        raise _Damaged
    return unpacked, packed, header.at


class _Reader:
    """Thrift's compact protocol, of which the whole numbers of a struct are kept and the rest is passed over."""

    def __init__(self, content: bytes):
        self._content, self.at = content, 0

    def struct(self, depth: int = 0) -> dict[int, int]:
        """The whole numbers among the fields of the struct that begins here, by the fields' numbers."""
        if depth > _MOST_NESTED:
            raise _Damaged
        found, field = {}, 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._number()
            if (value := self._value(head & 15, depth)) is not None:
                found[field] = value
        return found

    def _value(self, kind: int, depth: int) -> int | None:
        if kind in (_TRUE, _FALSE):
            return None
        if kind in _WHOLE:
            return self._number()
        if kind == _BYTE:
            self._pass(1)
        elif kind == _DOUBLE:
            self._pass(8)
        elif kind == _BINARY:
            self._pass(self._varint())
        elif kind in (_LIST, _SET):
            self._items(depth)
        elif kind == _STRUCT:
            self.struct(depth + 1)
        else:  # a map, which no header has, or no type at all
            raise _Damaged
        return None

    def _items(self, depth: int) -> None:
        head = self._byte()
        n = self._varint() if head >> 4 == 15 else head >> 4
        for _ in range(n):
            if head & 15 in (_TRUE, _FALSE):
                self._pass(1)
            else:
                self._value(head & 15, depth + 1)

    def _pass(self, n: int) -> None:
        self.at += n
        if self.at > len(self._content):
            raise IndexError

    def _byte(self) -> int:
        self.at += 1
        return self._content[self.at - 1]

    def _varint(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise _Damaged

    def _number(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
