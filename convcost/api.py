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
from convcost.network.graph import Graph
from convcost.numbers.arithmetic import exact_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.metrics.budget import Verdict
    from convcost.metrics.difference import Difference
    from convcost.metrics.report import Analysis

Network: TypeAlias = "Graph | str | os.PathLike[str]"


def load(target: str | os.PathLike[str], *, input: Sequence[int] | None = None, **parameters: Any) -> Graph:  # noqa: A002 - the language's own word
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
    return build(spec, parameters, None if input is None else input_sizes(input))


def loads(text: str, *, name: str = "spec", input: Sequence[int] | None = None, **parameters: Any) -> Graph:  # noqa: A002
    """Build a network or block from the text of a spec; otherwise as :func:`load`.

    >>> loads("{input: [3, 8, 8], layers: [conv: {out: 4, kernel: 3}]}").layers[0].work.macs
    6912
    """
    spec = Catalogue().text(text.encode("utf-8", "surrogatepass"), f"<{name}>", name, os.getcwd())
    return build(spec, parameters, None if input is None else input_sizes(input))


def input_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """``sizes`` as a shape.

    Raises:
        UsageError: not one to four whole numbers of at least 1.
    """
    shape = tuple(map(exact_array, sizes))
    if not 1 <= len(shape) <= 4 or any(isinstance(size, bool | str | float) for size in shape):  # noqa: PLR2004
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
    device: str | None = None,
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
        device: name or file of the device that times are for.
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
        device=None if device is None else find_device(device),
        fused=fused,
    )


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
