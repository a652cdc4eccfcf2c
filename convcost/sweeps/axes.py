"""Axes of a sweep: the values that each parameter takes."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UsageError, shorten
from convcost.language.given import find, from_python, from_text
from convcost.language.model import own_name
from convcost.limits import MAX_AXIS, MAX_POINTS
from convcost.numbers.arithmetic import is_array, is_number, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from convcost.language.model import Parameter, Spec

_EVERY = "*"
_SPAN, _STEPPED = 2, 3  # parts of LOW:HIGH and LOW:HIGH:STEP


class Axis(NamedTuple):
    """A parameter and its values.

    Attributes:
        name: of the parameter.
        values: exact, in the order of the sweep.
    """

    name: str
    values: Sequence[Any]


def _by_one(_low: Fraction, _high: Fraction) -> Fraction:
    """The step of a range that gives none."""
    return Fraction(1)


def axes_of(
    spec: Spec,
    over: Mapping[str, Any] | Iterable[tuple[str, Any]],
    step: Callable[[Fraction, Fraction], Fraction] = _by_one,
) -> tuple[Axis, ...]:
    """The axes that a caller means.

    Args:
        spec: whose parameters vary.
        over: values by name: a sequence or an array of them, or a text such as ``0.25:1:0.05`` or ``1,2,4:8``.
        step: the step of a range from low to high, where the text gives none.

    Raises:
        UsageError: there is no such parameter, it is given twice, or the values are none.
    """
    axes: dict[str, Axis] = {}
    for name, values in over.items() if hasattr(over, "items") else over:
        parameter = find(spec, name)
        own = own_name(name, spec.parameters)
        if own in axes:
            raise UsageError(f"--over gives `{shorten(own)}` twice")
        listed = _of_text(spec, own, parameter, values, step) if isinstance(values, str) else _of_python(own, values)
        if not listed:
            raise UsageError(f"--over {shorten(own)}: no values")
        axes[own] = Axis(own, listed)
    if not axes:
        raise UsageError("a sweep needs a parameter to vary: --over NAME=VALUES")
    return tuple(axes.values())


def count(axes: Sequence[Axis], *, zipped: bool) -> int:
    """How many points there are.

    Raises:
        UsageError: zipped axes differ in length, or there are too many points.
    """
    lengths = {axis.name: len(axis.values) for axis in axes}
    if zipped and len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} has {length:,}" for name, length in lengths.items())
        raise UsageError(f"--zip takes axes of equal length; {listed}")
    points = len(axes[0].values) if zipped else prod(lengths.values())
    if points > MAX_POINTS:
        raise UsageError(f"the sweep has {points:,} points, more than {MAX_POINTS:,}; give larger steps")
    return points


def _of_python(name: str, values: Any) -> list[Any]:
    if is_array(values):
        values = values.ravel().tolist()
    try:
        listed = [from_python(value) for value in values]
    except TypeError:
        raise UsageError(f"`{name}`: expected a list of values, found {str(values)[:60]}") from None
    if len(listed) > MAX_AXIS:
        raise UsageError(f"`{name}` has {len(listed):,} values, more than {MAX_AXIS:,}")
    return listed


def _of_text(
    spec: Spec, name: str, parameter: Parameter | None, text: str, step: Callable[[Fraction, Fraction], Fraction]
) -> list[Any]:
    """The values of ``1,2,4:8`` or ``*``."""
    if text.strip() == _EVERY:
        return list(_every(name, parameter))
    values: list[Any] = []
    for item in _items(text):
        values += _range(name, item, [from_text(spec, name, part) for part in item.split(":")], step)
        if len(values) > MAX_AXIS:
            raise UsageError(f"--over {name}: more than {MAX_AXIS:,} values")
    return values


def _every(name: str, parameter: Parameter | None) -> Sequence[Any]:
    if parameter is not None and parameter.type == "switch":
        return (False, True)
    if parameter is None or not parameter.choices:
        raise UsageError(f"--over {name}={_EVERY} is for a parameter with choices; give its values, as {name}=1:8")
    return tuple(parameter.choices)


def _items(text: str) -> list[str]:
    """The parts between commas that are not inside brackets."""
    items, depth = [""], 0
    for character in text:
        depth += (character in "[(") - (character in "])")
        if character == "," and depth == 0:
            items.append("")
        else:
            items[-1] += character
    return [item.strip() for item in items]


def _range(name: str, item: str, ends: Sequence[Any], usual: Callable[[Fraction, Fraction], Fraction]) -> list[Any]:
    """The values of ``VALUE``, ``LOW:HIGH`` or ``LOW:HIGH:STEP``."""
    if len(ends) == 1:
        return list(ends)
    numbers = len(ends) <= _STEPPED and all(is_number(end) for end in ends)
    if not numbers:
        raise UsageError(f"--over {name} takes VALUE, LOW:HIGH or LOW:HIGH:STEP, found '{item[:60]}'")
    low, high = map(Fraction, ends[:_SPAN])
    step = usual(low, high) if len(ends) == _SPAN else Fraction(ends[-1])
    if step <= 0 or high < low:
        raise UsageError(f"--over {name}: LOW is at most HIGH and STEP above 0, found '{item[:60]}'")
    steps = (high - low) // step
    if steps >= MAX_AXIS:
        raise UsageError(f"--over {name}: {item[:60]} has {steps + 1:,} values, more than {MAX_AXIS:,}")
    if low.denominator == step.denominator == 1:
        return list(range(int(low), int(high) + 1, int(step)))
    return [normal(low + number * step) for number in range(steps + 1)]
