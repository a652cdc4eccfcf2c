"""Pooling: windows that keep the channels and have no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import FieldError, ShapeError
from convcost.layers.base import Backward, Layer, Saved, Shape, Work, elements, union
from convcost.layers.fields import axes, axis_list, flag, padding
from convcost.layers.reach import ReceptiveField, adaptive, resized, whole
from convcost.layers.window import axes_of, per_axis, sides, sliding_field, spatial, windows
from convcost.numbers.arithmetic import gcd, prod, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.numbers.arithmetic import Num


class _Pooling(Layer):
    """What all pools share."""

    family = "pool"
    kinds = ()
    reads_whole_map = False
    fusing = "alone"
    is_view = False


class _Pool(_Pooling):
    """What max and average pooling share: the window.

    Each side's padding is at most half the kernel, so that every window reads something of the input; with
    ``ceil_mode`` a last window that would begin beyond the input and its leading padding is dropped.

    Source: ``pool2d_shape_check`` and ``pooling_output_shape`` of PyTorch.
    """

    kernel = axes(doc="window size, or one per axis")
    stride = axes(None, "step of the window; the kernel size where not given")
    padding = padding(0, "same, valid, a size, one per axis, or [before, after] pairs")
    ceil_mode = flag(False, "round the output size up, as Caffe does")

    def shape(self, x: Shape) -> Shape:
        """``(channels, *windows)``.

        Raises:
            FieldError: the kernel is larger than the padded input, or the padding of a side than half the kernel.
        """
        self._check_padding(len(spatial(x, self.key)))
        step = self.kernel if self.stride is None else self.stride
        area = windows(x, self.key, self.kernel, step, self.padding, self._spread(), ceil_mode=self.ceil_mode)
        return (x[0], *area)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
        """A window."""
        return sliding_field(self, field, axis, x, y)

    def _check_padding(self, count: int) -> None:
        if self.padding in ("same", "valid", 0):
            return
        for kernel, pair in zip(per_axis(self.kernel, count, "kernel"), sides(self.padding, count), strict=True):
            for side in pair:
                message = f"{self.key}: padding {side} is larger than half of the kernel {kernel}"
                try:
                    require("<=", 2 * side, kernel, message)
                except ShapeError as error:
                    raise FieldError("padding", str(error)) from None

    def _spread(self) -> Any:
        return 1

    def _window(self, x: Shape) -> Any:
        return prod(per_axis(self.kernel, len(x) - 1, "kernel"))


class MaxPool(_Pool):
    """Maximum over a window.

    Source: the comparisons of a running maximum, one fewer than the window has elements; positions in the
    padding are counted like any other.

    >>> pool = MaxPool(kernel=3, stride=2, padding=1)
    >>> pool.shape((64, 112, 112))
    (64, 56, 56)
    >>> pool.work((64, 112, 112), (64, 56, 56)).comparisons == 64 * 56 * 56 * 8
    True
    """

    key = "max_pool"
    also = ("MaxPooling",)
    formulas = {"comparisons": "C * H_out * W_out * (K^n - 1)"}

    dilation = axes(1, "distance between window elements")

    def _spread(self) -> Any:
        return self.dilation

    def work(self, x: Shape, y: Shape) -> Work:
        """One comparison fewer than the window has elements, per output."""
        return Work(comparisons=elements(y) * (self._window(x) - 1), read=elements(x), written=elements(y))

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - its places are as many as its outputs
        """Its input, and where each maximum was."""
        return Saved(input=True, indices=elements(y))

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - its places are as many as its outputs
        """One addition per output, at the place of its maximum."""
        return Backward(Work(additions=elements(y)), Work())


class AvgPool(_Pool):
    """Mean over a window.

    ``count_include_pad`` says whether padding counts in the mean; it changes the divisor, not the cost.

    Source: the additions of a sum, one fewer than the window has elements, and a division per output.

    >>> AvgPool(kernel=3, stride=2, padding=1).shape((240, 28, 28))
    (240, 14, 14)
    """

    key = "avg_pool"
    also = ("AveragePool", "AveragePooling", "MeanPool")
    formulas = {"additions": "C * H_out * W_out * (K^n - 1)", "divisions": "C * H_out * W_out"}

    count_include_pad = flag(True, "whether padding counts in the mean")

    def work(self, x: Shape, y: Shape) -> Work:
        """A sum and a division per output."""
        out = elements(y)
        return Work(additions=out * (self._window(x) - 1), divisions=out, read=elements(x), written=out)

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - the input, whatever it is
        """Its input, as PyTorch does, although its size would do."""
        return Saved(input=True)

    def backward(self, x: Shape, y: Shape) -> Backward:
        """One division per output, which is then added to every element of its window."""
        return Backward(Work(additions=elements(y) * self._window(x), divisions=elements(y)), Work())


class GlobalAvgPool(_Pooling):
    """Mean over the whole map; leaves a map of one position per axis.

    Source: Lin et al., "Network In Network" (2014), section 3.2.

    >>> GlobalAvgPool().shape((2048, 7, 7))
    (2048, 1, 1)
    """

    key = "global_avg_pool"
    also = ("GlobalAveragePool", "GlobalAveragePooling", "gap", "QLinearGlobalAveragePool")
    formulas = {"additions": "C * (H * W - 1)", "divisions": "C"}

    def shape(self, x: Shape) -> Shape:
        """``(channels, 1, ...)``."""
        return (x[0], *(1 for _ in spatial(x, self.key)))

    def work(self, x: Shape, y: Shape) -> Work:
        """A sum and a division per channel."""
        return Work(additions=elements(x) - x[0], divisions=x[0], read=elements(x), written=elements(y))

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The whole map."""
        return whole(field, x[1 + axis])

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - nothing
        """Nothing: every element has the same share."""
        return Saved()

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - one number a channel
        """One division per channel; every element gets the result."""
        return Backward(Work(divisions=x[0]), Work())


