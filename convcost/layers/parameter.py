"""Tensors that are stored and not computed: free parameters, and layers whose cost a spec states itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.layers.base import Backward, Layer, Saved, Shape, Work, elements, union
from convcost.layers.fields import axes, flag, size, word
from convcost.layers.reach import NOTHING, everything

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.layers.reach import ReceptiveField


class Parameter(Layer):
    """A tensor of parameters, such as a class token or a table of positions; what enters is not read.

    It stands in a branch of a merge: ``concat: {token: [parameter: {to: [x.c, 1]}], patches: x, axis: w}``.

    Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021), equation 1.

    >>> Parameter(to=(768, 197)).work((768, 197), (768, 197)).params == 768 * 197
    True
    """

    key = "parameter"
    family = "shape"
    also = ("Param", "ClassToken", "CLSToken", "PositionalEmbedding", "PositionEmbedding", "pos_embed")
    kinds = ()
    reads_whole_map = False
    fusing = "alone"
    is_view = False
    formulas = {"other_params": "as many as the output has elements; trained: false makes them buffers"}

    to = axes(doc="channels and sizes of the tensor")
    trained = flag(True, "whether it is trained; a fixed table is a buffer")

    def shape(self, x: Shape) -> Shape:  # noqa: ARG002 - it comes from nothing
        """``to``."""
        return self.to if isinstance(self.to, tuple) else (self.to,)

    def work(self, x: Shape, y: Shape) -> Work:  # noqa: ARG002 - what enters is not read
        """Stored elements, written as a tensor for every sample."""
        count = elements(y)
        stored = {"other_params" if self.trained else "buffers": count}
        return Work(**stored, written=count)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """None of the input."""
        return [0] * y[0]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """Nothing of the input."""
        return NOTHING

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - nothing
        """Nothing: the gradient passes."""
        return Saved()

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - nothing comes from the input
        """An addition per element, over the samples of a batch."""
        return Backward(Work(), Work(additions=elements(y)) if self.trained else Work())


class Custom(Layer):
    """A layer of one's own: a spec states its output and its costs, as expressions. Every output says so.

    Without ``to`` the shape stays. ``params`` are trained; ``operations`` are all others than multiply-accumulates, one
    each. The backward pass is taken to need as many multiply-accumulates for either gradient as the forward pass has,
    and as many other operations.

    Source: what the spec says.

    >>> fourier = Custom(params=64 * 33 * 64 * 2, operations=100_000)
    >>> fourier.work((64, 64, 64), (64, 64, 64)).flops
    100000
    """

    key = "custom"
    family = "stated"
    kinds = ("stated",)
    reads_whole_map = False
    fusing = "alone"
    is_view = False
    stated = True
    formulas = {"other_params": "params", "macs": "macs", "additions": "operations", "inside": "inside"}

    to = axes(None, "channels and sizes of the output; without it those of the input")
    params = size(0, "trained parameters", minimum=0)
    buffers = size(0, "stored numbers that are not trained", minimum=0)
    macs = size(0, "multiply-accumulates", minimum=0)
    operations = size(0, "other arithmetic operations", minimum=0)
    inside = size(0, "elements of tensors inside it, which are written and read again", minimum=0)
    sees = word("map", ("map", "position"), "what a position depends on: the whole map, or the same position")

    def shape(self, x: Shape) -> Shape:
        """``to``, or as it came."""
        if self.to is None:
            return x
        return self.to if isinstance(self.to, tuple) else (self.to,)

    def work(self, x: Shape, y: Shape) -> Work:
        """What is stated; the input is read and the output written."""
        return Work(
            other_params=self.params,
            buffers=self.buffers,
            macs=self.macs,
            additions=self.operations,
            read=elements(x),
            written=elements(y),
            inside=self.inside,
        )

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """All channels, since a spec does not state which."""
        return [union(seen[0])] * y[0]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
        """The same position where it is stated so and the sizes stay; else any."""
        same_sizes = self.sees == "position" and x[1:] == y[1:]
        return field if same_sizes else everything(field, x[1 + axis])

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - the input, whatever it is
        """Its input, and the tensors inside."""
        return Saved(input=True, inside=self.inside)

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - what is stated
        """As much for either gradient as the forward pass has; without parameters all of it for the input."""
        if type(self.params) is int and self.params == 0:
            return Backward(Work(macs=2 * self.macs, additions=self.operations), Work())
        return Backward(Work(macs=self.macs, additions=self.operations), Work(macs=self.macs, additions=self.params))

    def kind_of(self, x: Shape, y: Shape) -> str:  # noqa: ARG002 - the base class hands in both
        """Always ``stated``."""
        return "stated"
