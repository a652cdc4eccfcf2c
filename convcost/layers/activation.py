"""Activations: the cost of one element, times the number of elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from convcost.errors import FieldError
from convcost.layers.base import Backward, Fusing, Layer, Saved, Shape, Work, elements, union
from convcost.layers.fields import axis, flag, number, size, word
from convcost.layers.reach import everything
from convcost.layers.window import axis_of, without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.layers.reach import ReceptiveField
    from convcost.numbers.arithmetic import Num


class _Activation(Layer):
    """What activations share: the shape stays, and a position of the output reads the same one of the input."""

    family = "activation"
    reads_whole_map = False
    drawn_beside = True

    def shape(self, x: Shape) -> Shape:
        """As it came."""
        return x

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position."""
        return field


class _Elementwise(_Activation):
    """An activation that treats every element alike.

    A class states ``each`` (what one element costs), ``each_backward`` (what the gradient of one element costs, the
    product with the gradient that arrives included) and ``derivative`` (what the gradient is computed from, and so
    kept: the ``input`` or the ``output``).

    Source of what is kept: the derivatives that PyTorch declares (tools/autograd/derivatives.yaml).
    """

    kinds = ()
    fusing = "follows"
    is_view = False
    each: ClassVar[dict[str, int]]
    each_backward: ClassVar[dict[str, int]]
    derivative: ClassVar[Literal["input", "output"]]

    def __init_subclass__(cls) -> None:
        missing = [name for name in ("each", "each_backward", "derivative") if not hasattr(cls, name)]
        if missing:
            raise TypeError(f"layer {cls.key} does not state {', '.join(missing)}")
        for costs in (cls.each, cls.each_backward):
            Work(**costs)  # a word that is no count is refused here, where the class is made
        if cls.derivative not in ("input", "output"):
            raise TypeError(f"layer {cls.key}: `derivative` is one of input, output; found {cls.derivative!r}")
        super().__init_subclass__()

    def work(self, x: Shape, y: Shape) -> Work:
        """The cost of one element, times the elements."""
        count = elements(x)
        costs = {name: times * count for name, times in self.each.items()}
        return Work(read=count, written=elements(y), **costs)

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - one of them, whatever its size
        """What the derivative is computed from."""
        return Saved(input=self.derivative == "input", output=self.derivative == "output")

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """The cost of the gradient of one element, times the elements."""
        count = elements(x)
        return Backward(Work(**{name: times * count for name, times in self.each_backward.items()}), Work())


class ReLU(_Elementwise):
    """``max(x, 0)``.

    Source: Nair and Hinton (2010).

    >>> ReLU().work((64, 8, 8), (64, 8, 8)).comparisons
    4096
    """

    key = "relu"
    also = ("Rectifier",)
    each = {"comparisons": 1}
    each_backward = {"comparisons": 1}
    derivative = "output"
    formulas = {"comparisons": "C * H * W"}


class ReLU6(_Elementwise):
    """``min(max(x, 0), 6)``.

    Source: Sandler et al., "MobileNetV2" (2018), section 5.

    >>> ReLU6().work((64, 8, 8), (64, 8, 8)).comparisons
    8192
    """

    key = "relu6"
    also = ("Clip",)
    each = {"comparisons": 2}
    each_backward = {"comparisons": 2}
    derivative = "input"
    formulas = {"comparisons": "2 C * H * W"}


class LeakyReLU(_Elementwise):
    """``x`` or ``slope * x``, by sign; the multiplication is counted for every element.

    Source: Maas et al. (2013).

    >>> LeakyReLU().work((64, 8, 8), (64, 8, 8)).multiplications
    4096
    """

    key = "leaky_relu"
    also = ("LReLU", "leaky")
    each = {"comparisons": 1, "multiplications": 1}
    each_backward = {"comparisons": 1, "multiplications": 1}
    derivative = "input"
    formulas = {"comparisons": "C * H * W", "multiplications": "C * H * W"}

    slope = number(0, "factor of negative elements; does not change the cost")


