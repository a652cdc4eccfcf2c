"""Proof that two specs cost the same for all values of their parameters, or the smallest counterexample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import ConvcostError, UsageError
from convcost.formulas.cases import cases
from convcost.formulas.closed import default_free
from convcost.formulas.order import Reach
from convcost.formulas.points import points
from convcost.formulas.sign import identically_zero, least_values
from convcost.language.interpret import build
from convcost.metrics.quantities import quantities
from convcost.numbers.arithmetic import normal
from convcost.numbers.decisions import with_equalities
from convcost.numbers.polynomial import expanded, over_common, symbols_in
from convcost.numbers.values import Evaluator
from convcost.tables.printable import Records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from convcost.formulas.cases import Cases
    from convcost.formulas.closed import Formula
    from convcost.language.expression import Expression
    from convcost.language.model import Spec
    from convcost.layers.base import Shape
    from convcost.numbers.arithmetic import Num
    from convcost.numbers.decisions import Condition

MAX_TRIED = 30_000  # points, shared by the structures


class Side(NamedTuple):
    """One of two specs, with what is fixed about it.

    Attributes:
        name: what it is called.
        spec: linked.
        given: values of its parameters.
        ties: names whose value is an expression of others.
    """

    name: str
    spec: Spec
    given: Mapping[str, Any]
    ties: Mapping[str, Expression]


class Counterexample(NamedTuple):
    """Values at which the two differ, and what each costs there: counted, not read off a formula."""

    values: dict[str, Num]
    first: Num
    second: Num


class Identity(NamedTuple):
    """Whether one quantity is equal.

    Attributes:
        quantity: see :mod:`convcost.metrics.quantities`.
        equal: True: proved for all values; False: there is a counterexample; None: neither was found.
        difference: of the closed forms at the defaults' structure.
        counterexample: the smallest by the sum of its values.
    """

    quantity: str
    equal: bool | None
    difference: Any
    counterexample: Counterexample | None


class Identities(NamedTuple):
    """The comparison of two specs.

    Attributes:
        first, second: the sides.
        quantities: an identity per quantity.
        names: the names that were left free.
        conditions: what both need to be networks at all.
        structures: how many pairs of structures were looked at.
        domain: the names with the values that the statements are about.
        fixed: what is free on one side and has a value on the other: side, name, value.
    """

    first: Side
    second: Side
    quantities: tuple[Identity, ...]
    names: tuple[str, ...]
    conditions: tuple[Condition, ...]
    structures: int
    domain: tuple[Reach, ...] = ()
    fixed: tuple[tuple[str, str, Any], ...] = ()


class Equalities(Records[Identities]):
    """Several specs, each compared with the last."""

    @property
    def equal(self) -> bool:
        """Whether it is proved that all cost the same in every quantity."""
        return all(identity.equal for pair in self for identity in pair.quantities)


def identities(
    first: Side,
    second: Side,
    wanted: Sequence[str],
    free: Sequence[str] | None = None,
    input_shape: Shape | None = None,
) -> Identities:
    """Compare two specs, names that both have standing for the same value.

    Args:
        first: one of them.
        second: the other.
        wanted: quantities.
        free: names to leave free, in each that has them; by default all of a block, of a network its size and classes.
        input_shape: in place of both inputs.

    Raises:
        UsageError: a name is no parameter, cannot be free, or is a ratio in one and a whole number in the other.
        SpecError: a spec is wrong, or its values do not fit.
    """
    sides = (first, second)
    shapes = [
        cases(side.spec, _free(side, free, input_shape), side.given, input_shape, ties=side.ties) for side in sides
    ]
    symbols = _symbols(sides, shapes)
    product = ((formula, other) for formula in shapes[0].formulas for other in shapes[1].formulas)
    pairs = [(formula, other) for formula, other in product if _compatible(formula, other)]
    complete = all(shape.complete for shape in shapes)
    results = tuple(_identity(quantity, sides, pairs, symbols, input_shape, complete=complete) for quantity in wanted)
    needed = {
        condition.text: condition
        for pair in pairs[:1]
        for formula in pair
        for condition in formula.conditions
        if not condition.structural
    }
    floor = least_values(list(symbols.values()), list(needed.values()))
    domain = tuple(Reach(name, symbol.whole, floor[symbol]) for name, symbol in symbols.items())
    fixed = tuple(_fixed(sides, shapes, symbols, input_shape))
    return Identities(first, second, results, tuple(symbols), tuple(needed.values()), len(pairs), domain, fixed)


def _fixed(
    sides: Sequence[Side], shapes: Sequence[Cases], symbols: Mapping[str, Any], input_shape: Shape | None
) -> Iterator[tuple[str, str, Any]]:
    """Names that are free in one side and have a fixed value in the other."""
    for side, shape in zip(sides, shapes, strict=True):
        for name, value in build(side.spec, side.given, input_shape).parameters.items():
            if name in symbols and name not in side.ties and name not in shape.formulas[0].symbols:
                yield side.name, name, value


def _free(side: Side, free: Sequence[str] | None, input_shape: Shape | None) -> list[str]:
    """The names to leave free: the requested names, or the default names without those that have a value."""
    if free is None:
        graph = build(side.spec, side.given, input_shape)
        return [name for name in default_free(side.spec, graph.parameters) if name not in side.given]
    return [name for name in free if name in side.spec.names]


def _compatible(formula: Formula, other: Formula) -> bool:
    """Whether no question of structure has different answers."""
    return all(other.answers.get(question, answer) == answer for question, answer in formula.answers.items())


def _symbols(sides: Sequence[Side], shapes: Sequence[Cases]) -> dict[str, Any]:
    """Every free name with its symbol."""
    symbols: dict[str, Any] = {}
    for side, shape in zip(sides, shapes, strict=True):
        for name, symbol in shape.formulas[0].symbols.items():
            if symbols.setdefault(name, symbol) != symbol:
                raise UsageError(f"`{name}` is a ratio in one and a whole number in {side.name}; give one with --set")
    return symbols


def _identity(
    quantity: str,
    sides: Sequence[Side],
    pairs: Sequence[tuple[Formula, Formula]],
    symbols: Mapping[str, Any],
    input_shape: Shape | None,
    *,
    complete: bool,
) -> Identity:
    contradictions = []
    proved = complete
    for formula, other in pairs:
        conditions = [*formula.conditions, *other.conditions]
        difference = _difference(formula, other, quantity, conditions)
        if identically_zero(difference):
            continue
        proved = False
        for values in _where_not_zero(difference, conditions, symbols, MAX_TRIED // len(pairs)):
            both = zip(sides, (formula, other), strict=True)
            counted = [_count(side, form, values, quantity, input_shape) for side, form in both]
            if None not in counted and counted[0] != counted[1]:
                contradictions.append(Counterexample(values, counted[0], counted[1]))
                break
    smallest = min(contradictions, key=lambda example: sum(example.values.values()), default=None)
    shown = _plain_difference(*pairs[0], quantity)
    return Identity(quantity, True if proved else False if smallest is not None else None, shown, smallest)


def _plain_difference(formula: Formula, other: Formula, quantity: str) -> Any:
    return formula.totals[quantity].polynomial - other.totals[quantity].polynomial


def _difference(formula: Formula, other: Formula, quantity: str, conditions: Sequence[Condition]) -> Any:
    """A polynomial that is 0 exactly where both cost the same."""
    top, _ = over_common(_plain_difference(formula, other, quantity))
    return expanded(with_equalities(top, conditions))


def _where_not_zero(
    difference: Any, conditions: Sequence[Condition], symbols: Mapping[str, Any], tried: int
) -> Iterator[dict[str, Num]]:
    evaluator = Evaluator([difference], list(symbols.values()))
    for point in points(list(symbols.values()), symbols_in(difference), conditions, tried):
        values = {name: normal(point[symbol]) for name, symbol in symbols.items()}
        if evaluator([*values.values()])[0] != 0:
            yield values


def _count(
    side: Side, formula: Formula, values: Mapping[str, Num], quantity: str, input_shape: Shape | None
) -> Num | None:
    """The quantity at these values, counted; None if there is no such network."""
    given = {**side.given, **{name: values[name] for name in formula.symbols}}
    try:
        parameters = build(side.spec, given, input_shape).parameters
        tied = {name: tie.evaluate({**parameters, **values}) for name, tie in side.ties.items()}
        return quantities(build(side.spec, {**given, **tied}, input_shape).layers)[quantity]
    except ConvcostError:
        return None
