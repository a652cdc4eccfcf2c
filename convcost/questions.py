"""The library, second part: the functions behind the commands other than ``analyze``. Nothing here prints.

A target is a name or a path, as for :func:`convcost.load`, or a pair of one and a dict of parameters for it. Keyword
arguments are parameters of every target that has them. sympy is imported when a function that needs it is called.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

from convcost.api import input_sizes
from convcost.catalogue.loader import Catalogue
from convcost.errors import UsageError, unknown
from convcost.language.model import own_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.conventions.survey import Reading
    from convcost.formulas.closed import Formula
    from convcost.formulas.comparison import Comparison
    from convcost.formulas.equal import Identities
    from convcost.formulas.scaling import Scaling
    from convcost.language.model import Spec
    from convcost.layers.base import Shape
    from convcost.literature.explain import Explanation
    from convcost.literature.verify import Verification
    from convcost.solving.solution import Solution

Target: TypeAlias = "str | os.PathLike[str] | tuple[str | os.PathLike[str], Mapping[str, Any]]"


def compare(
    *targets: Target,
    free: Sequence[str] | None = None,
    input: Sequence[int] | None = None,  # noqa: A002 - the language's own word
    convention: str = "convcost",
    **parameters: Any,
) -> Comparison:
    """Costs side by side, each as a ratio to the last: exact, and as a formula in the names that they share.

    Args:
        *targets: two or more.
        free: names to leave as symbols; by default all of blocks.
        input: ``(channels, *spatial)`` in place of every target's own.
        convention: whose number is reported beside the plain ones.
        **parameters: values, for every target that has the name.

    Raises:
        UsageError: fewer than two targets, or no target has a parameter of that name.
        SpecError: a spec is wrong, or a value does not fit.

    >>> found = compare("bottleneck", "plain")
    >>> found.ratios["bottleneck"]["params"].exact
    Fraction(17, 144)
    """
    from convcost.formulas.comparison import compare as compared  # noqa: PLC0415 - only this question pays for it

    specs, given = _sides(targets, parameters)
    return compared(specs, given, free, _shape(input), convention)


def formula(
    target: Target,
    free: Sequence[str] | None = None,
    *,
    input: Sequence[int] | None = None,  # noqa: A002
    convention: str = "convcost",
    **parameters: Any,
) -> Formula:
    """Closed forms, per layer and in total.

    Args:
        target: a network or block.
        free: names to leave as symbols; by default all of a block, of a network its input size and ``classes``.
        input: ``(channels, *spatial)`` in place of the spec's own.
        convention: whose number is the quantity ``reported``, beside the plain ones.
        **parameters: values of the others; of a free name, where questions of structure are decided.

    Raises:
        UsageError: there is no such parameter or convention, or the name cannot be a symbol.
        SpecError: the spec is wrong, or a value does not fit.

    >>> formula("depthwise_separable_conv").totals["params"].expr
    I*K**2 + I*O
    """
    from convcost.formulas.closed import formula as closed  # noqa: PLC0415 - imports sympy

    (spec,), (given,) = _sides((target,), parameters)
    return closed(spec, free, given, _shape(input), whose=convention)


def scaling(
    target: Target,
    free: Sequence[str] | None = None,
    quantities: Sequence[str] = ("params", "macs"),
    *,
    input: Sequence[int] | None = None,  # noqa: A002
    convention: str = "convcost",
    **parameters: Any,
) -> list[Scaling]:
    """How cost grows with each free name: degree, leading term, elasticity, and the share that does not depend on it.

    Args:
        target: a network or block.
        free: names to vary; all that can be where not given.
        quantities: see :mod:`convcost.metrics.quantities`; with a convention also ``reported``.
        input: ``(channels, *spatial)`` in place of the spec's own.
        convention: whose number is ``reported``.
        **parameters: values at which the elasticity is taken.

    Raises:
        UsageError: there is no such parameter, quantity or convention.

    >>> [row.degree for row in scaling("mobilenet_v1", ["rho"])]
    [0, 2]
    """
    from convcost.conventions import DEFAULT  # noqa: PLC0415
    from convcost.formulas import scaling as rules  # noqa: PLC0415 - imports sympy
    from convcost.formulas.closed import everything_free  # noqa: PLC0415
    from convcost.formulas.closed import formula as closed  # noqa: PLC0415
    from convcost.metrics.quantities import quantity_names  # noqa: PLC0415

    (spec,), (given,) = _sides((target,), parameters)
    names = free or everything_free(spec, given, _shape(input))
    found = closed(spec, names, given, _shape(input), whose=convention)
    return rules.scaling(found, quantity_names(quantities, "quantities", named=convention != DEFAULT))


def equal(
    first: Target,
    second: Target,
    quantities: Sequence[str] = ("params", "macs"),
    *,
    where: Mapping[str, str] | None = None,
    free: Sequence[str] | None = None,
    input: Sequence[int] | None = None,  # noqa: A002
    **parameters: Any,
) -> Identities:
    """Whether two targets cost the same for all values of their names: a proof, or the smallest counterexample.

    Args:
        first: a network or block.
        second: another; a name that both have means the same value.
        quantities: see :mod:`convcost.metrics.quantities`.
        where: names tied to others, as ``{"O": "I"}``.
        free: names to leave as symbols.
        input: ``(channels, *spatial)`` in place of both inputs.
        **parameters: values that are fixed.

    Raises:
        UsageError: there is no such parameter or quantity, or a tie is no expression.

    >>> [one.equal for one in equal("resnext_a", "resnext_c").quantities]
    [True, True]
    """
    from convcost.formulas.equal import Side, identities  # noqa: PLC0415 - imports sympy
    from convcost.language.expression import typed_expression  # noqa: PLC0415
    from convcost.metrics.quantities import quantity_names  # noqa: PLC0415

    specs, given = _sides((first, second), parameters)
    ties = {name: typed_expression(text, "where") for name, text in (where or {}).items()}
    for name in ties:
        _known(name, specs)
    own = [{name: tie for name, tie in ties.items() if _has(spec, name)} for spec in specs]
    sides = [Side(spec.name, spec, values, tied) for spec, values, tied in zip(specs, given, own, strict=True)]
    return identities(sides[0], sides[1], quantity_names(quantities, "quantities"), free, _shape(input))


def solve(  # noqa: PLR0913 - a context has as many parts
    target: Target,
    name: str,
    *budgets: str,
    largest: bool | None = None,
    step: Any = None,
    within: tuple[Any, Any] | None = None,
    input: Sequence[int] | None = None,  # noqa: A002
    convention: str = "convcost",
    device: str | None = None,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    batch: int = 1,
    fused: bool = True,
    **parameters: Any,
) -> Solution:
    """The largest or smallest value of a parameter that meets the budgets, exact with all rounding.

    Args:
        target: a network or block.
        name: what to solve for.
        *budgets: on any metric, as ``macs<=300M`` or ``peak<=512k``; see ``convcost solve --help``.
        largest: the largest or the smallest value. Where neither is asked for: the smallest if every budget is a lower
            bound (``>=`` or ``>``), else the largest.
        step: only multiples of it count.
        within: the least and the greatest value to consider.
        input: ``(channels, *spatial)`` in place of the spec's own.
        convention: whose number ``reported`` is in a budget, as ``reported<=300M``.
        device: for metrics of time; a name or a file.
        dtype: number format of feature maps and arithmetic, for metrics of bytes and time.
        weights_dtype: number format of parameters; that of the maps where not given.
        batch: samples that operations, bytes and times are counted for.
        fused: whether norms and activations run on the output of the layer before them, before it is written.
        **parameters: values of the others; also for the networks and blocks that a budget names.

    Raises:
        UsageError: there is no such parameter, convention or device, or a budget is malformed.
        UnsupportedError: it cannot be proved how a cost changes with the parameter, and there are too many values to
            try all.

    >>> solve("bottleneck", "M", "macs<=1/2*plain").place.value
    154
    >>> solve("mobilenet_v2", "size", "peak<=1MB", dtype="int8", step=32).place.value
    288
    """
    from convcost.conventions import DEFAULT  # noqa: PLC0415
    from convcost.language.interpret import from_python  # noqa: PLC0415
    from convcost.metrics.devices import device as device_of  # noqa: PLC0415
    from convcost.solving import solution  # noqa: PLC0415 - imports sympy
    from convcost.solving.budgets import parse_budget  # noqa: PLC0415
    from convcost.solving.costs import Costs, Setting  # noqa: PLC0415

    if not budgets:
        raise UsageError("solve needs a budget, as macs<=300M")
    bounds = [parse_budget(text, Catalogue(), named=convention != DEFAULT) for text in budgets]
    others = list(dict.fromkeys(other for bound in bounds for other in bound.others))
    (spec, *_), (given, *theirs) = _sides((target, *others), parameters)
    values = dict(zip(others, theirs, strict=True))
    machine = None if device is None else device_of(device)
    setting = Setting(batch, dtype, weights_dtype, machine, fused, convention)
    names = [own_name(name, spec.parameters)]
    costs = Costs(spec, names, given, bounds, values, _shape(input), setting=setting)
    return solution.solve(
        costs,
        largest=largest,
        step=None if step is None else from_python(step),
        within=None if within is None else (from_python(within[0]), from_python(within[1])),
    )


def explain(
    target: Target,
    reported: str | float,
    *,
    what: str | None = None,
    top: int = 5,
    input: Sequence[int] | None = None,  # noqa: A002
    **parameters: Any,
) -> Explanation:
    """What gives a number that somebody printed: convention, variant, input size, factor of two ...

    Args:
        target: a network or block.
        reported: as printed, ``"4.11G"``, ``"300 MFLOPs"``; its digits say how near is near enough.
        what: ``macs`` (operations) or ``params``; None takes what fits.
        top: how many explanations.
        input: ``(channels, *spatial)``, if it is known.
        **parameters: those that are known.

    Raises:
        UsageError: the number is malformed.

    >>> explain("resnet50", "3.8G").candidates[0].settings
    {'variant': 'v1'}
    """
    from convcost.literature.explain import explain as explained  # noqa: PLC0415
    from convcost.numbers.printed import printed  # noqa: PLC0415

    (spec,), (given,) = _sides((target,), parameters)
    number = printed(str(reported), "reported")
    name = target if isinstance(target, str) else ""
    return explained(spec, number, what=what, given=given, input_shape=_shape(input), top=top, target=name)


def survey(
    target: Target,
    *,
    input: Sequence[int] | None = None,  # noqa: A002
    **parameters: Any,
) -> list[Reading]:
    """A network under every convention, with its differences from plain multiply-accumulates by cause.

    Raises:
        UsageError: there is no such parameter.

    >>> {one.convention.name: one.value for one in survey("resnet50")}["fvcore"]
    4111512576
    """
    from convcost.conventions.survey import survey as surveyed  # noqa: PLC0415
    from convcost.language.interpret import build  # noqa: PLC0415

    (spec,), (given,) = _sides((target,), parameters)
    return surveyed(build(spec, given, _shape(input)), spec)


def verify(*targets: str) -> list[Verification]:
    """Hold the figures that papers printed against their networks; every bundled one where no target is given.

    Raises:
        SpecError: a spec or one of its claims is wrong.

    >>> {one.verdict for one in verify("lenet5")[0].findings}
    {'reproduced'}
    """
    from convcost.literature.verify import verify as verified  # noqa: PLC0415

    return verified(targets)


def _shape(sizes: Sequence[int] | None) -> Shape | None:
    return None if sizes is None else input_sizes(sizes)


def _sides(targets: Sequence[Target], parameters: Mapping[str, Any]) -> tuple[list[Spec], list[dict[str, Any]]]:
    """Every target as a spec, and the values it gets: its own before those for all."""
    catalogue = Catalogue()
    pairs = [target if isinstance(target, tuple) else (target, {}) for target in targets]
    specs = [catalogue.target(os.fspath(name)) for name, _ in pairs]
    for name in parameters:
        _known(name, specs)
    shared = [{name: value for name, value in parameters.items() if _has(spec, name)} for spec in specs]
    return specs, [{**values, **own} for values, (_, own) in zip(shared, pairs, strict=True)]


def _has(spec: Spec, name: str) -> bool:
    return own_name(name, spec.parameters) in spec.names


def _known(name: str, specs: Sequence[Spec]) -> None:
    if not any(_has(spec, name) for spec in specs):
        known = {own for spec in specs for own in spec.names}
        raise UsageError(unknown("parameter of the targets", name, sorted(known)))
