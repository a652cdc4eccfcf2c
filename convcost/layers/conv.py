"""Convolutions and the fully connected layer: all layers with multiply-accumulates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from convcost.errors import ShapeError
from convcost.layers.base import Backward, Layer, Operands, Saved, Shape, Work, elements, read_by, union
from convcost.layers.fields import axes, axis, flag, padding, size
from convcost.layers.reach import ReceptiveField, everything, spreading, whole
from convcost.layers.window import (
    axis_of,
    divide_channels,
    extent,
    per_axis,
    replaced,
    require_flat,
    show,
    sides,
    sliding_field,
    spatial,
    windows,
)
from convcost.numbers.arithmetic import Num, prod, provably, require, total

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Weighted(Layer):
    """What convolutions and linear layers share: what they keep, and what their gradients cost.

    Both gradients are made of the same products as the output: each weight meets each input position that it met on
    the way forward. The gradient of a bias is the sum of the output's gradients.

    Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 9.5; ``torch.utils.flop_counter`` counts
    the same for convolutions without groups.
    """

    reads_whole_map = False
    fusing = "head"
    is_view = False

    def drawn_as(self, kind: str) -> str:
        """Its key in words, or that it reads each channel on its own."""
        return "depthwise" if kind in ("depthwise", "global-depthwise") else self.key.replace("_", " ")

    def saves(self, x: Shape, y: Shape) -> Saved:  # noqa: ARG002 - the input, whatever it is
        """Its input, for the gradient of the weights."""
        return Saved(input=True)

    def backward(self, x: Shape, y: Shape) -> Backward:
        """As many multiply-accumulates for either gradient as the forward pass has."""
        forward = self.work(x, y)
        return Backward(Work(macs=forward.macs), Work(macs=forward.macs, additions=forward.bias_adds))


def _of_groups(seen: Sequence[int], groups: int, out: int) -> list[int]:
    """What ``out`` channels depend on, each of which reads all channels of its group."""
    size, made = len(seen) // groups, out // groups
    return [bits for first in range(0, len(seen), size) for bits in [union(seen[first : first + size])] * made]


class Conv(_Weighted):
    """Convolution over 1, 2 or 3 spatial axes, grouped or not.

    Each of the ``groups`` sees ``in/groups`` channels and makes ``out/groups``. Bias is counted apart
    from the multiply-accumulates; positions in the padding are counted like any other.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016), relationship 6;
    groups: Krizhevsky et al. (2012), section 3.2.

    >>> conv = Conv(out=64, kernel=7, stride=2, padding=3, bias=False)
    >>> conv.shape((3, 224, 224))
    (64, 112, 112)
    >>> conv.work((3, 224, 224), (64, 112, 112)).macs
    118013952
    """

    key = "conv"
    family = "conv"
    also: ClassVar[tuple[str, ...]] = ("Convolution", "QLinearConv", "ConvInteger", "LazyConv")
    kinds: ClassVar[tuple[str, ...]] = (
        "standard",
        "pointwise",
        "grouped",
        "pointwise-grouped",
        "depthwise",
        "global-depthwise",
        "dilated",
        "spatially-separable",
    )
    formulas = {
        "weights": "O * K^n * I/G",
        "biases": "O",
        "macs": "H_out * W_out * O * K^n * I/G",
        "output": "floor((H + 2p - (dilation (K - 1) + 1)) / stride) + 1; same: ceil(H / stride)",
    }

    out = size(doc="output channels")
    kernel = axes(1, "kernel size, or one per axis")
    stride = axes(1, "step of the window")
    padding = padding("same", "same, valid, a size, one per axis, or [before, after] pairs")
    dilation = axes(1, "distance between kernel elements")
    groups = size(1, "channel groups; the input's channels for a depthwise convolution")
    bias = flag(True, "whether a bias is added")

    def shape(self, x: Shape) -> Shape:
        """``(out, *windows)``."""
        area = windows(x, self.key, self.kernel, self.stride, self.padding, self.dilation)
        divide_channels(x[0], self.groups, "in_channels by groups")
        divide_channels(self.out, self.groups, "out_channels by groups")
        return (self.out, *area)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """All channels of its group."""
        return _of_groups(seen[0], self.groups, y[0])

    def work(self, x: Shape, y: Shape) -> Work:
        """One multiply-accumulate per weight and output position."""
        weights = self._weights(x)
        positions = elements(y[1:])
        return Work(
            weights=weights,
            biases=self.out if self.bias else 0,
            macs=weights * positions,
            bias_adds=elements(y) if self.bias else 0,
            read=elements(x),
            written=elements(y),
        )

    def _weights(self, x: Shape) -> Num:
        kernels = per_axis(self.kernel, len(x) - 1, "kernel")
        return self.out * prod(kernels) * divide_channels(x[0], self.groups, "in_channels by groups")

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
        """A window."""
        return sliding_field(self, field, axis, x, y)

    def kind_of(self, x: Shape, y: Shape) -> str:
        """Standard, pointwise, grouped, depthwise ...: see ``docs/layers.md``."""
        kernels = per_axis(self.kernel, len(x) - 1, "kernel")
        pointwise = all(provably(k, 1) for k in kernels)
        if not provably(self.groups, 1):
            if provably(self.groups, x[0]):
                whole_map = not pointwise and all(provably(k, n) for k, n in zip(kernels, x[1:], strict=True))
                covers = whole_map and all(provably(n, 1) for n in y[1:])
                return "global-depthwise" if covers else "depthwise"
            return "pointwise-grouped" if pointwise else "grouped"
        if pointwise:
            return "pointwise"
        if not all(provably(d, 1) for d in per_axis(self.dilation, len(kernels), "dilation")):
            return "dilated"
        if len(kernels) > 1 and any(provably(k, 1) for k in kernels):
            return "spatially-separable"
        return "standard"


class ConvTranspose(_Weighted):
    """Transposed convolution: each input position writes a kernel-sized patch.

    The default padding is 0, where a convolution's is ``same``. ``padding: same`` gives ``in * stride``.

    Source: Dumoulin and Visin (2016), relationship 14; cost: one multiply-accumulate per weight and *input*
    position.

    >>> up = ConvTranspose(out=64, kernel=2, stride=2)
    >>> up.shape((128, 28, 28))
    (64, 56, 56)
    """

    key = "conv_transpose"
    family = "conv"
    also = ("Deconvolution", "Deconv", "UpConv", "LazyConvTranspose")
    kinds = ("transposed",)
    formulas = {
        "weights": "O * K^n * I/G",
        "biases": "O",
        "macs": "H_in * W_in * O * K^n * I/G",
        "output": "(H - 1) stride - 2p + dilation (K - 1) + 1 + output_padding",
    }

    out = size(doc="output channels")
    kernel = axes(1, "kernel size, or one per axis")
    stride = axes(1, "distance between the patches")
    padding = padding(0, "how much is cut off each side: same, valid, a size, one per axis, or pairs")
    output_padding = axes(0, "rows and columns added at the end", minimum=0)
    dilation = axes(1, "distance between kernel elements")
    groups = size(1, "channel groups")
    bias = flag(True, "whether a bias is added")

    def shape(self, x: Shape) -> Shape:
        """``(out, *sizes)``.

        Raises:
            ShapeError: nothing is left after cutting the padding.
        """
        sizes = spatial(x, self.key)
        count = len(sizes)
        divide_channels(x[0], self.groups, "in_channels by groups")
        divide_channels(self.out, self.groups, "out_channels by groups")
        strides = per_axis(self.stride, count, "stride")
        if self.padding == "same":
            return (self.out, *(n * s for n, s in zip(sizes, strides, strict=True)))
        area = tuple(
            (n - 1) * s - before - after + extent(k, d) + extra
            for n, s, k, d, extra, (before, after) in zip(
                sizes,
                strides,
                per_axis(self.kernel, count, "kernel"),
                per_axis(self.dilation, count, "dilation"),
                per_axis(self.output_padding, count, "output_padding"),
                sides(self.padding, count),
                strict=True,
            )
        )
        for n in area:
            require(">=", n, 1, f"{self.key}: the padding leaves nothing of the output ({show(area)})")
        return (self.out, *area)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """All channels of its group."""
        return _of_groups(seen[0], self.groups, y[0])

    def work(self, x: Shape, y: Shape) -> Work:
        """One multiply-accumulate per weight and input position."""
        kernels = per_axis(self.kernel, len(x) - 1, "kernel")
        weights = self.out * prod(kernels) * divide_channels(x[0], self.groups, "in_channels by groups")
        return Work(
            weights=weights,
            biases=self.out if self.bias else 0,
            macs=weights * elements(x[1:]),
            bias_adds=elements(y) if self.bias else 0,
            read=elements(x),
            written=elements(y),
        )

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The input positions whose patches cover an output position."""
        count = len(x) - 1
        kernel = per_axis(self.kernel, count, "kernel")[axis]
        stride = per_axis(self.stride, count, "stride")[axis]
        dilation = per_axis(self.dilation, count, "dilation")[axis]
        if self.padding == "same":
            cut = max(extent(kernel, dilation) - stride, 0) // 2
        else:
            cut = sides(self.padding, count)[axis][0]
        return spreading(field, kernel, stride, dilation, cut)

    def kind_of(self, x: Shape, y: Shape) -> str:  # noqa: ARG002 - the base class hands in both
        """Always ``transposed``."""
        return "transposed"


