"""Layers that use the parameters of other layers.

Parameters that several layers share belong to the first of them: the others have none of their own, so that sums count
them once, and operations and tensors every time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import ShapeError
from convcost.layers.base import Work
from convcost.network.cost import PER_MODEL
from convcost.numbers.arithmetic import is_array, is_symbolic, require, total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.network.graph import Node

_PLACING = ("stride", "padding", "output_padding", "dilation", "window", "shift", "causal", "flash", "last")
"""Fields that say where and how weights are applied; all others must agree."""


def has_parameters(node: Node) -> bool:
    """Whether a layer has parameters, its own or those of another layer."""
    return bool(node.shared) or any(name in vars(node.work) and not _is_zero(node.work, name) for name in PER_MODEL)


def _is_zero(work: Work, name: str) -> bool:
    count = getattr(work, name)
    return type(count) is int and count == 0


def share(nodes: list[Node], owners: Iterable[int], users: Iterable[int], name: str) -> None:
    """Let layers use the parameters of other layers, in their order.

    Args:
        nodes: of the graph under construction.
        owners: indices of the layers that have the parameters.
        users: indices of the layers that use them; their nodes are changed.
        name: what the weights are called.

    Raises:
        ShapeError: the parameters of the two do not agree.
    """
    own = [nodes[index] for index in owners if has_parameters(nodes[index])]
    using = [nodes[index] for index in users if has_parameters(nodes[index])]
    if len(own) != len(using):
        plural = "" if len(own) == 1 else "s"
        raise ShapeError(f"`{name[:60]}` means the weights of {len(own)} layer{plural}, and this step has {len(using)}")
    for owner, user in zip(own, using, strict=True):
        _check(owner, user)
        counts = vars(user.work)
        if not user.shared:
            user.borrowed = total([counts[field] for field in PER_MODEL if field in counts])
        user.work = Work(**{field: count for field, count in counts.items() if field not in PER_MODEL})
        user.shared = owner.shared or owner.path


def _check(owner: Node, user: Node) -> None:
    """Make sure that two layers have parameters of the same shapes.

    Counts of parameters determine the channels of the input where all other fields agree.

    Raises:
        ShapeError: they have not.
    """
    start = f"the weights are those of {owner.path}, "
    if type(owner.layer) is not type(user.layer):
        raise ShapeError(f"{start}a {owner.layer.key}, which a {user.layer.key} cannot use")
    for field in owner.layer.fields:
        if field not in _PLACING:
            there, here = getattr(owner.layer, field), getattr(user.layer, field)
            _agree(there, here, f"{start}with `{field}` {_shown(there)}; this step has {_shown(here)}")
    there, here = parameters_of(owner), parameters_of(user)
    if owner.layer.is_convolution:  # a condition on the channels says the same as one on the parameters
        there, here = owner.input[0], user.input[0]
    shapes = f"which reads {_shape(owner.input)}; this step reads {_shape(user.input)}"
    _agree(there, here, f"{start}{shapes}, which needs other shapes of weights")


def parameters_of(node: Node) -> Any:
    """How many parameters, stored statistics included, a layer works with."""
    return node.borrowed if node.shared else total([getattr(node.work, name) for name in PER_MODEL])


def _agree(there: Any, here: Any, message: str) -> None:
    if isinstance(there, tuple) or isinstance(here, tuple):  # a single size stands for one per axis
        axes = len(there if isinstance(there, tuple) else here)
        pairs = zip(*(size if isinstance(size, tuple) else (size,) * axes for size in (there, here)), strict=True)
        for ours, theirs in pairs:
            _agree(ours, theirs, message)
    elif any(is_symbolic(value) or is_array(value) for value in (there, here)):
        require("==", here, there, message)
    elif there != here:
        raise ShapeError(message)


def _shown(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _shape(shape: tuple[Any, ...]) -> str:
    return "x".join(map(str, shape))
