"""An ONNX graph run over shapes: every node's shapes and values, and the layers that cost something.

A run evaluates nodes in order. A tensor that does not depend on an input is a constant: its values are worked out where
a shape may depend on them. A node that reads a tensor which depends on an input becomes a layer of the graph.
What the file states of inner shapes is never read: it is often missing, and often wrong once a size is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import ConvcostError, ShapeError
from convcost.importers import onnx_file
from convcost.importers.data import Data, MissingError, is_true, unknown
from convcost.importers.paths import Paths
from convcost.importers.rules import known_operator
from convcost.layers.base import Work
from convcost.layers.operator import Multiplying, Operator, operator_of
from convcost.limits import MAX_CALL_DEPTH, MAX_NODES
from convcost.network.graph import UNKNOWN, Builder, Node, Tensor, Unknown
from convcost.numbers.arithmetic import Num, decide, exact_div, is_symbolic, minimum, provably, total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.importers.onnx_file import Body, Model
    from convcost.importers.rules import Known
    from convcost.layers.base import Layer, Shape

_LARGEST = 2**63 - 1  # a size in an ONNX file is an integer of 64 bits
PARAMETERS = ("weights", "biases", "norm_params", "other_params", "buffers")


class UnevenError(ConvcostError):
    """A layer does not treat the samples of a batch alike, so that nothing can be counted for one of them."""


class State(NamedTuple):
    """How far a run is, so that it can go back: nodes before it, and the nodes since then."""

    nodes: int
    tail: tuple[Node, ...]
    unknown: tuple[Unknown, ...]
    owners: dict[str, str]
    norms: dict[tuple[tuple[str, ...], str], str]
    used: dict[str, int]
    notes: dict[str, None]
    counted: set[str]
    repeated: Num


class Scope:
    """The tensors that the nodes of a graph can read: its own, then those of the graphs around it."""

    __slots__ = ("around", "own")

    def __init__(self, around: Scope | None = None) -> None:
        self.around = around
        self.own: dict[str, Data] = {}

    def find(self, name: str) -> Data | None:
        """The tensor of this name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.own:
                return scope.own[name]
            scope = scope.around
        return None


