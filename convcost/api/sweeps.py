"""Networks over many values of their parameters."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.api.context import Context
from convcost.api.targets import Sizes, TargetLike, convention_of, input_shape, resolve
from convcost.conventions import DEFAULT
from convcost.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from convcost.compiled.function import Compiled
    from convcost.language.model import Spec
    from convcost.metrics.devices import Device
    from convcost.solving.costs import Setting
    from convcost.sweeps.sweep import Plan, Sweep

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
    backend: str = "numpy",
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
        backend: ``numpy``, or ``numba``, an extra that makes machine code when a structure is first met, which takes
            up to a second. It computes in 64 bits where these are proved to be enough; all other points are computed
            as they are without it.
        **parameters: values of the other parameters.

    Returns:
        A function of the arguments, by position or by name, that returns a dict of the metrics. It raises what
        :func:`analyze` raises where there is no network.

    Raises:
        UsageError: there is no such parameter, metric, convention, device or backend, or a backend is not installed.
        SpecError: the spec is wrong.

    >>> macs = compile("mobilenet_v2", ["alpha", "size"], ["macs", "peak"])
    >>> macs(0.75, 160)
    {'macs': 107295200, 'peak': 3072000}
    >>> macs(alpha=1, size=224)
    {'macs': 300774272, 'peak': 6021120}
    """
    from convcost.compiled.function import Compiled  # noqa: PLC0415 - only formulas need it

    (resolved,) = resolve([target], parameters)
    context = Context(batch, dtype, weights_dtype, device, fused, convention)
    setting = setting_of(context, resolved.spec)
    return Compiled(resolved.spec, over, quantities, resolved.values, setting, input_shape(input), backend)


def sweep(  # noqa: PLR0913 - a context has as many parts
    target: TargetLike,
    over: Mapping[str, Any],
    metrics: Sequence[str] = QUANTITIES,
    *,
    zip: bool = False,  # noqa: A002 - the word for it
    keep: Sequence[str] = (),
    pareto: Sequence[str] = (),
    sort: str | None = None,
    top: int | None = None,
    input: Sizes | None = None,  # noqa: A002
    convention: str = DEFAULT,
    device: str | Device | None = None,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    batch: int = 1,
    fused: bool = True,
    **parameters: Any,
) -> Sweep:
    """Metrics of a network at all combinations of values of some parameters, exactly.

    Args:
        target: a network or block.
        over: by the name of a parameter its values: a list, an array, or a text such as ``0.25:1:0.05``, ``1,2,4:8``,
            or ``*`` for every choice.
        metrics: what to report.
        zip: the first values of all parameters together, then the second ones, in place of all combinations.
        keep: bounds that a point must meet, as ``macs<=300M``.
        pareto: what is better, as ``"max params"`` or ``"min macs"``: only points that no other point beats are kept.
        sort: a metric or parameter, largest first; or ``"min macs"`` for the smallest first.
        top: the most points to return.
        input: ``(channels, *spatial)`` in place of the spec's own.
        convention: whose number ``reported`` is.
        device: for metrics of time; a device, or the name or file of one.
        dtype: number format of feature maps and arithmetic.
        weights_dtype: number format of parameters; that of the maps where not given.
        batch: samples.
        fused: whether norms and activations run on the output of the layer before them.
        **parameters: values of the other parameters.

    Returns:
        The points, the last parameter varying fastest. Points without a network are left out.

    Raises:
        UsageError: there is no such parameter, metric, convention or device, a bound or goal is malformed, or there are
            too many points.
        SpecError: the spec is wrong, or no point has a network.

    >>> points = sweep("mobilenet_v2", {"alpha": "0.5:1:0.25", "size": [160, 224]}, keep=["macs<=200M"])
    >>> points["macs"].tolist()
    [50184000, 97131840, 107295200, 154083200]
    >>> points[0]
    {'alpha': Fraction(1, 2), 'size': 160, 'params': 1968680, 'macs': 50184000}
    """
    from convcost.sweeps.sweep import collected  # noqa: PLC0415 - only formulas need it and numpy

    context = Context(batch, dtype, weights_dtype, device, fused, convention)
    wanted = Wanted(metrics, keep, pareto, sort, top, zipped=zip)
    return collected(plan_of(target, over, wanted, parameters, input=input, context=context))


class Wanted(NamedTuple):
    """What a sweep is to report; see :func:`sweep`."""

    metrics: Sequence[str]
    keep: Sequence[str]
    pareto: Sequence[str]
    sort: str | None
    top: int | None
    zipped: bool


def plan_of(
    target: TargetLike,
    over: Mapping[str, Any] | Iterable[tuple[str, Any]],
    wanted: Wanted,
    parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
    *,
    input: Sizes | None = None,  # noqa: A002
    context: Context = Context(),  # noqa: B008 - immutable
    option: str = "",
) -> Plan:
    """The plan of a sweep.

    Args:
        target: a network or block.
        over: as for :func:`sweep`.
        wanted: what to report.
        parameters: values of the other parameters.
        input: ``(channels, *spatial)`` in place of the spec's own.
        context: what metrics are evaluated for.
        option: where the parameters come from, for errors.

    Raises:
        UsageError: as :func:`sweep`.
        SpecError: the spec is wrong.
    """
    if find_spec("numpy") is None:
        raise UsageError("a sweep needs numpy: pip install 'convcost[arrays]'")
    from convcost.metrics.budget import budgets_of  # noqa: PLC0415
    from convcost.metrics.objective import objective, objectives_of  # noqa: PLC0415
    from convcost.sweeps.axes import axes_of  # noqa: PLC0415
    from convcost.sweeps.sweep import Plan  # noqa: PLC0415 - imports numpy

    (resolved,) = resolve([target], parameters, option=option)
    axes = axes_of(resolved.spec, over)
    names = [axis.name for axis in axes]
    named = context.convention != DEFAULT
    if wanted.top is not None and wanted.top < 1:
        raise UsageError(f"`top` must be at least 1, found {wanted.top}")
    sort = wanted.sort
    if sort is not None and not sort.strip().startswith(("max ", "min ")):
        sort = f"max {sort}"
    return Plan(
        resolved.spec,
        axes,
        wanted.metrics,
        resolved.values,
        setting_of(context, resolved.spec),
        input_shape(input),
        zipped=wanted.zipped,
        keep=budgets_of(wanted.keep, "--keep"),
        objectives=objectives_of(wanted.pareto, names, named=named, option="--pareto"),
        order=None if sort is None else objective(sort, names, named=named, option="--sort"),
        top=wanted.top,
    )


def setting_of(context: Context, spec: Spec) -> Setting:
    """What metrics of ``spec`` are evaluated for.

    Raises:
        UsageError: there is no such convention or device.
    """
    from convcost.metrics.devices import device as device_of  # noqa: PLC0415
    from convcost.solving.costs import Setting  # noqa: PLC0415 - only formulas need it

    return Setting(
        context.batch,
        context.dtype,
        context.weights_dtype,
        device_of(context.device) if isinstance(context.device, str) else context.device,
        context.fused,
        convention_of(context.convention, spec),
    )
