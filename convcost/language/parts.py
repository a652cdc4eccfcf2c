"""The smallest parts of a checked spec: values, names with expressions in them, loops, arguments; and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convcost.errors import Position
    from convcost.language.expression import Expression


BROKEN = object()  # the constant of a value whose fault is already noted


class Fault(ConvcostError):  # noqa: N818 - an error on its way, not yet one that a caller sees
    """Something wrong at a place, on its way out; each call it passes adds its own place.

    Attributes:
        message: what is wrong.
        places: where, from the innermost outwards.
        parameter: where the last place is a value that only passes a parameter on, that parameter's name.
    """

    def __init__(self, message: str, *places: Position) -> None:
        super().__init__(message)
        self.message = message
        self.places = list(places)
        self.parameter = ""


class Value:
    """What stands for one value: an expression, a fixed value, or a list of these.

    Attributes:
        position: where it is written.
        expression: set where it is computed.
        items: set where it is a YAML list of values.
        constant: set where neither is.
        words: the bare words that would have stood for themselves here.
    """

    __slots__ = ("constant", "evaluate", "expression", "items", "position", "words")

    def __init__(
        self,
        position: Position,
        *,
        expression: Expression | None = None,
        items: tuple[Value, ...] | None = None,
        constant: Any = None,
    ) -> None:
        self.position = position
        self.expression = expression
        self.items = items
        self.constant = constant
        self.words: tuple[Any, ...] = ()
        if expression is not None:
            self.evaluate = expression.evaluate
        elif items is not None:
            self.evaluate = self._list
        else:
            self.evaluate = self._constant

    def _list(self, scope: Any) -> tuple[Any, ...]:
        return tuple(item.evaluate(scope) for item in self.items or ())

    def _constant(self, _scope: Any) -> Any:
        return self.constant

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same in every scope."""
        return self.expression is None and self.items is None

    def expressions(self) -> Iterator[tuple[Expression, Position]]:
        """Every expression in it, with where it stands."""
        if self.expression is not None:
            yield self.expression, self.position
        for item in self.items or ():
            yield from item.expressions()


class Template:
    """A name with ``{expressions}`` in it.

    Attributes:
        fixed: whether it is the same name whatever the variables are.
    """

    __slots__ = ("fixed", "parts", "position", "text")

    def __init__(self, text: str, parts: tuple[str | Value, ...], position: Position) -> None:
        self.text = text
        self.parts = parts
        self.position = position
        self.fixed = all(isinstance(part, str) for part in parts)

    def fill(self, scope: Any) -> str:
        """The name in ``scope``."""
        if self.fixed:
            return self.text
        return "".join(part if isinstance(part, str) else _word(part.evaluate(scope)) for part in self.parts)


def _word(value: Any) -> str:
    """``value`` as a part of a name: a list of sizes as ``1x7``."""
    sizes = isinstance(value, tuple) and all(type(size) is int for size in value)
    return "x".join(map(str, value)) if sizes else str(value)


class Loop:
    """``for`` and ``in``: the variables, and a row of values for each turn.

    Attributes:
        variables: their names, with where they stand.
        rows: rows (of several variables) or single values (of one); or
        columns: one list per variable.
        whole: whether ``for`` names a single variable, so that rows are not unpacked.
    """

    __slots__ = ("columns", "position", "rows", "variables", "whole")

    def __init__(
        self,
        variables: tuple[tuple[str, Position], ...],
        rows: Value | None,
        columns: tuple[Value, ...],
        position: Position,
        *,
        whole: bool,
    ) -> None:
        self.variables = variables
        self.rows = rows
        self.columns = columns
        self.position = position
        self.whole = whole


class Arguments:
    """``{field: value, ...}`` of a layer or block, with where each name stands.

    Attributes:
        values: by name.
        keys: where each name is written.
        fixed: those values that are the same in every run.
        evaluators: name and function of a scope of the others.
        broken: whether what was written is no mapping, so that nothing more can be said of it.
    """

    __slots__ = ("broken", "evaluators", "fixed", "keys", "values")

    def __init__(self, values: dict[str, Value], keys: dict[str, Position], *, broken: bool = False) -> None:
        self.broken = broken
        self.values = values
        self.keys = keys
        self.fixed: dict[str, Any] = {}
        self.evaluators: tuple[tuple[str, Any], ...] = ()

    def finish(self) -> None:
        """Tell, once nothing changes any more, what is the same in every run from what is not."""
        fixed = {name: value.constant for name, value in self.values.items() if value.is_fixed}
        self.evaluators = tuple((name, value.evaluate) for name, value in self.values.items() if name not in fixed)
        self.fixed = fixed