class Call:
    """One node on its way through a run: what a rule gets.

    Attributes:
        run: the run.
        node: the node.
        path: of the layer it becomes.
        block: how many segments of the path name its block.
        inputs: its inputs; None for those left out.
        scope: the tensors that graphs inside it can read.
        version: of the operators.
        depth: how many graphs it is inside.
    """

    __slots__ = ("block", "depth", "inputs", "node", "path", "run", "scope", "version")

    def __init__(self, run: Run, node: onnx_file.Node, inputs: list[Data | None], scope: Scope, version: int) -> None:
        self.run = run
        self.node = node
        self.inputs = inputs
        self.scope = scope
        self.version = version
        self.path = ""
        self.block = 0
        self.depth = 0

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute, or a default where the node has none."""
        value = self.node.attributes.get(name)
        return default if value is None else value

    def integer(self, name: str, default: int) -> int:
        """An attribute that is a whole number.

        Raises:
            ShapeError: it is none.
        """
        value = self.attribute(name, default)
        if not isinstance(value, int):
            raise ShapeError(f"attribute {name}: expected a whole number, found {str(value)[:40]}")
        return value

    def integers(self, name: str) -> list[int] | None:
        """An attribute that is a list of whole numbers; None where the node has none.

        Raises:
            ShapeError: it is something else.
        """
        value = self.attribute(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
            raise ShapeError(f"attribute {name}: expected a list of whole numbers, found {str(value)[:40]}")
        return value

    def word(self, name: str, default: str) -> str:
        """An attribute that is a text."""
        return str(self.attribute(name, default))

    def maybe(self, index: int) -> Data | None:
        """An input that may be left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def input(self, index: int) -> Data:
        """An input.

        Raises:
            ShapeError: the node has none of that number.
        """
        data = self.maybe(index)
        if data is None:
            raise ShapeError(f"expected at least {index + 1} inputs, found {len(self.inputs)}")
        return data

    @property
    def given(self) -> list[Data]:
        """The inputs that are there."""
        return [data for data in self.inputs if data is not None]

    @property
    def is_constant(self) -> bool:
        """Whether no input depends on an input of the graph, so that there is nothing to run."""
        return all(data.tensor is None for data in self.given)

    def constant(self, shape: Shape, values: list[Any] | None = None, *, floating: bool | None = None) -> Data:
        """A result that is computed once, before the network runs."""
        floats = any(data.floating for data in self.given) if floating is None else floating
        made = Data(shape, values, floating=floats)
        if any(data.ident for data in self.given):
            made.ident = self.node.outputs[0] if self.node.outputs else ""
            weights = any(not provably(data.stored, 0) and not provably(data.stored, 1) for data in self.given)
            made.stored = made.count if floats and weights else 0  # a grid made of single numbers is no parameter
        return made

    # layers

    def layer(
        self,
        key: str,
        values: Mapping[str, Any],
        x: Data,
        params: Sequence[Data | None] = (),
        *,
        also: Sequence[Data] = (),
        ident: str = "",
    ) -> Data:
        """Append a layer of the language, run on every map of ``x``, whose first axis is samples or copies.

        Args:
            key: its name.
            values: its fields.
            x: what it reads: samples, channels, sizes.
            params: the tensors that hold its parameters, the weights first.
            also: further operands, of a merge.
            ident: in place of ``params`` the name under which its parameters are its own.
        """
        run = self.run
        operands = [run.maps(item) for item in (x, *also)]
        layer, kind, shape, work = run.builder.infer(key, values, tuple((tensor, 1) for tensor, _ in operands))
        params = held(ident, vars(work)) if ident else params
        whole = (x.sizes[0], *run.in_file_order(shape))
        copies = operands[0][1]
        inputs = [tensor for tensor, _ in operands]
        if not provably(copies, 1):
            work, shape = times(work, copies), run.shape_of(whole)
            layer = operator_of(layer)(key, shape, work)
            inputs = [run.sample(item) for item in (x, *also)]
        return self.put(layer, kind, work, inputs, shape, whole, params)

    def on_sample(
        self,
        key: str,
        values: Mapping[str, Any],
        operands: Sequence[Data],
        whole: Shape,
        params: Sequence[Data | None] = (),
    ) -> Data | None:
        """Append a layer of the language, run on tensors without the axis of samples.

        Args:
            key: its name.
            values: its fields.
            operands: what it reads.
            whole: the shape of the output, samples included.
            params: the tensors that hold its parameters, the weights first.

        Returns:
            The output; None where the layer does not take these shapes, or makes another one of them.
        """
        tensors = [self.run.sample(item) for item in operands]
        expected = self.run.shape_of(whole)
        try:
            layer, kind, shape, work = self.run.builder.infer(key, values, tuple((item, 1) for item in tensors))
        except ShapeError:
            return None
        if len(shape) != len(expected) or not all(provably(a, b) for a, b in zip(shape, expected, strict=True)):
            return None
        return self.put(layer, kind, work, tensors, shape, whole, params)

    def axis_of_sample(self, axis: int, shape: Shape) -> int:
        """An axis of a tensor as an axis of one sample; -1 for the axis of samples."""
        before = len(shape) - len(self.run.shape_of(shape))
        if self.run.channels_last and len(shape) - before > 1 and axis >= before:
            return 0 if axis == len(shape) - 1 else axis - before + 1
        return axis - before

    def stated(
        self,
        make: type[Operator],
        kind: str,
        shape: Shape,
        counts: Mapping[str, Num],
        reads: Sequence[Data],
        params: Sequence[Data | None] = (),
        **facts: Any,
    ) -> Data:
        """Append a layer with counts of its own.

        Args:
            make: its class.
            kind: what reports group by.
            shape: of the output, batch included.
            counts: of all samples; ``read`` and ``written`` are added where they are not given.
            reads: what it reads; constants among them are left out.
            params: the tensors that hold its parameters.
            **facts: see :class:`convcost.layers.operator.Operator`.
        """
        run = self.run
        reads = [item for item in reads if item.tensor is not None]
        counts = {"read": total([item.count for item in reads] or [0]), "written": Data(shape).count, **counts}
        work = per_sample(Work(**counts), run.batch)
        own = run.shape_of(shape)
        if facts.get("backward"):
            facts["backward"] = vars(per_sample(Work(**facts["backward"]), run.batch))
        layer = make(self.node.op, own, work, **facts)
        return self.put(layer, kind, work, [run.sample(item) for item in reads], own, shape, params)

    def view(self, kind: str, shape: Shape, x: Data) -> Data:
        """Append a layer that only looks at the same elements."""
        from convcost.layers.base import Saved  # noqa: PLC0415

        made = self.stated(Operator, kind, shape, {"read": 0, "written": 0}, [x], view=True, saved=Saved(), backward={})
        made.floating = x.floating
        return made

    def put(
        self,
        layer: Layer,
        kind: str,
        work: Work,
        inputs: Sequence[Tensor],
        shape: Shape,
        whole: Shape,
        params: Sequence[Data | None],
    ) -> Data:
        """Append a layer, and see whose parameters it has."""
        run = self.run
        path = run.paths.unique(self.path)
        stored = [item for item in params if item is not None]
        if run.exact:
            work = completed(work, stored)
        own, owner, borrowed = run.owned(path, work, stored, inputs[0], weighted=layer.is_weighted)
        operands = tuple((tensor, 1) for tensor in inputs)
        tensor = run.builder.put(
            layer, kind, own, operands, shape, path, block=self.block, shared=owner, borrowed=borrowed
        )
        return Data(whole, tensor=tensor, floating=True)


