"""A module of PyTorch as a source: it is run once without numbers, and what it runs becomes a graph.

Its tensors have shapes and no elements (PyTorch's device ``meta``), so that a run costs no memory and hardly any
time. Each operator that PyTorch dispatches is written down as a node of ONNX (:mod:`convcost.importers.aten`), under
the module that called it. What depends on parameters alone is no layer, unless it is a product. This file imports
PyTorch only where it has a module at hand already, or where a command names one.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, Position, UnsupportedError, UsageError
from convcost.importers import compute, elementwise, moving  # their rules are registered
from convcost.importers.aten import ATEN, HEAVY, MOVED, RESHAPED, SAME, number
from convcost.importers.data import Data
from convcost.importers.evaluate import Run, Scope, UnevenError
from convcost.importers.onnx_file import Body, Model, Node
from convcost.importers.paths import block_of
from convcost.language.model import Imported
from convcost.layers.window import show
from convcost.network.cost import sum_work
from convcost.network.graph import Builder, Graph, Tensor, Unknown
from convcost.numbers.arithmetic import is_symbolic, provably

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PREFIX = "torch:"
_MAP = 4  # axes of a batch of maps
_VERSION = 21  # of the operators of ONNX that a trace is written in
_RULES = (compute, elementwise, moving)


class TorchSource(Imported):
    """A module of PyTorch, or a callable that makes one.

    Args:
        make: what returns the module.
        name: of the network.
        inputs: what the module is called with: tensors, of which only shapes and types matter; or None.
        shape: ``(channels, *spatial)`` of the one input, where ``inputs`` are not given; or None.
    """

    without_parameters = (
        "the sizes of a PyTorch module are numbers; an ONNX file of it with dynamic axes has sizes that can be free"
    )
    __slots__ = ("_graphs", "_inputs", "_make", "_module", "_shape")

    def __init__(
        self, make: Callable[[], Any], name: str, inputs: tuple[Any, ...] | None = None, shape: Any = None
    ) -> None:
        super().__init__(name, Position(name, 1, 1))
        self.title = name
        self.input_names = None
        self.constants = self.fixed_values()
        self._make = make
        self._module: Any = None
        self._inputs = inputs
        self._shape = shape
        self._graphs: dict[Any, Graph] = {}

    @property
    def is_block(self) -> bool:
        """It states its input."""
        return False

    def size_parameters(self) -> set[str]:
        """None: a run has sizes that are numbers."""
        return set()

    def structural(self) -> set[str]:
        """None: it has no parameters."""
        return set()

    def make(self, values: Mapping[str, Any], input_shape: Any) -> Graph:  # noqa: ARG002 - it has no parameters
        """The graph for an input; see :meth:`convcost.language.model.Imported.make`.

        Raises:
            UsageError: no input is known, or there is no such module.
            UnsupportedError: a size is no number.
            ConvcostError: the module cannot be run so.
        """
        shape = self._shape if input_shape is None else input_shape
        if shape is None and self._inputs is None:
            raise UsageError(f"{self.name}: give the sizes of the input with --input, such as --input 3x224x224")
        sizes = list(shape.values()) if isinstance(shape, dict) else [shape or ()]
        if any(is_symbolic(size) for own in sizes for size in own):
            raise UnsupportedError(
                f"{self.name}: a module of PyTorch is run on sizes that are numbers, found {show(sizes[0])}"
            )
        key = tuple(shape.items()) if isinstance(shape, dict) else shape
        if key not in self._graphs:
            self._graphs[key] = self._traced(shape)
        return self._graphs[key]

    def _traced(self, shape: Any) -> Graph:
        import torch  # noqa: PLC0415 - only for a module of PyTorch

        if self._module is None:
            self._module = self._called()
        module = self._module
        if not isinstance(module, torch.nn.Module):
            raise UsageError(f"{self.name}: expected a torch.nn.Module, found {type(module).__name__}")
        args: tuple[Any, ...] = self._inputs or ()
        kwargs: dict[str, Any] = {}
        if isinstance(shape, dict):
            args, kwargs = (), {name: torch.empty(tuple(own), device="meta") for name, own in shape.items()}
        elif shape is not None:
            args = (torch.empty((1, *shape), device="meta"),)
        return Trace(module, self.name).graph(args, kwargs)

    def _called(self) -> Any:
        try:
            return self._make()
        except Exception as error:  # whatever the callable of a user raises
            text = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            raise ConvcostError(f"{self.name}: the call that makes the module failed: {text}") from error


class Trace:
    """One run of a module, written down.

    Attributes:
        operator: the operator that is written down at present, by name.
    """

    def __init__(self, module: Any, name: str) -> None:
        import torch  # noqa: PLC0415 - only for a module of PyTorch

        self._torch = torch
        self._module = module
        self._name = name
        self._params = {id(tensor): own for own, tensor in module.named_parameters()}
        self._sizes = {own: tensor.numel() for own, tensor in module.named_parameters()}
        self._modules = {id(part): own for own, part in module.named_modules()}
        self._body = Body()
        self._constants: dict[str, Data] = {}
        self._names: dict[int, str] = {}  # of tensors, by identity
        self._stale: dict[int, str] = {}  # tensors whose memory another operator wrote to, and its result
        self._alive: list[Any] = []  # identities hold as long as tensors live
        self._sharing: dict[int, list[Any]] = {}  # tensors by the memory that they look at
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._origins: dict[str, frozenset[str]] = {}  # names of parameters that a constant comes from
        self._meta: dict[int, Any] = {}
        self._made: set[int] = set()  # memory that the run itself has asked for
        self._parts: dict[str, tuple[str, int]] = {}  # parts of parameters: whose, and how many elements
        self._used: set[str] = set()  # parameters and parts of them that layers read
        self._read: set[str] = set()
        self._around: list[str] = [""]  # modules that run, by name
        self._scopes: list[tuple[str, str]] = []  # of each node: its module and its operator
        self._first: Any = None
        self._label = "operator"
        self._failing = ""  # the module whose operator failed
        self.operator = ""

    # results

    def graph(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Graph:
        """The graph of a call.

        Raises:
            ConvcostError: the module cannot be run so.
        """
        torch, tree = self._torch, self._torch.utils._pytree  # noqa: SLF001 - the name it is imported under everywhere
        leaves, form = tree.tree_flatten((args, kwargs))
        leaves = [self._as_meta(leaf) if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        inputs = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        if not inputs or not inputs[0].shape:
            raise UsageError(f"{self._name}: expected a tensor among the inputs, found none")
        names = ["input"] + [f"input#{place}" for place in range(2, len(inputs) + 1)]
        for name, tensor in zip(names, inputs, strict=True):
            self._names[id(tensor)] = name
            self._keep(tensor, name)
        self._first = inputs[0]
        args, kwargs = tree.tree_unflatten(leaves, form)
        made = self._run(args, kwargs)
        outputs = [leaf for leaf in tree.tree_flatten(made)[0] if isinstance(leaf, torch.Tensor)]
        ends = [self._names.get(id(tensor), "") for tensor in outputs]
        shape = tuple(inputs[0].shape)
        batch = shape[0] if len(shape) >= _MAP else 1
        entering = dict(zip(names, inputs, strict=True))
        try:
            return self._built(entering, ends, batch)
        except UnevenError as error:
            if batch == 1:
                raise ConvcostError(f"{self._name}: {error}") from None
        graph = self._built(entering, ends, 1)
        graph.notes = (f"all numbers are for the {batch} samples of the input: the module mixes them", *graph.notes)
        return graph

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        torch = self._torch
        from torch.utils._python_dispatch import TorchDispatchMode  # noqa: PLC0415

        trace = self

        class Recorder(TorchDispatchMode):
            """Hands every operator to the trace."""

            def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                """Run and write down."""
                return trace.dispatched(self, function, args, kwargs or {})

        def entered(module: Any, *_: Any) -> None:
            self._around.append(self._modules.get(id(module), self._around[-1]))

        def left(*_: Any) -> None:
            self._around.pop()

        hooks = torch.nn.modules.module
        handles = [
            hooks.register_module_forward_pre_hook(entered),
            hooks.register_module_forward_hook(left, always_call=True),
        ]
        fast = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)  # it would hide the layers of a transformer
        try:
            with torch.inference_mode(), Recorder(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what PyTorch warns of concerns real runs
                return self._module(*args, **kwargs)
        except ConvcostError:
            raise
        except Exception as error:
            where = f", module {self._failing}" if self._failing else ""
            text = " ".join(str(error).split())[:300]
            raise ConvcostError(f"{self._name}{where}: a run without numbers failed: {text}") from error
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)
            for handle in handles:
                handle.remove()

    def _built(self, entering: Mapping[str, Any], ends: Sequence[str], batch: int) -> Graph:
        builder: Builder | None = None
        scope = Scope()
        for name, given in entering.items():
            shape = tuple(given.shape)
            own = shape[1:] if len(shape) > 1 and shape[0] == batch else shape
            if builder is None:
                builder = Builder(own, name)
                tensor = builder.input
            else:
                tensor = builder.enter(own, name)
            scope.own[name] = Data(shape, tensor=Tensor(tensor.node, own), floating=given.is_floating_point())
        if builder is None:
            raise UsageError(f"{self._name}: expected a tensor among the inputs, found none")
        self._join_parts()
        scope.own.update(self._constants)
        model = Model(self._name)
        model.opsets, model.graph = {"": _VERSION}, self._body
        run = Run(model, {}, batch, builder, exact=True)
        run.paths.give(self._body, self._paths())
        run.body(self._body, scope)
        for name, shape in self._shapes.items():
            data = scope.own.get(name)
            if data is not None and data.shape is not None and tuple(data.shape) != shape:
                reason = f"its shape is {show(shape)} in PyTorch and {show(data.shape)} by rule"
                run.unknown.append(Unknown(name, "shape", reason, heavy=True))
        tensors = [scope.own[name].tensor for name in ends if name in scope.own]
        leaving = [tensor for tensor in tensors if tensor is not None]
        output = leaving[0] if leaving else Tensor(len(builder.nodes) - 1, builder.nodes[-1].shape)
        for place, tensor in enumerate(leaving[1:], 2):
            builder.outputs[f"output#{place}"] = tensor.node
        notes = (*self._notes(batch, sum_work(builder.nodes).params), *run.notes)
        return builder.graph(self._name, self._name, {}, output, unknown=tuple(run.unknown), notes=notes)

    def _join_parts(self) -> None:
        """Parts of a parameter stay tensors of their own where they are read in its place, and make up all of it."""
        sizes = self._sizes
        together: dict[str, int] = {}
        for part, (whole, count) in self._parts.items():
            together[whole] = together.get(whole, 0) + (count if part in self._used else 0)
        for data in self._constants.values():
            whole, _ = self._parts.get(data.ident, ("", 0))
            if whole and (whole in self._used or together[whole] != sizes.get(whole)):
                data.ident, data.stored = whole, sizes.get(whole, data.stored)

    def _notes(self, batch: int, counted: Any) -> Iterator[str]:
        trained = {own for own, tensor in self._module.named_parameters() if tensor.requires_grad}
        if not provably(batch, 1):
            yield f"numbers are for one of the {batch} samples of the input"
        frozen = sum(size for own, size in self._sizes.items() if own in self._read and own not in trained)
        if frozen:
            yield f"{frozen:,} of the parameters are frozen (requires_grad is false)"
        unread = sum(size for own, size in self._sizes.items() if own not in self._read)
        if unread:
            yield f"{unread:,} parameters of the module are not read in this run, and are not counted"
        reading = sum(size for own, size in self._sizes.items() if own in self._read)
        if counted != reading:
            yield f"layers count {counted:,} parameters; those that the run reads are {reading:,}"
        if self._module.training:
            yield "the module is in training mode; module.eval() gives the costs of inference"

    def _paths(self) -> list[tuple[str, int]]:
        """For every node its path, and how many segments of it name the block."""
        labels: dict[str, set[str]] = {}
        inner: set[str] = set()
        for scope, label in self._scopes:
            labels.setdefault(scope, set()).add(label)
            parts = scope.split(".")
            inner.update(".".join(parts[:length]) for length in range(1, len(parts)))
        paths = []
        for scope, label in self._scopes:
            parts = scope.split(".") if scope else []
            if not scope or scope in inner or len(labels[scope]) > 1:
                parts.append(label.partition("#")[0])
            paths.append(("/".join(parts), block_of(tuple(parts))))
        return paths

    # tensors

    def _keep(self, tensor: Any, name: str) -> None:
        self._alive.append(tensor)
        self._shapes[name] = tuple(tensor.shape)
        self._sharing.setdefault(_memory(tensor), []).append(tensor)

    def _as_meta(self, tensor: Any) -> Any:
        if tensor.device.type == "meta":
            return tensor
        if id(tensor) not in self._meta:
            shape, dtype = tuple(tensor.shape), tensor.dtype
            with self._torch.inference_mode(mode=tensor.is_inference()):  # as PyTorch wants it of views
                if tensor.layout == self._torch.strided:
                    twin = self._torch.empty_strided(shape, tensor.stride(), dtype=dtype, device="meta")
                else:
                    twin = self._torch.empty(shape, dtype=dtype, device="meta")
            self._meta[id(tensor)] = twin
            self._alive.append(tensor)
        return self._meta[id(tensor)]

    def _name_of(self, tensor: Any) -> str:
        """The name of a tensor; one that no operator made is a parameter or another constant."""
        if id(tensor) in self._stale:
            written = self._stale.pop(id(tensor))
            before = self._names[id(tensor)]
            if tuple(tensor.shape) == self._shapes.get(written):
                self._names[id(tensor)] = written
            else:
                reads = [name for name in (before, written) if name not in self._constants]
                name = self._new()
                self._shapes[name] = tuple(tensor.shape)
                self._append("moved", reads, [name], "torch", {"kind": "write", "shapes": [list(tensor.shape)]})
                self._names[id(tensor)] = name
        if id(tensor) not in self._names:
            own = self._params.get(id(tensor), "")
            data = Data(tuple(tensor.shape), floating=tensor.is_floating_point(), ident=own)
            data.stored = tensor.numel() if own else 0
            name = own or self._new()
            self._constants[name] = data
            self._origins[name] = frozenset({own} if own else ())
            self._names[id(tensor)] = name
            self._alive.append(tensor)
        name = self._names[id(tensor)]
        self._read |= self._origins.get(name, frozenset())
        return name

    def _new(self) -> str:
        return f"%{len(self._names)}.{len(self._constants)}.{len(self._body.nodes)}"

    def constant(self, data: Data) -> str:
        """The name of a constant."""
        name = self._new()
        self._constants[name] = data
        return name

    def operand(self, value: Any) -> Any:
        """A tensor, or a number as a constant."""
        return value if isinstance(value, self._torch.Tensor) else self.constant(number(value))

    def turned(self, weights: Any) -> str:
        """A matrix with its axes exchanged."""
        name = self._name_of(weights)
        data = self._constants.get(name)
        if data is None:
            return self.node("Transpose", [weights], None, perm=[1, 0])
        return self.constant(data.seen(data.sizes[::-1]))

    def with_samples(self, tensor: Any, rank: int) -> Any:
        """A tensor with an axis of samples, also where it has none."""
        if len(tensor.shape) == rank:
            return tensor
        return self.node("Reshape", [tensor], None, shape=[1, *tensor.shape])

    # nodes

    def node(self, op: str, inputs: Sequence[Any], outs: Any, domain: str = "", **attributes: Any) -> Any:
        """Append a node.

        Args:
            op: its operator.
            inputs: tensors, names of values, or None for what is left out.
            outs: the tensor that it makes, or None for one between nodes; or a list of these.
            domain: of the operator.
            **attributes: of the operator.

        Returns:
            The name of its output; of a list the names.
        """
        reads = ["" if x is None else x if isinstance(x, str) else self._name_of(x) for x in inputs]
        names = []
        for place, out in enumerate(outs if isinstance(outs, list) else [outs]):
            name = f"{self._new()}.{place}"
            names.append(name)
            if out is not None:
                self._names[id(out)] = name
                self._stale.pop(id(out), None)
                self._keep(out, name)
        self._append(op, reads, names, domain, attributes)
        return names if len(names) > 1 else names[0]

    def _append(self, op: str, reads: list[str], names: list[str], domain: str, attributes: dict[str, Any]) -> None:
        node = Node()
        node.op, node.domain, node.inputs, node.outputs, node.attributes = op, domain, reads, names, attributes
        self._body.nodes.append(node)
        self._used.update(self._constants[name].ident for name in reads if name in self._constants)
        self._scopes.append((self._around[-1], self._label))

    def moved(self, reads: Sequence[Any], outs: list[Any]) -> None:
        """Append a node that only moves elements."""
        attributes = {"kind": self.operator.strip("_"), "shapes": [list(out.shape) for out in outs]}
        self.node("moved", [x for x in reads if not self._is_constant(x)], outs, domain="torch", **attributes)

    def not_known(self, reads: Sequence[Any], outs: list[Any], *, heavy: bool = True) -> None:
        """Append a node whose cost is not known."""
        attributes = {"name": self.operator, "heavy": int(heavy), "shapes": [list(out.shape) for out in outs]}
        self.node("unknown", reads, outs, domain="torch", **attributes)

    def _is_constant(self, tensor: Any) -> bool:
        return self._name_of(tensor) in self._constants

    # operators

    def dispatched(self, mode: Any, function: Any, args: Any, kwargs: Any) -> Any:
        """Run an operator that PyTorch dispatches, and write down what it does."""
        torch, tree = self._torch, self._torch.utils._pytree  # noqa: SLF001 - see above
        domain, _, name = function._schema.name.partition("::")  # noqa: SLF001 - the only place of the name
        name = name if name.startswith("__") else name.removesuffix("_")
        known = name in ATEN or name in SAME or name in RESHAPED or name in MOVED
        if not known and domain == "aten":
            with mode:
                made = function.decompose(*args, **kwargs)
            if made is not NotImplemented:
                return made
        leaves, form = tree.tree_flatten((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        computed = any(
            leaf.device.type == "meta" or id(leaf) in self._params or id(leaf) in self._meta for leaf in tensors
        )
        target = self._target(function, _bound(function, args, kwargs))
        if target is not None and _memory(target) not in self._made:
            computed = True  # what the module holds is not written to
        if computed:
            leaves = [
                self._as_meta(leaf)
                if isinstance(leaf, torch.Tensor)
                else torch.device("meta")
                if isinstance(leaf, torch.device)
                else leaf
                for leaf in leaves
            ]
        plain_args, plain_kwargs = tree.tree_unflatten(leaves, form)
        try:
            result = function(*plain_args, **plain_kwargs)
        except Exception:
            self._failing = self._around[-1]
            raise
        outs = [leaf for leaf in tree.tree_flatten(result)[0] if isinstance(leaf, torch.Tensor)]
        looked_at = {_memory(tensor) for tensor in tensors}
        self._made.update(memory for memory in map(_memory, outs) if memory not in looked_at)
        if outs:
            self.operator = name if domain in ("aten", "torchvision") else f"{domain}::{name}"
            self._label = name.strip("_")
            self._written(function, _bound(function, args, kwargs), tensors, outs)
        return result

    def _written(self, function: Any, given: dict[str, Any], tensors: list[Any], outs: list[Any]) -> None:
        """Write down an operator with these arguments and results."""
        target = self._target(function, given)
        read = [tensor for tensor in tensors if not (self.operator == "copy" and tensor is target)]
        fixed = [tensor for tensor in read if self._is_constant(tensor)]
        if read and len(fixed) == len(read) and self.operator in HEAVY:
            given = self._entered(given)
        elif len(fixed) == len(read):
            self._folded(read, outs)
            self._overwritten(target, outs)
            return
        if target is not None:
            self._name_of(target)
        if self.operator in SAME:
            for out in outs[:1]:
                self._names[id(out)] = self._name_of(read[0])
                self._keep(out, self._names[id(out)])
        elif self.operator in RESHAPED and not (self.operator == "select" and given["self"].shape[given["dim"]] != 1):
            self.node("Reshape", [given["self"]], outs[0], shape=list(outs[0].shape))
        elif self.operator in ATEN:
            ATEN[self.operator](self, given, outs)
        elif self.operator in MOVED:
            self.moved(read, outs)
        else:
            self.not_known(read, outs)
        self._overwritten(target, outs)

    def _target(self, function: Any, given: dict[str, Any]) -> Any:
        """The tensor that an operator writes to; None of one that makes its own."""
        for argument in function._schema.arguments:  # noqa: SLF001 - see above
            if argument.alias_info is not None and argument.alias_info.is_write:
                written = given[argument.name]
                return written if isinstance(written, self._torch.Tensor) else None
        return None

    def _overwritten(self, target: Any, outs: list[Any]) -> None:
        """After an operator that works in place: whoever looks at the same memory sees its result."""
        if target is None:
            return
        name = self._names[id(outs[0])]
        self._names[id(target)] = name
        self._alive.append(target)
        if name in self._constants and all(
            self._names.get(id(tensor), name) in self._constants for tensor in self._sharing.get(_memory(target), [])
        ):
            return
        for tensor in self._sharing.get(_memory(target), []):
            if tensor is not target and tensor is not outs[0] and id(tensor) in self._names:
                self._stale[id(tensor)] = name
        self._sharing.setdefault(_memory(target), []).append(target)

    def _origin_of(self, tensor: Any) -> frozenset[str]:
        return self._origins.get(self._name_of(tensor), frozenset())

    def _entered(self, given: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a product of parameters alone, the first of which is made a tensor that is computed."""
        key = next(
            key
            for key in ("input", "self", "mat1", "batch1", "query")
            if isinstance(given.get(key), self._torch.Tensor)
        )
        if key == "self" and "mat1" in given:
            key = "mat1"
        return {**given, key: self._promoted(given[key])}

    def computed(self, tensor: Any) -> Any:
        """A tensor; one that comes from parameters alone is made a tensor that is computed."""
        return self._promoted(tensor) if self._is_constant(tensor) and self._origin_of(tensor) else tensor

    def _promoted(self, tensor: Any) -> Any:
        made = self.node("parameter", [self._first, tensor], None, domain="torch")
        twin = self._torch.empty(tuple(tensor.shape), dtype=tensor.dtype, device="meta")
        self._names[id(twin)] = made
        self._keep(twin, made)
        return twin

    def _folded(self, tensors: Sequence[Any], outs: Sequence[Any]) -> None:
        """Write down that results depend on no input of the network."""
        origins = frozenset().union(*map(self._origin_of, tensors)) if tensors else frozenset()
        for out in outs:
            if id(out) in self._names and self._names[id(out)] in self._params.values():
                continue
            name = self._new()
            data = Data(tuple(out.shape), floating=out.is_floating_point())
            sources = [self._constants[self._name_of(tensor)] for tensor in tensors if self._origin_of(tensor)]
            looks = any(_memory(self._as_meta(tensor)) == _memory(out) for tensor in tensors)
            if sources and any(source.ident != sources[0].ident for source in sources):
                data.ident = " ".join(sorted(origins))
                data.stored = sum(self._sizes[own] for own in origins)
            elif sources:
                data.ident, data.stored = sources[0].ident, sources[0].stored
                if looks and out.numel() < sources[0].stored == sources[0].count:
                    whole, _ = self._parts.get(data.ident, (data.ident, 0))
                    data.ident, data.stored = f"{whole}[{out.storage_offset()}:{show(tuple(out.shape))}]", out.numel()
                    self._parts[data.ident] = (whole, out.numel())
            self._constants[name] = data
            self._origins[name] = origins
            self._names[id(out)] = name
            self._keep(out, name)


