"""Formulas as cells of tables: text for people and machines, math for LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.tables.table import Math

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction


def formula_cell(expr: Any) -> Math:
    """A closed form."""
    from convcost.numbers.printing import text  # noqa: PLC0415 - imports sympy

    return Math(text(expr), lambda: _latex(expr))


def limits_cell(limits: Iterable[tuple[Any, str]]) -> Math:
    """``1/K^2 as O -> oo``, names of one limit together; several limits are separated by semicolons.

    Args:
        limits: what a formula tends to, and the name that grows without bound.
    """
    from convcost.numbers.printing import text  # noqa: PLC0415 - imports sympy

    together: dict[Any, list[str]] = {}
    for limit, name in limits:
        together.setdefault(limit, []).append(name)

    def latex() -> str:
        from convcost.numbers.printing import name_latex  # noqa: PLC0415 - likewise

        parts = [
            rf"{_latex(limit)} \text{{ as }} {', '.join(map(name_latex, names))} \to \infty"
            for limit, names in together.items()
        ]
        return r";\ ".join(parts)

    written = [f"{text(limit)} as {', '.join(names)} -> oo" for limit, names in together.items()]
    return Math("; ".join(written), latex)


def fraction_cell(value: Fraction) -> Math:
    """An exact number: ``17/144``."""
    top, bottom = value.numerator, value.denominator
    sign = "-" if top < 0 else ""
    return Math(str(value), lambda: str(top) if bottom == 1 else rf"{sign}\frac{{{abs(top)}}}{{{bottom}}}")


def _latex(expr: Any) -> str:
    from convcost.numbers.printing import latex  # noqa: PLC0415 - sympy's printer takes a while to import

    return latex(expr)
