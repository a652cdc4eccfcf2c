"""Layers that move elements: slices, shuffles, reshapes, resizing, padding and the identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import FieldError, ShapeError
from convcost.layers.base import Backward, Layer, Saved, Shape, Work, elements, union
from convcost.layers.fields import axes, axis, axis_list, flag, padding, size, word
from convcost.layers.reach import bilinear, everything, nearest, resized, sliding, whole
from convcost.layers.window import (
    axes_of,
    axis_of,
    divide_channels,
    per_axis,
    replaced,
    require_flat,
    show,
    sides,
    spatial,
    without,
)
from convcost.numbers.arithmetic import Num, exact_div, prod, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.layers.reach import ReceptiveField


class _Tensor(Layer):
    """What layers share that only move elements: their gradients move the other way, and nothing is kept."""

    family = "shape"
    kinds = ()
    reads_whole_map = False
    fusing = "alone"

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - nothing
        """Nothing."""
        return Saved()

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - nothing
        """No arithmetic."""
        return Backward(Work(), Work())


class _Mover(_Tensor):
    """A layer whose only work is to read and write."""

    is_view = False

    def work(self, x: Shape, y: Shape) -> Work:
        """Elements moved; no arithmetic."""
        return Work(read=elements(x), written=elements(y))


class _View(_Tensor):
    """A layer that only looks at the same elements in another way."""

    is_view = True

    def work(self, x: Shape, y: Shape) -> Work:  # noqa: ARG002 - nothing happens
        """Nothing."""
        return Work()


class Identity(_View):
    """Passes its input on.

    Source: He et al., "Deep Residual Learning" (2016), section 3.2.

    >>> Identity().shape((64, 8, 8))
    (64, 8, 8)
    """

    key = "identity"
    also = ("noop", "PassThrough")

    def shape(self, x: Shape) -> Shape:
        """As it came."""
        return x

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position."""
        return field


class Flatten(_View):
    """A map as one row of features.

    Source: ``torch.nn.Flatten``.

    >>> Flatten().shape((256, 6, 6))
    (9216,)
    """

    key = "flatten"
    formulas = {"output": "C * H * W"}

    def shape(self, x: Shape) -> Shape:
        """``(elements,)``."""
        return (elements(x),)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The channel that it was in."""
        return [bits for bits in seen[0] for _ in range(prod(x[1:]))]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The whole map."""
        return whole(field, x[1 + axis])


