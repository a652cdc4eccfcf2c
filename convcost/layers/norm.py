"""Normalisations at inference. Scale and shift are counted as two operations, not folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.layers.base import Backward, Fusing, Layer, Saved, Shape, Work, elements, union
from convcost.layers.fields import axis_list, flag, size
from convcost.layers.reach import everything
from convcost.layers.window import axes_of, divide_channels, without
from convcost.numbers.arithmetic import prod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.layers.reach import ReceptiveField
    from convcost.numbers.arithmetic import Num


class _Norm(Layer):
    """What normalisations share: the shape stays, and the backward pass starts from the input."""

    family = "norm"
    kinds = ()
    drawn_beside = True
    fusing: Fusing = "alone"
    is_view = False

    def shape(self, x: Shape) -> Shape:
        """As it came."""
        return x

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position."""
        return field

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - the input, whatever it is
        """Its input; the statistics, one or two per set, are not counted."""
        return Saved(input=True)


class BatchNorm(_Norm):
    """Batch normalisation with stored statistics: one multiplication and one addition per element.

    Scale, shift and statistics of a channel are constants at inference and fold into one factor and one offset.
    ``scale: false`` or ``shift: false`` leave out gamma or beta (Keras' Inception has no gamma).

    Source: Ioffe and Szegedy, "Batch Normalization" (2015), algorithm 2, line 11.

    >>> BatchNorm().work((64, 56, 56), (64, 56, 56)).params
    128
    """

    key = "batch_norm"
    drawn = "BN"
    also = ("BatchNormalization", "bn", "SyncBatchNorm", "LazyBatchNorm")
    reads_whole_map = False  # at inference; in training the statistics are those of the batch
    fusing = "folds"
    formulas = {
        "norm_params": "2 C",
        "buffers": "2 C (running mean and variance)",
        "multiplications": "C * H * W",
        "additions": "C * H * W",
    }

    scale = flag(True, "whether there is a trainable scale (gamma) per channel")
    shift = flag(True, "whether there is a trainable shift (beta) per channel")

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def work(self, x: Shape, y: Shape) -> Work:
        """A multiply and an add per element."""
        count = elements(x)
        return Work(
            norm_params=x[0] * (int(self.scale) + int(self.shift)),
            buffers=2 * x[0],
            multiplications=count,
            additions=count,
            read=count,
            written=elements(y),
        )

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """As in training, where the gradient also goes through the statistics of every channel."""
        return _normalise_backward(x, x[0], self.scale or self.shift)


def _normalise_backward(x: Shape, groups: Num, affine: bool) -> Backward:  # noqa: FBT001 - a field of the callers
    """The backward pass of ``groups`` sets that share the elements of ``x``.

    Per element: subtract the mean and multiply by 1/sigma; a product with the gradient; add to both sums; multiply by
    one of them and subtract both; multiply by gamma/sigma. Per set: both sums are divided by its size, and
    gamma/sigma is a product. The two sums are the gradients of gamma and beta.

    Source: Ioffe and Szegedy, "Batch Normalization" (2015), section 3, simplified.
    """
    count = elements(x)
    sums = Work(multiplications=2 * count, additions=3 * count)
    rest = Work(multiplications=2 * count + groups, additions=2 * count, divisions=2 * groups)
    if affine:
        return Backward(rest, sums)
    both = {name: getattr(rest, name) + getattr(sums, name) for name in ("multiplications", "additions", "divisions")}
    return Backward(Work(**both), Work())


def _normalise(x: Shape, groups: Num, affine: bool) -> Work:  # noqa: FBT001 - a field of both callers
    """Mean, variance and normalisation of ``groups`` sets that share the elements of ``x``.

    Per element: add to the mean; subtract it, square, add to the variance; multiply by 1/sigma; and with
    ``affine`` multiply by gamma, add beta. Per set: both sums start from their first element (one addition
    fewer each), epsilon is added, and there are two divisions, a square root and a reciprocal.
    """
    count = elements(x)
    return Work(
        norm_params=2 * x[0] if affine else 0,
        multiplications=count * (3 if affine else 2),
        additions=count * (4 if affine else 3) - groups,
        divisions=4 * groups,
        read=count,
        written=count,
    )


