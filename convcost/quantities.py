"""What can be counted of a network, by the name that formulas, budgets and proofs use for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.algebra import Num, total
from convcost.cost import sum_work
from convcost.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.graph import Node

QUANTITIES = {
    "params": "params",
    "macs": "MACs",
    "flops": "FLOPs",
    "activations": "activations",
    "conv_activations": "conv activations",
}
MEANINGS = {
    "activations": "elements written by all layers",
    "conv_activations": "elements written by convolutions",
}
PARTS = ("weights", "biases", "norm_params", "other_params")


def quantities(nodes: Sequence[Node]) -> dict[str, Num]:
    """Every quantity of ``nodes``, parallel copies included, per sample: of any algebra.

    ``activations`` are the elements that all layers write, ``conv_activations`` those that convolutions write
    (Radosavovic et al., 2020, section 3, call these "activations").
    """
    work = sum_work(nodes)
    convolutions = [node for node in nodes if node.layer.family == "conv"]
    found = {
        "params": work.params,
        "macs": work.macs,
        "flops": work.flops,
        "activations": work.written,
        "conv_activations": total(node.work.written * node.count for node in convolutions),
    }
    return {**found, **{name: getattr(work, name) for name in PARTS}}


def quantity_names(text: Iterable[str] | str, option: str = "--in") -> tuple[str, ...]:
    """The names in a list such as ``params,macs``.

    Raises:
        UsageError: one of them is no quantity.
    """
    names = text.split(",") if isinstance(text, str) else text
    return tuple(dict.fromkeys(_known(name.strip().lower(), option) for name in names))


def _known(name: str, option: str) -> str:
    known = (*QUANTITIES, *PARTS)
    if name not in known:
        raise UsageError(f"{option}: no quantity is called '{name[:60]}'{did_you_mean(name, known)}; {listed()}")
    return name


def listed() -> str:
    """The names that are known, for errors."""
    return f"known are {', '.join((*QUANTITIES, *PARTS))}"


def title(name: str) -> str:
    """A quantity as it is written for people: ``MACs``."""
    return QUANTITIES.get(name, name.replace("_", " "))
