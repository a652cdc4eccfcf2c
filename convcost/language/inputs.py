"""Shapes of the tensors that enter a spec: stated by it, or given in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import UsageError, unknown
from convcost.language.given import whole
from convcost.language.model import Fault
from convcost.language.scope import evaluate
from convcost.language.syntax import LAYOUTS
from convcost.layers.window import show
from convcost.numbers.arithmetic import provably

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from convcost.language.model import Spec, Value
    from convcost.language.scope import Scope
    from convcost.layers.base import Shape
    from convcost.numbers.arithmetic import Num

PICTURE = (1, 3)  # channels of a grey or colour picture
LARGE = 16  # the least size of a picture
BATCHED = 4  # entries of a shape with a batch axis before channels, height and width


def entering_shape(spec: Spec, scope: Scope, other: Shape | None) -> Shape:
    """The shape of the tensor that enters ``spec``.

    Args:
        spec: whose input it is.
        scope: its names.
        other: sizes in place of those that the spec states; a network may be given its spatial sizes alone.

    Returns:
        ``(channels, *spatial)``.

    Raises:
        Fault: the spec states no input, or one that looks like another layout.
        UsageError: ``other`` has not as many axes as the spec, or other channels where the spec fixes them.
    """
    if spec.input_sizes is None:
        return other if other is not None else _of_block(spec, scope)
    return _stated(spec, spec.input_sizes, scope, other)


def entering_shapes(spec: Spec, scope: Scope, other: Any) -> dict[str, Shape]:
    """The shapes of all tensors that enter ``spec``, by name; see :func:`entering_shape`.

    Args:
        spec: whose inputs they are.
        scope: its names.
        other: sizes in place of those that the spec states; of inputs with names a mapping.

    Raises:
        Fault: the spec states no input, or one that looks like another layout.
        UsageError: ``other`` does not fit.
    """
    if not spec.inputs:
        if isinstance(other, dict):
            raise UsageError(f"{spec.name} has one input, without a name; found {', '.join(other)[:60]}")
        return {"input": entering_shape(spec, scope, other)}
    named = _by_name(spec, other)
    return {name: _stated(spec, sizes, scope, named.get(name), name) for name, sizes in spec.inputs.items()}


def _by_name(spec: Spec, other: Any) -> dict[str, Shape]:
    if other is None:
        return {}
    if not isinstance(other, dict):
        first = next(iter(spec.inputs))
        if len(spec.inputs) > 1:
            names = ", ".join(spec.inputs)
            raise UsageError(f"{spec.name} has the inputs {names}: give their sizes by name, as {first}={show(other)}")
        return {first: other}
    for name in other:
        if name not in spec.inputs:
            raise UsageError(unknown("input", name, spec.inputs, of=spec.name))
    return other


def _stated(spec: Spec, written: tuple[Value, ...], scope: Scope, other: Shape | None, name: str = "") -> Shape:
    if other is not None:
        return _replaced(spec, written, scope, other, name)
    shape = tuple(_size(value, scope) for value in written)
    if spec.layout != LAYOUTS[len(shape)]:
        _refuse_other_layouts(shape, written)
    return shape


def replaced_names(spec: Spec, other: Any) -> set[str]:
    """The parameters that state nothing but sizes of ``input`` that ``other`` takes the place of."""
    if other is None or spec.input_sizes is None:
        return set()
    inputs = spec.inputs or {"input": spec.input_sizes}
    own = other if isinstance(other, dict) else dict.fromkeys(inputs, other)
    replaced = [size for name, sizes in own.items() for size in inputs[name][-len(sizes) :]]
    kept = [size for name, sizes in inputs.items() if name not in own for size in sizes]
    return _names(replaced) - _names(kept)


def _names(values: Iterable[Value]) -> set[str]:
    return {name for value in values for used, _ in value.expressions() for name in used.names}


def _of_block(spec: Spec, scope: Scope) -> Shape:
    if spec.input_names is None:
        raise Fault(f"{spec.name} states no input; give one with --input, as 3x224x224", spec.position)
    return tuple(scope[name] if name in scope else _size(value, scope) for name, value in spec.input_names.items())


def _size(value: Value, scope: Scope) -> Num:
    return whole(evaluate(value, scope), "a size of the input", value.position)


def _replaced(spec: Spec, written: tuple[Value, ...], scope: Scope, other: Shape, name: str) -> Shape:
    fixed = written[0].is_fixed
    if len(other) == len(written) - 1:
        channels = _size(written[0], scope)
        if provably(other[0], channels):
            sizes = f"{show((channels, *other))}, or {show((*other, other[-1]))}"
            raise _refusal(spec, written, name, other, f"write {sizes}")
        return (channels, *other)
    if len(other) != len(written):
        batched = len(other) == len(written) + 1 and (not fixed or provably(other[1], written[0].constant))
        hint = f"a shape has no batch axis: write {show(other[1:])}" if batched else ""
        raise _refusal(spec, written, name, other, hint or "the number of sizes differs")
    if fixed and not provably(other[0], written[0].constant):
        if provably(other[-1], written[0].constant):
            raise _refusal(spec, written, name, other, f"channels come first: write {show((other[-1], *other[:-1]))}")
        hint = "the channels differ, and only a spec whose `input` begins with a parameter takes another number"
        raise _refusal(spec, written, name, other, hint)
    if not fixed and not spec.layout and _ends_in_channels(other, lambda _: True):
        hint = f"channels come first: write {show((other[-1], *other[:-1]))}"
        hint = f"{hint}, or add `layout: {LAYOUTS[len(other)]}` to the spec if it has {other[0]}"
        raise _refusal(spec, written, name, other, hint)
    return other


def _refusal(spec: Spec, written: Sequence[Value], name: str, other: Shape, why: str) -> UsageError:
    called = f"{name} " if name else ""
    return UsageError(f"{spec.name} has the input {called}{_listed_sizes(written)}; found {show(other)}: {why}")


def _refuse_other_layouts(shape: Shape, written: Sequence[Value]) -> None:
    """Refuse NCHW and HWC.

    Only a number of channels that is written as a number counts: what is a parameter was put there on purpose.

    Raises:
        Fault: at the first entry.
    """

    def is_written(index: int) -> bool:
        return written[index].is_fixed

    layout = LAYOUTS[len(shape)]
    if _begins_with_batch(shape, is_written):
        better = _listed_sizes(written[1:])
        reading = "a batch, channels, height, width; a spec has no batch axis"
        meant = f"if {shape[0]} is the channels and {shape[1]} the depth"
    elif _ends_in_channels(shape, is_written):
        sizes = written[1:-1] if len(shape) == BATCHED and provably(shape[0], 1) else written[:-1]
        better = _listed_sizes([written[-1], *sizes])
        reading = "sizes before channels; channels come first"
        meant = f"if {shape[0]} is the channels"
    else:
        return
    raise Fault(
        f"{_listed_sizes(written)} looks like {reading}: write {better}, or add `layout: {layout}` {meant}",
        written[0].position,
    )


def needs_layout(shape: Shape) -> bool:
    """Whether an ``input`` written as these numbers looks like another layout, so that ``layout`` must be written."""

    def written(_index: int) -> bool:
        return True

    return _begins_with_batch(shape, written) or _ends_in_channels(shape, written)


def _begins_with_batch(shape: Shape, is_written: Callable[[int], bool]) -> bool:
    return len(shape) == BATCHED and is_written(1) and _is_picture(shape[1]) and all(map(_is_large, shape[2:]))


def _ends_in_channels(shape: Shape, is_written: Callable[[int], bool]) -> bool:
    if len(shape) < BATCHED - 1:
        return False
    return is_written(len(shape) - 1) and _is_picture(shape[-1]) and all(map(_is_large, shape[-3:-1]))


def _is_picture(channels: Num) -> bool:
    return type(channels) is int and channels in PICTURE


def _is_large(size: Num) -> bool:
    return type(size) is int and size >= LARGE


def _listed_sizes(written: Sequence[Value]) -> str:
    texts = (str(value.constant) if value.expression is None else value.expression.text for value in written)
    return f"[{', '.join(texts)}]"
