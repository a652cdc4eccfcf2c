"""Products of activations: matrix products and attention. Their multiply-accumulates have no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.errors import ShapeError
from convcost.layers.base import Backward, Layer, Operands, Saved, Shape, Work, elements, read_by, union
from convcost.layers.fields import axes, flag, size, word
from convcost.layers.reach import merged, mixed, partitioned
from convcost.layers.window import divide_channels, per_axis, show
from convcost.numbers.arithmetic import divide, prod, provably, same, total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.layers.reach import ReceptiveField
    from convcost.numbers.arithmetic import Num

_MATRIX = 2  # axes of a matrix


class _Product(Layer):
    """What products of activations share: they read several tensors, and keep all of them."""

    family = "product"
    merges = True
    kinds = ()
    fusing = "alone"  # there are no weights that anything could be folded into
    is_view = False

    @staticmethod
    def _each(seen: Sequence[Sequence[int]], x: Operands) -> list[Sequence[int]]:
        """What the channels of every operand depend on, also of one that is given several times."""
        return [bits for bits, (_, times) in zip(seen, x, strict=True) for _ in range(int(times))]

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

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Operands, y: Shape) -> list[int]:
        """The same matrix of a batch; of a matrix alone, its row of the first, and all of the second."""
        first, second = self._each(seen, x)
        if len(y) == _MATRIX:
            rows = [union(first)] * y[0] if self.transpose in ("first", "both") else first
            return [bits | union(second) for bits in rows]
        batches = [
            own if len(shape) == len(y) else [union(own)]
            for own, shape in zip((first, second), self.operands_of(x), strict=True)
        ]
        return [union(own[place if len(own) > 1 else 0] for own in batches) for place in range(y[0])]

    def reads(self, field: Sequence[ReceptiveField], axis: int, x: Operands, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """All positions of both maps."""
        return mixed(field, axis, self.operands_of(x))

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


class Attention(_Product):
    """Scaled dot-product attention of queries, keys and values, in ``heads`` that share the channels equally.

    The positions of a map or sequence are the tokens: no reshape is needed. Keys and values have the same positions;
    the output has those of the queries and the channels of the values. Projections are layers of their own (``linear``
    with ``axis: c``, or a 1x1 ``conv``).

    ``window`` divides the map into windows that attend to themselves alone, and must divide its sides; ``shift`` moves
    them, and masks what comes from the other side of the map by an addition per score. With ``causal`` a position
    attends to itself and those before it, row by row, and only those are counted. The scores and their softmax are
    written to memory, unless ``flash`` is set: then they are used where they are computed, and computed again for the
    backward pass.

    Source: Vaswani et al., "Attention Is All You Need" (2017), equation 1; windows, shifts and the bias of relative
    positions: Liu et al., "Swin Transformer" (2021), section 3.2 and equation 4; ``flash``: Dao et al.,
    "FlashAttention" (2022), algorithms 1 and 4.

    >>> heads = Attention(heads=12)
    >>> tokens = (((768, 197), 1),) * 3
    >>> heads.work(tokens, (768, 197)).macs == 2 * 197 * 197 * 768
    True
    """

    key = "attention"
    also = ("ScaledDotProductAttention", "sdpa", "SelfAttention")
    operands = 3
    reads_whole_map = False  # what a position reads is stated by `reads`
    formulas = {
        "macs": "pairs * (channels of keys + channels of values)",
        "pairs": "n * m of n queries and m keys; window: n * (positions of a window); causal: n * (n + 1) / 2",
        "multiplications": "heads * pairs (the scale)",
        "comparisons": "heads * (pairs - n)",
        "additions": "heads * (2 pairs - n); heads * pairs more for a bias of positions, and for a shift",
        "exponentials": "heads * pairs",
        "divisions": "heads * pairs",
        "other_params": "position_bias: heads * prod(2 w - 1), with a window of w",
        "inside": "2 heads * n * m; flash: 0",
    }

    heads = size(1, "how many parts the channels are divided into")
    window = axes(None, "sides of the windows that attend to themselves; without it the whole map is one")
    shift = axes(0, "by how much the windows are moved", minimum=0)
    causal = flag(False, "whether a position attends to itself and those before it only")
    position_bias = flag(False, "whether a trained number per head and relative position is added to the scores")
    scale = flag(True, "whether the scores are divided by the square root of a head's channels")
    flash = flag(False, "whether scores are never written to memory")

    def shape(self, x: Operands) -> Shape:
        """``(channels of values, *positions of queries)``.

        Raises:
            ShapeError: the tensors do not fit.
            FieldError: the heads do not divide the channels, or the windows the map.
        """
        query, key, value = self.operands_of(x)
        if not same(query[0], key[0]):
            raise ShapeError(f"attention: queries of {query[0]} channels meet keys of {key[0]}")
        if not _equal(key[1:], value[1:]):
            raise ShapeError(f"attention: keys of {show(key)} and values of {show(value)} differ in positions")
        if self._within and not _equal(query[1:], key[1:]):
            raise ShapeError(f"attention: queries of {show(query)} and keys of {show(key)} differ in positions")
        for channels in (query[0], value[0]):
            divide_channels(channels, self.heads, "channels by heads", "heads")
        if self.window is not None:
            for n, side in zip(query[1:], self._sides(query), strict=True):
                divide_channels(n, side, "size of the map by window", "window")
        per_axis(self.shift, len(query) - 1, "shift")
        return (value[0], *query[1:])

    @property
    def _within(self) -> bool:
        """Whether queries and keys must have the same positions."""
        return self.window is not None or self.causal or bool(self.position_bias)

    def _sides(self, query: Shape) -> Shape:
        """The sides of a window; those of the map without one."""
        return query[1:] if self.window is None else per_axis(self.window, len(query) - 1, "window")

    def _pairs(self, x: Operands) -> tuple[Num, Num]:
        """Pairs of a query and a key that are computed, and that the tensor of scores has places for; of one head."""
        query, key, _ = self.operands_of(x)
        seen = elements(key[1:]) if self.window is None else prod(self._sides(query))
        stored = elements(query[1:]) * seen
        return divide(elements(query[1:]) * (seen + 1), 2) if self.causal else stored, stored

    def _shifted(self) -> bool:
        shifts = self.shift if isinstance(self.shift, tuple) else (self.shift,)
        return any(type(shift) is not int or shift > 0 for shift in shifts)

    def work(self, x: Operands, y: Shape) -> Work:
        """Scores, their softmax, and the sums of values that they weigh."""
        query, _, value = self.operands_of(x)
        pairs, stored = self._pairs(x)
        scores, rows = self.heads * pairs, self.heads * elements(query[1:])
        added = scores * (int(self.position_bias) + int(self._shifted()))
        table = self.heads * prod(2 * side - 1 for side in self._sides(query))
        return Work(
            other_params=table if self.position_bias else 0,
            macs=pairs * (query[0] + value[0]),
            multiplications=scores if self.scale else 0,
            comparisons=scores - rows,
            additions=2 * scores - rows + added,
            exponentials=scores,
            divisions=scores,
            read=read_by(x),
            written=elements(y),
            inside=0 if self.flash else 2 * self.heads * stored,
        )

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Operands, y: Shape) -> list[int]:
        """The channels of its head in queries and keys, through the scores, and the same channel of the values."""
        queries, keys, values = self._each(seen, x)
        heads = self.heads
        scores = [
            union(queries[head * len(queries) // heads : (head + 1) * len(queries) // heads])
            | union(keys[head * len(keys) // heads : (head + 1) * len(keys) // heads])
            for head in range(heads)
        ]
        return [bits | scores[place * heads // y[0]] for place, bits in enumerate(values)]

    def reads(self, field: Sequence[ReceptiveField], axis: int, x: Operands, y: Shape) -> ReceptiveField:
        """All positions of a window, or of the map."""
        seen = merged(field) if self.window is not None else mixed(field, axis, self.operands_of(x))
        count = len(y) - 1
        if self.window is None or seen.jump == 0:
            return seen
        side = per_axis(self.window, count, "window")[axis]
        return partitioned(seen, side, per_axis(self.shift, count, "shift")[axis])

    def saves(self, x: Operands, y: Shape) -> Saved:
        """Its operands and the softmax of the scores; with ``flash`` its output and a number per row of scores."""
        if self.flash:
            return Saved(input=True, output=True, inside=self.heads * elements(y[1:]))
        return Saved(input=True, inside=self.heads * self._pairs(x)[1])

    def backward(self, x: Operands, y: Shape) -> Backward:
        """Two products for either product of the forward pass, and the derivative of the softmax.

        With ``flash`` the scores and their exponentials are computed again.
        """
        query, _, _ = self.operands_of(x)
        forward = self.work(x, y)
        scores, rows = self.heads * self._pairs(x)[0], self.heads * elements(query[1:])
        again = int(self.flash)
        return Backward(
            Work(
                macs=2 * forward.macs + again * self._pairs(x)[0] * query[0],
                multiplications=2 * scores + forward.multiplications * (1 + again),
                additions=2 * scores - rows + again * scores,
                exponentials=again * scores,
            ),
            Work(additions=scores if self.position_bias else 0),
        )


def _equal(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) and all(same(n, m) for n, m in zip(a, b, strict=True))
