"""The controls of a step: conditions, repeats and loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError
from convcost.language.operations import describe, truth
from convcost.language.parts import Fault
from convcost.language.scope import evaluate
from convcost.limits import MAX_ITEMS, MAX_STEPS
from convcost.numbers.arithmetic import is_symbolic, is_whole, normal, require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convcost.errors import Position
    from convcost.language.model import Branch
    from convcost.language.parts import Loop, Value
    from convcost.language.scope import Scope
    from convcost.numbers.arithmetic import Num


def condition(value: Value, scope: Scope) -> bool:
    """Whether ``value`` holds.

    Raises:
        Fault: it is neither true nor false.
    """
    found = evaluate(value, scope)
    if found is True or found is False:
        return bool(found)
    try:
        return truth(found)
    except ConvcostError as error:
        raise Fault(str(error), value.position) from None


def times(value: Value, scope: Scope) -> int:
    """How many copies in sequence a ``repeat`` makes.

    Raises:
        Fault: it is no whole number, or too large.
    """
    copies = normal(evaluate(value, scope))
    if is_symbolic(copies):
        raise Fault(f"`repeat` of a chain needs a number, found {copies}", value.position)
    if type(copies) is not int or copies < 0:
        raise Fault(f"`repeat` must be a whole number, found {describe(copies)}", value.position)
    if copies > MAX_STEPS:
        raise Fault(f"`repeat` may be at most {MAX_STEPS:,}, found {describe(copies)}", value.position)
    return copies


def parallel(value: Value, scope: Scope) -> Num:
    """How many identical parallel branches a ``repeat`` on a branch makes; may be symbolic."""
    return whole(evaluate(value, scope), "`repeat` of a branch", value.position)


def whole(size: Any, what: str, position: Position) -> Num:
    """``size``, which must be a whole number of at least 1 (or a symbol or array that can be).

    Raises:
        Fault: it is not.
    """
    size = normal(size)
    message = f"{what} must be a whole number of at least 1, found {describe(size)}"
    if isinstance(size, bool | str | tuple | dict) or size is None or not is_whole(size):
        raise Fault(message, position)
    try:
        require(">=", size, 1, message)
    except ConvcostError as error:
        raise Fault(str(error), position) from None
    return size


def turns(branch: Branch, scope: Scope) -> Iterator[int | None]:
    """The rows of a branch's loop, bound one after another; one None where it has no loop."""
    if branch.loop is None:
        yield None
    else:
        yield from rows(branch.loop, scope)


def rows(loop: Loop, scope: Scope) -> Iterator[int]:
    """Bind the loop's variables to one row after another; yields the number of the row."""
    names = [name for name, _ in loop.variables]
    before = {name: scope[name] for name in names if name in scope}
    if loop.rows is not None:
        table = _list(loop.rows, scope)
        rows = [(row,) for row in table] if loop.whole else [_row(row, len(names), loop) for row in table]
    else:
        columns = [_list(column, scope) for column in loop.columns]
        lengths = {len(column) for column in columns}
        if len(lengths) > 1:
            listed = ", ".join(f"{name} has {len(column)}" for name, column in zip(names, columns, strict=True))
            raise Fault(f"the columns differ in length: {listed}", loop.position)
        rows = list(zip(*columns, strict=True))
    try:
        for number, row in enumerate(rows):
            scope.update(zip(names, row, strict=True))
            yield number
    finally:
        for name in names:
            scope.pop(name, None)
        scope.update(before)


def _list(value: Value, scope: Scope) -> tuple[Any, ...]:
    found = evaluate(value, scope)
    if not isinstance(found, tuple):
        raise Fault(f"`for` runs over a list, found {describe(found)}", value.position)
    if len(found) > MAX_ITEMS:
        raise Fault(f"`for` runs over at most {MAX_ITEMS:,} rows, found {len(found):,}", value.position)
    return found


def _row(row: Any, count: int, loop: Loop) -> tuple[Any, ...]:
    if not isinstance(row, tuple) or len(row) != count:
        raise Fault(f"a row needs {count} values, found {describe(row)}", loop.position)
    return row
