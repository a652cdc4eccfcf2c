"""Results as JSON: integers exact, shapes as lists, formulas as text."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.tables.table import AtLeast

if TYPE_CHECKING:
    from convcost.tables.table import Table

DECIMALS = ("share", "bar", "decimal", "duration")
_LARGE = 10**300  # floats end soon after
_UNUSUAL = r"[^\n -~]"


def records(table: Table) -> list[dict[str, Any]]:
    """The rows of ``table`` by the keys of its columns, in their order."""
    return [
        {column.key: data_of(value, column.form) for value, column in zip(row, table.columns, strict=True)}
        for row in table.rows
    ]


def data_of(value: Any, form: str) -> Any:
    """The value of a cell in JSON: ratios and times are decimals."""
    return float(value) if form in DECIMALS and isinstance(value, Fraction | int) else value


def json_value(value: Any) -> Any:
    """A value for JSON: integers exact, shapes as lists, decimals as numbers, the rest (1/3, formulas) as text."""
    if isinstance(value, AtLeast):
        value = None
    if value is None or isinstance(value, bool | int | str | float):
        return value
    if isinstance(value, Fraction) and value.denominator == 1:
        return value.numerator
    if isinstance(value, Fraction) and abs(value) < _LARGE and Fraction(str(float(value))) == value:
        return float(value)
    if isinstance(value, tuple | list):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    return str(value)


def as_json(result: dict[str, Any]) -> str:
    """A result as JSON, keys in the order given; what is not printable is written as an escape."""
    import json  # noqa: PLC0415 - rows of tables do not pay for it

    def escaped(match: re.Match[str]) -> str:
        character = match[0]
        return character if character.isprintable() else json.dumps(character)[1:-1]

    return re.sub(_UNUSUAL, escaped, json.dumps(json_value(result), indent=2, ensure_ascii=False)) + "\n"
