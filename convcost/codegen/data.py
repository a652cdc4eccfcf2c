"""Closed forms as data: a program that a small interpreter runs, exactly on whole numbers of any size.

The interpreter is a loop over this data, so that a page needs neither generated code nor an evaluator of text. Equal
forms are stored once, and so is every rounding and every monomial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.codegen.program import program
from convcost.numbers.symbols import terms_of, to_sympy

if TYPE_CHECKING:
    from collections.abc import Sequence

SAFE = 2**53  # whole numbers of JSON that every reader keeps exactly; larger ones are written as text


class Pool:
    """Expressions, each stored once.

    Attributes:
        exprs: the different ones, in the order they came.
    """

    def __init__(self) -> None:
        self.exprs: list[Any] = []
        self._places: dict[Any, int] = {}

    def place(self, expr: Any) -> int:
        """The place of ``expr``, at which its value will be found."""
        expr = to_sympy(expr)
        if expr not in self._places:
            self._places[expr] = len(self.exprs)
            self.exprs.append(expr)
        return self._places[expr]


def as_data(exprs: Sequence[Any], symbols: Sequence[Any]) -> dict[str, Any]:
    """The program that computes ``exprs``, as lists, numbers and texts.

    ``parts`` has the slots of each symbol: one for a whole number, numerator and denominator for a ratio. Each of
    ``steps`` fills the next slot: an operation of :mod:`convcost.codegen.program` and its arguments. ``monomials`` are
    lists of slots to be multiplied. ``values`` has a polynomial for each expression, or a list of two of them, a
    fraction. A polynomial is a flat list of coefficients, each followed by the place of its monomial.

    Args:
        exprs: closed forms.
        symbols: the free names, in the order of their values.

    Raises:
        UnsupportedError: a form has a root, or a width that is rounded to a step that is not a whole number.
    """
    made = program({str(place): expr for place, expr in enumerate(exprs)}, symbols)
    slots: dict[Any, int] = {symbol: slot for slot, symbol in enumerate(made.arguments)}
    monomials: dict[tuple[int, ...], int] = {}

    def polynomial(expr: Any) -> list[int | str]:
        flat: list[int | str] = []
        for monomial, coefficient in sorted(terms_of(expr).items(), key=lambda term: term[0].sort_key()):
            factors = monomial.as_powers_dict().items() if monomial != 1 else ()
            read = sorted(slot for symbol, power in factors for slot in [slots[symbol]] * int(power))
            flat += [number(int(coefficient)), monomials.setdefault(tuple(read), len(monomials))]
        return flat

    steps = []
    for line in made.statements:
        steps.append([line.operation, *map(polynomial, line.arguments)])
        slots[line.symbol] = len(slots)
    values = [
        polynomial(top) if bottom == 1 else [polynomial(top), polynomial(bottom)]
        for top, bottom in made.outputs.values()
    ]
    parts = [[slots[part] for part in parameter.parts] for parameter in made.parameters]
    return {"parts": parts, "steps": steps, "monomials": list(map(list, monomials)), "values": values}


def number(value: int) -> int | str:
    """A whole number of any size, for JSON: beyond 2^53 as text."""
    return value if abs(value) < SAFE else str(value)
