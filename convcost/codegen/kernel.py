"""Closed forms and their conditions as arithmetic on numbered slots: polynomials with whole coefficients, no names.

A slot is a whole number: first the arguments (a ratio is two of them, its numerator and denominator), then the result
of every line. Nothing here depends on what a file calls its parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from convcost.codegen.program import program
from convcost.formulas.regions import Within
from convcost.numbers.decisions import DIVIDES, WHOLE
from convcost.numbers.polynomial import inverse, terms_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from convcost.codegen.program import Operation
    from convcost.formulas.regions import Stretch
    from convcost.numbers.decisions import Condition
    from convcost.numbers.exact import Relation

Monomial: TypeAlias = tuple[tuple[int, int], ...]  # slots in ascending order, each with its power
Polynomial: TypeAlias = dict[Monomial, int]
Fractional: TypeAlias = tuple[Polynomial, Polynomial]
UNIT: Polynomial = {(): 1}
CONSTANT = -1  # the owner of a slot that depends on no argument


class Line(NamedTuple):
    """``slot = operation(*arguments)``; the operations are those of :class:`convcost.codegen.program.Statement`."""

    operation: Operation
    arguments: tuple[Polynomial, ...]


class Check(NamedTuple):
    """``polynomial relation 0``; or, for ``divides``, that ``divisor`` is not 0 and divides the polynomial."""

    relation: Relation | Literal["divides"]
    polynomial: Polynomial
    divisor: Polynomial


class Guard(NamedTuple):
    """A condition: all tests of at least one alternative hold.

    Attributes:
        alternatives: the tests.
        structural: whether the network has another structure where it does not hold; otherwise it has none there.
    """

    alternatives: tuple[tuple[Check, ...], ...]
    structural: bool

    def renamed(self, slots: Mapping[int, int]) -> Guard:
        """The same with other numbers for the slots."""
        return Guard(
            tuple(
                tuple(Check(c.relation, renamed(c.polynomial, slots), renamed(c.divisor, slots)) for c in checks)
                for checks in self.alternatives
            ),
            self.structural,
        )


class Kernel(NamedTuple):
    """Closed forms of one structure.

    Attributes:
        arguments: the number of slots that are passed in.
        lines: each makes the next slot.
        outputs: by name, a fraction of polynomials.
        guards: where the forms hold.
    """

    arguments: int
    lines: tuple[Line, ...]
    outputs: dict[str, Fractional]
    guards: tuple[Guard, ...]

    def with_line(self, line: Line) -> tuple[Kernel, int]:
        """The same with one line more, and the slot that it makes."""
        return self._replace(lines=(*self.lines, line)), self.arguments + len(self.lines)

    def owners(self, widths: Sequence[int]) -> list[int | None]:
        """Of each slot, the argument that it depends on: `CONSTANT` where there is none, None where there are several.

        Args:
            widths: how many slots each argument takes.
        """
        owners: list[int | None] = [number for number, width in enumerate(widths) for _ in range(width)]
        for line in self.lines:
            sources = {owners[slot] for argument in line.arguments for monomial in argument for slot, _ in monomial}
            sources -= {CONSTANT}
            owners.append(CONSTANT if not sources else sources.pop() if len(sources) == 1 else None)
        return owners

    def is_positive(self, polynomial: Polynomial) -> bool:
        """Whether a polynomial is at least 1 for all arguments, which are at least 1."""
        return (
            bool(polynomial)
            and all(coefficient > 0 for coefficient in polynomial.values())
            and all(self._at_least(1, slot) for monomial in polynomial for slot, _ in monomial)
        )

    def is_natural(self, polynomial: Polynomial) -> bool:
        """Whether a polynomial is at least 0 for all arguments, which are at least 1."""
        return all(coefficient >= 0 for coefficient in polynomial.values()) and all(
            self._at_least(0, slot) for monomial in polynomial for slot, _ in monomial
        )

    def _at_least(self, least: int, slot: int) -> bool:
        if slot < self.arguments:
            return True
        line = self.lines[slot - self.arguments]
        if line.operation in ("make_divisible", "gcd"):
            return True
        return least == 0 and line.operation == "floor_div" and all(map(self.is_natural, line.arguments))


def renamed(polynomial: Polynomial, slots: Mapping[int, int]) -> Polynomial:
    """A polynomial with other numbers for its slots."""
    return {
        tuple(sorted((slots[slot], power) for slot, power in monomial)): coefficient
        for monomial, coefficient in polynomial.items()
    }


def scaled(polynomial: Polynomial, factor: int) -> Polynomial:
    """``factor * polynomial``."""
    return {monomial: coefficient * factor for monomial, coefficient in polynomial.items()}


def kernel(exprs: Mapping[str, Any], symbols: Sequence[Any], conditions: Iterable[Condition] = ()) -> Kernel:
    """Closed forms as a kernel: the only place where expressions become slots.

    Args:
        exprs: closed forms by the name of their output.
        symbols: the free names, in the order of the arguments.
        conditions: where the forms hold.

    Raises:
        UnsupportedError: an expression has no code.
    """
    listed = list(conditions)
    sides = {f"condition {index}": _side(condition) for index, condition in enumerate(listed)}
    made = program({**exprs, **sides}, symbols)
    slots = {argument: slot for slot, argument in enumerate(made.arguments)}
    count = len(slots)
    lines = []
    for statement in made.statements:
        lines.append(Line(statement.operation, tuple(_polynomial(part, slots) for part in statement.arguments)))
        slots[statement.symbol] = len(slots)
    outputs = {
        name: (_polynomial(top, slots), _polynomial(bottom, slots)) for name, (top, bottom) in made.outputs.items()
    }
    guards = [_guard(condition, outputs.pop(name)) for name, condition in zip(sides, listed, strict=True)]
    bare = Kernel(count, tuple(lines), outputs, ())
    divisors = [line.arguments[1] for line in lines if line.operation in ("floor_div", "make_divisible", "round_even")]
    divisors += [bottom for _, bottom in outputs.values()]
    divisors += [test.divisor for guard in guards for tests in guard.alternatives for test in tests]
    doubtful = [divisor for divisor in divisors if not bare.is_positive(divisor)]
    positive = [Guard(((Check(">", divisor, UNIT),),), structural=True) for divisor in doubtful]
    return bare._replace(guards=(*guards, *positive))


def _side(condition: Condition) -> Any:
    """The expression whose value decides a condition."""
    if isinstance(condition, Within) or condition.relation == WHOLE:
        return condition.left
    if condition.relation == DIVIDES:
        return condition.right * inverse(condition.left)
    return condition.left - condition.right


def _guard(condition: Condition, side: Fractional) -> Guard:
    top, bottom = side
    if isinstance(condition, Within):
        alternatives = tuple(tuple(_ends(stretch, top, bottom)) for stretch in condition.stretches)
        return Guard(alternatives, condition.structural)
    if condition.relation in (WHOLE, DIVIDES):
        return Guard(((Check("divides", top, bottom),),), condition.structural)
    relation: Any = condition.relation
    return Guard(((Check(relation, top, UNIT), Check(">", bottom, UNIT)),), condition.structural)


def _ends(stretch: Stretch, top: Polynomial, bottom: Polynomial) -> Iterable[Check]:
    """That ``top / bottom`` is between the ends of a stretch."""
    if stretch.low > 0 or not stretch.low_in:
        yield Check(">=" if stretch.low_in else ">", _minus(top, bottom, stretch.low), UNIT)
    if stretch.high is not None:
        yield Check("<=" if stretch.high_in else "<", _minus(top, bottom, stretch.high), UNIT)


def _minus(top: Polynomial, bottom: Polynomial, number: Any) -> Polynomial:
    """``top - number * bottom``, times the denominator of the number."""
    scaled = {monomial: coefficient * number.denominator for monomial, coefficient in top.items()}
    for monomial, coefficient in bottom.items():
        scaled[monomial] = scaled.get(monomial, 0) - coefficient * number.numerator
    return scaled


def _polynomial(expr: Any, slots: Mapping[Any, int]) -> Polynomial:
    return {
        tuple(sorted((slots[atom], power) for atom, power in monomial)): int(coefficient)
        for monomial, coefficient in terms_in(expr).items()
    }
