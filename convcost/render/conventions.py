"""Conventions as tables and as data."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.conventions.reported import CAUSES
from convcost.network.headings import heading
from convcost.render.results import convention_data, schema
from convcost.tables.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.conventions.model import Convention
    from convcost.conventions.survey import Readings

_LIST = (
    Column("name", "convention", "name", 9),
    Column("unit", "unit", "text", 8),
    Column("title", "whose", "text", 7),
    Column("doc", "what it counts", "text", 6),
)
_KEEP = dict(zip(CAUSES, (7, 7, 7, 6, 6), strict=False))  # the usual causes stay longest


def list_table(conventions: Iterable[Convention]) -> Table:
    """Every convention, with what it counts."""
    rows: list[tuple[Any, ...]] = [
        tuple(getattr(convention, column.key) for column in _LIST) for convention in conventions
    ]
    rows.append(("paper", "MACs", "the network's own", "what the figures of the network's paper count"))
    return Table("", _LIST, rows, None, ("a convention of your own is a small YAML file: --convention FILE",))


def list_data(conventions: Iterable[Convention]) -> dict[str, Any]:
    """Every convention with its rows of weights."""
    return {
        "schema": schema("conventions"),
        "conventions": [
            {
                "name": convention.name,
                "title": convention.title,
                "unit": convention.unit,
                "doc": convention.doc,
                "source": convention.source,
                "operations": convention.operations.rows,
                "params": convention.params.rows,
            }
            for convention in conventions
        ],
    }


def survey_table(readings: Readings) -> Table:
    """One row a convention: the number, its difference from plain multiply-accumulates, and the causes of it."""
    causes = [cause for cause in CAUSES if any(reading.causes.get(cause) for reading in readings)]
    columns = (
        Column("convention", "convention", "name", 9),
        Column("unit", "unit", "text", 6),
        Column("reported", "reported", "count", 9),
        Column("difference", "- MACs", "count", 8),
        *(Column(cause, cause, "count", _KEEP.get(cause, 5)) for cause in causes),
        Column("params", "params", "count", 7),
    )
    rows = [
        (
            reading.convention.name,
            reading.convention.unit,
            reading.value,
            reading.difference,
            *(reading.causes.get(cause) for cause in causes),
            reading.params,
        )
        for reading in readings
    ]
    notes = ["difference from plain MACs = " + " + ".join(causes)] if causes else []
    notes += dict.fromkeys(note for reading in readings for note in reading.notes)
    return Table(heading(readings.graph), columns, rows, None, tuple(notes))


def surveys_table(surveys: Sequence[Readings], names: Sequence[str]) -> Table:
    """One row a convention: the number of each network, and of two their ratio."""
    columns = [Column("convention", "convention", "name", 9), Column("unit", "unit", "text", 6)]
    columns += [Column(f"reported_{place}", name, "count", 9) for place, name in enumerate(names)]
    if len(surveys) == 2:  # noqa: PLR2004 - a ratio is of two
        columns.append(Column("ratio", "first / second", "times", 7))
    rows = []
    for readings in zip(*surveys, strict=True):
        values = [reading.value for reading in readings]
        row: list[Any] = [readings[0].convention.name, readings[0].convention.unit, *values]
        if len(surveys) == 2:  # noqa: PLR2004
            row.append(f"{float(Fraction(values[0], values[1])):.4g}" if values[1] else None)
        rows.append(tuple(row))
    notes = dict.fromkeys(note for survey in surveys for reading in survey for note in reading.notes)
    return Table("", tuple(columns), rows, None, tuple(notes))


def survey_data(readings: Readings) -> dict[str, Any]:
    """The result of ``conventions NET``."""
    graph = readings.graph
    return {
        "schema": schema("conventions"),
        "name": graph.name,
        "title": graph.title,
        "parameters": graph.parameters,
        "input": graph.input,
        "conventions": [
            {
                "convention": convention_data(reading.convention),
                "reported": reading.value,
                "params": reading.params,
                "difference": reading.difference,
                "causes": reading.causes,
                "notes": list(reading.notes),
            }
            for reading in readings
        ],
    }
