"""What ``compare`` states about two specs, against networks that are built and counted.

``python tests/orders.py [NAME ...] [--part K/N] [--points P]`` goes over all pairs of bundled blocks; the suite
takes a sample, and specs of its own. Nothing here evaluates a closed form of a cost: costs are counted.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from fractions import Fraction
from itertools import combinations
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import sympy

from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.errors import ConvcostError
from convcost.formulas.comparison import QUANTITIES, Comparison, compare
from convcost.language.interpret import build
from convcost.network.cost import sum_work
from convcost.numbers import arithmetic as algebra
from convcost.numbers.conversion import to_sympy
from convcost.numbers.decisions import DIVIDES
from convcost.numbers.polynomial import Symbol, replaced
from convcost.numbers.printing import text
from convcost.numbers.values import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.formulas.comparison import Item
    from convcost.formulas.order import Order
    from convcost.formulas.roots import BreakEven, Threshold
    from convcost.language.model import Spec

WHOLE = (1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 31, 64, 96, 120, 251, 1000, 4099)
RATIOS = tuple(
    Fraction(*pair) for pair in ((1, 7), (1, 4), (1, 3), (1, 2), (3, 4), (1, 1), (5, 4), (2, 1), (7, 2), (13, 1))
)
LARGE = 2**24 * 3**4 * 25 * 7 * 11  # of a name that grows without end: whatever divides widths divides it
NEAR = 1e-3


class Findings:
    """How many statements were put to the test at how many points, and which of them are false.

    Attributes:
        statements: by kind.
        points: how often a statement was compared with counted networks.
        false: what was stated, with the point at which it is false.
    """

    def __init__(self) -> None:
        self.statements: Counter[str] = Counter()
        self.points = 0
        self.false: list[str] = []


class Pair:
    """A comparison of two specs, and the networks behind it."""

    def __init__(self, specs: Sequence[Spec], given: Sequence[Mapping[str, Any]]) -> None:
        self.specs = specs
        self.given = given
        self.comparison: Comparison = compare(list(specs), [dict(one) for one in given])
        self.symbols: dict[str, Any] = {}
        self.defaults: dict[str, Any] = {}
        for item in self.comparison.items:
            for name, symbol in _symbols(item).items():
                self.symbols[name] = symbol
                self.defaults.setdefault(name, item.formula.witness[_own(item, name)])
        self._counted: dict[Any, Any] = {}

    def costs(self, values: Mapping[str, Any]) -> list[Any] | None:
        """What both sides cost at ``values`` of the names in the formulas; None where one is no network."""
        key = tuple(sorted(values.items()))
        if key not in self._counted:
            try:
                self._counted[key] = [
                    sum_work(build(spec, {**given, **self.own(item, values)}).layers)
                    for spec, given, item in zip(self.specs, self.given, self.comparison.items, strict=True)
                ]
            except ConvcostError:
                self._counted[key] = None
        return self._counted[key]

    def own(self, item: Item, values: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of one side."""
        return {_own(item, name): values[name] for name in _symbols(item)}

    def fits(self, values: Mapping[str, Any]) -> bool:
        """Whether the printed assumptions hold."""
        numbers = {symbol: values[name] for name, symbol in self.symbols.items()}
        return all(one.holds(numbers) for one in self.comparison.conditions)

    def drawn(self, generator: random.Random) -> dict[str, Any] | None:
        """A random point that fulfils the printed assumptions, some of its names as in the defaults."""
        for _ in range(30):
            keep = generator.choice((0.0, 0.3, 0.8))
            values = {
                name: self.defaults[name]
                if generator.random() < keep
                else generator.choice(WHOLE if symbol.whole else RATIOS)
                for name, symbol in self.symbols.items()
            }
            if self.fits(self.repaired(values, generator)):
                return values
        return None

    def tied(self, values: dict[str, Any], moved: str) -> dict[str, Any]:
        """The same point with what assumptions make equal to ``moved`` moved along."""
        for one in self.comparison.conditions:
            if one.relation == "==" and isinstance(one.left, Symbol) and isinstance(one.right, Symbol):
                both = {one.left.name, one.right.name}
                values |= {name: values[moved] for name in both if moved in both}
        return values

    def repaired(self, values: dict[str, Any], generator: random.Random) -> dict[str, Any]:
        """The same point, moved to where equalities and divisibilities of single names hold."""
        names = {symbol: name for name, symbol in self.symbols.items()}
        for one in self.comparison.conditions:
            numbers = {symbol: values[name] for name, symbol in self.symbols.items()}
            if one.holds(numbers):
                continue
            if one.relation == "==" and one.right in names:
                values[names[one.right]] = evaluate(one.left, numbers)
            elif one.relation == DIVIDES and one.right in names:
                values[names[one.right]] = int(evaluate(one.left, numbers)) * generator.randint(1, 5)
            elif one.relation == DIVIDES and one.left in names:
                values[names[one.left]] = generator.choice((1, 1, 2, 4))
        return values