class PReLU(_Elementwise):
    """``x`` or ``a x``, by sign, with a trained slope per channel; counted for every element.

    Source: He et al., "Delving Deep into Rectifiers" (2015), equation 1; a slope per element: ``keras.layers.PReLU``
    without ``shared_axes``.

    >>> PReLU().work((64, 8, 8), (64, 8, 8)).params
    64
    """

    key = "prelu"
    also = ("ParametricReLU",)
    each = {"comparisons": 1, "multiplications": 1}
    each_backward = {"comparisons": 1, "multiplications": 1}
    derivative = "input"
    formulas = {
        "other_params": "C; shared: 1; per_element: C * H * W",
        "comparisons": "C * H * W",
        "multiplications": "C * H * W",
    }

    shared = flag(False, "one slope for all channels")
    per_element = flag(False, "a slope for every element, as Keras has without shared axes")

    def shape(self, x: Shape) -> Shape:
        """As it came.

        Raises:
            FieldError: there is one slope and one for every element at once.
        """
        if self.shared and self.per_element:
            raise FieldError("per_element", "prelu: `shared` and `per_element` exclude each other")
        return x

    def work(self, x: Shape, y: Shape) -> Work:
        """As a leaky ReLU, and the slopes."""
        work = super().work(x, y)
        work.other_params = 1 if self.shared else elements(x) if self.per_element else x[0]
        return work

    def backward(self, x: Shape, y: Shape) -> Backward:
        """As a leaky ReLU; the gradients of the slopes are sums of gradient times input."""
        count = elements(x)
        return Backward(super().backward(x, y).input, Work(multiplications=count, additions=count))


class Sigmoid(_Elementwise):
    """``1 / (1 + exp(-x))``; the sign is free.

    Source: its formula.

    >>> Sigmoid().work((64, 1, 1), (64, 1, 1)).flops
    192
    """

    key = "sigmoid"
    also = ("logistic",)
    each = {"exponentials": 1, "additions": 1, "divisions": 1}
    each_backward = {"additions": 1, "multiplications": 2}
    derivative = "output"
    formulas = {"exponentials": "C * H * W", "additions": "C * H * W", "divisions": "C * H * W"}


class HardSigmoid(_Elementwise):
    """``relu6(x + 3) / 6``, the division by a constant as a multiplication.

    Source: Howard et al., "Searching for MobileNetV3" (2019), section 5.2.

    >>> HardSigmoid().work((64, 1, 1), (64, 1, 1)).flops
    256
    """

    key = "hard_sigmoid"
    also = ("HSigmoid",)
    each = {"additions": 1, "comparisons": 2, "multiplications": 1}
    each_backward = {"comparisons": 2, "multiplications": 1}
    derivative = "input"
    formulas = {"additions": "C * H * W", "comparisons": "2 C * H * W", "multiplications": "C * H * W"}


class Swish(_Elementwise):
    """``x * sigmoid(x)``, also called SiLU.

    Source: Ramachandran et al. (2017).

    >>> Swish().work((64, 1, 1), (64, 1, 1)).flops
    256
    """

    key = "swish"
    also = ("SiLU",)
    each = {"exponentials": 1, "additions": 1, "divisions": 1, "multiplications": 1}
    each_backward = {"exponentials": 1, "additions": 3, "divisions": 1, "multiplications": 3}
    derivative = "input"
    formulas = {"one element": "a sigmoid and a multiplication"}


class HardSwish(_Elementwise):
    """``x * hard_sigmoid(x)``.

    Source: Howard et al., "Searching for MobileNetV3" (2019), section 5.2.

    >>> HardSwish().work((64, 1, 1), (64, 1, 1)).flops
    320
    """

    key = "hard_swish"
    also = ("HSwish", "HardSiLU")
    each = {"additions": 1, "comparisons": 2, "multiplications": 2}
    each_backward = {"comparisons": 2, "additions": 1, "multiplications": 2}
    derivative = "input"
    formulas = {"one element": "a hard sigmoid and a multiplication"}


class GELU(_Elementwise):
    """``x / 2 * (1 + erf(x / sqrt 2))``, with erf as one transcendental function.

    Source: Hendrycks and Gimpel (2016), section 2.

    >>> GELU().work((64, 1, 1), (64, 1, 1)).flops
    320
    """

    key = "gelu"
    also = ("QuickGELU", "FastGELU")
    each = {"exponentials": 1, "additions": 1, "multiplications": 3}
    each_backward = {"exponentials": 2, "additions": 2, "multiplications": 6}
    derivative = "input"
    formulas = {"exponentials": "C * H * W (erf)", "additions": "C * H * W", "multiplications": "3 C * H * W"}