class GlobalMaxPool(_Pooling):
    """Maximum over the whole map; leaves a map of one position per axis.

    Source: as ``max_pool``, with the window as large as the map.

    >>> GlobalMaxPool().shape((2048, 7, 7))
    (2048, 1, 1)
    """

    key = "global_max_pool"
    also = ("GlobalMaxPooling", "gmp")
    formulas = {"comparisons": "C * (H * W - 1)"}

    def shape(self, x: Shape) -> Shape:
        """``(channels, 1, ...)``."""
        return (x[0], *(1 for _ in spatial(x, self.key)))

    def work(self, x: Shape, y: Shape) -> Work:
        """A running maximum per channel."""
        return Work(comparisons=elements(x) - x[0], read=elements(x), written=elements(y))

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The whole map."""
        return whole(field, x[1 + axis])

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - its places are as many as its outputs
        """Its input, and where each maximum was."""
        return Saved(input=True, indices=elements(y))

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - its places are as many as its outputs
        """One addition per output, at the place of its maximum."""
        return Backward(Work(additions=elements(y)), Work())


class _Reduction(_Pooling):
    """What the mean and the maximum along axes share: the axes keep one position."""

    axis = axis_list(doc="the axis or axes, which keep the size 1")

    def shape(self, x: Shape) -> Shape:
        """The input's shape with 1 along the axes.

        Raises:
            FieldError: there is no such axis.
        """
        places = axes_of(self.axis, x)
        return tuple(1 if place in places else size for place, size in enumerate(x))

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """All channels along that axis; else the same channel."""
        return [union(seen[0])] if 0 in axes_of(self.axis, x) else list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position, and all positions along the axes."""
        return whole(field, x[1 + axis]) if 1 + axis in axes_of(self.axis, x) else field