def _symbols(item: Item) -> dict[str, Any]:
    """The symbols of one side by the name that they have in the formulas."""
    assert item.formula is not None
    return {item.names[name].name: item.names[name] for name in item.formula.symbols}


def _own(item: Item, name: str) -> str:
    return next(own for own, symbol in item.names.items() if symbol.name == name)


def check(pair: Pair, findings: Findings, points: int, seed: str = "") -> None:
    """Put every statement about ``pair`` to the test at ``points`` random points and at its defaults."""
    first, second = pair.comparison.items
    generator = random.Random(f"{first.name} {second.name} {seed}")  # noqa: S311 - repeatable, not secret
    drawn = [pair.defaults, *filter(None, (pair.drawn(generator) for _ in range(points)))]
    grid = [values for values in drawn if pair.costs(values) is not None]
    for quantity in QUANTITIES:
        _Check(pair, quantity, grid, findings).run()


class _Check:
    """The statements about one quantity."""

    def __init__(self, pair: Pair, quantity: str, grid: Sequence[Mapping[str, Any]], findings: Findings) -> None:
        self.pair = pair
        self.quantity = quantity
        self.grid = grid
        self.findings = findings
        first, second = pair.comparison.items
        self.ratio = pair.comparison.ratios[first.name][quantity]
        self.where = f"{first.name} / {second.name} {quantity}"

    def run(self) -> None:
        self.formula()
        self.limits()
        known = self.ratio.order
        if known is None:
            return
        if known.relation:
            self.relation(known)
        if known.counterexample is not None:
            self.reverses(known.counterexample)
        for threshold in known.thresholds:
            self.threshold(threshold)
        for even in known.break_even:
            self.break_even(even)

    def cost(self, values: Mapping[str, Any]) -> list[int] | None:
        counted = self.pair.costs(values)
        return None if counted is None else [getattr(one, self.quantity) for one in counted]

    def number(self, expr: Any, values: Mapping[str, Any]) -> Any:
        value = to_sympy(replaced(expr, {symbol: values[name] for name, symbol in self.pair.symbols.items()})).doit()
        return value if value.is_Rational else sympy.N(value, 40)

    def said(self, kind: str) -> None:
        self.findings.statements[kind] += 1

    def false(self, statement: str, values: Mapping[str, Any], counted: Any) -> None:
        self.findings.false.append(f"{self.where}: {statement}; at {dict(values)}: {counted}")

    def formula(self) -> None:
        """At each side's own values the ratio of the closed forms is the ratio of the counts."""
        if self.ratio.formula is None or self.ratio.exact is None:
            return
        self.said("formula")
        self.findings.points += 1
        if self.number(self.ratio.formula, self.pair.defaults) != sympy.Rational(self.ratio.exact):
            self.false(f"formula {text(self.ratio.formula)}", self.pair.defaults, self.ratio.exact)

    def limits(self) -> None:
        """A very large network comes near."""
        for limit, name in self.ratio.limits:
            values = self.pair.repaired({**self.pair.defaults, name: LARGE}, random.Random(0))  # noqa: S311 - no secret
            counted = self.cost(values) if values[name] == LARGE and self.pair.fits(values) else None
            if counted is None:
                continue
            self.said("limit")
            self.findings.points += 1
            expected, reached = self.number(limit, self.pair.defaults), Fraction(counted[0], counted[1])
            if limit == inf:
                near = reached > 100 * self.ratio.exact
            else:
                near = abs(float(expected) - reached) <= NEAR * max(float(expected), self.ratio.exact)
            if not near:
                self.false(f"limit {text(limit)} as {name} -> oo", values, float(reached))

    def relation(self, known: Order) -> None:
        """Whatever is said to hold for all values of the named domain."""
        self.said(f"relation {known.relation}")
        for values in self.grid:
            if all(values[one.name] >= one.least for one in known.domain):
                self.findings.points += 1
                counted = self.cost(values)
                if counted is not None and not algebra.RELATIONS[known.relation](*counted):
                    self.false(f"{known.relation} for all {known.domain}", values, counted)
                    return

    def reverses(self, against: Mapping[str, Any]) -> None:
        """The order there is opposite to the one in the table."""
        self.said("reverses")
        self.findings.points += 1
        here, there = self.cost(self.pair.defaults), self.cost({**self.pair.defaults, **against})
        if here is None or there is None or (here[0] - here[1]) * (there[0] - there[1]) >= 0:
            self.false(f"reverses at {against}", self.pair.defaults, (here, there))

    def threshold(self, known: Threshold) -> None:
        """The first is cheaper on one side of the root, and not on the other, nor on it."""
        self.said("threshold")
        for values in self.grid[:12]:
            root, counted, here = self.number(known.root, values), self.cost(values), to_sympy(values[known.name])
            if counted is None:
                continue
            self.findings.points += 1
            off = abs(root - here) > sympy.Float(10) ** -25
            less = bool(root.is_real and off and (here < root if known.relation == "<" else here > root))
            if (counted[0] < counted[1]) != less:
                self.false(f"< exactly when {known.name} {known.relation} {text(known.root)}", values, counted)
                return

    def break_even(self, known: BreakEven) -> None:
        """Both cost the same there; between two whole numbers the order does not stay the same."""
        self.said("break-even")
        if isinstance(known.value, int):
            values = self.pair.tied({**self.pair.defaults, known.name: known.value}, known.name)
            self.findings.points += 1
            counted = self.cost(values) if self.pair.fits(values) else None
            if counted is None or counted[0] != counted[1]:
                self.false(f"break-even at {known.name} = {known.value}", values, counted)
        elif isfinite(known.value) and self.pair.symbols[known.name].whole and known.value > 1:
            around = [
                self.pair.tied({**self.pair.defaults, known.name: int(known.value) + more}, known.name)
                for more in (0, 1)
            ]
            counts = [self.cost(values) for values in around if self.pair.fits(values)]
            pairs = [one for one in counts if one is not None]
            if len(pairs) == len(around):
                self.findings.points += 1
                if (pairs[0][0] - pairs[0][1]) * (pairs[1][0] - pairs[1][1]) > 0:
                    self.false(f"break-even at {known.name} = {known.value}", around[0], pairs)


