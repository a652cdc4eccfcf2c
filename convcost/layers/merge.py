"""Layers that read several tensors. Each operand has a count: the number of identical tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import ShapeError
from convcost.layers.base import Backward, Layer, Operands, Saved, Shape, Work, elements, read_by
from convcost.layers.reach import merged
from convcost.layers.window import show
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
    """The common shape; a map of one position is broadcast to a larger one."""
    result: Shape = ()
    for shape in shapes:
        if not result:
            result = shape
            continue
        if len(shape) != len(result):
            raise ShapeError(f"{layer}: {show(result)} and {show(shape)} do not fit{_flat_hint(result, shape)}")
        if not same(shape[0], result[0]):
            raise ShapeError(f"{layer}: {show(result)} and {show(shape)} differ in channels")
        result = (result[0], *_area(layer, result, shape))
    return result


def _flat_hint(a: Shape, b: Shape) -> str:
    """What makes a map and a flat tensor fit."""
    if (len(a) == 1) == (len(b) == 1):
        return ""
    return f"; `flatten` makes {show(a if len(a) > 1 else b)} flat"


def _area(layer: str, a: Shape, b: Shape) -> Shape:
    if all(provably(n, 1) for n in b[1:]):
        return a[1:]
    if all(provably(n, 1) for n in a[1:]):
        return b[1:]
    if not all(same(n, m) for n, m in zip(a[1:], b[1:], strict=True)):
        raise ShapeError(f"{layer}: the maps of {show(a)} and {show(b)} differ in size")
    return a[1:]


def _operations(x: Operands, y: Shape) -> Num:
    """One operation per output element for every operand after the first."""
    return elements(y) * (total(times for _, times in x) - 1)


def _summed(x: Operands, y: Shape) -> Num:
    """Additions for the gradients of operands that were repeated: each is a sum over the positions it went to."""
    return total((elements(y) - elements(shape)) * times for shape, times in x)


class Add(_Merge):
    """Element-wise sum; a map of 1x1 is added to every position.

    Source: He et al., "Deep Residual Learning" (2016), equation 1.

    >>> Add().work((((64, 8, 8), 1), ((64, 8, 8), 1)), (64, 8, 8)).additions
    4096
    """

    key = "add"
    also = ("sum", "eltwise", "QLinearAdd", "residual", "shortcut")
    formulas = {"additions": "(operands - 1) * C * H * W"}

    def shape(self, x: Operands) -> Shape:
        """The common shape.

        Raises:
            ShapeError: the operands do not fit.
        """
        return _broadcast(self.key, (shape for shape, _ in x))

    def work(self, x: Operands, y: Shape) -> Work:
        """One addition per output element and further operand."""
        return Work(additions=_operations(x, y), read=read_by(x), written=elements(y))

    def saves(self, x: Operands, y: Shape) -> Saved:  # noqa: ARG002 - nothing
        """Nothing: the gradient passes."""
        return Saved()

    def backward(self, x: Operands, y: Shape) -> Backward:
        """Nothing but sums for operands of one position."""
        return Backward(Work(additions=_summed(x, y)), Work())


class Multiply(_Merge):
    """Element-wise product; a map of 1x1 scales every position, as in squeeze-and-excitation.

    Source: Hu et al., "Squeeze-and-Excitation Networks" (2018), equation 4.

    >>> Multiply().work((((64, 8, 8), 1), ((64, 1, 1), 1)), (64, 8, 8)).multiplications
    4096
    """

    key = "multiply"
    also = ("mul", "product", "prod")
    formulas = {"multiplications": "(operands - 1) * C * H * W"}

    def shape(self, x: Operands) -> Shape:
        """The common shape.

        Raises:
            ShapeError: the operands do not fit.
        """
        return _broadcast(self.key, (shape for shape, _ in x))

    def work(self, x: Operands, y: Shape) -> Work:
        """One multiplication per output element and further operand."""
        return Work(multiplications=_operations(x, y), read=read_by(x), written=elements(y))

    def saves(self, x: Operands, y: Shape) -> Saved:  # noqa: ARG002 - its operands, whatever they are
        """Its operands."""
        return Saved(input=True)

    def backward(self, x: Operands, y: Shape) -> Backward:
        """Two products per output element and further operand, and sums for operands of one position."""
        return Backward(Work(multiplications=2 * _operations(x, y), additions=_summed(x, y)), Work())


class Concat(_Merge):
    """Channels of all operands, one after another; no arithmetic, but every element is moved.

    Source: Szegedy et al., "Going Deeper with Convolutions" (2015), section 4.

    >>> Concat().shape((((64, 8, 8), 1), ((32, 8, 8), 2)))
    (128, 8, 8)
    """

    key = "concat"
    also = ("Concatenate", "cat", "DepthConcat", "route")
    formulas = {"output channels": "sum of the operands' channels"}

    def shape(self, x: Operands) -> Shape:
        """``(sum of channels, *spatial)``.

        Raises:
            ShapeError: the maps differ in size.
        """
        first = x[0][0]
        for shape, _ in x[1:]:
            fits = len(shape) == len(first) and all(same(a, b) for a, b in zip(first[1:], shape[1:], strict=True))
            if not fits:
                hint = _flat_hint(first, shape)
                raise ShapeError(f"concat: the maps of {show(first)} and {show(shape)} differ in size{hint}")
        return (total(shape[0] * times for shape, times in x), *first[1:])

    def work(self, x: Operands, y: Shape) -> Work:
        """Elements moved; nothing else."""
        return Work(read=read_by(x), written=elements(y))

    def saves(self, x: Operands, y: Shape) -> Saved:  # noqa: ARG002 - nothing
        """Nothing."""
        return Saved()

    def backward(self, x: Operands, y: Shape) -> Backward:  # noqa: ARG002 - nothing
        """Nothing: every operand gets its channels of the gradient."""
        return Backward(Work(), Work())