class Linear(_Weighted):
    """Fully connected layer over the features of a flat input, or along one axis of a map.

    Without ``axis`` the input must be flat, or a map of a single position, where flattening changes nothing. A larger
    map is refused, because libraries differ: here it needs a ``flatten`` before it, or ``axis: c``, which applies
    the same weights at every position, as a 1x1 convolution does. Along a spatial axis the same weights act on every
    channel, as in the token mixing of an MLP-Mixer.

    Source: the inner product; ``axis: c`` is ``keras.layers.Dense`` on a map and ``torch.nn.Linear`` on a sequence
    whose last axis holds the channels; spatial axes: Tolstikhin et al., "MLP-Mixer" (2021), equation 1.

    >>> Linear(out=1000).work((2048, 1, 1), (1000,)).params
    2049000
    >>> steps = Linear(out=10, axis="c")
    >>> steps.shape((64, 128)), steps.work((64, 128), (10, 128)).params, steps.work((64, 128), (10, 128)).macs
    ((10, 128), 650, 81920)
    """

    key = "linear"
    family = "linear"
    also = (
        "Dense",
        "Gemm",
        "InnerProduct",
        "fc",
        "FullyConnected",
        "EinsumDense",
        "LazyLinear",
        "MatMulInteger",
        "QGemm",
        "QLinearMatMul",
        "addmm",
    )
    kinds = ()
    formulas = {"weights": "O * I", "biases": "O", "macs": "O * I; with axis: c, O * I * H * W; and so on"}

    out = size(doc="output features")
    axis = axis(None, "the axis whose sizes the weights meet, as c for the channels; without it the input is flat")
    bias = flag(True, "whether a bias is added")

    def shape(self, x: Shape) -> Shape:
        """``(out,)``; with ``axis`` the input's shape with ``out`` along it.

        Raises:
            ShapeError: the input is a map of several positions and ``axis`` does not say what to do with them.
        """
        if self.axis is not None:
            return replaced(x, axis_of(self.axis, x), self.out)
        require_flat(
            x, self.key, "`global_avg_pool`, or write `axis: c` for the same weights at every position, as a 1x1 conv"
        )
        return (self.out,)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:
        """All channels; along another axis, the same channel."""
        along_channels = self.axis is None or axis_of(self.axis, x) == 0
        return _of_groups(seen[0], 1, y[0]) if along_channels else list(seen[0])

    def work(self, x: Shape, y: Shape) -> Work:
        """One multiply-accumulate per weight and position."""
        place = 0 if self.axis is None else axis_of(self.axis, x)
        weights = self.out * x[place]
        return Work(
            weights=weights,
            biases=self.out if self.bias else 0,
            macs=x[place] * elements(y),
            bias_adds=elements(y) if self.bias else 0,
            read=elements(x),
            written=elements(y),
        )

    def reads(self, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:  # noqa: ARG002
        """The whole map; with ``axis`` the position itself, and all positions along a spatial one."""
        if self.axis is None:
            return whole(field, x[1 + axis])
        return everything(field, x[1 + axis]) if axis_of(self.axis, x) == 1 + axis else field


class DeformConv(Conv):
    """Deformable convolution: a convolution whose taps lie at offsets that a second convolution predicts.

    A convolution of the same input, kernel, stride, padding and dilation predicts one offset per axis for every tap and
    offset group, with a bias; ``modulated`` (version 2) adds a factor for every tap, through a sigmoid. A value between
    positions is a weighted sum of its 2^n neighbours, whose weights the channels of an offset group share. Neither
    the offsets nor the values are written to memory here.

    Source: Dai et al., "Deformable Convolutional Networks" (2017), section 2.1; modulation: Zhu et al. (2019), section
    3.1; ``torchvision.ops.deform_conv2d``, which takes the offsets that are predicted here.

    >>> deformed = DeformConv(out=64, kernel=3, padding=1)
    >>> deformed.work((64, 64, 64), (64, 64, 64)).macs == 150_994_944 + 42_467_328
    True
    """

    key = "deform_conv"
    also: ClassVar[tuple[str, ...]] = ("DeformableConv", "DCN", "ModulatedDeformConv")
    kinds = ()
    reads_whole_map = True
    formulas = {
        "predicted": "D * K^n * n, modulated D * K^n * (n + 1), with D offset groups: channels of the offsets",
        "weights": "O * K^n * I/G + predicted * K^n * I",
        "biases": "O + predicted",
        "macs": "H_out * W_out * weights",
        "multiplications": "H_out * W_out * K^n * (2^n * I + 2^n (n - 1) D), modulated I * K^n * H_out * W_out more",
        "additions": "H_out * W_out * K^n * ((2^n - 1) I + 3 n D)",
        "modulated": "a sigmoid of D * K^n * H_out * W_out",
    }

    offset_groups = size(1, "groups of input channels that share their offsets")
    modulated = flag(False, "whether a factor per tap is predicted too (version 2)")

    def shape(self, x: Shape) -> Shape:
        """``(out, *windows)``; the offset groups must divide the input's channels."""
        divide_channels(x[0], self.offset_groups, "in_channels by offset_groups", "offset_groups")
        return super().shape(x)

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Shape, y: Shape) -> list[int]:  # noqa: ARG002
        """All channels, through the offsets."""
        return _of_groups(seen[0], 1, y[0])

    def work(self, x: Shape, y: Shape) -> Work:
        """Both convolutions, and the interpolation at every tap."""
        count = len(x) - 1
        positions = elements(y[1:])
        kernel_size = prod(per_axis(self.kernel, count, "kernel"))
        taps = self.offset_groups * kernel_size
        predicted = self._predicted(x)
        weights = self._weights(x) + predicted * kernel_size * x[0]
        sampled = x[0] * kernel_size * positions
        places = taps * positions
        factors = int(self.modulated)
        return Work(
            weights=weights,
            biases=predicted + (self.out if self.bias else 0),
            macs=weights * positions,
            bias_adds=predicted * positions + (elements(y) if self.bias else 0),
            # a weighted sum of 2^n neighbours; their weights are products over the axes of the two distances
            multiplications=sampled * (2**count + factors) + places * 2**count * (count - 1),
            # per axis and place: the offset is added, the lower neighbour subtracted, and that distance from 1
            additions=sampled * (2**count - 1) + places * (3 * count + factors),
            divisions=factors * places,
            exponentials=factors * places,
            read=elements(x),
            written=elements(y),
        )

    def _predicted(self, x: Shape) -> Num:
        """Channels of the offsets, with ``modulated`` of the factors too."""
        count = len(x) - 1
        return self.offset_groups * prod(per_axis(self.kernel, count, "kernel")) * (count + int(self.modulated))

    def saves(self, x: Shape, y: Shape) -> Saved:
        """Its input, and what was predicted."""
        return Saved(input=True, inside=self._predicted(x) * elements(y[1:]))

    def backward(self, x: Shape, y: Shape) -> Backward:
        """Both convolutions, and the derivatives of the interpolation.

        The gradient of a value goes to its 2^n neighbours (a product and a sum each) and, per axis, to the offset (a
        weighted sum of the neighbours, its product with the gradient, and a sum over channels).
        """
        count = len(x) - 1
        forward = self.work(x, y)
        sampled = x[0] * prod(per_axis(self.kernel, count, "kernel")) * elements(y[1:])
        factors = int(self.modulated)
        inner = self._predicted(x) * sampled
        sigmoids = factors * self.offset_groups * prod(per_axis(self.kernel, count, "kernel")) * elements(y[1:])
        to_input = Work(
            macs=inner,
            multiplications=sampled * 2**count,
            additions=sampled * 2**count,
        )
        to_params = Work(  # the weights of the offsets need the gradients of the values and of the offsets
            macs=forward.macs + (forward.macs - inner),
            multiplications=sampled * (count * (2**count + 1) + 2 * factors) + 2 * sigmoids,
            additions=sampled * (count * 2**count + factors) + sigmoids + forward.bias_adds,
        )
        return Backward(to_input, to_params)

    def kind_of(self, x: Shape, y: Shape) -> str:  # noqa: ARG002 - the base class hands in both
        """Always ``deform_conv``."""
        return self.key


