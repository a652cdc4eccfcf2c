"""Results of ``scaling``, as a table and as data."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.numbers.printing import text
from convcost.render.cells import formula_cell
from convcost.render.results import schema
from convcost.render.whose import quantity_title, whose_data, whose_notes
from convcost.tables.table import Column, Table

if TYPE_CHECKING:
    from convcost.formulas.scaling import Scaling, Scalings
    from convcost.numbers.arithmetic import Num

_COLUMNS = (
    Column("name", "in", "text", 9),
    Column("quantity", "of", "text", 9),
    Column("degree", "degree", "times", 9),
    Column("leading", "leading term", "formula", 7),
    Column("elasticity", "elasticity", "times", 9),
    Column("fixed", "fixed part", "share", 8),
)
_NOTES = (
    "elasticity: d ln cost / d ln name at the defaults; fixed part: the share that does not depend on the name;",
    "from the closed forms without rounding",
)


def scaling_table(rows: Scalings) -> Table:
    """One row per free name and quantity; a quantity that does not depend on the name says so."""
    formula = rows.formula
    shown: list[tuple[Any, ...]] = []
    for row in rows:
        title = quantity_title(formula, row.quantity)
        if row.fixed == 1:
            shown.append((row.name, title, 0, "does not depend on it", "0", Fraction(1)))
        else:
            shown.append((row.name, title, row.degree, formula_cell(row.leading), _elasticity(row), row.fixed))
    graph = formula.graph
    named = ", ".join(f"{name} = {value}" for name, value in formula.witness.items())
    return Table(
        f"{graph.title} at {named}" if named else graph.title, _COLUMNS, shown, None, (*_NOTES, *whose_notes(formula))
    )


def _elasticity(row: Scaling) -> str:
    below, above = row.elasticity
    return decimal(above) if below == above else f"{decimal(below)} below, {decimal(above)} above"


def decimal(value: Num) -> str:
    """Four significant digits."""
    return f"{float(value):.4g}"


def scaling_data(rows: Scalings) -> dict[str, Any]:
    """The result of ``scaling``; exact ratios as text beside their decimals."""
    formula = rows.formula
    return {
        "schema": schema("scaling"),
        "name": formula.graph.name,
        "witness": formula.witness,
        **whose_data(formula),
        "assumptions": list(formula.assumptions),
        "rows": [
            {
                "name": row.name,
                "quantity": row.quantity,
                "degree": row.degree,
                "leading": text(row.leading),
                "elasticity": {
                    "below": str(row.elasticity[0]),
                    "above": str(row.elasticity[1]),
                    "decimal": float(row.elasticity[1]),
                },
                "fixed": {"exact": str(row.fixed), "decimal": float(row.fixed)},
            }
            for row in rows
        ],
    }
