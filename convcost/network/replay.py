"""Memo of expanded blocks: an equal call repeats the nodes of the first.

A block is a function: equal arguments on a tensor of equal shape give the same layers, except for the start of
their paths and the tensor they read. Networks are mostly repeats, so this saves most of the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.network.graph import Node, Tensor

if TYPE_CHECKING:
    from convcost.network.graph import Builder
    from convcost.numbers.arithmetic import Num


class Recording:
    """What one call of a block appended: the nodes from ``start`` up to ``end``.

    Attributes:
        start: index of the first of them.
        steps: how many steps of the spec it took.
        pure: whether it read no other tensor from outside than the one it was called on; None until asked.
    """

    __slots__ = ("_end", "_path", "_result", "_tensor", "pure", "start", "steps")

    def __init__(self, builder: Builder, start: int, tensor: Tensor, path: str, result: Tensor, steps: int) -> None:
        self.start = start
        self._end = len(builder.nodes)
        self._tensor = tensor
        self._path = path
        self._result = result
        self.steps = steps
        self.pure: bool | None = None

    def can_repeat(self, builder: Builder) -> bool:
        """Whether the same nodes on another tensor are what the block would make of it."""
        if self.pure is None:
            read = {index for node in builder.nodes[self.start : self._end] for index, _ in node.inputs}
            read.add(self._result.node)
            self.pure = all(index >= self.start or index == self._tensor.node for index in read)
        return self.pure

    def repeat(self, builder: Builder, tensor: Tensor, path: str, block: int, count: Num) -> Tensor:
        """Append the same layers for a call at ``path`` on ``tensor``."""
        nodes = builder.nodes
        start, own = self.start, self._path + "/"
        skip = len(self._path)
        shift = len(nodes) - start
        builder.make_room(self._end - start)
        once = type(count) is int and count == 1
        for node in nodes[start : self._end]:
            read = tuple([(index + shift if index >= start else tensor.node, times) for index, times in node.inputs])
            nodes.append(
                Node(
                    len(nodes),
                    path + node.path[skip:],
                    block,
                    node.layer,
                    node.kind,
                    read,
                    node.input,
                    node.shape,
                    node.work,
                    node.count if once else node.count * count,
                    node.position,
                    shared=path + node.shared[skip:] if node.shared.startswith(own) else node.shared,
                    borrowed=node.borrowed,
                )
            )
        result = self._result
        return Tensor(result.node + shift if result.node >= start else tensor.node, result.shape)