class Mean(_Reduction):
    """Mean along one axis or several: over channels, or over the positions of a map or sequence.

    Source: Woo et al., "CBAM" (2018), equation 5: the mean over channels.

    >>> Mean(axis="c").shape((64, 32, 32))
    (1, 32, 32)
    """

    key = "mean"
    also = ("ReduceMean",)
    formulas = {"additions": "C * H * W - outputs", "divisions": "outputs"}

    def work(self, x: Shape, y: Shape) -> Work:
        """A sum and a division per output."""
        out = elements(y)
        return Work(additions=elements(x) - out, divisions=out, read=elements(x), written=out)

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - nothing
        """Nothing: every element has the same share."""
        return Saved()

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - one number an output
        """One division per output; every element gets the result."""
        return Backward(Work(divisions=elements(y)), Work())


class Max(_Reduction):
    """Maximum along one axis or several: over channels, or over the positions of a map or sequence.

    The maximum of several tensors is ``maximum``.

    Source: Woo et al., "CBAM" (2018), equation 5: the maximum over channels; kept: ``torch.max`` along an axis.

    >>> Max(axis="c").work((64, 32, 32), (1, 32, 32)).comparisons == 63 * 32 * 32
    True
    """

    key = "max"
    also = ("ReduceMax", "amax")
    formulas = {"comparisons": "C * H * W - outputs"}

    def work(self, x: Shape, y: Shape) -> Work:
        """A running maximum per output."""
        return Work(comparisons=elements(x) - elements(y), read=elements(x), written=elements(y))

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - its places are as many as its outputs
        """Where each maximum was."""
        return Saved(indices=elements(y))

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - its places are as many as its outputs
        """One addition per output, at the place of its maximum."""
        return Backward(Work(additions=elements(y)), Work())


class AdaptiveAvgPool(_Pooling):
    """Mean over windows chosen so that the output has the given size.

    Output position i covers ``floor(i H / h)`` up to ``ceil((i + 1) H / h)``, as PyTorch defines it; all windows
    of an axis together cover ``H + h - gcd(H, h)``.

    Source: ``torch.nn.AdaptiveAvgPool2d``.

    >>> AdaptiveAvgPool(size=7).shape((512, 14, 14))
    (512, 7, 7)
    """

    key = "adaptive_avg_pool"
    also = ("AdaptiveAveragePool", "AdaptiveAveragePooling")
    formulas = {
        "additions": "C * (prod(n + m - gcd(n, m)) - H_out * W_out), n in, m out per axis",
        "divisions": "C * H_out * W_out",
    }

    size = axes(1, "output size, or one per axis")

    def shape(self, x: Shape) -> Shape:
        """``(channels, *size)``."""
        return (x[0], *per_axis(self.size, len(spatial(x, self.key)), "size"))

    def work(self, x: Shape, y: Shape) -> Work:
        """A sum over its window and a division per output."""
        out = elements(y)
        covered = x[0] * prod(covering(before, after) for before, after in zip(x[1:], y[1:], strict=True))
        return Work(additions=covered - out, divisions=out, read=elements(x), written=out)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
        """Windows as wide as the output's size makes them."""
        before, after = x[1 + axis], y[1 + axis]
        return resized(field, before, after, adaptive(before, after))

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - the input, whatever it is
        """Its input, as PyTorch does, although its size would do."""
        return Saved(input=True)

    def backward(self, x: Shape, y: Shape) -> Backward:
        """One division per output, which is then added to every element of its window."""
        covered = x[0] * prod(covering(before, after) for before, after in zip(x[1:], y[1:], strict=True))
        return Backward(Work(additions=covered, divisions=elements(y)), Work())


def covering(length: Num, parts: Num) -> Num:
    """Elements of all adaptive windows along an axis of ``length`` with ``parts`` outputs.

    Neighbouring windows share one element unless their border falls between two: at ``gcd - 1`` of the
    ``parts - 1`` borders.

    >>> covering(14, 7), covering(7, 3)
    (14, 9)
    """
    return length + parts - gcd(length, parts)
