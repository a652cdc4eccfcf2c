"""Layers that read several tensors. Each operand has a count: the number of identical tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from convcost.errors import ShapeError
from convcost.layers.base import Backward, Layer, Operands, Saved, Shape, Work, elements, read_by, union
from convcost.layers.fields import axis
from convcost.layers.reach import everything, merged
from convcost.layers.window import axis_of, replaced, show, without
from convcost.numbers.arithmetic import Num, provably, same, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.layers.reach import ReceptiveField


class _Merge(Layer):
    """What merges share: a position reads the same position of every operand."""

    family = "merge"
    merges = True
    kinds = ()
    reads_whole_map = False  # a map of 1x1 that reaches all positions is seen from the shapes
    fusing = "alone"
    is_view = False

    def reads(self, field: Sequence[ReceptiveField], axis: int, x: Any, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position of every operand that is as large as the output."""
        return merged(field)


def _broadcast(layer: str, shapes: Iterable[Shape]) -> Shape:
    """The common shape.

    Axes have equal sizes, or one of them the size 1, which is repeated; a vector is one value per channel.

    Raises:
        ShapeError: they do not fit.
    """
    result: Shape = ()
    for shape in shapes:
        if not result:
            result = shape
            continue
        rank = max(len(result), len(shape))
        a, b = _raised(result, rank), _raised(shape, rank)
        if len(a) != len(b):
            raise ShapeError(f"{layer}: {show(result)} and {show(shape)} do not fit")
        result = tuple(_common(layer, place, a, b) for place in range(rank))
    return result


def _raised(shape: Shape, rank: int) -> Shape:
    """A vector as a map of one position."""
    return (*shape, *(1 for _ in range(rank - 1))) if len(shape) == 1 else shape


def _flat_hint(a: Shape, b: Shape) -> str:
    """What makes a map and a flat tensor fit."""
    if (len(a) == 1) == (len(b) == 1):
        return ""
    return f"; `flatten` makes {show(a if len(a) > 1 else b)} flat"


def _common(layer: str, place: int, a: Shape, b: Shape) -> Num:
    n, m = a[place], b[place]
    if provably(m, 1):
        return n
    if provably(n, 1) or same(n, m):
        return m
    if place == 0:
        raise ShapeError(f"{layer}: {show(a)} and {show(b)} differ in channels")
    raise ShapeError(f"{layer}: the maps of {show(a)} and {show(b)} differ in size")


def _operations(x: Operands, y: Shape) -> Num:
    """One operation per output element for every operand after the first."""
    return elements(y) * (total(times for _, times in x) - 1)


def _summed(x: Operands, y: Shape) -> Num:
    """Additions for the gradients of operands that were repeated: each is a sum over the positions it went to."""
    return total((elements(y) - elements(shape)) * times for shape, times in x)


