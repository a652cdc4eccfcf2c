"""Output sizes of convolutions and pools, per axis."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from convcost.errors import FieldError, ShapeError, unknown
from convcost.layers.base import AXES
from convcost.layers.reach import sliding
from convcost.numbers.arithmetic import ceil_div, exact_div, floor_div, is_array, is_symbolic, minimum, require

if TYPE_CHECKING:
    from collections.abc import Callable

    from convcost.layers.base import Shape
    from convcost.layers.reach import ReceptiveField
    from convcost.numbers.arithmetic import Num


def spatial(x: Shape, layer: str) -> tuple[Num, ...]:
    """The spatial sizes of ``x``.

    Raises:
        ShapeError: it has none (it is flat), or more than three.
    """
    if not 2 <= len(x) <= 4:  # noqa: PLR2004 - channels and one to three axes
        raise ShapeError(f"{layer} needs a map with 1 to 3 spatial axes, found a tensor of shape {show(x)}")
    return x[1:]


def axis_of(axis: str | int, x: Shape, field: str = "axis") -> int:
    """The place of an axis in a shape.

    Args:
        axis: its letter, or its index; negative ones count from the end.
        x: the shape.
        field: where it was given, for the error.

    Raises:
        FieldError: the shape has no such axis.
    """
    if isinstance(axis, str):
        letters = AXES.get(len(x), AXES[1])
        if axis not in letters:
            raise FieldError(field, unknown("axis", axis, letters, of=f"a tensor of shape {show(x)}"))
        return letters.index(axis)
    if not -len(x) <= axis < len(x):
        raise FieldError(field, f"`{field}` {axis} is outside a tensor of shape {show(x)}")
    return axis % len(x)


def axes_of(axes: Any, x: Shape, field: str = "axis") -> tuple[int, ...]:
    """The places of one axis or several in a shape, in the order given.

    Raises:
        FieldError: the shape has no such axis, or one is given twice.
    """
    places = tuple(axis_of(axis, x, field) for axis in (axes if isinstance(axes, tuple) else (axes,)))
    if len(set(places)) < len(places):
        raise FieldError(field, f"`{field}` names an axis twice")
    return places


def without(x: Shape, places: tuple[int, ...]) -> Shape:
    """The sizes of a shape along all other axes."""
    return tuple(size for place, size in enumerate(x) if place not in places)


def replaced(x: Shape, place: int, size: Num) -> Shape:
    """The shape with another size along one axis."""
    return (*x[:place], size, *x[place + 1 :])


def require_flat(x: Shape, layer: str, others: str) -> None:
    """Demand that ``x`` is flat, or a map of one position, which flattening would not change.

    Args:
        x: the shape of the input.
        layer: who demands it.
        others: what may be done in place of a ``flatten``, for the error.

    Raises:
        ShapeError: it is a map of several positions.
    """
    for n in x[1:]:
        require(
            "==", n, 1, f"{layer} needs a flat input, found a map of {show(x)}: put `flatten` before it, or {others}"
        )


def show(x: Shape) -> str:
    """A shape as people write it: ``3x224x224``."""
    return "x".join(str(size) for size in x)


def per_axis(value: Any, count: int, field: str) -> tuple[Any, ...]:
    """``value`` once per spatial axis.

    Raises:
        FieldError: it is a list of another length.
    """
    if not isinstance(value, tuple):
        return (value,) * count
    if len(value) != count:
        raise FieldError(
            field, f"`{field}` lists {len(value)} sizes, but the map has {count} spatial {axes_word(count)}"
        )
    return value


def axes_word(count: int) -> str:
    """Singular or plural."""
    return "axis" if count == 1 else "axes"


def sides(padding: Any, count: int) -> tuple[tuple[Num, Num], ...]:
    """Explicit padding as ``(before, after)`` per axis."""
    if padding == "valid":
        return ((0, 0),) * count
    return tuple(side if isinstance(side, tuple) else (side, side) for side in _per_axis_padding(padding, count))


def _per_axis_padding(padding: Any, count: int) -> tuple[Any, ...]:
    return per_axis(padding, count, "padding")


def extent(kernel: Num, dilation: Num) -> Num:
    """How far a dilated kernel reaches: ``dilation (kernel - 1) + 1``."""
    return dilation * (kernel - 1) + 1


def windows(
    x: Shape,
    layer: str,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any = 1,
    *,
    ceil_mode: bool = False,
) -> tuple[Num, ...]:
    """Output sizes of a sliding window, one per spatial axis.

    ``same`` gives ``ceil(in / stride)`` whatever the kernel, as TensorFlow defines it. Otherwise
    ``floor((in + before + after - extent) / stride) + 1``; with ``ceil_mode`` rounded up, where a last
    window may stick out at the end, and is dropped if it would start beyond the input and its leading padding
    (Caffe, PyTorch).

    Raises:
        ShapeError: the kernel is larger than the padded input.
        FieldError: a field lists the wrong number of sizes.
    """
    sizes = spatial(x, layer)
    count = len(sizes)
    kernels = per_axis(kernel, count, "kernel")
    strides = per_axis(stride, count, "stride")
    dilations = per_axis(dilation, count, "dilation")
    if padding == "same":
        return tuple(
            size if step == 1 else ceil_div(size, step)  # most steps are 1, and a division of symbols takes long
            for size, step in zip(sizes, strides, strict=True)
        )
    result = []
    for size, k, step, spread, (before, after) in zip(
        sizes, kernels, strides, dilations, sides(padding, count), strict=True
    ):
        reach = extent(k, spread)
        padded = size + before + after
        most = padded + step - 1 if ceil_mode else padded  # rounding up, a window may stick out at the end
        if is_symbolic(most) or is_symbolic(reach) or is_array(most) or reach > most:
            _require_fit(reach, most, partial(_too_large, layer, k, reach, size, before + after))
        room = padded - reach
        if not ceil_mode:
            result.append(floor_div(room, step) + 1)
            continue
        windows_needed = ceil_div(room, step) + 1
        if _is_at_most(after + step, reach):  # then the last window begins inside
            result.append(windows_needed)
        else:
            result.append(minimum(windows_needed, ceil_div(size + before, step)))
    return tuple(result)


def _is_at_most(a: Num, b: Num) -> bool:
    return isinstance(a, int) and isinstance(b, int) and a <= b


def _require_fit(reach: Num, padded: Num, message: Callable[[], str]) -> None:
    try:
        require("<=", reach, padded, message)
    except ShapeError as error:
        raise FieldError("kernel", str(error)) from None


def divide_channels(channels: Num, groups: Num, what: str, field: str = "groups") -> Num:
    """``channels / groups``, which must come out even.

    Raises:
        FieldError: it does not; at ``field``.
    """
    try:
        return exact_div(channels, groups, what)
    except ShapeError as error:
        raise FieldError(field, str(error)) from None


def sliding_field(layer: Any, field: ReceptiveField, axis: int, x: Shape, y: Shape) -> ReceptiveField:
    """The receptive field after a window with the kernel, stride, padding and dilation of ``layer``."""
    count = len(x) - 1
    kernel = per_axis(layer.kernel, count, "kernel")[axis]
    stride = per_axis(layer.kernel if layer.stride is None else layer.stride, count, "stride")[axis]
    dilation = per_axis(getattr(layer, "dilation", 1), count, "dilation")[axis]
    if layer.padding == "same":
        before = max((y[1 + axis] - 1) * stride + extent(kernel, dilation) - x[1 + axis], 0) // 2
    else:
        before = sides(layer.padding, count)[axis][0]
    return sliding(field, kernel, stride, dilation, before)


def _too_large(layer: str, kernel: Num, reach: Num, size: Num, padded_by: Num) -> str:
    spread = f" (reaching over {reach})" if not is_symbolic(reach) and reach != kernel else ""
    border = f" with {padded_by} of padding" if not is_symbolic(padded_by) and padded_by else ""
    return f"{layer}: kernel {kernel}{spread} is larger than the input of size {size}{border}"