def _memory(tensor: Any) -> int:
    """The memory that a tensor looks at, as a number."""
    try:
        return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - the only identity of a storage
    except (NotImplementedError, RuntimeError):  # a sparse tensor has none
        return id(tensor)


def _bound(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an operator by name, defaults included."""
    given: dict[str, Any] = {}
    for place, argument in enumerate(function._schema.arguments):  # noqa: SLF001 - the only place of the names
        if place < len(args) and not argument.kwarg_only:
            given[argument.name] = args[place]
        else:
            given[argument.name] = kwargs.get(argument.name, argument.default_value)
    return given


def is_module(value: Any) -> bool:
    """Whether a value is a module of PyTorch; PyTorch is not imported."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def torch_source(module: Any, shape: Any = None, inputs: tuple[Any, ...] | None = None) -> TorchSource:
    """A module as a network.

    Args:
        module: of PyTorch.
        shape: ``(channels, *spatial)`` of its one input.
        inputs: in place of a shape, what it is called with.

    Raises:
        UsageError: it is no module.
    """
    if not is_module(module):
        raise UsageError(f"expected a torch.nn.Module, found {type(module).__name__}")
    return TorchSource(lambda: module, type(module).__name__, inputs, shape)


def named_source(target: str) -> TorchSource:
    """The module that ``torch:package.module:callable`` names: that code is imported and run.

    Raises:
        UsageError: PyTorch or that module is not installed, or there is no such name in it.
    """
    path, _, attribute = target.removeprefix(PREFIX).partition(":")
    if not path or not attribute:
        raise UsageError(f"expected torch:package.module:callable, found '{target[:100]}'")
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        importlib.import_module("torch")
    except ImportError:
        raise UsageError(f"{target[:100]}: PyTorch is not installed: pip install torch") from None
    try:
        value: Any = importlib.import_module(path)
        for part in attribute.split("."):
            value = getattr(value, part)
    except Exception as error:
        raise UsageError(f"{target[:100]}: {type(error).__name__}: {' '.join(str(error).split())[:300]}") from error
    return TorchSource((lambda: value) if is_module(value) else value, attribute.rpartition(".")[2])
