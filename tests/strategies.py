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
    if name == "groups":
        return draw(st.sampled_from(_divisors(x[0])))
    if name == "parts":
        return draw(st.sampled_from(_divisors(x[0])))
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
    if field.type == "axes":
        each = st.integers(field.minimum, 3)
        return draw(st.one_of(each, st.lists(each, min_size=axes, max_size=axes)))
    return draw(st.integers(field.minimum, 4))


@st.composite
def layers(draw: Callable[..., Any], key: str) -> tuple[dict[str, Any], Any]:
    """Fields and input of a layer: a shape, or operands where it merges."""
    layer = REGISTRY[key]
    x = draw(shapes(flat=key in FLAT_TOO))
    values = {name: draw(field_values(name, field, x)) for name, field in layer.fields.items()}
    if key == "pixel_shuffle":
        values["factor"] = draw(st.sampled_from([n for n in (1, 2, 3) if x[0] % n ** (len(x) - 1) == 0]))
    if key == "pixel_unshuffle":
        x = (x[0], *(size * values["factor"] for size in x[1:]))
    if key == "deform_conv":
        values["offset_groups"] = draw(st.sampled_from(_divisors(x[0])))
    if key in ("conv", "conv_transpose", "deform_conv"):
        values["out"] = values["groups"] * draw(small)
    if key in ("linear", "rbf") and values.get("axis") is None:  # these take no map of several positions
        x = (x[0], *(1 for _ in x[1:]))
    if key == "upsample":
        values[draw(st.sampled_from(["factor", "size"]))] = None
    if key == "reshape":
        count = 1
        for size in x:
            count *= size
        values["to"] = [draw(st.sampled_from(_divisors(count))), 1]
        values["to"][1] = count // values["to"][0]
    if not layer.merges:
        return values, x
    return values, draw(_operands(key, x))


@st.composite
def _operands(draw: Callable[..., Any], key: str, x: tuple[int, ...]) -> tuple[tuple[tuple[int, ...], int], ...]:
    operands = [(x, draw(small))]
    for _ in range(draw(st.integers(0, 2))):
        shape = (draw(small), *x[1:]) if key == "concat" else draw(st.sampled_from([x, (x[0], *(1 for _ in x[1:]))]))
        operands.append((shape, draw(small)))
    return tuple(operands)
