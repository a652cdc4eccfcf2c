"""Convolutions and the fully connected layer: where the multiply-accumulates are."""

from __future__ import annotations

from convcost.algebra import Num, prod, provably, require
from convcost.layers.base import Layer, Shape, Work, elements
from convcost.layers.fields import axes, flag, padding, size
from convcost.layers.window import divide_channels, extent, per_axis, show, sides, spatial, windows


class Conv(Layer):
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


class ConvTranspose(Layer):
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

    def kind_of(self, x: Shape, y: Shape) -> str:  # noqa: ARG002 - the base class hands in both
        """Always ``transposed``."""
        return "transposed"


class Linear(Layer):
    """Fully connected layer over all elements of its input (a map is flattened first).

    Source: the inner product; a 1x1 convolution of the same widths on a 1x1 map costs the same.

    >>> Linear(out=1000).work((2048, 1, 1), (1000,)).params
    2049000
    """

    key = "linear"
    family = "linear"
    formulas = {"weights": "O * I * H * W", "biases": "O", "macs": "O * I * H * W"}

    out = size(doc="output features")
    bias = flag(True, "whether a bias is added")

    def shape(self, x: Shape) -> Shape:  # noqa: ARG002 - any shape will do
        """``(out,)``."""
        return (self.out,)

    def work(self, x: Shape, y: Shape) -> Work:
        """One multiply-accumulate per weight."""
        weights = self.out * elements(x)
        return Work(
            weights=weights,
            biases=self.out if self.bias else 0,
            macs=weights,
            bias_adds=elements(y) if self.bias else 0,
            read=elements(x),
            written=elements(y),
        )
