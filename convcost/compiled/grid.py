"""Grids of points in blocks: by matrix products where the closed forms allow it, else point by point."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from convcost.compiled.arrays import Points, at_points, column, joined
from convcost.compiled.factored import factored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from convcost.compiled.factored import Factored
    from convcost.compiled.form import Form
    from convcost.compiled.network import Key, Network
    from convcost.errors import ConvcostError

BLOCK = 131_072  # points


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
        self._factored: dict[tuple[Key, int], Factored | None] = {}
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
                own = self._of(key, form)
                if own is not None:
                    self._store(own, result, members, block)
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

    def _store(self, own: Factored, result: _Result, members: Any, block: Block) -> None:
        """Evaluate the rows ``members`` of a block, as far as a form holds there."""
        places = [block.rows[axis] if members is None else block.rows[axis][members] for axis in own.axes[:-1]]
        made = own.at(places, block.height if members is None else len(members), block.across)
        if made is None:
            return
        if members is None and made.rows is made.across is made.exists is None:
            result.whole(made.numbers)
            return
        rows = members if made.rows is None else made.rows if members is None else members[made.rows]
        result.part(_where(rows, made.across), True if made.exists is None else made.exists, made.numbers)

    def _of(self, key: Key, form: Form) -> Factored | None:
        place = (key, id(form))
        if place not in self._factored:
            self._factored[place] = factored(form, [own for own in self._columns if own.parts], self._free_axes())
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
        """Store the metrics of some points, and which of them have a network; ``where`` is an index."""
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


def _where(rows: Any, across: Any) -> Any:
    """The index of a part of a block: some rows and some places on the last axis, or all of either."""
    if rows is None:
        return slice(None), slice(None) if across is None else across
    return rows if across is None else np.ix_(rows, across)
