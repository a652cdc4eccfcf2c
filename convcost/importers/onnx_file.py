"""An ONNX file as records: the graph, its nodes, attributes and tensors. Weights are skipped, never read.

Only the pieces with the structure are read. Of a tensor the reader keeps its name, type and dimensions, and its values
only where they are few: those that shapes can depend on.

Source: onnx/onnx.proto of the ONNX project; the numbers of fields are those of its messages.
"""

from __future__ import annotations

import math
import os
import stat
from fractions import Fraction
from struct import iter_unpack
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, UsageError, unknown
from convcost.importers.protobuf import (
    BYTES,
    FIXED32,
    VARINT,
    Buffer,
    MalformedError,
    expect,
    fields,
    floats,
    integers,
    signed,
    text,
    varint,
)
from convcost.language.signatures import ONNX_MODEL, binary_kind
from convcost.limits import MAX_ITEMS, MAX_NESTING, MAX_NODES, MAX_VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from convcost.importers.protobuf import Field

    Dim: TypeAlias = "int | str | None"

MAX_NAME = 4_096  # bytes of a name that are kept
MAX_RANK = 64  # axes of a tensor
FLOATING = {1, 10, 11, 16, 17, 18, 19, 20, 23, 24}  # data types that are floats: FLOAT, FLOAT16, DOUBLE, BFLOAT16 ...
FLOAT, INT64, STRING, BOOL = 1, 7, 8, 9
BITS = {
    1: 32,
    2: 8,
    3: 8,
    4: 16,
    5: 16,
    6: 32,
    7: 64,
    9: 8,
    10: 16,
    11: 64,
    12: 32,
    13: 64,
    14: 64,
    15: 128,
    16: 16,
    17: 8,
    18: 8,
    19: 8,
    20: 8,
    21: 4,
    22: 4,
    23: 4,
    24: 8,
    25: 2,
    26: 2,
}
_RAW = {1: "f", 2: "B", 3: "b", 4: "H", 5: "h", 6: "i", 7: "q", 9: "?", 10: "e", 11: "d", 12: "I", 13: "Q"}
_FEW_FLOATS = 64  # values of a tensor of floats that are kept: scales of a resize, limits of a clip
_HEAD = 16  # bytes: as many as the signatures of file formats need
_LFS = b"version https://git-lfs"


class Stored:
    """A tensor of the file.

    Attributes:
        name: its name, empty where it has none.
        dims: sizes.
        dtype: number of its data type.
        values: its elements in order, exact, where they are few and in the file; else None.
        sparse: whether only some of its elements are stored.
    """

    __slots__ = ("dims", "dtype", "name", "sparse", "values")

    def __init__(self) -> None:
        self.name = ""
        self.dims: tuple[int, ...] = ()
        self.dtype = 0
        self.values: list[Any] | None = None
        self.sparse = False


class Info:
    """An input or output: its name, data type (0 where it is no tensor) and dimensions; None for an unknown rank."""

    __slots__ = ("dims", "dtype", "name")

    def __init__(self) -> None:
        self.name = ""
        self.dtype = 0
        self.dims: tuple[Dim, ...] | None = None


class Node:
    """One operator.

    Attributes:
        op: the operator's name.
        domain: whose operator it is; empty for ONNX' own.
        name: of the node.
        inputs, outputs: names of tensors; empty where an optional one is left out.
        attributes: by name; an attribute that a function's caller gives is a :class:`Reference`.
        metadata: what exporters note beside it.
    """

    __slots__ = ("attributes", "domain", "inputs", "metadata", "name", "op", "outputs")

    def __init__(self) -> None:
        self.op = ""
        self.domain = ""
        self.name = ""
        self.inputs: list[str] = []
        self.outputs: list[str] = []
        self.attributes: dict[str, Any] = {}
        self.metadata: dict[str, str] = {}


