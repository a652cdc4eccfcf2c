"""Products of activations: matrix products and attention. Their multiply-accumulates have no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.errors import ShapeError
from convcost.layers.base import Backward, Layer, Operands, Saved, Shape, Work, elements, read_by
from convcost.layers.fields import word
from convcost.layers.reach import everything, merged
from convcost.layers.window import show
from convcost.numbers.arithmetic import provably, same, total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.layers.reach import ReceptiveField

_MATRIX = 2  # axes of a matrix


class _Product(Layer):
    """What products of activations share: they read several tensors, and keep all of them."""

    family = "product"
    merges = True
    kinds = ()
    fusing = "alone"  # there are no weights that anything could be folded into
    is_view = False

    def operands_of(self, x: Operands) -> tuple[Shape, ...]:
        """The shapes of the operands.

        Raises:
            ShapeError: there are more or fewer than the layer takes.
        """
        count = total(times for _, times in x)
        if type(count) is not int or count != self.operands:
            raise ShapeError(f"{self.key} takes {self.operands} tensors, found {count}")
        return tuple(shape for shape, times in x for _ in range(int(times)))


class MatMul(_Product):
    """Matrix product of two activations, over their last two axes; further axes are a batch of such products.

    A tensor of ``n x k`` times one of ``k x m`` is one of ``n x m``. In a map of channels, height and width, each
    channel is a matrix. Axes of the batch have equal sizes; where one of the tensors has the size 1 or lacks the axis,
    its matrix is used for all. ``transpose`` swaps the last two axes of a tensor before.

    Source: the inner product; ``torch.matmul`` of two tensors that both have at least two axes.

    >>> scores = MatMul(transpose="second")
    >>> scores.shape((((12, 197, 64), 1), ((12, 197, 64), 1)))
    (12, 197, 197)
    >>> scores.work((((12, 197, 64), 1), ((12, 197, 64), 1)), (12, 197, 197)).macs == 12 * 197 * 197 * 64
    True
    """

    key = "matmul"
    also = ("bmm", "Dot", "BatchMatMul")
    operands = 2
    reads_whole_map = False  # what a position reads is all of both maps, as `reads` states
    formulas = {"macs": "n * k * m per pair of matrices, n x k times k x m"}

    transpose = word(None, ("first", "second", "both"), "whose last two axes are swapped before")

    def shape(self, x: Operands) -> Shape:
        """``(*batch, n, m)``.

        Raises:
            ShapeError: the tensors do not fit.
        """
        first, second = self._matrices(x)
        columns, rows = first[-1], second[-2]
        if not same(columns, rows):
            raise ShapeError(f"matmul: {show(first)} times {show(second)}: {columns} columns meet {rows} rows")
        return (*_batch(first[:-2], second[:-2]), first[-2], second[-1])

    def _matrices(self, x: Operands) -> tuple[Shape, Shape]:
        """Both shapes, as they are multiplied."""
        shapes = self.operands_of(x)
        for shape in shapes:
            if len(shape) < _MATRIX:
                raise ShapeError(f"matmul needs tensors with at least two axes, found one of shape {show(shape)}")
        first, second = (
            (*shape[:-2], shape[-1], shape[-2]) if self.transpose in (word, "both") else shape
            for shape, word in zip(shapes, ("first", "second"), strict=True)
        )
        return first, second

    def work(self, x: Operands, y: Shape) -> Work:
        """One multiply-accumulate per output element and term of its sum."""
        first, _ = self._matrices(x)
        return Work(macs=elements(y) * first[-1], read=read_by(x), written=elements(y))

    def reads(self, field: Sequence[ReceptiveField], axis: int, x: Operands, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """All positions of both maps."""
        return merged([everything(one, y[1 + axis]) for one in field])

    def saves(self, x: Operands, y: Shape) -> Saved:  # noqa: ARG002 - its operands, whatever they are
        """Its operands."""
        return Saved(input=True)

    def backward(self, x: Operands, y: Shape) -> Backward:
        """A product as large as the forward one for either operand; gradients of a repeated matrix are added."""
        first, second = self._matrices(x)
        macs = self.work(x, y).macs
        batch = elements(y[:-2])
        sums = total((batch - elements(shape[:-2])) * elements(shape[-2:]) for shape in (first, second))
        return Backward(Work(macs=2 * macs, additions=sums), Work())


def _batch(a: Shape, b: Shape) -> Shape:
    """The axes of a batch of products: equal ones, or one of them 1 or missing."""
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    shared = len(longer) - len(shorter)
    sizes = list(longer[:shared])
    for n, m in zip(longer[shared:], shorter, strict=True):
        if not (provably(n, 1) or provably(m, 1) or same(n, m)):
            raise ShapeError(f"matmul: batches of {show(a)} and {show(b)} matrices do not fit")
        sizes.append(m if provably(n, 1) else n)
    return tuple(sizes)