class Reshape(_View):
    """The same elements in another shape.

    Source: ``numpy.reshape``, without the batch axis.

    >>> Reshape(to=(3, 8, 8)).shape((192,))
    (3, 8, 8)
    """

    key = "reshape"
    also = ("view", "Unflatten", "Squeeze", "Unsqueeze")
    formulas = {"output": "the sizes given; their product must equal C * H * W"}

    to = axes(doc="channels and sizes of the output")

    def shape(self, x: Shape) -> Shape:
        """``to``.

        Raises:
            ShapeError: the numbers of elements differ.
        """
        to = self.to if isinstance(self.to, tuple) else (self.to,)
        require("==", elements(to), elements(x), f"reshape: {show(x)} has not as many elements as {show(to)}")
        return to

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:
        """The channels whose elements it holds, row by row."""
        before, after = elements(x[1:]), elements(y[1:])
        return [union(seen[0][place * after // before : -(-(place + 1) * after // before)]) for place in range(y[0])]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
        """The same position where the sizes stay; else any, since positions are mixed."""
        return field if x[1:] == y[1:] else everything(field, x[1 + axis])


class Permute(_View):
    """The axes in another order: a transposed layout.

    Frameworks only note the order; a layer after it that needs the elements in a row copies them, which is not counted.

    Source: ``torch.permute``, without the batch axis.

    >>> Permute(order=("h", "w", "c")).shape((64, 8, 4))
    (8, 4, 64)
    """

    key = "permute"
    also = ("Transpose", "swapaxes")
    formulas = {"output": "the sizes in the order given"}

    order = axis_list(doc="all axes of the input, in their order in the output")

    def shape(self, x: Shape) -> Shape:
        """The sizes in that order.

        Raises:
            FieldError: an axis is missing, given twice or does not exist.
        """
        places = axes_of(self.order, x, "order")
        if len(places) != len(x):
            raise FieldError("order", f"permute: `order` names {len(places)} of the {len(x)} axes of {show(x)}")
        return tuple(x[place] for place in places)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:
        """The same channel where that axis stays the first; else all channels."""
        stays = axes_of(self.order, x, "order")[0] == 0
        return list(seen[0]) if stays else [union(seen[0])] * y[0]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position where the axis stays where it is; else any, since positions are mixed."""
        stays = axes_of(self.order, x, "order")[1 + axis] == 1 + axis
        return field if stays else everything(field, x[1 + axis])


class Slice(_View):
    """``out`` places along an axis, from place ``start`` on; without ``axis`` they are channels.

    Source: the "tower" of Krizhevsky et al. (2012), figure 2, and the segments of Chollet (2017), figure 3.

    >>> Slice(out=58, start=58).shape((116, 28, 28))
    (58, 28, 28)
    >>> Slice(out=1, axis="w").shape((768, 197))
    (768, 1)
    """

    key = "slice"
    also = ("StridedSlice", "narrow")
    formulas = {"output": "out along the axis"}

    out = size(doc="places taken")
    start = size(0, "first place taken, from 0", minimum=0)
    axis = axis("c", "the axis")

    def shape(self, x: Shape) -> Shape:
        """The input's shape with ``out`` along the axis.

        Raises:
            ShapeError: the input is too short.
        """
        place = axis_of(self.axis, x)
        end = self.start + self.out
        what = "channels" if place == 0 else "places"
        require("<=", end, x[place], f"slice: {what} {self.start} to {end} of an input with {x[place]}")
        return replaced(x, place, self.out)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The channels taken; of another axis, the same channel."""
        return list(seen[0]) if axis_of(self.axis, x) else list(seen[0][self.start : self.start + self.out])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position, moved by what lies before it."""
        return sliding(field, 1, before=-self.start) if axis_of(self.axis, x) == 1 + axis else field


class Select(_View):
    """One place along an axis, which the output does not have.

    Source: ``torch.select``.

    >>> Select(index=2).shape((3, 197, 64))
    (197, 64)
    >>> Select(axis="w").shape((768, 197))
    (768,)
    """

    key = "select"
    formulas = {"output": "the sizes of the other axes"}

    index = size(0, "which place, from 0", minimum=0)
    axis = axis("c", "the axis")

    def shape(self, x: Shape) -> Shape:
        """The input's shape without the axis.

        Raises:
            ShapeError: there is no such place, or no other axis.
        """
        place = axis_of(self.axis, x)
        if len(x) == 1:
            raise ShapeError(f"select needs a tensor with at least two axes, found one of shape {show(x)}")
        require("<", self.index, x[place], f"select: there is no place {self.index} of {x[place]} (from 0)")
        return without(x, (place,))

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:
        """The channel selected; of another axis, the same channel."""
        return list(seen[0]) if axis_of(self.axis, x) else [seen[0][self.index]] * y[0]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """Any position: the axes of the output are others."""
        return everything(field, x[1 + axis])


class Split(_View):
    """One of ``parts`` equal parts along an axis; without ``axis`` they are groups of channels.

    Source: Ma et al., "ShuffleNet V2" (2018), figure 3c.

    >>> Split(parts=2, index=1).shape((116, 28, 28))
    (58, 28, 28)
    """

    key = "split"
    also = ("chunk", "TensorSplit")
    formulas = {"output": "C / parts, or so of another axis"}

    parts = size(2, "how many equal parts")
    index = size(0, "which part, from 0", minimum=0)
    axis = axis("c", "the axis")

    def shape(self, x: Shape) -> Shape:
        """The input's shape, divided by ``parts`` along the axis.

        Raises:
            ShapeError: the parts are not equal, or there is no such part.
        """
        require("<", self.index, self.parts, f"split: there is no part {self.index} of {self.parts} (from 0)")
        place = axis_of(self.axis, x)
        what = "channels by parts" if place == 0 else "size by parts"
        return replaced(x, place, exact_div(x[place], self.parts, what))

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:
        """The channels of its part; of another axis, the same channel."""
        return list(seen[0]) if axis_of(self.axis, x) else list(seen[0][self.index * y[0] : (self.index + 1) * y[0]])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
        """The same position, moved by the parts before it."""
        if axis_of(self.axis, x) != 1 + axis:
            return field
        return sliding(field, 1, before=-self.index * y[1 + axis])


class ChannelShuffle(_Mover):
    """Channels of ``groups`` groups dealt out in turn: reshape, transpose, flatten.

    Source: Zhang et al., "ShuffleNet" (2018), section 3.1.

    >>> ChannelShuffle(groups=3).shape((240, 28, 28))
    (240, 28, 28)
    """

    key = "channel_shuffle"
    also = ("ShuffleChannel",)

    groups = size(doc="channel groups")

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """One channel: the first ones of all groups, then the second ones, and so on."""
        size = len(seen[0]) // self.groups
        return [bits for place in range(size) for bits in seen[0][place::size]]

    def shape(self, x: Shape) -> Shape:
        """As it came; the groups must divide the channels."""
        divide_channels(x[0], self.groups, "channels by groups")
        return x

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position."""
        return field


class PixelShuffle(_Mover):
    """Channels rearranged into space: ``factor^n`` channels become one with sides ``factor`` times as long.

    Source: Shi et al., "Real-Time Single Image and Video Super-Resolution" (2016), section 2.2;
    ``torch.nn.PixelShuffle``.

    >>> PixelShuffle(factor=2).shape((64, 8, 8))
    (16, 16, 16)
    """

    key = "pixel_shuffle"
    also = ("DepthToSpace",)
    formulas = {"output channels": "C / factor^n", "output": "H * factor"}

    factor = size(doc="how many times longer each side becomes")

    def shape(self, x: Shape) -> Shape:
        """``(channels / factor^n, *sizes)``; the division must come out even."""
        area = spatial(x, self.key)
        channels = divide_channels(x[0], self.factor ** len(area), "channels by factor^n", "factor")
        return (channels, *(n * self.factor for n in area))

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:
        """The channels that it is made of."""
        each = self.factor ** (len(x) - 1)
        return [union(seen[0][place * each : (place + 1) * each]) for place in range(y[0])]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
        """The position that it was a channel of."""
        return resized(field, x[1 + axis], y[1 + axis], nearest(x[1 + axis], y[1 + axis]))


class PixelUnshuffle(_Mover):
    """Space rearranged into channels: patches of ``factor`` a side become channels of one position.

    Source: ``torch.nn.PixelUnshuffle``; TensorFlow and ONNX call it space to depth.

    >>> PixelUnshuffle(factor=2).shape((16, 16, 16))
    (64, 8, 8)
    """

    key = "pixel_unshuffle"
    also = ("SpaceToDepth", "reorg")
    formulas = {"output channels": "C * factor^n", "output": "H / factor"}

    factor = size(doc="how many times shorter each side becomes")

    def shape(self, x: Shape) -> Shape:
        """``(channels * factor^n, *sizes)``; the divisions must come out even."""
        area = spatial(x, self.key)
        sizes = [divide_channels(n, self.factor, "size by factor", "factor") for n in area]
        return (x[0] * self.factor ** len(area), *sizes)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:
        """The channel that it was a part of."""
        each = self.factor ** (len(x) - 1)
        return [seen[0][place // each] for place in range(y[0])]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """A patch."""
        return sliding(field, self.factor, self.factor)


class Upsample(_Tensor):
    """A larger map by repeating (nearest) or by interpolating between neighbours (bilinear).

    Bilinear along one axis is a weighted mean of two values, ``a + w (b - a)``: a multiplication and two
    additions per output; over two axes three such means per output, over three seven. Weights are constants.

    Source: ``torch.nn.Upsample``; Long et al. (2015), section 3.3.

    >>> Upsample(factor=2).shape((128, 13, 13))
    (128, 26, 26)
    """

    key = "upsample"
    also = ("Upsampling", "Resize", "interpolate", "UpsamplingNearest", "UpsamplingBilinear")
    is_view = False
    formulas = {
        "multiplications": "bilinear: (2^n - 1) * C * H_out * W_out",
        "additions": "bilinear: 2 (2^n - 1) * C * H_out * W_out",
    }

    factor = axes(None, "how many times larger, or one per axis")
    size = axes(None, "output size, or one per axis, in place of a factor")
    mode = word("nearest", ("nearest", "bilinear"), "how values in between are found")

    def shape(self, x: Shape) -> Shape:
        """``(channels, *sizes)``.

        Raises:
            FieldError: neither or both of factor and size are given.
        """
        return enlarged(self, x)

    def work(self, x: Shape, y: Shape) -> Work:
        """Nothing but copies for nearest; the means for bilinear."""
        means: Num = 0 if self.mode == "nearest" else elements(y) * (2 ** (len(y) - 1) - 1)
        return Work(multiplications=means, additions=2 * means, read=elements(x), written=elements(y))

    def interpolated(self, y: Shape) -> Num:
        """All elements, where they are means of their neighbours."""
        return 0 if self.mode == "nearest" else elements(y)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
        """One position, or the two around it."""
        before, after = x[1 + axis], y[1 + axis]
        return resized(field, before, after, (nearest if self.mode == "nearest" else bilinear)(before, after))

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - all of it is done per output
        """Every output's gradient is added to the elements it was made of, times their weights."""
        neighbours = 1 if self.mode == "nearest" else 2 ** (len(y) - 1)
        products = 0 if self.mode == "nearest" else neighbours * elements(y)
        return Backward(Work(multiplications=products, additions=neighbours * elements(y)), Work())


class MaxUnpool(_Tensor):
    """A larger map of zeros, with every element at the place that a max pooling took it from.

    The places are integers that the pooling hands over; they are read beside the elements.

    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014), section 2.1;
    ``torch.nn.MaxUnpool2d``.

    >>> MaxUnpool(factor=2).shape((64, 28, 28))
    (64, 56, 56)
    """

    key = "max_unpool"
    also = ("MaxUnpooling", "Unpooling")
    is_view = False
    formulas = {"output": "H * factor, or the size that the pooling had"}

    factor = axes(None, "how many times larger, or one per axis")
    size = axes(None, "output size, or one per axis, in place of a factor")

    def shape(self, x: Shape) -> Shape:
        """``(channels, *sizes)``.

        Raises:
            FieldError: neither or both of factor and size are given.
        """
        return enlarged(self, x)

    def work(self, x: Shape, y: Shape) -> Work:
        """Elements and their places read, the larger map written."""
        return Work(read=2 * elements(x), written=elements(y))

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
        """The position whose window it lies in."""
        return resized(field, x[1 + axis], y[1 + axis], nearest(x[1 + axis], y[1 + axis]))


def enlarged(layer: Upsample | MaxUnpool, x: Shape) -> Shape:
    """The shape of a map after a ``factor``, or with another ``size``.

    Raises:
        FieldError: neither or both are given.
    """
    area = spatial(x, layer.key)
    if (layer.factor is None) == (layer.size is None):
        raise FieldError("factor", f"{layer.key} needs either `factor` or `size`")
    if layer.size is not None:
        return (x[0], *per_axis(layer.size, len(area), "size"))
    factors = per_axis(layer.factor, len(area), "factor")
    return (x[0], *(n * f for n, f in zip(area, factors, strict=True)))


class ZeroPad(_Mover):
    """Zeros around a map, and channels of zeros after the others.

    Source: ``torch.nn.ZeroPad2d``; channels: shortcut option A of He et al., "Deep Residual Learning" (2016),
    section 3.3.

    >>> ZeroPad(sides=3).shape((3, 224, 224))
    (3, 230, 230)
    >>> ZeroPad(channels=16).shape((16, 16, 16))
    (32, 16, 16)
    """

    key = "zero_pad"
    also = ("ZeroPadding", "pad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad")
    formulas = {"output": "H + before + after", "output channels": "C + channels"}

    sides = padding(0, "a size, one per axis, or [before, after] pairs")
    channels = size(0, "how many channels of zeros", minimum=0)

    def shape(self, x: Shape) -> Shape:
        """``(channels + zeros, *padded)``.

        Raises:
            FieldError: ``sides`` is a word.
        """
        area = spatial(x, self.key)
        if isinstance(self.sides, str):
            raise FieldError("sides", f"`sides` must be a size, found '{self.sides}'")
        padded = (n + a + b for n, (a, b) in zip(area, sides(self.sides, len(area)), strict=True))
        return (x[0] + self.channels, *padded)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel; a channel of zeros depends on none."""
        return [*seen[0], *[0] * int(self.channels)]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position, moved by the zeros before it."""
        return sliding(field, 1, before=sides(self.sides, len(x) - 1)[axis][0])


class Crop(_View):
    """The middle of a map.

    Source: Ronneberger et al., "U-Net" (2015), figure 1: copy and crop.

    >>> Crop(size=56).shape((512, 64, 64))
    (512, 56, 56)
    """

    key = "crop"
    also = ("Cropping", "CenterCrop")
    formulas = {"output": "size"}

    size = axes(doc="output size, or one per axis")

    def shape(self, x: Shape) -> Shape:
        """``(channels, *size)``.

        Raises:
            ShapeError: the input is smaller than that.
        """
        area = spatial(x, self.key)
        to = per_axis(self.size, len(area), "size")
        for n, m in zip(area, to, strict=True):
            require("<=", m, n, f"crop: {show(to)} does not fit into {show(area)}")
        return (x[0], *to)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
        """The same position, moved by what is cut off before it."""
        return sliding(field, 1, before=-((x[1 + axis] - y[1 + axis]) // 2))


class Scale(Layer):
    """A trained factor per channel, and a trained offset with ``bias``.

    Source: LayerScale of ConvNeXt (Liu et al., 2022); with bias, the subsampling layers of LeNet-5 (LeCun et al.,
    1998, section II.B).

    >>> Scale(bias=True).work((6, 14, 14), (6, 14, 14)).params
    12
    """

    key = "scale"
    family = "norm"
    drawn_beside = True
    also = ("LayerScale", "affine")
    kinds = ()
    reads_whole_map = False
    fusing = "folds"
    is_view = False
    formulas = {
        "other_params": "C, with bias 2 C",
        "multiplications": "C * H * W",
        "additions": "with bias C * H * W",
    }

    bias = flag(False, "whether there is an offset too")

    def shape(self, x: Shape) -> Shape:
        """As it came."""
        return x

    def work(self, x: Shape, y: Shape) -> Work:
        """A multiply per element, and an add with ``bias``."""
        count = elements(x)
        return Work(
            other_params=x[0] * (1 + int(self.bias)),
            multiplications=count,
            additions=count if self.bias else 0,
            read=count,
            written=elements(y),
        )

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """The same channel."""
        return list(seen[0])

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The same position."""
        return field

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - the input, whatever it is
        """Its input, for the gradients of the factors."""
        return Saved(input=True)

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - the shape does not change
        """A product per element; per channel a sum of products, and a sum with ``bias``."""
        count = elements(x)
        sums = count * (1 + int(self.bias))
        return Backward(Work(multiplications=count), Work(multiplications=count, additions=sums))


class RBF(Layer):
    """Radial basis units with fixed centres: the squared distance of the input to each.

    Source: LeCun et al., "Gradient-Based Learning" (1998), equation 7.

    >>> RBF(out=10).work((84,), (10,)).buffers
    840
    """

    key = "rbf"
    family = "linear"
    also = ("RadialBasis",)
    kinds = ()
    reads_whole_map = False
    fusing = "alone"
    is_view = False
    formulas = {
        "buffers": "out * N (fixed centres)",
        "multiplications": "out * N",
        "additions": "out * (2 N - 1)",
    }

    out = size(doc="units")

    def shape(self, x: Shape) -> Shape:
        """``(out,)``.

        Raises:
            ShapeError: the input is a map of several positions.
        """
        require_flat(x, self.key, "`global_avg_pool`")
        return (self.out,)

    def work(self, x: Shape, y: Shape) -> Work:
        """A difference, a square and a sum per centre's coordinate."""
        centres: Any = self.out * elements(x)
        return Work(
            buffers=centres,
            multiplications=centres,
            additions=2 * centres - self.out,
            read=elements(x),
            written=prod(y),
        )

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """All channels."""
        return [union(seen[0])] * y[0]

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The whole map."""
        return whole(field, x[1 + axis])

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - the input, whatever it is
        """Its input, whose differences from the centres are the derivative."""
        return Saved(input=True)

    def backward(self, x: Shape, y: Shape) -> Backward:  # noqa: ARG002 - its centres are fixed
        """A difference, a product and a sum per centre's coordinate, and a factor of 2 per input."""
        centres: Any = self.out * elements(x)
        return Backward(Work(multiplications=centres + elements(x), additions=2 * centres), Work())
