"""The order of two costs, as text and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.numbers.printing import text
from convcost.render.cells import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from convcost.formulas.order import Order, Reach
    from convcost.formulas.ratio import Fractions
    from convcost.formulas.roots import BreakEven
    from convcost.render.cells import Write

_LONG = 70  # a root beyond that is given as a number only


def fractions_text(fractions: Fractions, write: Write = written) -> Iterator[str]:
    """The ratio in forms other than the shortest, if they are short enough."""
    shortest = text(fractions.shortest)
    for words, expr in (("as one fraction", fractions.single), ("as partial fractions", fractions.parts)):
        shown = text(expr)
        if shown != shortest and len(shown) <= _LONG:
            yield f"{words} {write(expr)}"


def order_text(order: Order, item: str, other: str, write: Write = written) -> Iterator[str]:
    """The proved order, a counterexample, and the break-even values; one line each.

    Args:
        order: what is known.
        item: the name of the first.
        other: the name of the second.
        write: how formulas, names and relations are written.
    """
    if order.relation:
        yield f"{item} {write(order.relation)} {other} {for_all(order.domain, write)}{_but(order, write)}"
    if order.relation == "==":
        return
    decided = [entry for entry in order.thresholds if len(text(entry.root)) <= _LONG]
    for entry in decided:
        where = f"{write(entry.name)} {write(entry.relation)} {_root(entry.name, entry.root, order, write)}"
        yield f"{item} {write('<')} {other} exactly when {where}"
    if not order.relation and not decided and order.counterexample is not None:
        yield f"which costs less depends on the values; the order reverses at {_at(order.counterexample, write)}"
    names = {entry.name for entry in decided}
    same = [f"{write(entry.name)} = {_written(entry, write)}" for entry in order.break_even if entry.name not in names]
    if same:
        yield f"break-even at {' or '.join(same)}"


def for_all(domain: Sequence[Reach], write: Write = written) -> str:
    """The values that a statement is about: ``for all whole I >= 1 and K, O >= 2, all r > 0``."""
    if not domain:
        return "at these values"
    whole = _grouped([reach for reach in domain if reach.whole], write)
    ratios = _grouped([reach for reach in domain if not reach.whole], write)
    return "for " + ", ".join([f"all whole {whole}"] * bool(whole) + [f"all {ratios}"] * bool(ratios))


def _grouped(domain: Sequence[Reach], write: Write) -> str:
    groups: dict[str, list[str]] = {}
    for reach in domain:
        bound = f"{write('>' if reach.least == 0 else '>=')} {reach.least}"
        groups.setdefault(bound, []).append(write(reach.name))
    return " and ".join(f"{', '.join(names)} {bound}" for bound, names in groups.items())


def _at(values: Mapping[str, Any], write: Write) -> str:
    return ", ".join(f"{write(name)} = {value}" for name, value in values.items())


def _but(order: Order, write: Write) -> str:
    return "" if order.counterexample is None else f"; the order reverses at {_at(order.counterexample, write)}"


def _root(name: str, root: Any, order: Order, write: Write) -> str:
    """A root, with its number at the defaults where it is known."""
    known = (entry for entry in order.break_even if (entry.name, entry.root) == (name, root))
    return next((_written(entry, write) for entry in known), write(root))


def _written(entry: BreakEven, write: Write) -> str:
    number = str(entry.value) if isinstance(entry.value, int) else f"{float(entry.value):.4g}"
    root = None if entry.root is None else text(entry.root)
    if root is None or len(root) > _LONG:
        return f"{number} (at the defaults)"
    return root if root == number else f"{write(entry.root)} ({number} at the defaults)"


def order_data(order: Order) -> dict[str, Any]:
    """As in the result of ``compare``."""
    return {
        "relation": order.relation or None,
        "from": order.least,
        "for_all": [{"name": name.name, "whole": name.whole, "least": name.least} for name in order.domain],
        "counterexample": order.counterexample,
        "less_where": [
            {"name": entry.name, "relation": entry.relation, "root": text(entry.root)} for entry in order.thresholds
        ],
        "break_even": [
            {
                "name": entry.name,
                "root": None if entry.root is None else text(entry.root),
                "exact": None if isinstance(entry.value, float) else str(entry.value),
                "decimal": float(entry.value),
            }
            for entry in order.break_even
        ],
    }
