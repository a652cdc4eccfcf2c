"""Comparisons as tables and as data."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from convcost.metrics.report import analyze
from convcost.metrics.traffic import of_additions, sum_moved, traffic
from convcost.network.cost import ALL_QUANTITIES, CONVENTION_LINE, PLAIN_QUANTITIES
from convcost.network.headings import shown_value
from convcost.render.cells import formula_cell, fraction_cell, limits_cell, notes
from convcost.render.headings import reported_title
from convcost.render.results import convention_data, schema, totals_data
from convcost.tables.printable import View
from convcost.tables.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convcost.formulas.comparison import Comparison, Item, Ratio
    from convcost.render.cells import Write

TITLES = {name: ALL_QUANTITIES[name].title for name in PLAIN_QUANTITIES}
_LONG_FRACTION, _LONG_FORMULA = 16, 80  # what does not help a reader is left to --format json


def _titles(comparison: Comparison) -> dict[str, str]:
    return {**TITLES, "reported": reported_title(comparison.baseline.reported.convention)}


def _costs(comparison: Comparison) -> tuple[Column, ...]:
    titles = _titles(comparison)
    return tuple(Column(name, titles[name], "count", 9) for name in comparison.quantities)


def comparison_view(comparison: Comparison, *, with_traffic: bool = False) -> View:
    """The result of ``compare``.

    Args:
        comparison: costs side by side.
        with_traffic: what each side moves, too.
    """

    def tables() -> list[Table]:
        return [*comparison_tables(comparison), *([traffic_table(comparison)] if with_traffic else [])]

    def page() -> str:
        from convcost.render.report import compared_page  # noqa: PLC0415 - only a page pays for it

        titles = ["Costs", *(f"{name} by {comparison.baseline.name}" for name in comparison.ratios)]
        shown = [*titles, "Traffic"] if with_traffic else titles
        named = [table._replace(title=title) for table, title in zip(tables(), shown, strict=True)]
        analyses = [analyze(item.graph) for item in comparison.items]
        return compared_page(analyses, named, exact_digits=True)

    return View(
        tables=tables,
        data=lambda: comparison_data(comparison, with_traffic=with_traffic),
        flat=lambda: flat_table(comparison, with_traffic=with_traffic),
        exact=True,
        page=page,
    )


def comparison_tables(comparison: Comparison) -> list[Table]:
    """For people: the costs, then the ratios to the baseline."""
    rows = [(item.name, *map(item.quantity, comparison.quantities)) for item in comparison.items]
    costs = Table("", (Column("name", "", "name", 9), *_costs(comparison)), rows, None, ())
    ratios = [_ratio_table(name, by_name, comparison) for name, by_name in comparison.ratios.items()]
    last = ratios[-1]
    ratios[-1] = last._replace(notes=(*last.notes, *names_text(comparison), *comparison.notes, CONVENTION_LINE))
    return [costs, *ratios]


def _ratio_table(name: str, ratios: dict[str, Ratio], comparison: Comparison) -> Table:
    columns = [Column("of", f"{name} / {comparison.baseline.name}", "text", 9)]
    columns += [Column("exact", "exact", "times", 8), Column("decimal", "decimal", "times", 9)]
    with_formulas = any(ratio.formula is not None for ratio in ratios.values())
    if with_formulas:
        columns += [Column("formula", "formula", "formula", 7), Column("limit", "tends to", "formula", 6)]
    rows = []
    titles = _titles(comparison)
    for quantity, ratio in ratios.items():
        exact = None if ratio.exact is None else str(ratio.exact)
        decimal = None if ratio.exact is None else f"{float(ratio.exact):.4g}"
        row: list[Any] = [
            titles[quantity],
            fraction_cell(ratio.exact) if ratio.exact is not None and len(exact or "") <= _LONG_FRACTION else None,
            decimal,
        ]
        if with_formulas:
            formula = _formula_text(ratio)
            short = formula is not None and len(formula) <= _LONG_FORMULA
            row += [
                formula_cell(ratio.formula) if short else None,
                limits_cell(ratio.limits) if short and ratio.limits else None,
            ]
        rows.append(tuple(row))
    return Table("", tuple(columns), rows, None, notes(partial(_order_lines, ratios, name, comparison.baseline.name)))


def names_text(comparison: Comparison) -> Iterator[str]:
    """What the names in the formulas stand for: a sentence for each parameter that is not the same everywhere."""
    for parameter in dict.fromkeys(named.parameter for named in comparison.names):
        own = [named for named in comparison.names if named.parameter == parameter]
        parts = [
            f"{named.name} is {'fixed at ' if named.fixed else ''}{shown_value(named.value)} in "
            + " and ".join(comparison.items[index].name for index in named.targets)
            for named in own
        ]
        advice = "" if any(named.fixed for named in own) else f"; --set {parameter}=VALUE makes them one name"
        yield ", ".join(parts) + advice


def _order_lines(ratios: dict[str, Ratio], first: str, second: str, write: Write) -> list[str]:
    """The ratio in its other form, which costs less, and where both cost the same.

    Quantities of which the same is to be said share a line.
    """
    of_line: dict[str, list[str]] = {}
    for quantity, ratio in ratios.items():
        lines: list[str] = []
        if ratio.fractions is not None:
            from convcost.render.orders import fractions_text  # noqa: PLC0415 - only formulas need it

            lines += [*fractions_text(ratio.fractions, write), *_unknown_limits(ratio)]
        if ratio.order is not None:
            from convcost.render.orders import order_text  # noqa: PLC0415

            lines += order_text(ratio.order, first, second, write)
        for line in lines:
            of_line.setdefault(line, []).append(TITLES[quantity])
    return [f"{', '.join(quantities)}: {line}" for line, quantities in of_line.items()]


def _formula_text(ratio: Ratio) -> str | None:
    if ratio.formula is None:
        return None
    from convcost.numbers.printing import text  # noqa: PLC0415 - only formulas need it

    return text(ratio.formula)


def _limit_text(ratio: Ratio) -> str | None:
    """``1/K^2 as O -> oo``, each name alone; several limits are separated by semicolons."""
    return str(limits_cell(ratio.limits)) if ratio.limits else None


def _unknown_limits(ratio: Ratio) -> Iterator[str]:
    """Why a limit or a formula is missing."""
    formula = _formula_text(ratio)
    if formula is not None and len(formula) > _LONG_FORMULA:
        yield f"formula of {len(formula)} characters and its limits are in --format json"
    elif ratio.unknown_limits:
        names = ", ".join(ratio.unknown_limits)
        yield f"no limit for {names}: terms with roundings or of opposite signs might cancel"


_TRAFFIC = (
    Column("read", "read", "count", 8),
    Column("constants", "weights", "count", 8),
    Column("written", "written", "count", 8),
    Column("moved", "moved", "count", 9),
    Column("add_elements", "in adds", "count", 9),
    Column("add_share", "%", "share", 9),
    Column("flops_per_byte", "FLOPs/byte", "decimal", 9),
)
TRAFFIC_NOTE = (
    "elements moved between layers and memory, norms and activations fused into the convolution before them; in adds: "
    "by element-wise additions; FLOPs per byte of float32"
)


def _traffic_row(item: Item) -> tuple[Any, ...]:
    whole = sum_moved(traffic(item.graph).values())
    adds, moved = of_additions(item.graph).elements(), whole.elements()
    share = Fraction(adds, moved) if moved else None
    return (whole.read, whole.constants, whole.written, moved, adds, share, whole.intensity())


def traffic_table(comparison: Comparison) -> Table:
    """The traffic of each side, and the share of element-wise additions."""
    rows = [(item.name, *_traffic_row(item)) for item in comparison.items]
    return Table("traffic", (Column("name", "", "name", 9), *_TRAFFIC), rows, None, (TRAFFIC_NOTE,))


def _with_traffic(table: Table, comparison: Comparison) -> Table:
    rows = [(*row, *_traffic_row(item)) for row, item in zip(table.rows, comparison.items, strict=True)]
    return table._replace(columns=(*table.columns, *_TRAFFIC), rows=rows)


def flat_table(comparison: Comparison, *, with_traffic: bool = False) -> Table:
    """For CSV: one row per item, with its ratios to the baseline."""
    names = comparison.quantities
    parts = [Column(f"{name}_ratio", name, "text", 9) for name in names]
    parts += [Column(f"{name}_formula", name, "text", 9) for name in names]
    rows: list[tuple[Any, ...]] = []
    for item in comparison.items:
        ratios = comparison.ratios.get(item.name) or {}
        exact = [
            str(ratios[name].exact) if name in ratios and ratios[name].exact is not None else None for name in names
        ]
        formulas = [_formula_text(ratios[name]) if name in ratios else None for name in names]
        rows.append((item.name, *map(item.quantity, names), *exact, *formulas))
    table = Table("", (Column("name", "name", "name", 9), *_costs(comparison), *parts), rows, None, ())
    return _with_traffic(table, comparison) if with_traffic else table


def comparison_data(comparison: Comparison, *, with_traffic: bool = False) -> dict[str, Any]:
    """The result of ``compare``."""
    return {
        "schema": schema("compare"),
        "convention": convention_data(comparison.baseline.reported.convention),
        "baseline": comparison.baseline.name,
        "items": [
            {
                "name": item.name,
                "title": item.graph.title,
                "parameters": item.graph.parameters,
                "input": item.graph.input,
                "totals": totals_data(item.totals, item.reported),
                **({"traffic": _traffic_data(item)} if with_traffic else {}),
            }
            for item in comparison.items
        ],
        "ratios": {
            name: {quantity: _ratio_data(ratio) for quantity, ratio in by_name.items()}
            for name, by_name in comparison.ratios.items()
        },
        "notes": [*names_text(comparison), *comparison.notes],
        "names": [
            {
                "name": named.name,
                "parameter": named.parameter,
                "items": [comparison.items[index].name for index in named.targets],
                "value": named.value,
                "fixed": named.fixed,
            }
            for named in comparison.names
        ],
        "conditions": [{"text": named.text, "structural": named.structural} for named in comparison.conditions],
    }


def _traffic_data(item: Item) -> dict[str, Any]:
    names = [column.key for column in _TRAFFIC]
    values = [float(value) if isinstance(value, Fraction) else value for value in _traffic_row(item)]
    return dict(zip(names, values, strict=True))


def _ratio_data(ratio: Ratio) -> dict[str, Any]:
    data: dict[str, Any] = {
        "exact": None if ratio.exact is None else str(ratio.exact),
        "decimal": None if ratio.exact is None else float(ratio.exact),
        "formula": _formula_text(ratio),
        "limit": _limit_text(ratio),
        "no_limit_for": list(ratio.unknown_limits),
    }
    if ratio.fractions is not None:
        from convcost.numbers.printing import text  # noqa: PLC0415 - only formulas need it

        data["single_fraction"] = text(ratio.fractions.single)
        data["partial_fractions"] = text(ratio.fractions.parts)
    if ratio.order is not None:
        from convcost.render.orders import order_data  # noqa: PLC0415 - only formulas need it

        data["order"] = order_data(ratio.order)
    return data
