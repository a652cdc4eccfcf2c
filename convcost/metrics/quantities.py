"""The quantities of a network that formulas, budgets and proofs can name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.errors import UsageError, unknown
from convcost.network.cost import ALL_QUANTITIES, PARTS, PLAIN_QUANTITIES, QUANTITIES, sum_work

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.layers.base import Work
    from convcost.network.graph import Node
    from convcost.numbers.arithmetic import Num

__all__ = ["PARTS", "QUANTITIES", "REPORTED", "meaning", "quantities", "quantity", "quantity_names", "title"]
REPORTED = "reported"  # the number that a convention prints, where one was named


def quantity(name: str, nodes: Sequence[Node], work: Work) -> Num:
    """One quantity of ``nodes``, parallel copies included, per sample: of any algebra.

    Args:
        name: a key of :data:`QUANTITIES`, or one of :data:`PARTS`.
        nodes: the layers.
        work: the sum of their counts.
    """
    return ALL_QUANTITIES[name].of(nodes, work)


def quantities(nodes: Sequence[Node]) -> dict[str, Num]:
    """Every quantity of ``nodes``; see :func:`quantity`."""
    work = sum_work(nodes)
    return {name: record.of(nodes, work) for name, record in ALL_QUANTITIES.items()}


def quantity_names(text: Iterable[str] | str, option: str = "--in", *, named: bool = False) -> tuple[str, ...]:
    """The names in a list such as ``params,macs``.

    Args:
        text: the list.
        option: what it was given to, for errors.
        named: whether a convention was named, so that there is a ``reported`` number.

    Raises:
        UsageError: one of them is no quantity.
    """
    names = text.split(",") if isinstance(text, str) else text
    return tuple(dict.fromkeys(_known(name.strip().lower(), option, named=named) for name in names))


def _known(name: str, option: str, *, named: bool) -> str:
    known = (*QUANTITIES, *PARTS, *((REPORTED,) if named else ()))
    if name == REPORTED and not named:
        raise UsageError(f"{option}: whose reported number? name its convention with --convention")
    if name not in known:
        raise UsageError(f"{option}: {unknown('quantity', name, known)}")
    return name


def title(name: str) -> str:
    """A quantity as it is written for people: ``MACs``."""
    return ALL_QUANTITIES[name].title if name in ALL_QUANTITIES else name.replace("_", " ")


def meaning(name: str) -> str:
    """What a quantity counts, where its title does not say it; empty for others."""
    explained = name in QUANTITIES and name not in PLAIN_QUANTITIES
    return QUANTITIES[name].doc if explained else ""
