"""Normalisations, at inference, each with its affine part counted as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.layers.base import Layer, Shape, Work, elements
from convcost.layers.fields import flag, size
from convcost.layers.window import divide_channels

if TYPE_CHECKING:
    from convcost.algebra import Num


class BatchNorm(Layer):
    """Batch normalisation with stored statistics: one multiplication and one addition per element.

    Scale, shift and statistics of a channel are constants at inference and fold into one factor and one offset.
    ``scale: false`` or ``shift: false`` leave out gamma or beta (Keras' Inception has no gamma).

    Source: Ioffe and Szegedy, "Batch Normalization" (2015), algorithm 2, line 11.

    >>> BatchNorm().work((64, 56, 56), (64, 56, 56)).params
    128
    """

    key = "batch_norm"
    family = "norm"
    formulas = {
        "norm_params": "2 C",
        "buffers": "2 C (running mean and variance)",
        "multiplications": "C * H * W",
        "additions": "C * H * W",
    }

    scale = flag(True, "whether there is a trainable scale (gamma) per channel")
    shift = flag(True, "whether there is a trainable shift (beta) per channel")

    def shape(self, x: Shape) -> Shape:
        """As it came."""
        return x

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


class LayerNorm(Layer):
    """Layer normalisation over the channels of each position, with scale and shift per channel.

    Source: Ba et al., "Layer Normalization" (2016), equation 4; over channels as in ConvNeXt (Liu et al., 2022).

    >>> LayerNorm().work((96, 56, 56), (96, 56, 56)).params
    192
    """

    key = "layer_norm"
    family = "norm"
    formulas = {
        "norm_params": "2 C",
        "multiplications": "3 C * H * W",
        "additions": "4 C * H * W - H * W",
        "divisions": "4 H * W (square root and reciprocal included)",
    }

    affine = flag(True, "whether there are a trainable scale and shift per channel")

    def shape(self, x: Shape) -> Shape:
        """As it came."""
        return x

    def work(self, x: Shape, y: Shape) -> Work:  # noqa: ARG002 - the shape does not change
        """Statistics of every position, then a normalised element each."""
        return _normalise(x, elements(x[1:]), self.affine)


class GroupNorm(Layer):
    """Group normalisation: statistics over a group of channels and the whole map. One channel a group: instance norm.

    Source: Wu and He, "Group Normalization" (2018), equations 1, 2, 7.

    >>> GroupNorm(groups=32).work((256, 14, 14), (256, 14, 14)).params
    512
    """

    key = "group_norm"
    family = "norm"
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

    def work(self, x: Shape, y: Shape) -> Work:  # noqa: ARG002 - the shape does not change
        """Statistics of every group, then a normalised element each."""
        return _normalise(x, self.groups, self.affine)


class LocalResponseNorm(Layer):
    """Local response normalisation across ``size`` neighbouring channels.

    Per element: a square; a sum over the window; scale and offset; a power; a division. Windows at the border
    are counted whole.

    Source: Krizhevsky et al. (2012), section 3.3.

    >>> LocalResponseNorm(size=5).work((96, 27, 27), (96, 27, 27)).params
    0
    """

    key = "lrn"
    family = "norm"
    formulas = {
        "multiplications": "2 C * H * W",
        "additions": "size * C * H * W",
        "exponentials": "C * H * W",
        "divisions": "C * H * W",
    }

    size = size(5, "channels in a window")

    def shape(self, x: Shape) -> Shape:
        """As it came."""
        return x

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
