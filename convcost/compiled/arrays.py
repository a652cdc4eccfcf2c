"""Compiled networks on many points at once, by numpy.

Points are evaluated in chunks that stay in the cache of a processor. It is proved from the intervals of the arguments
that nothing exceeds 64 bits; where that fails the same code runs on Python's integers.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from convcost.compiled import bounds
from convcost.compiled.network import LARGEST_ARGUMENT
from convcost.errors import ConvcostError, UsageError
from convcost.language.given import from_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from convcost.codegen.kernel import Kernel
    from convcost.compiled.form import Form
    from convcost.compiled.network import Key, Network

CHUNK = 16_384  # points
_REPEATED = 4  # a value that occurs so often on average is looked up
EXACT_FLOATS = 2**53
_SCALES = (1, 10, 100, 1000, 10_000)  # of decimals that are looked up
_WIDEST = 1_000_000  # steps of a decimal
_MOST = 2**63 - 1


class Column(NamedTuple):
    """The values of one argument at all points.

    Attributes:
        values: the distinct values, exact; or an array of one value for each point.
        places: of each point, the place of its value among them; None where ``values`` has one for each point.
        parts: for a free name, arrays of the whole numbers that stand for ``values``.
        counted: of each value, whether nothing stands for it and its networks are counted; None where none is.
    """

    values: Any
    places: Any
    parts: tuple[Any, ...]
    counted: Any = None

    @property
    def points(self) -> int:
        """How many there are."""
        return len(self.values if self.places is None else self.places)

    def at(self, point: int) -> Any:
        """The exact value at a point."""
        value = self.values[point if self.places is None else self.places[point]]
        return value.item() if isinstance(value, np.integer) else value

    def part(self, points: slice) -> Column:
        """The column of some of the points, where it has one value for each."""
        counted = None if self.counted is None else self.counted[points]
        return Column(self.values[points], None, tuple(part[points] for part in self.parts), counted)

    def gathered(self, points: Any) -> list[Any]:
        """The arrays of whole numbers at some points: indices or a slice."""
        where = points if self.places is None else self.places[points]
        return [part[where] for part in self.parts]


class Points(NamedTuple):
    """What came of many points.

    Attributes:
        exists: where there is a network.
        values: by metric, an array of its values; 0 where there is no network.
        first: the first point without a network, and why there is none.
    """

    exists: Any
    values: dict[str, Any]
    first: tuple[int, ConvcostError] | None


def evaluated(network: Network, values: Sequence[Any]) -> dict[str, Any]:
    """The metrics at points that are given as arrays, which are broadcast together.

    Raises:
        UsageError: the arrays do not fit together, or hold something that is no number.
        SpecError: there is no network at a point.
    """
    try:
        arrays = np.broadcast_arrays(*values)
    except ValueError as error:
        raise UsageError(f"the arrays have different shapes: {error}") from None
    columns = [_column(network, index, array.ravel()) for index, array in enumerate(arrays)]
    points = at_points(network, columns, stop=True)
    if points.first is not None:
        raise points.first[1]
    return {key: points.values[key].reshape(arrays[0].shape) for key in network.quantities}


def _column(network: Network, index: int, array: Any) -> Column:
    """The values of an argument, one for each point."""
    whole = array.dtype.kind in "iu" and network.is_whole(index) and array.size
    if whole and array.min() >= 1 and array.max() < LARGEST_ARGUMENT:
        own = array.astype(np.int64, copy=False)
        return Column(own, None, (own,))
    return column(network, index, *_distinct(array))


def column(network: Network, index: int, values: Sequence[Any], places: Any) -> Column:
    """A column of exact values, and the place of each point among them."""
    if not network.free[network.over[index]]:
        return Column(values, places, ())
    parts = [network.spreads[index](value) for value in values]
    width = next((len(part) for part in parts if part is not None), 1)
    filled = [(1,) * width if part is None else part for part in parts]
    counted = np.array([part is None for part in parts], bool)
    arrays = tuple(np.array(own, np.int64) for own in zip(*filled, strict=True))
    return Column(values, places, arrays, counted if counted.any() else None)


def _distinct(array: Any) -> tuple[list[Any], Any]:
    """The distinct values, exact, and the place of each element among them."""
    if array.dtype.kind != "O":
        distinct, places = _sorted(array)
        return [from_python(value) for value in distinct], places
    known: dict[str, int] = {}
    values: list[Any] = []
    places = np.empty(len(array), np.int64)
    for point, element in enumerate(array):
        value = from_python(element)
        place = known.setdefault(repr(value), len(known))
        values += [value] if place == len(values) else []
        places[point] = place
    return values, places


def _sorted(array: Any) -> tuple[Any, Any]:
    """The distinct numbers in order, and the place of each element among them."""
    scale = next((scale for scale in _SCALES if _is_multiple(array[:CHUNK], scale)), 0)
    if not (scale and array.size and _is_multiple(array, scale)):
        return np.unique(array, return_inverse=True)
    low, high = array.min() * float(scale), array.max() * float(scale)
    if not high - low < _WIDEST:
        return np.unique(array, return_inverse=True)
    steps = np.rint(array * float(scale)).astype(np.int64) - round(low)  # short decimals are looked up, not sorted
    there = np.zeros(round(high - low) + 1, bool)
    there[steps] = True
    ranks = np.cumsum(there) - 1
    return (np.flatnonzero(there) + round(low)) / scale, ranks[steps]


def _is_multiple(array: Any, scale: int) -> bool:
    """Whether all numbers are doubles nearest to a whole number divided by ``scale``."""
    return array.dtype == np.float64 and bool(np.all(np.rint(array * scale) / scale == array))


def at_points(network: Network, columns: Sequence[Column], *, stop: bool = False) -> Points:
    """The metrics at all points.

    Args:
        network: what to evaluate.
        columns: one for each argument.
        stop: whether points after the first one without a network are of no interest.
    """
    run = _Run(network, columns, stop=stop)
    for start in range(0, run.count, CHUNK):
        if stop and run.first is not None:
            break
        run.chunk(slice(start, min(start + CHUNK, run.count)))
    return Points(run.exists, run.values, run.first)


class _Ready(NamedTuple):
    """A form made ready for the points of a run.

    Attributes:
        tables: columns, with an array for each slot that is looked up.
        rest: what is left to compute.
        function: the same as a function.
        fits: whether it is proved for all points that 64 bits are enough.
    """

    tables: list[tuple[Column, list[Any]]]
    rest: Kernel
    function: Callable[..., Any]
    fits: bool


class _Run:
    """The evaluation of many points."""

    def __init__(self, network: Network, columns: Sequence[Column], *, stop: bool) -> None:
        self.count = columns[0].points
        self.exists = np.zeros(self.count, bool)
        self.values: dict[str, Any] = {key: np.zeros(self.count, np.int64) for key in network.quantities}
        self.first: tuple[int, ConvcostError] | None = None
        self._network = network
        self._columns = columns
        self._stop = stop
        self._free = [column for column in columns if column.parts]
        self._fixed = [index for index, column in enumerate(columns) if not column.parts]
        self._counted = [column for column in columns if column.counted is not None]
        self._ready: dict[int, _Ready] = {}

    def chunk(self, points: slice) -> None:
        """Evaluate some of the points."""
        if not self._fixed and not self._counted:
            self._group(points)
            return
        own = _indices(points)
        for column in self._counted:
            apart = column.counted[own if column.places is None else column.places[own]]
            self._count(own[apart])
            own = own[~apart]
        if not self._fixed:
            self._group(own)
            return
        fixed = [self._columns[index].places for index in self._fixed]
        places = np.stack([own if place is None else place[own] for place in fixed])
        kinds, members = np.unique(places, axis=1, return_inverse=True)
        for kind in range(kinds.shape[1]):
            self._group(own[members.ravel() == kind])

    def _count(self, points: Any) -> None:
        """Build every network."""
        for point in points:
            try:
                metrics = self._network.counted(self._at(point))
            except ConvcostError as error:
                self._refuse(point, error)
                if self._stop:
                    return
            else:
                self._store(np.array([point]), [(key, _array([metrics[key]])) for key in self._network.quantities])

    def _group(self, points: Any) -> None:
        """Evaluate points that agree in all values that cannot be free."""
        if not isinstance(points, slice) and not len(points):
            return
        start = points.start if isinstance(points, slice) else points[0]
        key = tuple((self._network.over[i], repr(self._columns[i].at(start))) for i in self._fixed)
        left = points
        for form in self._network.known(key):
            left = self._with(form, left)
            if left is None:
                return
        left = _indices(left)
        while left is not None and len(left):
            left = self._met(key, left)

    def _met(self, key: Key, points: Any) -> Any:
        """Evaluate the first of some points, and all that have its structure; returns the others, None for none."""
        values, others = self._at(points[0]), points[1:]
        derived = self._network.derive(key, values)
        if derived is not None:
            return self._with(derived, points)
        try:
            metrics = self._network.counted(values)
        except ConvcostError as error:
            self._refuse(points[0], error)
            if self._stop or not self._free:
                return None
            usual = self._network.usual(key, values) if len(others) else None
            return others if usual is None else self._with(usual, others)
        self._network.tried(key)
        self._store(points[:1], [(name, _array([metrics[name]])) for name in self._network.quantities])
        return others

    def _at(self, point: int) -> list[Any]:
        return [column.at(point) for column in self._columns]

    def _refuse(self, point: int, error: ConvcostError) -> None:
        if self.first is None or point < self.first[0]:
            self.first = (int(point), error)

    def _with(self, form: Form, points: Any) -> Any:
        """Evaluate the points that have the structure of ``form``; returns the indices of the others, None for none."""
        try:
            structure, needs, *numbers = self._run(form, points)
        except ZeroDivisionError:  # of Python's integers; some of these points have no network
            self._count(_indices(points))
            return None
        if np.all(structure & needs):
            self._store(points, zip(form.keys, _metrics(form, numbers, slice(None)), strict=True))
            self._count_others(form, points)
            return None
        points = _indices(points)
        structure, needs = (np.broadcast_to(mask, len(points)) for mask in (structure, needs))
        here, absent = structure & needs, points[structure & ~needs]
        if here.any():
            self._store(points[here], zip(form.keys, _metrics(form, numbers, here), strict=True))
            self._count_others(form, points[here])
        if len(absent) and (self.first is None or absent[0] < self.first[0]):
            self._count(absent[:1])  # for its error
        return points[~structure]

    def _run(self, form: Form, points: Any) -> Any:
        """What the code of a form gives for some points."""
        ready = self._ready.get(id(form))
        if ready is None:
            ready = self._ready[id(form)] = self._prepared(form)
        parts = [part for column in self._free for part in column.gathered(points)]
        for column, table in ready.tables:
            where = column.places[points]
            parts += [own[where] for own in table]
        if ready.fits or bounds.largest(ready.rest, _spans(parts)) <= _MOST:
            with np.errstate(divide="ignore"):  # where a divisor is 0 a guard fails
                return ready.function(*parts)
        return ready.function(*(part.astype(object) for part in parts))

    def _prepared(self, form: Form) -> _Ready:
        """The tables of a form for arguments with few values, and what is left to compute."""
        widths = [len(column.parts) for column in self._free]
        spans = [_spans(column.parts) for column in self._free]
        tabled = set()
        for number, column in enumerate(self._free):
            if column.places is not None and len(column.values) * _REPEATED <= self.count:
                small, _ = form.parted(widths, frozenset({number})).tables[number]
                tabled |= {number} if bounds.largest(small, spans[number]) <= _MOST else set()
        machine = None if tabled else form.machine  # what a table saves is more than machine code does
        if machine is not None and machine.fits_all([span for own in spans for span in own]):
            return _Ready([], form.kernel, machine.on_arrays, fits=True)
        parted = form.parted(widths, frozenset(tabled))
        tables = []
        for number, (_, function) in parted.tables.items():
            column = self._free[number]
            with np.errstate(divide="ignore"):
                _, _, *slots = function(*column.parts)
            tables.append((column, [np.broadcast_to(own, len(column.values)) for own in slots]))
        reached = [span for own in spans for span in own] + [span for _, table in tables for span in _spans(table)]
        return _Ready(tables, parted.rest, parted.function, bounds.largest(parted.rest, reached) <= _MOST)

    def _count_others(self, form: Form, points: Any) -> None:
        """Store the metrics that have no closed form, of points that have a network."""
        others = [key for key in self._network.quantities if key not in form.keys]
        for point in _indices(points) if others else ():
            metrics = self._network.counted(self._at(point))
            self._store(np.array([point]), [(key, _array([metrics[key]])) for key in others])

    def _store(self, points: Any, results: Iterable[tuple[str, Any]]) -> None:
        self.exists[points] = True
        for key, numbers in results:
            self.values[key] = joined(self.values[key], points, numbers)


def _spans(parts: Iterable[Any]) -> list[bounds.Interval]:
    return [(int(part.min()), int(part.max())) if part.size else (1, 1) for part in parts]


def _indices(points: Any) -> Any:
    return np.arange(points.start, points.stop) if isinstance(points, slice) else points


def joined(kept: Any, points: Any, numbers: Any) -> Any:
    """``kept`` with ``numbers`` at some points, as an array that holds both: 64 bits, doubles of ratios, or objects."""
    kinds = (kept.dtype, numbers.dtype)
    kind = np.dtype(object) if np.dtype(object) in kinds else np.promote_types(*kinds)
    result = kept if kept.dtype == kind else kept.astype(kind)
    result[points] = numbers
    return result


def _metrics(form: Form, numbers: Sequence[Any], here: Any) -> Iterator[Any]:
    """The values of the metrics at the points that ``here`` selects."""
    parts = iter(numbers)
    for is_fraction in form.bottoms:
        top, *bottom = (
            np.asarray(own) if np.ndim(own) == 0 else own[here] for own in (next(parts) for _ in range(1 + is_fraction))
        )
        yield quotient(top, bottom[0]) if bottom else top


def quotient(top: Any, bottom: Any, where: Any = None) -> Any:
    """``top / bottom``: whole numbers where all are, else doubles; 0 outside ``where``."""
    if where is not None:
        top, bottom = np.where(where, top, 0), np.where(where, bottom, 1)
    if np.all(top % bottom == 0):
        return top // bottom
    if top.dtype == bottom.dtype == np.int64 and max(int(np.abs(top).max()), int(np.abs(bottom).max())) <= EXACT_FLOATS:
        return top / bottom
    return (top.astype(object) / bottom.astype(object)).astype(np.float64)


def _array(values: Sequence[Any]) -> Any:
    """Counted metrics as an array: 64 bits, doubles of fractions, else objects."""
    if all(type(value) is int and abs(value) <= _MOST for value in values):
        return np.array(values, np.int64)
    if all(type(value) in (int, Fraction) for value in values) and any(type(value) is Fraction for value in values):
        return np.array([float(value) for value in values])
    array = np.empty(len(values), object)
    array[:] = values
    return array