def blocks() -> list[str]:
    """The bundled blocks."""
    catalogue = Catalogue()
    return [name for name in bundled_names() if catalogue.target(name).is_block]


def main() -> int:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", help="pairs with these blocks alone; all pairs where none is named")
    parser.add_argument("--part", default="0/1", help="K/N: every N-th pair, from the K-th on")
    parser.add_argument("--points", type=int, default=30, help="random points per pair")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    findings, start, catalogue = Findings(), time.perf_counter(), Catalogue()
    wanted = [pair for pair in combinations(blocks(), 2) if not options.names or set(options.names) & set(pair)]
    pairs = wanted[part::parts]
    for first, second in pairs:
        try:
            pair = Pair([catalogue.target(first), catalogue.target(second)], [{}, {}])
        except ConvcostError as error:
            print(f"{first} / {second}: {error}")
            continue
        before = len(findings.false)
        check(pair, findings, options.points)
        for line in findings.false[before:]:
            print("FALSE", line)
    print(f"{len(pairs)} pairs, {findings.points} points, {time.perf_counter() - start:.0f} s")
    print(", ".join(f"{kind}: {count}" for kind, count in sorted(findings.statements.items())))
    print(f"{len(findings.false)} false")
    return 1 if findings.false else 0


if __name__ == "__main__":
    sys.exit(main())
