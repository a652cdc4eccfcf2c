"""The peak of activation memory: the most elements that are alive at once.

The peak is that of the tensors: in execution order every output is allocated when it is made and freed after its last
reader, so that a branch is held while another runs and an addition keeps both its operands. Views share the memory of
their input; a concatenation copies; tensors inside a layer, such as the scores of attention, are alive while it runs.
The work space of an algorithm (im2col, Winograd) is not included. What is alive at one step has a closed form. Their
maximum over all steps has no useful one, so the peak is evaluated on numbers, and refuses symbols.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import UnsupportedError
from convcost.layers.base import elements
from convcost.network.fusion import folded_norms, kept_outputs, with_copies_once
from convcost.network.schedule import schedule
from convcost.numbers.arithmetic import same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.layers.base import Shape
    from convcost.network.graph import Graph, Node
    from convcost.network.schedule import Step, Tensor
    from convcost.numbers.arithmetic import Num


class Peak(NamedTuple):
    """The step at which most is alive.

    Attributes:
        elements: alive while that layer runs: what it reads, what it writes, and what later layers will read.
        path: the layer.
        held: the tensors, as the path that made each and its elements, in the order they were made.
        in_place: whether element-wise activations overwrite their input where nobody else reads it.
        folded: whether norms directly after a convolution are folded into it.
        steps: elements alive at every step, in execution order, by path.
    """

    elements: int
    path: str
    held: tuple[tuple[str, int], ...]
    in_place: bool
    folded: bool
    steps: tuple[tuple[str, int], ...]


class Timeline(NamedTuple):
    """What is alive at every step.

    Attributes:
        steps: in execution order; they are numbered from 1.
        lives: the first and last step of every piece of memory, by the tensor it was allocated for; that of an input
            begins at 0, and what leaves the network lives until one step after the last.
        sizes: elements of these.
        memory: for every tensor, the one whose memory it is in.
        alive: elements alive at each step, by its number; of the inputs at 0.
    """

    steps: list[Step]
    lives: dict[Tensor, tuple[int, int]]
    sizes: dict[Tensor, Num]
    alive: list[Num]
    memory: dict[Tensor, Tensor]


def timeline(graph: Graph, *, in_place: bool = False, folded: bool = False) -> Timeline:
    """What is alive at every step, per sample: numbers or closed forms.

    Raises:
        UnsupportedError: the number of copies of a layer is a symbol.
    """
    steps = schedule(graph)
    lives, memory = _lives(graph, steps, in_place=in_place, folded=folded)
    sizes = {tensor: elements(graph.nodes[tensor[0]].shape) for tensor in lives}
    return Timeline(steps, lives, sizes, _alive(steps, lives, sizes), memory)


def peak(graph: Graph, *, in_place: bool = False, folded: bool = False) -> Peak:
    """The most elements that are alive at once, per sample.

    Raises:
        UnsupportedError: a size is no number.
    """
    if any(type(size) is not int for node in graph.nodes for size in node.shape):
        raise UnsupportedError("peak memory is evaluated on numbers; this network has symbolic sizes")
    steps, lives, sizes, counts, _ = timeline(graph, in_place=in_place, folded=folded)
    if not steps:
        return Peak(counts[0], graph.nodes[0].path, (), in_place, folded, ())
    most = max(range(1, len(steps) + 1), key=lambda step: counts[step])
    held = [tensor for tensor, (born, last) in lives.items() if born <= most <= last]
    return Peak(
        counts[most],
        steps[most - 1].node.path,
        tuple((graph.nodes[tensor[0]].path, sizes[tensor]) for tensor in held),
        in_place,
        folded,
        tuple((step.node.path, counts[index]) for index, step in enumerate(steps, 1)),
    )


def alive(graph: Graph, *, in_place: bool = False, folded: bool = False) -> list[tuple[Node, Num]]:
    """The layer and the elements alive at every step, in execution order, per sample: numbers or closed forms.

    Raises:
        UnsupportedError: the number of copies of a layer is a symbol, or the values of symbols decide which tensors
            are alive together.
    """
    exist: Mapping[int, Num] = {}
    if graph.series:
        graph, exist = with_copies_once(graph)
    steps, _, _, counts, _ = timeline(graph, in_place=in_place, folded=folded)
    return [(step.node, count * exist.get(step.node.index, 1)) for step, count in zip(steps, counts[1:], strict=False)]


def _alive(steps: list[Step], lives: Mapping[Tensor, tuple[int, int]], sizes: Mapping[Tensor, Num]) -> list[Num]:
    """Elements alive before the first step, and at every step."""
    change: list[Num] = [0] * (len(steps) + 3)
    for tensor, (born, last) in lives.items():
        change[born] += sizes[tensor]
        change[last + 1] -= sizes[tensor]
    for number, step in enumerate(steps, 1):
        change[number] += step.node.work.inside
        change[number + 1] -= step.node.work.inside
    return list(accumulate(change))


def _lives(
    graph: Graph, steps: list[Step], *, in_place: bool, folded: bool
) -> tuple[dict[Tensor, tuple[int, int]], dict[Tensor, Tensor]]:
    """First and last step of every piece of memory, by the tensor it was allocated for; and what each tensor is in.

    That of an input begins at step 0.
    """
    starts: list[Tensor] = [(index, 0) for index in graph.inputs.values()]
    last_read: dict[Tensor, int] = dict.fromkeys(starts, 0)
    for number, step in enumerate(steps, 1):
        last_read[step.makes] = number
        for tensor in step.reads:
            last_read[tensor] = number
    for tensor in last_read:
        if tensor[0] in kept_outputs(graph):
            last_read[tensor] = len(steps) + 1
    folds = folded_norms(graph) if folded else {}
    memory: dict[Tensor, Tensor] = {start: start for start in starts}
    lives: dict[Tensor, tuple[int, int]] = {start: (0, last_read[start]) for start in starts}
    for number, step in enumerate(steps, 1):
        node, source = step.node, memory[step.reads[0]]
        overwrites = (
            in_place
            and node.layer.fusing == "follows"
            and source not in starts
            and lives[source][1] == number
            and _same_shape(graph.nodes[source[0]].shape, node.shape)
        )
        if node.layer.is_view or node.index in folds or overwrites:
            memory[step.makes] = source
            born, last = lives[source]
            lives[source] = (born, max(last, last_read[step.makes]))
        else:
            memory[step.makes] = step.makes
            lives[step.makes] = (number, last_read[step.makes])
    return lives, memory


def _same_shape(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) and all(map(same, a, b))
