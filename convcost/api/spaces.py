"""Design spaces: all networks that a spec with ``choose`` describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.api.targets import Sizes, TargetLike, input_shape, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from convcost.spaces.space import Space


def space(
    target: TargetLike,
    *,
    input: Sizes | None = None,  # noqa: A002 - the language's own word
    dtype: str = "float32",
    fused: bool = True,
    progress: Callable[[int, int], None] | None = None,
    **parameters: Any,
) -> Space:
    """The design space of a spec: how many networks it has, which costs, samples, and the best.

    Args:
        target: a spec with ``choose``.
        input: ``(channels, *spatial)`` in place of the spec's own.
        dtype: number format of feature maps, for ``peak``.
        fused: whether peaks are those of norms and activations that run on the output of the layer before them.
        progress: called with how many combinations of the parameters that change every layer are done, and of how many.
        **parameters: values of parameters, which are then not chosen.

    Raises:
        UsageError: nothing is chosen in the spec, or there is no such parameter.
        UnsupportedError: a choice changes what later layers see, with its name.
        SpecError: a network of the space cannot be built.

    >>> stages = space("nats_bench", N=1)
    >>> stages.networks, stages.quantile(0.5, "macs")
    (15625, 15647360)
    """
    from convcost.metrics.dtypes import bits  # noqa: PLC0415 - only this question pays for it
    from convcost.spaces.explore import explore  # noqa: PLC0415
    from convcost.spaces.space import Space  # noqa: PLC0415

    bits(dtype)
    (resolved,) = resolve([target], parameters)
    tree = explore(resolved.spec, resolved.values, input_shape(input), fused=fused, progress=progress)
    return Space(tree, dtype, fused=fused, progress=progress)
