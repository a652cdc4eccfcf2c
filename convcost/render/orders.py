"""Which of two costs is smaller, as text and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.symbolic.text import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from convcost.symbolic.order import Order
    from convcost.symbolic.ratio import Fractions
    from convcost.symbolic.roots import BreakEven

_LONG = 70  # a root beyond that is given as a number only


def fractions_text(fractions: Fractions) -> Iterator[str]:
    """The ratio in the form that is not the shortest, where that is another and short enough."""
    shortest = text(fractions.shortest)
    for words, expr in (("as one fraction", fractions.single), ("as partial fractions", fractions.parts)):
        shown = text(expr)
        if shown != shortest and len(shown) <= _LONG:
            yield f"{words} {shown}"


def order_text(order: Order, one: str, other: str) -> Iterator[str]:
    """What is proved of the two, what contradicts, and where they cost the same; one line each."""
    if order.relation == "==":
        yield f"{one} == {other} for all values"
        return
    if order.relation:
        where = f"for all {_at(order.least, '>=')}" if order.least else "for all values"
        yield f"{one} {order.relation} {other} {where}{_but(order)}"
    decided = [entry for entry in order.thresholds if len(text(entry.root)) <= _LONG]
    for entry in decided:
        yield f"{one} < {other} just where {entry.name} {entry.relation} {_root(entry.name, entry.root, order)}"
    if not order.relation and not decided and order.counterexample is not None:
        yield f"which costs less depends; not as at the defaults at {_at(order.counterexample, '=')}"
    names = {entry.name for entry in decided}
    same = [f"{entry.name} = {_written(entry)}" for entry in order.break_even if entry.name not in names]
    if same:
        yield f"the same where {' or '.join(same)}"


def _at(values: Mapping[str, Any], sign: str) -> str:
    return ", ".join(f"{name} {sign} {value}" for name, value in values.items())


def _but(order: Order) -> str:
    return "" if order.counterexample is None else f"; not at {_at(order.counterexample, '=')}"


def _root(name: str, root: Any, order: Order) -> str:
    """A root, with its number at the defaults where it is known."""
    return next((_written(entry) for entry in order.break_even if (entry.name, entry.root) == (name, root)), text(root))


def _written(entry: BreakEven) -> str:
    number = str(entry.value) if isinstance(entry.value, int) else f"{float(entry.value):.4g}"
    root = None if entry.root is None else text(entry.root)
    if root is None or len(root) > _LONG:
        return f"{number} (at the defaults)"
    return root if root == number else f"{root} ({number} at the defaults)"


def order_data(order: Order) -> dict[str, Any]:
    """As in the result of ``compare``."""
    return {
        "relation": order.relation or None,
        "from": order.least,
        "counterexample": order.counterexample,
        "less_where": [
            {"name": one.name, "relation": one.relation, "root": text(one.root)} for one in order.thresholds
        ],
        "break_even": [
            {
                "name": one.name,
                "root": None if one.root is None else text(one.root),
                "exact": None if isinstance(one.value, float) else str(one.value),
                "decimal": float(one.value),
            }
            for one in order.break_even
        ],
    }
