"""An ONNX file as a source: its parameters are the sizes that it leaves open, and it builds a graph for each choice."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError
from convcost.importers import compute, control, elementwise, moving, onnx_file, stated  # their rules are registered
from convcost.importers.data import Data
from convcost.importers.data import unknown as nothing
from convcost.importers.evaluate import Run, Scope, UnevenError
from convcost.importers.protobuf import Buffer
from convcost.importers.rules import known_operator
from convcost.importers.sizes import Sized, clean
from convcost.network.graph import Builder, Graph, Tensor
from convcost.numbers import assumptions
from convcost.numbers.arithmetic import Num, provably

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from convcost.importers.onnx_file import Body, Dim, Info, Model
    from convcost.layers.base import Shape

SUFFIX = ".onnx"
_COUNTED = {"NonZero": 1, "NonMaxSuppression": 0, "Compress": 0}  # operators and the axis whose size depends on data
_MAP = 4  # axes of a batch of maps
_MOST_LISTED = 3  # inputs that a note lists

_RULES = (compute, control, elementwise, moving, stated)


class OnnxSource(Sized):
    """A network in an ONNX file.

    Attributes:
        model: the file as records.
    """

    __slots__ = ("_batch", "_inputs", "_scalars", "model")

    def __init__(self, model: Model, name: str) -> None:
        super().__init__(model.label, name)
        self.model = model
        body = _graph(model)
        self._inputs, self._scalars = _entering(body)
        self._batch = ""
        for index, info in enumerate(self._inputs):
            self.dims[info.name] = tuple(
                self._dim(info, axis, dim, first=not index) for axis, dim in enumerate(info.dims or ())
            )
        for info in self._scalars:
            self.declare(clean(info.name), "switch" if info.dtype == onnx_file.BOOL else "whole", None, least=None)
        for given in _asked_by(body):
            self.declare(given, "whole", None, least=0)
        self.constants = self.fixed_values()

    def _dim(self, info: Info, axis: int, dim: Dim, *, first: bool) -> Any:
        """The parameter that gives a size of an input; where the file fixes the size, it is the default."""
        own = clean(f"{info.name}.{axis}")
        if isinstance(dim, int) and dim > 0:
            self.static[own] = dim
            self.declare(own, "whole", dim)
            return own
        name = own if not isinstance(dim, str) or dim.strip() in ("", "?") else clean(dim)
        batched = axis == 0 and (first or name in (own, self._batch)) and len(info.dims or ()) > 1
        if batched and first:
            self._batch = name
        self.declare(name, "whole", 1 if batched else None)
        if not batched and name not in self.free:
            self.free.append(name)
        return name

    def structural(self) -> set[str]:
        """Conditions, and the number of samples: costs are those of one."""
        return {self._batch} | {name for name, parameter in self.parameters.items() if parameter.type == "switch"}

    def make(self, values: Mapping[str, Any], input_shape: Any) -> Graph:
        """The graph at these values; see :meth:`convcost.language.model.Imported.make`."""
        values = {**values, **self.given_sizes(input_shape, values)}
        self.require_sizes(values)
        shapes = {info.name: self.sizes_of(info.name, values) for info in self._inputs}
        batch = self._samples(shapes)
        try:
            return self._run(values, shapes, batch)
        except UnevenError as error:
            if provably(batch, 1):
                raise ConvcostError(f"{self.model.label}: {error}") from None
        made = self._run(values, shapes, 1)
        note = f"all numbers are for the {batch} samples that the shapes are for: the file mixes them"
        made.notes = (note, *made.notes)
        return made

    def _samples(self, shapes: Mapping[str, Shape]) -> Num:
        """How many samples the shapes are for: the first size of the first input, where that is a map.

        Of fewer axes the first may also be the steps of a sequence, or the rows of a matrix.
        """
        first = next(iter(shapes.values()), ())
        return first[0] if len(first) >= _MAP else 1

    def _run(self, values: Mapping[str, Any], shapes: Mapping[str, Shape], batch: Num) -> Graph:
        model = self.model
        body = _graph(model)
        builder: Builder | None = None
        scope = Scope()
        for info in self._inputs:
            shape = shapes[info.name]
            own = shape[1:] if len(shape) > 1 and provably(shape[0], batch) else shape
            name = info.name[:100] or "input"
            if builder is None:
                builder = Builder(own, name)
                tensor = builder.input
            else:
                tensor = builder.enter(own, name)
            scope.own[info.name] = Data(
                shape, tensor=Tensor(tensor.node, own), floating=info.dtype in onnx_file.FLOATING
            )
        if builder is None:
            raise ConvcostError(f"{model.label}: expected an input with sizes, found none")
        run = Run(model, values, batch, builder)
        taken = {info.name for info in (*self._inputs, *self._scalars)}
        for info in body.inputs:
            if info.name in taken or info.name in body.initializers:
                continue
            if info.dims is None:
                scope.own[info.name] = nothing(f"input '{info.name[:60]}' is no tensor of known shape")
                continue
            made = Data(tuple(info.dims), ident=info.name, floating=info.dtype in onnx_file.FLOATING)
            made.stored = made.count if made.floating else 0
            scope.own[info.name] = made
        for info in self._scalars:
            name = clean(info.name)
            known = [values[name]] if name in values else None
            shape = tuple(1 for _ in info.dims or ())
            scope.own[info.name] = Data(shape, known)
        run.body(body, scope)
        return self._finished(run, body, scope, values, shapes, batch)

    def _finished(
        self,
        run: Run,
        body: Body,
        scope: Scope,
        values: Mapping[str, Any],
        shapes: Mapping[str, Shape],
        batch: Num,
    ) -> Graph:
        builder = run.builder
        made = [(info.name, scope.find(info.name)) for info in body.outputs]
        ends = [(name, data.tensor) for name, data in made if data is not None and data.tensor is not None]
        output = ends[0][1] if ends else Tensor(len(builder.nodes) - 1, builder.nodes[-1].shape)
        for name, tensor in ends[1:]:
            builder.outputs[name[:100]] = tensor.node
        session = assumptions.current()
        graph = builder.graph(
            self.name,
            self.title,
            self._parameters(values, shapes),
            output,
            () if session is None else tuple(session.assumptions),
            unknown=tuple(run.unknown),
            notes=(*self._remarks(values, batch), *run.notes),
        )
        graph.fixed = self.unchanged(values)
        if not provably(run.repeated, 0):
            graph.notes = (
                *graph.notes,
                f"{run.repeated:,} parameters and buffers are in vectors that several layers read, since exporters "
                "merge equal vectors; they are counted for each of the layers",
            )
        return graph

    def _parameters(self, values: Mapping[str, Any], shapes: Mapping[str, Shape]) -> dict[str, Any]:
        """Every value used: open sizes, those of maps that the file fixes, and what else was given."""
        result: dict[str, Any] = {}
        for info in self._inputs:
            for axis, (name, size) in enumerate(zip(self.dims[info.name], shapes[info.name], strict=True)):
                if axis > 1 or not provably(self.static.get(name, 0), size):
                    result[name] = size
        return {**result, **{name: value for name, value in values.items() if name not in result}}

    def _remarks(self, values: Mapping[str, Any], batch: Num) -> Iterator[str]:
        if self._batch and self._batch not in values:
            yield f"batch: {self._batch} = 1, since nothing else was asked for"
        elif not provably(batch, 1):
            yield f"numbers are for one of the {batch} samples of the input"
        first = self.sizes_of(self._inputs[0].name, values)
        if 1 < len(first) < _MAP and not provably(first[0], 1):
            name = self._inputs[0].name[:60]
            yield f"numbers are for all of {name}: its first size, {first[0]}, may be samples or steps"
        body = _graph(self.model)
        ops = {node.op for node in body.nodes}
        convolutions = sum(node.op == "Conv" for node in body.nodes)
        if convolutions > 1 and not any("Normalization" in op or op in ("LRN", "Sqrt") for op in ops):
            yield "the file has no norms: exporters fold batch norms into the convolutions before them"
        weights = [
            info.name for info in body.inputs if info.name not in self.dims and info.name not in body.initializers
        ]
        weights = [name for name in weights if name not in {info.name for info in self._scalars}]
        if weights:
            more = ", ..." if len(weights) > _MOST_LISTED else ""
            yield f"{len(weights)} inputs are taken as parameters: {', '.join(weights[:_MOST_LISTED])}{more}"


def load_onnx(path: str, label: str) -> OnnxSource:
    """The network in an ONNX file.

    Raises:
        UsageError: there is no such file.
        ConvcostError: it is no ONNX file; the text begins with ``label``.
    """
    name = os.path.basename(label)
    return OnnxSource(
        onnx_file.read_model(path, label), name[: -len(SUFFIX)] if name.lower().endswith(SUFFIX) else name
    )


def from_bytes(data: bytes, name: str) -> OnnxSource:
    """The network in the bytes of an ONNX file.

    Raises:
        ConvcostError: it is no ONNX file; the text begins with ``name``.
    """
    return OnnxSource(onnx_file.model_from(Buffer(data), name), name)


def _graph(model: Model) -> Body:
    if model.graph is None:
        raise ConvcostError(f"{model.label}: expected a graph, found none")
    return model.graph


def _entering(body: Body) -> tuple[list[Info], list[Info]]:
    """The inputs that are tensors, and those that are single whole numbers or switches.

    Initialisers that are listed as inputs (before IR version 4) are neither; nor are weights that an exporter left
    to the caller: inputs of fixed sizes that are read as the weights of layers only.
    """
    uses: dict[str, set[bool]] = {}
    products: set[str] = set()  # second operands of products, which are weights where other inputs are
    for node in body.nodes:
        known = known_operator(node.domain, node.op)
        for index, name in enumerate(node.inputs):
            if known is not None and known.heavy and not known.weights and index == 1:
                products.add(name)
            else:
                uses.setdefault(name, set()).add(known is not None and index in known.weights)
    if any(roles == {True} for roles in uses.values()):
        for name in products:
            uses.setdefault(name, {True})
    tensors, scalars = [], []
    for info in body.inputs:
        if info.name in body.initializers or info.dims is None:
            continue
        fixed = all(isinstance(dim, int) and dim > 0 for dim in info.dims)
        if not info.dims and info.dtype not in onnx_file.FLOATING:
            scalars.append(info)
        elif not (fixed and info.dims and uses.get(info.name) == {True}):
            tensors.append(info)
    return tensors, scalars


def _asked_by(body: Body) -> Iterator[str]:
    """Names of sizes and numbers of trips that depend on data, of nodes anywhere in the graph."""
    for node in body.nodes:
        first = next(filter(None, node.outputs), "")
        if node.op in _COUNTED and first:
            axis = node.attributes.get("axis", 0) if node.op == "Compress" else _COUNTED[node.op]
            yield f"{first}.{axis}"
        if node.op == "Loop" and first:
            yield f"{first}.trips"
        for value in node.attributes.values():
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, onnx_file.Body):
                    yield from _asked_by(inner)
