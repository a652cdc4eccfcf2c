"""A model of Keras as a source: its parameters are the sizes of its inputs, and it builds a graph for each choice.

The calls of its layers are written down as nodes, each after those that it reads, with models that are layers written
out. A run works out their shapes and what each becomes; :mod:`convcost.importers.keras_layers` has the rules.
Weights belong to a layer, wherever and however often it is called.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NoReturn

from convcost.errors import ConvcostError, UsageError, unknown
from convcost.importers import compute, elementwise, keras_layers, keras_ops, moving  # their rules are registered
from convcost.importers.data import Data
from convcost.importers.data import unknown as nothing
from convcost.importers.evaluate import Call, Run, Scope, UnevenError
from convcost.importers.keras_file import ARCHIVE, TEXT, Fixed, Layer, Network, Ref, network_from, read_keras, refs_in
from convcost.importers.keras_step import DOMAIN, FIRST, LAST, Slot
from convcost.importers.onnx_file import Body, Model, Node
from convcost.importers.rules import OPERATORS
from convcost.importers.sizes import Sized, clean
from convcost.layers.base import Work
from convcost.layers.operator import Hidden, Multiplying
from convcost.layers.window import show
from convcost.limits import MAX_NODES
from convcost.network.graph import UNKNOWN, Builder, Graph, Tensor, Unknown
from convcost.numbers import assumptions
from convcost.numbers.arithmetic import provably

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from convcost.importers.rules import Known
    from convcost.layers.base import Shape

_RULES = (compute, elementwise, moving, keras_layers, keras_ops)
_ALIKE = {"Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "Dropout", "LayerNormalization", "EinsumDense", "Softmax"}
_NUMBERED = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)*_?\d+[a-z]?")  # the part of a name before the next underscore
_RANK = re.compile(r".*(conv|cropping|dropout|padding|pool|pooling|sampling)[123]d")  # no number of a block
_OTHER = re.compile(r"[^\w.+-]+")  # what no segment of a path may have
_INPUT = "input"
_LAYOUT = "data_format"


class KerasSource(Sized):
    """A model of Keras in a file.

    Attributes:
        network: the file as records.
    """

    __slots__ = ("_batch", "_channels_last", "_floating", "network")

    def __init__(self, network: Network, label: str, name: str) -> None:
        super().__init__(label, name)
        self.network = network
        self._channels_last = _is_channels_last(network)
        self._floating: dict[str, bool] = {}
        self._batch = 1
        entering = {own: network.layers[own] for own in network.inputs if own in network.layers}
        for own, layer in entering.items():
            self._enter(own, layer.shape or (None,), layer.config.get("dtype"))
        if not entering and network.shape is not None:
            self._enter(_INPUT, network.shape, None)
        self.constants = self.fixed_values()

    def _enter(self, own: str, shape: Sequence[int | None], dtype: Any) -> None:
        """Add the sizes of an input to the parameters."""
        if not self.dims and shape and shape[0] is not None:
            self._batch = shape[0]
        names = []
        for axis, size in list(enumerate(shape))[1:]:
            name = clean(f"{own}.{axis}")
            while name in self.parameters:  # of another input, whose name differs in signs that no parameter has
                name += "_"
            self.declare(name, "whole", size)
            if size is None:
                self.free.append(name)
            else:
                self.static[name] = size
            names.append(name)
        self.dims[own] = tuple(names)
        self._floating[own] = not (isinstance(dtype, str) and dtype.startswith(("int", "uint", "bool", "string")))

    def structural(self) -> set[str]:
        """None: its sizes can all be symbols."""
        return set()

    def in_order(self, name: str, sizes: Sequence[Any]) -> Sequence[Any] | None:
        """Names of the sizes that a caller gives of an input: the channels first, or without the channels.

        Raises:
            UsageError: the channels are given last.
        """
        dims = self.dims[name]
        if self._channels_last and len(dims) > 1:
            channels = self.static.get(dims[-1])
            if len(sizes) == len(dims) and channels == sizes[-1] != sizes[0]:
                turned = "x".join(map(str, (sizes[-1], *sizes[:-1])))
                raise UsageError(
                    f"input {name}: sizes are given with the channels first, as {turned}; found {show(tuple(sizes))}"
                )
            dims = (dims[-1], *dims[:-1])
        if len(sizes) == len(dims) - 1 > 0:
            return dims[1:]
        return dims if len(sizes) == len(dims) else None

    def make(self, values: Mapping[str, Any], input_shape: Any) -> Graph:
        """The graph at these values; see :meth:`convcost.language.model.Imported.make`."""
        if not self.dims and input_shape is not None and not isinstance(input_shape, dict):
            sizes = (*input_shape[1:], input_shape[0]) if self._channels_last else tuple(input_shape)
            shapes = {_INPUT: (1, *sizes)}
        else:
            values = {**values, **self.given_sizes(input_shape, values)}
            self.require_sizes(values)
            shapes = {own: (self._batch, *self.sizes_of(own, values)) for own in self.dims}
        if not shapes:
            raise UsageError(f"{self.label} states no sizes of its input: give them with --input, such as 3x224x224")
        try:
            return self._run(values, shapes, self._batch)
        except UnevenError as error:
            if self._batch == 1:
                raise ConvcostError(f"{self.label}: {error}") from None
        made = self._run(values, shapes, 1)
        note = f"all numbers are for the {self._batch} samples that the shapes are for: the model mixes them"
        made.notes = (note, *made.notes)
        return made

    def _run(self, values: Mapping[str, Any], shapes: Mapping[str, Shape], batch: int) -> Graph:
        writer = Writer(self.label)
        names = {own: f"{own}:0:0" for own in shapes}
        outputs = writer.model(self.network, names)
        builder: Builder | None = None
        scope = Scope()
        model = Model(self.label)
        model.graph = writer.body
        entering: list[tuple[str, Data]] = []
        labels: set[str] = set()
        for own, shape in shapes.items():
            sizes = shape[1:] if len(shape) > 1 and shape[0] == batch else shape
            sizes = (sizes[-1], *sizes[:-1]) if self._channels_last else sizes
            label = clean(own)
            while label in labels:
                label += "_"
            labels.add(label)
            if builder is None:
                builder = Builder(sizes, label)
                tensor = builder.input
            else:
                tensor = builder.enter(sizes, label)
            entering.append((own, Data(shape, tensor=tensor, floating=self._floating.get(own, True))))
        if builder is None:
            raise ConvcostError(f"{self.label}: expected an input, found none")
        scope.own.update({names[own]: data for own, data in entering})
        as_written = len(self.unchanged(values)) == len(self.static)
        run = KerasRun(model, values, batch, builder, channels_last=self._channels_last, as_written=as_written)
        run.paths.give(writer.body, writer.paths)
        scope.own.update(writer.constants)
        run.body(writer.body, scope)
        return self._finished(run, [scope.own[name] for name in outputs if name in scope.own], values, shapes)

    def _finished(
        self, run: KerasRun, outputs: Sequence[Data], values: Mapping[str, Any], shapes: Mapping[str, Shape]
    ) -> Graph:
        builder = run.builder
        ends = [data.tensor for data in outputs if data.tensor is not None]
        output = ends[0] if ends else Tensor(len(builder.nodes) - 1, builder.nodes[-1].shape)
        for place, tensor in enumerate(ends[1:], 2):
            builder.outputs[f"output#{place}"] = tensor.node
        session = assumptions.current()
        graph = builder.graph(
            self.name,
            self.title,
            self._parameters(values, shapes),
            output,
            () if session is None else tuple(session.assumptions),
            unknown=tuple(run.unknown),
            notes=(*self._remarks(run), *run.notes),
        )
        graph.fixed = self.unchanged(values)
        return graph

    def _parameters(self, values: Mapping[str, Any], shapes: Mapping[str, Shape]) -> dict[str, Any]:
        """Every size of a map, and every other that was given or is not that of the file."""
        result: dict[str, Any] = {}
        for own, names in self.dims.items():
            channels = len(names) - 1 if self._channels_last else 0
            for place, (name, size) in enumerate(zip(names, shapes[own][1:], strict=True)):
                if place != channels or not provably(self.static.get(name, 0), size):
                    result[name] = size
        return {**result, **{name: value for name, value in values.items() if name not in result}}

    def _remarks(self, run: KerasRun) -> Iterator[str]:
        if self._batch != 1 and run.batch != 1:
            yield f"numbers are for one of the {self._batch} samples of the input"
        if not provably(run.frozen, 0):
            count = f"{run.frozen:,}" if type(run.frozen) is int else run.frozen
            yield f"{count} of the parameters are frozen (trainable is false)"


class KerasRun(Run):
    """One evaluation of a model of Keras.

    Attributes:
        as_written: whether the inputs have the sizes of the file, so that the shapes in it are right.
        frozen: the number of parameters that are not trained.
    """

    def __init__(
        self,
        model: Model,
        values: Mapping[str, Any],
        batch: int,
        builder: Builder,
        *,
        channels_last: bool,
        as_written: bool,
    ) -> None:
        super().__init__(model, values, batch, builder, exact=True, channels_last=channels_last)
        self.as_written = as_written
        self.frozen: Any = 0

    def place_of(self, node: Node, index: int) -> str:  # noqa: ARG002 - a layer has a name of its own
        """What errors call a layer."""
        return f"layer '{node.name[:100]}' ({node.attributes['layer'].kind[:60]})"

    def _known(self, call: Call, known: Known) -> list[Data]:
        before = len(self.builder.nodes)
        made = super()._known(call, known)
        if call.node.attributes["layer"].config.get("trainable") is False:
            for node in self.builder.nodes[before:]:
                self.frozen = self.frozen + node.work.params
        return made

    def not_known(self, call: Call, reason: str, *, heavy: bool) -> list[Data]:
        """Note a layer whose cost is not known; the shapes that the file states of its outputs are used."""
        node, layer = call.node, call.node.attributes["layer"]
        known = OPERATORS.get(f"{node.domain}:{node.op}")
        path = self.paths.unique(call.path)
        if known is None:
            reason = f"no rule for this {'operation' if layer.module.startswith('keras.src.ops') else 'layer'}"
        self.unknown.append(Unknown(path, layer.kind[:60], reason, heavy))
        before = next((data.tensor for data in call.given if data.tensor is not None), None)
        if before is None:
            return [nothing(reason) for _ in node.outputs]
        shapes = [self._stated(node.attributes["shapes"].get(place), call) for place in range(len(node.outputs))]
        own = () if shapes[0] is None else self.shape_of(shapes[0])
        made = before
        if heavy:
            make = Hidden if known is None or known.weights else Multiplying
            made = self.builder.put(
                make(layer.kind[:60], own, Work()), UNKNOWN, Work(), ((before, 1),), own, path, block=call.block
            )
        after = reason if reason.startswith("after ") else f"after {path} ({layer.kind[:60]}): {reason}"
        outputs = []
        for shape in shapes:
            data = nothing(after) if shape is None else Data(shape, floating=True)
            data.tensor = made
            outputs.append(data)
        return outputs

    def _stated(self, shape: Any, call: Call) -> Shape | None:
        """A shape that the file states, where it holds for the sizes of this run."""
        if shape is None or not self.as_written or any(size is None for size in shape[1:]):
            return None
        first = next((data.sizes[0] for data in call.given if data.shape), self.batch)
        return (first, *shape[1:])


class Writer:
    """Writes the calls of the layers of a model down as nodes, each after those that it reads.

    Attributes:
        body: the nodes.
        paths: for each its path, and how many segments of it name its block.
        constants: arrays that are written in the file, by name.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self.body = Body()
        self.paths: list[tuple[str, int]] = []
        self.constants: dict[str, Data] = {}
        self._parts: dict[int, dict[str, tuple[str, ...]]] = {}  # names of layers as segments, by model
        self._counts: dict[int, int] = {}  # of calls in each model, models that are layers written out

    def fail(self, name: str, message: str) -> NoReturn:
        """Raise an error about a layer.

        Raises:
            ConvcostError: always.
        """
        raise ConvcostError(f"{self._label}: layer '{name[:100]}': {message}")

    def model(
        self,
        network: Network,
        entering: Mapping[str, str],
        prefix: tuple[str, ...] = (),
        where: str = "",
        unique: str = "",
    ) -> list[str]:
        """Write a model down.

        Args:
            network: the model.
            entering: names of the tensors that enter, by the names of its inputs.
            prefix: segments of the paths of its layers.
            where: what errors call it, with a slash after it.
            unique: what names of its tensors begin with.

        Returns:
            The names of the tensors that leave.
        """
        if self._count(network) > MAX_NODES:
            where = f"layer '{where.rstrip('/')[:100]}': " if where else ""
            raise ConvcostError(
                f"{self._label}: {where}more than {MAX_NODES:,} layers, models that are layers written out"
            )
        return _Calls(self, network, entering, prefix, where, unique).written()

    def _count(self, network: Network) -> int:
        """The number of calls of layers in a model, those of models in it written out."""
        if id(network) not in self._counts:
            total = 0
            for layer in network.layers.values():
                inner = layer
                while inner.inner is not None:
                    inner = inner.inner
                total += len(layer.calls) * (1 if inner.network is None else self._count(inner.network))
            self._counts[id(network)] = total
        return self._counts[id(network)]

    def segments(self, network: Network) -> dict[str, tuple[str, ...]]:
        """The names of the layers of a model as segments of paths."""
        if id(network) not in self._parts:
            self._parts[id(network)] = segments_of(network.layers)
        return self._parts[id(network)]

    def put(
        self,
        layer: Layer,
        name: str,
        parts: tuple[str, ...],
        tensors: tuple[list[str], list[Any], dict[str, Any]],
        outputs: list[str],
        op: str = "",
        shapes: Mapping[int, Any] | None = None,
    ) -> None:
        """Append a node."""
        node = Node()
        inputs, args, named = tensors
        node.op, node.domain, node.name = op or _operator(layer), DOMAIN, name
        node.inputs, node.outputs = inputs, outputs
        node.attributes = {"layer": layer, "args": args, "named": named, "shapes": shapes or {}}
        self.body.nodes.append(node)
        self.paths.append(("/".join(parts), max(len(parts) - 1, 1)))

    def constant(self, value: Fixed) -> str:
        """The name of an array that is written in the file."""
        name = f"%{len(self.constants)}"
        self.constants[name] = Data(value.shape, floating=True)
        return name


