"""Writes small ONNX models as bytes, from the field numbers of onnx.proto: independent of the reader under test."""

from __future__ import annotations

import struct
from typing import Any

FLOAT, UINT8, INT8, INT32, INT64, BOOL = 1, 2, 3, 6, 7, 9


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def field(number: int, value: bytes | str | float) -> bytes:
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name: str, dims: list[int], values: list[Any] | None = None, dtype: int = FLOAT) -> bytes:
    """Without values its data are left out, as in a file whose weights are kept elsewhere."""
    out = b"".join(field(1, size) for size in dims) + field(2, dtype) + field(8, name)
    if values is not None:
        form = {FLOAT: "f", INT64: "q", INT32: "i", UINT8: "B", INT8: "b", BOOL: "?"}[dtype]
        out += field(9, struct.pack(f"<{len(values)}{form}", *values))
    return out


def ints(name: str, *values: int) -> bytes:
    """A list of 64 bit integers as a tensor."""
    return tensor(name, [len(values)], list(values), INT64)


def attribute(name: str, value: Any) -> bytes:
    out = field(1, name)
    if isinstance(value, bool | int):
        return out + field(3, int(value)) + field(20, 2)
    if isinstance(value, float):
        return out + field(2, value) + field(20, 1)
    if isinstance(value, str):
        return out + field(4, value) + field(20, 3)
    if isinstance(value, Graph):
        return out + field(6, value.data) + field(20, 5)
    if isinstance(value, bytes):
        return out + field(5, value) + field(20, 4)
    return out + field(8, b"".join(map(varint, value))) + field(20, 7)


def node(op: str, inputs: str, outputs: str, name: str = "", domain: str = "", **attributes: Any) -> bytes:
    """Names are parted by spaces; ``_`` is an input that is left out."""
    out = b"".join(field(1, "" if one == "_" else one) for one in inputs.split())
    out += b"".join(field(2, one) for one in outputs.split())
    out += (field(3, name) if name else b"") + field(4, op)
    out += b"".join(field(5, attribute(key, value)) for key, value in attributes.items())
    return out + (field(7, domain) if domain else b"")


def info(name: str, *dims: int | str | None, dtype: int = FLOAT) -> bytes:
    shape = b""
    for dim in dims:
        shape += field(1, b"" if dim is None else field(2, dim) if isinstance(dim, str) else field(1, dim))
    return field(1, name) + field(2, field(1, field(1, dtype) + field(2, shape)))


class Graph:
    """A graph as bytes."""

    def __init__(
        self,
        nodes: list[bytes],
        inputs: list[bytes],
        outputs: list[bytes],
        initializers: list[bytes] | None = None,
    ) -> None:
        self.data = b"".join(
            [
                *(field(1, one) for one in nodes),
                field(2, "graph"),
                *(field(5, one) for one in initializers or []),
                *(field(11, one) for one in inputs),
                *(field(12, one) for one in outputs),
            ]
        )


def model(
    nodes: list[bytes],
    inputs: list[bytes],
    outputs: list[bytes],
    initializers: list[bytes] | None = None,
    opset: int = 17,
) -> bytes:
    graph = Graph(nodes, inputs, outputs, initializers)
    return field(1, 8) + field(7, graph.data) + field(8, field(1, "") + field(2, opset))
