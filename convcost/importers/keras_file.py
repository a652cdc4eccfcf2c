"""A model of Keras as records: its layers, what each is called with, what enters and what leaves. No weights are read.

A ``.keras`` file is a zip archive whose member ``config.json`` describes the layers; ``model.to_json()`` writes the
same description as text. Both are read here, as Keras 2 and Keras 3 write them, without Keras.

Source: keras/src/saving/saving_lib.py and keras/src/models/functional.py of Keras 3, and
keras/engine/functional.py of Keras 2.15.
"""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

from convcost.errors import ConvcostError, UsageError, shorten, unknown
from convcost.language.signatures import binary_kind
from convcost.limits import MAX_BYTES, MAX_CALL_DEPTH, MAX_NESTING, MAX_NODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Part: TypeAlias = "Ref | Fixed | list[Part] | dict[str, Part] | str | float | None"

ARCHIVE, TEXT = ".keras", ".json"
OLD = (".h5", ".hdf5")
_CONFIG = "config.json"
_HEAD = 16  # bytes: as many as the signatures of file formats need
_LFS = b"version https://git-lfs"
_END = b"PK\x05\x06"  # the record at the end of a zip archive
_END_SIZE, _COMMENT = 22, 65_535  # bytes of it without and of the comment after it
_STORED, _DEFLATED = 0, 8  # ways to compress a member; others can grow without a limit while they are read
_OUTPUTS = 4_096  # of one call of a layer
_REF = 3  # layer, call, output
_KNOWN = ("Sequential", "Functional", "Model")


class Ref(NamedTuple):
    """The output of a layer that another reads.

    Attributes:
        layer: its name.
        call: which of its calls, from 0.
        output: which of its outputs, from 0.
        shape: what the file says of its shape, batch included; None where it says nothing.
    """

    layer: str
    call: int
    output: int
    shape: tuple[int | None, ...] | None = None


class Fixed(NamedTuple):
    """A tensor or array that is written in the file: only its shape matters."""

    shape: tuple[int, ...]


class Layer(NamedTuple):
    """A layer of a model.

    Attributes:
        name: unique in its model.
        kind: the name of its class.
        module: where the class is defined; empty in files of Keras 2.
        config: its settings.
        calls: for each call the positional arguments and those by name; empty of an input.
        network: the layers inside it, of a model that is a layer.
        inner: the layer that a wrapper repeats.
        shape: the shape of its input that the file states, batch included; or None.
    """

    name: str
    kind: str
    module: str
    config: dict[str, Any]
    calls: tuple[tuple[list[Part], dict[str, Part]], ...]
    network: Network | None
    inner: Layer | None
    shape: tuple[int | None, ...] | None


class Network(NamedTuple):
    """A model: a file, or a layer of another model.

    Attributes:
        name: of the model.
        layers: by name, in the order of the file.
        inputs: the layers that enter, in the order of the model's arguments.
        outputs: what leaves.
        shape: of its one input, of a sequence of layers without an input of its own; or None.
    """

    name: str
    layers: dict[str, Layer]
    inputs: tuple[str, ...]
    outputs: tuple[Ref, ...]
    shape: tuple[int | None, ...] | None


