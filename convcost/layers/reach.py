"""Receptive fields along one axis, and the rules for windows, transposed windows and resizing.

Along an axis the ranges that positions depend on repeat: position ``q P + r`` depends on the range of position ``r``,
moved on by ``q J``. ``P`` is 1 until something enlarges a map. The rules are exact for every position; at a merge a
position depends on all that its operands depend on. Ranges extend beyond the borders of the input, into the
padding.

Source: Araujo, Norris and Sim (2019), equations 2 to 5, here for ranges in place of sizes, so that padding, branches
and enlarging layers need no formula of their own.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING

from convcost.errors import UnsupportedError
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.layers.base import Shape

MAX_PHASES = 4096
Range = tuple[int, int]  # first and last position of the input; outside the input where there is padding


class ReceptiveField(NamedTuple):
    """What the positions of a map see along one axis.

    Attributes:
        ranges: of positions 0 to P - 1; None for a position that sees nothing (the holes of a transposed convolution).
        jump: by how much the ranges move on after P positions; 0 where every position sees the same.
    """

    ranges: tuple[Range | None, ...]
    jump: int

    def at(self, position: int) -> Range | None:
        """What one position sees; positions may be negative, which is where padding lies."""
        rounds, phase = divmod(position, len(self.ranges))
        seen = self.ranges[phase]
        return None if seen is None else (seen[0] + rounds * self.jump, seen[1] + rounds * self.jump)

    @property
    def size(self) -> int:
        """Positions of the input that one position sees, from the first to the last; the most of any position."""
        return max((last - first + 1 for first, last in filter(None, self.ranges)), default=0)

    @property
    def stride(self) -> Fraction:
        """Effective stride: positions of the input from one position to the next."""
        return Fraction(self.jump, len(self.ranges))

    @property
    def start(self) -> Fraction | None:
        """Centre of what position 0 sees, in positions of the input from 0."""
        seen = self.ranges[0]
        return None if seen is None else Fraction(sum(seen), 2)

    @property
    def padding(self) -> int | None:
        """Effective padding: by how much what position 0 sees reaches out before the input."""
        seen = self.ranges[0]
        return None if seen is None else -seen[0]


ITSELF = ReceptiveField(((0, 0),), 1)  # what a position of the input sees


NOTHING = ReceptiveField((None,), 0)  # what a parameter sees


def _hull(parts: Sequence[Range | None]) -> Range | None:
    seen = [part for part in parts if part is not None]
    return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None


def _gather(field: ReceptiveField, period: int, jump: int, reads: Callable[[int], Sequence[int]]) -> ReceptiveField:
    """The field of a layer whose position ``r`` reads the positions ``reads(r)`` of a map with ``field``."""
    if period > MAX_PHASES:
        raise UnsupportedError(f"a receptive field with more than {MAX_PHASES:,} different positions")
    ranges = tuple(_hull([field.at(position) for position in reads(phase)]) for phase in range(period))
    return ReceptiveField(ranges, jump)


def sliding(field: ReceptiveField, kernel: int, stride: int = 1, dilation: int = 1, before: int = 0) -> ReceptiveField:
    """A window: position m reads ``m stride - before + dilation i`` for i below ``kernel``."""
    phases = len(field.ranges)
    period = phases // gcd(phases, stride)
    offsets = range(-before, -before + dilation * (kernel - 1) + 1, dilation)
    if phases == 1:  # the ranges move on evenly, so that the first and the last one read are all that matters
        offsets = range(offsets[0], offsets[-1] + 1, max(offsets[-1] - offsets[0], 1))
    jump = field.jump * (period * stride // phases)
    return _gather(field, period, jump, lambda m: [m * stride + offset for offset in offsets])


def spreading(field: ReceptiveField, kernel: int, stride: int, dilation: int, before: int) -> ReceptiveField:
    """A transposed convolution: position m reads i where ``i stride + dilation t - before = m``, t below ``kernel``."""

    def reads(m: int) -> list[int]:
        places = [m + before - dilation * t for t in range(kernel)]
        return [place // stride for place in places if place % stride == 0]

    return _gather(field, len(field.ranges) * stride, field.jump, reads)


def resized(field: ReceptiveField, before: int, after: int, reads: Callable[[int], Sequence[int]]) -> ReceptiveField:
    """From a map of ``before`` positions to one of ``after``, where the same pattern of ``reads`` comes back."""
    share = gcd(before, after)
    source, phases = before // share, len(field.ranges)
    repeats = lcm(source, phases) // source
    return _gather(field, after // share * repeats, field.jump * (repeats * source // phases), reads)


def nearest(before: int, after: int) -> Callable[[int], list[int]]:
    """The position that ``m before / after`` rounds down to."""
    return lambda m: [m * before // after]


def bilinear(before: int, after: int) -> Callable[[int], list[int]]:
    """The two positions around ``(m + 1/2) before / after - 1/2``, or the one it falls on."""

    def reads(m: int) -> list[int]:
        first, rest = divmod((2 * m + 1) * before - after, 2 * after)
        return [first, first + 1] if rest else [first]

    return reads


def adaptive(before: int, after: int) -> Callable[[int], range]:
    """Positions ``floor(m before / after)`` up to ``ceil((m + 1) before / after)``."""
    return lambda m: range(m * before // after, -(-(m + 1) * before // after))


def everything(field: ReceptiveField, length: int) -> ReceptiveField:
    """Every position reads all ``length`` positions of a map, or may: positions are mixed."""
    phases = len(field.ranges)
    ends = (*range(min(phases, length)), *range(max(length - phases, 0), length))
    return ReceptiveField((_hull([field.at(position) for position in ends]),), 0)


def partitioned(field: ReceptiveField, window: int, shift: int = 0) -> ReceptiveField:
    """Windows side by side, each of whose positions reads the whole window; the first one begins at ``shift``."""
    phases = len(field.ranges)
    period = lcm(window, phases)

    def reads(m: int) -> range:
        start = (m - shift) // window * window + shift
        return range(start, start + window)

    return _gather(field, period, field.jump * (period // phases), reads)


def merged(fields: Sequence[ReceptiveField]) -> ReceptiveField:
    """What a position depends on that reads the same position of several maps.

    A map of which every position sees the same adds that to all positions.

    Raises:
        UnsupportedError: the maps have different strides.
    """
    fields = [field for field in fields if any(field.ranges)] or fields[:1]  # parameters see nothing
    same = [field for field in fields if field.jump == 0]
    if same:
        return ReceptiveField((_hull([field.ranges[0] for field in same]),), 0)
    if len({field.stride for field in fields}) > 1:
        raise UnsupportedError("its branches have different strides, so no position has a receptive field of its own")
    period = lcm(*(len(field.ranges) for field in fields))
    if period > MAX_PHASES:
        raise UnsupportedError(f"a receptive field with more than {MAX_PHASES:,} different positions")
    ranges = tuple(_hull([field.at(phase) for field in fields]) for phase in range(period))
    return ReceptiveField(ranges, int(fields[0].stride * period))


def whole(field: ReceptiveField, length: int) -> ReceptiveField:
    """The field of a layer of which each position reads all ``length`` positions of a map."""
    return sliding(field, length, length)


def mixed(fields: Sequence[ReceptiveField], axis: int, shapes: Sequence[Shape]) -> ReceptiveField:
    """The field of a layer that reads all positions of several maps along an axis.

    Args:
        fields: what the positions of each map see.
        axis: the spatial axis, from 0.
        shapes: of the maps; one that lacks the axis has positions that all see the same.
    """
    sizes = [shape[1 + axis] if 1 + axis < len(shape) else 1 for shape in shapes]
    return merged([everything(field, size) for field, size in zip(fields, sizes, strict=True)])
