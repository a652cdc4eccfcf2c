"""Estimate of training memory: weights, gradients, optimiser states, activations kept for the backward pass.

    weights + gradients + states * weights + running statistics + batch * activations kept

A layer keeps what its gradient is computed from, as PyTorch's autograd does: convolutions, linear layers, norms,
windowed pools and products their inputs; ReLU, sigmoid, tanh and softmax their output, other activations their input;
additions, concatenations, global average pools, resizing and views nothing; attention its operands and the softmax of
its scores, recurrent layers their gates and states. An activation in place saves nothing here: what it would overwrite
is kept by nobody, or copied before. Masks of dropout, statistics of norms, work space and fragmentation are not in it.

Source: the derivatives that PyTorch declares (tools/autograd/derivatives.yaml); optimiser states: SGD none, momentum
one, Adam two numbers per parameter (Kingma and Ba, 2015, algorithm 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import UnsupportedError, UsageError, not_among
from convcost.layers.base import elements
from convcost.metrics.dtypes import bytes_of
from convcost.network.cost import sum_of, sum_work
from convcost.network.graph import Carried
from convcost.network.schedule import schedule

if TYPE_CHECKING:
    from convcost.layers.base import Work
    from convcost.network.graph import Graph
    from convcost.network.schedule import Tensor

STATES = {"sgd": 0, "momentum": 1, "adam": 2}
FORMULA = "weights + gradients + states x weights + buffers + batch x (activations kept + pool indices)"
INDEX_BYTES = 8  # PyTorch remembers where a maximum was as a 64 bit integer


class Kept(NamedTuple):
    """What the forward pass keeps for the backward pass, per sample.

    Attributes:
        elements: of all tensors kept, each once.
        indices: integers, such as the places of maxima.
    """

    elements: int
    indices: int


def kept(graph: Graph) -> Kept:
    """Activations that are kept for backward.

    Raises:
        UnsupportedError: a size is no number.
    """
    parts = kept_by_layer(graph).values()
    return Kept(sum(part.elements for part in parts), sum(part.indices for part in parts))


def kept_by_layer(graph: Graph) -> dict[int, Kept]:
    """What each layer keeps for backward, by its index; a tensor that several layers keep counts for the first.

    Raises:
        UnsupportedError: a size is no number.
    """
    if any(type(size) is not int for node in graph.nodes for size in node.shape):
        raise UnsupportedError("the memory of training is evaluated on numbers; this network has symbolic sizes")
    memory: dict[Tensor, Tensor] = {
        (index, 0): (index, 0) for index in graph.inputs.values()
    }  # views lie in the memory of what they look at
    seen: set[Tensor] = set()
    parts: dict[int, Kept] = {node.index: Kept(0, 0) for node in graph.layers}
    for step in schedule(graph):
        node = step.node
        memory[step.makes] = memory[step.reads[0]] if node.layer.is_view else step.makes
        saved = node.layer.saves(graph.input_of(node), node.shape)
        size = saved.inside
        for tensor in (*(step.reads if saved.input else ()), *((step.makes,) if saved.output else ())):
            place = memory[tensor]
            if place not in seen:
                seen.add(place)
                size += elements(graph.nodes[place[0]].shape)
        before = parts[node.index]
        parts[node.index] = Kept(before.elements + size, before.indices + saved.indices)
    return parts


class Operations(NamedTuple):
    """The operations of one training step, per sample.

    Attributes:
        forward: of the forward pass.
        backward: of the backward pass: gradients of all parameters, and of all tensors that depend on one.
    """

    forward: Work
    backward: Work


def operations(graph: Graph) -> Operations:
    """Forward and backward work; a batch multiplies both, the update of the parameters is not in it.

    A tensor that no parameter comes before, such as the network's input, needs no gradient.

    >>> from convcost import load
    >>> step = operations(load("vgg16"))
    >>> step.backward.macs == 2 * step.forward.macs - 64 * 27 * 224 * 224  # no gradient of the image
    True
    """
    counts = {node.index: node.count for node in graph.layers}
    parts = [(work, counts[index]) for index, works in backward_by_layer(graph).items() for work in works]
    return Operations(sum_work(graph.layers), sum_of(parts))


def backward_by_layer(graph: Graph) -> dict[int, tuple[Work, ...]]:
    """The gradients that each layer computes, by its index: work per sample of one of its copies."""
    trained = dict.fromkeys(graph.inputs.values(), False)  # whether a tensor depends on a parameter
    parts: dict[int, tuple[Work, ...]] = {}
    for node in graph.nodes:
        if node.index in trained:
            continue
        above = any(trained[index] for index, _ in node.inputs)
        if type(node.layer) is Carried:
            trained[node.index] = above
            continue
        own = bool(node.shared) or not (type(node.work.params) is int and node.work.params == 0)
        trained[node.index] = above or own
        work = node.layer.backward(graph.input_of(node), node.shape)
        parts[node.index] = (*([work.input] if above else []), *([work.params] if own else []))
    return parts


class Training(NamedTuple):
    """Bytes of training, by part; they add up to ``total``."""

    optimiser: str
    weights: int
    gradients: int
    states: int
    buffers: int
    activations: int
    indices: int

    @property
    def total(self) -> int:
        """All parts together."""
        return self.weights + self.gradients + self.states + self.buffers + self.activations + self.indices


def training(
    graph: Graph,
    optimiser: str = "adam",
    *,
    batch: int = 1,
    dtype: str = "float32",
    weights_dtype: str | None = None,
) -> Training:
    """The estimate for one optimiser; gradients and states are held in the format of the weights.

    Raises:
        UsageError: no such optimiser or number format.
        UnsupportedError: a size is no number.
    """
    if optimiser not in STATES:
        raise UsageError(not_among("optimiser", optimiser, STATES))
    work = sum_work(graph.layers)
    held = kept(graph)
    weights = bytes_of(work.params, weights_dtype or dtype)
    return Training(
        optimiser,
        weights=weights,
        gradients=weights,
        states=STATES[optimiser] * weights,
        buffers=bytes_of(work.buffers, weights_dtype or dtype),
        activations=bytes_of(held.elements * batch, dtype),
        indices=held.indices * batch * INDEX_BYTES,
    )