class Reference:
    """The attribute of a function's caller that an attribute in its body stands for."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Body:
    """A graph, or the body of a function or of a control flow operator."""

    __slots__ = ("defaults", "initializers", "inputs", "name", "nodes", "opsets", "outputs")

    def __init__(self) -> None:
        self.name = ""
        self.nodes: list[Node] = []
        self.initializers: dict[str, Stored] = {}
        self.inputs: list[Info] = []
        self.outputs: list[Info] = []
        self.opsets: dict[str, int] = {}
        self.defaults: dict[str, Any] = {}


class Model:
    """A file.

    Attributes:
        label: what errors call it.
        ir, producer: who wrote it.
        opsets: version of the operators by domain.
        graph: the graph.
        functions: its own functions, by domain and name.
    """

    __slots__ = ("functions", "graph", "ir", "label", "opsets", "producer")

    def __init__(self, label: str) -> None:
        self.label = label
        self.ir = 0
        self.producer = ""
        self.opsets: dict[str, int] = {}
        self.graph: Body | None = None
        self.functions: dict[tuple[str, str], Body] = {}


def read_model(path: str, label: str) -> Model:
    """The model in a file.

    Raises:
        UsageError: there is no such file.
        ConvcostError: it cannot be read, or is no ONNX file; the text begins with ``label``.
    """
    try:
        with open(path, "rb", buffering=0) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConvcostError(f"{label}: expected a regular file")
            if not status.st_size:
                raise ConvcostError(f"{label}: expected an ONNX model, found an empty file")
            return model_from(Buffer(stream=stream, size=status.st_size), label)
    except FileNotFoundError:
        raise UsageError(unknown("file", label, [])) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConvcostError(f"cannot read {label[:100]}: {reason}") from None


def model_from(data: Buffer, label: str) -> Model:
    """The model in ``data``.

    Raises:
        ConvcostError: it is no ONNX model; the text begins with ``label``.
    """
    if data.take(0, len(_LFS)) == _LFS:
        raise ConvcostError(
            f"{label}: expected an ONNX model, found a Git LFS pointer; `git lfs pull` fetches the file"
        )
    try:
        return _Reader(data).model(label)
    except MalformedError as error:
        kind = binary_kind(data.take(0, _HEAD))
        reason = str(error) if kind in ("", ONNX_MODEL) else f"found {kind}"
        raise ConvcostError(f"{label}: expected an ONNX model; {reason}") from None


class _Reader:
    """Reads messages of one buffer, and counts what must not become too many."""

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._nodes = 0
        self._items = 0

    def model(self, label: str) -> Model:
        model = Model(label)
        for field in fields(self._data, 0, self._data.size):
            if field.number == 1:  # ir_version
                expect(field, VARINT)
                model.ir = field.value
            elif field.number == 2:  # producer_name
                model.producer = self._text(field)
            elif field.number == 7:  # graph
                model.graph = self._graph(field, 0)
            elif field.number == 8:  # opset_import
                domain, version = self._opset(field)
                model.opsets[domain] = version
            elif field.number == 25:  # functions
                domain, function = self._function(field)
                model.functions[domain, function.name] = function
        if model.graph is None:
            raise MalformedError("expected a graph, found none")
        if not model.graph.nodes and not model.graph.inputs:
            raise MalformedError("expected a graph with nodes, found an empty one")
        return model

    def _text(self, field: Field) -> str:
        return text(self._data, field, MAX_NAME)

    def _inside(self, field: Field) -> Iterator[Field]:
        expect(field, BYTES)
        return fields(self._data, field.start, field.end)

    def _count(self) -> None:
        self._items += 1
        if self._items > 40 * MAX_NODES:
            raise MalformedError(f"more than {40 * MAX_NODES:,} names, attributes and tensors")

    def _opset(self, field: Field) -> tuple[str, int]:
        domain, version = "", 0
        for part in self._inside(field):
            if part.number == 1:
                domain = self._text(part)
            elif part.number == 2:
                expect(part, VARINT)
                version = part.value
        return _domain(domain), version

    def _graph(self, field: Field, depth: int) -> Body:
        if depth > MAX_NESTING:
            raise MalformedError(f"graphs inside one another more than {MAX_NESTING} deep")
        body = Body()
        for part in self._inside(field):
            if part.number == 1:
                body.nodes.append(self._node(part, depth))
            elif part.number == 2:
                body.name = self._text(part)
            elif part.number == 5:
                tensor = self._tensor(part)
                body.initializers[tensor.name] = tensor
            elif part.number == 15:
                tensor = self._sparse(part)
                body.initializers[tensor.name] = tensor
            elif part.number == 11:
                body.inputs.append(self._info(part))
            elif part.number == 12:
                body.outputs.append(self._info(part))
        return body

    def _function(self, field: Field) -> tuple[str, Body]:
        body, domain = Body(), ""
        for part in self._inside(field):
            if part.number == 1:
                body.name = self._text(part)
            elif part.number in (4, 5):
                info = Info()
                info.name = self._text(part)
                (body.inputs if part.number == 4 else body.outputs).append(info)
            elif part.number == 7:
                body.nodes.append(self._node(part, 0))
            elif part.number == 9:
                name, version = self._opset(part)
                body.opsets[name] = version
            elif part.number == 10:
                domain = self._text(part)
            elif part.number == 11:
                name, value = self._attribute(part, 0)
                body.defaults[name] = value
        return _domain(domain), body

    def _node(self, field: Field, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise MalformedError(f"more than {MAX_NODES:,} nodes")
        node = Node()
        for part in self._inside(field):
            self._count()
            if part.number == 1:
                node.inputs.append(self._text(part))
            elif part.number == 2:
                node.outputs.append(self._text(part))
            elif part.number == 3:
                node.name = self._text(part)
            elif part.number == 4:
                node.op = self._text(part)
            elif part.number == 5:
                name, value = self._attribute(part, depth)
                node.attributes[name] = value
            elif part.number == 7:
                node.domain = _domain(self._text(part))
            elif part.number == 9:
                key, noted = self._entry(part)
                node.metadata[key] = noted
        return node

    def _entry(self, field: Field) -> tuple[str, str]:
        key = value = ""
        for part in self._inside(field):
            if part.number == 1:
                key = self._text(part)
            elif part.number == 2:
                value = self._text(part)
        return key, value

    def _attribute(self, field: Field, depth: int) -> tuple[str, Any]:
        name, value = "", None
        several: list[Any] = []
        for part in self._inside(field):
            number = part.number
            if number == 1:
                name = self._text(part)
            elif number == 2:
                expect(part, FIXED32)
                value = _exact(floats(self._data, part, 1)[0])
            elif number == 3:
                expect(part, VARINT)
                value = signed(part.value)
            elif number == 4:
                value = self._text(part)
            elif number == 5:
                value = self._tensor(part)
            elif number == 6:
                value = self._graph(part, depth + 1)
            elif number == 7:
                several += map(_exact, floats(self._data, part, MAX_ITEMS))
            elif number == 8:
                several += integers(self._data, part, MAX_ITEMS)
            elif number == 9:
                self._count()
                several.append(self._text(part))
            elif number == 11:
                several.append(self._graph(part, depth + 1))
            elif number == 22:
                value = self._sparse(part)
            elif number == 21:
                value = Reference(self._text(part))
            if len(several) > MAX_ITEMS:
                raise MalformedError(f"more than {MAX_ITEMS:,} values of an attribute")
        return name, several if several or value is None else value

    def _info(self, field: Field) -> Info:
        info = Info()
        self._count()
        for part in self._inside(field):
            if part.number == 1:
                info.name = self._text(part)
            elif part.number == 2:
                for kind in self._inside(part):
                    if kind.number == 1:  # a tensor; sequences, maps and optional values have no shape
                        self._tensor_type(kind, info)
        return info

    def _tensor_type(self, field: Field, info: Info) -> None:
        for part in self._inside(field):
            if part.number == 1:
                expect(part, VARINT)
                info.dtype = part.value
            elif part.number == 2:
                dims = [self._dim(dim) for dim in self._inside(part) if dim.number == 1]
                if len(dims) > MAX_RANK:
                    raise MalformedError(f"input or output '{info.name[:60]}' has more than {MAX_RANK} axes")
                info.dims = tuple(dims)

    def _dim(self, field: Field) -> Dim:
        dim: Dim = None
        for part in self._inside(field):
            if part.number == 1:
                expect(part, VARINT)
                dim = signed(part.value)
            elif part.number == 2:
                dim = self._text(part)
        return dim

    def _sparse(self, field: Field) -> Stored:
        tensor, dims = Stored(), []
        for part in self._inside(field):
            if part.number == 1:
                tensor = self._tensor(part)
            elif part.number == 3:
                dims += integers(self._data, part, MAX_RANK)
        tensor.dims, tensor.values, tensor.sparse = tuple(dims), None, True
        return _checked(tensor)

    def _tensor(self, field: Field) -> Stored:
        self._count()
        tensor = Stored()
        dims: list[int] = []
        data: list[Field] = []
        external = False
        for part in self._inside(field):
            if part.number == 1:
                dims += integers(self._data, part, MAX_RANK)
            elif part.number == 2:
                expect(part, VARINT)
                tensor.dtype = part.value
            elif part.number == 8:
                tensor.name = self._text(part)
            elif part.number in (4, 5, 7, 9, 10, 11):
                if len(data) < MAX_VALUES:
                    data.append(part)
            elif part.number == 14:
                external = part.value == 1
            elif part.number == 3:
                raise MalformedError(f"tensor '{tensor.name[:60]}' is stored in segments, which no exporter does")
        tensor.dims = tuple(dims)
        _checked(tensor)
        if not external:
            tensor.values = self._values(tensor, data)
        return tensor

    def _values(self, tensor: Stored, data: list[Field]) -> list[Any] | None:
        """The elements, where they are few enough that shapes may depend on them."""
        count = math.prod(tensor.dims)
        most = _FEW_FLOATS if tensor.dtype in FLOATING else MAX_VALUES
        if count > most or tensor.dtype not in _RAW:
            return None
        if not count:
            return []
        result: list[Any] = []
        for part in data:
            if part.number == 9:
                result += self._raw(tensor, part)
            elif part.number in (4, 10):
                result += floats(self._data, part, most, "f" if part.number == 4 else "d")
            else:
                result += self._whole(tensor, part, most)
        if not result and not data:
            return None  # a file whose weights were taken out
        if len(result) != count:
            raise MalformedError(f"tensor '{tensor.name[:60]}': expected {count:,} values, found {len(result):,}")
        if tensor.dtype == BOOL:
            return [bool(value) for value in result]
        exact = [_exact(value) for value in result]
        return None if None in exact else exact

    def _raw(self, tensor: Stored, part: Field) -> list[Any]:
        expect(part, BYTES)
        form = _RAW[tensor.dtype]
        size, width = part.end - part.start, BITS[tensor.dtype] // 8
        if size != math.prod(tensor.dims) * width:
            wanted = math.prod(tensor.dims) * width
            raise MalformedError(f"tensor '{tensor.name[:60]}': expected {wanted:,} bytes of data, found {size:,}")
        data = self._data.take(part.start, part.end)
        if len(data) != size:
            raise MalformedError(f"tensor '{tensor.name[:60]}': expected {size:,} bytes of data, found {len(data):,}")
        return [value for (value,) in iter_unpack(f"<{form}", data)]

    def _whole(self, tensor: Stored, part: Field, most: int) -> list[Any]:
        if part.number == 11:  # uint64_data
            if part.wire == VARINT:
                return [part.value]
            expect(part, BYTES)
            result: list[int] = []
            place = part.start
            while place < part.end and len(result) <= most:
                value, place = varint(self._data, place, part.end)
                result.append(value)
            return result
        whole = integers(self._data, part, most)
        if tensor.dtype == 10:
            return [
                value
                for (value,) in iter_unpack("<e", b"".join((bits & 0xFFFF).to_bytes(2, "little") for bits in whole))
            ]
        return whole


def _checked(tensor: Stored) -> Stored:
    if len(tensor.dims) > MAX_RANK or any(size < 0 for size in tensor.dims):
        raise MalformedError(
            f"tensor '{tensor.name[:60]}': expected sizes of at least 0, found {list(tensor.dims[:8])}"
        )
    return tensor


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _exact(value: Any) -> Any:
    """A number of the file as an exact one; None for an infinity or no number."""
    if isinstance(value, float):
        return Fraction(value) if math.isfinite(value) else None
    return value