class Tanh(_Elementwise):
    """Hyperbolic tangent, as one transcendental function.

    Source: its formula.

    >>> Tanh().work((6, 28, 28), (6, 28, 28)).exponentials
    4704
    """

    key = "tanh"
    each = {"exponentials": 1}
    each_backward = {"additions": 1, "multiplications": 2}
    derivative = "output"
    formulas = {"exponentials": "C * H * W"}


class Elementwise(_Activation):
    """A function of single elements that has no name here, with the operations that one element takes.

    ``params`` are trained numbers of it, as many as there are in all: a factor for every feature, a table that is
    added. The backward pass is taken to need as many operations for an element, and a product and a sum for the
    gradients of the parameters.

    Source: what the spec says.

    >>> error_function = Elementwise(exponentials=1)
    >>> error_function.work((64, 8, 8), (64, 8, 8)).exponentials
    4096
    """

    key = "elementwise"
    kinds = ()
    fusing = "follows"
    is_view = False
    formulas = {
        "other_params": "params",
        "each count": "as many per element as the field of its name says, times C * H * W",
    }

    multiplications = size(0, "multiplications per element", minimum=0)
    additions = size(0, "additions and subtractions per element", minimum=0)
    comparisons = size(0, "comparisons per element", minimum=0)
    divisions = size(0, "divisions and square roots per element", minimum=0)
    exponentials = size(0, "exponentials and other transcendental functions per element", minimum=0)
    params = size(0, "trained parameters, in all", minimum=0)

    def _operations(self, x: Shape) -> dict[str, Num]:
        count = elements(x)
        return {name: getattr(self, name) * count for name in self.fields if name != "params"}

    def work(self, x: Shape, y: Shape) -> Work:
        """The operations of one element, times the elements."""
        return Work(other_params=self.params, read=elements(x), written=elements(y), **self._operations(x))

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - the input, whatever it is
        """Its input, unless it only adds numbers, through which the gradient passes."""
        factors = [getattr(self, name) for name in _FACTORS]
        return Saved(input=not all(type(count) is int and count == 0 for count in factors))

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """As many operations per element; a product and a sum per element for the gradients of the parameters."""
        count = elements(x)
        own = Work() if type(self.params) is int and not self.params else Work(multiplications=count, additions=count)
        return Backward(Work(**self._operations(x)), own)


_FACTORS = ("multiplications", "comparisons", "divisions", "exponentials")  # what a derivative depends on the input for