class _Calls:
    """The calls of the layers of one model on their way into nodes."""

    def __init__(
        self,
        writer: Writer,
        network: Network,
        entering: Mapping[str, str],
        prefix: tuple[str, ...],
        where: str,
        unique: str,
    ) -> None:
        self._writer = writer
        self._network = network
        self._entering = entering
        self._prefix = prefix
        self._where = where
        self._unique = unique
        self._names: dict[tuple[str, int], list[str]] = {}  # of the outputs of each call
        self._shapes: dict[tuple[str, int], dict[int, Any]] = {}
        for layer in network.layers.values():
            for args, named in layer.calls:
                for ref in refs_in([args, named]):
                    self._seen(ref)
        for ref in network.outputs:
            self._seen(ref)

    def _seen(self, ref: Ref) -> None:
        shapes = self._shapes.setdefault((ref.layer, ref.call), {0: None})
        shapes[ref.output] = ref.shape or shapes.get(ref.output)

    def written(self) -> list[str]:
        """Write all calls down; the names of the tensors that leave."""
        for layer in self._network.layers.values():
            for call in range(len(layer.calls)):
                self._reach(layer.name, call)
        return [self._tensor(ref, self._where.rstrip("/") or "output") for ref in self._network.outputs]

    def _reach(self, name: str, call: int) -> None:
        """Write a call down, after all that it reads."""
        waiting = [(name, call)]
        opened: set[tuple[str, int]] = set()
        while waiting:
            here = waiting[-1]
            if here in self._names:
                waiting.pop()
                continue
            layer = self._network.layers[here[0]]
            args, named = layer.calls[here[1]]
            missing = [key for key in map(self._key, refs_in([args, named])) if key and key not in self._names]
            if not missing:
                self._names[here] = self._write(layer, here[1])
                waiting.pop()
                continue
            opened.add(here)
            if not opened.isdisjoint(missing):
                self._writer.fail(self._where + here[0], "its input depends on its own output")
            waiting += missing[::-1]

    def _key(self, ref: Ref) -> tuple[str, int] | None:
        """The call that makes a tensor; None of one that enters.

        Raises:
            ConvcostError: there is no such layer or call.
        """
        if ref.layer in self._entering or (not ref.layer and not self._network.inputs):
            return None
        layer = self._network.layers.get(ref.layer)
        if layer is None:
            self._writer.fail(
                self._where.rstrip("/") or ref.layer, unknown("layer", ref.layer, self._network.layers, of="the model")
            )
        if layer.kind == "InputLayer":
            self._writer.fail(self._where + ref.layer, "an input that is not among the inputs of the model")
        if ref.call >= len(layer.calls):
            self._writer.fail(
                self._where + ref.layer,
                f"its call {ref.call}, counted from 0, is read; the calls in the file are {len(layer.calls)}",
            )
        return ref.layer, ref.call

    def _tensor(self, ref: Ref, reader: str) -> str:
        key = self._key(ref)
        if key is None:
            return self._entering[ref.layer or next(iter(self._entering))]
        names = self._names[key]
        if ref.output >= len(names):
            self._writer.fail(reader, f"output {ref.output} of '{ref.layer[:60]}' is read, which has {len(names)}")
        return names[ref.output]

    def _write(self, layer: Layer, call: int) -> list[str]:
        """Write a call down as one node or several; the names of its outputs."""
        args, named = layer.calls[call]
        name = self._where + layer.name
        inputs: list[str] = []
        given = [self._argument(item, inputs, name) for item in args]
        given_by_name = {key: self._argument(item, inputs, name) for key, item in named.items()}
        shapes = self._shapes.get((layer.name, call), {0: None})
        outputs = [f"{self._unique}{layer.name}:{call}:{place}" for place in range(max(shapes) + 1)]
        parts = (*self._prefix, *self._writer.segments(self._network)[layer.name])
        return self._put(layer, name, parts, (inputs, given, given_by_name), outputs, shapes)

    def _put(
        self,
        layer: Layer,
        name: str,
        parts: tuple[str, ...],
        tensors: tuple[list[str], list[Any], dict[str, Any]],
        outputs: list[str],
        shapes: Mapping[int, Any],
    ) -> list[str]:
        inputs = tensors[0]
        if layer.network is not None:
            own = layer.network.inputs
            entering = dict(zip(own or ("",), inputs, strict=False))
            if len(inputs) < len(own):
                self._writer.fail(name, f"expected {len(own)} inputs, found {len(inputs)}")
            return self._writer.model(layer.network, entering, parts, f"{name}/", f"{outputs[0]}/")
        if layer.kind == "TimeDistributed" and layer.inner is not None and inputs:
            inner = layer.inner
            if inner.kind in _ALIKE:
                return self._put(inner, f"{name}/{inner.name}", parts, tensors, outputs, {})
            first = f"{outputs[0]}/first"
            self._writer.put(layer, name, parts, ([inputs[0]], [Slot(0)], {}), [first], "time: fold")
            made = self._put(inner, f"{name}/{inner.name}", parts, ([first], [Slot(0)], {}), [f"{first}/made"], {})
            pair = [made[0], inputs[0]]
            self._writer.put(layer, name, parts, (pair, [Slot(0), Slot(1)], {}), outputs, "time: unfold")
            return outputs
        self._writer.put(layer, name, parts, tensors, outputs, "", shapes)
        return outputs

    def _argument(self, part: Any, inputs: list[str], reader: str) -> Any:
        """An argument with its tensors as places among the inputs of the node."""
        if isinstance(part, Ref):
            inputs.append(self._tensor(part, reader))
            return Slot(len(inputs) - 1)
        if isinstance(part, Fixed):
            inputs.append(self._writer.constant(part))
            return Slot(len(inputs) - 1)
        if isinstance(part, list):
            return [self._argument(item, inputs, reader) for item in part]
        if isinstance(part, dict):
            return {key: self._argument(item, inputs, reader) for key, item in part.items()}
        return part


