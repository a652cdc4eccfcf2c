"""Formulas, and proofs about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.api.targets import Sizes, Target, TargetLike, check_names, convention_of, input_shape, resolve
from convcost.conventions import DEFAULT
from convcost.errors import UsageError
from convcost.language.expression import Expression, typed_expression
from convcost.metrics.quantities import REPORTED, quantity_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from convcost.formulas.cases import Cases
    from convcost.formulas.closed import Formula
    from convcost.formulas.comparison import Comparison
    from convcost.formulas.equal import Equalities, Side
    from convcost.formulas.scaling import Scalings

_SCALING = ("params", "macs", "flops", "activations")


def compare(
    *targets: TargetLike,
    free: Sequence[str] | None = None,
    input: Sizes | None = None,  # noqa: A002 - the language's own word
    convention: str = DEFAULT,
    **parameters: Any,
) -> Comparison:
    """Costs side by side, each as a ratio to the last: exact, and as a formula in the names that they share.

    Args:
        *targets: two or more.
        free: names to leave as symbols; by default all of blocks, none of networks.
        input: ``(channels, *spatial)`` in place of every target's own.
        convention: whose number is reported beside the plain ones: a name or the path of a file.
        **parameters: values, for every target that has the name.

    Raises:
        UsageError: fewer than two targets, no target has a parameter of that name, or there is no such convention.
        SpecError: a spec is wrong, or a value does not fit.

    >>> comparison = compare("bottleneck", "plain")
    >>> comparison.ratios["bottleneck"]["params"].exact
    Fraction(17, 144)
    """
    from convcost.formulas.comparison import compare as compared  # noqa: PLC0415 - only this question pays for it

    resolved = resolve(targets, parameters)
    specs = [target.spec for target in resolved]
    conventions = [convention_of(convention, spec) for spec in specs]
    return compared(specs, [target.values for target in resolved], free, input_shape(input), conventions)


def formula(
    target: TargetLike,
    free: Sequence[str] | None = None,
    *,
    input: Sizes | None = None,  # noqa: A002
    convention: str = DEFAULT,
    **parameters: Any,
) -> Formula:
    """Closed forms, per layer and in total.

    Args:
        target: a network or block.
        free: names to leave as symbols; by default all of a block, of a network its input size and ``classes``.
        input: ``(channels, *spatial)`` in place of the spec's own.
        convention: whose number is the quantity ``reported``, beside the plain ones: a name or the path of a file.
        **parameters: values of the others; of a free name, where questions of structure are decided.

    Raises:
        UsageError: there is no such parameter or convention, or the name cannot be a symbol.
        SpecError: the spec is wrong, or a value does not fit.

    >>> formula("depthwise_separable_conv").totals["params"].expr
    I*K**2 + I*O
    """
    from convcost.formulas.closed import formula as closed  # noqa: PLC0415 - only formulas need it

    (resolved,) = resolve([target], parameters)
    whose = convention_of(convention, resolved.spec)
    return closed(resolved.spec, free, resolved.values, input_shape(input), whose=whose)


def cases(
    target: TargetLike,
    free: Sequence[str] | None = None,
    *,
    input: Sizes | None = None,  # noqa: A002
    convention: str = DEFAULT,
    **parameters: Any,
) -> Cases:
    """Closed forms of every structure that the free names can make, such as a block with and without its shortcut.

    Args:
        target: a network or block.
        free: as for :func:`formula`.
        input: ``(channels, *spatial)`` in place of the spec's own.
        convention: as for :func:`formula`.
        **parameters: values of the others.

    Raises:
        UsageError: there is no such parameter or convention, or the name cannot be a symbol.
        SpecError: the spec is wrong, or a value does not fit.

    >>> for each in cases("bottleneck_residual", ["I", "O"]).formulas:
    ...     print(each.assumptions)
    ('I == O',)
    ('I != O',)
    """
    from convcost.formulas.cases import cases as every_case  # noqa: PLC0415 - only formulas need it

    (resolved,) = resolve([target], parameters)
    whose = convention_of(convention, resolved.spec)
    return every_case(resolved.spec, free, resolved.values, input_shape(input), whose=whose)


def scaling(
    target: TargetLike,
    free: Sequence[str] | None = None,
    quantities: Sequence[str] | None = None,
    *,
    input: Sizes | None = None,  # noqa: A002
    convention: str = DEFAULT,
    **parameters: Any,
) -> Scalings:
    """How cost grows with each free name: degree, leading term, elasticity, and the share that does not depend on it.

    Args:
        target: a network or block.
        free: names to vary; all that can be where not given.
        quantities: see :mod:`convcost.metrics.quantities`; ``params``, ``macs``, ``flops`` and ``activations`` where
            not given, and ``reported`` with a convention.
        input: ``(channels, *spatial)`` in place of the spec's own.
        convention: whose number is ``reported``.
        **parameters: values at which the elasticity is taken.

    Raises:
        UsageError: there is no such parameter, quantity or convention.

    >>> [row.degree for row in scaling("mobilenet_v1", ["rho"], ["params", "macs"])]
    [0, 2]
    """
    from convcost.formulas import scaling as rules  # noqa: PLC0415 - only formulas need it
    from convcost.formulas.closed import everything_free  # noqa: PLC0415
    from convcost.formulas.closed import formula as closed  # noqa: PLC0415

    (resolved,) = resolve([target], parameters)
    spec, values, shape = resolved.spec, resolved.values, input_shape(input)
    named = convention != DEFAULT
    wanted = quantity_names(quantities or (*_SCALING, *((REPORTED,) if named else ())), "quantities", named=named)
    names = free or everything_free(spec, values, shape)
    forms = closed(spec, names, values, shape, whose=convention_of(convention, spec))
    return rules.scaling(forms, wanted)


def equal(
    *targets: TargetLike,
    quantities: Sequence[str] = ("params", "macs"),
    where: Mapping[str, str | Expression] | None = None,
    free: Sequence[str] | None = None,
    input: Sizes | None = None,  # noqa: A002
    **parameters: Any,
) -> Equalities:
    """Whether targets cost the same as the last for all values of their names: a proof, or a counterexample.

    Args:
        *targets: two or more; a name that several have means the same value.
        quantities: see :mod:`convcost.metrics.quantities`.
        where: names tied to others, as ``{"O": "I"}``, of the same target or of another.
        free: names to leave as symbols.
        input: ``(channels, *spatial)`` in place of every target's own.
        **parameters: values that are fixed.

    Raises:
        UsageError: fewer than two targets, no such parameter or quantity, or a tie is no expression.
        SpecError: a spec is wrong, or a value does not fit.

    >>> equal("resnext_a", "resnext_c").equal
    True
    """
    from convcost.formulas.equal import Equalities, identities  # noqa: PLC0415 - only formulas need it

    if len(targets) < 2:  # noqa: PLR2004 - a thing is equal to itself
        raise UsageError("equal needs at least two targets")
    resolved = resolve(targets, parameters)
    wanted = quantity_names(quantities, "quantities")
    tied = {
        name: text if isinstance(text, Expression) else typed_expression(text, "where")
        for name, text in (where or {}).items()
    }
    check_names(tied, resolved, "where: ")
    check_names(free or (), resolved)
    sides = [_side(target, tied, resolved) for target in resolved]
    shape = input_shape(input)
    return Equalities(identities(side, sides[-1], wanted, free, shape) for side in sides[:-1])


def _side(target: Target, ties: Mapping[str, Expression], others: Sequence[Target]) -> Side:
    """A target with its ties; a parameter tied to the name of another target's has that name."""
    from convcost.formulas.equal import Side  # noqa: PLC0415 - only formulas need it
    from convcost.formulas.renamed import Renamed  # noqa: PLC0415

    spec, values = target.spec, target.values
    own = _own(ties, spec.names)
    foreign = {name for other in others for name in other.spec.names} - set(spec.names)
    names = {name: tie.text for name, tie in own.items() if name in spec.parameters and tie.text in foreign}
    if names:
        spec = Renamed(spec, names)
        values = {names.get(name, name): value for name, value in values.items()}
    return Side(target.name, spec, values, {name: tie for name, tie in own.items() if name not in names})


def _own(ties: Mapping[str, Expression], names: Iterable[str]) -> dict[str, Expression]:
    own = set(names)
    return {name: tie for name, tie in ties.items() if name in own}
