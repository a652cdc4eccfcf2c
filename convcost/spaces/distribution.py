"""Exact distributions of a quantity over the networks of a space.

The sums of independent choices are distributed as products of polynomials: the power is the cost, the coefficient the
number of networks. The factors of a member are split into two halves. Each is multiplied out over a dense array of
sums, in steps of the common divisor of all differences, on int64 that cannot overflow since a half has fewer than 2^62
networks. What both halves have together is never written down: counts are scalar products, in limbs where int64 is too
narrow. So all results are exact.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from math import gcd, lcm, prod
from typing import TYPE_CHECKING, Any

from convcost.errors import UnsupportedError, UsageError
from convcost.limits import MAX_PART_SUMS, MAX_SUMS

try:
    import numpy as np
except ImportError as error:
    raise UsageError("a design space is counted with numpy: pip install 'convcost[arrays]'") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.spaces.model import Factor, Member, Option, Picks

_BITS = 62  # of the number of networks of a half
_PIECE = 1 << 18  # sums that are handled at once, so that they stay in the cache
_CHUNK = 4096  # sums with a common count of networks, for samples

Table = dict[int, int]  # number of networks by sum


class Weights:
    """How often each option counts.

    With the measure ``networks`` every network counts once. With ``choices`` every option of a choice is as likely as
    the others, whatever is chosen inside it; options count so many times that all of a factor's have the same total.
    """

    def __init__(self, members: Sequence[Member], measure: str) -> None:
        self._times: dict[int, int] = {}
        self._equal = measure == "choices"
        totals = [self._of_factors(member.factors) for member in members]
        common = lcm(*totals) if self._equal else 0
        self.members = [common // total if self._equal else 1 for total in totals]

    def _of_factors(self, factors: Sequence[Factor]) -> int:
        return prod(map(self._of_factor, factors))

    def _of_factor(self, factor: Factor) -> int:
        totals = [self._of_factors(option.factors) for option in factor.options]
        if not self._equal:
            return sum(totals)
        common = lcm(*totals)
        for option, total in zip(factor.options, totals, strict=True):
            self._times[id(option)] = common // total
        return common * len(totals)

    def of(self, option: Option) -> int:
        """How often an option counts, for each combination inside it."""
        return self._times.get(id(option), 1)


class _Way:
    """One option of a node: what its sum is above the least one of the node, without what is chosen inside."""

    def __init__(self, option: Option, offset: int, times: int, nodes: list[Node]) -> None:
        self.option = option
        self.offset = offset
        self.times = times
        self.nodes = nodes

    @cached_property
    def tables(self) -> list[Table]:
        """Of the first node inside, the first two, and so on; before them that of none."""
        tables: list[Table] = [{0: 1}]
        for node in self.nodes:
            tables.append(_product(tables[-1], node.table))
        return tables


class Node:
    """A factor, with sums counted from the least one.

    Attributes:
        factor: the factor.
        least: its least sum.
        most: its greatest sum above that.
        ways: its options that are allowed.
        networks: how often all of its networks count.
    """

    least: int
    most: int
    networks: int
    ways: list[_Way]

    def __init__(
        self, factor: Factor, value: Callable[[Option], int], allowed: Callable[[Option], bool], weights: Weights
    ) -> None:
        self.factor = factor
        possible: list[tuple[int, Option, list[Node]]] = []
        for option in factor.options:
            nodes = [Node(inner, value, allowed, weights) for inner in option.factors]
            if allowed(option) and all(node.ways for node in nodes):
                possible.append((value(option) + sum(node.least for node in nodes), option, nodes))
        self.least = min((sum_ for sum_, _, _ in possible), default=0)
        self.ways = [_Way(option, sum_ - self.least, weights.of(option), nodes) for sum_, option, nodes in possible]
        self.most = max((way.offset + sum(node.most for node in way.nodes) for way in self.ways), default=0)
        self.networks = sum(way.times * prod(node.networks for node in way.nodes) for way in self.ways)

    @property
    def unit(self) -> int:
        """The greatest common divisor of all differences of sums."""
        return gcd(*(gcd(way.offset, *(node.unit for node in way.nodes)) for way in self.ways))

    @cached_property
    def table(self) -> Table:
        """Its distribution."""
        table: Table = {}
        for way in self.ways:
            for sum_, count in way.tables[-1].items():
                key = sum_ + way.offset
                table[key] = table.get(key, 0) + count * way.times
        _limit(len(table), self.factor)
        return table

    @cached_property
    def shifts(self) -> int:
        """How many additions of arrays multiply by it, option by option."""
        return sum(1 + sum(min(node.shifts, len(node.table)) for node in way.nodes) for way in self.ways)

    @cached_property
    def shape(self) -> Any:
        """What its distribution follows from; equal nodes have equal ones."""
        return tuple((way.offset, way.times, tuple(node.shape for node in way.nodes)) for way in self.ways)

    def times(self, counts: Any, unit: int) -> Any:
        """``counts`` multiplied by its distribution; an array that is longer by ``most``."""
        result = np.zeros(len(counts) + self.most // unit, dtype=np.int64)
        if len(self.table) <= self.shifts:
            for sum_, times in self.table.items():
                _add(result, counts, sum_ // unit, times)
            return result
        products: list[tuple[Node, Any]] = []  # of the nodes of the way before, which often are the first of the next
        for way in self.ways:
            kept = 0
            while kept < min(len(products), len(way.nodes)) and products[kept][0].shape == way.nodes[kept].shape:
                kept += 1
            del products[kept:]
            for node in way.nodes[kept:]:
                products.append((node, node.times(products[-1][1] if products else counts, unit)))
            _add(result, products[-1][1] if products else counts, way.offset // unit, way.times)
        return result

    def pick_any(self, rank: int) -> Picks:
        """The options of the network with the number ``rank`` among all, repeated as often as it counts."""
        for way in self.ways:
            count = way.times * prod(node.networks for node in way.nodes)
            if rank < count:
                return ((self.factor, way.option), *pick_any(way.nodes, rank // way.times))
            rank -= count
        raise IndexError(rank)

    def pick(self, sum_: int, rank: int) -> Picks:
        """The options of the network with the number ``rank`` among those with a sum, each as often as it counts."""
        for way in self.ways:
            count = way.tables[-1].get(sum_ - way.offset, 0)
            if rank < count * way.times:
                return ((self.factor, way.option), *_pick_inside(way, sum_ - way.offset, rank // way.times))
            rank -= count * way.times
        raise IndexError(rank)


def pick_any(nodes: Sequence[Node], rank: int) -> Picks:
    """The options of the network with a number among all combinations of ``nodes``."""
    picks: Picks = ()
    for node in nodes:
        rank, inner = divmod(rank, node.networks)
        picks += node.pick_any(inner)
    return picks


def _pick_inside(way: _Way, sum_: int, rank: int) -> Picks:
    picks: Picks = ()
    for index in range(len(way.nodes) - 1, -1, -1):
        before, node = way.tables[index], way.nodes[index]
        for part, count in node.table.items():
            both = before.get(sum_ - part, 0) * count
            if rank < both:
                rank, inner = divmod(rank, count)
                picks = (*node.pick(part, inner), *picks)
                sum_ -= part
                break
            rank -= both
    return picks


def _add(result: Any, counts: Any, start: int, times: int) -> None:
    result[start : start + len(counts)] += counts if times == 1 else counts * times


def _product(first: Table, second: Table) -> Table:
    product: Table = {}
    for a, times in first.items():
        for b, count in second.items():
            product[a + b] = product.get(a + b, 0) + times * count
    _limit(len(product), None)
    return product


def _limit(size: int, factor: Factor | None) -> None:
    if size > MAX_PART_SUMS:
        where = f" of {factor.path or ', '.join(factor.names)}" if factor is not None else ""
        raise UnsupportedError(f"the choices{where} have more than {MAX_PART_SUMS:,} different sums")


class _Half:
    """The product of some nodes.

    Attributes:
        counts: the number of networks by sum, in units.
    """

    def __init__(self, nodes: Sequence[Node], unit: int) -> None:
        self._nodes = nodes
        self._unit = unit
        self.counts = np.ones(1, dtype=np.int64)
        for node in nodes:
            self.counts = node.times(self.counts, unit)

    @cached_property
    def below(self) -> Any:
        """Networks with at most a sum, by sum."""
        return np.cumsum(self.counts)

    @cached_property
    def arrays(self) -> list[Any]:
        """The counts of no node, of the first, of the first two, and so on: for samples, which take many of them."""
        arrays = [np.ones(1, dtype=np.int64)]
        for node in self._nodes[:-1]:
            arrays.append(node.times(arrays[-1], self._unit))
        return arrays

    def pick(self, sum_: int, rank: int) -> Picks:
        """The options of the network with this number among those with this sum, in units."""
        picks: Picks = ()
        for index in range(len(self._nodes) - 1, -1, -1):
            before, node = self.arrays[index], self._nodes[index]
            for part, count in node.table.items():
                at = sum_ - part // self._unit
                both = int(before[at]) * count if 0 <= at < len(before) else 0
                if rank < both:
                    rank, inner = divmod(rank, count)
                    picks = (*node.pick(part, inner), *picks)
                    sum_ = at
                    break
                rank -= both
        return picks


class Distribution:
    """A quantity over the networks of one member.

    Attributes:
        member: the member.
        least, most: its least and greatest value.
        networks: how often all networks count.
    """

    def __init__(
        self,
        member: Member,
        key: str,
        allowed: Callable[[Option], bool],
        weights: Weights,
    ) -> None:
        nodes = [Node(factor, lambda option: option.cost[key], allowed, weights) for factor in member.factors]
        self.member = member
        self.networks = prod(node.networks for node in nodes)
        self.least = member.cost[key] + sum(node.least for node in nodes)
        self.most = self.least + sum(node.most for node in nodes)
        self._nodes = nodes

    def pick_any(self, rank: int) -> Picks:
        """The network with a number, among all."""
        return pick_any(self._nodes, rank)

    @cached_property
    def _unit(self) -> int:
        return gcd(*(node.unit for node in self._nodes)) or 1

    @cached_property
    def _halves(self) -> tuple[_Half, _Half]:
        """Two halves of the nodes, the first at least as long in sums as the second."""
        options = []
        for cut in range(len(self._nodes) + 1):
            parts = (self._nodes[:cut], self._nodes[cut:])
            lengths = [sum(node.most for node in part) // self._unit + 1 for part in parts]
            if max(prod(node.networks for node in part).bit_length() for part in parts) <= _BITS:
                options.append((max(lengths), cut))
        if not options:
            raise UnsupportedError(f"more than 2^{2 * _BITS} networks in one space are not counted")
        bins, cut = min(options)
        if bins > MAX_SUMS:
            raise UnsupportedError(f"the networks have more than {MAX_SUMS:,} different sums; fix some choices")
        return _Half(self._nodes[:cut], self._unit), _Half(self._nodes[cut:], self._unit)

    @cached_property
    def _right(self) -> tuple[Any, Any]:
        """The sums of the second half, in units, and the number of its networks of each."""
        counts = self._halves[1].counts
        sums = np.flatnonzero(counts)
        return sums, counts[sums]

    def _partners(self, bound: int, sums: Any) -> Any:
        """For sums of the second half, the networks of the first with which both have at most ``bound``."""
        below = self._halves[0].below
        at = (bound - self.least) // self._unit - sums
        return np.where(at < 0, 0, below[np.clip(at, 0, len(below) - 1)])

    def count(self, bound: int) -> int:
        """How often networks count whose value is at most ``bound``."""
        if bound < self.least or not self.networks:
            return 0
        if bound >= self.most:
            return self.networks
        sums, counts = self._right
        pieces = (slice(start, start + _PIECE) for start in range(0, len(sums), _PIECE))
        return sum(_dot(counts[piece], self._partners(bound, sums[piece])) for piece in pieces)

    def sampler(self, low: int, high: int) -> Callable[[int], Picks]:
        """The network with a number, among those with a value above ``low`` and at most ``high``."""
        left, right = self._halves
        sums, counts = self._right
        pieces = [slice(start, start + _CHUNK) for start in range(0, len(sums), _CHUNK)]

        def partners(piece: slice) -> Any:
            return self._partners(high, sums[piece]) - self._partners(low, sums[piece])

        ends = list(accumulate(_dot(counts[piece], partners(piece)) for piece in pieces))

        def network(rank: int) -> Picks:
            number = bisect_right(ends, rank)
            rank -= ends[number - 1] if number else 0
            piece = pieces[number]
            each = [
                count * partner for count, partner in zip(counts[piece].tolist(), partners(piece).tolist(), strict=True)
            ]
            upto = list(accumulate(each))
            index = bisect_right(upto, rank)
            rank -= upto[index - 1] if index else 0
            sum_ = int(sums[piece][index])
            below = int(self._partners(low, sums[piece])[index])
            other, own = divmod(rank, int(partners(piece)[index]))
            place = int(np.searchsorted(left.below, below + own, side="right"))
            rest = below + own - (int(left.below[place - 1]) if place else 0)
            return (*left.pick(place, rest), *right.pick(sum_, other))

        return network


def _dot(first: Any, second: Any) -> int:
    """The scalar product of two arrays of whole numbers of at least 0, exactly."""
    if not len(first):
        return 0
    a, b = int(first.max()), int(second.max())
    if a.bit_length() + b.bit_length() + len(first).bit_length() <= _BITS:
        return int(first @ second)
    if a > b:
        first, second, b = second, first, a
    width = (b.bit_length() + 1) // 2
    return (_dot(first, second >> width) << width) + _dot(first, second & ((1 << width) - 1))
