"""Assumptions of a symbolic run, as conditions that can be printed and checked."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import sympy

from convcost.numbers import arithmetic as algebra
from convcost.numbers.atoms import evaluate, to_sympy
from convcost.numbers.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DIVIDES, WHOLE = "divides", "is whole"
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Condition:
    """A relation between two expressions that closed forms rely on.

    Attributes:
        left: an expression.
        relation: one of ``== != < <= > >=``, ``divides`` (left divides right), or ``is whole`` (left is).
        right: an expression; None for ``is whole``.
        structural: whether the network looks different where it does not hold; otherwise there is no such
            network there (channels that do not divide, a kernel larger than the map).
    """

    __slots__ = ("left", "relation", "right", "structural")

    def __init__(self, left: Any, relation: str, right: Any = None, *, structural: bool = False) -> None:
        self.left = to_sympy(left)
        self.relation = relation
        self.right = None if right is None else to_sympy(right)
        self.structural = structural
        if self.left.is_Number and self.right is not None and not self.right.is_Number and relation != DIVIDES:
            self.left, self.right = self.right, self.left
            self.relation = _TURNED.get(relation, relation)

    @property
    def text(self) -> str:
        """As it is printed: ``G divides I``."""
        if self.right is None:
            return f"{text(self.left)} {self.relation}"
        return f"{text(self.left)} {self.relation} {text(self.right)}"

    def renamed(self, names: Mapping[Any, Any]) -> Condition:
        """The same of other symbols."""
        right = None if self.right is None else self.right.xreplace(dict(names))
        return Condition(self.left.xreplace(dict(names)), self.relation, right, structural=self.structural)

    @property
    def symbols(self) -> set[Any]:
        """The symbols it speaks of."""
        found: set[Any] = set(self.left.free_symbols)
        return found if self.right is None else found | self.right.free_symbols

    def holds(self, values: Mapping[Any, Any]) -> bool:
        """Whether it holds with these numbers in place of the symbols."""
        left = evaluate(self.left, dict(values))
        if self.relation == WHOLE:
            return Fraction(left).denominator == 1
        right = evaluate(self.right, dict(values))
        if self.relation == DIVIDES:
            return left != 0 and right % left == 0
        return bool(algebra.RELATIONS[self.relation](left, right))

    def __repr__(self) -> str:
        return f"Condition({self.text})"


def with_equalities(expr: Any, conditions: Iterable[Condition], *, expand: bool = True) -> Any:
    """``expr`` with one name for what conditions such as ``I == O`` make equal; multiplied out, unless not wanted."""
    for one in conditions:
        if one.relation == "==" and one.left.is_Symbol and one.right is not None and one.right.is_Symbol:
            expr = expr.xreplace({one.right: one.left})
            expr = sympy.expand(expr) if expand else expr
    return expr


def violated(conditions: Any, values: Mapping[Any, Any]) -> list[Condition]:
    """Those of ``conditions`` that do not hold with these numbers."""
    return [one for one in conditions if not one.holds(values)]
