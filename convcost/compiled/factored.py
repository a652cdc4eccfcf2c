"""Closed forms on a grid: sums of products of functions of one argument each, and the largest of several such sums.

Such a sum on a grid is a matrix product: of what depends on the other arguments, for each row of the grid, and of what
depends on the last one. It is exact: on doubles where all partial sums are below 2^53, else on whole numbers.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from convcost.codegen.kernel import CONSTANT, UNIT, Kernel, Line, renamed, scaled
from convcost.compiled import bounds
from convcost.compiled.arrays import quotient
from convcost.compiled.emit import on_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.codegen.kernel import Guard, Monomial, Polynomial
    from convcost.compiled.arrays import Column
    from convcost.compiled.form import Form

STRIP = 32_768  # points of a product at a time, so that it stays in the cache of a processor
_EXACT = 2**53
_MOST = 2**63 - 1
_KEPT = 2_000_000  # numbers that are kept for the rows of a grid

Rows = list[tuple["Part", Any]]  # of each argument but the last, what depends on it, and its place in each row


class Part(NamedTuple):
    """What depends on one argument, at each of its values.

    Attributes:
        structure, needs: where the guards on it hold.
        factors: the factors of terms, by monomial.
    """

    structure: Any
    needs: Any
    factors: dict[Monomial, Any]


class Values(NamedTuple):
    """What came of some rows of a part of a grid.

    Attributes:
        rows: the rows that have the structure; None for all of them.
        across: the places on the last axis that have it; None for all of them.
        exists: where there is a network among these; None for everywhere.
        numbers: the metrics there.
    """

    rows: Any
    across: Any
    exists: Any
    numbers: dict[str, Any]


class Factored:
    """A form on a grid.

    Attributes:
        axes: the axis of each argument.
    """

    def __init__(self, parts: Sequence[Part], axes: Sequence[int], metrics: dict[str, list[Largest]]) -> None:
        """Keep what is evaluated for every block.

        Args:
            parts: of the arguments.
            axes: the axis of each argument.
            metrics: of each, its top, and its bottom where it has one.
        """
        self.axes = tuple(axes)
        self._parts = tuple(parts)
        self._metrics = metrics

    def at(self, places: Sequence[Any], height: int, across: slice) -> Values | None:
        """The metrics on some rows; None where none of the points has the structure.

        Args:
            places: of each argument but the last, its place in each row.
            height: how many rows there are.
            across: the places on the last axis.
        """
        *others, last = self._parts
        structure, needs = np.ones(height, bool), np.ones(height, bool)
        for part, place in zip(others, places, strict=True):
            structure &= part.structure[place]
            needs &= part.needs[place]
        rows, columns = _some(structure), _some(last.structure[across])
        if any(chosen is not None and not len(chosen) for chosen in (rows, columns)):
            return None
        if rows is not None:
            places, needs, height = [place[rows] for place in places], needs[rows], len(rows)
        over = across if columns is None else columns + across.start
        lacks = last.needs[over]
        exists = None if needs.all() and lacks.all() else np.outer(needs, lacks)
        chosen = list(zip(others, places, strict=True))
        numbers = {}
        for key, metric in self._metrics.items():
            top, *bottom = (part.at(chosen, height, over) for part in metric)
            numbers[key] = quotient(top, bottom[0], exists) if bottom else top
        return Values(rows, columns, exists, numbers)


def _some(mask: Any) -> Any:
    """The places where a mask holds; None for all of them."""
    return None if mask.all() else np.flatnonzero(mask)


class Largest:
    """The largest of several sums as matrix products."""

    def __init__(
        self,
        polynomials: Sequence[Polynomial],
        owners: Sequence[int | None],
        parts: Sequence[Part],
        slots: Sequence[bounds.Interval],
    ) -> None:
        """Sort the factors of the last argument by their size.

        Args:
            polynomials: the sums.
            owners: of each slot, the argument that it depends on.
            parts: of the arguments.
            slots: the intervals of all slots.
        """
        reach = max(bounds.reach_of(polynomial, slots) for polynomial in polynomials)
        self._kind = np.float64 if reach <= _EXACT else np.int64 if reach <= _MOST else object
        self._sums = [_terms(polynomial, owners, len(parts)) for polynomial in polynomials]
        factors = parts[-1].factors
        lasts = dict.fromkeys(last for terms in self._sums for last in terms) or {(): None}
        self._lasts = sorted(lasts, key=lambda last: factors[last][-1] if len(factors[last]) else 0, reverse=True)
        arrays = [factors[last] for last in self._lasts]
        falling = all(np.all(a >= b) for a, b in pairwise(arrays)) and bool(np.all(arrays[-1] >= 0))
        self._falls = falling and len(self._sums) > 1
        self._factors = arrays
        self._right: dict[tuple[int, int], Any] = {}
        self._left: Any = None

    def at(self, rows: Rows, height: int, across: Any) -> Any:
        """The values at all points of some rows; ``across`` is a slice or the places on the last axis."""
        right = self._across(across)
        left = self._undominated(self._of_rows(rows, height))
        result = np.empty((height, right.shape[1]), object if self._kind is object else np.int64)
        step = max(1, STRIP // max(1, right.shape[1]))
        for start in range(0, height, step):
            strip = slice(start, start + step)
            made = left[0, strip] @ right
            for own in left[1:, strip]:
                made = np.maximum(made, own @ right)
            result[strip] = made
        return result

    def _across(self, across: Any) -> Any:
        """The factors of the last argument, as a matrix."""
        if not isinstance(across, slice):
            return np.stack([own[across].astype(self._kind) for own in self._factors])
        place = (across.start, across.stop)
        if place not in self._right:
            self._right = {place: np.stack([own[across].astype(self._kind) for own in self._factors])}
        return self._right[place]

    def _of_rows(self, rows: Rows, height: int) -> Any:
        """For each sum and each row, what the factors of the last argument are multiplied by."""
        if len(rows) != 1:
            return self._multiplied(rows, height)
        ((part, place),) = rows
        count = len(part.structure)
        if count * len(self._sums) * len(self._lasts) > _KEPT:
            return self._multiplied(rows, height)
        if self._left is None:
            self._left = self._undominated(self._multiplied([(part, slice(None))], count))
        return self._left[:, place]

    def _multiplied(self, rows: Rows, height: int) -> Any:
        left = np.zeros((len(self._sums), height, len(self._lasts)), self._kind)
        for own, sums in zip(left, self._sums, strict=True):
            for number, last in enumerate(self._lasts):
                for coefficient, monomials in sums.get(last, ()):
                    term: Any = coefficient
                    for (part, place), monomial in zip(rows, monomials, strict=True):
                        if monomial:
                            term = part.factors[monomial][place].astype(self._kind) * term
                    own[:, number] += term
        return left

    def _undominated(self, left: Any) -> Any:
        """The sums that are not at most another of them in all these rows.

        With factors ``g1 >= g2 >= ... >= 0`` a sum ``c1*g1 + c2*g2 + ...`` is ``c1*(g1 - g2) + (c1 + c2)*(g2 - g3)``
        and so on. So it is at most another if each of these sums of coefficients is.
        """
        if not self._falls or len(left) == 1:
            return left
        sums = np.cumsum(left, axis=2)
        kept: list[int] = []
        for number, own in enumerate(sums):
            if any(np.all(own <= sums[other]) for other in kept):
                continue
            kept = [other for other in kept if not np.all(sums[other] <= own)] + [number]
        return left if len(kept) == len(left) else left[kept]


def factored(form: Form, columns: Sequence[Column], axes: Sequence[int]) -> Factored | None:
    """A form on a grid; None where a metric is no such sum, or a guard depends on several arguments.

    Args:
        form: what to evaluate.
        columns: the values of its arguments.
        axes: the axis of each argument.
    """
    kernel = form.kernel
    owners = kernel.owners([len(own.parts) for own in columns])
    outputs = {
        key: [_sums(kernel, top, owners), *([] if bottom == UNIT else [[bottom]])]
        for key, (top, bottom) in kernel.outputs.items()
    }
    everything = [polynomial for metric in outputs.values() for part in metric for polynomial in part]
    guards = [_guard_owners(guard, owners) for guard in kernel.guards]
    used = [slot for polynomial in everything for monomial in polynomial for slot, _ in monomial]
    if any(owners[slot] is None for slot in used) or any(len(owner) > 1 for owner in guards):
        return None
    parts = []
    for number, own in enumerate(columns):
        monomials = {_own(monomial, owners, number) for polynomial in everything for monomial in polynomial} | {()}
        mine = [guard for guard, owner in zip(kernel.guards, guards, strict=True) if owner <= {number}]
        parts.append(_part(kernel, owners, number, own, sorted(monomials), mine))
    spans = [(int(part.min()), int(part.max())) for own in columns for part in own.parts]
    slots = bounds.slots_of(kernel, spans)
    metrics = {
        key: [Largest(polynomials, owners, parts, slots) for polynomials in metric] for key, metric in outputs.items()
    }
    return Factored(parts, axes, metrics)


def _sums(kernel: Kernel, polynomial: Polynomial, owners: Sequence[int | None]) -> list[Polynomial]:
    """The sums of which a polynomial is the largest: several if it is a multiple of such a maximum, else itself."""
    if len(polynomial) == 1:
        ((monomial, coefficient),) = polynomial.items()
        slot, power = monomial[0] if len(monomial) == 1 else (0, 0)
        if power == 1 and owners[slot] is None and coefficient > 0:
            line = kernel.lines[slot - kernel.arguments]
            if line.operation == "maximum":
                return [scaled(argument, coefficient) for argument in line.arguments]
    return [polynomial]


def _guard_owners(guard: Guard, owners: Sequence[int | None]) -> set[int | None]:
    return {
        owners[slot]
        for checks in guard.alternatives
        for check in checks
        for polynomial in (check.polynomial, check.divisor)
        for monomial in polynomial
        for slot, _ in monomial
    } - {CONSTANT}


def _own(monomial: Monomial, owners: Sequence[int | None], number: int) -> Monomial:
    """The factors of a monomial that depend on an argument; those that depend on none go with the first."""
    return tuple(
        (slot, power) for slot, power in monomial if owners[slot] == number or (owners[slot] == CONSTANT and not number)
    )


def _terms(
    polynomial: Polynomial, owners: Sequence[int | None], count: int
) -> dict[Monomial, list[tuple[int, tuple[Monomial, ...]]]]:
    """For each factor of the last argument, coefficients and the factors of the other arguments."""
    terms: dict[Monomial, list[tuple[int, tuple[Monomial, ...]]]] = {}
    for monomial, coefficient in polynomial.items():
        *others, last = (_own(monomial, owners, number) for number in range(count))
        terms.setdefault(last, []).append((coefficient, tuple(others)))
    return terms


def _part(
    kernel: Kernel,
    owners: Sequence[int | None],
    number: int,
    own: Column,
    monomials: Sequence[Monomial],
    guards: Sequence[Guard],
) -> Part:
    """Evaluate what depends on one argument, as a kernel of its own."""
    slots: dict[int, int] = {}
    lines: list[Line] = []
    for slot, owner in enumerate(owners):
        if owner == number or (owner == CONSTANT and slot >= kernel.arguments):
            if slot >= kernel.arguments:
                line = kernel.lines[slot - kernel.arguments]
                lines.append(Line(line.operation, tuple(renamed(part, slots) for part in line.arguments)))
            slots[slot] = len(slots)
    outputs = {str(place): (renamed({monomial: 1}, slots), UNIT) for place, monomial in enumerate(monomials)}
    small = Kernel(len(own.parts), tuple(lines), outputs, tuple(guard.renamed(slots) for guard in guards))
    arrays = own.parts
    if bounds.largest(small, [(int(part.min()), int(part.max())) for part in arrays]) > _MOST:
        arrays = tuple(part.astype(object) for part in arrays)
    with np.errstate(divide="ignore"):
        structure, needs, *factors = on_arrays(small)(*arrays)
    count = len(own.values)
    values = {monomial: np.broadcast_to(made, count) for monomial, made in zip(monomials, factors, strict=True)}
    return Part(np.broadcast_to(structure, count), np.broadcast_to(needs, count), values)
