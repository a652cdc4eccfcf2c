"""A layer of an imported file that no layer of the language is: its output shape and its counts are the file's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import UnsupportedError
from convcost.layers.base import Backward, Fusing, Layer, Saved, Shape, Work, union
from convcost.layers.reach import merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.layers.reach import ReceptiveField
    from convcost.numbers.arithmetic import Num


class Operator(Layer):
    """An operator whose facts the importer works out: it is not in the registry, and no spec can name it.

    Args:
        name: of the operator, for errors.
        shape: of the output.
        work: the counts of the forward pass, without parameters that another layer has.
        pointwise: whether every position depends on the same position of what it reads, if positions there are.
        saved: what is kept for the backward pass; None where it is not known here.
        backward: counts of the gradients of all tensors it reads; None where they are not known here.
        view: whether it moves nothing.
    """

    key = ""
    family = "shape"
    kinds = ()
    reads_whole_map = False
    fusing: Fusing = "alone"

    def __init__(
        self,
        name: str,
        shape: Shape,
        work: Work,
        *,
        pointwise: bool = False,
        saved: Saved | None = None,
        backward: Mapping[str, Num] | None = None,
        view: bool = False,
    ) -> None:
        self.name = name
        self.is_view = view
        self._shape = shape
        self._work = work
        self._pointwise = pointwise
        self._saved = saved
        self._backward = backward

    def shape(self, x: Any) -> Shape:  # noqa: ARG002 - it was worked out before
        """The one it was made with."""
        return self._shape

    def work(self, x: Any, y: Shape) -> Work:  # noqa: ARG002
        """The counts it was made with."""
        return self._work

    def reads(self, field: Any, axis: int, x: Any, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position, of an operator on single elements.

        Raises:
            UnsupportedError: any other operator.
        """
        if not self._pointwise:
            raise UnsupportedError(f"the receptive field is undefined after {self.name}")
        own: ReceptiveField = field
        return own

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Any, y: Shape) -> list[int]:  # noqa: ARG002
        """What it reads is not known.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(f"{self.name} does not say which channels it reads")

    def saves(self, x: Any, y: Shape) -> Saved:  # noqa: ARG002
        """What it was made with.

        Raises:
            UnsupportedError: it is not known.
        """
        if self._saved is None:
            raise UnsupportedError(f"what {self.name} keeps for the backward pass is not known")
        return self._saved

    def backward(self, x: Any, y: Shape) -> Backward:  # noqa: ARG002
        """What it was made with; all of it for the gradients of tensors.

        Raises:
            UnsupportedError: it is not known.
        """
        if self._backward is None:
            raise UnsupportedError(f"the cost of the backward pass of {self.name} is not known")
        return Backward(Work(**self._backward), Work())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"


class Activating(Operator):
    """An element-wise operator on one tensor."""

    family = "activation"
    fusing = "follows"
    drawn_beside = True

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Any, y: Shape) -> list[int]:
        """The same channel, of an operator on single elements.

        Raises:
            UnsupportedError: any other operator.
        """
        return list(seen[0]) if self._pointwise and x == y else super().reads_channels(seen, x, y)


class Normalising(Operator):
    """A normalisation that is no layer of the language."""

    family = "norm"
    drawn_beside = True


class Pooling(Operator):
    """A reduction."""

    family = "pool"


class Multiplying(Operator):
    """A product of a tensor with parameters of its own, as of a linear layer."""

    family = "linear"


class Hidden(Multiplying):
    """A layer whose parameters are not known either."""


class Convolving(Operator):
    """A convolution of several maps, or one that is run several times."""

    family = "conv"


class Recurring(Operator):
    """A recurrent layer."""

    family = "recurrent"


class Merging(Operator):
    """An element-wise operator on several tensors."""

    family = "merge"
    merges = True

    def reads(self, field: Sequence[ReceptiveField], axis: int, x: Any, y: Shape) -> ReceptiveField:
        """The same position of every operand that is as large as the output."""
        super().reads(field, axis, x, y)
        return merged(field)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Any, y: Shape) -> list[int]:
        """The same channel of every operand, of an operator on single elements.

        Raises:
            UnsupportedError: any other operator, or an operand has other axes than the output.
        """
        if not self._pointwise or any(len(shape) != len(y) or shape[0] not in (1, y[0]) for shape, _ in x):
            return super().reads_channels(seen, x, y)
        return [union(own[channel if len(own) > 1 else 0] for own in seen) for channel in range(y[0])]


class Product(Merging):
    """A product of two tensors that are computed."""

    family = "product"


_BY_FAMILY: dict[str, type[Operator]] = {
    make.family: make
    for make in (Convolving, Multiplying, Recurring, Normalising, Activating, Pooling, Merging, Product)
}


def operator_of(layer: Layer) -> type[Operator]:
    """The class of operators that reports count with a layer; ``Operator`` itself for one that moves elements."""
    return operator_of_family(layer.family)


def operator_of_family(family: str) -> type[Operator]:
    """The class of operators of a family; ``Operator`` itself for one that moves elements, or that there is not."""
    return _BY_FAMILY.get(family, Operator)
