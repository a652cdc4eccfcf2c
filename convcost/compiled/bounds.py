"""Proved bounds of what a kernel computes: whether all of it fits 64 bits for arguments from given intervals."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.codegen.kernel import Kernel, Line, Polynomial

Interval: TypeAlias = tuple[int, int]  # the least and the greatest value


def largest(kernel: Kernel, arguments: Sequence[Interval]) -> int:
    """A number that no intermediate result of the functions of :mod:`convcost.compiled.emit` exceeds in magnitude.

    Args:
        kernel: what is computed.
        arguments: the intervals of its arguments.
    """
    slots = list(arguments)
    most = 0
    for line in kernel.lines:
        interval, reach = _line(line, slots)
        slots.append(interval)
        most = max(most, reach)
    polynomials = [part for fraction in kernel.outputs.values() for part in fraction]
    for guard in kernel.guards:
        for tests in guard.alternatives:
            for test in tests:
                polynomials += [test.polynomial, test.divisor]
    return max([most, *(reach_of(polynomial, slots) for polynomial in polynomials)])


def slots_of(kernel: Kernel, arguments: Sequence[Interval]) -> list[Interval]:
    """The intervals of all slots."""
    slots = list(arguments)
    for line in kernel.lines:
        slots.append(_line(line, slots)[0])
    return slots


def reach_of(polynomial: Polynomial, slots: Sequence[Interval]) -> int:
    """A bound of the magnitude of a polynomial, of all its parts, and of all products that it can be written with."""
    return sum(
        abs(coefficient) * prod(max(1, -slots[slot][0], slots[slot][1]) ** power for slot, power in monomial)
        for monomial, coefficient in polynomial.items()
    )


def _interval(polynomial: Polynomial, slots: Sequence[Interval]) -> Interval:
    low = high = 0
    for monomial, coefficient in polynomial.items():
        below, above = 1, 1
        for slot, power in monomial:
            ends = [end**power for end in slots[slot]]
            if power % 2 == 0 and slots[slot][0] <= 0 <= slots[slot][1]:
                ends.append(0)
            corners = [a * b for a, b in product((below, above), (min(ends), max(ends)))]
            below, above = min(corners), max(corners)
        ends = sorted((coefficient * below, coefficient * above))
        low, high = low + ends[0], high + ends[1]
    return low, high


def _line(line: Line, slots: Sequence[Interval]) -> tuple[Interval, int]:
    """The interval of the result of a line, and a bound of all intermediate results."""
    reaches = [reach_of(argument, slots) for argument in line.arguments]
    spans = [_interval(argument, slots) for argument in line.arguments]
    if line.operation in ("maximum", "minimum"):
        choose = max if line.operation == "maximum" else min
        return (choose(low for low, _ in spans), choose(high for _, high in spans)), max(reaches)
    if line.operation == "gcd":
        return (0, max(reaches)), max(reaches)
    return _of_fraction(line, spans, reaches)


def _of_fraction(line: Line, spans: Sequence[Interval], reaches: Sequence[int]) -> tuple[Interval, int]:
    """Of ``floor_div``, ``round_even`` and ``make_divisible``; a bottom below 1 is refused by a guard, but computed."""
    (low, high), (least, most) = spans[:2]
    if least >= 1:
        corners = [top // bottom for top, bottom in product((low, high), (least, most))]
        below, above = min(corners), max(corners)
    else:
        below, above = -reaches[0] - 1, reaches[0] + 1
    if line.operation == "floor_div":
        return (below, above), max(reaches)
    if line.operation == "round_even":
        return (below - 1, above + 2), 2 * reaches[0] + 2 * reaches[1]
    step = reaches[2]
    width = max(abs(below), abs(above)) + 3 * step if least >= 1 else 2 * step * (reaches[0] + step * reaches[1])
    return (min(below, 0), width), max(
        2 * reaches[0] + 2 * step * reaches[1], 10 * width * reaches[1], 9 * reaches[0], width * step
    )
