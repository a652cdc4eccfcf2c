"""Closed forms of every structure that the free parameters of a network can produce.

A spec with a shortcut for ``I == O`` only describes two networks. Its closed forms are derived for the structure at the
defaults. Here each undecided condition is negated in turn; every combination that some values satisfy is a case.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

from convcost.conventions import DEFAULT
from convcost.errors import ConvcostError, UnsupportedError
from convcost.formulas.closed import Formula, formula
from convcost.formulas.regions import Stretch, Within, where
from convcost.numbers.arithmetic import NEGATION, Relation, normal
from convcost.numbers.decisions import Condition
from convcost.numbers.symbols import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from convcost.language.expression import Expression
    from convcost.language.model import Spec
    from convcost.layers.base import Shape

MAX_CASES = 40
_SMALL = tuple(map(Fraction, (1, 2, 3, 4, 6, 8, 16)))
_POWERS = 8
_RATIOS = (Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2))


class Cases:
    """The structures of a spec.

    Attributes:
        formulas: the one at the default first; no two of them hold at the same values.
        complete: whether every answer that could be given is among them, or is given nowhere.
    """

    def __init__(self, formulas: Sequence[Formula], *, complete: bool) -> None:
        self.formulas = tuple(formulas)
        self.complete = complete

    def at(self, values: Mapping[str, Any]) -> Formula | None:
        """The formula that holds at ``values``; None if no case does."""
        return next((one for one in self.formulas if not one.violated(values)), None)


def cases(
    spec: Spec,
    free: Sequence[str] | None = None,
    given: Mapping[str, Any] | None = None,
    input_shape: Shape | None = None,
    *,
    ties: Mapping[str, Expression] | None = None,
    whose: str = DEFAULT,
) -> Cases:
    """Every structure of ``spec``; arguments as :func:`convcost.formulas.closed.formula`."""
    first = formula(spec, free, given, input_shape, ties=ties, whose=whose)
    names = list(first.symbols)
    found = {_key(first.answers): first}
    todo = list(_turned(first, {}))
    complete = True
    while todo:
        forced = todo.pop()
        if any(forced.items() <= dict(known).items() for known in found):
            continue
        if len(found) >= MAX_CASES:
            complete = False
            break
        witness = _witness(first, forced)
        if witness is None:
            continue  # nothing gives these answers
        try:
            one = formula(spec, names, {**(given or {}), **witness}, input_shape, ties=ties, forced=forced, whose=whose)
        except ConvcostError:
            complete = complete and bool(witness)  # values that give these answers make no network
            continue
        found[_key(one.answers)] = one
        todo += _turned(one, forced)
    return Cases(list(found.values()), complete=complete)


def _key(answers: Mapping[Any, bool]) -> frozenset[tuple[Any, bool]]:
    return frozenset(answers.items())


def _turned(found: Formula, forced: Mapping[Any, bool]) -> Iterator[dict[Any, bool]]:
    """Answers up to some question as they were given, and that one the other way."""
    so_far: dict[Any, bool] = {}
    for question, answer in found.answers.items():
        if question not in forced:
            yield {**so_far, question: not answer}
        so_far[question] = answer


def _condition(question: tuple[Relation, Any], answer: bool) -> Condition:  # noqa: FBT001 - an answer is yes or no
    relation, difference = question
    return Condition(difference, relation if answer else NEGATION[relation], 0, structural=True)


def _witness(first: Formula, forced: Mapping[Any, bool]) -> dict[str, Any] | None:
    """Values at which ``forced`` is what the questions get for an answer; None where there can be none.

    Empty where none was found though there might be: the values of ``first`` stand in, which only matters to
    further questions.
    """
    wanted = [_condition(question, answer) for question, answer in forced.items()]
    names = {symbol: name for name, symbol in first.symbols.items()}
    stretches: dict[Any, list[Stretch]] = {}
    for symbol in names:
        own = [one for one in wanted if one.symbols == {symbol}]
        if symbol.is_integer or not own:
            continue
        try:
            found = where(own, symbol)
        except UnsupportedError:
            continue
        if found is not None:
            if not found:
                return None
            stretches[symbol] = found
    involved = [one for one in names if any(one in condition.symbols for condition in wanted)]
    for values in _candidates(first, wanted, involved, stretches):
        if all(one.holds(values) for one in wanted) and _needed_holds(first, values):
            return {names[symbol]: normal(Fraction(value)) for symbol, value in values.items()}
    return {}


def _needed_holds(first: Formula, values: Mapping[Any, Any]) -> bool:
    """Whether the network can be built as far as ``first`` knows."""
    return all(one.holds(values) for one in first.conditions if not one.structural)


def _candidates(
    first: Formula, wanted: Sequence[Condition], involved: Sequence[Any], stretches: Mapping[Any, list[Stretch]]
) -> Iterator[dict[Any, Any]]:
    """Values worth trying: those of ``first``, with one or two of the symbols in question moved."""
    base = first.values
    options = {one: list(dict.fromkeys(_options(one, base, wanted, stretches.get(one)))) for one in involved}
    for one in involved:
        yield from ({**base, one: value} for value in options[one])
    for one, other in product(involved, involved):
        if one != other:
            yield from ({**base, one: a, other: b} for a, b in product(options[one], options[other]))


def _options(
    symbol: Any, base: Mapping[Any, Any], wanted: Sequence[Condition], stretches: list[Stretch] | None
) -> Iterator[Fraction]:
    here = Fraction(base[symbol])
    for stretch in stretches or ():
        high = stretch.low + 1 if stretch.high is None else stretch.high
        yield from (high, (stretch.low + high) / 2)
    for one in wanted:
        for other in one.symbols - {symbol}:
            yield Fraction(base[other])
        if symbol in one.symbols and not isinstance(one, Within):
            start, end = (Fraction(evaluate(one.left, {**base, symbol: at})) for at in (here, here + 1))
            if end != start:
                root = here - start / (end - start)  # where a line through both would be 0
                if root > 0 and (root.denominator == 1 or not symbol.is_integer):
                    yield root
    yield here * 2
    yield from _RATIOS if not symbol.is_integer else (*_SMALL, *(here + 2**power for power in range(_POWERS)))
