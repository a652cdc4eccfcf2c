"""The quantities of a network that formulas, budgets and proofs can name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.errors import UsageError, unknown
from convcost.network.cost import sum_work
from convcost.numbers.arithmetic import Num, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.layers.base import Work
    from convcost.network.graph import Node

QUANTITIES = {
    "params": "params",
    "macs": "MACs",
    "flops": "FLOPs",
    "activations": "activations",
    "conv_activations": "conv activations",
    "outputs": "outputs",
}
MEANINGS = {
    "activations": "elements of the outputs of convolutions and linear layers",
    "conv_activations": "elements of the outputs of convolutions",
    "outputs": "elements of the outputs of all layers",
}
PARTS = ("weights", "biases", "norm_params", "other_params")
REPORTED = "reported"  # the number that a convention prints, where one was named


def quantity(name: str, nodes: Sequence[Node], work: Work) -> Num:
    """One quantity of ``nodes``, parallel copies included, per sample: of any algebra.

    ``activations`` are the elements of the outputs of convolutions and linear layers, ``conv_activations`` those of
    convolutions alone (Radosavovic et al., 2020, section 3.3), ``outputs`` those of all layers.

    Args:
        name: a key of :data:`QUANTITIES`, or one of :data:`PARTS`.
        nodes: the layers.
        work: the sum of their counts.
    """
    if name == "activations":
        return total(node.work.written * node.count for node in nodes if node.layer.is_weighted)
    if name == "conv_activations":
        return total(node.work.written * node.count for node in nodes if node.layer.is_convolution)
    return getattr(work, "written" if name == "outputs" else name)


def quantities(nodes: Sequence[Node]) -> dict[str, Num]:
    """Every quantity of ``nodes``; see :func:`quantity`."""
    work = sum_work(nodes)
    return {name: quantity(name, nodes, work) for name in (*QUANTITIES, *PARTS)}


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
    return QUANTITIES.get(name, name.replace("_", " "))
