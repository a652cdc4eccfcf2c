"""An estimate of the memory of training: weights, gradients, optimiser states, and activations kept for the way back.

    weights + gradients + states * weights + running statistics + batch * activations kept

A layer keeps what its gradient is computed from, as PyTorch's autograd does: convolutions, linear layers, norms,
windowed pools and products their inputs; ReLU, sigmoid, tanh and softmax their output, other activations their input;
additions, concatenations, global average pools, resizing and views nothing. An activation in place saves nothing here:
what it would overwrite is kept by nobody, or copied before. Masks of dropout, statistics of norms, work space and
fragmentation are not in it.

Source: the derivatives that PyTorch declares (tools/autograd/derivatives.yaml); optimiser states: SGD none, momentum
one, Adam two numbers per parameter (Kingma and Ba, 2015, algorithm 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import UnsupportedError, UsageError, did_you_mean
from convcost.layers.base import elements
from convcost.metrics.dtypes import bytes_of
from convcost.metrics.memory import parameter_elements
from convcost.metrics.schedule import schedule
from convcost.metrics.structure import is_view

if TYPE_CHECKING:
    from convcost.graph import Graph
    from convcost.metrics.schedule import Step, Tensor

STATES = {"sgd": 0, "momentum": 1, "adam": 2}
FORMULA = "weights + gradients + states x weights + buffers + batch x (activations kept + pool indices)"
INDEX_BYTES = 8  # PyTorch remembers where a maximum was as a 64 bit integer
_BY_OUTPUT = ("relu", "sigmoid", "tanh", "softmax")
_NOTHING = ("add", "concat", "global_avg_pool", "upsample", "zero_pad", "channel_shuffle")


class Kept(NamedTuple):
    """What the way forward leaves for the way back, per sample.

    Attributes:
        elements: of all tensors kept, each once.
        indices: places of maxima, one per output of a max pool.
    """

    elements: int
    indices: int


def kept(graph: Graph) -> Kept:
    """Activations that are kept for backward.

    Raises:
        UnsupportedError: a size is no number.
    """
    if any(type(size) is not int for node in graph.nodes for size in node.shape):
        raise UnsupportedError("the memory of training is evaluated on numbers; here a size is none")
    memory: dict[Tensor, Tensor] = {(0, 0): (0, 0)}  # views lie in the memory of what they look at
    found: dict[Tensor, int] = {}
    indices = 0
    for step in schedule(graph):
        memory[step.makes] = memory[step.reads[0]] if is_view(step.node) else step.makes
        for tensor in _keeps(step):
            place = memory[tensor]
            found[place] = elements(graph.nodes[place[0]].shape)
        if step.node.layer.key in ("max_pool", "global_max_pool"):
            indices += elements(step.node.shape)
    return Kept(sum(found.values()), indices)


def _keeps(step: Step) -> tuple[Tensor, ...]:
    if is_view(step.node) or step.node.layer.key in _NOTHING:
        return ()
    return (step.makes,) if step.node.kind in _BY_OUTPUT else step.reads


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
        known = ", ".join(STATES)
        raise UsageError(f"an optimiser is one of {known}; found '{optimiser[:60]}'{did_you_mean(optimiser, STATES)}")
    params, buffers = parameter_elements(graph)
    held = kept(graph)
    weights = bytes_of(params, weights_dtype or dtype)
    return Training(
        optimiser,
        weights=weights,
        gradients=weights,
        states=STATES[optimiser] * weights,
        buffers=bytes_of(buffers, weights_dtype or dtype),
        activations=bytes_of(held.elements * batch, dtype),
        indices=held.indices * batch * INDEX_BYTES,
    )
