"""Arithmetic of symbols, and its decisions: conditions of a closed form, which are printed and checked.

A condition is decided by algebra if possible, else at the witness of the symbolic run, and then recorded
(:mod:`convcost.numbers.assumptions`).
"""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from convcost.errors import ShapeError, UnsupportedError
from convcost.limits import MAX_DEGREE, MAX_TERMS
from convcost.numbers import assumptions
from convcost.numbers.bounds import is_monotone, lower_bound
from convcost.numbers.exact import EXACT, NEGATION, RELATIONS, Relation, normal
from convcost.numbers.functions import (
    CeilDiv,
    FloorDiv,
    Gcd,
    MakeDivisible,
    Maximum,
    Minimum,
    RoundEven,
    is_whole_polynomial,
    quotient_of,
    without_floors,
)
from convcost.numbers.polynomial import (
    MAX_FORM_TERMS,
    Expr,
    Symbol,
    constant_of,
    degree_of,
    expanded,
    functions_in,
    has_group,
    inverse,
    is_positive,
    line_in,
    over_common,
    power,
    replaced,
    sort_key,
    symbols_in,
    terms_in,
    terms_of,
    total,
    weighted,
)
from convcost.numbers.printing import text
from convcost.numbers.values import evaluate

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
        self.left = normal(left)
        self.relation = relation
        self.right = None if right is None else normal(right)
        self.structural = structural
        if not isinstance(left, Expr) and isinstance(right, Expr) and relation != DIVIDES:
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
        right = None if self.right is None else replaced(self.right, names)
        return Condition(replaced(self.left, names), self.relation, right, structural=self.structural)

    @property
    def symbols(self) -> set[Any]:
        """The symbols in it."""
        return set(symbols_in(self.left) | symbols_in(self.right))

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


def with_equalities(value: Any, conditions: Iterable[Condition]) -> Any:
    """``value`` with one symbol for two that a condition such as ``I == O`` makes equal."""
    for condition in conditions:
        left, right = condition.left, condition.right
        if condition.relation == "==" and isinstance(left, Symbol) and isinstance(right, Symbol):
            value = replaced(value, {right: left})
    return value


def violated(conditions: Any, values: Mapping[Any, Any]) -> list[Condition]:
    """Those of ``conditions`` that do not hold with these numbers."""
    return [condition for condition in conditions if not condition.holds(values)]


# --- arithmetic ---


