"""Differences between two networks: matched rows, with the difference of any metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convcost.tables.printable import Printable

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from convcost.metrics.report import Analysis
    from convcost.metrics.rows import Row


class _Difference(NamedTuple):
    before: Analysis
    after: Analysis
    changes: tuple[Change, ...]


class Difference(Printable, _Difference):
    """Two networks and what changed between them.

    Attributes:
        before: the analysis of the first.
        after: the analysis of the second.
        changes: a change for every row of either.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{self.before.graph.name} -> {self.after.graph.name}: {len(self.changes)} rows by {self.after.by}>"


class Change(NamedTuple):
    """One row of a difference.

    Attributes:
        before: the row of the first network; None where it was added.
        after: the row of the second network; None where it was removed.
    """

    before: Row | None
    after: Row | None

    @property
    def path(self) -> str:
        """Its path; where it moved, both: ``old -> new``."""
        paths = dict.fromkeys(row.path for row in (self.before, self.after) if row is not None)
        return " -> ".join(paths)


def difference(before: Analysis, after: Analysis) -> Difference:
    """The rows of two analyses, matched by their paths, and what is left by kind and output shape, in order.

    Args:
        before: of the first network.
        after: of the second, by the same grouping.

    Returns:
        Changes in the order of the first network; rows that were added come after the row that they follow.
    """
    pairs = _matched(before.rows, after.rows)
    changes = [Change(row, pairs.get(row.path)) for row in before.rows]
    taken = {row.path: index for index, row in enumerate(change.after for change in changes) if row is not None}
    place = -1
    added: dict[int, list[Change]] = {}
    for row in after.rows:
        if row.path in taken:
            place = taken[row.path]
        else:
            added.setdefault(place, []).append(Change(None, row))
    ordered = list(added.get(-1, ()))
    for index, change in enumerate(changes):
        ordered += [change, *added.get(index, ())]
    return Difference(before, after, tuple(ordered))


def _matched(before: Sequence[Row], after: Sequence[Row]) -> dict[str, Row]:
    """The row of ``after`` for the path of a row of ``before``; each is taken once."""
    by_path = {row.path: row for row in after}
    pairs = {row.path: by_path[row.path] for row in before if row.path in by_path}
    left: dict[Hashable, list[Row]] = {}
    for row in after:
        if row.path not in pairs:
            left.setdefault((row.kind, row.output), []).append(row)
    for row in before:
        if row.path not in pairs and (same := left.get((row.kind, row.output))):
            pairs[row.path] = same.pop(0)
    return pairs
