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
    from fractions import Fraction

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

    def leasts(self) -> list[int | None]:
        """A whole number that each slot is never below, for arguments of at least 1; None where none is known."""
        leasts: list[int | None] = [1] * self.arguments
        for line in self.lines:
            leasts.append(_least_of(line, leasts))
        return leasts


def _least_of(line: Line, leasts: Sequence[int | None]) -> int | None:
    """A whole number that the result of a line is never below; None if none is known."""
    if line.operation in ("make_divisible", "gcd"):
        return 1
    arguments = [least(argument, leasts) for argument in line.arguments]
    known = [own for own in arguments if own is not None]
    if line.operation == "maximum":
        return max(known, default=None)
    if line.operation == "minimum":
        return min(known) if len(known) == len(arguments) else None
    top, bottom = line.arguments[:2]
    if line.operation == "floor_div" and len(known) == len(arguments) and min(known) >= 0:
        gap = least(_minus(top, bottom, 1), leasts)
        return 1 if gap is not None and gap >= 0 else 0
    return None


def least(polynomial: Polynomial, leasts: Sequence[int | None]) -> int | None:
    """A whole number that a polynomial is never below; None if none is known, or one of its factors can be negative.

    Args:
        polynomial: of slots.
        leasts: of each slot; see :meth:`Kernel.leasts`.
    """
    result = 0
    for monomial, coefficient in polynomial.items():
        smallest = 1
        for slot, power in monomial:
            own = leasts[slot]
            if own is None or own < 0:
                return None
            smallest *= own**power
        if coefficient < 0 and monomial:
            return None
        result += coefficient * smallest
    return result


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
    leasts = bare.leasts()
    doubtful = [divisor for divisor in divisors if (least(divisor, leasts) or 0) < 1]
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


def _minus(top: Polynomial, bottom: Polynomial, number: Fraction | int) -> Polynomial:
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
