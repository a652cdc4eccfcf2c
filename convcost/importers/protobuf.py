"""The wire format of protocol buffers, as much of it as a reader and a writer need.

A message is a sequence of fields. A field is a key (its number and a wire type) and a value: an integer of variable
length, four or eight bytes, or a length and as many bytes. Bytes are handed out as their places,
so that what is in a field is only read from the file where somebody asks for it.

Source: protobuf.dev/programming-guides/encoding. Field numbers and wire types of a published message never change.
"""

from __future__ import annotations

from struct import pack, unpack
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import ConvcostError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_WIDTH = {FIXED64: 8, FIXED32: 4}
_MOST_BITS = 64


_WINDOW = 1 << 16  # bytes that are read at once
_LONGEST_VARINT = 10  # bytes


class Buffer:
    """Bytes that are read where they are asked for: all of them at hand, or a file of which one window is in memory.

    Attributes:
        size: how many bytes there are.
        chunk: those in memory.
        base: place of the first of them.
    """

    __slots__ = ("_stream", "base", "chunk", "size")

    def __init__(self, data: bytes = b"", stream: BinaryIO | None = None, size: int = 0) -> None:
        self._stream = stream
        self.chunk = data
        self.base = 0
        self.size = size if stream is not None else len(data)

    def load(self, place: int) -> None:
        """Have the bytes from ``place`` on in memory."""
        if self._stream is not None:
            self._stream.seek(place)
            self.chunk, self.base = self._stream.read(_WINDOW), place

    def take(self, start: int, end: int) -> bytes:
        """The bytes between two places; fewer where a file has become shorter."""
        first = start - self.base
        if first >= 0 and end - self.base <= len(self.chunk):
            return self.chunk[first : end - self.base]
        if self._stream is None:
            return b""
        self._stream.seek(start)
        return self._stream.read(end - start)


class MalformedError(ConvcostError):
    """The bytes are no message, or not the message that is expected."""


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: which field it is.
        wire: its wire type.
        value: the integer, of a field of variable length.
        start, end: where the bytes of any other field lie.
    """

    number: int
    wire: int
    value: int
    start: int
    end: int


def varint(data: Buffer, place: int, end: int) -> tuple[int, int]:
    """The integer of variable length at ``place``, and the place after it.

    Raises:
        MalformedError: it does not end before ``end``, or has more than 64 bits.
    """
    index = place - data.base
    if not 0 <= index <= len(data.chunk) - _LONGEST_VARINT:
        data.load(place)
        index = place - data.base
    chunk = data.chunk
    stop = min(index + end - place, len(chunk))
    result = shift = 0
    first = index
    while index < stop and shift < _MOST_BITS:
        byte = chunk[index]
        index += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the high bit says that more follow
            return result & 0xFFFFFFFFFFFFFFFF, place + index - first
        shift += 7
    raise MalformedError(f"byte {place:,}: expected an integer of at most 64 bits, found no end of it")


def fields(data: Buffer, start: int, end: int) -> Iterator[Field]:
    """The fields of the message between two places, in the order they are written.

    Raises:
        MalformedError: the bytes are no message.
    """
    place = start
    while place < end:
        here = place
        key, place = varint(data, place, end)
        number, wire = key >> 3, key & 7
        if not number:
            raise MalformedError(f"byte {here:,}: expected the number of a field, found 0")
        if wire == VARINT:
            value, place = varint(data, place, end)
            yield Field(number, wire, value, here, place)
            continue
        if wire == BYTES:
            length, place = varint(data, place, end)
        elif wire in _WIDTH:
            length = _WIDTH[wire]
        else:
            raise MalformedError(f"byte {here:,}: expected a field of wire type 0, 1, 2 or 5, found {wire}")
        if length > end - place:
            raise MalformedError(f"byte {here:,}: expected {length:,} bytes of field {number}, found {end - place:,}")
        yield Field(number, wire, 0, place, place + length)
        place += length


def expect(field: Field, wire: int) -> None:
    """Make sure that a field is of the wire type that its number has.

    Raises:
        MalformedError: it is of another.
    """
    if field.wire != wire:
        raise MalformedError(
            f"byte {field.start:,}: expected wire type {wire} for field {field.number}, found {field.wire}"
        )


def signed(value: int) -> int:
    """A 64 bit pattern as the signed integer that it is in two's complement.

    >>> signed(2**64 - 1)
    -1
    """
    return value - (1 << 64) if value >> 63 else value


def integers(data: Buffer, field: Field, most: int) -> list[int]:
    """The signed integers of a repeated field, packed or one by one; at most ``most`` of them.

    Raises:
        MalformedError: it is no such field, or there are more.
    """
    if field.wire == VARINT:
        return [signed(field.value)]
    expect(field, BYTES)
    result = []
    place = field.start
    while place < field.end:
        value, place = varint(data, place, field.end)
        result.append(signed(value))
        if len(result) > most:
            raise MalformedError(f"byte {field.start:,}: expected at most {most:,} integers, found more")
    return result


def floats(data: Buffer, field: Field, most: int, form: str = "f") -> list[float]:
    """The floats of a repeated field, packed or one by one; ``form`` is ``f`` for 32 bits and ``d`` for 64.

    Raises:
        MalformedError: it is no such field, or there are more than ``most``.
    """
    width = {"f": 4, "d": 8}[form]
    if field.wire != BYTES:
        expect(field, FIXED32 if form == "f" else FIXED64)
    count, rest = divmod(field.end - field.start, width)
    if rest:
        raise MalformedError(f"byte {field.start:,}: expected floats of {width} bytes, found {rest} bytes more")
    if count > most:
        raise MalformedError(f"byte {field.start:,}: expected at most {most:,} floats, found {count:,}")
    values = data.take(field.start, field.end)
    if len(values) != count * width:
        raise MalformedError(f"byte {field.start:,}: expected {count * width:,} bytes, found {len(values):,}")
    return list(unpack(f"<{count}{form}", values))


def text(data: Buffer, field: Field, most: int) -> str:
    """The text of a field; at most ``most`` bytes of it, bytes that are no UTF-8 as replacement characters.

    Raises:
        MalformedError: the field is not one of bytes.
    """
    expect(field, BYTES)
    return data.take(field.start, min(field.end, field.start + most)).decode("utf-8", "replace")


def written_varint(value: int) -> bytes:
    """An integer of 64 bits as one of variable length; a negative one in two's complement.

    Raises:
        OverflowError: it has more bits.

    >>> written_varint(300).hex()
    'ac02'
    """
    if not -(1 << 63) <= value < 1 << 63:
        raise OverflowError(f"expected an integer of 64 bits, found one of {value.bit_length():,}")
    value &= 0xFFFFFFFFFFFFFFFF
    result = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte, and the high bit where more follow
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


def written(number: int, value: float | str | bytes) -> bytes:
    """A field of a message: an integer, a float of 32 bits, a text, or the bytes of a message inside it.

    Raises:
        OverflowError: the number has more bits.

    >>> written(1, 150).hex(), written(2, "testing").hex()
    ('089601', '120774657374696e67')
    """
    if isinstance(value, int):
        return written_varint(number << 3 | VARINT) + written_varint(value)
    if isinstance(value, float):
        return written_varint(number << 3 | FIXED32) + pack("<f", value)
    data = value.encode("utf-8", "replace") if isinstance(value, str) else value
    return written_varint(number << 3 | BYTES) + written_varint(len(data)) + data
