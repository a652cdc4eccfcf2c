"""The order of two costs, as text and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.numbers.printing import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from convcost.formulas.order import Order, Reach
    from convcost.formulas.ratio import Fractions
    from convcost.formulas.roots import BreakEven

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
    if order.relation:
        yield f"{one} {order.relation} {other} {for_all(order.domain)}{_but(order)}"
    if order.relation == "==":
        return
    decided = [entry for entry in order.thresholds if len(text(entry.root)) <= _LONG]
    for entry in decided:
        yield f"{one} < {other} exactly when {entry.name} {entry.relation} {_root(entry.name, entry.root, order)}"
    if not order.relation and not decided and order.counterexample is not None:
        yield f"which costs less depends on the values; the order reverses at {_at(order.counterexample)}"
    names = {entry.name for entry in decided}
    same = [f"{entry.name} = {_written(entry)}" for entry in order.break_even if entry.name not in names]
    if same:
        yield f"break-even at {' or '.join(same)}"


def for_all(domain: Sequence[Reach]) -> str:
    """The values that a statement is about: ``for all whole I >= 1 and K, O >= 2, all r > 0``."""
    if not domain:
        return "at these values"
    whole = _grouped([one for one in domain if one.whole])
    ratios = _grouped([one for one in domain if not one.whole])
    return "for " + ", ".join([f"all whole {whole}"] * bool(whole) + [f"all {ratios}"] * bool(ratios))


def _grouped(domain: Sequence[Reach]) -> str:
    groups: dict[str, list[str]] = {}
    for one in domain:
        groups.setdefault(f"{'>' if one.least == 0 else '>='} {one.least}", []).append(one.name)
    return " and ".join(f"{', '.join(names)} {bound}" for bound, names in groups.items())


def _at(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _but(order: Order) -> str:
    return "" if order.counterexample is None else f"; the order reverses at {_at(order.counterexample)}"


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
        "for_all": [{"name": one.name, "whole": one.whole, "least": one.least} for one in order.domain],
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
