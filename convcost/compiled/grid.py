"""Grids of points: closed forms whose terms are products of functions of one argument each.

Such a metric on a grid is a matrix product: of what depends on the other arguments, for each row of the grid, and of
what depends on the last one. It is exact: on doubles where all partial sums are below 2^53, else on whole numbers.
"""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from convcost.codegen.kernel import CONSTANT, UNIT, Kernel, Line, renamed
from convcost.compiled import bounds
from convcost.compiled.arrays import Points, at_points, column, joined, quotient
from convcost.compiled.emit import on_arrays
from convcost.compiled.functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from convcost.codegen.kernel import Guard, Monomial, Polynomial
    from convcost.compiled.arrays import Column
    from convcost.compiled.form import Form
    from convcost.compiled.network import Key, Network
    from convcost.errors import ConvcostError

BLOCK = 131_072  # points
_EXACT = 2**53
_MOST = 2**63 - 1


class Grid:
    """All combinations of the values of some arguments, the last one varying fastest."""

    def __init__(self, network: Network, values: Sequence[Sequence[Any]]) -> None:
        """Lay out the grid.

        Args:
            network: what to evaluate.
            values: exact, for each argument.
        """
        self.network = network
        self.shape = tuple(map(len, values))
        self._columns = [column(network, index, listed, None) for index, listed in enumerate(values)]
        self._fixed = [index for index, own in enumerate(self._columns) if not own.parts]
        self._factored: dict[tuple[Key, int], _Factored | None] = {}
        ready = not any(own.counted is not None for own in self._columns)
        self._is_grid = ready and len(values) > 1 and len(values) - 1 not in self._fixed

    def blocks(self) -> Iterator[Block]:
        """The grid in pieces, in order."""
        *_, width = self.shape
        rows = prod(self.shape[:-1])
        height = max(1, BLOCK // width)
        for start in range(0, rows, height):
            for left in range(0, width, BLOCK):
                yield self._block(slice(start, min(start + height, rows)), slice(left, min(left + BLOCK, width)))

    def _block(self, rows: slice, across: slice) -> Block:
        own = np.unravel_index(np.arange(rows.start, rows.stop), self.shape[:-1]) if len(self.shape) > 1 else ()
        block = Block(own, rows.stop - rows.start, across)
        if self._is_grid:
            return block.with_points(self._products(block))
        if len(self.shape) == 1:
            return block.with_points(at_points(self.network, [self._columns[0].part(across)]))
        return block.with_points(self._singly(block.places))

    def _singly(self, places: Sequence[Any]) -> Points:
        """Evaluate points, wherever they are."""
        columns = [own._replace(places=place) for own, place in zip(self._columns, places, strict=True)]
        return at_points(self.network, columns)

    def _products(self, block: Block) -> Points:
        """Evaluate a block, where known forms allow it by matrix products."""
        result = _Result(self.network.quantities, block.height, block.width)
        for key, members in self._keys(block):
            for form in self.network.known(key):
                factored = self._of(key, form)
                if factored is not None:
                    factored.into(result, members, block)
        left = result.undecided()
        if len(left):
            result.merge(left, self._singly([place[left] for place in block.places]))
        return result.points(lambda point: self._error(block, point))

    def _keys(self, block: Block) -> Iterator[tuple[Key, Any]]:
        """The rows that agree in all values that cannot be free; None for all rows."""
        if not self._fixed:
            yield (), None
            return
        own = block.rows
        kinds, members = np.unique(np.stack([own[index] for index in self._fixed]), axis=1, return_inverse=True)
        for number, kind in enumerate(kinds.T):
            key = tuple(
                (self.network.over[index], repr(self._columns[index].values[place]))
                for index, place in zip(self._fixed, kind, strict=True)
            )
            yield key, np.flatnonzero(members.ravel() == number)

    def _of(self, key: Key, form: Form) -> _Factored | None:
        place = (key, id(form))
        if place not in self._factored:
            self._factored[place] = _factored(form, [own for own in self._columns if own.parts], self._free_axes())
        return self._factored[place]

    def _free_axes(self) -> list[int]:
        return [index for index, own in enumerate(self._columns) if own.parts]

    def _error(self, block: Block, point: int) -> ConvcostError | None:
        """Why there is no network at a point."""
        first = self._singly([place[point : point + 1] for place in block.places]).first
        return None if first is None else first[1]


class Block:
    """A part of a grid: some rows, and a part of the last axis.

    Attributes:
        rows: of each axis but the last, the place of each row on it.
        height: how many rows.
        across: the places on the last axis.
        points: what came of them.
    """

    points: Points

    def __init__(self, rows: Sequence[Any], height: int, across: slice) -> None:
        self.rows = rows
        self.height = height
        self.across = across

    @property
    def width(self) -> int:
        """Points of a row."""
        return int(self.across.stop - self.across.start)

    @cached_property
    def places(self) -> list[Any]:
        """Of each axis, the place of each point on it."""
        last = np.arange(self.across.start, self.across.stop)
        return [*(np.repeat(place, self.width) for place in self.rows), np.tile(last, self.height)]

    def with_points(self, points: Points) -> Block:
        """The block with what came of it."""
        self.points = points
        return self


class _Result:
    """What came of the points of a block so far."""

    def __init__(self, keys: Sequence[str], height: int, width: int) -> None:
        self._values: dict[str, Any] = dict.fromkeys(keys)
        self._shape = (height, width)
        self._first: tuple[int, ConvcostError] | None = None
        self._every = False  # whether all points are known to have a network
        self._exists: Any = None
        self._decided: Any = None

    def whole(self, values: Mapping[str, Any]) -> None:
        """Store the metrics of all points."""
        self._values |= values
        self._every = True

    def part(self, where: Any, exists: Any, values: Mapping[str, Any]) -> None:
        """Store the metrics of some points, and which of them have a network; ``where`` is a pair of indices."""
        if self._exists is None:
            self._exists, self._decided = np.zeros(self._shape, bool), np.zeros(self._shape, bool)
        self._exists[where], self._decided[where] = exists, True
        for key, numbers in values.items():
            kept = self._values[key]
            kept = np.zeros(self._shape, np.int64) if kept is None else kept
            self._values[key] = joined(kept, where, numbers)

    def undecided(self) -> Any:
        """The numbers of the points of which nothing is known yet."""
        if self._every:
            return np.arange(0)
        return np.arange(self._shape[0] * self._shape[1]) if self._decided is None else np.flatnonzero(~self._decided)

    def merge(self, points: Any, own: Points) -> None:
        """Store the result of points that are given by their number in the block."""
        self.part(np.unravel_index(points, self._shape), own.exists, own.values)
        if own.first is not None:
            self._first = (int(points[own.first[0]]), own.first[1])

    def points(self, error: Callable[[int], ConvcostError | None]) -> Points:
        """All points, with the error of the first that has no network."""
        values = {
            key: (np.zeros(self._shape, np.int64) if numbers is None else numbers).ravel()
            for key, numbers in self._values.items()
        }
        if self._every:
            return Points(np.broadcast_to(np.True_, self._shape[0] * self._shape[1]), values, None)
        exists = self._exists.ravel()
        first = None if exists.all() else int(np.argmin(exists))
        if first is None:
            return Points(exists, values, None)
        if self._first is None or first < self._first[0]:
            reason = error(first)
            return Points(exists, values, None if reason is None else (first, reason))
        return Points(exists, values, self._first)


class _Part(NamedTuple):
    """What depends on one argument, at each of its values.

    Attributes:
        structure, needs: where the guards on it hold.
        factors: the factors of terms, by monomial.
    """

    structure: Any
    needs: Any
    factors: dict[Monomial, Any]


class _Product(NamedTuple):
    """A polynomial as a matrix product.

    Attributes:
        terms: for each factor of the last argument, coefficients and the factors of the other arguments.
        reach: a bound of all partial sums.
    """

    terms: dict[Monomial, list[tuple[int, tuple[Monomial, ...]]]]
    reach: int


class _Factored(NamedTuple):
    """A form whose terms are products of functions of one argument each.

    Attributes:
        parts: of the arguments.
        axes: the axis of each argument.
        products: for each metric, its top, and its bottom where it has one.
    """

    parts: tuple[_Part, ...]
    axes: list[int]
    products: dict[str, list[_Product]]

    def into(self, result: _Result, members: Any, block: Block) -> None:
        """Evaluate the rows ``members`` of a block, as far as the form holds there."""
        own = [block.rows[axis] if members is None else block.rows[axis][members] for axis in self.axes[:-1]]
        rows = list(zip(self.parts[:-1], own, strict=True))
        height = block.height if members is None else len(members)
        last, across = self.parts[-1], block.across
        structure, needs = np.ones(height, bool), np.ones(height, bool)
        for part, place in rows:
            structure &= part.structure[place]
            needs &= part.needs[place]
        over, lacks = last.structure[across], last.needs[across]
        every = members is None and all(bool(mask.all()) for mask in (structure, needs, over, lacks))
        if every:
            held = None
        else:
            fits = np.outer(structure, over)
            held = fits & np.outer(needs, lacks)
            where = np.nonzero(fits)
        values = {}
        for key, products in self.products.items():
            top, *bottom = (self._multiplied(product, rows, across, height) for product in products)
            values[key] = quotient(top, bottom[0], held) if bottom else top
        if held is None:
            result.whole(values)
            return
        numbers = {key: made[where] for key, made in values.items()}
        place = where if members is None else (members[where[0]], where[1])
        result.part(place, held[where], numbers)

    def _multiplied(self, product: _Product, rows: Sequence[tuple[_Part, Any]], across: slice, height: int) -> Any:
        kind = np.float64 if product.reach <= _EXACT else np.int64 if product.reach <= _MOST else object
        left = np.zeros((height, len(product.terms)), kind)
        for number, terms in enumerate(product.terms.values()):
            for coefficient, monomials in terms:
                term: Any = coefficient
                for (part, place), monomial in zip(rows, monomials, strict=True):
                    if monomial:
                        term = part.factors[monomial][place].astype(kind) * term
                left[:, number] += term
        right = np.stack([self.parts[-1].factors[monomial][across].astype(kind) for monomial in product.terms])
        made = left @ right
        return made.astype(np.int64) if kind is np.float64 else made


def _factored(form: Form, columns: Sequence[Column], axes: list[int]) -> _Factored | None:
    """A form on a grid as products; None where a term is no such product."""
    kernel = form.kernel
    owners = kernel.owners([len(own.parts) for own in columns])
    outputs = {key: [top] if bottom == UNIT else [top, bottom] for key, (top, bottom) in kernel.outputs.items()}
    guards = [_guard_owners(guard, owners) for guard in kernel.guards]
    used = [slot for parts in outputs.values() for part in parts for monomial in part for slot, _ in monomial]
    if any(owners[slot] is None for slot in used) or any(len(owner) > 1 for owner in guards):
        return None
    spans = [(int(part.min()), int(part.max())) for own in columns for part in own.parts]
    slots = bounds.slots_of(kernel, spans)
    products = {key: [_product(part, owners, len(columns), slots) for part in parts] for key, parts in outputs.items()}
    separate = []
    for number, own in enumerate(columns):
        monomials = {
            _own(monomial, owners, number) for polys in outputs.values() for poly in polys for monomial in poly
        }
        mine = [guard for guard, owner in zip(kernel.guards, guards, strict=True) if owner <= {number}]
        separate.append(_part(kernel, owners, number, own, sorted(monomials), mine))
    return _Factored(tuple(separate), axes, products)


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


def _product(polynomial: Polynomial, owners: Sequence[int | None], count: int, slots: Sequence[Any]) -> _Product:
    terms: dict[Monomial, list[tuple[int, tuple[Monomial, ...]]]] = {}
    for monomial, coefficient in polynomial.items():
        *others, last = (_own(monomial, owners, number) for number in range(count))
        terms.setdefault(last, []).append((coefficient, tuple(others)))
    return _Product(terms or {(): []}, bounds.reach_of(polynomial, slots))


def _part(
    kernel: Kernel,
    owners: Sequence[int | None],
    number: int,
    own: Column,
    monomials: Sequence[Monomial],
    guards: Sequence[Guard],
) -> _Part:
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
        structure, needs, *factors = on_arrays(small, FUNCTIONS)(*arrays)
    count = len(own.values)
    values = {monomial: np.broadcast_to(made, count) for monomial, made in zip(monomials, factors, strict=True)}
    return _Part(np.broadcast_to(structure, count), np.broadcast_to(needs, count), values)