class _Pointwise(_Merge):
    """What element-wise merges share: the common shape, and one operation per element and further operand.

    A class states ``operation`` (the count that each operation adds to), ``keeps`` (whether the gradient needs the
    operands) and ``each_backward`` (what the gradient of an element costs, for each further operand).
    """

    operation: ClassVar[str]
    keeps: ClassVar[bool]
    each_backward: ClassVar[dict[str, int]]

    def shape(self, x: Operands) -> Shape:
        """The common shape.

        Raises:
            ShapeError: the operands do not fit.
        """
        return _broadcast(self.key, (shape for shape, _ in x))

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Operands, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel of every operand; the only one of an operand that has one."""
        return [union(own[channel if len(own) > 1 else 0] for own in seen) for channel in range(y[0])]

    def work(self, x: Operands, y: Shape) -> Work:
        """One operation per output element and further operand."""
        return Work(read=read_by(x), written=elements(y), **{self.operation: _operations(x, y)})

    def saves(self, x: Operands, y: Shape) -> Saved:  # noqa: ARG002 - its operands, whatever they are
        """Its operands, where the gradient is made of them."""
        return Saved(input=self.keeps)

    def backward(self, x: Operands, y: Shape) -> Backward:
        """Operations per output element and further operand, and sums for operands that were repeated."""
        work = Work(**{name: times * _operations(x, y) for name, times in self.each_backward.items()})
        work.additions = work.additions + _summed(x, y)
        return Backward(work, Work())


class Add(_Pointwise):
    """Element-wise sum; a map of 1x1 or a vector is added to every position, a map of one channel to every channel.

    Source: He et al., "Deep Residual Learning" (2016), equation 1.

    >>> Add().work((((64, 8, 8), 1), ((64, 8, 8), 1)), (64, 8, 8)).additions
    4096
    """

    key = "add"
    drawn = "+"
    also = ("sum", "eltwise", "QLinearAdd", "residual", "shortcut")
    operation = "additions"
    keeps = False
    each_backward = {}  # the gradient passes
    formulas = {"additions": "(operands - 1) * C * H * W"}


class Subtract(_Pointwise):
    """Element-wise difference: the first operand less all others; sizes of 1 are repeated as for ``add``.

    Source: its formula.

    >>> Subtract().work((((64, 8, 8), 1), ((64, 1, 1), 1)), (64, 8, 8)).additions
    4096
    """

    key = "subtract"
    drawn = "-"
    also = ("sub", "minus")
    operation = "additions"
    keeps = False
    each_backward = {}  # the gradient passes, its sign is free
    formulas = {"additions": "(operands - 1) * C * H * W"}


class Multiply(_Pointwise):
    """Element-wise product; a map of 1x1 or a vector scales every position, a map of one channel every channel.

    Source: Hu et al., "Squeeze-and-Excitation Networks" (2018), equation 4: a map of 1x1; Woo et al., "CBAM" (2018),
    equation 2: one channel.

    >>> Multiply().work((((64, 8, 8), 1), ((64, 1, 1), 1)), (64, 8, 8)).multiplications
    4096
    >>> Multiply().work((((64, 32, 32), 1), ((1, 32, 32), 1)), (64, 32, 32)).multiplications
    65536
    """

    key = "multiply"
    drawn = "x"
    also = ("mul", "product", "prod")
    operation = "multiplications"
    keeps = True
    each_backward = {"multiplications": 2}
    formulas = {"multiplications": "(operands - 1) * C * H * W"}


class Divide(_Pointwise):
    """Element-wise quotient: the first operand divided by all others; sizes of 1 are repeated as for ``multiply``.

    Source: its formula.

    >>> Divide().work((((64, 8, 8), 1), ((1, 8, 8), 1)), (64, 8, 8)).divisions
    4096
    """

    key = "divide"
    drawn = "/"
    also = ("div", "quotient", "truediv")
    operation = "divisions"
    keeps = True
    each_backward = {"divisions": 2, "multiplications": 1}  # g / b, and that times a / b
    formulas = {"divisions": "(operands - 1) * C * H * W"}


class Maximum(_Pointwise):
    """Element-wise maximum of several tensors; sizes of 1 are repeated as for ``add``.

    Source: Goodfellow et al., "Maxout Networks" (2013), section 3.

    >>> Maximum().work((((64, 8, 8), 1), ((64, 8, 8), 1)), (64, 8, 8)).comparisons
    4096
    """

    key = "maximum"
    drawn = "max"
    also = ("Maxout",)
    operation = "comparisons"
    keeps = True
    each_backward = {"comparisons": 1}
    formulas = {"comparisons": "(operands - 1) * C * H * W"}


class Minimum(_Pointwise):
    """Element-wise minimum of several tensors; sizes of 1 are repeated as for ``add``.

    Source: its formula.

    >>> Minimum().work((((64, 8, 8), 1), ((64, 8, 8), 1)), (64, 8, 8)).comparisons
    4096
    """

    key = "minimum"
    drawn = "min"
    also = ("Min",)
    operation = "comparisons"
    keeps = True
    each_backward = {"comparisons": 1}
    formulas = {"comparisons": "(operands - 1) * C * H * W"}


class Concat(_Merge):
    """The operands one after another along an axis; no arithmetic, but every element is moved.

    Source: Szegedy et al., "Going Deeper with Convolutions" (2015), section 4; along the sequence: the class token of
    Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021), equation 1.

    >>> Concat().shape((((64, 8, 8), 1), ((32, 8, 8), 2)))
    (128, 8, 8)
    >>> Concat(axis="w").shape((((768, 1), 1), ((768, 196), 1)))
    (768, 197)
    """

    key = "concat"
    also = ("Concatenate", "cat", "DepthConcat", "route")
    formulas = {"output": "sum of the operands' sizes along the axis; the other sizes are equal"}

    axis = axis("c", "the axis along which they are joined")

    def shape(self, x: Operands) -> Shape:
        """The first operand's shape, with the sum of all sizes along the axis.

        Raises:
            ShapeError: the other sizes differ.
        """
        first = x[0][0]
        place = axis_of(self.axis, first)
        for shape, _ in x[1:]:
            others = zip(without(first, (place,)), without(shape, (place,)), strict=True)
            if len(shape) != len(first) or not all(same(a, b) for a, b in others):
                hint = _flat_hint(first, shape)
                raise ShapeError(f"concat: the maps of {show(first)} and {show(shape)} differ in size{hint}")
        return replaced(first, place, total(shape[place] * times for shape, times in x))

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Operands, y: Shape) -> list[int]:
        """The channels of the operands one after another; of another axis, the same channel of every operand."""
        if axis_of(self.axis, y) == 0:
            return [bits for own, (_, times) in zip(seen, x, strict=True) for _ in range(times) for bits in own]
        return [union(own[channel] for own in seen) for channel in range(y[0])]

    def reads(self, field: Sequence[ReceptiveField], axis: int, x: Operands, y: Shape) -> ReceptiveField:
        """The same position of every operand; any along a spatial axis that they are joined along."""
        if axis_of(self.axis, y) == 1 + axis:
            return merged([everything(seen, y[1 + axis]) for seen in field])
        return super().reads(field, axis, x, y)

    def work(self, x: Operands, y: Shape) -> Work:
        """Elements moved; nothing else."""
        return Work(read=read_by(x), written=elements(y))

    def saves(self, x: Operands, y: Shape) -> Saved:  # noqa: ARG002 - nothing
        """Nothing."""
        return Saved()

    def backward(self, x: Operands, y: Shape) -> Backward:  # noqa: ARG002 - nothing
        """Nothing: every operand gets its channels of the gradient."""
        return Backward(Work(), Work())
