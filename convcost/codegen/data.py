"""Compiled closed forms as data: a small interpreter runs it, exactly on whole numbers of any size.

The interpreter is a loop over this data, so that a page needs neither generated code nor an evaluator of text. Equal
forms are stored once, and so is every rounding and every monomial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.codegen.kernel import UNIT

if TYPE_CHECKING:
    from convcost.codegen.kernel import Guard, Kernel, Polynomial

SAFE = 2**53  # whole numbers of JSON that every reader keeps exactly; larger ones are written as text


class Pool:
    """Expressions, each stored once.

    Attributes:
        exprs: the different ones by their place as text, in the order they came.
    """

    def __init__(self) -> None:
        self.exprs: dict[str, Any] = {}
        self._places: dict[Any, int] = {}

    def place(self, expr: Any) -> int:
        """The place of ``expr``, at which its value will be found."""
        if expr not in self._places:
            self._places[expr] = len(self.exprs)
            self.exprs[str(self._places[expr])] = expr
        return self._places[expr]


def as_data(made: Kernel) -> dict[str, Any]:
    """A kernel as lists, numbers and texts.

    Each of ``lines`` fills the next slot: an operation of :mod:`convcost.codegen.program` and its arguments.
    ``monomials`` are lists of slots to be multiplied. ``values`` has a polynomial for each output, or a list of two of
    them, a fraction. A polynomial is a flat list of coefficients, each followed by the place of its monomial. A guard
    is a list of alternatives, each a list of checks: a relation, a polynomial that has it to 0, and a divisor, which
    only ``divides`` reads.
    """
    monomials: dict[tuple[int, ...], int] = {}

    def flat(polynomial: Polynomial) -> list[int | str]:
        terms: list[int | str] = []
        for monomial, coefficient in sorted(polynomial.items()):
            slots = tuple(slot for slot, power in monomial for _ in range(power))
            terms += [number(coefficient), monomials.setdefault(slots, len(monomials))]
        return terms

    def guard(each: Guard) -> list[list[list[Any]]]:
        return [
            [[test.relation, flat(test.polynomial), flat(test.divisor)] for test in tests]
            for tests in each.alternatives
        ]

    return {
        "lines": [[line.operation, *map(flat, line.arguments)] for line in made.lines],
        "values": [flat(top) if bottom == UNIT else [flat(top), flat(bottom)] for top, bottom in made.outputs.values()],
        "guards": [guard(each) for each in made.guards],
        "monomials": list(map(list, monomials)),
    }


def number(value: int) -> int | str:
    """A whole number of any size, for JSON: beyond 2^53 as text."""
    return value if abs(value) < SAFE else str(value)