class Run:
    """One evaluation of a model.

    Attributes:
        model: the file.
        batch: how many samples the shapes are for, where counts are for one of them; else 1.
        builder: what layers are appended to.
        unknown: what is not known.
        notes: what a reader must know.
        values: values of parameters by name: sizes, trip counts, conditions.
        asked: names of parameters that a value was looked for under and not found, with the reason.
        repeated: parameters that were counted for several layers which read the same vectors.
        exact: whether two tensors of parameters are never one because an exporter merged them.
        channels_last: whether the last axis of the file's tensors is that of the channels, which is first here.
    """

    def __init__(
        self,
        model: Model,
        values: Mapping[str, Any],
        batch: Num,
        builder: Builder,
        *,
        exact: bool = False,
        channels_last: bool = False,
    ) -> None:
        self.model = model
        self.exact = exact
        self.channels_last = channels_last
        self.values = values
        self.batch = batch
        self.builder = builder
        self.unknown: list[Unknown] = []
        self.notes: dict[str, None] = {}
        self.asked: dict[str, str] = {}
        self.paths = Paths()
        self._owners: dict[str, str] = {}
        self._norms: dict[tuple[tuple[str, ...], str], str] = {}
        self.repeated: Num = 0
        self._counted: set[str] = set()
        self._evaluated = 0
        self._added: dict[int, Data] = {}  # products with the bias that a later node adds, by that node

    # shapes of samples

    def channels_first(self, shape: Shape) -> Shape:
        """A shape without the axis of samples, in the order of layers: the channels first."""
        return (shape[-1], *shape[:-1]) if self.channels_last and len(shape) > 1 else shape

    def in_file_order(self, shape: Shape) -> Shape:
        """A shape without the axis of samples, as layers have it, in the order of the file."""
        return (*shape[1:], shape[0]) if self.channels_last and len(shape) > 1 else shape

    def shape_of(self, shape: Shape) -> Shape:
        """A shape of one sample: without the axis of samples where it has one, and with the channels first.

        Raises:
            UnevenError: it has none, and there are several samples.
        """
        return self.channels_first(self._without_samples(shape))

    def _without_samples(self, shape: Shape) -> Shape:
        if len(shape) > 1 and provably(shape[0], self.batch):
            return shape[1:]
        if not provably(self.batch, 1):
            if len(shape) == 1 and provably(shape[0], self.batch):
                return ()
            raise UnevenError("not every tensor has an axis of samples in front")
        return shape

    def sample(self, data: Data) -> Tensor:
        """The builder's tensor with the shape of one sample.

        Raises:
            UnevenError: it cannot be taken apart into samples.
        """
        return Tensor(self._made(data), self.shape_of(data.sizes))

    def maps(self, data: Data) -> tuple[Tensor, Num]:
        """The builder's tensor without its first axis, and how many copies of that there are for one sample.

        Raises:
            UnevenError: not the same number for every sample.
        """
        node, sizes = self._made(data), data.sizes
        if not sizes:
            raise ShapeError("expected a tensor with samples and channels, found a number")
        own = self.channels_first(sizes[1:])
        if provably(sizes[0], self.batch):
            return Tensor(node, own), 1
        try:
            return Tensor(node, own), exact_div(sizes[0], self.batch, "copies by samples")
        except ShapeError:
            raise UnevenError("copies are not the same for every sample") from None

    def _made(self, data: Data) -> int:
        if data.tensor is None:
            raise ShapeError("expected a tensor that depends on an input, found a constant")
        return data.tensor.node

    # parameters

    def owned(
        self, path: str, work: Work, params: Sequence[Data], first: Tensor, *, weighted: bool
    ) -> tuple[Work, str, Num]:
        """The counts of a layer without parameters that another has, the path of that one, and how many they are.

        A layer uses the parameters of another again if it has the same tensor of weights. Equal vectors say nothing:
        exporters keep one copy of vectors that are equal, which those of layers that were never trained are. Only
        where the layer before is used again, a norm with the same vectors is used again too.

        Args:
            path: of the layer.
            work: its counts, all parameters included.
            params: the tensors that hold its parameters, the weights first.
            first: what it reads.
            weighted: whether it is a convolution or linear layer.
        """
        if not params or not params[0].ident:
            return work, "", 0
        if self.exact or weighted or sum(not provably(size, 1) for size in params[0].sizes) > 1:
            owner = self._owners.setdefault(params[0].ident, path)
        else:
            before = self.builder.nodes[first.node]
            idents = tuple(item.ident for item in params)
            known = self._norms.setdefault((idents, before.shared or before.path), path)
            owner = known if before.shared else path
        if owner == path:
            for item in params:
                if item.ident in self._counted:
                    self.repeated = self.repeated + item.count
                self._counted.add(item.ident)
            return work, "", 0
        counts = vars(work)
        borrowed = total([counts[name] for name in PARAMETERS if name in counts] or [0])
        return Work(**{name: count for name, count in counts.items() if name not in PARAMETERS}), owner, borrowed

    def note(self, text: str) -> None:
        """Add what a reader must know, once."""
        self.notes.setdefault(text)

    def value(self, name: str) -> Any:
        """The value of a parameter, if it was given."""
        return self.values.get(name)

    def state(self, since: int | None = None) -> State:
        """How far the run is; with the nodes from ``since`` on, where these are to be put back."""
        nodes = self.builder.nodes
        start = len(nodes) if since is None else since
        return State(
            start,
            tuple(nodes[start:]),
            tuple(self.unknown),
            dict(self._owners),
            dict(self._norms),
            self.paths.saved(),
            dict(self.notes),
            set(self._counted),
            self.repeated,
        )

    def restore(self, state: State) -> None:
        """Go back to a state."""
        del self.builder.nodes[state.nodes :]
        self.builder.nodes.extend(state.tail)
        self.unknown[:] = state.unknown
        self._owners, self._norms, self.notes = dict(state.owners), dict(state.norms), dict(state.notes)
        self.paths.restore(state.used)
        self._counted, self.repeated = set(state.counted), state.repeated

    # evaluation

    def body(self, body: Body, scope: Scope, prefix: str = "", depth: int = 0) -> None:
        """Evaluate the nodes of a graph.

        Raises:
            ConvcostError: a node is wrong; the text begins with the file and the node.
        """
        if depth > MAX_CALL_DEPTH:
            raise ConvcostError(
                f"{self.model.label}: functions and graphs inside one another more than {MAX_CALL_DEPTH} deep"
            )
        for name, stored in body.initializers.items():
            scope.own[name] = constant_of(stored, name)
        paths = self.paths.of(body)
        biases = _biases(body)
        for index, node in enumerate(body.nodes):
            self._evaluated += 1
            if self._evaluated > MAX_NODES:
                raise ConvcostError(
                    f"{self.model.label}: more than {MAX_NODES:,} nodes, calls of functions written out"
                )
            path, block = paths[index]
            try:
                self._node(node, scope, prefix + path, block + prefix.count("/"), depth, biases)
            except UnevenError:
                raise
            except _PlacedError:
                raise
            except (ShapeError, RecursionError) as error:
                raise _PlacedError(f"{self.model.label}: {self.place_of(node, index)}: {error}") from None

    def place_of(self, node: onnx_file.Node, index: int) -> str:
        """What errors call a node."""
        named = f" '{node.name[:60]}'" if node.name else ""
        return f"node {index} ({node.op[:60]}{named})"

    def _node(
        self,
        node: onnx_file.Node,
        scope: Scope,
        path: str,
        block: int,
        depth: int,
        biases: Mapping[int, tuple[onnx_file.Node, str]],
    ) -> None:
        version = self.model.opsets.get("", 1)
        inputs = [self._read(name, scope) if name else None for name in node.inputs]
        call = Call(self, node, inputs, scope, version)
        call.path, call.block, call.depth = path, block, depth
        if id(node) in self._added:
            made = [self._added.pop(id(node))]
        else:
            made = self._made_by(call)
            if id(node) in biases and made[0].tensor is not None:
                made = self._with_bias(call, made, *biases[id(node)])
        for name, data in zip(node.outputs, made, strict=False):
            if any(type(size) is int and size > _LARGEST for size in data.shape or ()):
                raise ShapeError("expected sizes of at most 63 bits, found a larger one")
            if name:
                scope.own[name] = data
        for name in node.outputs[len(made) :]:
            if name:
                scope.own[name] = unknown(f"output '{name[:60]}' of {node.op[:60]} is not known")

    def _made_by(self, call: Call) -> list[Data]:
        """The outputs of a node, by its rule, by its function, or by the graphs inside it."""
        node = call.node
        known = known_operator(node.domain, node.op)
        if known is not None:
            return self._known(call, known)
        function = self.model.functions.get((node.domain, node.op))
        if function is not None:
            return self._function(call, function)
        return self.not_known(call, "no rule for this operator", heavy=True)

    def _read(self, name: str, scope: Scope) -> Data:
        data = scope.find(name)
        if data is None:
            raise ShapeError(f"expected an input or the output of a node before it, found '{name[:60]}'")
        return data

    def _known(self, call: Call, known: Known) -> list[Data]:
        missing = next((data for data in call.given if data.shape is None and not known.lenient), None)
        if missing is not None:
            return self.not_known(call, missing.reason, heavy=known.heavy)
        try:
            return known.rule(call)
        except MissingError as error:
            return self.not_known(call, str(error), heavy=known.heavy)

    def not_known(self, call: Call, reason: str, *, heavy: bool) -> list[Data]:
        """Note a node whose outputs are not known; its parameters are counted all the same."""
        node = call.node
        name = f"{node.domain}:{node.op}" if node.domain else node.op
        path = self.paths.unique(call.path)
        self.unknown.append(Unknown(path, name, reason, heavy))
        stored = [data for data in call.given if data.ident and data.tensor is None and data.stored]
        before = next((data for data in call.given if data.tensor is not None), None)
        if heavy and before is not None and before.tensor is not None:
            counts: dict[str, Num] = {}
            for data in stored:
                rank = len(data.shape or ())
                key = "weights" if rank > 1 else "biases"
                counts[key] = counts.get(key, 0) + data.stored
            own, owner, borrowed = self.owned(
                path,
                Work(**counts),
                sorted(stored, key=lambda data: -len(data.sizes)),
                before.tensor,
                weighted=True,
            )
            layer = Multiplying(name, (), own)
            self.builder.put(
                layer,
                UNKNOWN,
                own,
                ((before.tensor, 1),),
                (),
                path,
                block=call.block,
                shared=owner,
                borrowed=borrowed,
            )
        made = unknown(reason if reason.startswith("after ") else f"after {path} ({name}): {reason}")
        made.tensor = None if before is None else before.tensor
        if before is None:
            made.tensor = next((data.tensor for data in call.given if data.tensor is not None), None)
        return [made for _ in node.outputs]

    def _with_bias(self, call: Call, made: list[Data], after: onnx_file.Node, name: str) -> list[Data]:
        """A product with the bias that the next node adds, as one layer."""
        bias = call.scope.find(name)
        x = made[0]
        if bias is None or bias.tensor is not None or not bias.floating or bias.shape is None:
            return made
        axis = 1 if call.node.op == "Conv" else len(x.sizes) - 1
        wide = (*(1 for _ in range(len(x.sizes) - len(bias.sizes))), *bias.sizes)
        fits = len(wide) == len(x.sizes) and all(
            provably(size, x.sizes[place] if place == axis else 1) for place, size in enumerate(wide)
        )
        node = self.builder.nodes[-1]
        if (
            not fits
            or provably(bias.count, 1)
            or x.tensor is None
            or node.index != x.tensor.node
            or "bias" not in node.layer.fields
        ):
            return made
        if node.layer.bias:  # type: ignore[attr-defined]
            return made
        values = {field: getattr(node.layer, field) for field in node.layer.fields} | {"bias": True}
        operand = Tensor(node.inputs[0][0], node.input)
        layer, kind, _, work = self.builder.infer(node.layer.key, values, ((operand, 1),))
        counts = {key: count for key, count in vars(work).items() if not node.shared or key not in PARAMETERS}
        if self.exact and not node.shared:
            before = vars(node.work)
            held = min(bias.stored, bias.count)
            counts |= {name: before[name] for name in PARAMETERS if name in before} | {
                "biases": held,
                "other_params": before.get("other_params", 0) + bias.stored - held,
                "buffers": before.get("buffers", 0) + bias.count - held,
            }
        node.layer, node.kind, node.work = layer, kind, Work(**counts)
        if node.shared:
            node.borrowed = total([count for key, count in vars(work).items() if key in PARAMETERS])
        self._added[id(after)] = x
        return made

    def _function(self, call: Call, function: Body) -> list[Data]:
        """The outputs of a function of the file, written out."""
        scope = Scope()
        for info, data in zip(function.inputs, call.inputs, strict=False):
            if data is not None:
                scope.own[info.name] = data
        given = {**function.defaults, **call.node.attributes}
        inner = onnx_file.Body()
        inner.name, inner.initializers = function.name, function.initializers
        inner.outputs = function.outputs
        inner.nodes = [_bound(node, given) for node in function.nodes]
        self.body(inner, scope, f"{call.path}/", call.depth + 1)
        return [scope.own.get(info.name) or unknown("a function without that output") for info in function.outputs]


