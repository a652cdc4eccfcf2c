"""Recurrent layers over the positions of a sequence or map, in PyTorch's or Keras' form."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from convcost.layers.base import Backward, Layer, Saved, Shape, Work, elements, union
from convcost.layers.fields import flag, size, word
from convcost.layers.reach import everything, whole
from convcost.layers.window import spatial
from convcost.numbers.arithmetic import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from convcost.layers.reach import ReceptiveField
    from convcost.numbers.arithmetic import Num

_BOTH = 2  # biases of PyTorch, one of the input and one of the state


class _Recurrent(Layer):
    """What recurrent layers share: the same weights at every step, which are the positions of the input.

    The positions of a map are the steps, row by row; if a network runs along every row or column by itself, the cost is
    the same. A class states ``gates`` (how many products with the input and the state a step has), ``_each`` and
    ``each_backward`` (what one unit costs in a step beside the products, biases and the sum of both products).
    """

    family = "recurrent"
    kinds = ()
    reads_whole_map = False  # what a position reads is stated by `reads`
    fusing = "alone"  # the nonlinearities lie between its weights and its output
    is_view = False
    gates: ClassVar[int]
    each_backward: ClassVar[dict[str, int]]

    hidden = size(doc="features of the state, in each direction")
    layers = size(1, "how many of them, one on top of the other")
    bidirectional = flag(False, "whether a second one runs from the end to the start; their outputs are concatenated")
    biases = size(2, "biases per gate: 2 in PyTorch, 1 in Keras, 0 for none", minimum=0)
    last = flag(False, "whether only the output of the last step is put out")

    def shape(self, x: Shape) -> Shape:
        """``(features, *positions)``; with ``last`` ``(features,)``.

        Raises:
            ShapeError: the input has no positions, or there are more than two biases.
        """
        area = spatial(x, self.key)
        require("<=", self.biases, _BOTH, f"`biases` must be 0, 1 or 2, found {self.biases}")
        features = self._features() * self._directions()
        return (features,) if self.last else (features, *area)

    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _features(self) -> Num:
        """Features of the output in one direction."""
        return self.hidden

    def _each(self) -> dict[str, int]:
        """What one unit costs in a step."""
        raise NotImplementedError

    def _inputs(self, x: Shape) -> Iterator[tuple[Num, Num]]:
        """Features that enter, and how many layers (of one direction) they enter."""
        yield x[0], self._directions()
        if type(self.layers) is not int or self.layers > 1:
            yield self._features() * self._directions(), self._directions() * (self.layers - 1)

    def work(self, x: Shape, y: Shape) -> Work:
        """One multiply-accumulate per weight and step; the gates of every unit and step."""
        steps = elements(x[1:])
        weights: Num = 0
        for features, times in self._inputs(x):
            weights = weights + times * self._weights(features)
        units = self._directions() * self.layers * self.hidden
        each = {name: count * units * steps for name, count in self._each().items()}
        work = Work(
            weights=weights,
            biases=self.biases * self.gates * units,
            macs=weights * steps,
            bias_adds=self.biases * self.gates * units * steps,
            read=elements(x),
            written=elements(y),
            inside=self._inside(x),
            **each,
        )
        work.additions = work.additions + self.gates * units * steps  # of the products with the input and the state
        return work

    def _weights(self, features: Num) -> Num:
        """Weights of one layer in one direction for an input of ``features``."""
        return self.gates * self.hidden * (features + self._features())

    def _inside(self, x: Shape) -> Num:
        """The gates of every step, and the outputs of all layers but the last."""
        steps = elements(x[1:])
        gates = self.gates * self.hidden * self._directions() * self.layers
        return steps * (gates + self._features() * self._directions() * (self.layers - 1))

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """All channels, through the state."""
        return [union(seen[0])] * y[0]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
        """All positions; those after it too, where there is a second direction, and as an upper bound else."""
        return whole(field, x[1 + axis]) if len(y) == 1 else everything(field, x[1 + axis])

    def saves(self, x: Shape, y: Shape) -> Saved:
        """Its input, and of every step the output of each layer, the gates and the states."""
        steps = elements(x[1:]) * self._directions()
        hidden_layers = self.layers - int(len(y) > 1)  # the output of the last one is a tensor of the network
        outputs = steps * self._features() * hidden_layers
        return Saved(input=True, output=len(y) > 1, inside=outputs + steps * self.layers * self.hidden * self._kept())

    def _kept(self) -> int:
        """Elements kept per unit and step beside the output."""
        raise NotImplementedError

    def backward(self, x: Shape, y: Shape) -> Backward:
        """As many multiply-accumulates for either gradient as the forward pass has; the derivatives of the gates."""
        forward = self.work(x, y)
        units = self._directions() * self.layers * self.hidden * elements(x[1:])
        gates = {name: count * units for name, count in self.each_backward.items()}
        return Backward(Work(macs=forward.macs, **gates), Work(macs=forward.macs, additions=forward.bias_adds))


class RNN(_Recurrent):
    """Elman network: ``h = tanh(W x + U h + b)`` at every step.

    Source: ``torch.nn.RNN``; Elman, "Finding Structure in Time" (1990).

    >>> RNN(hidden=64).work((64, 100), (64, 100)).params == 2 * 64 * 64 + 2 * 64
    True
    """

    key = "rnn"
    also = ("SimpleRNN", "RNNCell", "SimpleRNNCell", "RNNBase", "RNNCellBase")
    gates = 1
    each_backward = {"multiplications": 2, "additions": 2}  # 1 - h^2 times the gradient, which comes from two sides
    formulas = {
        "weights": "H (I + H) per layer and direction; I is 2 H after a bidirectional layer",
        "biases": "2 H, or as many as there are",
        "macs": "weights * steps",
        "one unit and step": "an addition of both products, a tanh",
    }

    nonlinearity = word("tanh", ("tanh", "relu"), "which one")

    def _each(self) -> dict[str, int]:
        return {"exponentials": 1} if self.nonlinearity == "tanh" else {"comparisons": 1}

    def _kept(self) -> int:
        """Nothing: its derivative is made of the output."""
        return 0


class LSTM(_Recurrent):
    """Long short-term memory: input, forget and output gate, a candidate, and a cell.

    With ``projection`` the output, which is also what the next step reads, is a product of the state with a further
    matrix.

    Source: ``torch.nn.LSTM``; Hochreiter and Schmidhuber (1997); projection: Sak et al. (2014), section 2.

    >>> lstm = LSTM(hidden=64)
    >>> lstm.work((64, 100), (64, 100)).params == 4 * (64 * 64 + 64 * 64 + 2 * 64)
    True
    >>> lstm.work((64, 100), (64, 100)).macs == 4 * (64 * 64 + 64 * 64) * 100
    True
    """

    key = "lstm"
    also = ("LSTMCell", "DynamicQuantizeLSTM")
    gates = 4
    each_backward = {"multiplications": 16, "additions": 7}
    formulas = {
        "weights": "4 H (I + R) + P H per layer and direction; R is P with a projection to P, else H",
        "biases": "2 * 4 H, or as many as there are",
        "macs": "weights * steps",
        "one unit and step": "four additions of both products, three sigmoids, two tanh, three products, a sum",
    }

    projection = size(None, "features of the output, in place of those of the state")

    def _features(self) -> Num:
        return self.hidden if self.projection is None else self.projection

    def _weights(self, features: Num) -> Num:
        projected = 0 if self.projection is None else self.projection * self.hidden
        return super()._weights(features) + projected

    def _each(self) -> dict[str, int]:
        return {"exponentials": 3 + 2, "additions": 3 + 1, "divisions": 3, "multiplications": 3}

    def _kept(self) -> int:
        """The gates, the cell and its tanh; with a projection the state before it."""
        return self.gates + (2 if self.projection is None else 3)


class GRU(_Recurrent):
    """Gated recurrent unit: reset and update gate, and a candidate.

    Source: ``torch.nn.GRU``; Cho et al. (2014), equations 5 to 8.

    >>> GRU(hidden=64).work((64, 100), (64, 100)).params == 3 * (64 * 64 + 64 * 64 + 2 * 64)
    True
    """

    key = "gru"
    also = ("GRUCell",)
    gates = 3
    each_backward = {"multiplications": 11, "additions": 7}
    formulas = {
        "weights": "3 H (I + H) per layer and direction; I is 2 H after a bidirectional layer",
        "biases": "2 * 3 H, or as many as there are",
        "macs": "weights * steps",
        "one unit and step": "three additions of both products, two sigmoids, a tanh, three products, two sums",
    }

    def _each(self) -> dict[str, int]:
        return {"exponentials": 2 + 1, "additions": 2 + 2, "divisions": 2, "multiplications": 3}

    def _kept(self) -> int:
        """The gates, and the product with the state that the reset gate scales."""
        return self.gates + 1
