"""Networks over many values of their parameters. sympy is imported when a function here is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.api.targets import Sizes, TargetLike, convention_of, input_shape, resolve
from convcost.conventions import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.compiled.function import Compiled
    from convcost.metrics.devices import Device

QUANTITIES = ("params", "macs")


def compile(  # noqa: A001, PLR0913 - the word for it; a context has as many parts
    target: TargetLike,
    over: Sequence[str],
    quantities: Sequence[str] = QUANTITIES,
    *,
    input: Sizes | None = None,  # noqa: A002 - the language's own word
    convention: str = DEFAULT,
    device: str | Device | None = None,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    batch: int = 1,
    fused: bool = True,
    **parameters: Any,
) -> Compiled:
    """A network as a function of some of its parameters: its closed forms as code, for many values.

    The function takes numbers or numpy arrays and gives what :func:`analyze` gives, exactly. The closed forms of a
    structure are compiled when a call first meets it. Metrics that are sums over the layers, ratios of these, and
    ``peak`` and ``live`` have closed forms; for the others, such as ``time``, every call builds the network.

    Args:
        target: a network or block.
        over: the parameters that are arguments of the function, in order. Choices, switches and repeats may be among
            them.
        quantities: metrics.
        input: ``(channels, *spatial)`` in place of the spec's own.
        convention: whose number ``reported`` is.
        device: for metrics of time; a device, or the name or file of one.
        dtype: number format of feature maps and arithmetic.
        weights_dtype: number format of parameters; that of the maps where not given.
        batch: samples.
        fused: whether norms and activations run on the output of the layer before them.
        **parameters: values of the other parameters.

    Returns:
        A function of the arguments, by position or by name, that returns a dict of the metrics. It raises what
        :func:`analyze` raises where there is no network.

    Raises:
        UsageError: there is no such parameter, metric, convention or device.
        SpecError: the spec is wrong.

    >>> macs = compile("mobilenet_v2", ["alpha", "size"], ["macs", "peak"])
    >>> macs(0.75, 160)
    {'macs': 107295200, 'peak': 3072000}
    >>> macs(alpha=1, size=224)
    {'macs': 300774272, 'peak': 6021120}
    """
    from convcost.compiled.function import Compiled  # noqa: PLC0415 - imports sympy
    from convcost.metrics.devices import device as device_of  # noqa: PLC0415
    from convcost.solving.costs import Setting  # noqa: PLC0415 - imports sympy

    (resolved,) = resolve([target], parameters)
    setting = Setting(
        batch,
        dtype,
        weights_dtype,
        device_of(device) if isinstance(device, str) else device,
        fused,
        convention_of(convention, resolved.spec),
    )
    return Compiled(resolved.spec, over, quantities, resolved.values, setting, input_shape(input))
