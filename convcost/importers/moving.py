"""Operators that move elements, make constants or look at shapes; and those whose output shape depends on data.

Source of all rules: the operator's page in the ONNX documentation (onnx.ai/onnx/operators).
"""

from __future__ import annotations

from fractions import Fraction
from math import prod as product
from typing import TYPE_CHECKING, Any

from convcost.errors import ShapeError
from convcost.importers.data import (
    Data,
    MissingError,
    axis_of,
    broadcast,
    clamp,
    gathered,
    is_true,
    joined,
    number,
    picked,
    places,
    plain,
    scalar,
    strides,
    transposed,
    vector,
    whole,
    whole_list,
)
from convcost.importers.evaluate import constant_of
from convcost.importers.onnx_file import FLOATING, Stored
from convcost.importers.rules import operator
from convcost.layers.base import Saved
from convcost.layers.operator import Merging, Operator
from convcost.layers.window import show
from convcost.limits import MAX_VALUES
from convcost.numbers.arithmetic import (
    Num,
    ceil_div,
    decide,
    exact_div,
    floor,
    floor_div,
    is_symbolic,
    maximum,
    normal,
    prod,
    provably,
    require,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.importers.evaluate import Call

_FREE: dict[str, Num] = {}
_NEAREST = ("nearest",)


def _moved(call: Call, kind: str, shape: tuple[Num, ...], reads: Sequence[Data], **counts: Num) -> Data:
    """A layer whose only work is to read and write."""
    return call.stated(Operator, kind, shape, counts, reads, saved=Saved(), backward=_FREE)


# constants and shapes


@operator("Constant")
def constant(call: Call) -> list[Data]:
    """A tensor, number or list that is written in the node."""
    name = call.node.outputs[0] if call.node.outputs else ""
    attributes = call.node.attributes
    tensor = attributes.get("value", attributes.get("sparse_value"))
    if isinstance(tensor, Stored):
        return [constant_of(tensor, name)]
    for key, floating in (("value_int", False), ("value_float", True)):
        if key in attributes:
            made = scalar(attributes[key])
            made.floating, made.ident = floating, name
            return [made]
    for key, floating in (("value_ints", False), ("value_floats", True)):
        if key in attributes:
            made = vector(attributes[key] or [])
            made.floating, made.ident = floating, name
            made.stored = len(attributes[key] or []) if floating else 0
            return [made]
    return [Data((), floating=False)]


@operator("Shape")
def shape_of(call: Call) -> list[Data]:
    """The sizes of a tensor."""
    sizes = call.input(0).sizes
    start, end = call.integer("start", 0), call.integer("end", len(sizes))
    return [vector(sizes[start if start >= -len(sizes) else 0 : end])]


@operator("Size")
def size_of(call: Call) -> list[Data]:
    """The number of elements of a tensor."""
    return [scalar(call.input(0).count)]


@operator("ConstantOfShape")
def filled(call: Call) -> list[Data]:
    """A tensor of one value."""
    shape = tuple(whole_list(call.input(0), "the shape") or ())
    value = call.attribute("value")
    floating, values = True, [Fraction(0)]
    if isinstance(value, Stored):
        floating = value.dtype in FLOATING
        values = value.values or []
    made = call.constant(_checked(shape), floating=floating)
    if len(values) == 1 and plain(shape) is not None:
        made.values = values * product(shape)
    return [made]


def _checked(shape: tuple[Num, ...]) -> tuple[Num, ...]:
    for size in shape:
        require(">=", size, 0, f"expected sizes of at least 0, found {show(shape)}")
    return shape


@operator("Range")
def arange(call: Call) -> list[Data]:
    """Numbers from a start to a limit."""
    parts = [call.input(index) for index in range(3)]
    floating = any(part.floating for part in parts)
    if any(not part.values for part in parts):
        raise MissingError("the length of the range depends on data")
    start, limit, step = ((part.values or [0])[0] for part in parts)
    if provably(step, 0):
        raise ShapeError("expected a step other than 0, found 0")
    count = maximum(ceil_div(limit - start, step), 0)
    values = None
    if isinstance(count, int) and count <= MAX_VALUES:
        values = [start + step * index for index in range(count)]
    return [Data((count,), values, floating=floating)]


@operator("Cast", "CastLike")
def cast(call: Call) -> list[Data]:
    """Another data type."""
    x = call.input(0)
    to = call.integer("to", 0)
    floating = call.input(1).floating if call.node.op == "CastLike" else to in FLOATING
    if x.tensor is not None:
        return [x if x.floating == floating else _moved(call, "cast", x.sizes, [x])]
    made = x.seen(x.sizes, x.values)
    made.floating = floating
    made.stored = x.stored if floating else 0
    if x.values is not None and not floating:
        made.values = [is_true(value) if to == 9 else _integer(value) for value in x.values]  # noqa: PLR2004 - BOOL
    return [made]


def _integer(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if not is_symbolic(value) and value < 0:
        return -floor(-value)
    return normal(floor(value))


@operator("Identity", "Dropout", "OptionalGetElement", "com.microsoft:BiasDropout")
def same(call: Call) -> list[Data]:
    """The tensor itself."""
    x = call.input(0)
    return [x, Data(x.shape)]


@operator("EyeLike", "RandomNormalLike", "RandomUniformLike", "Bernoulli")
def alike(call: Call) -> list[Data]:
    """A tensor of the same shape."""
    return [Data(call.input(0).sizes, floating=True)]


@operator("RandomNormal", "RandomUniform")
def random(call: Call) -> list[Data]:
    """A tensor of a given shape."""
    return [Data(tuple(call.integers("shape") or ()), floating=True)]


# shapes of the same elements


def _reshaped(call: Call, x: Data, shape: tuple[Num, ...]) -> Data:
    """The same elements in the same order."""
    if x.tensor is None:
        return x.seen(shape, x.values)
    if len(shape) == len(x.sizes) and all(provably(a, b) for a, b in zip(shape, x.sizes, strict=True)):
        return x
    if len(shape) == 2 and len(x.sizes) > 2 and provably(shape[0], x.sizes[0]) and provably(shape[0], call.run.batch):  # noqa: PLR2004
        made = call.on_sample("flatten", {}, [x], shape)
        if made is not None:
            return made
    return call.view("reshape", shape, x)


@operator("Reshape")
def reshape(call: Call) -> list[Data]:
    """Sizes of which one may be left open, and others taken over."""
    x = call.input(0)
    wanted = call.integers("shape") if "shape" in call.node.attributes else whole_list(call.maybe(1), "the shape")
    if wanted is None:
        raise ShapeError("expected a shape, found none")
    sizes: list[Any] = []
    open_axis = None
    for axis, size in enumerate(wanted):
        if isinstance(size, int) and size == -1:
            if open_axis is not None:
                raise ShapeError(f"expected one open size, found {show(tuple(wanted))}")
            open_axis = axis
            sizes.append(1)
        elif isinstance(size, int) and size == 0 and not call.integer("allowzero", 0):
            if axis >= len(x.sizes):
                raise ShapeError(f"expected an axis {axis} to take the size of, found {show(x.sizes)}")
            sizes.append(x.sizes[axis])
        else:
            sizes.append(size)
    if open_axis is not None:
        known = prod(sizes)
        if provably(known, 0):
            raise ShapeError(f"expected sizes that say the open one, found {show(tuple(wanted))}")
        sizes[open_axis] = exact_div(x.count, known, f"the elements of {show(x.sizes)} by {show(tuple(wanted))}")
    require("==", prod(sizes), x.count, f"expected a shape for {x.count} elements, found {show(tuple(sizes))}")
    return [_reshaped(call, x, _checked(tuple(sizes)))]


@operator("Flatten")
def flatten(call: Call) -> list[Data]:
    """Two axes."""
    x = call.input(0)
    axis = call.integer("axis", 1)
    if not -len(x.sizes) <= axis <= len(x.sizes):
        raise ShapeError(f"attribute axis: expected one of {len(x.sizes)} axes or the end, found {axis}")
    axis = axis + len(x.sizes) if axis < 0 else axis
    return [_reshaped(call, x, (prod(x.sizes[:axis]), prod(x.sizes[axis:])))]


def _axes(call: Call, index: int = 1) -> list[Any] | None:
    return call.integers("axes") if "axes" in call.node.attributes else whole_list(call.maybe(index), "axes")


@operator("Squeeze")
def squeeze(call: Call) -> list[Data]:
    """Without axes of one position."""
    x = call.input(0)
    axes = _axes(call)
    if axes is None:
        chosen = {axis for axis, size in enumerate(x.sizes) if provably(size, 1)}
    else:
        chosen = {axis_of(axis, len(x.sizes)) for axis in axes}
    for axis in chosen:
        require("==", x.sizes[axis], 1, f"expected axis {axis} of size 1, found {show(x.sizes)}")
    return [_reshaped(call, x, tuple(size for axis, size in enumerate(x.sizes) if axis not in chosen))]


@operator("Unsqueeze")
def unsqueeze(call: Call) -> list[Data]:
    """With further axes of one position."""
    x = call.input(0)
    axes = _axes(call)
    if axes is None:
        raise ShapeError("expected axes, found none")
    rank = len(x.sizes) + len(axes)
    chosen = {axis_of(axis, rank) for axis in axes}
    if len(chosen) != len(axes):
        raise ShapeError(f"expected different axes, found {axes[:8]}")
    left = iter(x.sizes)
    return [_reshaped(call, x, tuple(1 if axis in chosen else next(left) for axis in range(rank)))]


@operator("Transpose")
def transpose(call: Call) -> list[Data]:
    """The axes in another order."""
    x = call.input(0)
    order = call.integers("perm")
    order = list(range(len(x.sizes)))[::-1] if order is None else order
    if sorted(order) != list(range(len(x.sizes))):
        raise ShapeError(f"attribute perm: expected an order of {len(x.sizes)} axes, found {order[:8]}")
    made = transposed(x, order)
    if x.tensor is None:
        return [made]
    moving = [axis for axis in order if not provably(x.sizes[axis], 1)]
    if moving == sorted(moving):  # only axes of one position change places
        return [_reshaped(call, x, made.sizes)]
    pairs = [
        (call.axis_of_sample(place, made.sizes), call.axis_of_sample(axis, x.sizes)) for place, axis in enumerate(order)
    ]
    permuted = None
    if all((place < 0) == (axis < 0) for place, axis in pairs):
        own = tuple(axis for place, axis in sorted(pairs) if place >= 0)
        permuted = call.on_sample("permute", {"order": own}, [x], made.sizes)
    return [permuted if permuted is not None else call.view("permute", made.sizes, x)]


# parts and joins


@operator("Concat", "ConcatFromSequence")
def concat(call: Call) -> list[Data]:
    """Tensors one after another."""
    parts = call.given
    if not parts:
        raise ShapeError("expected at least 1 input, found 0")
    axis = axis_of(call.integer("axis", 1), len(parts[0].sizes))
    shape, values = joined(parts, axis)
    if call.is_constant:
        return [call.constant(shape, values)]
    reads = [part for part in parts if part.tensor is not None]
    place = call.axis_of_sample(axis, shape)
    if len(reads) == len(parts) > 1 and place >= 0:
        made = call.on_sample("concat", {"axis": place}, parts, shape)
        if made is not None:
            return [made]
    params = [part for part in parts if part.tensor is None and part.floating and not provably(part.stored, 0)]
    counts: dict[str, Num] = {}
    if params:
        counts["other_params"] = total([part.stored for part in params])
    make = Merging if len(reads) > 1 else Operator
    return [call.stated(make, "concat", shape, counts, reads, params, saved=Saved(), backward=_FREE)]


@operator("Slice")
def cut(call: Call) -> list[Data]:
    """Every so many elements between two places, forwards or backwards, along some axes."""
    x = call.input(0)
    if call.version < 10 and "starts" in call.node.attributes:  # noqa: PLR2004 - inputs since then
        starts, ends, axes = (call.integers(name) for name in ("starts", "ends", "axes"))
        steps: list[Any] | None = None
    else:
        starts, ends, axes, steps = (
            whole_list(call.maybe(index), what)
            for index, what in ((1, "starts"), (2, "ends"), (3, "axes"), (4, "steps"))
        )
    if starts is None or ends is None or len(starts) != len(ends):
        raise ShapeError("expected as many starts as ends")
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    if len(axes) != len(starts) or len(steps) != len(starts):
        raise ShapeError("expected an axis and a step for each start")
    shape = list(x.sizes)
    firsts, every = [0] * len(shape), [1] * len(shape)
    for start, end, axis_, step_ in zip(starts, ends, axes, steps, strict=True):
        axis, step = axis_of(axis_, len(shape)), number(step_, "a step")
        if step == 0:
            raise ShapeError("expected a step other than 0, found 0")
        first, shape[axis] = _span(start, end, step, x.sizes[axis])
        firsts[axis], every[axis] = first, step
    made = tuple(shape)
    if x.tensor is None:
        sizes = plain(x.sizes)
        values = None
        if x.values is not None and sizes is not None and all(isinstance(first, int) for first in firsts):
            own = strides(sizes)
            origin = sum(first * step for first, step in zip(firsts, own, strict=True))
            values = picked(x, made, [step * times for step, times in zip(own, every, strict=True)], origin)
        return [_part(call, x, made, values)]
    return [_sliced(call, x, made, firsts, every)]


def _part(call: Call, x: Data, shape: tuple[Num, ...], values: list[Any] | None) -> Data:
    """A part of a constant: a tensor of its own."""
    made = call.constant(shape, values, floating=x.floating)
    if not x.ident:
        made.ident, made.stored = "", 0
    return made


def _span(start: Any, end: Any, step: int, size: Num) -> tuple[Any, Num]:
    """The first place taken, and how many, of an axis of this size."""
    low, high = (0, size) if step > 0 else (-1, size - 1)
    places_ = []
    for value, least in ((start, 0), (end, low)):
        moved = value + size if decide("<", value, 0) else value
        places_.append(clamp(moved, least, high if step > 0 or least < 0 else size - 1))
    first, last = places_
    count = ceil_div(last - first, step) if step > 0 else ceil_div(first - last, -step)
    return first, clamp(count, 0, size)


def _sliced(call: Call, x: Data, shape: tuple[Num, ...], firsts: list[Any], every: list[int]) -> Data:
    """A part of a tensor that is computed."""
    changed = [axis for axis, (a, b) in enumerate(zip(shape, x.sizes, strict=True)) if not provably(a, b)]
    if not changed and all(step == 1 for step in every):
        return x
    axis = changed[0] if len(changed) == 1 else 0
    place = call.axis_of_sample(axis, x.sizes)
    if len(changed) == 1 and every[axis] == 1 and place >= 0:
        made = call.on_sample("slice", {"out": shape[axis], "start": firsts[axis], "axis": place}, [x], shape)
        if made is not None:
            return made
    return call.view("slice", shape, x)


@operator("Split")
def split(call: Call) -> list[Data]:
    """Parts along an axis, equal where their sizes are not given."""
    x = call.input(0)
    axis = axis_of(call.integer("axis", 0), len(x.sizes))
    sizes = call.integers("split") if "split" in call.node.attributes else whole_list(call.maybe(1), "split")
    count = len(call.node.outputs)
    if sizes is None:
        each = ceil_div(x.sizes[axis], call.integer("num_outputs", count))
        sizes = [each] * (count - 1)
        sizes.append(x.sizes[axis] - total(sizes) if sizes else x.sizes[axis])
    if len(sizes) != count:
        raise ShapeError(f"expected a size for each of {count} outputs, found {len(sizes)}")
    require(
        "==", total(sizes or [0]), x.sizes[axis], f"expected parts that add up to {x.sizes[axis]}, found {sizes[:8]}"
    )
    made, start = [], 0
    for size in sizes:
        shape = (*x.sizes[:axis], size, *x.sizes[axis + 1 :])
        firsts: list[Any] = [0] * len(shape)
        firsts[axis] = start
        if x.tensor is not None:
            made.append(_sliced(call, x, shape, firsts, [1] * len(shape)))
        else:
            own = plain(x.sizes)
            values = None
            if own is not None and isinstance(start, int):
                step = strides(own)
                values = picked(x, shape, step, start * step[axis])
            made.append(_part(call, x, shape, values))
            if made[-1].ident:
                made[-1].ident = call.node.outputs[len(made) - 1]
        start = start + size
    return made


@operator("Gather")
def gather(call: Call) -> list[Data]:
    """The slices at some places along an axis; of a table of parameters, an embedding."""
    x, indices = call.input(0), call.input(1)
    axis = axis_of(call.integer("axis", 0), len(x.sizes))
    shape, values = gathered(x, indices, axis)
    if call.is_constant:
        return [_part(call, x, shape, values)]
    reads = [item for item in (x, indices) if item.tensor is not None]
    if x.tensor is None:
        table = {"other_params": x.stored} if x.ident and not provably(x.stored, 0) else {}
        counts: dict[str, Num] = {**table, "read": indices.count + prod(shape)}
        return [call.stated(Operator, "embedding", shape, counts, reads, [x], saved=Saved(input=True), backward=_FREE)]
    if provably(indices.count, 1):
        return [_picked_place(call, x, indices, axis, shape) or call.view("slice", shape, x)]
    return [_moved(call, "gather", shape, [x], read=prod(shape))]


def _picked_place(call: Call, x: Data, indices: Data, axis: int, shape: tuple[Num, ...]) -> Data | None:
    """One place along an axis, where it is known which; a scalar leaves out the axis."""
    place = call.axis_of_sample(axis, x.sizes)
    if not indices.values or place < 0 or len(indices.sizes) > 1:
        return None
    index = number(indices.values[0], "an index")
    start = x.sizes[axis] + index if index < 0 else index
    if indices.sizes:
        return call.on_sample("slice", {"out": 1, "start": start, "axis": place}, [x], shape)
    return call.on_sample("select", {"index": start, "axis": place}, [x], shape)


@operator("GatherElements", "GatherND", "com.microsoft:GatherND")
def gather_elements(call: Call) -> list[Data]:
    """Elements at places that another tensor holds."""
    x, indices = call.input(0), call.input(1)
    shape = indices.sizes
    if call.node.op == "GatherND":
        last, batched = number(indices.sizes[-1], "the last size of the indices"), call.integer("batch_dims", 0)
        if not 0 <= batched + last <= len(x.sizes):
            raise ShapeError(f"expected indices of at most {len(x.sizes)} axes, found {last}")
        shape = (*indices.sizes[:-1], *x.sizes[batched + last :])
    if call.is_constant:
        return [call.constant(shape)]
    return [_moved(call, "gather", shape, [item for item in (x, indices) if item.tensor is not None])]


@operator("ScatterND", "ScatterElements", "Scatter", "TensorScatter")
def scatter(call: Call) -> list[Data]:
    """A tensor with other elements at some places."""
    x = call.input(0)
    if call.is_constant:
        return [call.constant(x.sizes)]
    return [_moved(call, "scatter", x.sizes, [item for item in call.given if item.tensor is not None])]


@operator("Expand")
def expand(call: Call) -> list[Data]:
    """Copies along axes of one position."""
    x = call.input(0)
    wanted = tuple(whole_list(call.input(1), "the shape") or ())
    shape = broadcast([x.sizes, wanted])
    if x.tensor is None:
        return [x.seen(shape, _spread(x, shape))]
    if len(shape) == len(x.sizes) and all(provably(a, b) for a, b in zip(shape, x.sizes, strict=True)):
        return [x]
    return [_moved(call, "expand", shape, [x])]


def _spread(x: Data, shape: tuple[Num, ...]) -> list[Any] | None:
    own, into = plain(x.sizes), plain(shape)
    if x.values is None or own is None or into is None:
        return None
    return [x.values[place] for place in places(own, into)]


@operator("Tile")
def tile(call: Call) -> list[Data]:
    """Copies of the whole along every axis."""
    x = call.input(0)
    repeats = whole_list(call.input(1), "repeats") or []
    if len(repeats) != len(x.sizes):
        raise ShapeError(f"expected repeats for {len(x.sizes)} axes, found {len(repeats)}")
    shape = tuple(size * times for size, times in zip(x.sizes, repeats, strict=True))
    if call.is_constant:
        values = x.values
        if values is not None and plain(shape) is None:
            values = None
        for axis, times in enumerate(repeats):
            if values is not None:
                inner = (
                    product(x.sizes[axis:]) * product(repeats[axis + 1 :]) if axis + 1 < len(repeats) else x.sizes[axis]
                )
                values = _repeated(values, inner, times)
        return [x.seen(shape, values if len(x.sizes) == 1 or values is None else None)]
    return [_moved(call, "tile", shape, [x])]


def _repeated(values: list[Any], length: int, times: int) -> list[Any]:
    if not length:
        return []
    parts = [values[start : start + length] * times for start in range(0, len(values), length)]
    return [value for part in parts for value in part]


@operator("Pad")
def pad(call: Call) -> list[Data]:
    """Elements before and after along every axis, or fewer where the number is negative."""
    x = call.input(0)
    old = call.integers("pads") or call.integers("paddings")
    pads = old if old is not None else whole_list(call.input(1), "pads")
    axes = whole_list(call.maybe(3), "axes")
    chosen = list(range(len(x.sizes))) if axes is None else [axis_of(axis, len(x.sizes)) for axis in axes]
    if pads is None or len(pads) != 2 * len(chosen):
        raise ShapeError(f"expected pads before and after for {len(chosen)} axes, found {len(pads or [])}")
    sides: list[tuple[Num, Num]] = [(0, 0)] * len(x.sizes)
    for place, axis in enumerate(chosen):
        sides[axis] = (pads[place], pads[place + len(chosen)])
    shape = tuple(size + before + after for size, (before, after) in zip(x.sizes, sides, strict=True))
    _checked(shape)
    if call.is_constant:
        return [call.constant(shape)]
    if all(provably(item, 0) for side in sides for item in side):
        return [x]
    spatial = all(provably(item, 0) for side in sides[:2] for item in side) and 3 <= len(x.sizes) <= 5  # noqa: PLR2004
    spatial = spatial and not call.run.channels_last
    if spatial and all(isinstance(item, int) and item >= 0 for side in sides for item in side):
        return [call.layer("zero_pad", {"sides": tuple(sides[2:])}, x)]
    return [_moved(call, "pad", shape, [x])]


@operator("Resize", "Upsample")
def resize(call: Call) -> list[Data]:
    """A map with other sizes, given or as factors of its own."""
    x = call.input(0)
    old = call.node.op == "Upsample" or call.version < 11  # noqa: PLR2004 - X, scales before that version
    scales = call.maybe(1 if old else 2)
    sizes = None if old else call.maybe(3)
    axes = call.integers("axes")
    chosen = list(range(len(x.sizes))) if axes is None else [axis_of(axis, len(x.sizes)) for axis in axes]
    shape = list(x.sizes)
    if sizes is not None and sizes.shape != (0,):
        wanted = whole_list(sizes, "the sizes") or []
        _as_many(wanted, chosen)
        for axis, size in zip(chosen, wanted, strict=True):
            shape[axis] = size
        policy = call.word("keep_aspect_ratio_policy", "stretch")
        if policy != "stretch":
            raise MissingError(f"keep_aspect_ratio_policy {policy[:20]} is not followed")
    else:
        factors = call.attribute("scales") if scales is None else scales.values
        if factors is None:
            raise MissingError("the scales depend on data")
        _as_many(factors, chosen)
        for axis, factor in zip(chosen, factors, strict=True):
            shape[axis] = floor(shape[axis] * factor) if not is_symbolic(shape[axis]) else _scaled(shape[axis], factor)
    whole_shape = _checked(tuple(shape))
    if call.is_constant:
        return [call.constant(whole_shape)]
    mode = call.word("mode", "nearest")
    spatial = all(provably(a, b) for a, b in zip(whole_shape[:2], x.sizes[:2], strict=True))
    if mode in ("nearest", "linear") and spatial and not call.run.channels_last and 3 <= len(shape) <= 5:  # noqa: PLR2004
        name = "nearest" if mode == "nearest" else "bilinear"
        return [call.layer("upsample", {"size": whole_shape[2:], "mode": name}, x)]
    changed = sum(not provably(a, b) for a, b in zip(whole_shape, x.sizes, strict=True))
    out = prod(whole_shape)
    taps = {"cubic": 4, "linear": 2}.get(mode, 1)
    sums = 0 if taps == 1 else (taps**changed - 1) // (taps - 1)  # along one axis after another
    counts = {"multiplications": sums * taps * out, "additions": sums * (taps - 1) * out}
    return [call.stated(Operator, "resize", whole_shape, counts, [x])]


def _as_many(values: Sequence[Any], axes: Sequence[int]) -> None:
    if len(values) != len(axes):
        raise ShapeError(f"expected a value for each of {len(axes)} axes, found {len(values)}")


def _scaled(size: Num, factor: Any) -> Num:
    factor = Fraction(normal(factor))
    return floor_div(size * factor.numerator, factor.denominator)


@operator("DepthToSpace", "SpaceToDepth")
def shuffle(call: Call) -> list[Data]:
    """Channels as positions, or positions as channels."""
    x = call.input(0)
    factor = call.integer("blocksize", 1)
    key = "pixel_shuffle" if call.node.op == "DepthToSpace" else "pixel_unshuffle"
    if call.is_constant:
        return [call.constant(x.sizes)]
    return [call.layer(key, {"factor": factor}, x)]


@operator("Trilu", "ReverseSequence", "BitCast", "RotaryEmbedding", "com.microsoft:RotaryEmbedding")
def unchanged(call: Call) -> list[Data]:
    """Elements moved or left out, in the same shape."""
    x = call.input(0)
    if call.is_constant:
        return [call.constant(x.sizes)]
    return [_moved(call, call.node.op.lower(), x.sizes, [x])]


@operator("TopK")
def top(call: Call) -> list[Data]:
    """The largest elements along an axis, and their places."""
    x = call.input(0)
    axis = axis_of(call.integer("axis", -1), len(x.sizes))
    wanted = whole_list(call.maybe(1), "k") if "k" not in call.node.attributes else [call.integer("k", 1)]
    if not wanted:
        raise MissingError("k depends on data")
    shape = (*x.sizes[:axis], wanted[0], *x.sizes[axis + 1 :])
    if call.is_constant:
        return [call.constant(shape), call.constant(shape)]
    made = call.stated(Operator, "top_k", shape, {"comparisons": x.count}, [x])
    return [made, made.seen(shape)]


@operator("OneHot")
def one_hot(call: Call) -> list[Data]:
    """A further axis with a mark at the place of each element."""
    x = call.input(0)
    depth = whole_list(call.input(1), "the depth")
    if not depth:
        raise MissingError("the depth depends on data")
    axis = axis_of(call.integer("axis", -1), len(x.sizes), extra=1)
    if call.integer("axis", -1) < 0:
        axis = len(x.sizes) + 1 + call.integer("axis", -1)
    shape = (*x.sizes[:axis], depth[0], *x.sizes[axis:])
    if call.is_constant:
        return [call.constant(shape)]
    return [_moved(call, "one_hot", shape, call.given)]


# shapes that depend on data


@operator("NonZero")
def non_zero(call: Call) -> list[Data]:
    """The places of elements that are not zero: how many depends on the elements."""
    x = call.input(0)
    sizes = plain(x.sizes)
    if x.values is not None and sizes is not None:
        own = strides(sizes)
        result = [place for place, value in enumerate(x.values) if is_true(value)]
        values = [place // step % size for step, size in zip(own, sizes, strict=True) for place in result]
        return [Data((len(sizes), len(result)), values)]
    return [_counted(call, x, lambda size: (len(x.sizes), size), 1)]


def _counted(call: Call, x: Data, shape: Any, axis: int) -> Data:
    """A tensor with a size that depends on data, where that size was given."""
    name = f"{call.node.outputs[0] if call.node.outputs else ''}.{axis}"
    size = call.run.value(name)
    if size is None:
        call.run.asked[name] = f"a size of {call.path} ({call.node.op})"
        raise MissingError(f"its size depends on data; --set {name}=N gives it")
    made: tuple[Num, ...] = shape(whole(size, name))
    if x.tensor is None:
        return Data(made)
    return call.stated(Operator, call.node.op.lower(), made, {"comparisons": x.count}, [x])


@operator("NonMaxSuppression")
def suppression(call: Call) -> list[Data]:
    """The boxes that are left: how many depends on the boxes."""
    x = next((data for data in call.given if data.tensor is not None), call.input(0))
    return [_counted(call, x, lambda size: (size, 3), 0)]


@operator("Compress")
def compress(call: Call) -> list[Data]:
    """The elements or slices under a condition: how many depends on it."""
    x = call.input(0)
    if "axis" not in call.node.attributes:
        return [_counted(call, x, lambda size: (size,), 0)]
    axis = axis_of(call.integer("axis", 0), len(x.sizes))
    return [_counted(call, x, lambda size: (*x.sizes[:axis], size, *x.sizes[axis + 1 :]), axis)]


@operator("GridSample")
def grid_sample(call: Call) -> list[Data]:
    """A map read at the places of a grid: a mean of the neighbours of each."""
    x, grid = call.input(0), call.input(1)
    if len(grid.sizes) != len(x.sizes):
        raise ShapeError(f"expected a grid for {show(x.sizes)}, found {show(grid.sizes)}")
    shape = (*x.sizes[:2], *grid.sizes[1:-1])
    if call.is_constant:
        return [call.constant(shape)]
    axes, out = len(x.sizes) - 2, prod(shape)
    taps = {"nearest": 1, "cubic": 4, "bicubic": 4}.get(call.word("mode", "linear"), 2) ** axes
    counts = {"multiplications": (taps if taps > 1 else 0) * out, "additions": (taps - 1) * out}
    return [call.stated(Operator, "grid_sample", shape, counts, call.given)]


@operator("RoiAlign", "MaxRoiPool")
def roi_pool(call: Call) -> list[Data]:
    """A small map for each region of a map."""
    x, rois = call.input(0), call.input(1)
    pooled = call.integers("pooled_shape") or [call.integer("output_height", 1), call.integer("output_width", 1)]
    shape = (rois.sizes[0], x.sizes[1], *pooled)
    if call.is_constant:
        return [call.constant(shape)]
    points = max(call.integer("sampling_ratio", 0), 1) ** 2  # as many as the region asks for where it is 0
    counts = {"multiplications": 4 * points * prod(shape), "additions": 4 * points * prod(shape)}
    return [call.stated(Operator, "roi_pool", shape, counts, call.given)]


@operator("MaxUnpool")
def unpool(call: Call) -> list[Data]:
    """The maxima of a pool back at their places."""
    x = call.input(0)
    kernel = call.integers("kernel_shape") or []
    strides = call.integers("strides") or [1] * len(kernel)
    pads = call.integers("pads") or [0] * (2 * len(kernel))
    count = len(x.sizes) - 2
    wanted = whole_list(call.maybe(2), "the output's shape")
    if wanted is None:
        if not len(kernel) == len(strides) == count or len(pads) != 2 * count:
            raise ShapeError(f"expected a kernel, strides and pads for {count} axes")
        sizes = (
            (x.sizes[2 + axis] - 1) * strides[axis] + kernel[axis] - pads[axis] - pads[axis + count]
            for axis in range(count)
        )
        wanted = [*x.sizes[:2], *sizes]
    if call.is_constant:
        return [call.constant(_checked(tuple(wanted)))]
    return [_moved(call, "max_unpool", _checked(tuple(wanted)), call.given)]


@operator("CenterCropPad")
def center(call: Call) -> list[Data]:
    """The middle of a tensor, or the tensor in the middle of zeros."""
    x = call.input(0)
    wanted = whole_list(call.input(1), "the shape") or []
    axes = call.integers("axes")
    chosen = list(range(len(x.sizes))) if axes is None else [axis_of(axis, len(x.sizes)) for axis in axes]
    _as_many(wanted, chosen)
    shape = list(x.sizes)
    for axis, size in zip(chosen, wanted, strict=True):
        shape[axis] = size
    if call.is_constant:
        return [call.constant(_checked(tuple(shape)))]
    return [_moved(call, "center_crop_pad", _checked(tuple(shape)), call.given)]


@operator(
    "AffineGrid",
    "BlackmanWindow",
    "Col2Im",
    "DFT",
    "HammingWindow",
    "HannWindow",
    "MelWeightMatrix",
    "STFT",
    "Unique",
    "SequenceConstruct",
    "SequenceAt",
    "SequenceEmpty",
    "SequenceInsert",
    "SequenceErase",
    "SequenceLength",
    "SplitToSequence",
    "Optional",
    "OptionalHasElement",
    "StringNormalizer",
    "TfIdfVectorizer",
    "StringSplit",
    "StringConcat",
    "RegexFullMatch",
    "ImageDecoder",
    "Multinomial",
    "Det",
)
def not_followed(call: Call) -> list[Data]:
    """What a shape cannot be followed through; it does no multiply-accumulates."""
    raise MissingError(f"the output of {call.node.op} is not followed")