class _AlongAxes(_Norm):
    """What normalisations along one axis or several share: which elements are one set, and what a position sees."""

    reads_whole_map = False

    axis = axis_list("c", "the axis or axes along which elements are normalised together")

    def shape(self, x: Shape) -> Shape:
        """As it came.

        Raises:
            FieldError: there is no such axis.
        """
        axes_of(self.axis, x)
        return x

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position, and all positions along the axes."""
        return everything(field, x[1 + axis]) if 1 + axis in axes_of(self.axis, x) else field

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:
        """All channels, where they are normalised together; else the same channel."""
        return [union(seen[0])] * y[0] if 0 in axes_of(self.axis, x) else list(seen[0])

    def _sets(self, x: Shape) -> Num:
        """How many sets of elements are normalised, each for itself."""
        return elements(without(x, axes_of(self.axis, x)))


class LayerNorm(_AlongAxes):
    """Layer normalisation along one axis or several, with a scale and a shift for every place along them.

    Without ``axis`` it is that over the channels of each position.

    Source: Ba et al., "Layer Normalization" (2016), equation 4; over channels as in ConvNeXt (Liu et al., 2022);
    other axes: ``normalized_shape`` of ``torch.nn.LayerNorm``.

    >>> LayerNorm().work((96, 56, 56), (96, 56, 56)).params
    192
    >>> LayerNorm(axis=("c", "h", "w")).work((96, 8, 8), (96, 8, 8)).params == 2 * 96 * 8 * 8
    True
    """

    key = "layer_norm"
    also = ("LayerNormalization", "ln")
    formulas = {
        "norm_params": "2 C",
        "multiplications": "3 C * H * W",
        "additions": "4 C * H * W - H * W",
        "divisions": "4 H * W (square root and reciprocal included)",
        "other axes": "their sizes for C, the others for H * W",
    }

    affine = flag(True, "whether there are a trainable scale and shift")

    def work(self, x: Shape, y: Shape) -> Work:  # noqa: ARG002 - the shape does not change
        """Statistics of every set, then a normalised element each."""
        work = _normalise(x, self._sets(x), self.affine)
        if self.affine:
            work.norm_params = 2 * prod(x[place] for place in axes_of(self.axis, x))
        return work

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """Through the statistics of every set."""
        return _normalise_backward(x, self._sets(x), self.affine)


class RMSNorm(_AlongAxes):
    """Every element divided by the root of the mean square along one axis or several, with a scale for every place.

    Without ``axis`` it is that over the channels of each position.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019), equation 4; ``torch.nn.RMSNorm``.

    >>> RMSNorm().work((96, 56, 56), (96, 56, 56)).params
    96
    """

    key = "rms_norm"
    also = ("RMSNormalization",)
    formulas = {
        "norm_params": "C",
        "multiplications": "3 C * H * W",
        "additions": "C * H * W",
        "divisions": "3 H * W (square root and reciprocal included)",
        "other axes": "their sizes for C, the others for H * W",
    }

    scale = flag(True, "whether there is a trainable scale")

    def work(self, x: Shape, y: Shape) -> Work:  # noqa: ARG002 - the shape does not change
        """Squares, their mean and epsilon, a root and its reciprocal per set; a product or two per element."""
        count, sets = elements(x), self._sets(x)
        return Work(
            norm_params=prod(x[place] for place in axes_of(self.axis, x)) if self.scale else 0,
            multiplications=count * (2 + int(self.scale)),
            additions=count,  # one fewer per set for the sum, one for epsilon
            divisions=3 * sets,
            read=count,
            written=count,
        )

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """With ``n`` for the normalised input: ``(g - n mean(g n)) / root``, ``g`` the gradient times the scale."""
        count, sets = elements(x), self._sets(x)
        scale = int(self.scale)
        return Backward(
            Work(multiplications=(4 + scale) * count, additions=2 * count - sets, divisions=sets),
            Work(multiplications=count, additions=count) if self.scale else Work(),
        )


class L2Norm(_AlongAxes):
    """Every element divided by the Euclidean length along one axis or several.

    Without ``axis`` it is that of the channels of each position; ``scale`` adds a trained factor per channel.

    Source: Liu et al., "ParseNet" (2015), equations 1 and 3; ``torch.nn.functional.normalize``.

    >>> L2Norm(scale=True).work((512, 38, 38), (512, 38, 38)).params
    512
    """

    key = "l2_norm"
    also = ("L2Normalize", "L2Normalization", "Normalize", "LpNormalization", "UnitNormalization")
    formulas = {
        "other_params": "C with a scale",
        "multiplications": "C * H * W, 2 C * H * W with a scale",
        "additions": "(C - 1) * H * W",
        "comparisons": "H * W (with epsilon)",
        "divisions": "C * H * W + H * W (square root included)",
        "other axes": "their sizes for C, the others for H * W",
    }

    scale = flag(False, "whether there is a trainable scale per channel")

    def work(self, x: Shape, y: Shape) -> Work:  # noqa: ARG002 - the shape does not change
        """Squares, their sum, its root and a comparison with epsilon per set; a quotient per element."""
        count, sets = elements(x), self._sets(x)
        return Work(
            other_params=x[0] if self.scale else 0,
            multiplications=count * (1 + int(self.scale)),
            additions=count - sets,
            comparisons=sets,
            divisions=count + sets,
            read=count,
            written=count,
        )

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """``(g - y sum(g y)) / length``: two products, a difference and a quotient an element, a sum a set."""
        count, sets = elements(x), self._sets(x)
        scale = int(self.scale)
        return Backward(
            Work(multiplications=(2 + scale) * count, additions=2 * count - sets, divisions=count),
            Work(multiplications=count, additions=count) if self.scale else Work(),
        )


class GlobalResponseNorm(_Norm):
    """Global response normalisation: channels scaled by their length over the map, divided by the mean length.

    ``x + gamma x n + beta``, where ``n`` is the channel's length divided by the mean length of all channels.

    Source: Woo et al., "ConvNeXt V2" (2023), algorithm 1.

    >>> GlobalResponseNorm().work((384, 56, 56), (384, 56, 56)).params
    768
    """

    key = "grn"
    also = ("GlobalResponseNorm", "GlobalResponseNormalization")
    reads_whole_map = True
    formulas = {
        "norm_params": "2 C",
        "multiplications": "3 C * H * W",
        "additions": "3 C * H * W",
        "divisions": "2 C + 1 (square roots included)",
    }

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """All channels, through their mean length."""
        return [union(seen[0])] * y[0]

    def work(self, x: Shape, y: Shape) -> Work:  # noqa: ARG002 - the shape does not change
        """Squares and sums; a root and a quotient per channel, and their mean; operations per element."""
        count = elements(x)
        return Work(
            norm_params=2 * x[0],
            multiplications=3 * count,  # the square; the channel's factor; gamma
            additions=3 * count,  # sums, the mean of the lengths and its epsilon; beta; the input
            divisions=2 * x[0] + 1,
            read=count,
            written=count,
        )

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """Through the product with the channel's factor, and through the lengths and their mean.

        Per element: the gradient times gamma and the factor, and its product with the input, whose sums over the map
        are the gradients of the factors; the input times a number per channel; two sums. Per channel: the rule of a
        quotient.
        """
        count, channels = elements(x), x[0]
        return Backward(
            Work(multiplications=4 * count + 3 * channels, additions=3 * count + 2 * channels, divisions=3 * channels),
            Work(multiplications=2 * count, additions=2 * count),
        )


class GroupNorm(_Norm):
    """Group normalisation: statistics over a group of channels and the whole map. One channel a group: instance norm.

    Source: Wu and He, "Group Normalization" (2018), equations 1, 2, 7.

    >>> GroupNorm(groups=32).work((256, 14, 14), (256, 14, 14)).params
    512
    """

    key = "group_norm"
    also = ("GroupNormalization", "gn")
    special = {
        "InstanceNorm": "{groups: x.c}",
        "InstanceNormalization": "{groups: x.c}",
        "LazyInstanceNorm": "{groups: x.c}",
    }
    reads_whole_map = True
    formulas = {
        "norm_params": "2 C",
        "multiplications": "3 C * H * W",
        "additions": "4 C * H * W - G",
        "divisions": "4 G (square root and reciprocal included)",
    }

    groups = size(32, "channel groups")
    affine = flag(True, "whether there are a trainable scale and shift per channel")

    def shape(self, x: Shape) -> Shape:
        """As it came; the groups must divide the channels."""
        divide_channels(x[0], self.groups, "in_channels by groups")
        return x

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """All channels of its group."""
        size = len(seen[0]) // self.groups
        return [
            bits for first in range(0, len(seen[0]), size) for bits in [union(seen[0][first : first + size])] * size
        ]

    def work(self, x: Shape, y: Shape) -> Work:  # noqa: ARG002 - the shape does not change
        """Statistics of every group, then a normalised element each."""
        return _normalise(x, self.groups, self.affine)

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """Through the statistics of every group."""
        return _normalise_backward(x, self.groups, self.affine)


class LocalResponseNorm(_Norm):
    """Local response normalisation across ``size`` neighbouring channels.

    Per element: a square; a sum over the window; scale and offset; a power; a division. Windows at the border
    are counted whole.

    Source: Krizhevsky et al. (2012), section 3.3.

    >>> LocalResponseNorm(size=5).work((96, 27, 27), (96, 27, 27)).params
    0
    """

    key = "lrn"
    also = ("LocalResponseNorm", "LocalResponseNormalization", "CrossMapLRN")
    reads_whole_map = False
    formulas = {
        "multiplications": "2 C * H * W",
        "additions": "size * C * H * W",
        "exponentials": "C * H * W",
        "divisions": "C * H * W",
    }

    size = size(5, "channels in a window")

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The channels of its window."""
        before, after = self.size // 2, (self.size + 1) // 2
        return [union(seen[0][max(place - before, 0) : place + after]) for place in range(y[0])]

    def work(self, x: Shape, y: Shape) -> Work:
        """The window's sum of squares (size - 1 additions) plus the offset, and the rest of the formula."""
        count = elements(x)
        return Work(
            multiplications=2 * count,
            additions=self.size * count,
            exponentials=count,
            divisions=count,
            read=count,
            written=elements(y),
        )

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """The formula's sum of squares once more, and its derivative.

        With ``d`` for scale and offset plus the sum: the gradient times ``d^-beta``, minus the input times a constant
        times the windowed sum of gradient times output over ``d``.
        """
        count = elements(x)
        return Backward(
            Work(
                multiplications=6 * count,
                additions=2 * self.size * count,
                exponentials=count,
                divisions=count,
            ),
            Work(),
        )
