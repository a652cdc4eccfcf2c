"""Pages on which the parameters of networks can be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.api.conventions import own_convention
from convcost.api.targets import Sizes, TargetLike, check_names, convention_of, input_shape, resolve
from convcost.conventions import DEFAULT
from convcost.metrics.devices import device as find_device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.codegen.explorer import Explorer
    from convcost.metrics.devices import Device


def explore(
    *targets: TargetLike,
    free: Sequence[str] | None = None,
    input: Sizes | None = None,  # noqa: A002 - the language's own word
    dtype: str = "float32",
    weights_dtype: str | None = None,
    device: str | Device | None = None,
    convention: str = DEFAULT,
    **parameters: Any,
) -> Explorer:
    """One network or block, or two side by side, as a page on which their free parameters can be moved.

    ``str`` of the result is the page: one HTML file with the closed forms of every layer, which needs no server.

    Args:
        *targets: one or two.
        free: names that can be moved; by default all that can be symbols.
        input: ``(channels, *spatial)`` in place of every target's own.
        dtype: number format of feature maps and arithmetic, for bytes and times.
        weights_dtype: number format of parameters; that of the maps where not given.
        device: name or file of the device that times are for, or a device.
        convention: the one that the page shows at first: a name, or the path of a file. The page has all that are
            bundled, and it can be changed there.
        **parameters: values; of a free name, where it starts.

    Raises:
        UsageError: there is no target or there are more than two, there is no such parameter, format, device or
            convention, or a name cannot be free.
        SpecError: a spec is wrong, or a value does not fit.
        UnsupportedError: a network is too large for a page, or has no closed forms.

    >>> explore("mobilenet_v1", free=["alpha"])
    <explorer mobilenet_v1: alpha = 1>
    """
    from convcost.codegen.explorer import Source  # noqa: PLC0415 - only formulas need it
    from convcost.codegen.explorer import explore as explored  # noqa: PLC0415
    from convcost.conventions.survey import known  # noqa: PLC0415

    resolved = resolve(targets, parameters)
    check_names(free or (), resolved)
    machine = find_device(device) if isinstance(device, str) else device
    sources = []
    for target in resolved:
        chosen = convention_of(convention, target.spec)
        conventions = {each.name: each for each in (*known(), *own_convention(target.spec), chosen)}
        sources.append(Source(target.name, target.given, target.spec, target.values, tuple(conventions.values())))
    return explored(
        sources,
        free,
        input_shape(input),
        dtype=dtype,
        weights_dtype=weights_dtype,
        device=machine,
        convention=chosen.name,
    )