def read_keras(path: str, label: str) -> Network:
    """The model in a file.

    Raises:
        UsageError: there is no such file.
        ConvcostError: it cannot be read, or is no model of Keras; the text begins with ``label``.
    """
    try:
        with open(path, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise ConvcostError(f"{label}: expected a regular file")
            head = stream.read(_HEAD)
            stream.seek(0)
            if head.startswith(b"PK"):
                return network_from(config_of(stream, label), label)
            return network_from(stream.read(MAX_BYTES + 1), label)
    except FileNotFoundError:
        raise UsageError(unknown("file", label, [])) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConvcostError(f"cannot read {label[:100]}: {reason}") from None


def config_of(stream: Any, label: str) -> bytes:
    """The description of the layers in an archive.

    Args:
        stream: the archive, at its start.
        label: what errors call it.

    Raises:
        ConvcostError: it is no archive, has no such member, or one that is too large or packed in another way.
    """
    import zipfile  # noqa: PLC0415 - only archives pay for it
    import zlib  # noqa: PLC0415

    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(size - _END_SIZE - _COMMENT, 0))
    tail = stream.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) < place + _END_SIZE:
        raise ConvcostError(f"{label}: expected a zip archive with {_CONFIG}; its end is missing")
    listed = int.from_bytes(tail[place + 12 : place + 16], "little")
    if listed > MAX_BYTES:
        raise ConvcostError(f"{label}: the list of its members has more than {MAX_BYTES // 2**20} MiB")
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            members = [member for member in archive.infolist() if member.filename == _CONFIG]
            if len(members) != 1:
                count = f"{len(members)} of them" if members else "none"
                raise ConvcostError(f"{label}: expected one member {_CONFIG}, as .keras files have; found {count}")
            if members[0].compress_type not in (_STORED, _DEFLATED) or members[0].flag_bits & 1:
                raise ConvcostError(f"{label}: {_CONFIG}: expected a member that is stored or deflated, as Keras does")
            with archive.open(members[0]) as member:
                return member.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OverflowError) as error:
        raise ConvcostError(f"{label}: expected a zip archive with {_CONFIG}; {str(error)[:100]}") from None


