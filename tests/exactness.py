"""Closed forms against the exact integers, at random points.

``python tests/exactness.py [NAME ...] [--points N]`` checks every bundled network and block, over every set of
free names that is tried here; the suite checks a sample of it. A point that the printed assumptions exclude is
replaced by another; how many were is reported.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.errors import ConvcostError
from convcost.formulas.cases import cases
from convcost.language.check import free_names
from convcost.language.interpret import build
from convcost.metrics.quantities import quantities
from convcost.numbers.decisions import DIVIDES, WHOLE
from convcost.numbers.values import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from convcost.formulas.closed import Formula
    from convcost.language.model import Spec

DENOMINATORS = (1, 2, 3, 4, 5, 8, 10, 20, 32, 100)
TRIES = 400  # random points per point wanted


class Report(NamedTuple):
    """What a check found.

    Attributes:
        compared: points at which closed form and integers agree.
        elsewhere: how many of these belong to another structure than the default's, and its closed form.
        structures: how many structures there are.
        excluded: points at which there is no such network, as both say.
    """

    compared: int
    elsewhere: int
    structures: int
    excluded: int


class NotEqualError(AssertionError):
    """A closed form is wrong at a point."""


def free_sets(spec: Spec) -> list[tuple[str, ...]]:
    """Every free name alone, and all together, as far as their defaults allow."""
    values = build(spec).parameters
    names = [name for name in free_names(spec) if isinstance(values[name], int | Fraction) and values[name] > 0]
    return list(dict.fromkeys([*((name,) for name in names), tuple(names)]))


def check(spec: Spec, free: tuple[str, ...], points: int, seed: int = 0) -> Report:
    """Compare at ``points`` random points.

    Raises:
        NotEqualError: they differ somewhere, or one of the two says that there is no such network.
    """
    found = cases(spec, free)
    generator = random.Random(f"{spec.name} {free} {seed}")  # noqa: S311 - repeatable, not secret
    compared = elsewhere = excluded = 0
    for attempt in range(points * TRIES):
        if compared == points:
            break
        first = generator.choice(found.formulas)  # moves some points to where the less common structures are
        values = drawn(first, generator)
        values = repaired(first, values, generator) if attempt % 2 else values
        fitting = found.at(values)
        if fitting is not None:
            compare(spec, fitting, values)
            compared += 1
            elsewhere += fitting is not found.formulas[0]
        elif found.complete:
            excluded += 1
            refused(spec, values)
    if compared < points:
        raise NotEqualError(f"{spec.name} {free}: only {compared} of {points} points fulfil the assumptions")
    return Report(compared, elsewhere, len(found.formulas), excluded)


def refused(spec: Spec, values: dict[str, Any]) -> None:
    """Make sure that there is no network at a point that assumptions exclude."""
    try:
        build(spec, values)
    except ConvcostError:
        return
    raise NotEqualError(f"{spec.name} {values} can be built, but no closed form holds there")


def compare(spec: Spec, found: Formula, values: dict[str, Any]) -> None:
    """Compare every quantity at one point."""
    try:
        expected = quantities(build(spec, values).layers)
    except ConvcostError as error:
        raise NotEqualError(f"{spec.name} {values}: {error}, but {found.assumptions} hold") from None
    numbers = {symbol: values[name] for name, symbol in found.symbols.items()}
    for name, form in found.totals.items():
        if evaluate(form.polynomial, numbers) != expected[name]:
            raise NotEqualError(
                f"{spec.name} {values}: {name} is {expected[name]}, not {evaluate(form.polynomial, numbers)}"
            )


def drawn(found: Formula, generator: random.Random) -> dict[str, Any]:
    """A random point: whole numbers up to three times the default, ratios up to twice."""
    values: dict[str, Any] = {}
    for name, symbol in found.symbols.items():
        default = found.witness[name]
        if symbol.whole:
            values[name] = generator.randint(1, max(3 * int(default), 8))
        else:
            denominator = generator.choice(DENOMINATORS)
            values[name] = Fraction(generator.randint(1, int(2 * default * denominator) + 1), denominator)
    return values


def repaired(found: Formula, values: dict[str, Any], generator: random.Random) -> dict[str, Any]:
    """The point moved to where divisibilities and equalities of single names hold, which few random points do."""
    names = {symbol: name for name, symbol in found.symbols.items()}
    for one in found.conditions:
        numbers = {symbol: Fraction(values[name]) for name, symbol in found.symbols.items()}
        if one.holds(numbers):
            continue
        if one.relation == DIVIDES and one.right in names:
            values[names[one.right]] = int(evaluate(one.left, numbers)) * generator.randint(1, 8)
        elif one.relation == DIVIDES and one.left in names:
            values[names[one.left]] = 2 ** generator.randint(0, 4)
        elif one.relation == WHOLE and len(one.symbols) == 1:
            symbol = next(iter(one.symbols))
            slope = evaluate(one.left, {symbol: Fraction(1)}) - evaluate(one.left, {symbol: Fraction(0)})
            values[names[symbol]] = Fraction(generator.randint(1, int(2 * slope)), Fraction(slope))
        elif one.relation == "==" and one.left in names:
            values[names[one.left]] = evaluate(one.right, numbers)
    return values


def everything(names: Iterable[str], points: int) -> Iterator[tuple[str, tuple[str, ...], Report]]:
    """Check every free set of the specs called ``names``."""
    catalogue = Catalogue()
    for name in names:
        spec = catalogue.target(name)
        for free in free_sets(spec):
            yield name, free, check(spec, free, points)


def main() -> None:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", default=bundled_names(), help="specs to check; all where none is named")
    parser.add_argument("--points", type=int, default=200, help="points per set of free names")
    options = parser.parse_args()
    start, checked = time.perf_counter(), 0
    for name, free, report in everything(options.names, options.points):
        checked += report.compared
        other = f", {report.elsewhere} of them in {report.structures - 1} other structures" if report.elsewhere else ""
        outside = f"; {report.excluded} more make no network" if report.excluded else ""
        print(f"{name} ({', '.join(free)}): {report.compared} points equal{other}{outside}")
    print(f"{checked} points, all equal, in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
