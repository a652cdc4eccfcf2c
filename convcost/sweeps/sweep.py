"""Sweeps: the points of a grid in pieces, those that are kept, and the result."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from convcost.compiled.arrays import at_points, column
from convcost.compiled.grid import BLOCK, Grid
from convcost.compiled.network import Network
from convcost.errors import UsageError, unknown
from convcost.metrics.budget import fulfils
from convcost.metrics.registry import metric
from convcost.numbers.front import unbeaten_of_arrays
from convcost.sweeps.axes import count
from convcost.tables.printable import Printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from convcost.compiled.arrays import Points
    from convcost.errors import ConvcostError
    from convcost.language.model import Spec
    from convcost.layers.base import Shape
    from convcost.metrics.budget import Budget
    from convcost.metrics.objective import Objective
    from convcost.solving.costs import Setting
    from convcost.sweeps.axes import Axis

_CLASH = "metric_"  # before the name of a metric that is also the name of a parameter


class Piece(NamedTuple):
    """Some points of a sweep, in its order.

    Attributes:
        places: of each axis, the place of each point on it.
        values: the metrics, by key.
    """

    places: list[Any]
    values: dict[str, Any]

    def taken(self, which: Any) -> Piece:
        """Some of the points: a mask, or their numbers in order."""
        return Piece([place[which] for place in self.places], {key: own[which] for key, own in self.values.items()})

    def __len__(self) -> int:
        return len(self.places[0])


class Plan:
    """What a sweep is to do.

    Attributes:
        network: over the axes.
        axes: what varies.
        zipped: whether the axes vary together, in place of all combinations.
        points: how many there are.
        metrics: the keys of the metrics to report.
        keep: budgets that a point must meet.
        objectives: where there are some, only points that no other beats are kept.
        order: what the points are sorted by, best first; in the order of the sweep where None.
        top: the most points to report.
        seen: how many points were evaluated so far.
        absent: how many of them have no network.
        first: why the first of these has none.
    """

    def __init__(  # noqa: PLR0913 - a sweep has as many parts
        self,
        spec: Spec,
        axes: Sequence[Axis],
        metrics: Sequence[str],
        given: Mapping[str, Any],
        setting: Setting,
        input_shape: Shape | None = None,
        *,
        zipped: bool = False,
        keep: Sequence[Budget] = (),
        objectives: Sequence[Objective] = (),
        order: Objective | None = None,
        top: int | None = None,
    ) -> None:
        self.axes = tuple(axes)
        self.zipped = zipped
        self.points = count(axes, zipped=zipped)
        self.keep = tuple(keep)
        self.objectives = tuple(objectives)
        self.order = order
        self.top = top
        names = [axis.name for axis in axes]
        goals = [goal.key for goal in (*objectives, *([order] if order else [])) if goal.key not in names]
        self.metrics = tuple(dict.fromkeys([*(metric(key).key for key in metrics), *goals]))
        bounded = [bound.metric.key for bound in keep]
        self.network = Network(spec, names, [*self.metrics, *bounded], given, setting, input_shape)
        self.setting = setting
        self.seen = self.absent = 0
        self.first: ConvcostError | None = None

    def pieces(self) -> Iterator[Piece]:
        """The points that have a network and meet the budgets, in the order of the sweep."""
        for places, points in self._evaluated():
            self.seen += len(points.exists)
            kept = points.exists
            if points.first is not None:
                self.absent += int(len(kept) - np.count_nonzero(kept))
                self.first = self.first or points.first[1]
            for bound in self.keep:
                kept = kept & _met(points.values[bound.metric.key], bound)
            piece = Piece(places, {key: points.values[key] for key in self.metrics})
            yield piece if kept.all() else piece.taken(kept)

    def _evaluated(self) -> Iterator[tuple[list[Any], Points]]:
        if not self.zipped:
            for block in Grid(self.network, [axis.values for axis in self.axes]).blocks():
                yield block.places, block.points
            return
        for start in range(0, self.points, BLOCK):
            places = np.arange(start, min(start + BLOCK, self.points))
            columns = [column(self.network, index, axis.values, places) for index, axis in enumerate(self.axes)]
            yield [places] * len(self.axes), at_points(self.network, columns)

    def score(self, piece: Piece, goal: Objective) -> Any:
        """The worth of points, larger being better.

        Raises:
            UsageError: the metric has no value at a point.
        """
        names = [axis.name for axis in self.axes]
        if goal.key in names:
            index = names.index(goal.key)
            scores = _ranks(self.axes[index])[piece.places[index]]
        else:
            scores = piece.values[goal.key]
        if scores.dtype == object and not all(isinstance(value, int | Fraction) for value in scores):
            raise UsageError(f"{goal.key} has no number at some points of the sweep")
        return scores if goal.largest else -scores

    def ranked(self, piece: Piece) -> Piece:
        """The points in their order, no more than are wanted."""
        if self.order is not None:
            piece = piece.taken(np.argsort(-self.score(piece, self.order), kind="stable"))
        return piece if self.top is None else piece.taken(slice(self.top))

    @property
    def streams(self) -> bool:
        """Whether each piece can be written before the next is evaluated."""
        return not self.objectives and self.order is None


class Sweep(Printable):
    """The metrics of a network at many points.

    Indexing by a name gives a numpy array: of the values of a parameter, or of a metric; a metric that is called like
    one of the parameters has ``metric_`` before its name. Indexing by a number gives a point as a dict of exact values,
    and so does iterating.

    Attributes:
        plan: what was asked for, and how many points were evaluated and had no network.
        names: of the columns.
    """

    def __init__(self, plan: Plan, piece: Piece) -> None:
        self.plan = plan
        self.names = columns_of(plan)
        self._piece = piece

    def __len__(self) -> int:
        return len(self._piece)

    def __repr__(self) -> str:
        names = ", ".join(axis.name for axis in self.plan.axes)
        return f"<sweep {self.plan.network.spec.name} over {names}: {len(self):,} points>"

    def __getitem__(self, which: str | int) -> Any:
        if isinstance(which, str):
            return self._column(which)
        point = range(len(self))[which]
        axes, metrics = zip(self.plan.axes, self._piece.places, strict=True), self._piece.values.values()
        cells = [*(axis.values[place[point]] for axis, place in axes), *(_plain(own[point]) for own in metrics)]
        return dict(zip(self.names, cells, strict=True))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(self.__getitem__, range(len(self)))

    def _column(self, name: str) -> Any:
        if name not in self.names:
            raise UsageError(unknown("column", name, self.names))
        index = self.names.index(name)
        if index < len(self.plan.axes):
            return numbers_of(self.plan.axes[index])[self._piece.places[index]]
        return self._piece.values[self.plan.metrics[index - len(self.plan.axes)]]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def columns_of(plan: Plan) -> list[str]:
    """The names of the columns: of the axes, then of the metrics."""
    names = [axis.name for axis in plan.axes]
    return [*names, *(f"{_CLASH}{key}" if key in names else key for key in plan.metrics)]


def numbers_of(axis: Axis) -> Any:
    """The values of an axis as an array: 64 bits, doubles of ratios, or objects."""
    values = axis.values
    if all(type(value) is int and abs(value) < 2**63 for value in values):
        return np.array(values, np.int64)
    if all(type(value) in (int, Fraction) for value in values):
        return np.array([float(value) for value in values])
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _ranks(axis: Axis) -> Any:
    """The place of each value among the distinct ones in their order: exact, whatever numbers these are.

    Raises:
        UsageError: they are no numbers.
    """
    if not all(type(value) in (int, Fraction) for value in axis.values):
        raise UsageError(f"`{axis.name}` has no numbers to compare")
    ranks = {value: rank for rank, value in enumerate(sorted(set(axis.values)))}
    return np.array([ranks[value] for value in axis.values], np.int64)


def pieces(plan: Plan, progress: Callable[[Plan], None] = lambda _: None) -> Iterator[Piece]:
    """The points of a sweep that are wanted, in pieces; one after another where they need not be compared.

    Args:
        plan: what is wanted.
        progress: called after every piece.

    Raises:
        UsageError: a metric that is to be compared has no number.
        ConvcostError: no point has a network; the reason is that of the first.
    """
    left = plan.top
    kept: list[Piece] = []
    for piece in plan.pieces():
        progress(plan)
        if plan.streams:
            yield piece if left is None else piece.taken(slice(left))
            left = None if left is None else left - len(piece)
            if left is not None and left <= 0:
                return
            continue
        kept.append(_selected(plan, piece))
        if len(kept) > 1 and (plan.objectives or plan.top is not None):
            kept = [_selected(plan, joined_pieces(kept))]
    if plan.first is not None and plan.absent == plan.seen:
        raise plan.first
    if kept:
        yield plan.ranked(joined_pieces(kept))


def collected(plan: Plan, progress: Callable[[Plan], None] = lambda _: None) -> Sweep:
    """All points of a sweep that are wanted, in memory; see :func:`pieces`."""
    return Sweep(plan, joined_pieces([*pieces(plan, progress)]))


def _selected(plan: Plan, piece: Piece) -> Piece:
    """The points of a piece that can be among the result."""
    if plan.objectives:
        return piece.taken(unbeaten_of_arrays([plan.score(piece, goal) for goal in plan.objectives]))
    return piece if plan.top is None else plan.ranked(piece)


def joined_pieces(pieces: Sequence[Piece]) -> Piece:
    """Several pieces as one."""
    if len(pieces) == 1:
        return pieces[0]
    places = [np.concatenate(own) for own in zip(*(piece.places for piece in pieces), strict=True)]
    keys = pieces[0].values
    return Piece(places, {key: np.concatenate([piece.values[key] for piece in pieces]) for key in keys})


def _met(values: Any, bound: Budget) -> Any:
    """Where a budget is met."""
    if values.dtype == object:
        return np.array([fulfils(value, bound.relation, bound.bound) for value in values], bool)
    compare = _COMPARED[bound.relation]
    if values.dtype != np.int64:
        return compare(values, float(bound.bound))
    low, high = floor(bound.bound), ceil(bound.bound)  # of whole numbers, an exact bound is a whole one
    if bound.relation == "==":
        return (values == low) & (low == high)
    return compare(values, low if bound.relation in ("<=", ">") else high)


_COMPARED = {"<=": np.less_equal, "<": np.less, ">=": np.greater_equal, ">": np.greater, "==": np.equal}