def _operator(layer: Layer) -> str:
    """The name of the rule for a layer: operations of Keras 3 have the names of layers, in another module."""
    if layer.module.startswith("keras.src.ops") or layer.module == "keras.ops":
        return f"ops.{layer.kind}"
    return layer.kind


def segments_of(names: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Names of layers as segments of paths, so that blocks can be grouped: they are cut after numbered parts.

    A name is cut where at least two names begin alike. Names that Keras makes up, such as ``conv2d_1``, are whole.

    >>> segments_of({"conv1_pad": 0, "conv2_block1_1_conv": 0, "conv2_block1_add": 0, "conv2_block2_add": 0})
    ... # doctest: +NORMALIZE_WHITESPACE
    {'conv1_pad': ('conv1_pad',), 'conv2_block1_1_conv': ('conv2', 'block1', '1_conv'),
     'conv2_block1_add': ('conv2', 'block1', 'add'), 'conv2_block2_add': ('conv2', 'block2_add')}
    """
    cut: dict[str, list[str]] = {}
    for name in names:
        rest = _OTHER.sub("_", name[:100]) or "_"
        made: list[str] = []
        while len(made) < 8:  # noqa: PLR2004 - deep enough for stages, blocks and branches
            match = _NUMBERED.match(rest)
            after = "" if match is None else rest[match.end() :]
            if match is None or after[:1] != "_" or after[1:].isdigit() or len(after) == 1:
                break
            if _RANK.fullmatch(match.group()):
                break
            made.append(match.group())
            rest = after[1:]
        cut[name] = [*made, rest]
    times: dict[tuple[str, ...], int] = {}
    for parts in cut.values():
        for length in range(1, len(parts)):
            head = tuple(parts[:length])
            times[head] = times.get(head, 0) + 1
    result = {}
    for name, parts in cut.items():
        length = len(parts)
        while length > 1 and times[tuple(parts[: length - 1])] < 2:  # noqa: PLR2004
            length -= 1
        result[name] = (*parts[: length - 1], "_".join(parts[length - 1 :]))
    return result


def _is_channels_last(network: Network) -> bool:
    """Whether most layers of a model have their channels in the last axis."""
    waiting, counts = [network], {LAST: 0, FIRST: 0}
    while waiting:
        for layer in waiting.pop().layers.values():
            inner = layer
            while inner.inner is not None:
                inner = inner.inner
            if inner.network is not None:
                waiting.append(inner.network)
            word = inner.config.get(_LAYOUT)
            if word in (LAST, FIRST):
                counts[word] += 1
    return counts[FIRST] <= counts[LAST]


def keras_source(model: Any) -> KerasSource:
    """A model of Keras as a network.

    Args:
        model: of Keras, or the JSON that its ``to_json`` returns.

    Raises:
        UsageError: it is neither.
        ConvcostError: it cannot be understood.
    """
    text = model
    if not isinstance(model, str):
        if not callable(getattr(model, "to_json", None)):
            raise UsageError(f"expected a model of Keras or its JSON, found {type(model).__name__}")
        try:
            text = model.to_json()
        except Exception as error:  # whatever a model of a user raises, a subclassed one above all
            reason = " ".join(str(error).split())[:300]
            raise ConvcostError(f"the model cannot be written as JSON: {type(error).__name__}: {reason}") from error
    network = network_from(str(text).encode("utf-8", "surrogatepass"), "the model")
    name = _OTHER.sub("_", network.name[:100]) or "model"
    return KerasSource(network, name, name)


def load_keras(path: str, label: str) -> KerasSource:
    """The model in a file.

    Raises:
        UsageError: there is no such file.
        ConvcostError: it is no model of Keras; the text begins with ``label``.
    """
    name = os.path.basename(label)
    stem = next((name[: -len(suffix)] for suffix in (ARCHIVE, TEXT) if name.lower().endswith(suffix)), name)
    return KerasSource(read_keras(path, label), label, stem)