class Symbols:
    """The functions of :mod:`convcost.numbers.arithmetic` on expressions, also beside plain numbers."""

    def divide(self, a: Any, b: Any) -> Any:
        """``a / b``."""
        return a * inverse(_divisor(a, b))

    def exact_div(self, a: Any, b: Any, what: str) -> Any:
        """``a / b``; that ``b`` divides ``a`` is assumed and recorded, unless algebra shows it."""
        if a == b and b != 0:
            return 1
        quotient = quotient_of(a, _divisor(a, b))
        if quotient is None:
            quotient = a * inverse(b)
        session = assumptions.current()
        if session is None or is_whole_polynomial(quotient):
            return quotient
        top, bottom = (evaluate(side, session.witness) for side in (a, b))
        if top % bottom:
            raise ShapeError(f"cannot divide {what}: {top} is not a multiple of {bottom}")
        session.assume(Condition(b, DIVIDES, a))
        return quotient

    def floor_div(self, a: Any, b: Any) -> Any:
        """``floor(a / b)``."""
        return FloorDiv(a, _divisor(a, b))

    def ceil_div(self, a: Any, b: Any) -> Any:
        """``ceil(a / b)``: of whole numbers, a floor with a larger constant."""
        return CeilDiv(a, _divisor(a, b))

    def gcd(self, a: Any, b: Any) -> Any:
        """The greatest common divisor."""
        return Gcd(a, b)

    def maximum(self, values: Sequence[Any]) -> Any:
        """The largest of ``values``."""
        return Maximum(*values)

    def minimum(self, values: Sequence[Any]) -> Any:
        """The smallest of ``values``."""
        return Minimum(*values)

    def total(self, values: Sequence[Any]) -> Any:
        """The sum of ``values``, in a single step."""
        return total(values)

    def weighted(self, parts: Sequence[tuple[Any, Any]]) -> Any:
        """The sum of products of two values each, in a single step."""
        return weighted(parts)

    def times(self, a: Any, b: Any) -> Any:
        """The product of two expressions, unless it is so long that it need not be computed."""
        if len(terms_in(a)) * len(terms_in(b)) > MAX_FORM_TERMS:
            raise ShapeError(_TOO_LONG)
        return a * b

    def power(self, base: Any, exponent: Any) -> Any:
        """``base ** exponent``, of bounded size."""
        if type(exponent) is not int:
            raise ShapeError(f"an exponent must be a whole number, found {text(exponent)}")
        if not isinstance(base, Expr):
            return EXACT.power(base, exponent)
        terms = len(terms_in(base))  # checked before it is computed: its coefficients are powers too
        if terms > 1 and comb(terms + abs(exponent) - 1, abs(exponent)) > MAX_TERMS:
            raise ShapeError(_TOO_LONG)
        _check_degree(abs(exponent) * degree_of(base))
        return power(base, exponent)

    def bounded(self, value: Any) -> Any:
        """``value``, unless it has grown beyond what anyone would read."""
        if len(terms_in(value)) > MAX_TERMS:
            raise ShapeError(_TOO_LONG)
        _check_degree(degree_of(value))
        return value

    def round_even(self, value: Any) -> Any:
        """The nearest integer; a half goes to the even one."""
        return RoundEven(value)

    def make_divisible(self, value: Any, step: Any) -> Any:
        """The width rule of the MobileNets."""
        return MakeDivisible(value, step)

    def decide(self, relation: Relation, a: Any, b: Any) -> bool:
        """Whether ``a relation b``: by algebra, else at the witness, which is recorded."""
        difference = _difference(a, b)
        known = _proved(relation, difference)
        if known is not None:
            return known
        session = assumptions.current()
        if session is None:
            raise UnsupportedError(f"cannot tell whether {text(a)} {relation} {text(b)}")
        question, asked = _question(relation, difference)
        if question not in session.answers:
            answer = session.forced.get(question, _at_witness(session, relation, a, b) == asked)
            session.answers[question] = answer
            session.assume(Condition(a, relation if answer == asked else NEGATION[relation], b, structural=True))
        return session.answers[question] == asked

    def provably(self, a: Any, b: Any) -> bool:
        """Whether ``a == b`` for all values of the symbols."""
        if a == b or not (has_group(a) or has_group(b)):  # equal sums of terms are equal objects
            return bool(a == b)
        return bool(_difference(a, b) == 0)

    def holds(self, relation: Relation, a: Any, b: Any) -> bool:
        """Whether ``a relation b`` holds at the witness; this is recorded unless algebra shows it for all values."""
        if relation == ">=" and b == 1 and is_positive(a):
            return True  # asked of every size, and a size is whole and above 0
        session = assumptions.current()
        if session is not None and (relation, a, b) in session.held:
            return True
        known = _proved(relation, _difference(a, b))
        if known is False or (not known and (session is None or not _at_witness(session, relation, a, b))):
            return False
        if session is not None:
            session.held.add((relation, a, b))
            if not known:
                _record(session, relation, a, b)
        return True

    def is_whole(self, value: Any) -> bool:
        """Whether ``value`` is whole: by algebra, else at the witness, which is recorded as a divisibility."""
        if is_whole_polynomial(value):
            return True
        session = assumptions.current()
        if session is None:
            return True
        if Fraction(evaluate(value, session.witness)).denominator != 1:
            return False
        top, bottom = over_common(value)
        session.assume(Condition(top, WHOLE) if bottom == 1 else Condition(bottom, DIVIDES, top))
        return True


_TOO_LONG = f"a formula grew beyond {MAX_TERMS:,} terms"


def _check_degree(degree: int) -> None:
    if degree > MAX_DEGREE:
        raise ShapeError(f"a formula grew beyond degree {MAX_DEGREE}")


