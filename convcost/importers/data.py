"""What a tensor of an imported graph is known to be, and operations on tensors whose values are known.

Shapes of a file depend on values: the sizes of a tensor are taken out, added up, joined and given to a reshape. So a
tensor has, besides its shape, its elements where these are known: numbers or symbols, in order. Everything here works
on any number of axes, and on the algebra of :mod:`convcost.numbers.arithmetic`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

from convcost.errors import ShapeError
from convcost.layers.window import show
from convcost.limits import MAX_VALUES
from convcost.numbers.arithmetic import Num, bounded, decide, is_symbolic, normal, prod, provably, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from convcost.network.graph import Tensor

    Sizes = tuple[Num, ...]


class Data:
    """A tensor of an imported graph.

    Attributes:
        shape: its sizes, batch included; None where it is not known.
        values: its elements in order, where they are known.
        tensor: what the graph's builder made of it, of a tensor that depends on an input; else None.
        ident: which stored tensor it is, seen from another side perhaps; empty where it is computed from several.
        stored: elements of that stored tensor, 0 where it is no parameter.
        floating: whether it holds floats.
        reason: why its shape is not known.
    """

    __slots__ = ("floating", "ident", "reason", "shape", "stored", "tensor", "values")

    def __init__(
        self,
        shape: Sizes | None,
        values: list[Any] | None = None,
        *,
        tensor: Tensor | None = None,
        ident: str = "",
        stored: Num = 0,
        floating: bool = False,
        reason: str = "",
    ) -> None:
        self.shape = shape
        self.values = values
        self.tensor = tensor
        self.ident = ident
        self.stored = stored
        self.floating = floating
        self.reason = reason

    @property
    def sizes(self) -> Sizes:
        """Its shape, which must be known.

        Raises:
            ShapeError: it is not.
        """
        if self.shape is None:
            raise ShapeError(f"expected a tensor of known shape, found one without: {self.reason}")
        return self.shape

    @property
    def count(self) -> Num:
        """How many elements it has."""
        return prod(self.sizes)

    def seen(self, shape: Sizes, values: list[Any] | None = None) -> Data:
        """The same stored tensor, in another shape or order."""
        return Data(shape, values, tensor=self.tensor, ident=self.ident, stored=self.stored, floating=self.floating)


def unknown(reason: str) -> Data:
    """A tensor of which nothing is known."""
    return Data(None, reason=reason)


def vector(values: Sequence[Any]) -> Data:
    """A list of whole numbers that are known."""
    return Data((len(values),), list(values))


def scalar(value: Any) -> Data:
    """A single number that is known."""
    return Data((), [value])


def whole_list(data: Data | None, what: str) -> list[Any] | None:
    """The values of a list of whole numbers; None where there is no such tensor.

    Raises:
        ShapeError: they are not known.
        MissingError: they depend on data.
    """
    if data is None:
        return None
    if data.values is None:
        raise MissingError(f"{what} depends on data")
    return [whole(value, what) for value in data.values]


class MissingError(ShapeError):
    """A value that a shape depends on is not in the file: it is computed when the network runs."""


def whole(value: Any, what: str) -> Num:
    """``value`` as a whole number.

    Raises:
        ShapeError: it is none.
    """
    value = normal(value)
    if isinstance(value, bool | str) or value is None or isinstance(value, Fraction):
        raise ShapeError(f"{what}: expected a whole number, found {value}")
    return value


def number(value: Any, what: str) -> int:
    """``value`` as an int, where a symbol will not do.

    Raises:
        ShapeError: it is none.
    """
    result = whole(value, what)
    if not isinstance(result, int):
        raise ShapeError(f"{what}: expected a number, found {result}")
    return int(result)


def axis_of(axis: Any, rank: int, *, extra: int = 0) -> int:
    """An axis counted from the start.

    Raises:
        ShapeError: there is no such axis.
    """
    place = number(axis, "axis")
    if not -rank - extra <= place < rank + extra:
        raise ShapeError(f"expected an axis of a tensor with {rank}, found {place}")
    return place + rank + extra if place < 0 else place


def plain(shape: Sizes) -> tuple[int, ...] | None:
    """The sizes as ints; None where one is a symbol, or there are too many elements to list."""
    if all(type(size) is int for size in shape) and math.prod(max(size, 1) for size in shape) <= MAX_VALUES:
        return tuple(map(int, shape))
    return None


def broadcast(shapes: Sequence[Sizes]) -> Sizes:
    """The common shape of several: sizes are equal from the last axis on, or 1, or left out.

    Raises:
        ShapeError: they do not fit.
    """
    rank = max(map(len, shapes))
    result: list[Num] = [1] * rank
    for shape in shapes:
        for place, size in enumerate(shape, rank - len(shape)):
            if provably(size, 1):
                continue
            if provably(result[place], 1):
                result[place] = size
            elif not provably(size, result[place]):
                shown = " and ".join(show(item) or "a number" for item in shapes)
                require("==", result[place], size, f"expected shapes that fit each other, found {shown}")
    return tuple(result)


def places(shape: tuple[int, ...], into: tuple[int, ...]) -> Iterator[int]:
    """For every element of ``into``, in order, where it comes from in a tensor that is broadcast to it."""
    shape = (1,) * (len(into) - len(shape)) + shape
    steps, step = [0] * len(shape), 1
    for axis in range(len(shape) - 1, -1, -1):
        steps[axis] = 0 if shape[axis] == 1 else step
        step *= shape[axis]
    return _walk(into, steps, 0)


def _walk(shape: Sequence[int], steps: Sequence[int], start: int) -> Iterator[int]:
    if not shape:
        yield start
        return
    for indices in product(*(range(size) for size in shape)):
        yield start + sum(index * step for index, step in zip(indices, steps, strict=True))


def strides(shape: Sequence[int]) -> list[int]:
    """The distance between neighbours along each axis."""
    result, step = [0] * len(shape), 1
    for axis in range(len(shape) - 1, -1, -1):
        result[axis] = step
        step *= shape[axis]
    return result


def combined(function: Callable[..., Any], operands: Sequence[Data]) -> tuple[Sizes, list[Any] | None]:
    """The shape of an element-wise operation, and its values where those of all operands are known."""
    shape = broadcast([item.sizes for item in operands])
    into = plain(shape)
    if into is None or any(item.values is None or plain(item.sizes) is None for item in operands):
        return shape, None
    columns = [
        [item.values[place] for place in places(plain(item.sizes) or (), into)]
        for item in operands
        if item.values is not None
    ]
    try:
        return shape, [bounded(function(*row)) for row in zip(*columns, strict=True)]
    except (ArithmeticError, TypeError, ValueError, ShapeError):
        return shape, None


def picked(data: Data, shape: Sizes, steps: Sequence[int], start: int = 0) -> list[Any] | None:
    """The values at evenly spaced places along every axis."""
    into = plain(shape)
    if data.values is None or into is None:
        return None
    return [data.values[place] for place in _walk(into, steps, start)]


def transposed(data: Data, order: Sequence[int]) -> Data:
    """The axes in another order."""
    shape = tuple(data.sizes[axis] for axis in order)
    sizes = plain(data.sizes)
    if data.values is None or sizes is None:
        return data.seen(shape)
    own = strides(sizes)
    return data.seen(shape, picked(data, shape, [own[axis] for axis in order]))


def joined(parts: Sequence[Data], axis: int) -> tuple[Sizes, list[Any] | None]:
    """Shape and values of tensors one after another along an axis.

    Raises:
        ShapeError: they do not fit.
    """
    first = parts[0].sizes
    for part in parts[1:]:
        if len(part.sizes) != len(first):
            raise ShapeError(f"concat: expected tensors with {len(first)} axes, found {show(part.sizes)}")
        for place, (a, b) in enumerate(zip(first, part.sizes, strict=True)):
            if place != axis:
                require("==", a, b, f"concat: {show(first)} and {show(part.sizes)} differ in axis {place}")
    size: Num = 0
    for part in parts:
        size = size + part.sizes[axis]
    shape = (*first[:axis], size, *first[axis + 1 :])
    if plain(shape) is None or any(part.values is None for part in parts):
        return shape, None
    before = math.prod(first[:axis])
    inner = [math.prod(part.sizes[axis:]) for part in parts]
    values: list[Any] = []
    for turn in range(before):
        for part, length in zip(parts, inner, strict=True):
            values += (part.values or [])[turn * length : (turn + 1) * length]
    return shape, values


def clamp(value: Any, low: Any, high: Any) -> Any:
    """``value``, at least ``low`` and at most ``high``."""
    if decide("<", value, low):
        return low
    return high if decide(">", value, high) else value


def gathered(data: Data, indices: Data, axis: int) -> tuple[Sizes, list[Any] | None]:
    """Shape and values of the slices at ``indices`` along an axis."""
    shape = (*data.sizes[:axis], *indices.sizes, *data.sizes[axis + 1 :])
    sizes = plain(data.sizes)
    if data.values is None or indices.values is None or sizes is None or plain(shape) is None:
        return shape, None
    inner, length = math.prod(sizes[axis + 1 :]), sizes[axis]
    values: list[Any] = []
    for turn in range(math.prod(sizes[:axis])):
        for index in indices.values:
            place = number(index, "index")
            if not -length <= place < length:
                raise ShapeError(f"gather: expected an index below {length}, found {place}")
            start = (turn * length + place % length) * inner
            values += data.values[start : start + inner]
    return shape, values


def reduced(
    data: Data, axes: Sequence[int], function: Callable[..., Any], *, keep: bool
) -> tuple[Sizes, list[Any] | None]:
    """Shape and values after a function over some axes."""
    shape = data.sizes
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    left = kept if keep else tuple(size for axis, size in enumerate(shape) if axis not in axes)
    sizes = plain(shape)
    if data.values is None or sizes is None or 0 in sizes:
        return left, None
    own = strides(sizes)
    outer = [axis for axis in range(len(sizes)) if axis not in axes]
    values = []
    for start in _walk([sizes[axis] for axis in outer], [own[axis] for axis in outer], 0):
        members = [
            data.values[place] for place in _walk([sizes[axis] for axis in axes], [own[axis] for axis in axes], start)
        ]
        try:
            values.append(bounded(function(members)))
        except (ArithmeticError, TypeError, ShapeError):
            return left, None
    return left, values


def is_true(value: Any) -> bool:
    """A value as a condition."""
    if is_symbolic(value):
        return decide("!=", value, 0)
    return bool(value)
