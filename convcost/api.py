"""The library: what every command does, as functions. Nothing here prints."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

from convcost.catalogue.loader import Catalogue
from convcost.conventions.catalogue import DEFAULT
from convcost.conventions.catalogue import convention as find_convention
from convcost.errors import UsageError
from convcost.language.interpret import build
from convcost.metrics import report
from convcost.metrics.devices import device as find_device
from convcost.metrics.presets import NETWORK_COLUMNS
from convcost.network.graph import Graph
from convcost.numbers.arithmetic import exact_array
from convcost.tables.table import rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.metrics.budget import Verdict
    from convcost.metrics.devices import Device
    from convcost.metrics.difference import Difference
    from convcost.metrics.report import Analysis

Network: TypeAlias = "Graph | str | os.PathLike[str]"


def load(
    target: str | os.PathLike[str],
    *,
    input: Sequence[int] | Mapping[str, Sequence[int]] | None = None,  # noqa: A002 - the language\'s own word
    **parameters: Any,
) -> Graph:
    """Build a network or block.

    Args:
        target: name of a bundled spec, or path of a file.
        input: ``(channels, *spatial)`` in place of the spec's own.
        **parameters: values of the spec's parameters, and of the sizes a block reads off its input. A float
            means the decimal it prints as; a sympy expression is taken as it is, a numpy array of
            whatever type elementwise and exact.

    Returns:
        An immutable graph with the shape and the counts of every layer.

    Raises:
        SpecError: the spec is wrong, or a value does not fit.
        UsageError: there is no such parameter.
        ConvcostError: there is no such spec.

    >>> load("bottleneck", M=32).layers[0].shape
    (32, 14, 14)
    """
    spec = Catalogue().target(os.fspath(target))
    return build(spec, parameters, None if input is None else input_sizes(input), partial=True)


def loads(text: str, *, name: str = "spec", input: Sequence[int] | None = None, **parameters: Any) -> Graph:  # noqa: A002
    """Build a network or block from the text of a spec; otherwise as :func:`load`.

    >>> loads("{input: [3, 8, 8], layers: [conv: {out: 4, kernel: 3}]}").layers[0].work.macs
    6912
    """
    spec = Catalogue().text(text.encode("utf-8", "surrogatepass"), f"<{name}>", name, os.getcwd())
    return build(spec, parameters, None if input is None else input_sizes(input))


def input_sizes(sizes: Sequence[int] | Mapping[str, Sequence[int]]) -> Any:
    """``sizes`` as a shape; of inputs by name, a shape for each.

    Raises:
        UsageError: not one to four whole numbers of at least 1; of an input by name up to eight.
    """
    if isinstance(sizes, dict):
        return {name: _shape_of(own, 8) for name, own in sizes.items()}
    return _shape_of(sizes, 4)


def _shape_of(sizes: Any, most: int) -> tuple[int, ...]:
    shape = tuple(map(exact_array, sizes))
    if not 1 <= len(shape) <= most or any(isinstance(size, bool | str | float) for size in shape):
        raise UsageError(f"`input` is channels and up to three sizes, found {shape!r}")
    if any(isinstance(size, int) and size < 1 for size in shape):
        raise UsageError(f"sizes of `input` must be at least 1, found {shape!r}")
    return shape


def analyze(  # noqa: PLR0913 - what metrics are evaluated for has as many parts
    network: Network,
    *,
    by: str = "layer",
    batch: int = 1,
    depth: int | None = None,
    convention: str = DEFAULT,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    device: str | Device | None = None,
    fused: bool = True,
) -> Analysis:
    """Metrics of a network, for its rows and in total.

    Args:
        network: a graph, or what :func:`load` takes.
        by: ``layer``, ``block``, ``stage`` or ``kind``.
        batch: samples; operations grow with it, parameters do not.
        depth: sum up layers that share this many leading segments of their paths.
        convention: whose number is reported beside the plain ones: a name, or the path of a file.
        dtype: number format of feature maps and arithmetic, for bytes and times.
        weights_dtype: number format of parameters; that of the maps where not given.
        device: name or file of the device that times are for, or a device.
        fused: whether norms and activations run on the output of the layer before them, before it is written.

    Returns:
        Rows and totals. ``value(KEY)`` gives any metric of the network, ``value(KEY, row)`` one of a row.

    Raises:
        UsageError: ``by``, ``batch``, ``depth``, ``convention``, ``dtype`` or ``device`` has a wrong value.

    >>> analyze("bottleneck").totals.params, analyze("plain").totals.params
    (69632, 589824)
    >>> analyze("resnet50", convention="fvcore").reported.value()
    4111512576
    >>> analyze("mobilenet_v2", dtype="int8").value("peak")
    1505280
    """
    graph = network if isinstance(network, Graph) else load(network)
    return report.analyze(
        graph,
        by=by,
        batch=batch,
        depth=depth,
        convention=find_convention(convention),
        dtype=dtype,
        weights_dtype=weights_dtype,
        device=find_device(device) if isinstance(device, str) else device,
        fused=fused,
    )


def memory(network: Network, *, by: str = "stage", **context: Any) -> Analysis:
    """Memory of a network: parameters, outputs, what is alive while each row runs, and the peak.

    Args:
        network: a graph, or what :func:`load` takes.
        by: ``layer``, ``block``, ``stage`` or ``kind``.
        **context: as for :func:`analyze`.

    Returns:
        An analysis; ``peaks`` has the four peaks with what is held then, ``training(OPTIMISER)`` the parts of
        training memory in bytes.

    Raises:
        UsageError: ``by`` or a part of the context has a wrong value.

    >>> memory("mobilenet_v2")
    <memory mobilenet_v2: 11 rows by stage, size 14,155,936, peak 6,021,120>
    >>> memory("mobilenet_v2").training("adam").total
    134418816
    """
    return analyze(network, by=by, **context).shown_as("memory")


def traffic(network: Network, *, by: str = "layer", **context: Any) -> Analysis:
    """Elements and bytes that each row reads and writes, and operations per byte.

    Args:
        network: a graph, or what :func:`load` takes.
        by: ``layer``, ``block``, ``stage`` or ``kind``.
        **context: as for :func:`analyze`.

    Raises:
        UsageError: ``by`` or a part of the context has a wrong value.

    >>> traffic("mobilenet_v2", dtype="float16")
    <traffic mobilenet_v2: 151 rows by layer, bytes 35,294,560>
    """
    return analyze(network, by=by, **context).shown_as("traffic")


def receptive(network: Network, *, by: str = "layer", **context: Any) -> Analysis:
    """Receptive field, effective stride and start of each row, in positions of the input per axis.

    Args:
        network: a graph, or what :func:`load` takes.
        by: ``layer``, ``block``, ``stage`` or ``kind``; a group has those of its last layer.
        **context: as for :func:`analyze`.

    Returns:
        An analysis; its totals and ``last_map`` are those of the last layer whose map has several positions.

    Raises:
        UsageError: ``by`` or a part of the context has a wrong value.

    >>> receptive("vgg16").last_map.sizes
    (212, 212)
    """
    return analyze(network, by=by, **context).shown_as("receptive")


def roofline(
    network: Network,
    device: str | Device | None = None,
    *,
    peak: str | None = None,
    bandwidth: str | None = None,
    by: str = "layer",
    dtype: str = "float32",
    **context: Any,
) -> Analysis:
    """The least seconds of each row on a device, and what limits it.

    Args:
        network: a graph, or what :func:`load` takes.
        device: a device, or the name or file of one.
        peak: in place of a device, with ``bandwidth``: operations a second, as ``1T``.
        bandwidth: bytes a second, as ``25G``.
        by: ``layer``, ``block``, ``stage`` or ``kind``.
        dtype: number format of feature maps and arithmetic.
        **context: as for :func:`analyze`.

    Returns:
        An analysis; ``images_per_second`` and ``ridge`` are those of the whole network on the device.

    Raises:
        UsageError: there is no device or two, it states no peak for ``dtype``, or another argument is wrong.

    >>> roofline("mobilenet_v2", "v100").value("limit")
    'both'
    """
    from convcost.metrics.devices import chosen  # noqa: PLC0415 - only this question pays for it

    machine = chosen(device, peak, bandwidth, dtype)
    return analyze(network, by=by, dtype=dtype, device=machine, **context).shown_as("roofline")


def table(
    *networks: Network, columns: Sequence[str] = NETWORK_COLUMNS, sort: str | None = None, **context: Any
) -> list[dict[str, Any]]:
    """One record for each of several networks, with any metrics of the whole network.

    Args:
        *networks: graphs, or what :func:`load` takes.
        columns: metrics.
        sort: metric to sort by, largest first; in the order given where None.
        **context: as for :func:`analyze`.

    Raises:
        UsageError: no such metric, or a part of the context has a wrong value.

    >>> table("alexnet", "vgg16", columns=["params"], sort="params")
    [{'network': 'vgg16', 'params': 138357544}, {'network': 'alexnet', 'params': 60965224}]
    """
    analyses = [analyze(network, **context) for network in networks]
    if sort is not None:
        analyses.sort(key=lambda analysis: rank(analysis.value(sort)))
    return [{"network": analysis.graph.name, **{key: analysis.value(key) for key in columns}} for analysis in analyses]


def diff(before: Network, after: Network, *, by: str = "stage", **context: Any) -> Difference:
    """What changed between two networks, row by row.

    Rows are matched by their paths; what is left is matched by kind and output shape.

    Args:
        before: a graph, or what :func:`load` takes.
        after: another.
        by: ``layer``, ``block``, ``stage`` or ``kind``.
        **context: as for :func:`analyze`.

    Raises:
        UsageError: ``by`` or a part of the context has a wrong value.

    >>> change = diff("resnet18", "resnet34").changes[2]
    >>> change.path, change.before.work.params, change.after.work.params
    ('conv2_x', 147968, 221952)
    """
    from convcost.metrics.difference import difference  # noqa: PLC0415 - only this question pays for it

    return difference(analyze(before, by=by, **context), analyze(after, by=by, **context))


def check(network: Network, *budgets: str, **context: Any) -> list[Verdict]:
    """Whether a network meets budgets on any of its metrics.

    Args:
        network: a graph, or what :func:`load` takes.
        *budgets: as ``macs<=150M``, ``peak<=512k`` or ``time<=3ms``.
        **context: as for :func:`analyze`; a budget on time needs ``device``.

    Raises:
        UsageError: a budget is malformed, or a part of the context has a wrong value.

    >>> [verdict.met for verdict in check("mobilenet_v2", "macs<=300M", "params<=4M")]
    [False, True]
    """
    from convcost.metrics import budget  # noqa: PLC0415

    return budget.check(analyze(network, **context), [budget.budget(text) for text in budgets])
