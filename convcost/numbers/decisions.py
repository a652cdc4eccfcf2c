"""Arithmetic of symbols, and its decisions: conditions of a closed form, which are printed and checked.

A condition is decided by algebra if possible, else at the witness of the symbolic run, and then recorded
(:mod:`convcost.numbers.assumptions`).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import sympy
from sympy import Add, Expr

from convcost.errors import ShapeError, UnsupportedError
from convcost.limits import MAX_DEGREE, MAX_TERMS
from convcost.numbers import assumptions
from convcost.numbers.exact import EXACT, NEGATION, RELATIONS, Relation
from convcost.numbers.printing import text
from convcost.numbers.symbols import (
    CeilDiv,
    FloorDiv,
    Gcd,
    MakeDivisible,
    Maximum,
    Minimum,
    RoundEven,
    degree_bound,
    evaluate,
    expanded,
    is_monotone,
    is_whole_polynomial,
    lower_bound,
    term_bound,
    terms_of,
    to_number,
    to_sympy,
    without_floors,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Kind: TypeAlias = Relation | Literal["divides", "is whole", "in"]  # of a condition

DIVIDES: Literal["divides"] = "divides"
WHOLE: Literal["is whole"] = "is whole"
_MIRRORED: dict[Kind, Kind] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


# --- conditions ---


class Condition:
    """A relation between two expressions that closed forms rely on.

    Attributes:
        left: an expression.
        relation: one of ``== != < <= > >=``, ``divides`` (left divides right), ``is whole`` (left is), or ``in`` (of a
            subclass that lists intervals).
        right: an expression; None for ``is whole``.
        structural: whether the network has another structure where it does not hold; otherwise there is no such
            network there (channels that do not divide, a kernel larger than the map).
    """

    __slots__ = ("left", "relation", "right", "structural")

    def __init__(self, left: Any, relation: Kind, right: Any = None, *, structural: bool = False) -> None:
        self.left = to_sympy(left)
        self.relation = relation
        self.right = None if right is None else to_sympy(right)
        self.structural = structural
        if self.left.is_Number and self.right is not None and not self.right.is_Number and relation != DIVIDES:
            self.left, self.right = self.right, self.left
            self.relation = _MIRRORED.get(relation, relation)

    @property
    def text(self) -> str:
        """As printed: ``G divides I``."""
        if self.right is None:
            return f"{text(self.left)} {self.relation}"
        return f"{text(self.left)} {self.relation} {text(self.right)}"

    def renamed(self, names: Mapping[Any, Any]) -> Condition:
        """The same condition with other symbols."""
        right = None if self.right is None else self.right.xreplace(dict(names))
        return Condition(self.left.xreplace(dict(names)), self.relation, right, structural=self.structural)

    @property
    def symbols(self) -> set[Any]:
        """The symbols in it."""
        return set(self.left.free_symbols) if self.right is None else self.left.free_symbols | self.right.free_symbols

    def holds(self, values: Mapping[Any, Any]) -> bool:
        """Whether it holds with these numbers in place of the symbols."""
        left = evaluate(self.left, values)
        if self.relation == WHOLE:
            return Fraction(left).denominator == 1
        right = evaluate(self.right, values)
        if self.relation == DIVIDES:
            return left != 0 and right % left == 0
        return bool(RELATIONS[self.relation](left, right))

    def __repr__(self) -> str:
        return f"Condition({self.text})"


def with_equalities(expr: Any, conditions: Iterable[Condition], *, expand: bool = True) -> Any:
    """``expr`` with one symbol for two that a condition such as ``I == O`` makes equal; by default multiplied out."""
    for condition in conditions:
        left, right = condition.left, condition.right
        if condition.relation == "==" and left.is_Symbol and right is not None and right.is_Symbol:
            expr = expr.xreplace({right: left})
            expr = sympy.expand(expr) if expand else expr
    return expr


def violated(conditions: Any, values: Mapping[Any, Any]) -> list[Condition]:
    """Those of ``conditions`` that do not hold with these numbers."""
    return [condition for condition in conditions if not condition.holds(values)]


# --- arithmetic ---


class Symbols:
    """The functions of :mod:`convcost.numbers.arithmetic` on sympy expressions, also beside plain numbers."""

    def divide(self, a: Any, b: Any) -> Expr:
        """``a / b``."""
        return to_sympy(a) / _divisor(a, b)

    def exact_div(self, a: Any, b: Any, what: str) -> Expr:
        """``a / b``; that ``b`` divides ``a`` is assumed and recorded, unless algebra shows it."""
        dividend, divisor = to_sympy(a), to_sympy(b)
        quotient = sympy.cancel(dividend / divisor)
        session = assumptions.current()
        if session is None or is_whole_polynomial(quotient):
            return quotient
        top, bottom = (evaluate(side, session.witness) for side in (dividend, divisor))
        if top % bottom:
            raise ShapeError(f"cannot divide {what}: {top} is not a multiple of {bottom}")
        session.assume(Condition(divisor, DIVIDES, dividend))
        return quotient

    def floor_div(self, a: Any, b: Any) -> Expr:
        """``floor(a / b)``."""
        return FloorDiv(to_sympy(a), _divisor(a, b))

    def ceil_div(self, a: Any, b: Any) -> Expr:
        """``ceil(a / b)``: of whole numbers, a floor with a larger constant."""
        return CeilDiv(to_sympy(a), _divisor(a, b))

    def gcd(self, a: Any, b: Any) -> Expr:
        """The greatest common divisor."""
        return Gcd(to_sympy(a), to_sympy(b))

    def maximum(self, values: Sequence[Any]) -> Expr:
        """The largest of ``values``."""
        return Maximum(*map(to_sympy, values))

    def minimum(self, values: Sequence[Any]) -> Expr:
        """The smallest of ``values``."""
        return Minimum(*map(to_sympy, values))

    def total(self, values: Sequence[Any]) -> Expr:
        """The sum of ``values``, in a single step."""
        return Add(*map(to_sympy, values))

    def power(self, base: Any, exponent: Any) -> Expr:
        """``base ** exponent``, of bounded size."""
        over, under = to_sympy(exponent), to_sympy(base)
        if not over.is_Integer:
            raise ShapeError(f"an exponent must be a whole number, found {text(over)}")
        if under.is_Rational:  # a number after all, such as the cost of a network without free names
            return to_sympy(EXACT.power(to_number(under), int(over)))
        self.bounded(sympy.Pow(under, over, evaluate=False))  # before it is computed: its coefficients are powers too
        return under**over

    def bounded(self, value: Any) -> Any:
        """``value``, unless it has grown beyond what anyone would read."""
        if term_bound(value) > MAX_TERMS:
            raise ShapeError(f"a formula grew beyond {MAX_TERMS:,} terms")
        if degree_bound(value) > MAX_DEGREE:
            raise ShapeError(f"a formula grew beyond degree {MAX_DEGREE}")
        return value

    def round_even(self, value: Any) -> Expr:
        """The nearest integer; a half goes to the even one."""
        return RoundEven(value)

    def make_divisible(self, value: Any, step: Any) -> Expr:
        """The width rule of the MobileNets."""
        return MakeDivisible(to_sympy(value), to_sympy(step))

    def decide(self, relation: Relation, a: Any, b: Any) -> bool:
        """Whether ``a relation b``: by algebra, else at the witness, which is recorded."""
        known = _proved(relation, _difference(a, b))
        if known is not None:
            return known
        session = assumptions.current()
        if session is None:
            raise UnsupportedError(f"cannot tell whether {text(a)} {relation} {text(b)}")
        question, asked = _question(relation, _difference(a, b))
        if question not in session.answers:
            answer = session.forced.get(question, _at_witness(session, relation, a, b) == asked)
            session.answers[question] = answer
            session.assume(Condition(a, relation if answer == asked else NEGATION[relation], b, structural=True))
        return session.answers[question] == asked

    def provably(self, a: Any, b: Any) -> bool:
        """Whether ``a == b`` for all values of the symbols."""
        return bool(a == b or _difference(a, b) == 0)

    def require(self, relation: Relation, a: Any, b: Any, message: str) -> None:
        """Demand ``a relation b``: it must hold at the witness, and is recorded unless algebra shows it."""
        if relation == ">=" and b == 1 and to_sympy(a).is_positive:
            return  # asked of every size, and a size is whole and above 0
        known = _proved(relation, _difference(a, b))
        if known:
            return
        session = assumptions.current()
        if known is False or session is None or not _at_witness(session, relation, a, b):
            raise ShapeError(message)
        _record(session, relation, a, b)

    def is_whole(self, value: Any) -> bool:
        """Whether ``value`` is whole: by algebra, else at the witness, which is recorded as a divisibility."""
        if is_whole_polynomial(value):
            return True
        session = assumptions.current()
        if session is None:
            return value.is_integer is not False
        if Fraction(evaluate(value, session.witness)).denominator != 1:
            return False
        top, bottom = sympy.fraction(sympy.together(value))
        session.assume(Condition(top, WHOLE) if bottom == 1 else Condition(bottom, DIVIDES, top))
        return True


def _divisor(a: Any, b: Any) -> Expr:
    divisor = to_sympy(b)
    if divisor == 0:
        raise ShapeError(f"{text(to_sympy(a))} is divided by zero")
    return divisor


def _difference(a: Any, b: Any) -> Any:
    return expanded(to_sympy(a) - to_sympy(b))


def _at_witness(session: assumptions.Session, relation: Relation, a: Any, b: Any) -> bool:
    left, right = (evaluate(to_sympy(side), session.witness) for side in (a, b))
    return bool(RELATIONS[relation](left, right))


# --- what algebra decides, and what is recorded ---


def _question(relation: Relation, difference: Any) -> tuple[Any, bool]:
    """The question behind ``difference relation 0``, the same for all ways to ask it; and whether yes means yes."""
    opposite = sympy.expand(-difference)
    if relation in ("==", "!="):
        return ("==", min(difference, opposite, key=lambda form: form.sort_key())), relation == "=="
    if relation in ("<", ">="):
        return ("<", difference), relation == "<"
    return ("<", opposite), relation == ">"


def _proved(relation: Relation, difference: Any) -> bool | None:
    """Whether ``difference relation 0`` always holds (True), never (False), or neither is known."""
    number = to_number(difference)
    if number is not None:
        return bool(RELATIONS[relation](number, 0))
    least = _least(difference)
    if least is not None:
        if relation in (">", ">=", "!=") and RELATIONS[relation](least, 0) and (relation != "!=" or least > 0):
            return True
        if relation in ("<", "<=", "==") and RELATIONS[NEGATION[relation]](least, 0) and least > 0:
            return False
    opposite = _least(expanded(-difference))
    if opposite is None and difference.is_nonpositive is None:
        opposite = _least_of_quotient(-difference)
    if opposite is not None:
        if relation in ("<", "<=", "!=") and (opposite > 0 or (relation == "<=" and opposite == 0)):
            return True
        if relation in (">", ">=", "==") and opposite > 0:
            return False
    return None


def _least(difference: Any) -> Any:
    """A number that ``difference`` never falls below; None if none is known."""
    known = lower_bound(difference)
    return lower_bound(without_floors(difference)) if known is None and difference.has(FloorDiv) else known


def _least_of_quotient(expr: Any) -> int | None:
    """0 where a quotient of polynomials is certainly not negative for whole symbols of at least 1; else None."""
    top, _ = sympy.fraction(sympy.together(expr))
    if top.atoms(sympy.Function):
        return None
    shifted = top.xreplace({symbol: symbol + 1 for symbol in top.free_symbols if symbol.is_integer})
    return 0 if all(coefficient >= 0 for coefficient in terms_of(shifted).values()) else None


def _record(session: assumptions.Session, relation: Relation, a: Any, b: Any) -> None:
    if relation not in (">=", ">", "<=", "<") or not _bound(session, relation, a, b):
        session.assume(Condition(a, relation, b))


def _bound(session: assumptions.Session, relation: Relation, a: Any, b: Any) -> bool:
    """Record an inequality in a single symbol as the least value of that symbol; False if it is no such thing."""
    difference = _difference(a, b) if relation in (">=", ">") else _difference(b, a)
    symbols = difference.free_symbols
    if len(symbols) != 1 or not is_monotone(difference):
        return False
    symbol = next(iter(symbols))
    if relation in (">", "<"):
        return False
    least = _least_whole(difference, symbol, session) if symbol.is_integer else _least_ratio(difference, symbol)
    if least is None:
        return False
    session.least[symbol] = max(session.least.get(symbol, least), least)
    return True


def _least_whole(difference: Any, symbol: Any, session: assumptions.Session) -> int:
    """The least whole ``symbol`` with ``difference >= 0``, which grows with it and holds at the witness."""
    low, high = 0, int(session.witness[symbol])
    while high - low > 1:
        middle = (low + high) // 2
        if evaluate(difference, {symbol: middle}) >= 0:
            high = middle
        else:
            low = middle
    return high


def _least_ratio(difference: Any, symbol: Any) -> Fraction | None:
    """The least ``symbol`` with ``floor(p/q) + c >= 0`` or ``p + c >= 0``, for ``p`` linear in it."""
    constant, rest = difference.as_coeff_Add()
    linear = rest
    if isinstance(rest, FloorDiv) and constant.is_Integer:
        linear = rest.args[0] / rest.args[1]  # floor(v) >= n just where v >= n, for whole n
    terms = dict(expanded(linear).as_coefficients_dict())
    if not set(terms) <= {symbol, sympy.S.One} or symbol not in terms:
        return None
    root = (-constant - terms.get(sympy.S.One, 0)) / terms[symbol]
    return Fraction(root.p, root.q)


SYMBOLS = Symbols()
