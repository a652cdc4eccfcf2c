"""Values that a caller or a spec gives to parameters: made exact, and checked against what they are for."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, UsageError, did_you_mean, not_among, unknown
from convcost.language.expression import compile_expression
from convcost.language.model import Fault, own_name
from convcost.language.operations import describe
from convcost.language.tree import dims, scan
from convcost.numbers.arithmetic import (
    Relation,
    exact_value,
    is_array,
    is_number,
    is_symbolic,
    is_whole,
    normal,
    require,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.errors import Position
    from convcost.language.model import Parameter, Spec, Value
    from convcost.numbers.arithmetic import Num

EXPECTED = {
    "whole": "a whole number",
    "ratio": "a positive number",
    "switch": "true or false",
    "word": "a word",
}


def bind(parameter: Parameter, value: Any, position: Position) -> Any:
    """``value``, which must fit ``parameter``.

    Raises:
        Fault: it does not.
    """
    value = normal(value)
    if type(value) is int and parameter.any_int:
        return value
    if not _fits(parameter.type, value):
        hint = ""
        if parameter.type == "whole" and isinstance(value, Fraction) and parameter.default is not None:
            default = parameter.default.constant
            hint = f"; its default {default} makes it whole, and a default of {default}.0 would allow fractions"
        message = f"`{parameter.name}` must be {EXPECTED[parameter.type]}, found {describe(value)}{hint}"
        raise Fault(message, position)
    if parameter.choices and not is_array(value) and value not in parameter.choices:
        raise Fault(not_among(parameter.name, value, parameter.choices, describe(value)), position)
    _check_range(parameter, value, position)
    return value


def _fits(type_: str, value: Any) -> bool:
    if is_symbolic(value) or is_array(value):
        return type_ in ("whole", "ratio", "any")
    if type_ == "whole":
        return type(value) is int or (isinstance(value, tuple) and all(_fits("whole", item) for item in value))
    if type_ == "ratio":
        return is_number(value) and value > 0
    if type_ == "switch":
        return isinstance(value, bool)
    return type_ == "any" or isinstance(value, str)


def _check_range(parameter: Parameter, value: Any, position: Position) -> None:
    sides: tuple[tuple[Value | None, Relation, str], ...] = (
        (parameter.minimum, ">=", "least"),
        (parameter.maximum, "<=", "most"),
    )
    for bound, relation, word in sides:
        if bound is None:
            continue
        limit = bound.constant
        message = f"`{parameter.name}` must be at {word} {limit}, found {describe(value)}"
        if not is_number(value) and not is_symbolic(value) and not is_array(value):
            raise Fault(message, position)
        try:
            require(relation, value, limit, message)
        except ConvcostError as error:
            raise Fault(str(error), position) from None


def whole(size: Any, what: str, position: Position) -> Num:
    """``size``, which must be a whole number of at least 1 (or a symbol or array that can be).

    Raises:
        Fault: it is not.
    """
    if type(size) is int and size >= 1:
        return size
    size = normal(size)

    def message() -> str:
        return f"{what} must be a whole number of at least 1, found {describe(size)}"

    if isinstance(size, bool | str | tuple | dict) or size is None or not is_whole(size):
        raise Fault(message(), position)
    try:
        require(">=", size, 1, message)
    except ConvcostError as error:
        raise Fault(str(error), position) from None
    return size


def from_text(spec: Spec, name: str, text: str) -> Any:
    """The value that ``NAME=TEXT`` on a command line means.

    Raises:
        UsageError: there is no such parameter, or the text is no value.
    """
    parameter = find(spec, name)
    words = parameter.words if parameter is not None else ()
    if text in words:
        return text
    value = dims(text) or scan(text.strip(), quoted=True)
    if not isinstance(value, str) or (parameter is not None and parameter.type in ("switch", "word")):
        return value
    try:
        expression = compile_expression(text)
        if expression.is_constant:
            return expression.evaluate({})
    except ConvcostError:
        pass
    hint = did_you_mean(text, map(str, words)) if words else ""
    raise UsageError(f"`{name}`: expected a value, found '{text[:60]}'{hint}")


def no_parameter(spec: Spec, name: str) -> str:
    """The error about a name that is no parameter of a spec."""
    return unknown("parameter", name, spec.names, of=spec.name, hint=spec.without_parameters)


def find(spec: Spec, name: str) -> Parameter | None:
    """The parameter called ``name``, or by the other standard name; None for a size that the spec reads off its input.

    Raises:
        UsageError: there is neither.
    """
    own = own_name(name, spec.parameters)
    if own in spec.parameters:
        return spec.parameters[own]
    if spec.input_names and name in spec.input_names:
        return None
    raise UsageError(no_parameter(spec, name))


def from_python(value: Any) -> Any:
    """A value handed in by a Python caller, made exact: a float means the decimal that it prints as.

    Raises:
        UsageError: an array holds something other than finite numbers.
    """
    value = exact_value(value)  # before floats: those of numpy are among them
    if isinstance(value, float):
        return normal(Fraction(str(value)))
    if isinstance(value, list | tuple):
        return tuple(from_python(item) for item in value)
    return value


def given_values(spec: Spec, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values handed in, each checked against what it is for.

    Raises:
        UsageError: there is no such parameter, or a value does not fit it.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        parameter = find(spec, name)
        made = from_python(value)
        try:
            if parameter is not None and parameter.name in values:
                raise UsageError(f"`{parameter.name}` of {spec.name} is given twice")
            if parameter is None:
                values[name] = whole(made, f"`{name}`", spec.position)
            else:
                values[parameter.name] = bind(parameter, made, parameter.position)
        except Fault as fault:
            raise UsageError(fault.message) from None
    return values
