"""Tensors that are stored and not computed: free parameters, and layers whose cost a spec states itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.layers.base import Backward, Layer, Saved, Shape, Work, elements
from convcost.layers.fields import axes, flag
from convcost.layers.reach import NOTHING

if TYPE_CHECKING:
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

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """Nothing of the input."""
        return NOTHING

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - nothing
        """Nothing: the gradient passes."""
        return Saved()

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - nothing comes from the input
        """An addition per element, over the samples of a batch."""
        return Backward(Work(), Work(additions=elements(y)) if self.trained else Work())