def _biases(body: Body) -> dict[int, tuple[onnx_file.Node, str]]:
    """Products whose only reader adds a vector: by id of the node, the reader and the name of the vector."""
    readers: dict[str, list[onnx_file.Node]] = {}
    for node in body.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    leaving = {info.name for info in body.outputs}
    result = {}
    for node in body.nodes:
        if node.op not in ("MatMul", "Conv") or node.domain or len(node.outputs) != 1 or len(node.inputs) != 2:  # noqa: PLR2004
            continue
        name = node.outputs[0]
        after = readers.get(name, [])
        if len(after) == 1 and after[0].op == "Add" and len(after[0].inputs) == 2 and name not in leaving:  # noqa: PLR2004
            other = next((item for item in after[0].inputs if item != name), "")
            if other:
                result[id(node)] = (after[0], other)
    return result


class _PlacedError(ConvcostError):
    """An error that says where it is."""


def _bound(node: onnx_file.Node, given: Mapping[str, Any]) -> onnx_file.Node:
    """A node of a function with the attributes that its caller gives."""
    if not any(isinstance(value, onnx_file.Reference) for value in node.attributes.values()):
        return node
    bound = onnx_file.Node()
    bound.op, bound.domain, bound.name = node.op, node.domain, node.name
    bound.inputs, bound.outputs, bound.metadata = node.inputs, node.outputs, node.metadata
    bound.attributes = {
        name: given.get(value.name) if isinstance(value, onnx_file.Reference) else value
        for name, value in node.attributes.items()
    }
    return bound


