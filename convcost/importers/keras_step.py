"""A call of a Keras layer on its way to rows: its settings, its tensors, and the layers that it becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from convcost.errors import ShapeError, not_among, shorten
from convcost.importers.evaluate import Call, held
from convcost.importers.onnx_file import Node
from convcost.importers.rules import OPERATORS, operator
from convcost.layers.window import show
from convcost.network.graph import Unknown
from convcost.numbers.arithmetic import Num, provably

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from convcost.importers.data import Data
    from convcost.importers.keras_file import Layer
    from convcost.layers.operator import Operator

    Rule: TypeAlias = "Callable[[Step], Data | list[Data]]"

DOMAIN = "keras"
LAST, FIRST = "channels_last", "channels_first"
_LARGEST = 2**63 - 1  # a size in a file of Keras is an integer of 64 bits
_VERSION = 21  # of the operators of ONNX whose rules are used
_LISTS = ("items", "value")  # keys of the ways in which lists are written
LAYERS = {
    "relu": "relu",
    "relu6": "relu6",
    "leaky_relu": "leaky_relu",
    "sigmoid": "sigmoid",
    "hard_sigmoid": "hard_sigmoid",
    "silu": "swish",
    "swish": "swish",
    "hard_silu": "hard_swish",
    "hard_swish": "hard_swish",
    "gelu": "gelu",
    "tanh": "tanh",
}
OTHERS = {
    "elu": "Elu",
    "selu": "Selu",
    "celu": "Celu",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "exponential": "Exp",
    "mish": "Mish",
    "hard_shrink": "Shrink",
    "soft_shrink": "Shrink",
    "threshold": "ThresholdedRelu",
}


class Slot(NamedTuple):
    """A tensor among the arguments of a call: which of its inputs it is."""

    place: int


class Step:
    """One call of a layer.

    Attributes:
        call: what the run handed over.
        layer: the layer of the file.
        config: its settings.
        parts: whether it becomes several rows, each with a name of its own after that of the layer.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self.run = call.run
        self.layer: Layer = call.node.attributes["layer"]
        self.config = self.layer.config
        self.args: list[Any] = call.node.attributes["args"]
        self.named: dict[str, Any] = call.node.attributes["named"]
        self.parts = False
        self._turned = False
        self._base = call.path

    # tensors

    @property
    def x(self) -> Data:
        """The first tensor.

        Raises:
            ShapeError: it has none, or one without an axis of samples.
        """
        x = self.call.input(0)
        if not x.sizes:
            raise ShapeError("expected a tensor with an axis of samples, found a number")
        return x

    def map(self, axes: int) -> Data:
        """The first tensor, which must have this many axes between those of samples and channels."""
        x = self.x
        if len(x.sizes) != axes + 2:
            raise ShapeError(f"expected samples, channels and {axes} more axes, found {show(x.sizes)}")
        return x

    @property
    def tensors(self) -> list[Data]:
        """The tensors that are its first argument."""
        first = self.args[0] if self.args else next(iter(self.named.values()), None)
        slots = first if isinstance(first, list) else self.args
        made = [self.call.input(slot.place) for slot in slots if isinstance(slot, Slot)]
        if not made:
            raise ShapeError("expected a list of tensors, found none")
        return made

    def tensor(self, place: int, name: str) -> Data | None:
        """The tensor that is the argument at a place, or of a name; None where there is none."""
        slot = self.args[place] if place < len(self.args) else self.named.get(name)
        return self.call.input(slot.place) if isinstance(slot, Slot) else None

    # settings

    def whole(self, key: str, default: int | None = None, least: int = 1) -> int:
        """A setting that is a whole number.

        Raises:
            ShapeError: it is none, or below ``least``.
        """
        return self._number(key, self.config.get(key, default), least)

    def _number(self, key: str, value: Any, least: int) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not least <= value <= _LARGEST:
            raise ShapeError(f"`{key}`: expected a whole number of at least {least}, found {shown(value)}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """A setting that is true or false.

        Raises:
            ShapeError: it is something else.
        """
        value = self.config.get(key, default)
        if value is None:
            return default
        if type(value) is not bool:
            raise ShapeError(f"`{key}`: expected true or false, found {shown(value)}")
        return value

    def word(self, key: str, default: str, choices: Sequence[str]) -> str:
        """A setting that is one of some words.

        Raises:
            ShapeError: it is something else.
        """
        value = self.config.get(key, default)
        value = value.lower() if isinstance(value, str) else default if value is None else value
        if value not in choices:
            raise ShapeError(not_among(key, value, choices, shown(value)))
        return str(value)

    def sizes(self, key: str, count: int, default: int | None = None, least: int = 1) -> tuple[int, ...]:
        """A setting that is a size for each of ``count`` axes.

        Raises:
            ShapeError: it is something else.
        """
        value = listed(self.config.get(key, default))
        made = value if isinstance(value, list) else [value] * count
        made = made * count if len(made) == 1 else made
        if len(made) != count:
            raise ShapeError(f"`{key}`: expected a size for each of {count} axes, found {shown(value)}")
        return tuple(self._number(key, item, least) for item in made)

    def axes(self, key: str, rank: int, default: Any = -1) -> list[int]:
        """A setting that is an axis or a list of axes, counted from the start.

        Raises:
            ShapeError: there is no such axis.
        """
        value = listed(self.config.get(key, default))
        return [axis_at(key, item, rank) for item in (value if isinstance(value, list) else [value])]

    def axis(self, axis: int, x: Data) -> int:
        """An axis of a tensor as layers count it: without that of the samples, the channels first.

        Raises:
            ShapeError: it is the axis of the samples.
        """
        rank = len(x.sizes)
        if axis == 0:
            raise ShapeError("expected another axis than that of the samples")
        if self.run.channels_last and rank > 2:  # noqa: PLR2004 - samples, channels
            return 0 if axis == rank - 1 else axis
        return axis - 1

    def channels(self, rank: int) -> int:
        """The axis of the channels that ``data_format`` says, or else that of the whole model."""
        default = LAST if self.run.channels_last else FIRST
        return rank - 1 if self.word("data_format", default, (LAST, FIRST)) == LAST else 1

    # results

    def turned(self, x: Data, axis: int) -> Data:
        """A tensor with an axis where this run has the channels."""
        return self._moved(x, axis, self._place(len(x.sizes)))

    def back(self, made: Data, axis: int) -> Data:
        """A tensor with its channels moved to an axis."""
        return self._moved(made, self._place(len(made.sizes)), axis)

    def _moved(self, x: Data, source: int, target: int) -> Data:
        if source == target:
            return x
        self._turned = True
        order = [axis for axis in range(len(x.sizes)) if axis != source]
        order.insert(target, source)
        return self.via("Transpose", [x], "permute", perm=order)[0]

    def _place(self, rank: int) -> int:
        return rank - 1 if self.run.channels_last else 1

    def enter(self, part: str) -> None:
        """Name the next row."""
        self.call.path = f"{self._base}/{part}" if part and (self.parts or self._turned) else self._base

    def add(
        self,
        key: str,
        fields: Mapping[str, Any],
        x: Data,
        part: str = "",
        *,
        also: Sequence[Data] = (),
        own: bool = True,
    ) -> Data:
        """Append a layer of the language.

        Args:
            key: its name.
            fields: its fields.
            x: what it reads.
            part: its name, where there are several rows.
            also: further operands, of a merge.
            own: whether it may have parameters.
        """
        self.enter(part or key)
        return self.call.layer(key, fields, x, also=also, ident=f"{self.call.node.name}/{part}" if own else "")

    def stated(
        self,
        make: type[Operator],
        kind: str,
        shape: tuple[Num, ...],
        counts: Mapping[str, Num],
        reads: Sequence[Data],
        part: str = "",
        **facts: Any,
    ) -> Data:
        """Append a layer with counts of its own; see :meth:`convcost.importers.evaluate.Call.stated`."""
        self.enter(part or kind)
        params = held(f"{self.call.node.name}/{part}", counts)
        return self.call.stated(make, kind, shape, counts, reads, params, **facts)

    def via(
        self, op: str, inputs: Sequence[Data | None], part: str = "", outs: int = 1, **attributes: Any
    ) -> list[Data]:
        """Append what an operator of ONNX becomes, and return its outputs.

        Args:
            op: its name.
            inputs: its tensors; None for those left out.
            part: the name of the row, where there are several.
            outs: the number of its outputs.
            **attributes: of the operator.
        """
        node = Node()
        node.op, node.name, node.attributes = op, self.call.node.name, attributes
        node.outputs = [f"{self.call.node.outputs[0]}/{part}/{place}" for place in range(outs)]
        self.enter(part)
        call = Call(self.run, node, list(inputs), self.call.scope, _VERSION)
        call.path, call.block, call.depth = self.call.path, self.call.block, self.call.depth
        return OPERATORS[op].rule(call)

    def light(self, name: str, reason: str) -> None:
        """Note something without multiply-accumulates that is not counted."""
        self.run.unknown.append(Unknown(self._base, name, reason, heavy=False))

    # activations

    @property
    def activation(self) -> str:
        """The name of the activation that the layer applies to its result; empty without one."""
        return activation_name(self.config.get("activation"))

    def activated(self, x: Data, name: str, part: str = "") -> Data:
        """Append an activation by its name."""
        if not name:
            return x
        part = part or name
        if name in LAYERS:
            return self.add(LAYERS[name], {}, x, part)
        if name in ("softmax", "log_softmax"):
            return self.add(name, {"axis": self.axis(len(x.sizes) - 1, x)}, x, part)
        if name in OTHERS:
            return self.via(OTHERS[name], [x], part)[0]
        self.light(name[:60], "no rule for this activation")
        return x


def rule(*names: str, heavy: bool = False, holds: bool = False) -> Callable[[Rule], Rule]:
    """Register a rule for layers of Keras.

    Args:
        *names: of their classes.
        heavy: whether they do multiply-accumulates.
        holds: whether they may have parameters.
    """

    def registered(made: Rule) -> Rule:
        def run(call: Call) -> list[Data]:
            result = made(Step(call))
            return result if isinstance(result, list) else [result]

        operator(*(f"{DOMAIN}:{name}" for name in names), heavy=heavy or holds, weights=(1,) if holds else ())(run)
        return made

    return registered


def activation_name(value: Any) -> str:
    """The name of an activation, however a file writes it; empty for the one that does nothing."""
    if isinstance(value, dict):
        inner = value.get("config")
        value = inner if isinstance(inner, str) else value.get("registered_name") or value.get("class_name")
    if value is None or value == "linear":
        return ""
    name = str(value).rpartition(">")[2].rpartition(".")[2]
    return _snake(name) if not name.islower() else name


def _snake(name: str) -> str:
    """``LeakyReLU`` as ``leaky_relu``."""
    known = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "Softmax": "softmax", "PReLU": "prelu"}
    return known.get(name, name)


def listed(value: Any) -> Any:
    """A list, however a file writes it; anything else as it is."""
    for key in _LISTS:
        if isinstance(value, dict) and isinstance(value.get(key), list):
            value = value[key]
    return value


def axis_at(key: str, value: Any, rank: int) -> int:
    """An axis counted from the start.

    Raises:
        ShapeError: there is no such axis.
    """
    if type(value) is not int or not -rank <= value < rank:
        raise ShapeError(f"`{key}`: expected an axis of a tensor with {rank}, found {shown(value)}")
    return int(value) % rank


def shown(value: Any) -> str:
    """A setting as an error repeats it."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if any(isinstance(item, dict | list) for item in value) else shorten(str(value[:20]))
    return "nothing" if value is None else shorten(str(value)[:200])


def same_sizes(a: Sequence[Num], b: Sequence[Num]) -> bool:
    """Whether two shapes are equal."""
    return len(a) == len(b) and all(provably(x, y) for x, y in zip(a, b, strict=True))
