"""Pictures of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.api.targets import Network, Sizes, built

if TYPE_CHECKING:
    from convcost.drawing.drawing import Drawing


def draw(
    network: Network,
    *,
    depth: int | None = None,
    input: Sizes | None = None,  # noqa: A002 - the language's own word
    **parameters: Any,
) -> Drawing:
    """A network as boxes and lines: norms and activations in the box before them, equal blocks in a row once.

    Args:
        network: a target or a graph.
        depth: levels of blocks that are drawn; what is deeper is summed up in a box. Where not given, as many as fit.
        input: ``(channels, *spatial)`` in place of the target's own.
        **parameters: values of the target's parameters.

    Returns:
        A drawing; ``svg()``, ``text()``, ``mermaid()`` and ``dot()`` write it. A notebook shows it.

    Raises:
        UsageError: ``depth`` has a wrong value, or there is no such parameter or target.
        SpecError: the spec is wrong, or a value does not fit.

    >>> draw("bottleneck_residual")
    <drawing of bottleneck_residual: 4 boxes for 10 layers>
    """
    from convcost.drawing.drawing import Drawing  # noqa: PLC0415 - only this question pays for it

    graph, _ = built(network, input, parameters, partial=True)
    return Drawing(graph, depth)