def constant_of(stored: onnx_file.Stored, name: str) -> Data:
    """A tensor of the file as a constant."""
    floating = stored.dtype in onnx_file.FLOATING
    made = Data(stored.dims, stored.values, ident=name, floating=floating)
    made.stored = made.count if floating else 0
    return made


def held(ident: str, counts: Mapping[str, Num]) -> list[Data]:
    """The parameters that a layer with these counts has, as one tensor of this name; nothing where it has none."""
    if all(provably(counts.get(name, 0), 0) for name in PARAMETERS):
        return []
    stored = total([counts[name] for name in PARAMETERS if name != "buffers" and name in counts] or [0])
    return [Data((stored,), ident=ident, stored=stored, floating=True)]


def completed(work: Work, params: Sequence[Data]) -> Work:
    """The counts of a layer with the parameters that its tensors come from.

    A tensor may come from more parameters than it has elements, as of a weight norm, or from fewer, since it is a
    buffer that is not trained.
    """
    counts = dict(vars(work))
    trained = [name for name in PARAMETERS if name != "buffers" and name in counts]
    stored = total([data.stored for data in {data.ident: data for data in params if data.ident}.values()] or [0])
    excess = total([counts[name] for name in trained] or [0]) - stored
    if provably(excess, 0):
        return work
    if decide("<", excess, 0):
        counts["other_params"] = counts.get("other_params", 0) - excess
        return Work(**counts)
    counts["buffers"] = counts.get("buffers", 0) + excess
    for name in sorted(trained, key=("biases", "norm_params", "other_params", "weights").index):
        taken = minimum(counts[name], excess)
        counts[name], excess = counts[name] - taken, excess - taken
    return Work(**counts)