class LocallyConnected(Conv):
    """A convolution whose weights and biases are not shared: every output position has a kernel of its own.

    Source: Taigman et al., "DeepFace" (2014), section 3; ``LocallyConnected2D`` of Keras 2, which has a bias per output
    element too.

    >>> local = LocallyConnected(out=16, kernel=9, padding="valid")
    >>> local.work((16, 63, 63), (16, 55, 55)).weights == 16 * 81 * 16 * 55 * 55
    True
    """

    key = "locally_connected"
    also: ClassVar[tuple[str, ...]] = ("LocallyConnectedConv", "LocalConv", "unshared_conv")
    kinds = ()
    formulas = {
        "weights": "H_out * W_out * O * K^n * I/G",
        "biases": "H_out * W_out * O",
        "macs": "as many as weights",
        "output": "as a conv",
    }

    def work(self, x: Shape, y: Shape) -> Work:
        """One multiply-accumulate per weight."""
        work = super().work(x, y)
        work.weights = work.macs
        work.biases = work.bias_adds
        return work

    def kind_of(self, x: Shape, y: Shape) -> str:  # noqa: ARG002 - the base class hands in both
        """Always ``locally_connected``."""
        return self.key


class DynamicConv(Conv):
    """A convolution whose kernel is mixed anew for every sample, from experts: ``sum(a_k W_k)``, and so the bias.

    The first branch is the map, the second the weights of the mixture, one per expert, as they come from
    ``global_avg_pool``, ``linear`` and a ``softmax`` or ``sigmoid``. The number of experts is that of the weights. The
    mixed kernel is written to memory and read again.

    Source: Yang et al., "CondConv" (2019), equation 1; Chen et al., "Dynamic Convolution" (2020), equation 2.

    >>> mixed = DynamicConv(out=64, kernel=3)
    >>> work = mixed.work((((64, 8, 8), 1), ((4,), 1)), (64, 8, 8))
    >>> work.params == 4 * (9 * 64 * 64 + 64), work.macs == 9 * 64 * 64 * 8 * 8
    (True, True)
    """

    key = "dynamic_conv"
    merges = True
    operands = 2
    reads_whole_map = True  # where the mixture is made of the map, as it mostly is
    also: ClassVar[tuple[str, ...]] = ("CondConv", "ConditionalConv", "DyConv")
    kinds = ()
    formulas = {
        "weights": "experts * O * K^n * I/G",
        "biases": "experts * O",
        "macs": "H_out * W_out * O * K^n * I/G",
        "multiplications": "experts * (O * K^n * I/G + O)",
        "additions": "(experts - 1) * (O * K^n * I/G + O)",
        "inside": "O * K^n * I/G + O",
    }

    def shape(self, x: Any) -> Shape:
        """``(out, *windows)``.

        Raises:
            ShapeError: there are not two tensors, or the weights of the mixture are a map.
        """
        count = total(times for _, times in x)
        if type(count) is not int or count != self.operands:
            raise ShapeError(f"{self.key} takes a map and the weights of its experts, found {count} tensors")
        require_flat(self._mixture(x), f"{self.key}, for the weights of its experts,", "`global_avg_pool`")
        return super().shape(x[0][0])

    def _mixture(self, x: Operands) -> Shape:
        return x[-1][0]

    def reads_channels(self, seen: Sequence[Sequence[int]], x: Any, y: Shape) -> list[int]:  # noqa: ARG002
        """All channels of its group, and all that the kernels depend on."""
        kernels = union(seen[1])
        return [bits | kernels for bits in _of_groups(seen[0], self.groups, y[0])]

    def work(self, x: Any, y: Shape) -> Work:
        """One convolution; before it a product per expert and weight, and their sums."""
        forward = super().work(x[0][0], y)
        experts, mixed = self._mixture(x)[0], forward.weights + forward.biases
        return Work(
            weights=experts * forward.weights,
            biases=experts * forward.biases,
            macs=forward.macs,
            bias_adds=forward.bias_adds,
            multiplications=experts * mixed,
            additions=(experts - 1) * mixed,
            read=read_by(x),
            written=elements(y),
            inside=mixed,
        )

    def reads(self, field: Any, axis: int, x: Any, y: Shape) -> ReceptiveField:
        """A window of the map; the weights of the mixture have no position."""
        return sliding_field(self, field[0], axis, x[0][0], y)

    def saves(self, x: Any, y: Shape) -> Saved:
        """Its operands, and the mixed kernel."""
        return Saved(input=True, inside=self.work(x, y).inside)

    def backward(self, x: Any, y: Shape) -> Backward:
        """Those of the convolution; a product and a sum per expert and weight, for the mixture and for the experts."""
        forward = self.work(x, y)
        experts = forward.multiplications
        return Backward(
            Work(macs=forward.macs, multiplications=experts, additions=experts),
            Work(macs=forward.macs, multiplications=experts, additions=forward.bias_adds),
        )

    def kind_of(self, x: Shape, y: Shape) -> str:  # noqa: ARG002 - the base class hands in both
        """Always ``dynamic_conv``."""
        return self.key
