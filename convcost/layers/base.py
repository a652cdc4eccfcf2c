"""The base class of layers: fields, shape and cost rules, statements for the metrics; and the registry.

A shape is a tuple ``(channels, *spatial)`` without a batch axis: ``(3, 224, 224)``, ``(3, 16, 112, 112)``
for video, ``(64, 100)`` for a signal, ``(1000,)`` after a flatten. Counts are per sample.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, get_args

from convcost.errors import FieldError, unknown
from convcost.layers.fields import Field
from convcost.numbers.arithmetic import Num, is_array, prod, total
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.layers.reach import ReceptiveField

Shape: TypeAlias = tuple[Num, ...]
Operands: TypeAlias = tuple[tuple[Shape, Num], ...]  # (shape, how many identical tensors of it)

AXES = {1: ("c",), 2: ("c", "w"), 3: ("c", "h", "w"), 4: ("c", "d", "h", "w")}  # their letters, by how many there are

WORK_FIELDS: dict[str, str] = {
    "weights": "weights of convolutions and linear layers",
    "biases": "biases of convolutions and linear layers",
    "norm_params": "trainable scale and shift of normalisations",
    "other_params": "other trainable parameters: PReLU slopes, layer scales",
    "buffers": "stored but not trained: running mean and variance, fixed codes",
    "macs": "multiply-accumulates of convolutions, linear layers and products of activations",
    "bias_adds": "additions of a bias",
    "multiplications": "other multiplications",
    "additions": "other additions and subtractions",
    "comparisons": "comparisons (max, clipping)",
    "divisions": "divisions and square roots",
    "exponentials": "exponentials and other transcendental functions",
    "read": "elements of the input tensors",
    "written": "elements of the output tensor",
    "inside": "elements of tensors inside a layer, written and read again: scores of attention, gates",
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
    inside: Num = 0

    def __init__(self, **counts: Num) -> None:
        if not counts.keys() <= WORK_FIELDS.keys():
            wrong = next(name for name in counts if name not in WORK_FIELDS)
            raise TypeError(unknown("count", wrong, WORK_FIELDS))
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
        if type(size) is not int:
            return prod(shape) if any(map(is_array, shape)) else _product(shape)
        count *= size
    return count


_product = lru_cache(maxsize=4096)(prod)  # of symbols: each shape is asked for by several layers


def union(sets: Iterable[int]) -> int:
    """All bits of several sets of bits."""
    result = 0
    for bits in sets:
        result |= bits
    return result


class Family(NamedTuple):
    """A group of layers.

    Attributes:
        title: its name for people.
        cause: under which word a convention's difference from plain MACs is listed for its layers.
    """

    title: str
    cause: str


OTHER = "other"  # the cause of what belongs to no other
FAMILIES: dict[str, Family] = {
    "conv": Family("convolutions", OTHER),
    "linear": Family("linear layers", OTHER),
    "norm": Family("normalisations", "norm"),
    "activation": Family("activations", "activation"),
    "pool": Family("pooling layers", "pooling"),
    "recurrent": Family("recurrent layers", OTHER),
    "product": Family("products of activations", OTHER),
    "merge": Family("element-wise additions and products, concatenations", "merge"),
    "shape": Family("layers that move elements", OTHER),
    "stated": Family("layers whose cost a spec states", OTHER),
}


class Saved(NamedTuple):
    """What a layer keeps from the forward pass for the backward pass, per sample.

    Attributes:
        input: whether the tensors it reads are kept.
        output: whether the tensor it makes is kept.
        inside: elements of tensors that are neither, such as predicted offsets.
        indices: integers, such as the places of maxima.
    """

    input: bool = False
    output: bool = False
    inside: Num = 0
    indices: Num = 0


class Backward(NamedTuple):
    """The work of the backward pass, per sample, in two parts.

    Attributes:
        input: for the gradient of the input; the first layer of a network does without.
        params: for the gradients of the layer's parameters.
    """

    input: Work
    params: Work


Fusing: TypeAlias = Literal["head", "folds", "follows", "alone"]
"""How an inference engine joins a layer to its neighbours.