def times(work: Work, copies: Num) -> Work:
    """The counts of several copies with the same parameters."""
    return Work(**{name: count if name in PARAMETERS else count * copies for name, count in vars(work).items()})


def per_sample(work: Work, batch: Num) -> Work:
    """The counts of one of ``batch`` samples.

    Raises:
        UnevenError: they do not divide.
    """
    if provably(batch, 1):
        return work
    try:
        return Work(
            **{
                name: count if name in PARAMETERS else exact_div(count, batch, "counts by samples")
                for name, count in vars(work).items()
            }
        )
    except ShapeError:
        raise UnevenError("operations are not the same for every sample") from None


def scaled(node: Node, copies: Num) -> Node:
    """A layer that is run several times with the same parameters, as one layer."""
    work = times(node.work, copies)
    layer = operator_of(node.layer)(node.kind, node.shape, work)
    return Node(
        node.index,
        node.path,
        node.block,
        layer,
        node.kind,
        node.inputs,
        node.input,
        node.shape,
        work,
        1,
        None,
        shared=node.shared,
        borrowed=node.borrowed,
    )


def condition(data: Data) -> bool | None:
    """Whether a condition holds; None where it is not known."""
    if data.values is None or len(data.values) != 1:
        return None
    value = data.values[0]
    return None if is_symbolic(value) else is_true(value)
