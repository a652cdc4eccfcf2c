"""Expressions of symbols: sums of monomials with exact coefficients, in a normal form.

A monomial is a product of powers of *atoms*: symbols, functions of sizes such as a floor
(:mod:`convcost.numbers.functions`), and roots. Equal sums of monomials are equal objects, whatever way they were made.
A result without symbols is a number: an ``int``, or a ``Fraction``.

A sum is always multiplied out, except as a :class:`Group`: a sum in parentheses, which is how a divisor is kept and how
a factored form is written.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb, gcd, lcm
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from convcost.errors import ShapeError, UnsupportedError
from convcost.numbers.exact import Number, normal, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from convcost.numbers.bounds import Range

MAX_FORM_TERMS = 50_000  # of a closed form
_TOO_LONG = f"a closed form of more than {MAX_FORM_TERMS:,} terms; leave fewer names free"

Value: TypeAlias = Any  # a number or an expression
Monomial: TypeAlias = "tuple[tuple[Atom, int], ...]"  # atoms with their powers, which are not 0, in order of their keys
Terms: TypeAlias = "dict[Monomial, Number]"  # coefficients, none of them 0, by monomial
Key: TypeAlias = tuple[Any, ...]

_NUMBERS = (int, Fraction)
_ONE_KEY: Key = ((1, 0, "Number"), (0, ()), (), 1)


class Expr:
    """An expression of at least one symbol; immutable.

    Attributes:
        terms: its terms.
        key: a text that is the same for equal expressions only.
        symbols: the symbols in it.
    """

    __slots__ = ()

    terms: Terms
    key: str
    symbols: frozenset[Symbol]

    def __add__(self, other: Value) -> Value:
        terms = _terms_or_none(other)
        return NotImplemented if terms is None else _sum(self.terms, terms, 1)

    __radd__ = __add__

    def __sub__(self, other: Value) -> Value:
        terms = _terms_or_none(other)
        return NotImplemented if terms is None else _sum(self.terms, terms, -1)

    def __rsub__(self, other: Value) -> Value:
        terms = _terms_or_none(other)
        return NotImplemented if terms is None else _sum(terms, self.terms, -1)

    def __mul__(self, other: Value) -> Value:
        if type(other) is int:
            return _scaled(self, other)
        terms = _terms_or_none(other)
        return NotImplemented if terms is None else _product(self.terms, terms)

    __rmul__ = __mul__

    def __neg__(self) -> Value:
        return made({monomial: -coefficient for monomial, coefficient in self.terms.items()})

    def __pos__(self) -> Value:
        return self

    def __truediv__(self, other: Value) -> Value:
        return NotImplemented if _terms_or_none(other) is None else self * inverse(other)

    def __rtruediv__(self, other: Value) -> Value:
        return NotImplemented if _terms_or_none(other) is None else other * inverse(self)

    def __pow__(self, exponent: int) -> Value:
        return power(self, exponent) if isinstance(exponent, int) else NotImplemented

    def replaced(self, there: Mapping[Any, Value]) -> Value:
        """The expression with other values for atoms; see :func:`replaced`."""
        raise NotImplementedError

    written_by: ClassVar[Callable[[Any], str]] = attrgetter("key")  # a printer, from when it is loaded

    def __repr__(self) -> str:
        return Expr.written_by(self)


class Atom(Expr):
    """What a monomial is a product of.

    Attributes:
        whole: whether its value is certainly a whole number.
        positive: whether its value is certainly above 0.
    """

    __slots__ = ("_hash", "_order", "_terms", "key", "symbols")

    whole: bool
    positive: bool

    def _set_key(self, key: str, symbols: frozenset[Symbol]) -> None:
        self.key = key
        self.symbols = symbols
        self._hash = hash(key)
        self._terms: Terms | None = None
        self._order: tuple[Any, Any, Any] | None = None

    @property
    def terms(self) -> Terms:  # type: ignore[override]
        """The expression itself as its only term."""
        if self._terms is None:
            self._terms = {((self, 1),): 1}
        return self._terms

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Expr):
            return self is other or (isinstance(other, Atom) and self.key == other.key)
        return NotImplemented  # one of sympy knows how to compare itself

    def __hash__(self) -> int:
        return self._hash

    @property
    def order(self) -> tuple[Any, Any, Any]:
        """Its class, its arguments and its exponent for :func:`sort_key`."""
        if self._order is None:
            self._order = self._ordered()
        return self._order

    def _ordered(self) -> tuple[Any, Any, Any]:
        raise NotImplementedError

    def replaced(self, there: Mapping[Any, Value]) -> Value:
        """The atom with other values for atoms in it, itself included."""
        return there[self] if self in there else self._rebuilt(there)

    def _rebuilt(self, there: Mapping[Any, Value]) -> Value:
        raise NotImplementedError


class Symbol(Atom):
    """A name.

    Args:
        name: as it is written.
        whole: whether it stands for whole numbers; otherwise for ratios.
        positive: whether its values are above 0; otherwise they are at least 0.
    """

    __slots__ = ("name", "positive", "whole")

    def __init__(self, name: str, *, whole: bool = True, positive: bool = True) -> None:
        self.name = name
        self.whole = whole
        self.positive = positive
        self._set_key(f"{name} {whole:d}{positive:d}", frozenset())
        self.symbols = frozenset({self})

    def __reduce__(self) -> Any:
        return _symbol, (self.name, self.whole, self.positive)

    def _ordered(self) -> tuple[Any, Any, Any]:
        return (2, 0, "Symbol"), (1, (self.name,)), 1

    def _rebuilt(self, there: Mapping[Any, Value]) -> Value:  # noqa: ARG002 - nothing is in it
        return self


def _symbol(name: str, whole: bool, positive: bool) -> Symbol:  # noqa: FBT001 - what `pickle` calls
    return Symbol(name, whole=whole, positive=positive)


class Polynomial(Expr):
    """Several terms, or one with a coefficient or a power; made by :func:`made` only."""

    __slots__ = ("_hash", "_key", "_symbols", "terms")

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._hash: int | None = None
        self._key: str | None = None
        self._symbols: frozenset[Symbol] | None = None

    def __reduce__(self) -> Any:
        return made, (self.terms,)

    @property
    def key(self) -> str:  # type: ignore[override]
        """A text that is the same for equal expressions only."""
        if self._key is None:
            self._key = "+".join(sorted(_term_text(*term) for term in self.terms.items()))
        return self._key

    @property
    def symbols(self) -> frozenset[Symbol]:  # type: ignore[override]
        """The symbols in it."""
        if self._symbols is None:
            self._symbols = frozenset().union(*(atom.symbols for monomial in self.terms for atom, _ in monomial))
        return self._symbols

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Expr):
            return self is other or (isinstance(other, Polynomial) and self.terms == other.terms)
        return NotImplemented

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.terms.items()))
        return self._hash

    def replaced(self, there: Mapping[Any, Value]) -> Value:
        """The sum with other values for atoms; see :func:`replaced`."""
        atoms = {atom: None for monomial in self.terms for atom, _ in monomial}
        new = {atom: atom.replaced(there) for atom in atoms}
        new = {atom: value for atom, value in new.items() if value is not atom}
        if not new:
            return self
        powers: dict[tuple[Atom, int], Terms] = {}
        result: Terms = {}
        for monomial, coefficient in self.terms.items():
            kept = tuple(factor for factor in monomial if factor[0] not in new)
            term: Terms = {kept: coefficient}
            for factor in monomial:
                if factor[0] in new:
                    if factor not in powers:
                        powers[factor] = terms_in(power(new[factor[0]], factor[1]))
                    term = _multiplied(term, powers[factor])
            _add_to(result, term, 1)
        return made(result)


class Group(Atom):
    """A sum in parentheses, as a factor: of a divisor, or of a form that is factored."""

    __slots__ = ("inside",)

    def __init__(self, inside: Polynomial) -> None:
        self.inside = inside
        self._set_key(f"[{inside.key}]", inside.symbols)

    def __reduce__(self) -> Any:
        return Group, (self.inside,)

    @property
    def whole(self) -> bool:  # type: ignore[override]
        """Whether it is a sum of whole numbers."""
        return is_whole(self.inside)

    @property
    def positive(self) -> bool:  # type: ignore[override]
        """Whether it is a sum of numbers above 0."""
        return is_positive(self.inside)

    def _ordered(self) -> tuple[Any, Any, Any]:
        keys = tuple(term_key(*term) for term in canonical_terms(self.inside.terms))
        return (3, 1, "Add"), (len(keys), keys), 1

    def _rebuilt(self, there: Mapping[Any, Value]) -> Value:
        inside = self.inside.replaced(there)
        return self if inside is self.inside else grouped(inside)


class Power(Atom):
    """A root, as a power of a number or an expression: ``base ** exponent`` for an exponent that is not whole."""

    __slots__ = ("base", "exponent")

    whole = False

    def __init__(self, base: Value, exponent: Fraction) -> None:
        self.base = base
        self.exponent = exponent
        self._set_key(f"({key_of(base)})^({exponent})", symbols_in(base))

    def __reduce__(self) -> Any:
        return Power, (self.base, self.exponent)

    @property
    def positive(self) -> bool:  # type: ignore[override]
        """Whether it is a root of a number above 0."""
        return is_positive(self.base)

    def _ordered(self) -> tuple[Any, Any, Any]:
        kind, arguments, _, _ = sort_key(self.base)
        return kind, arguments, self.exponent

    def _rebuilt(self, there: Mapping[Any, Value]) -> Value:
        base = replaced(self.base, there)
        return self if base is self.base else Power(base, self.exponent)


class Function(Atom):
    """A function of numbers and expressions. A subclass is called to get its normal form, which may be something else.

    Attributes:
        args: the arguments.
        written: its name in the language of specs.
    """

    __slots__ = ("args",)

    whole = True
    positive = False
    args: tuple[Any, ...]
    written: str
    _arguments: int | None = None  # how many there are; None where there may be any number

    @classmethod
    def bare(cls, *args: Value) -> Any:
        """The function of these arguments as it is, without a normal form."""
        self = object.__new__(cls)
        self.args = args
        self._set_key(f"{cls.__name__}({','.join(map(key_of, args))})", frozenset().union(*map(symbols_in, args)))
        return self

    def __reduce__(self) -> Any:
        return type(self).bare, self.args

    @staticmethod
    def number(*values: Any) -> Number:
        """The value at numbers."""
        raise NotImplementedError

    def interval(self, parts: Sequence[Range], least: Mapping[Any, Number]) -> Range:
        """The range of its values, from those of its arguments and the least values of atoms."""
        raise NotImplementedError

    def grows(self) -> bool:
        """Whether it certainly never falls when a symbol grows."""
        raise NotImplementedError

    def _ordered(self) -> tuple[Any, Any, Any]:
        kind = (4, 0 if self._arguments is None else 10_000, type(self).__name__)
        return kind, (len(self.args), tuple(map(sort_key, self.args))), 1

    def _rebuilt(self, there: Mapping[Any, Value]) -> Value:
        args = tuple(replaced(argument, there) for argument in self.args)
        unchanged = all(new is old for new, old in zip(args, self.args, strict=True))
        return self if unchanged else type(self)(*args)


# --- making expressions ---


def made(terms: Terms) -> Value:
    """The value of ``terms``: a number, an atom or a :class:`Polynomial`; a lone sum loses its parentheses."""
    if len(terms) <= 1:
        if not terms:
            return 0
        ((monomial, coefficient),) = terms.items()
        if not monomial:
            return coefficient
        if coefficient == 1 and len(monomial) == 1 and monomial[0][1] == 1:
            atom = monomial[0][0]
            return atom.inside if isinstance(atom, Group) else atom
        return Polynomial(terms)
    for monomial, coefficient in terms.items():
        if coefficient == 1 and len(monomial) == 1 and monomial[0][1] == 1 and isinstance(monomial[0][0], Group):
            rest = {other: value for other, value in terms.items() if other != monomial}
            return made(rest) + monomial[0][0].inside
    return Polynomial(terms)


def _terms_or_none(value: Value) -> Terms | None:
    if type(value) is int:  # by far the most, and quicker than the checks below
        return {(): value} if value else {}
    if isinstance(value, Expr):
        return value.terms
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        return {(): normal(value)} if value else {}
    return None


def terms_in(value: Value) -> Terms:
    """The terms of a number or an expression as it is, with its groups."""
    terms = _terms_or_none(value)
    if terms is None:
        raise TypeError(f"not a number or an expression: {value!r}")
    return terms


def _add_to(result: Terms, terms: Terms, factor: int) -> None:
    """Add ``factor * terms`` to ``result``."""
    for monomial, coefficient in terms.items():
        own = coefficient if factor == 1 else normal(factor * coefficient)
        if monomial in result:
            total = result[monomial] + own
            if total:
                result[monomial] = total if type(total) is int else normal(total)
            else:
                del result[monomial]
        else:
            result[monomial] = own


def _sum(a: Terms, b: Terms, sign: int) -> Value:
    result = dict(a)
    _add_to(result, b, sign)
    return made(result)


def total(values: Iterable[Value]) -> Value:
    """The sum of numbers and expressions, in a single step."""
    return weighted((value, 1) for value in values)


def weighted(parts: Iterable[tuple[Value, Value]]) -> Value:
    """The sum of products of two values each, in a single step."""
    result: Terms = {}
    for value, times in parts:
        if type(times) is int:
            if times:
                _add_to(result, terms_in(value), times)
        else:
            _add_to(result, terms_in(value * times), 1)
    return made(result)


def _scaled(value: Expr, factor: int) -> Value:
    if factor == 1:
        return value
    terms = value.terms
    return made({monomial: normal(coefficient * factor) for monomial, coefficient in terms.items()} if factor else {})


def _product(a: Terms, b: Terms) -> Value:
    return made(_multiplied(a, b))


def _multiplied(a: Terms, b: Terms) -> Terms:
    if len(a) == 1 and len(b) == 1:
        ((left, first),) = a.items()
        ((right, second),) = b.items()
        coefficient = first * second
        return {product(left, right): coefficient if type(coefficient) is int else normal(coefficient)}
    if len(a) * len(b) > MAX_FORM_TERMS:
        raise UnsupportedError(_TOO_LONG)
    if (len(a) > 1 and _divides_by_sum(b)) or (len(b) > 1 and _divides_by_sum(a)):
        return _cancelled(a, b) if len(a) > 1 and _divides_by_sum(b) else _cancelled(b, a)
    return _each_by_each(a, b)


def _divides_by_sum(terms: Terms) -> bool:
    return any(exponent < 0 and isinstance(atom, Group) for monomial in terms for atom, exponent in monomial)


def _each_by_each(a: Terms, b: Terms) -> Terms:
    result: Terms = {}
    for left, first in a.items():
        for right, second in b.items():
            monomial = product(left, right)
            coefficient = first * second
            if monomial in result:
                coefficient += result[monomial]
            result[monomial] = coefficient if type(coefficient) is int else normal(coefficient)
    return {monomial: coefficient for monomial, coefficient in result.items() if coefficient}


def _cancelled(sum_: Terms, other: Terms) -> Terms:
    """The product of a sum and of terms some of which may divide by it."""
    content, rest = primitive(sum_)
    group = Group(Polynomial(rest))
    divide = {monomial: number for monomial, number in other.items() if dict(monomial).get(group, 0) < 0}
    result = _each_by_each(content, {product(own, ((group, 1),)): number for own, number in divide.items()})
    _add_to(result, _each_by_each(sum_, {own: number for own, number in other.items() if own not in divide}), 1)
    return result


def product(a: Monomial, b: Monomial) -> Monomial:
    """The product of two monomials."""
    if not a:
        return b
    if not b:
        return a
    powers = dict(a)
    in_order = True
    for atom, exponent in b:
        own = powers.get(atom)
        if own is None:
            powers[atom] = exponent
            in_order = False
        elif own + exponent:
            powers[atom] = own + exponent
        else:
            del powers[atom]
    return tuple(powers.items()) if in_order else tuple(sorted(powers.items(), key=_place))


def _place(factor: tuple[Atom, int]) -> str:
    return factor[0].key


def raised(monomial: Monomial, exponent: int) -> Monomial:
    """A power of a monomial."""
    return tuple((atom, own * exponent) for atom, own in monomial) if exponent else ()


def power(base: Value, exponent: int) -> Value:
    """``base ** exponent`` for a whole exponent.

    Raises:
        ShapeError: a negative power of 0.
        UnsupportedError: the result is too long.
    """
    if exponent < 0:
        return power(inverse(base), -exponent)
    terms = terms_in(base)
    if len(terms) == 1:
        ((monomial, coefficient),) = terms.items()
        return made({raised(monomial, exponent): normal(coefficient**exponent)})
    if comb(len(terms) + exponent - 1, exponent) > MAX_FORM_TERMS:
        raise UnsupportedError(_TOO_LONG)
    result: Terms = {(): 1}
    for bit in f"{exponent:b}":
        result = _each_by_each(result, result)
        if bit == "1":
            result = _each_by_each(result, terms)
    return made(result)


def inverse(value: Value) -> Value:
    """``1 / value``; of a sum, with what all its terms share taken out of the parentheses.

    Raises:
        ShapeError: the value is 0.
    """
    terms = terms_in(value)
    if not terms:
        raise ShapeError("a division by zero")
    content, rest = (terms, {}) if len(terms) == 1 else primitive(terms)
    ((monomial, coefficient),) = content.items()
    monomial = raised(monomial, -1)
    if rest:
        monomial = product(monomial, ((Group(Polynomial(rest)), -1),))
    return made({monomial: ratio(1, coefficient)})


def primitive(terms: Terms) -> tuple[Terms, Terms]:
    """What all ``terms`` share, as one positive term, and what is left of them: coprime whole coefficients."""
    if len(terms) == 1:
        return dict(terms), {(): 1}
    numbers = terms.values()
    shared = ratio(gcd(*(number.numerator for number in numbers)), lcm(*(number.denominator for number in numbers)))
    monomial = shared_monomial(terms)
    back = raised(monomial, -1)
    rest = {product(own, back): ratio(coefficient, shared) for own, coefficient in terms.items()}
    return {monomial: shared}, rest


def shared_monomial(monomials: Iterable[Monomial]) -> Monomial:
    """The greatest monomial that divides all, with negative powers where one of them has a divisor."""
    least: dict[Atom, int] = {}
    for place, monomial in enumerate(monomials):
        powers = dict(monomial)
        for atom in {**least, **powers} if place else powers:
            own = powers.get(atom, 0)
            least[atom] = min(least.get(atom, 0 if place else own), own)
    return tuple(sorted(((atom, exponent) for atom, exponent in least.items() if exponent), key=_place))


def grouped(value: Value) -> Value:
    """A sum in parentheses, so that it stays a factor; anything else as it is."""
    return Group(value) if isinstance(value, Polynomial) and len(value.terms) > 1 else value


def factor(value: Value, exponent: int = 1) -> Value:
    """A power of ``value`` with a sum kept in parentheses."""
    if isinstance(value, Polynomial) and len(value.terms) > 1:
        return Polynomial({((Group(value), exponent),): 1})
    return power(value, exponent)


def times(*values: Value) -> Value:
    """The product of ``values`` with every sum kept in parentheses."""
    monomial: Monomial = ()
    coefficient: Number = 1
    for value in values:
        terms = {((Group(value), 1),): 1} if isinstance(value, Polynomial) and len(value.terms) > 1 else terms_in(value)
        if not terms:
            return 0
        ((own, number),) = terms.items()
        monomial = product(monomial, own)
        coefficient = normal(coefficient * number)
    return made({monomial: coefficient})


# --- looking at expressions ---


def symbols_in(value: Value) -> frozenset[Symbol]:
    """The symbols of a number or an expression."""
    return value.symbols if isinstance(value, Expr) else frozenset()


def key_of(value: Value) -> str:
    """A text that is the same for equal values only."""
    return value.key if isinstance(value, Expr) else str(value)


def _term_text(monomial: Monomial, coefficient: Number) -> str:
    return "*".join([str(coefficient), *(f"{atom.key}^{exponent}" for atom, exponent in monomial)])


def terms_of(value: Value) -> Terms:
    """The terms of a value, multiplied out."""
    return terms_in(expanded(value))


def expanded(value: Value) -> Value:
    """``value`` with its groups multiplied out; divisors are kept."""
    if not isinstance(value, Expr) or not _has_group(value.terms):
        return value
    parts = []
    for monomial, coefficient in value.terms.items():
        part: Value = coefficient
        for atom, exponent in monomial:
            inside = power(expanded(atom.inside), exponent) if isinstance(atom, Group) and exponent > 0 else None
            part = part * (made({((atom, exponent),): 1}) if inside is None else inside)
        parts.append(part)
    return total(parts)


def has_group(value: Value) -> bool:
    """Whether a sum in parentheses is a factor of a term."""
    return isinstance(value, Expr) and _has_group(value.terms)


def _has_group(terms: Terms) -> bool:
    return any(isinstance(atom, Group) and exponent > 0 for monomial in terms for atom, exponent in monomial)


def factors_of(value: Value) -> Iterator[tuple[Atom, int]]:
    """Every power in a value, from term to term."""
    for monomial in terms_in(value):
        yield from monomial


def atoms_of(value: Value) -> list[Atom]:
    """The atoms that the terms of a value are made of, each once."""
    return list(dict.fromkeys(atom for atom, _ in factors_of(value)))


def term(monomial: Monomial, coefficient: Number = 1) -> Value:
    """A single term as a value."""
    return made({monomial: coefficient})


def parts_of(value: Value) -> list[Value]:
    """The terms of a value as values."""
    return [made({monomial: coefficient}) for monomial, coefficient in terms_in(value).items()]


def constant_of(value: Value) -> Number:
    """The term of a value without a symbol."""
    return terms_in(value).get((), 0)


def functions_in(*values: Value) -> list[Function]:
    """Every function in ``values``, also those inside others, each once."""
    functions: dict[Function, None] = {}
    todo = [atom for value in values for atom in atoms_of(value)]
    while todo:
        atom = todo.pop()
        if isinstance(atom, Function) and atom not in functions:
            functions[atom] = None
            todo += [inner for argument in atom.args for inner in atoms_of(argument)]
        elif isinstance(atom, Group):
            todo += atoms_of(atom.inside)
        elif isinstance(atom, Power):
            todo += atoms_of(atom.base)
    return list(functions)


def outermost(*values: Value) -> list[Function]:
    """The functions that the terms of ``values`` and their groups are made of, each once; not those inside others."""
    functions: dict[Function, None] = {}
    for atom in (atom for value in values for atom in atoms_of(value)):
        if isinstance(atom, Function):
            functions[atom] = None
        elif isinstance(atom, Group | Power):
            functions |= dict.fromkeys(outermost(atom.inside if isinstance(atom, Group) else atom.base))
    return list(functions)


def has(value: Value, atom: Atom) -> bool:
    """Whether ``atom`` occurs anywhere in ``value``."""
    if isinstance(atom, Symbol):
        return atom in symbols_in(value)
    return atom in functions_in(value)


def degree_of(value: Value) -> int:
    """The total degree of a value, divisors added; a function counts as a name."""
    return max((sum(abs(exponent) for _, exponent in monomial) for monomial in terms_in(value)), default=0)


def powers_of(value: Value, atom: Atom) -> dict[int, Value]:
    """The coefficients of a value, multiplied out, by the power of ``atom``; a 0 has one coefficient, of power 0."""
    parts: dict[int, Terms] = {}
    for monomial, coefficient in terms_of(value).items():
        exponent = next((own for other, own in monomial if other == atom), 0)
        rest = tuple(each for each in monomial if each[0] != atom)
        parts.setdefault(exponent, {})[rest] = coefficient
    return {exponent: made(terms) for exponent, terms in parts.items()} or {0: 0}


def line_in(value: Value, symbol: Symbol) -> tuple[Fraction, Fraction] | None:
    """Slope and start of ``value`` as a line in ``symbol``; None if it is something else."""
    own = ((symbol, 1),)
    terms = terms_of(value)
    if not terms.keys() <= {(), own}:
        return None
    return Fraction(terms.get(own, 0)), Fraction(terms.get((), 0))


def single(monomial: Monomial) -> Atom | None:
    """The atom that a monomial is; None of a product or a power."""
    return monomial[0][0] if len(monomial) == 1 and monomial[0][1] == 1 else None


def has_quotient(value: Value) -> bool:
    """Whether a value divides by a symbol, or has a root."""
    return any(exponent < 0 or isinstance(atom, Power) for atom, exponent in factors_of(value))


def replaced(value: Value, there: Mapping[Any, Value]) -> Value:
    """``value`` with other values for some of its atoms.

    Functions whose arguments change get their normal form. What is put in is not replaced again.
    """
    return value.replaced(there) if isinstance(value, Expr) else value


def is_positive(value: Value) -> bool:
    """Whether a value is certainly above 0: a sum of products of what is above 0."""
    if not isinstance(value, Expr):
        return bool(value > 0)
    return all(
        coefficient > 0 and all(atom.positive for atom, _ in monomial) for monomial, coefficient in value.terms.items()
    )


def is_whole(value: Value) -> bool:
    """Whether every term of a value is a whole multiple of a product of whole atoms."""
    return all(
        type(coefficient) is int and is_whole_monomial(monomial) for monomial, coefficient in terms_in(value).items()
    )


def is_whole_monomial(monomial: Monomial) -> bool:
    """Whether a monomial is a product of whole atoms."""
    return all(exponent > 0 and atom.whole for atom, exponent in monomial)


def over_common(value: Value) -> tuple[Value, Value]:
    """A value as a fraction: a sum without divisors, and the least product that all terms of the value divide by."""
    if not isinstance(value, Expr) or not any(map(_divides, value.terms.items())):
        return (value, 1) if isinstance(value, Expr) else (value.numerator, value.denominator)
    divisor = common_divisor(value)
    return without_divisors(value, *divisor), made(dict([divisor]))


def _divides(term: tuple[Monomial, Number]) -> bool:
    """Whether a term has a divisor, or a sum in parentheses that may have one."""
    monomial, coefficient = term
    return type(coefficient) is not int or any(exponent < 0 or isinstance(atom, Group) for atom, exponent in monomial)


def common_divisor(*values: Value) -> tuple[Monomial, int]:
    """The least product by which all ``values`` can be multiplied to become sums without divisors."""
    everything = [each for value in values for each in terms_in(value).items()]
    shared = shared_monomial([(), *(monomial for monomial, _ in everything)])
    return raised(shared, -1), lcm(*(coefficient.denominator for _, coefficient in everything))


def without_divisors(value: Value, monomial: Monomial, number: int) -> Value:
    """``value`` times a term that all its terms divide by, multiplied out."""
    terms = {product(own, monomial): normal(coefficient * number) for own, coefficient in terms_in(value).items()}
    return expanded(made(terms))


def divided(dividend: Value, divisor: Value) -> Value | None:
    """The quotient of two sums without divisors; None where there is a rest."""
    rest, terms = dict(terms_in(dividend)), terms_in(divisor)
    generators = sorted({**dict.fromkeys(atoms_of(dividend)), **dict.fromkeys(atoms_of(divisor))}, key=key_of)
    first, number = leading(terms, generators)
    back = raised(first, -1)
    quotient: Terms = {}
    while rest:
        monomial, coefficient = leading(rest, generators)
        own = product(monomial, back)
        if any(exponent < 0 for _, exponent in own):
            return None
        quotient[own] = ratio(coefficient, number)
        _add_to(rest, _each_by_each({own: quotient[own]}, terms), -1)
    return made(quotient)


# --- the order of expressions ---


def _number_key(value: Number) -> Key:
    return ((1, 0, "Number"), (0, ()), (), value)


def term_key(monomial: Monomial, coefficient: Number = 1) -> Key:
    """A key that sorts terms in the same way in every run: numbers, symbols, products, sums, functions."""
    if not monomial:
        return _number_key(coefficient)
    if len(monomial) == 1:
        atom, exponent = monomial[0]
        kind, arguments, own = atom.order
        return kind, arguments, _number_key(own * exponent), coefficient
    keys = tuple(sorted(term_key((factor_,)) for factor_ in monomial))
    return (3, 0, "Mul"), (len(keys), keys), _ONE_KEY, coefficient


@lru_cache(maxsize=10_000)
def sort_key(value: Value) -> Key:
    """A key that sorts values in the same way in every run."""
    terms = terms_in(value)
    if not terms:
        return _number_key(0)
    if len(terms) == 1:
        return term_key(*next(iter(terms.items())))
    keys = tuple(term_key(*each) for each in canonical_terms(terms))
    return (3, 1, "Add"), (len(keys), keys), _ONE_KEY, 1


def canonical_terms(terms: Terms) -> list[tuple[Monomial, Number]]:
    """Terms in lexicographic order of their powers; the positive constant of ``1 - x`` comes first."""
    constant = terms.get((), 0)
    if len(terms) == 2 and constant > 0:  # noqa: PLR2004 - a constant and one term
        other = next(each for each in terms.items() if each[0])
        if other[1] < 0 and len(other[0]) == 1:
            return [((), constant), other]
    generators = sorted({atom: None for monomial in terms for atom, _ in monomial}, key=_atom_key)

    def key(each: tuple[Monomial, Number]) -> tuple[Any, ...]:
        powers = dict(each[0])
        return tuple(-powers.get(atom, 0) for atom in generators), each[1]

    return sorted(terms.items(), key=key)


def _atom_key(atom: Atom) -> Key:
    return term_key(((atom, 1),)), atom.key


def leading(terms: Terms, generators: Sequence[Atom]) -> tuple[Monomial, Number]:
    """The term that is first in lexicographic order."""

    def powers(each: tuple[Monomial, Number]) -> list[int]:
        own = dict(each[0])
        return [own.get(atom, 0) for atom in generators]

    return max(terms.items(), key=powers)
