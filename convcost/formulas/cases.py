"""Closed forms of every structure that the free parameters of a network can produce.

A spec with a shortcut for ``I == O`` only describes two networks. Its closed forms are derived for the structure at the
defaults. Here each undecided condition is negated in turn; every combination that some values satisfy is a case.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

from convcost.conventions.model import PLAIN
from convcost.errors import ConvcostError, UnsupportedError
from convcost.formulas.closed import Formula, formula
from convcost.formulas.regions import Stretch, Within, where
from convcost.numbers.arithmetic import NEGATION, Relation, normal
from convcost.numbers.decisions import Condition
from convcost.numbers.values import evaluate
from convcost.tables.printable import Printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from convcost.conventions.model import Convention
    from convcost.language.expression import Expression
    from convcost.language.model import Spec
    from convcost.layers.base import Shape

MAX_CASES = 40
_SMALL = tuple(map(Fraction, (1, 2, 3, 4, 6, 8, 16)))
_POWERS = 8
_RATIOS = (Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2))


class Cases(Printable):
    """The structures of a spec.

    Attributes:
        formulas: the one at the default first; no two of them hold at the same values.
        complete: whether every answer that could be given is among them, or is given nowhere.
    """

    def __init__(self, formulas: Sequence[Formula], *, complete: bool) -> None:
        self.formulas = tuple(formulas)
        self.complete = complete

    def __repr__(self) -> str:
        return f"Cases({self.formulas[0].graph.name}, {len(self.formulas)})"

    def at(self, values: Mapping[str, Any]) -> Formula | None:
        """The formula that holds at ``values``; None if no case does."""
        return next((case for case in self.formulas if not case.violated(values)), None)


def cases(
    spec: Spec,
    free: Sequence[str] | None = None,
    given: Mapping[str, Any] | None = None,
    input_shape: Shape | None = None,
    *,
    ties: Mapping[str, Expression] | None = None,
    whose: Convention = PLAIN,
    most: int | None = None,
) -> Cases:
    """Every structure of ``spec``, up to ``most``; other arguments as :func:`convcost.formulas.closed.formula`."""
    first = formula(spec, free, given, input_shape, ties=ties, whose=whose)
    names = list(first.symbols)
    formulas = {_key(first.answers): first}
    todo = list(_negated(first, {}))
    complete = True
    while todo:
        forced = todo.pop()
        if any(forced.items() <= dict(answers).items() for answers in formulas):
            continue
        if len(formulas) >= (MAX_CASES if most is None else most):
            complete = False
            break
        witness = _witness(first, forced)
        if witness is None:
            continue  # nothing gives these answers
        try:
            case = formula(
                spec, names, {**(given or {}), **witness}, input_shape, ties=ties, forced=forced, whose=whose
            )
        except ConvcostError:
            complete = complete and bool(witness)  # values that give these answers make no network
            continue
        formulas[_key(case.answers)] = case
        todo += _negated(case, forced)
    return Cases(list(formulas.values()), complete=complete)


def _key(answers: Mapping[Any, bool]) -> frozenset[tuple[Any, bool]]:
    return frozenset(answers.items())


def _negated(case: Formula, forced: Mapping[Any, bool]) -> Iterator[dict[Any, bool]]:
    """For each question, the answers before it and the opposite answer to it."""
    so_far: dict[Any, bool] = {}
    for question, answer in case.answers.items():
        if question not in forced:
            yield {**so_far, question: not answer}
        so_far[question] = answer


def _condition(question: tuple[Relation, Any], answer: bool) -> Condition:  # noqa: FBT001 - an answer is yes or no
    relation, difference = question
    return Condition(difference, relation if answer else NEGATION[relation], 0, structural=True)


def _witness(first: Formula, forced: Mapping[Any, bool]) -> dict[str, Any] | None:
    """Values at which the questions have the answers of ``forced``; None if there are certainly no such values.

    Empty if the search gives no result although there may be such values. Then the values of ``first`` are used, which
    only affects further questions.
    """
    wanted = [_condition(question, answer) for question, answer in forced.items()]
    names = {symbol: name for name, symbol in first.symbols.items()}
    stretches: dict[Any, list[Stretch]] = {}
    for symbol in names:
        about = [condition for condition in wanted if condition.symbols == {symbol}]
        if symbol.whole or not about:
            continue
        try:
            allowed = where(about, symbol)
        except UnsupportedError:
            continue
        if allowed is not None:
            if not allowed:
                return None
            stretches[symbol] = allowed
    involved = [symbol for symbol in names if any(symbol in condition.symbols for condition in wanted)]
    for values in _candidates(first, wanted, involved, stretches):
        if all(condition.holds(values) for condition in wanted) and _needed_holds(first, values):
            return {names[symbol]: normal(Fraction(value)) for symbol, value in values.items()}
    return {}


def _needed_holds(first: Formula, values: Mapping[Any, Any]) -> bool:
    """Whether the network can be built, as far as the conditions of ``first`` show."""
    return all(condition.holds(values) for condition in first.conditions if not condition.structural)


def _candidates(
    first: Formula, wanted: Sequence[Condition], involved: Sequence[Any], stretches: Mapping[Any, list[Stretch]]
) -> Iterator[dict[Any, Any]]:
    """Values to try: those of ``first``, with other values for one or two of the symbols in question."""
    base = first.values
    options = {
        symbol: list(dict.fromkeys(_options(symbol, base, wanted, stretches.get(symbol)))) for symbol in involved
    }
    for symbol in involved:
        yield from ({**base, symbol: value} for value in options[symbol])
    for symbol, other in product(involved, involved):
        if symbol != other:
            yield from ({**base, symbol: a, other: b} for a, b in product(options[symbol], options[other]))


def _options(
    symbol: Any, base: Mapping[Any, Any], wanted: Sequence[Condition], stretches: list[Stretch] | None
) -> Iterator[Fraction]:
    here = Fraction(base[symbol])
    for stretch in stretches or ():
        high = stretch.low + 1 if stretch.high is None else stretch.high
        yield from (high, (stretch.low + high) / 2)
    for condition in wanted:
        for other in condition.symbols - {symbol}:
            yield Fraction(base[other])
        if symbol in condition.symbols and not isinstance(condition, Within):
            start, end = (Fraction(evaluate(condition.left, {**base, symbol: at})) for at in (here, here + 1))
            if end != start:
                root = here - start / (end - start)  # where a line through both would be 0
                if root > 0 and (root.denominator == 1 or not symbol.whole):
                    yield root
    yield here * 2
    yield from _RATIOS if not symbol.whole else (*_SMALL, *(here + 2**power for power in range(_POWERS)))
