"""Specs: what is bundled, graphs built from specs, and the language they are written in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from convcost.api.targets import Network, Sizes, Target, TargetLike, built, convention_of, input_shape
from convcost.catalogue import ready
from convcost.catalogue.loader import SPECS, Catalogue, all_bytes, bundled_names, natural, source_text
from convcost.conventions import DEFAULT
from convcost.conventions.catalogue import PAPER
from convcost.conventions.reported import Reported
from convcost.errors import ConvcostError, UsageError
from convcost.language.interpret import build
from convcost.network.cost import sum_work
from convcost.plugins import any_loaded
from convcost.records import NamedTuple
from convcost.tables.printable import Records

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.language.model import Spec
    from convcost.layers.base import Shape
    from convcost.layers.docs import LayerDocs
    from convcost.network.graph import Graph
    from convcost.numbers.arithmetic import Num


def load(target: TargetLike, *, input: Sizes | None = None, **parameters: Any) -> Graph:  # noqa: A002 - the language's own word
    """Build a network or block.

    Args:
        target: name of a bundled spec, or path of a file.
        input: ``(channels, *spatial)`` in place of the spec's own.
        **parameters: values of the spec's parameters, and of the sizes a block reads off its input. A float
            means the decimal it prints as; an expression of sympy becomes one of this package, a numpy array of
            whatever type elementwise and exact.

    Returns:
        An immutable graph with the shape and the counts of every layer.

    Raises:
        SpecError: the spec is wrong, or a value does not fit.
        UsageError: there is no such parameter or spec.

    >>> load("bottleneck", M=32).layers[0].shape
    (32, 14, 14)
    """
    graph, _ = built(target, input, parameters, partial=True)
    return graph


def loads(text: str, *, name: str = "spec", input: Sizes | None = None, **parameters: Any) -> Graph:  # noqa: A002
    """Build a network or block from the text of a spec; otherwise as :func:`load`.

    >>> loads("{input: [3, 8, 8], layers: [conv: {out: 4, kernel: 3}]}").layers[0].work.macs
    6912
    """
    spec = Catalogue().text(text.encode("utf-8", "surrogatepass"), f"<{name}>", name, os.getcwd())
    return build(spec, parameters, input_shape(input))


def convert(network: Network, *, input: Sizes | None = None, **parameters: Any) -> str:  # noqa: A002
    """The text of a spec that builds the same layers: with branches, repeats, and blocks for what differs in numbers.

    Args:
        network: a graph, or a target such as an ONNX file.
        input: ``(channels, *spatial)`` in place of the target's own.
        **parameters: values of the target's parameters.

    Returns:
        YAML. It was built again, and all its counts are those of the network.

    Raises:
        UnsupportedError: the language has no word for a layer, or the network is known in part only.
        UsageError: there is no such parameter or target.

    >>> print(convert("two_3x3").partition("layers:")[2].strip())
    - conv: {out: 64, kernel: 3, bias: false}
      - conv: {out: 64, kernel: 3, bias: false}
    """
    from convcost.exporters.spec import spec_text  # noqa: PLC0415 - only this question pays for it

    graph, _ = built(network, input, parameters, partial=True)
    text = spec_text(graph)
    try:
        again = loads(text, name=graph.name)
    except ConvcostError as error:
        raise ConvcostError(f"{graph.name}: the spec of this network is wrong; please report this: {error}") from None
    if len(again.layers) != len(graph.layers) or sum_work(again.layers).as_dict() != sum_work(graph.layers).as_dict():
        raise ConvcostError(f"{graph.name}: the spec would not have the cost of the network; please report this")
    return text


def to_onnx(network: Network, *, input: Sizes | None = None, **parameters: Any) -> bytes:  # noqa: A002
    """An ONNX file of a network: without weights, and with the costs of every layer in the metadata of its node.

    A node is called by the path of its layer and has ``params``, ``macs``, ``flops`` and ``activation_bytes`` (of its
    output, in float32). The metadata of the model have the totals, and ``peak_activation_bytes``. All of them are for
    one sample. A layer without an operator of ONNX is a function of the domain ``convcost``.

    Args:
        network: a graph, or a target.
        input: ``(channels, *spatial)`` in place of the target's own.
        **parameters: values of the target's parameters.

    Returns:
        The bytes of the file. They were read again, and have the parameters and MACs of the network.

    Raises:
        UnsupportedError: the network is known in part only, or a number does not fit into the format.
        UsageError: there is no such parameter or target.

    >>> data = to_onnx("lenet5")
    >>> data[4:12], len(data) < 20_000
    (b'convcost', True)
    """
    from convcost.exporters.onnx import FLOAT_BYTES, check_writable, onnx_model  # noqa: PLC0415 - only for this
    from convcost.importers.onnx import from_bytes  # noqa: PLC0415
    from convcost.metrics.memory import peak  # noqa: PLC0415

    graph, _ = built(network, input, parameters, partial=True)
    check_writable(graph)
    data = onnx_model(graph, {"peak_activation_bytes": str(FLOAT_BYTES * peak(graph).elements)})
    try:
        again = build(from_bytes(data, graph.name))
    except ConvcostError as error:
        raise ConvcostError(f"{graph.name}: the file of this network is wrong; please report this: {error}") from None
    before, after = sum_work(graph.layers), sum_work(again.layers)
    if (before.params, before.macs) != (after.params, after.macs):
        raise ConvcostError(f"{graph.name}: the file would not have the cost of the network; please report this")
    return data


def from_torch(
    module: Any,
    *,
    input: Sizes | None = None,  # noqa: A002 - the language's own word
    example_inputs: Any = None,
) -> Target:
    """A module of PyTorch as a target, which every function takes.

    The module is run once on tensors without elements, so that its weights are neither read nor changed. A dict of
    inputs gives them by the names of ``forward``, samples included.

    Args:
        module: a ``torch.nn.Module``, in the mode whose costs are asked for (``module.eval()``).
        input: ``(channels, *spatial)`` of its one input, or sizes of its inputs by name, samples included.
        example_inputs: in place of sizes, a tensor or a tuple of all that the module is called with.

    Raises:
        UsageError: it is no module, or neither or both of the inputs are given.
    """
    from convcost.importers.torch import torch_source  # noqa: PLC0415 - only for a module

    if (input is None) == (example_inputs is None):
        raise UsageError(
            "expected `input` or `example_inputs`, found both" if input else "expected `input` or `example_inputs`"
        )
    given = example_inputs if isinstance(example_inputs, tuple | list | None) else (example_inputs,)
    source = torch_source(module, input_shape(input), None if given is None else tuple(given))
    return Target(source.name, source.name, source, {})


def from_keras(model: Any) -> Target:
    """A model of Keras as a target, which every function takes. No weights are read.

    Args:
        model: a ``keras.Model``, or the text that ``model.to_json()`` returns.

    Raises:
        UsageError: it is neither.
        ConvcostError: the text is not understood, or a subclassed model has no such text.

    >>> rows = '[{"class_name": "Dense", "config": {"name": "head", "units": 10, "batch_input_shape": [null, 64]}}]'
    >>> net = from_keras(f'{{"class_name": "Sequential", "config": {{"name": "net", "layers": {rows}}}}}')
    >>> load(net).layers[0].work.params
    650
    """
    from convcost.importers.keras import keras_source  # noqa: PLC0415 - only for a model of Keras

    source = keras_source(model)
    return Target(source.name, source.name, source, {})


LIST = "list"  # the record of all bundled specs with their costs


class Entry(NamedTuple):
    """One bundled spec, at its defaults.

    Attributes:
        name: what commands call it.
        title: what people call it.
        family: networks of one kind; ``blocks`` for blocks.
        year: of the paper, if stated.
        input: shape it runs on.
        params, macs: cost in the default convention.
        parameters: names that ``--set`` takes.
        reported: the number that the tool of the convention would print; None for a network without a convention.
    """

    name: str
    title: str
    family: str
    year: int | None
    input: Shape
    params: Num
    macs: Num
    parameters: tuple[str, ...]
    reported: Num | None


class Entries(Records[Entry]):
    """Bundled specs.

    Attributes:
        convention: whose numbers are reported.
    """

    def __init__(self, entries: Iterable[Entry], convention: str) -> None:
        super().__init__(entries)
        self.convention = convention


def list_specs(*, blocks: bool | None = None, convention: str = DEFAULT) -> Entries:
    """The bundled networks (``blocks=False``), blocks (``True``) or both: by family, year and name.

    Args:
        blocks: which.
        convention: whose number is reported beside the plain ones: a name or a file.

    Raises:
        SpecError: a bundled spec is wrong.
        UsageError: there is no such convention.

    >>> [entry.name for entry in list_specs(blocks=False) if entry.family == "LeNet"]
    ['lenet5']
    """
    if convention == DEFAULT and not any_loaded():
        entries = [entry for entry in _listed() if blocks is None or (entry.family == "blocks") == blocks]
    else:
        entries = counted(blocks=blocks, convention=convention)
    return Entries(sorted(entries, key=_order), convention)


def counted(*, blocks: bool | None = None, convention: str = DEFAULT) -> list[Entry]:
    """The bundled specs, built and counted; arguments and errors as of :func:`list_specs`."""
    loader = Catalogue()
    return [_entry(loader, name, convention) for name in bundled_names(blocks=blocks)]


def _listed() -> list[Entry]:
    """All bundled specs under the default convention: as recorded, where there is a record of exactly these specs."""
    data = all_bytes(SPECS)
    text = ready.content_of(LIST, data, ready.counting)
    if text is not None:
        return from_text(text)
    entries = counted()
    ready.record(LIST, data, as_text(entries), ready.counting)
    return entries


def as_text(entries: Iterable[Entry]) -> str:
    """Entries as text, of which :func:`from_text` makes them again.

    >>> from_text(as_text(list_specs())) == list(list_specs())
    True
    """
    return "\n".join("\t".join(map(_cell, entry)) for entry in entries)


def _cell(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)


def from_text(text: str) -> list[Entry]:
    """The entries of a text that :func:`as_text` made."""
    entries = []
    for line in text.split("\n"):
        name, title, family, year, shape, params, macs, parameters, reported = line.split("\t")
        sizes = tuple(map(int, shape.split(",")))
        names = tuple(parameters.split(",")) if parameters else ()
        costs = int(params), int(macs)
        entries.append(Entry(name, title, family, int(year) if year else None, sizes, *costs, names, int(reported)))
    return entries


def _order(entry: Entry) -> tuple[bool, str, int, list[tuple[int, str]]]:
    return (entry.family == "blocks", entry.family.lower(), entry.year or 0, natural(entry.name))


def _entry(loader: Catalogue, name: str, convention: str) -> Entry:
    spec = loader.target(name)
    graph = build(spec)
    work = sum_work(graph.layers)
    family = "blocks" if spec.is_block else spec.family or spec.title
    number = _reported(graph, spec, convention)
    return Entry(name, spec.title, family, spec.year, graph.input, work.params, work.macs, spec.names, number)


def _reported(graph: Graph, spec: Spec, convention: str) -> Num | None:
    try:
        return Reported(graph, convention_of(convention, spec)).value()
    except UsageError:
        if convention != PAPER:
            raise
        return None


def list_layers(name: str | None = None) -> LayerDocs:
    """The reference of the layers: fields, formulas, source.

    Args:
        name: of one layer; all where not given.

    Raises:
        UsageError: there is no such layer.

    >>> [(field.name, field.default) for field in list_layers("flatten")[0].fields]
    []
    """
    from convcost.layers.docs import LayerDocs, layer_doc, layers  # noqa: PLC0415 - rarely asked for

    return LayerDocs(layers() if name is None else [layer_doc(name)])


def show(target: str) -> str:
    """The source of a spec.

    Args:
        target: a bundled name, or a file.

    Raises:
        UsageError: there is no such name or file.
        SpecError: the file is no YAML.

    >>> print(show("plain").splitlines()[0])
    title: Plain convolution
    """
    return source_text(target)


def schema() -> dict[str, Any]:
    """JSON Schema of the spec language, for editors.

    >>> schema()["title"]
    'convcost network or block'
    """
    from convcost.language.schema import language_schema  # noqa: PLC0415 - rarely asked for
    from convcost.literature.claims import claim_schema  # noqa: PLC0415

    catalogue = Catalogue()
    return language_schema({name: catalogue.target(name) for name in bundled_names()}, claim_schema())
