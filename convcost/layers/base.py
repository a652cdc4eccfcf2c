"""What a layer is: fields, a shape rule, a cost rule, and the words that document them.

A shape is a tuple ``(channels, *spatial)`` without a batch axis: ``(3, 224, 224)``, ``(3, 16, 112, 112)``
for video, ``(64, 100)`` for a signal, ``(1000,)`` after a flatten. Counts are per sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from convcost.algebra import Num, total
from convcost.errors import FieldError, did_you_mean
from convcost.layers.fields import Field

if TYPE_CHECKING:
    from collections.abc import Iterable

Shape: TypeAlias = tuple[Num, ...]
Operands: TypeAlias = tuple[tuple[Shape, Num], ...]  # (shape, how many identical tensors of it)

WORK_FIELDS: dict[str, str] = {
    "weights": "weights of convolutions and linear layers",
    "biases": "biases of convolutions and linear layers",
    "norm_params": "trainable scale and shift of normalisations",
    "other_params": "other trainable parameters: PReLU slopes, layer scales",
    "buffers": "stored but not trained: running mean and variance, fixed codes",
    "macs": "multiply-accumulates of convolutions and linear layers",
    "bias_adds": "additions of a bias",
    "multiplications": "other multiplications",
    "additions": "other additions and subtractions",
    "comparisons": "comparisons (max, clipping)",
    "divisions": "divisions and square roots",
    "exponentials": "exponentials and other transcendental functions",
    "read": "elements of the input tensors",
    "written": "elements of the output tensor",
}


class Work:
    """Exact counts of primitive operations and elements, per sample; see :data:`WORK_FIELDS`.

    Every metric and every tool's convention is a weighting of these.
    """

    weights: Num = 0
    biases: Num = 0
    norm_params: Num = 0
    other_params: Num = 0
    buffers: Num = 0
    macs: Num = 0
    bias_adds: Num = 0
    multiplications: Num = 0
    additions: Num = 0
    comparisons: Num = 0
    divisions: Num = 0
    exponentials: Num = 0
    read: Num = 0
    written: Num = 0

    def __init__(self, **counts: Num) -> None:
        if not counts.keys() <= WORK_FIELDS.keys():
            raise TypeError(f"no such count: {', '.join(counts.keys() - WORK_FIELDS.keys())}")
        self.__dict__.update(counts)

    @property
    def params(self) -> Num:
        """All trainable parameters."""
        return self.weights + self.biases + self.norm_params + self.other_params

    @property
    def flops(self) -> Num:
        """2 x MACs plus every other arithmetic operation."""
        return (
            2 * self.macs
            + self.bias_adds
            + self.multiplications
            + self.additions
            + self.comparisons
            + self.divisions
            + self.exponentials
        )

    def as_dict(self) -> dict[str, Num]:
        """The counts by name, in the order of :data:`WORK_FIELDS`."""
        return {name: getattr(self, name) for name in WORK_FIELDS}

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.as_dict().items() if repr(value) != "0")
        return f"Work({shown})"


def elements(shape: Shape) -> Num:
    """How many elements a tensor of this shape has."""
    count: Num = 1
    for size in shape:
        count = count * size
    return count


REGISTRY: dict[str, type[Layer]] = {}


class Layer:
    """Base of every layer: subclass it, name it, state its two rules, and every command knows it.

    A subclass gives ``key`` (its name in a spec), ``family``, fields as class attributes made with
    :func:`size`, :func:`axes`, ..., a docstring that ends in its source, and :meth:`shape` and :meth:`work`.
    A layer that takes several tensors sets ``merges = True`` and gets ``Operands`` in place of a shape.

    Attributes:
        formulas: the rule in the reader's notation, one line per quantity, for the reference.
        fields: the arguments by name; ``defaults`` and ``needs`` follow from them.
    """

    key: ClassVar[str] = ""
    family: ClassVar[str]
    merges: ClassVar[bool] = False
    formulas: ClassVar[dict[str, str]] = {}
    fields: ClassVar[dict[str, Field]] = {}
    defaults: ClassVar[dict[str, Any]] = {}
    needs: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        for name, field in own.items():
            field.name = name
        cls.fields = {**cls.fields, **own}
        cls.defaults = {name: field.default for name, field in cls.fields.items() if not field.required}
        cls.needs = tuple(name for name, field in cls.fields.items() if field.required)
        if cls.key:
            if cls.work is Layer.work or cls.shape is Layer.shape:
                raise TypeError(f"layer {cls.key} lacks a shape rule or a cost rule")
            REGISTRY[cls.key] = cls

    def __init__(self, **values: Any) -> None:
        own = self.__dict__
        own.update(self.defaults)
        for name, value in values.items():
            field = self.fields.get(name)
            if field is None:
                raise FieldError(name, f"{self.key} has no field `{name}`{did_you_mean(name, self.fields)}")
            own[name] = field.check(value)
        for name in self.needs:
            if name not in values:
                raise FieldError(name, f"{self.key} needs `{name}`: {self.fields[name].doc}")

    def kind_of(self, x: Shape, y: Shape) -> str:  # noqa: ARG002 - a convolution looks at both
        """What reports group by: the layer's own name unless it knows better."""
        return self.key

    def shape(self, x: Any) -> Shape:
        """The output shape for input ``x`` (a shape, or operands where the layer merges).

        Raises:
            ShapeError: the layer cannot take that input.
        """
        raise NotImplementedError

    def work(self, x: Any, y: Shape) -> Work:
        """The counts for input ``x`` and output ``y``, per sample."""
        raise NotImplementedError

    def __repr__(self) -> str:
        shown_fields = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self.fields)
        return f"{type(self).__name__}({shown_fields})"


def read_by(operands: Iterable[tuple[Shape, Num]]) -> Num:
    """Elements of all tensors that a merging layer reads."""
    return total(elements(shape) * times for shape, times in operands)