* ``head``: a convolution or linear layer; what follows it can run on its output before that is written.
* ``folds``: a factor and an offset per channel, known before the input is, that go into the weights before them.
* ``follows``: every element on its own, so that it can run on the output of a head before that is written.
* ``alone``: it reads memory and writes memory.
"""

REGISTRY: dict[str, type[Layer]] = {}
STATEMENTS: dict[str, str] = {
    "family": f"one of {', '.join(FAMILIES)}",
    "kinds": "the finer kinds that `kind_of` gives; () where reports know it by its key alone",
    "shape": "the output shape",
    "work": "the counts of the forward pass",
    "reads": "which positions an output position reads along an axis: its receptive field",
    "reads_channels": "which channels of the input each channel of the output reads",
    "reads_whole_map": "whether every position depends on the whole map as well, through statistics or offsets",
    "saves": "what is kept for the backward pass",
    "backward": "the counts of the backward pass",
    "fusing": "head, folds, follows or alone",
    "is_view": "whether it only looks at the same elements, so that it moves no data",
}
_VALID: dict[str, tuple[Any, ...]] = {  # of statements that are one of a few words
    "family": tuple(FAMILIES),
    "fusing": get_args(Fusing),
    "is_view": (True, False),
    "reads_whole_map": (True, False),
}


class Layer:
    """Base of every layer: subclass it, name it, state what :data:`STATEMENTS` lists, and every command knows it.

    A subclass gives ``key`` (its name in a spec), fields as class attributes made with :func:`size`, :func:`axes`,
    ..., a docstring that ends in its source, and every statement. Nothing has a default here, since a default would be
    silently wrong for some layer; a class between, such as that of element-wise layers, may state what its family
    shares. A class with a key that lacks a statement is refused.

    A layer that takes several tensors sets ``merges = True`` and gets ``Operands`` in place of a shape; ``operands``
    says how many they must be, in a fixed order.

    Attributes:
        also: what other tools call it, beside other spellings of its key; for the hint of an error.
        special: what other tools call a case of it, with the arguments that make it that case.
        stated: whether a spec states its cost, which every output then says.
        drawn: what drawings call it, where its key in words or the name of its class will not do.
        drawn_beside: whether drawings put it into the box of the layer before it, by the name of its class.
        formulas: the rule in the reader's notation, one line per quantity, for the reference.
        fields: the arguments by name; ``defaults`` and ``needs`` follow from them.
        family, kinds, reads_whole_map, fusing, is_view: see :data:`STATEMENTS`.
    """

    key: ClassVar[str] = ""
    family: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    special: ClassVar[dict[str, str]] = {}
    kinds: ClassVar[tuple[str, ...]]
    merges: ClassVar[bool] = False
    operands: ClassVar[int | None] = None
    stated: ClassVar[bool] = False
    drawn: ClassVar[str] = ""
    drawn_beside: ClassVar[bool] = False
    reads_whole_map: ClassVar[bool]
    fusing: Fusing
    is_view: bool
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
            cls._check_statements()
            REGISTRY[cls.key] = cls

    @classmethod
    def _check_statements(cls) -> None:
        """Refuse a class that leaves a statement open.

        Raises:
            TypeError: it does, or it takes over the key or the kinds of another layer.
        """
        same = REGISTRY.get(cls.key, cls)
        if (same.__module__, same.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"there is a layer {cls.key} already: {same.__module__}.{same.__qualname__}")
        missing = [name for name in STATEMENTS if getattr(cls, name, ...) is getattr(Layer, name, ...)]
        if missing:
            listed = "".join(f"\n  {name}: {STATEMENTS[name]}" for name in missing)
            raise TypeError(f"layer {cls.key} does not state{listed}")
        for name, valid in _VALID.items():
            value = getattr(cls, name)
            if not hasattr(value, "__get__") and value not in valid:  # a property answers for each layer
                raise TypeError(f"layer {cls.key}: `{name}` is one of {', '.join(map(str, valid))}; found {value!r}")
        if not isinstance(cls.kinds, tuple):
            raise TypeError(f"layer {cls.key}: `kinds` is a tuple of names; found {cls.kinds!r}")
        owner = next(base for base in cls.__mro__ if "kinds" in vars(base))
        if issubclass(owner, Layer) and owner.key not in ("", cls.key) and cls.kinds:
            raise TypeError(
                f"layer {cls.key} would report itself under the kinds of {owner.key}; "
                "state its own `kinds` and `kind_of`"
            )

    def __init__(self, **values: Any) -> None:
        own = self.__dict__
        own.update(self.defaults)
        for name, value in values.items():
            field = self.fields.get(name)
            if field is None:
                from convcost.layers.words import field_hint  # noqa: PLC0415 - only an error pays for it

                raise FieldError(
                    name, unknown("field", name, self.fields, of=self.key, hint=field_hint(name, self.fields))
                )
            own[name] = field.check(value)
        for name in self.needs:
            if name not in values:
                raise FieldError(name, f"{self.key} needs `{name}`: {self.fields[name].doc}")

    def kind_of(self, x: Shape, y: Shape) -> str:  # noqa: ARG002 - a convolution looks at both
        """What reports group by: the layer's own name unless it knows better."""
        return self.key

    def drawn_as(self, kind: str) -> str:
        """What drawings call it: its kind in words unless it knows better."""
        return (kind or self.key).replace("_", " ")

    def shape(self, x: Any) -> Shape:
        """The output shape for input ``x`` (a shape, or operands where the layer merges).

        Raises:
            ShapeError: the layer cannot take that input.
        """
        raise NotImplementedError

    def work(self, x: Any, y: Shape) -> Work:
        """The counts for input ``x`` and output ``y``, per sample."""
        raise NotImplementedError

    def reads(self, field: Any, axis: int, x: Any, y: Shape) -> ReceptiveField:
        """What the output's positions depend on along a spatial axis.

        Args:
            field: what the positions of ``x`` depend on; where the layer merges, a list with that of every operand
                whose map is as large as the output's, and of every operand where there is a fixed number of them.
            axis: the spatial axis, from 0.
            x: the input: a map, or operands where the layer merges; numbers.
            y: the output.

        Raises:
            UnsupportedError: the receptive field is undefined after the layer.
        """
        raise NotImplementedError

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Any, y: Shape) -> list[int]:
        """What each channel of the output depends on, where each channel of the input depends on ``seen``.

        Args:
            seen: of every operand, a set of bits for each channel. An operand that is given twice has one entry.
            x: the input.
            y: the output.

        Raises:
            UnsupportedError: it is not known.
        """
        raise NotImplementedError

    def saves(self, x: Any, y: Shape) -> Saved:
        """What is kept from the forward pass for the backward pass, per sample."""
        raise NotImplementedError

    def backward(self, x: Any, y: Shape) -> Backward:
        """The counts of the backward pass for input ``x`` and output ``y``, per sample."""
        raise NotImplementedError

    @property
    def is_convolution(self) -> bool:
        """Whether it is a convolution of any kind."""
        return self.family == "conv"

    @property
    def is_linear(self) -> bool:
        """Whether it is a linear layer."""
        return self.family == "linear"

    @property
    def is_weighted(self) -> bool:
        """Whether it is a convolution or a linear layer."""
        return self.family in ("conv", "linear")

    @property
    def is_norm(self) -> bool:
        """Whether it is a normalisation, or a trained factor per channel."""
        return self.family == "norm"

    @property
    def is_pool(self) -> bool:
        """Whether it is a pooling layer."""
        return self.family == "pool"

    @property
    def is_merge(self) -> bool:
        """Whether it joins several tensors."""
        return self.family == "merge"

    def interpolated(self, y: Shape) -> Num:  # noqa: ARG002 - a resizing layer looks at it
        """Elements that are weighted means of their neighbours in a resized map; 0 for a layer that does not resize."""
        return 0

    def is_pointwise(self, x: Shape, y: Shape) -> bool:
        """Whether it is a 1x1 convolution for this input, grouped or not."""
        return self.kind_of(x, y) in ("pointwise", "pointwise-grouped")

    def __repr__(self) -> str:
        shown_fields = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self.fields)
        return f"{type(self).__name__}({shown_fields})"


def read_by(operands: Iterable[tuple[Shape, Num]]) -> Num:
    """Elements of all tensors that a merging layer reads."""
    return total(elements(shape) * times for shape, times in operands)
