"""Formulas as cells of tables and in lines below them: text for people and machines, math for LaTeX."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

from convcost.tables.table import Math, Note
from convcost.tables.values import latex_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from fractions import Fraction

    Write: TypeAlias = Callable[[Any], str]

_MARK = "\0"
_RELATIONS = {"<": "<", ">": ">", "<=": r"\le", ">=": r"\ge", "==": "="}


def formula_cell(expr: Any) -> Math:
    """A closed form."""
    from convcost.numbers.printing import text  # noqa: PLC0415 - only formulas need it

    return Math(text(expr), lambda: _latex(expr))


def limits_cell(limits: Iterable[tuple[Any, str]]) -> Math:
    """``1/K^2 as O -> oo``, names of one limit together; several limits are separated by semicolons.

    Args:
        limits: what a formula tends to, and the name that grows without bound.
    """
    from convcost.numbers.printing import text  # noqa: PLC0415 - only formulas need it

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


def written(part: Any) -> str:
    """A formula, a name or a relation in a line of text."""
    from convcost.numbers.printing import text  # noqa: PLC0415 - only formulas need it

    return part if isinstance(part, str) else text(part)


def _marked(part: Any) -> str:
    """The same for LaTeX, between marks that no text contains."""
    from convcost.numbers.printing import name_latex  # noqa: PLC0415 - only formulas need it

    if isinstance(part, str):
        return f"{_MARK}{_RELATIONS.get(part) or name_latex(part)}{_MARK}"
    return f"{_MARK}{_latex(part)}{_MARK}"


def notes(make: Callable[[Write], Iterable[str]]) -> tuple[Note, ...]:
    """Lines with formulas.

    Args:
        make: the lines, from a function that writes formulas, names and relations.
    """
    lines = list(make(written))

    @cache
    def for_latex() -> list[str]:
        return [_typeset(line) for line in make(_marked)]

    return tuple(Note.of(line, partial(_nth, for_latex, place)) for place, line in enumerate(lines))


def _nth(lines: Callable[[], list[str]], place: int) -> str:
    return lines()[place]


def _typeset(line: str) -> str:
    parts = line.split(_MARK)
    return "".join(f"${part}$" if place % 2 else latex_text(part) for place, part in enumerate(parts))


def fraction_cell(value: Fraction) -> Math:
    """An exact number: ``17/144``."""
    top, bottom = value.numerator, value.denominator
    sign = "-" if top < 0 else ""
    return Math(str(value), lambda: str(top) if bottom == 1 else rf"{sign}\frac{{{abs(top)}}}{{{bottom}}}")


def _latex(expr: Any) -> str:
    from convcost.numbers.printing import latex  # noqa: PLC0415 - sympy's printer takes a while to import

    return latex(expr)