def network_from(data: bytes, label: str) -> Network:
    """The model that JSON describes.

    Raises:
        ConvcostError: it is no JSON, or no model of Keras; the text begins with ``label``.
    """
    if data.startswith(_LFS):
        raise ConvcostError(
            f"{label}: expected a model of Keras, found a Git LFS pointer; `git lfs pull` fetches the file"
        )
    if len(data) > MAX_BYTES:
        raise ConvcostError(f"{label}: {_CONFIG} has more than {MAX_BYTES // 2**20} MiB")
    kind = binary_kind(data[:_HEAD])
    if kind:
        raise ConvcostError(f"{label}: expected a model of Keras as a .keras file or as JSON, found {kind}")
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConvcostError(f"{label}: expected JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        place = f"{label}:{error.lineno}:{error.colno}"
        raise ConvcostError(f"{place}: expected the JSON of a model of Keras: {error.msg}") from None
    except ValueError:
        raise ConvcostError(f"{label}: expected the JSON of a model of Keras; a number in it is too long") from None
    except RecursionError:
        raise ConvcostError(f"{label}: brackets nest too deep") from None
    return _Reader(label).model(tree)


class _Reader:
    """Makes records of the tree of a file, and counts what must not become too many."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._calls = 0
        self._old = False  # whether calls are written as Keras 2 does

    def fail(self, where: str, message: str) -> NoReturn:
        """Raise an error about a place of the file.

        Raises:
            ConvcostError: always.
        """
        raise ConvcostError(f"{self._label}: {where}: {message}" if where else f"{self._label}: {message}")

    def model(self, tree: Any) -> Network:
        """The model that a file describes."""
        kind = tree.get("class_name") if isinstance(tree, dict) else None
        if not isinstance(kind, str) or "config" not in tree:
            self.fail("", "expected a model of Keras, with `class_name` and `config`, as `model.to_json()` writes")
        config = tree["config"]
        if kind == "Sequential" and isinstance(config, list):  # before Keras 2.2.3
            config = {"name": "sequential", "layers": config}
        if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
            self.fail(
                "",
                f"the file has no layers of {shorten(kind)}: Keras writes only those of Sequential and Functional "
                "models; export a subclassed model to ONNX",
            )
        return self.network(config, "", 0)

    def network(self, config: dict[str, Any], around: str, depth: int) -> Network:
        """The model with this config."""
        name = config.get("name")
        layers: dict[str, Layer] = {}
        for place, entry in enumerate(config["layers"]):
            layer = self.layer(entry, place, around, depth)
            if layer.name in layers:
                self.fail(f"{around}{layer.name[:60]}", "two layers have this name")
            layers[layer.name] = layer
        if not layers:
            self.fail(around.rstrip("/"), "expected layers, found none")
        own = name if isinstance(name, str) else "model"
        if "input_layers" not in config and "output_layers" not in config:
            return self.sequence(own, layers, config, around)
        inputs = tuple(ref.layer for ref in self.refs(config.get("input_layers"), f"{around}input_layers"))
        outputs = tuple(self.refs(config.get("output_layers"), f"{around}output_layers"))
        if not inputs or not outputs:
            self.fail(around.rstrip("/"), "expected `input_layers` and `output_layers` with a layer each, found none")
        made = Network(own, layers, inputs, outputs, None)
        return _numbered(made, self._renumbered(made))

    def sequence(self, name: str, layers: dict[str, Layer], config: dict[str, Any], around: str) -> Network:
        """A model whose layers follow one another."""
        first = next(iter(layers.values()))
        shape = first.shape or self.shape(config.get("build_input_shape"), around, missing=None)
        before = Ref("", 0, 0)
        made: dict[str, Layer] = {}
        for layer in layers.values():
            if layer.kind == "InputLayer":
                if made:
                    self.fail(f"{around}{layer.name[:60]}", "expected an input before all other layers")
                shape = layer.shape
                made[layer.name] = layer
            else:
                made[layer.name] = layer._replace(calls=(([before], {}),))
            before = Ref(layer.name, 0, 0)
        inputs = (first.name,) if first.kind == "InputLayer" else ()
        return Network(name, made, inputs, (before,), shape)

    def layer(self, entry: Any, place: int, around: str, depth: int) -> Layer:
        """A layer of a list of layers."""
        where = f"{around}layer {place}"
        self._calls += 1
        if self._calls > MAX_NODES:
            self.fail(where, f"more than {MAX_NODES:,} layers")
        if depth > MAX_CALL_DEPTH:
            self.fail(where, f"models and wrappers inside one another more than {MAX_CALL_DEPTH} deep")
        if not isinstance(entry, dict):
            self.fail(where, f"expected a layer with `class_name` and `config`, found {_kind(entry)}")
        config, kind, module = entry.get("config"), entry.get("class_name"), entry.get("module")
        if not isinstance(kind, str) or not isinstance(config, dict):
            self.fail(where, "expected a layer with `class_name` and `config`")
        name = entry.get("name", config.get("name"))
        if not isinstance(name, str) or not name:
            name = f"{kind.lower()[:60]}_{place}"
        where = f"{around}{name[:60]}"
        network = inner = None
        if isinstance(config.get("layers"), list) and (kind in _KNOWN or "input_layers" in config):
            network = self.network(config, f"{where}/", depth + 1)
        elif isinstance(config.get("layer"), dict):
            inner = self.layer(config["layer"], 0, f"{where}/", depth + 1)
        calls = tuple(self.calls(entry.get("inbound_nodes", []), where)) if kind != "InputLayer" else ()
        module = module if isinstance(module, str) else ""
        return Layer(name, kind, module, config, calls, network, inner, self.entering(entry, config, where))

    def entering(self, entry: dict[str, Any], config: dict[str, Any], where: str) -> tuple[int | None, ...] | None:
        """The shape of the input of a layer, where the file states it; that of an input must be stated."""
        shape = config.get("batch_shape", config.get("batch_input_shape"))
        if entry["class_name"] == "InputLayer":
            return self.shape(shape, where, missing=())
        if shape is None and isinstance(entry.get("build_config"), dict):
            shape = entry["build_config"].get("input_shape")
        return self.shape(shape, where, missing=None, strict=False)

    def shape(
        self, value: Any, where: str, *, missing: tuple[()] | None, strict: bool = True
    ) -> tuple[int | None, ...] | None:
        """A shape of the file; sizes that it leaves open are None."""
        if isinstance(value, list) and all(
            size is None or (type(size) is int and 0 < size < 2**63) for size in value[: MAX_NESTING + 1]
        ):
            if value and len(value) <= MAX_NESTING:
                return tuple(value)
        elif value is None and missing is None:
            return None
        if not strict:
            return None
        return self.fail(where, f"expected a shape such as [null, 224, 224, 3], found {_shown(value)}")

    def calls(self, nodes: Any, where: str) -> Iterator[tuple[list[Part], dict[str, Part]]]:
        """The calls of a layer: of Keras 3 with arguments, of Keras 2 lists of tensors with arguments by name."""
        if not isinstance(nodes, list):
            self.fail(where, f"`inbound_nodes`: expected a list, found {_kind(nodes)}")
        for node in nodes:
            self._calls += 1
            if self._calls > MAX_NODES:
                self.fail(where, f"more than {MAX_NODES:,} calls of layers")
            if isinstance(node, dict):
                args, named = node.get("args", []), node.get("kwargs", {})
                if not isinstance(args, list) or not isinstance(named, dict):
                    self.fail(where, "`inbound_nodes`: expected `args` and `kwargs`")
                yield (
                    [self.part(item, where, 0) for item in args],
                    {str(key)[:60]: self.part(item, where, 0) for key, item in named.items()},
                )
            elif isinstance(node, list):
                yield self.old_call(node, where)
            else:
                self.fail(where, f"`inbound_nodes`: expected calls, found {_kind(node)}")

    def old_call(self, node: list[Any], where: str) -> tuple[list[Part], dict[str, Part]]:
        """A call as Keras 2 writes it."""
        self._old = True
        tensors = [node] if node and isinstance(node[0], str) else node
        refs: list[Part] = []
        named: dict[str, Part] = {}
        for item in tensors:
            if not isinstance(item, list) or len(item) < _REF:
                self.fail(where, "`inbound_nodes`: expected [layer, call, output, arguments]")
            refs.append(self.ref(item, where))
            more = item[_REF] if len(item) > _REF else {}
            if isinstance(more, dict):
                named |= {str(key)[:60]: self.old_part(value, where) for key, value in more.items()}
        return [refs[0] if len(refs) == 1 else refs], named

    def old_part(self, value: Any, where: str) -> Part:
        """An argument as Keras 2 writes it: a tensor is a list of a layer's name and two numbers."""
        tensor = isinstance(value, list) and len(value) in (_REF, _REF + 1)
        if tensor and [type(item) for item in value[:_REF]] == [str, int, int]:
            return self.ref(value, where)
        return self.part(value, where, 0)

    def part(self, value: Any, where: str, depth: int) -> Part:
        """An argument: tensors become references, arrays their shapes; what cannot matter is left as it is."""
        if depth > MAX_NESTING:
            self.fail(where, f"its arguments nest deeper than {MAX_NESTING} levels")
        if isinstance(value, list):
            return [self.part(item, where, depth + 1) for item in value]
        if not isinstance(value, dict):
            return value  # type: ignore[no-any-return]
        kind, config = value.get("class_name"), value.get("config")
        if kind == "__keras_tensor__" and isinstance(config, dict):
            return self.ref(config.get("keras_history"), where, config.get("shape"))
        if kind in ("__tensor__", "__numpy__") and isinstance(config, dict):
            return Fixed(tuple(_sizes_of(config.get("value"))))
        if kind == "__tuple__" and isinstance(value.get("items"), list):
            return [self.part(item, where, depth + 1) for item in value["items"]]
        return {str(key)[:60]: self.part(item, where, depth + 1) for key, item in value.items()}

    def ref(self, value: Any, where: str, shape: Any = None) -> Ref:
        """A reference to the output of a layer."""
        if isinstance(value, list) and len(value) >= _REF:
            layer, call, output = value[:_REF]
            if isinstance(layer, str) and type(call) is int and type(output) is int and call >= 0 and output >= 0:
                if output >= _OUTPUTS:
                    self.fail(where, f"expected an output below {_OUTPUTS} of '{layer[:60]}', found a higher one")
                return Ref(layer, call, output, self.shape(shape, where, missing=None, strict=False))
        return self.fail(where, f"expected [layer, call, output], found {_shown(value)}")

    def refs(self, value: Any, where: str) -> list[Ref]:
        """All references in a list, however it nests."""
        waiting, made = [value], []
        while waiting:
            item = waiting.pop()
            if isinstance(item, list) and len(item) >= _REF and isinstance(item[0], str):
                made.append(self.ref(item, where))
            elif isinstance(item, list):
                waiting += item[::-1]
            elif isinstance(item, dict):
                waiting += list(item.values())[::-1]
            elif item is not None:
                self.fail(where, f"expected [layer, call, output], found {_shown(item)}")
        return made

    def _renumbered(self, network: Network) -> dict[str, tuple[int, int]]:
        """For models that are layers, what has to be taken off numbers of calls: in arguments, and in outputs.

        A model that is a layer counts its own construction as call 0: Keras 2 everywhere, Keras 3 in outputs.
        """
        inside: dict[str, set[int]] = {}
        leaving: dict[str, set[int]] = {}
        nested = {name: layer for name, layer in network.layers.items() if layer.network is not None}
        if not nested:
            return {}
        for layer in network.layers.values():
            for args, named in layer.calls:
                for ref in refs_in([args, named]):
                    inside.setdefault(ref.layer, set()).add(ref.call)
        for ref in network.outputs:
            leaving.setdefault(ref.layer, set()).add(ref.call)
        result = {}
        for name, layer in nested.items():
            count, used = len(layer.calls), inside.get(name, set())
            old = count in used or (bool(used) and 0 not in used and self._old)
            first = count in leaving.get(name, set()) or (
                bool(leaving.get(name)) and 0 not in leaving[name] and (old or layer.kind != "Sequential")
            )
            result[name] = (int(old), int(first))
        return result


def refs_in(part: Any) -> Iterator[Ref]:
    """Every reference in the arguments of a call, in their order."""
    waiting = [part]
    while waiting:
        item = waiting.pop()
        if type(item) is Ref:
            yield item
        elif type(item) is list:
            waiting += item[::-1]
        elif type(item) is dict:
            waiting += list(item.values())[::-1]


def _numbered(network: Network, less: Mapping[str, tuple[int, int]]) -> Network:
    """The model with its references to calls of models counted from 0."""
    if not any(any(pair) for pair in less.values()):
        return network

    def moved(part: Any) -> Any:
        if type(part) is Ref:
            return part._replace(call=part.call - less.get(part.layer, (0, 0))[0])
        if type(part) is list:
            return [moved(item) for item in part]
        return {key: moved(item) for key, item in part.items()} if type(part) is dict else part

    layers = {
        name: layer._replace(calls=tuple((moved(args), moved(named)) for args, named in layer.calls))
        for name, layer in network.layers.items()
    }
    outputs = tuple(ref._replace(call=ref.call - less.get(ref.layer, (0, 0))[1]) for ref in network.outputs)
    return network._replace(layers=layers, outputs=outputs)


def _sizes_of(value: Any) -> Iterator[int]:
    """The sizes of an array that is written as lists in lists."""
    for _ in range(MAX_NESTING):
        if not isinstance(value, list):
            return
        yield len(value)
        if not value:
            return
        value = value[0]


def _kind(value: Any) -> str:
    """What a value of JSON is, in words."""
    if value is None:
        return "null"
    words = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return words.get(type(value), "something else")


def _shown(value: Any) -> str:
    """A value of JSON as an error repeats it: of values inside one another only what it is."""
    inside = value if isinstance(value, list) else []
    if isinstance(value, dict) or any(isinstance(item, dict | list) for item in inside):
        return _kind(value)
    return shorten(json.dumps(value[:20] if inside else value))
