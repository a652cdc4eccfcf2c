"""A graph as an ONNX file without weights, with the costs of every layer beside its node.

A tensor of parameters is a ``Constant`` whose value is a sparse tensor without elements: it has the shape and the type
of the parameters, is zero, and takes a few bytes. onnx.checker, onnxruntime and Netron take it for the weights of the
node that reads it. All shapes are those of one sample.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from convcost.errors import UnsupportedError
from convcost.exporters.operators import LATER, RULES, Call
from convcost.importers.onnx_file import FLOAT, INT64
from convcost.importers.protobuf import written, written_varint
from convcost.importers.stated import DOMAIN
from convcost.layers.base import WORK_FIELDS, elements
from convcost.limits import MAX_NODES
from convcost.network.cost import sum_work
from convcost.network.graph import Input
from convcost.network.schedule import copies_read, schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from convcost.exporters.operators import Made
    from convcost.layers.base import Work
    from convcost.network.graph import Graph, Node

_VERSIONS = {21: 10, LATER: 11}  # versions of the operators, and of the format that came with them
_OWN_VERSION = 1  # of the operators of our own
FLOAT_BYTES = 4  # of an element
_COUNTS = {"params": "params", "macs": "macs", "flops": "flops"}
# types of attributes in onnx.proto
_FLOAT, _INT, _TEXT, _INTS, _TEXTS, _SPARSE = 1, 2, 3, 7, 8, 11
_WORD = re.compile(r"\W+")


def check_writable(graph: Graph) -> None:
    """Make sure that a graph has numbers, and is known in whole.

    Raises:
        UnsupportedError: it has not, or is not.
    """
    reason = ""
    if graph.status == "partial":
        reason = "its cost is known in part only"
    elif any(type(size) is not int for node in graph.nodes for size in (node.count, *node.shape)):
        reason = "its sizes are not numbers"
    elif not graph.layers:
        reason = "it has no layers"
    elif sum(node.count for node in graph.layers) > MAX_NODES:
        reason = f"it has more than {MAX_NODES:,} layers, copies written out"
    if reason:
        raise UnsupportedError(f"{graph.name} cannot be written as ONNX: {reason}")


def onnx_model(graph: Graph, totals: Mapping[str, str]) -> bytes:
    """A graph as an ONNX file.

    Args:
        graph: that :func:`check_writable` takes.
        totals: what is noted beside the whole network, further to the counts of a node.

    Returns:
        The file: it has a node by the path of each layer, with ``params``, ``macs``, ``flops`` and
        ``activation_bytes`` in its ``metadata_props``; the totals are in those of the model.

    Raises:
        UnsupportedError: there are too many layers, or a number does not fit into the format.
    """
    try:
        return _Writer(graph).model(totals)
    except OverflowError:
        raise UnsupportedError(
            f"{graph.name} cannot be written as ONNX: a number of it has more than 64 bits, or is no float of 32"
        ) from None


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._nodes: list[bytes] = []
        self._infos: dict[str, bytes] = {}
        self._parameters: dict[str, tuple[int, ...]] = {}
        self._functions: dict[str, tuple[int, set[str]]] = {}  # own operators: inputs at most, and attributes
        self._version = min(_VERSIONS)
        self._by_path = {node.path: node for node in graph.nodes}
        self._computed = _computed_parameters(graph)

    def model(self, totals: Mapping[str, str]) -> bytes:
        graph = self._graph
        for step in schedule(graph):
            self._layer(step.node, step.makes[1])
        outputs = self._outputs()
        if len(self._nodes) > MAX_NODES:
            raise UnsupportedError(f"{graph.name} cannot be written as ONNX: it has more than {MAX_NODES:,} nodes")
        inputs = {node.path: _info(node.path, node.shape) for node in graph.nodes if type(node.layer) is Input}
        inner = [info for name, info in self._infos.items() if name not in outputs]
        body = b"".join(
            (
                *(written(1, node) for node in self._nodes),
                written(2, graph.name),
                *(written(11, info) for info in inputs.values()),
                *(written(12, info) for info in outputs.values()),
                *(written(13, info) for info in inner),
            )
        )
        work = sum_work(graph.layers)
        notes = {**{key: str(getattr(work, field)) for key, field in _COUNTS.items()}, **totals}
        domains = {"": self._version, **({DOMAIN: _OWN_VERSION} if self._functions else {})}
        return b"".join(
            (
                written(1, _VERSIONS[self._version]),
                written(2, "convcost"),
                written(6, graph.title),
                written(7, body),
                *(written(8, _opset(domain, number)) for domain, number in domains.items()),
                *(written(14, _entry(key, value)) for key, value in notes.items()),
                *(written(25, self._function(name)) for name in self._functions),
            )
        )

    # layers

    def _layer(self, node: Node, copy: int) -> None:
        """Append the nodes of one copy of a layer."""
        name = _copied(node.path, copy, node.count)
        inputs, shapes = [], []
        for index, times in node.inputs:
            before = self._graph.nodes[index]
            which = copies_read(before.count, node.count, copy)
            names = [_copied(before.path, each, before.count) for each in which]
            names *= max(int(times) // len(names), 1)
            inputs += names
            shapes += [before.shape] * len(names)
        owner = self._owner(node, copy) if node.shared else name
        call = Call(node.layer, shapes, node.shape, inputs, name)
        write = RULES.get(node.layer.key)
        written_out = write is not None and node.index not in self._computed and write(call) is not False
        if not written_out or (node.shared and not self._shares(call, owner)):
            call = Call(node.layer, shapes, node.shape, inputs, name)
            self._stated(call, node)
        for key, value in call.constants.items():
            self._nodes.append(_constant(key, value))
        for role, sizes in call.weights.items():
            tensor = f"{owner}:{role}"
            if tensor not in self._parameters:
                self._parameters[tensor] = sizes
                self._nodes.append(_zeros(tensor, sizes))
        main = len(call.made) - 1 if call.main is None else call.main
        for place, made in enumerate(call.made):
            last = place == len(call.made) - 1
            notes = _notes(node) if place == main else {}
            title = name if place == main else f"{name}:{made.op.rpartition(':')[2].lower()}_{place}"
            named = {role: f"{owner}:{role}" for role in call.weights}
            if last:
                named[made.output] = name
            self._nodes.append(_node(made, named, title, notes))
        self._infos[name] = _info(name, node.shape)
        self._version = max(self._version, call.version)

    def _owner(self, node: Node, copy: int) -> str:
        """The copy of another layer whose parameters a copy of a layer uses."""
        owner = self._by_path[node.shared]
        return _copied(owner.path, copies_read(owner.count, node.count, copy)[0], owner.count)

    def _shares(self, call: Call, owner: str) -> bool:
        """Whether another layer has all parameters that a layer reads, as tensors of the same sizes."""
        matches = [self._parameters.get(f"{owner}:{role}") == sizes for role, sizes in call.weights.items()]
        return matches[:1] == [True] and all(
            same or f"{owner}:{role}" not in self._parameters for same, role in zip(matches, call.weights, strict=True)
        )

    def _stated(self, call: Call, node: Node) -> None:
        """A layer that is no operator of ONNX: a function of our own with its counts as attributes."""
        counts = {field: int(count) for field, count in node.work.as_dict().items() if count}
        attributes = {"shape": (1, *node.shape), "family": node.layer.family, **counts}
        op = _WORD.sub("_", node.kind)[:100] or "layer"
        most, names = self._functions.get(op, (0, set()))
        self._functions[op] = max(most, len(call.inputs)), names | attributes.keys()
        call.put(f"{DOMAIN}:{op}", *call.inputs, **attributes)

    def _function(self, name: str) -> bytes:
        """The body of an operator of our own: it makes a tensor of the shape that the call states."""
        most, attributes = self._functions[name]
        shape = b"".join((written(1, "value_ints"), written(20, _INTS), written(21, "shape")))
        made = b"".join((written(2, "shape"), written(4, "Constant"), written(5, shape)))
        filled = b"".join((written(1, "shape"), written(2, "output"), written(4, "ConstantOfShape")))
        return b"".join(
            (
                written(1, name),
                *(written(4, f"input_{place}") for place in range(most)),
                written(5, "output"),
                written(6, "shape"),
                written(7, made),
                written(7, filled),
                written(9, _opset("", self._version)),
                written(10, DOMAIN),
                *(written(11, _attribute(each, _unset(each))) for each in sorted(attributes - {"shape"})),
            )
        )

    def _outputs(self) -> dict[str, bytes]:
        """The tensors that leave the network, that of the last layer first."""
        graph = self._graph
        result: dict[str, bytes] = {}
        for index in dict.fromkeys((graph.output, *graph.outputs.values())):
            node = graph.nodes[index]
            for copy in range(int(node.count)):
                name = _copied(node.path, copy, node.count)
                if type(node.layer) is Input:  # an input that also leaves the network
                    name = f"{node.path}:output"
                    self._nodes.append(written(1, node.path) + written(2, name) + written(4, "Identity"))
                result[name] = _info(name, node.shape)
        return result


def _computed_parameters(graph: Graph) -> set[int]:
    """Free parameters that are no weights of a layer: by index those that not only sums and joins with tensors read."""
    free = {node.index for node in graph.layers if node.layer.key == "parameter"}
    leaving = free & {graph.output, *graph.outputs.values()}
    wrong = (node for node in graph.layers if not node.layer.is_merge or all(index in free for index, _ in node.inputs))
    return leaving | {index for node in wrong for index, _ in node.inputs if index in free}


def _copied(path: str, copy: int, count: Any) -> str:
    """The name of one of several identical copies."""
    return path if count == 1 else f"{path}~{copy + 1}"


def _notes(node: Node) -> dict[str, str]:
    """What is noted beside the node of a layer."""
    work: Work = node.work
    notes = {key: str(getattr(work, field)) for key, field in _COUNTS.items()}
    notes["activation_bytes"] = str(FLOAT_BYTES * elements(node.shape) * (0 if node.layer.is_view else 1))
    if node.shared:
        notes["shared"] = node.shared
    return notes


def _unset(attribute: str) -> Any:
    """The value of an attribute of our own operators where a call has none."""
    return 0 if attribute in WORK_FIELDS else "shape"


# messages of onnx.proto, by the numbers of its fields


def _opset(domain: str, version: int) -> bytes:
    return written(1, domain) + written(2, version)


def _entry(key: str, value: str) -> bytes:
    return written(1, key) + written(2, value)


def _info(name: str, shape: Sequence[int]) -> bytes:
    sizes = b"".join(written(1, written(1, size)) for size in (1, *shape))
    return written(1, name) + written(2, written(1, written(1, FLOAT) + written(2, sizes)))


def _node(made: Made, named: Mapping[str, str], title: str, notes: Mapping[str, str]) -> bytes:
    domain, _, op = made.op.rpartition(":")
    return b"".join(
        (
            *(written(1, named.get(name, name)) for name in made.inputs),
            written(2, named.get(made.output, made.output)),
            written(3, title),
            written(4, op),
            *(written(5, _attribute(name, value)) for name, value in made.attributes.items()),
            *([written(7, domain)] if domain else []),
            *(written(9, _entry(key, value)) for key, value in notes.items()),
        )
    )


def _attribute(name: str, value: Any) -> bytes:
    start = written(1, name)
    if isinstance(value, int):
        return start + written(3, value) + written(20, _INT)
    if isinstance(value, float):
        return start + written(2, value) + written(20, _FLOAT)
    if isinstance(value, str):
        return start + written(4, value) + written(20, _TEXT)
    if value and isinstance(value[0], str):
        return start + b"".join(written(9, item) for item in value) + written(20, _TEXTS)
    return start + written(8, _packed(value)) + written(20, _INTS)


def _packed(values: Iterable[int]) -> bytes:
    return b"".join(map(written_varint, values))


def _constant(name: str, value: tuple[int, ...] | float) -> bytes:
    """A node that makes a list of whole numbers, or a single float."""
    key = "value_float" if isinstance(value, float) else "value_ints"
    return written(2, name) + written(4, "Constant") + written(5, _attribute(key, value))


def _zeros(name: str, sizes: Sequence[int]) -> bytes:
    """A node that makes a tensor of zeros, as a sparse tensor of which no element is stored."""
    none = written(1, 0)
    values, indices = none + written(2, FLOAT), none + written(2, INT64)
    sparse = written(1, values) + written(2, indices) + written(3, _packed(sizes))
    attribute = written(1, "sparse_value") + written(22, sparse) + written(20, _SPARSE)
    return written(2, name) + written(4, "Constant") + written(5, attribute)
