"""The library: what every command does, as functions. Nothing here prints."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from convcost.algebra import exact_array
from convcost.conventions.catalogue import DEFAULT
from convcost.conventions.catalogue import convention as find_convention
from convcost.errors import UsageError
from convcost.graph import Graph
from convcost.metrics import report
from convcost.spec.build import build
from convcost.spec.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.metrics.report import Analysis


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


def analyze(
    network: Graph | str | os.PathLike[str],
    *,
    by: str = "layer",
    batch: int = 1,
    depth: int | None = None,
    convention: str = DEFAULT,
) -> Analysis:
    """Cost of a network, in rows and in total.

    Args:
        network: a graph, or what :func:`load` takes.
        by: ``layer``, ``block``, ``stage`` or ``kind``.
        batch: samples; operations grow with it, parameters do not.
        depth: sum up layers that share this many leading segments of their paths.
        convention: whose number is reported beside the plain ones: a name, or the path of a file.

    Raises:
        UsageError: ``by``, ``batch``, ``depth`` or ``convention`` is none of these.

    >>> analyze("bottleneck").totals.params, analyze("plain").totals.params
    (69632, 589824)
    >>> analyze("resnet50", convention="fvcore").reported.value()
    4111512576
    """
    graph = network if isinstance(network, Graph) else load(network)
    return report.analyze(graph, by=by, batch=batch, depth=depth, convention=find_convention(convention))