def _divisor(a: Any, b: Any) -> Any:
    if b == 0:
        raise ShapeError(f"{text(a)} is divided by zero")
    return b


def _difference(a: Any, b: Any) -> Any:
    return expanded(a - b)


def _at_witness(session: assumptions.Session, relation: Relation, a: Any, b: Any) -> bool:
    left, right = (evaluate(side, session.witness) for side in (a, b))
    return bool(RELATIONS[relation](left, right))


def settled(relation: Relation, a: Any, b: Any) -> bool | None:
    """Whether ``a relation b``, as far as algebra or an earlier answer says it; else None, and nothing is recorded."""
    known = _proved(relation, _difference(a, b))
    session = assumptions.current()
    if known is not None or session is None:
        return known
    question, _ = _question(relation, _difference(a, b))
    asked = question in session.answers or question in session.forced
    return SYMBOLS.decide(relation, a, b) if asked else None


def unsettled(relation: Relation, a: Any, b: Any) -> assumptions.Unsettled:
    """What to raise so that the run begins again and is structured by whether ``a relation b`` at the witness."""
    session: Any = assumptions.current()
    question, asked = _question(relation, _difference(a, b))
    return assumptions.Unsettled(question, answer=_at_witness(session, relation, a, b) == asked)


# --- what algebra decides, and what is recorded ---


def _question(relation: Relation, difference: Any) -> tuple[Any, bool]:
    """The question behind ``difference relation 0``, the same for all ways to ask it; and whether yes means yes."""
    opposite = -difference
    if relation in ("==", "!="):
        return ("==", min(difference, opposite, key=sort_key)), relation == "=="
    if relation in ("<", ">="):
        return ("<", difference), relation == "<"
    return ("<", opposite), relation == ">"


def _proved(relation: Relation, difference: Any) -> bool | None:
    """Whether ``difference relation 0`` always holds (True), never (False), or neither is known."""
    if not isinstance(difference, Expr):
        return bool(RELATIONS[relation](difference, 0))
    least = _least(difference)
    if least is not None:
        if relation in (">", ">=", "!=") and RELATIONS[relation](least, 0) and (relation != "!=" or least > 0):
            return True
        if relation in ("<", "<=", "==") and RELATIONS[NEGATION[relation]](least, 0) and least > 0:
            return False
    opposite = _least(-difference)
    if opposite is None:
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
    if known is None and any(isinstance(function, FloorDiv) for function in functions_in(difference)):
        return lower_bound(without_floors(difference))
    return known


def _least_of_quotient(value: Any) -> int | None:
    """0 where a quotient of polynomials is certainly not negative for whole symbols of at least 1; else None."""
    if functions_in(value):
        return None
    top, _ = over_common(value)
    shifted = replaced(top, {symbol: symbol + 1 for symbol in symbols_in(top) if symbol.whole})
    return 0 if all(coefficient >= 0 for coefficient in terms_of(shifted).values()) else None


def _record(session: assumptions.Session, relation: Relation, a: Any, b: Any) -> None:
    if relation not in (">=", ">", "<=", "<") or not _bound(session, relation, a, b):
        session.assume(Condition(a, relation, b))


def _bound(session: assumptions.Session, relation: Relation, a: Any, b: Any) -> bool:
    """Record an inequality in a single symbol as the least value of that symbol; False if it is no such thing."""
    difference = _difference(a, b) if relation in (">=", ">") else _difference(b, a)
    symbols = symbols_in(difference)
    if len(symbols) != 1 or not is_monotone(difference):
        return False
    symbol = next(iter(symbols))
    if relation in (">", "<"):
        return False
    least = _least_whole(difference, symbol, session) if symbol.whole else _least_ratio(difference, symbol)
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
    constant = constant_of(difference)
    linear = difference - constant
    if isinstance(linear, FloorDiv) and type(constant) is int:
        linear = linear.args[0] * inverse(linear.args[1])  # floor(v) >= n just where v >= n, for whole n
    line = line_in(linear, symbol)
    return None if line is None or not line[0] else (-constant - line[1]) / line[0]


SYMBOLS = Symbols()
