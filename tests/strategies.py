"""Hypothesis strategies: a layer of any kind, with an input it may or may not take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from convcost.layers import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable

    from convcost.layers.fields import Field

small = st.integers(1, 4)
FLAT_TOO = {"linear", "flatten", "softmax", "relu", "dropout", "identity", "reshape", "rbf", "batch_norm"}


@st.composite
def shapes(draw: Callable[..., Any], *, flat: bool = False) -> tuple[int, ...]:
    """Channels and one to three small sizes; with ``flat`` perhaps no size at all."""
    axes = draw(st.integers(0 if flat else 1, 3))
    channels = draw(st.sampled_from([1, 2, 4, 6, 12]))
    return (channels, *(draw(st.integers(3, 9)) for _ in range(axes)))


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]


@st.composite
def field_values(draw: Callable[..., Any], name: str, field: Field, x: tuple[int, ...]) -> Any:
    """A value that the field's type allows and that the input will often take."""
    axes = max(len(x) - 1, 1)
    if name in ("groups", "parts"):
        return draw(st.sampled_from(_divisors(x[0])))
    if field.type in ("axis", "axis_list"):
        return draw(_axes(field, len(x)))
    if field.type == "flag":
        return draw(st.booleans())
    if field.type == "word":
        return draw(st.sampled_from((None, *field.words) if field.default is None else field.words))
    if field.type == "number":
        return draw(st.integers(0, 3))
    if field.type == "padding":
        one = st.integers(0, 2)
        pairs = st.lists(st.tuples(one, one), min_size=axes, max_size=axes)
        words = st.sampled_from(field.words) if name == "padding" else one
        return draw(st.one_of(words, one, st.lists(one, min_size=axes, max_size=axes), pairs))
    if name in ("biases", "layers", "hidden", "projection"):
        return draw(st.sampled_from([*([None] if field.default is None else []), *range(field.minimum, 3)]))
    if field.type == "axes":
        each = st.integers(field.minimum, 3)
        if name == "window" and draw(st.booleans()):
            return None
        return draw(st.one_of(each, st.lists(each, min_size=axes, max_size=axes)))
    return draw(st.integers(field.minimum, 4))


@st.composite
def _axes(draw: Callable[..., Any], field: Field, count: int) -> Any:
    """An axis of a tensor with so many, by letter or index; several where the field takes them."""
    names = [*("c", *"dhw"[4 - count :]), *range(-count, count)] if count <= 4 else range(count)
    if field.name == "order":
        return draw(st.permutations(range(count)))
    if field.type == "axis_list" and draw(st.booleans()):
        return sorted(draw(st.sets(st.sampled_from(range(count)), min_size=1)))
    return draw(st.sampled_from([*names, None] if field.default is None else names))


@st.composite
def layers(draw: Callable[..., Any], key: str) -> tuple[dict[str, Any], Any]:
    """Fields and input of a layer: a shape, or operands where it merges."""
    layer = REGISTRY[key]
    x = draw(shapes(flat=key in FLAT_TOO))
    values = {name: draw(field_values(name, field, x)) for name, field in layer.fields.items()}
    x = _fitted(draw, key, values, x)
    if not layer.merges:
        return values, x
    if key == "dynamic_conv":
        return values, ((x, 1), (draw(st.sampled_from([(1,), (4,), (3, *(1 for _ in x[1:])), x])), 1))
    if key == "attention":
        return values, draw(_tokens(values, x))
    if key == "matmul":
        return values, draw(_factors(values["transpose"]))
    if key == "concat":
        values["axis"] = draw(st.sampled_from(["c", *range(-len(x), len(x))]))
    return values, draw(_operands(key, x, values))


def _fitted(draw: Callable[..., Any], key: str, values: dict[str, Any], x: tuple[int, ...]) -> tuple[int, ...]:
    """Change ``values`` so that they fit each other and the input; the input, changed where it must fit them."""
    if key == "pixel_shuffle":
        values["factor"] = draw(st.sampled_from([n for n in (1, 2, 3) if x[0] % n ** (len(x) - 1) == 0]))
    if key == "pixel_unshuffle":
        x = (x[0], *(size * values["factor"] for size in x[1:]))
    if key == "deform_conv":
        values["offset_groups"] = draw(st.sampled_from(_divisors(x[0])))
    if key in ("conv", "conv_transpose", "deform_conv", "locally_connected", "dynamic_conv"):
        values["out"] = values["groups"] * draw(small)
    if key == "prelu":
        values["per_element"] = values["per_element"] and not values["shared"]
    if key in ("linear", "rbf") and values.get("axis") is None:  # these take no map of several positions
        x = (x[0], *(1 for _ in x[1:]))
    if key in ("upsample", "max_unpool"):
        values[draw(st.sampled_from(["factor", "size"]))] = None
    if key == "reshape":
        count = 1
        for size in x:
            count *= size
        values["to"] = [draw(st.sampled_from(_divisors(count))), 1]
        values["to"][1] = count // values["to"][0]
    return x


@st.composite
def _tokens(draw: Callable[..., Any], values: dict[str, Any], x: tuple[int, ...]) -> tuple[Any, ...]:
    """Queries, keys and values whose channels the heads divide; windows that divide the map."""
    x = (x[0], *(min(side, 4) for side in x[1:]))  # loops over pairs of positions are long
    if values["window"] is not None:
        sides = values["window"] if isinstance(values["window"], list) else [values["window"]] * (len(x) - 1)
        x = (x[0], *(side * draw(st.integers(1, 2)) for side in sides))
    channels = [values["heads"] * draw(small) for _ in range(2)]
    free = values["window"] is None and not values["causal"] and not values["position_bias"]
    positions = draw(shapes())[1:] if free and draw(st.booleans()) else x[1:]
    return ((channels[0], *x[1:]), 1), ((channels[0], *positions), 1), ((channels[1], *positions), 1)


@st.composite
def _factors(draw: Callable[..., Any], transposed: str | None) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Two tensors whose matrices fit, with batches that mostly do."""
    rows, inner, columns = draw(small), draw(small), draw(small)
    batch = draw(st.lists(small, max_size=2))
    first, second = [*batch, rows, inner], [*batch[draw(st.integers(0, len(batch))) :], inner, columns]
    if len(second) == 4 and draw(st.booleans()):
        second[0] = draw(st.sampled_from([1, 3]))
    for shape, word in ((first, "first"), (second, "second")):
        if transposed in (word, "both"):
            shape[-2:] = shape[:-3:-1]
    return (tuple(first), 1), (tuple(second), 1)


@st.composite
def _operands(
    draw: Callable[..., Any], key: str, x: tuple[int, ...], values: dict[str, Any]
) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Tensors of one shape: of any size along the axis that they are joined along, of size 1 along some that repeat."""
    operands = [(x, draw(small))]
    for _ in range(draw(st.integers(0, 2))):
        shape = list(x)
        if key == "concat":
            along = 0 if values["axis"] == "c" else values["axis"]
            shape[along] = draw(small)
        else:
            repeated = draw(st.sets(st.sampled_from(range(len(x)))))
            shape = [1 if place in repeated else size for place, size in enumerate(x)]
            shape = shape[:1] if set(shape[1:]) == {1} and draw(st.booleans()) else shape
        operands.append((tuple(shape), draw(small)))
    return tuple(operands)
