"""Counts and other metrics of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.api.targets import Network, Sizes, built, convention_of, resolve
from convcost.conventions import DEFAULT
from convcost.language.model import unique_names
from convcost.metrics import report
from convcost.metrics.presets import NETWORK_COLUMNS
from convcost.network.graph import Graph
from convcost.tables.printable import Records
from convcost.tables.table import rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.metrics.budget import Verdicts
    from convcost.metrics.devices import Device
    from convcost.metrics.difference import Difference
    from convcost.metrics.report import Analysis


_CONTEXT = ("batch", "convention", "depth", "device", "dtype", "fused", "input", "weights_dtype")


def analyze(  # noqa: PLR0913 - what metrics are evaluated for has as many parts
    network: Network,
    *,
    by: str = "layer",
    depth: int | None = None,
    input: Sizes | None = None,  # noqa: A002 - the language's own word
    batch: int = 1,
    convention: str = DEFAULT,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    device: str | Device | None = None,
    fused: bool = True,
    **parameters: Any,
) -> Analysis:
    """Metrics of a network, for its rows and in total.

    Args:
        network: a target or a graph.
        by: ``layer``, ``block``, ``stage`` or ``kind``.
        depth: sum up layers that share this many leading segments of their paths.
        input: ``(channels, *spatial)`` in place of the spec's own.
        batch: samples; operations grow with it, parameters do not.
        convention: whose number is reported beside the plain ones: a name, or the path of a file.
        dtype: number format of feature maps and arithmetic, for bytes and times.
        weights_dtype: number format of parameters; that of the maps where not given.
        device: name or file of the device that times are for, or a device.
        fused: whether norms and activations run on the output of the layer before them, before it is written.
        **parameters: values of the target's parameters.

    Returns:
        Rows and totals. ``value(KEY)`` gives any metric of the network, ``value(KEY, row)`` that of a row.

    Raises:
        UsageError: ``by``, ``batch``, ``depth``, ``convention``, ``dtype`` or ``device`` has a wrong value, or there is
            no such parameter.
        SpecError: the spec is wrong, or a value does not fit.

    >>> analyze("bottleneck").totals.params, analyze("plain").totals.params
    (69632, 589824)
    >>> analyze("resnet50", convention="fvcore").reported.value()
    4111512576
    >>> analyze("mobilenet_v2", dtype="int8").value("peak")
    1505280
    """
    return measured(
        network,
        parameters,
        by=by,
        depth=depth,
        input=input,
        partial=True,
        batch=batch,
        convention=convention,
        dtype=dtype,
        weights_dtype=weights_dtype,
        device=device,
        fused=fused,
    )


def measured(  # noqa: PLR0913 - what metrics are evaluated for has as many parts
    network: Network,
    parameters: Mapping[str, Any] | None = None,
    preset: str = "analyze",
    *,
    by: str = "layer",
    depth: int | None = None,
    input: Sizes | None = None,  # noqa: A002
    partial: bool = False,
    convention: str = DEFAULT,
    device: str | Device | None = None,
    **context: Any,
) -> Analysis:
    """A network with the metrics that a command shows.

    Args:
        network: a target or a graph.
        parameters: of a target.
        preset: the command.
        by: as for :func:`analyze`, as are the others.
        depth: sum up layers.
        input: in place of the spec's own.
        partial: whether the caller shows what is not known of a file.
        convention: whose number is reported.
        device: what times are for.
        **context: as for :func:`analyze`.

    Raises:
        UsageError: an argument has a wrong value.
        SpecError: the spec is wrong, or a value does not fit.
        UnsupportedError: a file is known in part only, and the caller does not show that.
    """
    graph, spec = built(network, input, parameters, partial=partial)
    return report.analyze(
        graph,
        by=by,
        depth=depth,
        convention=convention_of(convention, spec),
        device=_device(device) if isinstance(device, str) else device,
        preset=preset,
        **context,
    )


def _device(name: str) -> Device:
    from convcost.metrics.devices import device  # noqa: PLC0415 - only metrics of time pay for it

    return device(name)


def memory(network: Network, *, by: str = "stage", **options: Any) -> Analysis:
    """Memory of a network: parameters, outputs, what is alive while each row runs, and the peak.

    Args:
        network: a target or a graph.
        by: ``layer``, ``block``, ``stage`` or ``kind``.
        **options: as for :func:`analyze`, values of parameters among them.

    Returns:
        An analysis; ``peaks`` has the four peaks with what is held then, ``training(OPTIMISER)`` the parts of
        training memory in bytes.

    Raises:
        UsageError: ``by`` or another option has a wrong value, or there is no such parameter.
        SpecError: the spec is wrong, or a value does not fit.

    >>> memory("mobilenet_v2")
    <memory mobilenet_v2: 11 rows by stage, size 14,155,936, peak 6,021,120>
    >>> memory("mobilenet_v2").training("adam").total
    134418816
    """
    context, parameters = apart(options)
    return measured(network, parameters, "memory", by=by, **context)


def traffic(network: Network, *, by: str = "layer", **options: Any) -> Analysis:
    """Elements and bytes that each row reads and writes, and operations per byte.

    Args:
        network: a target or a graph.
        by: ``layer``, ``block``, ``stage`` or ``kind``.
        **options: as for :func:`analyze`, values of parameters among them.

    Raises:
        UsageError: ``by`` or another option has a wrong value, or there is no such parameter.
        SpecError: the spec is wrong, or a value does not fit.

    >>> traffic("mobilenet_v2", dtype="float16")
    <traffic mobilenet_v2: 151 rows by layer, bytes 35,294,560>
    """
    context, parameters = apart(options)
    return measured(network, parameters, "traffic", by=by, **context)


def receptive(network: Network, *, by: str = "layer", **options: Any) -> Analysis:
    """Receptive field, effective stride and start of each row, in positions of the input per axis.

    Args:
        network: a target or a graph.
        by: ``layer``, ``block``, ``stage`` or ``kind``; a group has those of its last layer.
        **options: as for :func:`analyze`, values of parameters among them.

    Returns:
        An analysis; its totals and ``last_map`` are those of the last layer whose map has several positions.

    Raises:
        UsageError: ``by`` or another option has a wrong value, or there is no such parameter.
        SpecError: the spec is wrong, or a value does not fit.

    >>> receptive("vgg16").last_map.sizes
    (212, 212)
    """
    context, parameters = apart(options)
    return measured(network, parameters, "receptive", by=by, **context)


def roofline(
    network: Network,
    device: str | Device | None = None,
    *,
    peak: str | None = None,
    bandwidth: str | None = None,
    by: str = "layer",
    dtype: str = "float32",
    **options: Any,
) -> Analysis:
    """The least seconds of each row on a device, and what limits it.

    Args:
        network: a target or a graph.
        device: a device, or the name or file of one.
        peak: in place of a device, with ``bandwidth``: operations a second, as ``1T``.
        bandwidth: bytes a second, as ``25G``.
        by: ``layer``, ``block``, ``stage`` or ``kind``.
        dtype: number format of feature maps and arithmetic.
        **options: as for :func:`analyze`, values of parameters among them.

    Returns:
        An analysis; ``images_per_second`` and ``ridge`` are those of the whole network on the device.

    Raises:
        UsageError: there is no device or two, it states no peak for ``dtype``, or another argument is wrong.
        SpecError: the spec is wrong, or a value does not fit.

    >>> roofline("mobilenet_v2", "v100").value("limit")
    'both'
    """
    from convcost.metrics.devices import chosen  # noqa: PLC0415 - only this question pays for it

    machine = chosen(device, peak, bandwidth, dtype)
    context, parameters = apart(options)
    return measured(network, parameters, "roofline", by=by, dtype=dtype, device=machine, **context)


class Networks(Records[dict[str, Any]]):
    """A record for each of several networks.

    Attributes:
        analyses: of the networks, in the order of the records.
        labels: what each is called.
        columns: metrics.
    """

    def __init__(
        self, analyses: Sequence[Analysis], labels: Sequence[str], columns: Sequence[str], sort: str | None = None
    ) -> None:
        order = list(range(len(analyses)))
        if sort is not None:
            order.sort(key=lambda index: rank(analyses[index].value(sort)))
        self.analyses = [analyses[index] for index in order]
        self.labels = [labels[index] for index in order]
        self.columns = tuple(columns)
        super().__init__(
            {"network": label, **{key: analysis.value(key) for key in columns}}
            for label, analysis in zip(self.labels, self.analyses, strict=True)
        )

    def __repr__(self) -> str:
        return repr([*self])


def table(
    *networks: Network,
    columns: Sequence[str] = NETWORK_COLUMNS,
    sort: str | None = None,
    input: Sizes | None = None,  # noqa: A002
    **options: Any,
) -> Networks:
    """One record for each of several networks, with any metrics of the whole network.

    Args:
        *networks: targets or graphs.
        columns: metrics.
        sort: metric to sort by, largest first; in the order given where None.
        input: ``(channels, *spatial)`` in place of every spec's own.
        **options: as for :func:`diff`.

    Raises:
        UsageError: no such metric, or an option has a wrong value.
        SpecError: a spec is wrong, or a value does not fit.

    >>> table("alexnet", "vgg16", columns=["params"], sort="params")
    [{'network': 'vgg16', 'params': 138357544}, {'network': 'alexnet', 'params': 60965224}]
    """
    analyses = _analyses(networks, "layer", input, options)
    labels = unique_names(analysis.graph for analysis in analyses)
    return Networks(analyses, labels, columns, sort)


def diff(
    before: Network,
    after: Network,
    *,
    by: str = "stage",
    input: Sizes | None = None,  # noqa: A002
    **options: Any,
) -> Difference:
    """What changed between two networks, row by row.

    Rows are matched by their paths; what is left is matched by kind and output shape.

    Args:
        before: a target or a graph.
        after: another.
        by: ``layer``, ``block``, ``stage`` or ``kind``.
        input: ``(channels, *spatial)`` in place of both specs' own.
        **options: ``batch``, ``convention``, ``dtype``, ``weights_dtype``, ``device`` and ``fused`` as for
            :func:`analyze`; the others are parameters, for each target that has them.

    Raises:
        UsageError: ``by`` or another option has a wrong value, or there is no such parameter.
        SpecError: a spec is wrong, or a value does not fit.

    >>> change = diff("resnet18", "resnet34").changes[2]
    >>> change.path, change.before.work.params, change.after.work.params
    ('conv2_x', 147968, 221952)
    """
    from convcost.metrics.difference import difference  # noqa: PLC0415 - only this question pays for it

    return difference(*_analyses((before, after), by, input, options))


def check(
    network: Network,
    *budgets: str,
    input: Sizes | None = None,  # noqa: A002
    **options: Any,
) -> Verdicts:
    """Whether a network meets budgets on any of its metrics.

    Args:
        network: a target or a graph.
        *budgets: as ``macs<=150M``, ``peak<=512k`` or ``time<=3ms``, beside those that the spec states.
        input: ``(channels, *spatial)`` in place of the spec's own.
        **options: as for :func:`diff`; a budget on time needs ``device``.

    Raises:
        UsageError: a budget is malformed, or an option has a wrong value.
        SpecError: the spec is wrong, or a value does not fit.

    >>> [verdict.met for verdict in check("mobilenet_v2", "macs<=300M", "params<=4M")]
    [False, True]
    """
    from convcost.metrics import budget  # noqa: PLC0415

    context, parameters = apart(options)
    bounds = [budget.budget(text) for text in budgets]
    if not isinstance(network, Graph):
        (network,) = resolve([network], parameters)
        bounds, parameters = [*budget.spec_budgets(network.spec), *bounds], {}
    return budget.check(measured(network, parameters, input=input, **context), bounds)


def _analyses(networks: Sequence[Network], by: str, sizes: Sizes | None, options: Mapping[str, Any]) -> list[Analysis]:
    """Each network, measured in the same context; a parameter is for every target that has it."""
    context, parameters = apart(options)
    targets = [network for network in networks if not isinstance(network, Graph)]
    if len(targets) == len(networks):
        networks, parameters = resolve(targets, parameters), {}
    return [measured(network, parameters, by=by, input=sizes, **context) for network in networks]


def apart(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What metrics are evaluated for, and the values of parameters."""
    context = {name: value for name, value in options.items() if name in _CONTEXT}
    return context, {name: value for name, value in options.items() if name not in _CONTEXT}