class _Softmax(_Activation):
    """What softmax and its logarithm share: the axis, and that the derivative is made of the output."""

    kinds = ()
    fusing = "alone"
    is_view = False

    axis = axis("c", "the axis along which the outputs add up to 1")

    def shape(self, x: Shape) -> Shape:
        """As it came.

        Raises:
            FieldError: there is no such axis.
        """
        axis_of(self.axis, x)
        return x

    def _sets(self, x: Shape) -> Num:
        """How many sets of elements there are, each with a sum of its own."""
        return elements(without(x, (axis_of(self.axis, x),)))

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:
        """All channels, where they add up to 1; else the same channel."""
        return list(seen[0]) if axis_of(self.axis, x) else [union(seen[0])] * y[0]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position, and all positions along the axis."""
        return everything(field, x[1 + axis]) if axis_of(self.axis, x) == 1 + axis else field

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - the output, whatever its size
        """Its output, which the derivative is made of."""
        return Saved(output=True)


class Softmax(_Softmax):
    """Softmax along an axis, with the maximum subtracted first.

    Source: its formula, in the form that does not overflow.

    >>> Softmax().work((1000,), (1000,)).exponentials
    1000
    >>> scores = Softmax(axis="w")
    >>> scores.work((12, 197, 197), (12, 197, 197)).comparisons == 12 * 197 * 196
    True
    """

    key = "softmax"
    formulas = {
        "comparisons": "(C - 1) * H * W; along another axis with its size for C, and so on",
        "additions": "(2 C - 1) * H * W",
        "exponentials": "C * H * W",
        "divisions": "C * H * W",
    }

    def work(self, x: Shape, y: Shape) -> Work:
        """Maximum, differences, exponentials, sum, quotients."""
        count, sets = elements(x), self._sets(x)
        return Work(
            comparisons=count - sets,
            additions=2 * count - sets,
            exponentials=count,
            divisions=count,
            read=count,
            written=elements(y),
        )

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """``y (g - sum(g y))`` per set: two products an element, a sum and a difference."""
        count, sets = elements(x), self._sets(x)
        return Backward(Work(multiplications=2 * count, additions=2 * count - sets), Work())


class LogSoftmax(_Softmax):
    """Logarithm of the softmax along an axis: the input minus the logarithm of the sum of exponentials.

    Source: its formula, in the form that does not overflow.

    >>> LogSoftmax().work((1000,), (1000,)).exponentials
    1001
    """

    key = "log_softmax"
    formulas = {
        "comparisons": "(C - 1) * H * W; along another axis with its size for C, and so on",
        "additions": "(3 C - 1) * H * W",
        "exponentials": "(C + 1) * H * W (logarithms included)",
    }

    def work(self, x: Shape, y: Shape) -> Work:
        """Maximum, differences, exponentials, sum, logarithm, differences."""
        count, sets = elements(x), self._sets(x)
        return Work(
            comparisons=count - sets,
            additions=3 * count - sets,
            exponentials=count + sets,
            read=count,
            written=elements(y),
        )

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """``g - exp(y) sum(g)`` per set: an exponential and a product an element, a sum and a difference."""
        count, sets = elements(x), self._sets(x)
        return Backward(Work(exponentials=count, multiplications=count, additions=2 * count - sets), Work())


class Dropout(Layer):
    """Dropout: nothing at inference, the shape unchanged.

    Source: Srivastava et al. (2014), section 4: weights are scaled once, not elements each time.

    >>> Dropout(rate=0).work((4096,), (4096,)).flops
    0
    """

    key = "dropout"
    family = "shape"
    also = ("SpatialDropout", "AlphaDropout", "FeatureAlphaDropout", "GaussianDropout", "DropPath", "StochasticDepth")
    kinds = ()
    reads_whole_map = False
    fusing = "alone"
    is_view = True
    formulas = {}

    rate = number(0, "share of elements dropped in training; does not change the cost")

    def shape(self, x: Shape) -> Shape:
        """As it came."""
        return x

    def work(self, x: Shape, y: Shape) -> Work:  # noqa: ARG002 - nothing happens
        """Nothing."""
        return Work()

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position."""
        return field

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - nothing happens
        """Nothing; the mask of training is not counted."""
        return Saved()

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - nothing happens
        """Nothing; the mask of training is not counted."""
        return Backward(Work(), Work())


ACTIVATIONS: dict[str, type[Layer]] = {
    layer.key: layer
    for layer in (ReLU, ReLU6, LeakyReLU, PReLU, Sigmoid, HardSigmoid, Swish, HardSwish, GELU, Tanh, Softmax)
}


class Activation(_Activation):
    """An activation chosen by name, so that a block can take it as a parameter; ``none`` passes on what comes.

    Source: that of the activation it names.

    >>> Activation(kind="relu6").kind_of((8, 2, 2), (8, 2, 2))
    'relu6'
    """

    key = "activation"
    also = ("act", "nonlinearity")
    kinds = (*ACTIVATIONS, "identity")
    fusing: Fusing = "alone"  # both are those of the activation it names
    is_view = False
    formulas = {"all": "as the activation it names"}

    kind = word("relu", (*ACTIVATIONS, "none"), "which one")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._named = None if self.kind == "none" else ACTIVATIONS[self.kind]()
        self.fusing = "alone" if self._named is None else self._named.fusing
        self.is_view = self._named is None

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:
        """As the activation it names."""
        return list(seen[0]) if self._named is None else self._named.reads_channels(seen, x, y)

    def work(self, x: Shape, y: Shape) -> Work:
        """As the activation it names."""
        return Work() if self._named is None else self._named.work(x, y)

    def saves(self, x: Shape, y: Shape) -> Saved:
        """As the activation it names."""
        return Saved() if self._named is None else self._named.saves(x, y)

    def backward(self, x: Shape, y: Shape) -> Backward:
        """As the activation it names."""
        return Backward(Work(), Work()) if self._named is None else self._named.backward(x, y)

    def kind_of(self, x: Shape, y: Shape) -> str:  # noqa: ARG002 - the name says it
        """The activation's name."""
        return "identity" if self.kind == "none" else str(self.kind)
