"""Notes on the convention behind ``reported`` in closed forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.metrics.quantities import REPORTED, title
from convcost.render.headings import reported_notes, reported_title
from convcost.render.results import convention_data
from convcost.tables.values import plain

if TYPE_CHECKING:
    from convcost.formulas.closed import Formula


def quantity_title(formula: Formula, name: str) -> str:
    """A quantity for people; of a reported number, whose it is and in which unit."""
    if name == REPORTED and formula.reported is not None:
        return plain(reported_title(formula.reported.convention))
    return title(name)


def whose_notes(formula: Formula) -> list[str]:
    """What a reader must know of the reported number; nothing where there is none."""
    return [] if formula.reported is None else [plain(note) for note in reported_notes(formula.reported)]


def whose_data(formula: Formula) -> dict[str, Any]:
    """The key ``convention``; nothing where none was named."""
    return {} if formula.reported is None else {"convention": convention_data(formula.reported.convention)}
