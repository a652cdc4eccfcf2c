"""The largest or smallest value of one parameter that meets every budget, and the value that meets one most nearly.

The values fall into stretches on which the network has one structure. On each, a budget that provably gets harder
or easier to meet as the parameter grows is decided by bisection; any other by trying all values.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache, partial
from itertools import chain, islice
from math import ceil, isqrt
from typing import TYPE_CHECKING, Any

from convcost.errors import UnsupportedError, UsageError
from convcost.formulas.lattice import WHOLE_NUMBERS, common
from convcost.formulas.steps import Piece
from convcost.metrics.budget import NEAR
from convcost.numbers.arithmetic import RELATIONS, normal
from convcost.numbers.decisions import Condition, Kind
from convcost.solving.candidates import EVERYTHING, Candidates, other_structures, simplest
from convcost.solving.candidates import structure_parts as parts_of
from convcost.solving.costs import CONSTANT, DOWN, course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from convcost.formulas.lattice import Lattice
    from convcost.formulas.regions import Stretch
    from convcost.numbers.arithmetic import Num
    from convcost.solving.costs import Costs, Structure

    Test = Callable[[Fraction], bool]

MAX_SCANNED = 20_000  # values tried with closed forms
MAX_BUILT = 2_000  # values tried by building each network
_MAX_DEPTH = 40
_MAX_HALVINGS = 5000  # a distance has at most 4,096 bits
_TRIED = 64  # values at which a structure is looked for on a stretch that has too many to try all
_FEW = 64  # of as few values each is tried
_FAR = Fraction(2**40)  # whether a network goes on without end is checked beyond here
_TINY = Fraction(1, 4096)
_DOUBLINGS = 24


class Search:
    """A search over the one name of ``costs``.

    Attributes:
        unbounded: whether the budgets hold however large the value is.
        unproved: what the answer takes for granted, as sentences.
    """

    def __init__(self, costs: Costs, *, largest: bool, step: Lattice | None, within: Stretch = EVERYTHING) -> None:
        self.unbounded = False
        self.unproved: list[str] = []
        self._costs = costs
        self._largest = largest
        self._step = step
        self._within = within
        (self._name,) = costs.names
        self._symbol = costs.first.formula.symbols[self._name]
        numeric = any(margin is None for margin in costs.first.margins)
        self._limit = MAX_BUILT if numeric else MAX_SCANNED

    def best(self) -> Piece | None:
        """The best candidate that meets the budgets; None where there is none, or no last one.

        Raises:
            UnsupportedError: it is not proved how a cost changes, and there are too many values to try all.
        """
        return self._best(self._within, self._costs.first, 0)

    def _best(self, stretch: Stretch, structure: Structure, depth: int) -> Piece | None:
        if depth > _MAX_DEPTH:
            raise UnsupportedError(f"`{self._name}` changes the structure of the network too often to look at each")
        segments: list[tuple[Stretch, Structure | None]] = [
            *((part, structure) for part in parts_of(structure, self._symbol, stretch)),
            *((gap, None) for gap in other_structures(structure, self._symbol, stretch)),
        ]
        segments.sort(key=lambda segment: (segment[0].low, not segment[0].low_in), reverse=self._largest)
        for segment, known in segments:
            if known is not None:
                piece = self._on_part(known, segment)
            else:
                other = self._structure_on(segment)
                piece = None if other is None else self._best(segment, other, depth + 1)
            if piece is not None or self.unbounded:
                return piece
        return None

    def _structure_on(self, stretch: Stretch) -> Structure | None:
        """A structure that the network has somewhere on ``stretch``; None where it does not exist there."""
        values = self._all_on(stretch)
        tried = self._some_on(stretch) if values is None else values
        for value in tried:
            structure = self._costs.at({self._name: normal(value)})
            if structure is not None:
                return structure
        if values is None:
            self.unproved.append(
                f"that there is no network {_where(self._name, stretch)}; {len(tried)} values were tried"
            )
        return None

    def _all_on(self, stretch: Stretch) -> list[Fraction] | None:
        """All values on ``stretch`` that the step allows; None where these are too many to try."""
        own = self._step
        if self._symbol.whole:
            own = WHOLE_NUMBERS if own is None else common(own, WHOLE_NUMBERS)
            if own is None:
                return []
        if stretch.low == stretch.high:
            return [stretch.low] if own is None or stretch.low in own else []
        if own is None or stretch.high is None or (stretch.high - stretch.low) / own.step > MAX_BUILT:
            return None
        start = own.above(stretch.low)
        count = int((stretch.high - start) / own.step) + 1
        values = [start + own.step * k for k in range(count)]
        return [value for value in values if value in stretch and value > 0]

    def _some_on(self, stretch: Stretch) -> list[Fraction]:
        high = stretch.high or stretch.low + 2
        middle = simplest(stretch.low, low_in=stretch.low_in, high=high, high_in=stretch.high_in)
        candidates = Candidates(self._costs.first, self._symbol, stretch, self._step)
        near = (piece.inside for piece in islice(candidates.upwards(stretch.low), _TRIED))
        far = (max(stretch.low, Fraction(1)) * 2**k for k in range(_DOUBLINGS))
        doubled = far if self._step is None else map(self._step.above, far)
        tried = (middle, *near, *(Fraction(ceil(value)) if self._symbol.whole else value for value in doubled))
        return [value for value in dict.fromkeys(tried) if value in stretch]

    def _on_part(self, structure: Structure, stretch: Stretch) -> Piece | None:
        stretch = self._ended(structure, stretch)
        candidates = Candidates(structure, self._symbol, stretch, self._step)
        if candidates.empty:
            return None
        listed = self._divisors(structure, stretch)
        if listed is not None:
            return self._scan(reversed(listed) if self._largest else listed)
        if candidates.are_few(_FEW):
            return self._scan(candidates.descending() if self._largest else candidates.ascending())
        start = stretch.low or _TINY
        if candidates.spaced is not None:
            start = candidates.spaced.above(start)
        base = self._proved_from(structure, start, stretch)
        if base is None:
            if stretch.high is None:
                raise UnsupportedError(
                    f"cannot prove how {self._texts} changes as `{self._name}` grows; "
                    f"give a --range {self._name}=LOW..HIGH in which all values can be tried"
                )
            return self._scan(candidates.descending() if self._largest else candidates.ascending())
        if self._largest:
            piece = self._last(structure, candidates, base)
            settled = piece is not None or self.unbounded or base == start
            return piece if settled else self._scan(candidates.downwards(base))
        early = (
            self._scan(piece for piece in candidates.between(start, base) if piece.low < base) if base > start else None
        )
        return early or self._first(structure, candidates, base)

    def _ended(self, structure: Structure, stretch: Stretch) -> Stretch:
        """The stretch up to where a condition ends it that is no range by itself, such as ``P*(17 - P) >= 1``."""
        candidates = Candidates(structure, self._symbol, stretch, self._step)
        if stretch.high is not None or candidates.spaced is None:
            return stretch
        start = candidates.spaced.above(max(stretch.low, Fraction(1)))
        for needed in self._unlisted(structure):
            base = self._first_base(stretch, partial(self._falls, needed), start)
            if needed.relation in (">=", ">") and base is not None:
                last, endless = candidates.last(self._network(needed), base)
                if not endless:
                    high = candidates.spaced.above(base) if last is None else last.high
                    return stretch._replace(high=high, high_in=True)
        return stretch

    def _falls(self, needed: Condition, base: Fraction) -> bool:
        return course(needed.left - needed.right, self._symbol, base) == DOWN

    @property
    def _texts(self) -> str:
        return ", ".join(dict.fromkeys(budget.metric.key for budget in self._costs.budgets))

    def _proved_from(self, structure: Structure, start: Fraction, stretch: Stretch) -> Fraction | None:
        """A value from which on every budget provably changes in one direction; None where none is seen."""
        indices = range(len(self._costs.budgets))

        def proved(base: Fraction) -> bool:
            return all(structure.course(index, self._symbol, base) is not None for index in indices)

        return self._first_base(stretch, proved, start)

    def _first_base(self, stretch: Stretch, proved: Callable[[Fraction], bool], start: Fraction) -> Fraction | None:
        """The first of some doubled values on ``stretch`` for which ``proved`` holds."""
        base = start
        for _ in range(_DOUBLINGS):
            if proved(base):
                return base
            base = max(Fraction(1), base * 2)
            if stretch.high is not None and base >= stretch.high:
                return None
        return None

    def _last(self, structure: Structure, candidates: Candidates, base: Fraction) -> Piece | None:
        keep, come = self._tests(structure, candidates, base)
        last, endless = candidates.last(lambda value: all(test(value) for test in keep), base)
        if endless:
            self.unbounded = candidates.first(lambda value: all(test(value) for test in come), base) is not None
            far = candidates.upwards(max(base, _FAR))
            if self.unbounded and not any(self._meets(piece.inside) for piece in islice(far, _TRIED)):
                raise UnsupportedError(f"cannot tell whether there is such a network for every large `{self._name}`")
        return None if last is None else self._scan(chain([last], candidates.downwards(last.low)), come)

    def _first(self, structure: Structure, candidates: Candidates, base: Fraction) -> Piece | None:
        keep, come = self._tests(structure, candidates, base)
        first = candidates.first(lambda value: all(test(value) for test in come), base)
        return None if first is None else self._scan(chain([first], candidates.upwards(first.high)), keep)

    def _tests(self, structure: Structure, candidates: Candidates, base: Fraction) -> tuple[list[Test], list[Test]]:
        """Budgets that hold up to some value, and those that hold from some value on."""
        keep: list[Test] = []
        come: list[Test] = []
        for index, budget in enumerate(self._costs.budgets):
            direction = structure.course(index, self._symbol, base)
            falls = direction == DOWN
            relations = ("<=", ">=") if budget.relation == "==" else (budget.relation,)
            for relation in relations:
                holds = budget._replace(relation=relation).holds
                ends = (relation in ("<=", "<", NEAR)) != falls
                if structure.margins[index] is not None:
                    test = self._closed_test(structure, index, holds)
                elif direction == CONSTANT:
                    test = self._constant_test(self._numeric_test(structure, index, holds, candidates, ends), base)
                else:
                    test = self._numeric_test(structure, index, holds, candidates, ends)
                (keep if ends else come).append(test)
        for needed in self._unlisted(structure):
            direction = course(needed.left - needed.right, self._symbol, base)
            if direction is None:
                continue
            falls = direction == DOWN
            sides: tuple[Kind, ...] = ("<=", ">=") if needed.relation == "==" else (needed.relation,)
            for kind in sides:
                side = Condition(needed.left, kind, needed.right)
                (keep if (kind in ("<=", "<")) != falls else come).append(self._network(side))
        return keep, come

    def _unlisted(self, structure: Structure) -> list[Condition]:
        """The relations that the name must fulfil and of which it is not known on what stretches they hold."""
        own = [c for c in structure.conditions if c.symbols == {self._symbol} and c.relation in RELATIONS]
        return [c for c in own if c.relation != "!=" and structure.stretches(c, self._symbol) is None]

    def _network(self, needed: Condition) -> Test:
        return lambda value: needed.holds({self._symbol: normal(value)})

    def _closed_test(self, structure: Structure, index: int, holds: Callable[[Any], bool]) -> Test:
        return lambda value: holds(structure.margin(index, {self._name: normal(value)}))

    def _constant_test(self, test: Test, base: Fraction) -> Test:
        return cache(lambda _: test(base))

    def _numeric_test(
        self,
        structure: Structure,
        index: int,
        holds: Callable[[Any], bool],
        candidates: Candidates,
        otherwise: bool,  # noqa: FBT001 - private
    ) -> Test:
        """Whether a budget holds for the last network up to a value; ``otherwise`` where there is none."""

        def test(value: Fraction) -> bool:
            for tried in chain([value], (piece.inside for piece in islice(candidates.downwards(value), _TRIED))):
                values = {self._name: normal(tried)}
                if candidates.spaced is not None and tried not in candidates.spaced:
                    continue
                if structure.holds(values) and self._costs.measured(values) is not None:
                    return holds(structure.margin(index, values))
                if tried <= candidates.low:
                    return otherwise
            if next(candidates.downwards(tried), None) is None:
                return otherwise
            raise UnsupportedError(f"there is no network at {_TRIED} values of `{self._name}` below {normal(value)}")

        return test

    def _scan(self, pieces: Iterable[Piece], stop: Iterable[Test] = ()) -> Piece | None:
        """The first of ``pieces`` that makes a network and meets every budget; not beyond where a ``stop`` fails."""
        tests = list(stop)
        for count, piece in enumerate(pieces):
            if count > self._limit:
                raise UnsupportedError(
                    f"cannot prove how {self._texts} changes, and `{self._name}` has more than {self._limit:,} values "
                    "to try; give a --step or a --range"
                )
            if not all(test(piece.inside) for test in tests):
                return None
            if self._meets(piece.inside):
                return piece
        return None

    def _meets(self, value: Fraction) -> bool:
        return self._costs.meets({self._name: normal(value)})

    def _divisors(self, structure: Structure, stretch: Stretch) -> list[Piece] | None:
        """The values there are, in order, where they must divide a number."""
        for condition in structure.conditions:
            divides = condition.relation == "divides" and condition.left == self._symbol
            number = condition.right if divides else None
            if type(number) is int and number > 0:
                values = [Fraction(value) for value in divisors(number)]
                return [Piece(value, value) for value in values if value in stretch]
        return None


def divisors(number: int) -> list[int]:
    """The divisors of a number above 0, in order.

    >>> divisors(12)
    [1, 2, 3, 4, 6, 12]
    """
    small = [value for value in range(1, isqrt(number) + 1) if number % value == 0]
    return sorted({*small, *(number // value for value in small)})


def _where(name: str, stretch: Stretch) -> str:
    """A stretch in words: ``for 3 <= k < 40``."""
    low = f"{normal(stretch.low)} {'<=' if stretch.low_in else '<'} "
    high = "" if stretch.high is None else f" {'<=' if stretch.high_in else '<'} {normal(stretch.high)}"
    return f"for {low}{name}{high}"


class Nearest:
    """A search for the value that meets the one ``~`` budget of ``costs`` best and all others exactly.

    Whether some cost lies within a distance of the bound is a question with two ordinary budgets. The distance is
    halved until no nearer cost is left, so a cost that is not monotone is no special case.

    Attributes:
        unproved: what the answer takes for granted, as sentences.
    """

    def __init__(self, costs: Costs, step: Lattice | None, within: Stretch = EVERYTHING) -> None:
        """Prepare the search.

        Raises:
            UsageError: more than one budget is to be met nearly.
        """
        near = [budget for budget in costs.budgets if budget.relation == NEAR]
        if len(near) > 1:
            texts = " and ".join(budget.text for budget in near)
            raise UsageError(f"one budget with ~ at most, found {texts}; bound the others with <= or >=")
        (self._near,) = near
        self._others = [budget for budget in costs.budgets if budget.relation != NEAR]
        self._costs = costs
        self._step = step
        self._within = within
        (self._name,) = costs.names
        self.unproved: list[str] = []

    def best(self, *, largest: bool) -> tuple[Piece | None, bool]:
        """The nearest candidate, and whether values that near go on without end.

        Of several that are equally near, those within the bound come first, and of these the largest or smallest.

        Raises:
            UnsupportedError: the values cannot be told apart exactly, or are too many to try.
        """
        distance = self._least_distance()
        if distance is None:
            return None, False
        for offset in dict.fromkeys((-distance, distance)):
            piece, unbounded = self._search(("==", offset), largest=largest)
            if piece is not None or unbounded:
                return piece, unbounded
        raise UnsupportedError(f"cannot tell which `{self._name}` is nearest to {self._near.text}")

    def _least_distance(self) -> Fraction | None:
        """How near the cost comes to the bound; None where there is no network that meets the other budgets."""
        below, endless = self._search(("<=", Fraction(0)), largest=True)
        if endless:
            below, _ = self._search(("<=", Fraction(0)), largest=False)
        above, _ = self._search((">=", Fraction(0)), largest=False)
        distances = [self._distance(piece) for piece in (below, above) if piece is not None]
        if not distances:
            return None
        least, high = Fraction(0), min(distances)
        for _ in range(_MAX_HALVINGS):
            nearer, _ = self._search((">", -high), ("<", high), largest=False)
            if nearer is None:
                return high
            high = self._distance(nearer)
            middle = (least + high) / 2
            halfway, _ = self._search((">=", -middle), ("<=", middle), largest=False)
            if halfway is None:
                least = middle
            else:
                high = self._distance(halfway)
        raise UnsupportedError(f"no `{self._name}` is nearest: the cost comes ever closer to {self._near.text}")

    def _search(self, *bounds: tuple[str, Fraction], largest: bool) -> tuple[Piece | None, bool]:
        """The best candidate whose cost has relations to the bound plus an offset; and whether there is no last one."""
        near = [self._near._replace(relation=relation, offset=normal(offset)) for relation, offset in bounds]
        self._costs = self._costs.against([*near, *self._others])
        search = Search(self._costs, largest=largest, step=self._step, within=self._within)
        piece = search.best()
        self.unproved = list(dict.fromkeys((*self.unproved, *search.unproved)))
        return piece, search.unbounded

    def _distance(self, piece: Piece) -> Fraction:
        """How far the cost of ``piece`` is from the bound itself."""
        values: dict[str, Num] = {self._name: normal(piece.inside)}
        structure = self._costs.at(values)
        if structure is None:
            raise UnsupportedError(f"there is no such network at {self._name} = {values[self._name]}")
        return abs(Fraction(structure.margin(0, values)) + Fraction(self._costs.budgets[0].offset))
