"""Checks of parameter values, and their conversion from text and from Python objects."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, UsageError, did_you_mean, not_among, unknown
from convcost.language.expression import compile_expression
from convcost.language.model import own_name
from convcost.language.operations import describe
from convcost.language.parts import Fault
from convcost.language.scalar import dims, scan
from convcost.numbers.arithmetic import exact_array, is_array, is_number, is_symbolic, normal, require

if TYPE_CHECKING:
    from convcost.errors import Position
    from convcost.language.model import Parameter, Spec

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
    for bound, relation, word in ((parameter.minimum, ">=", "least"), (parameter.maximum, "<=", "most")):
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
    known = [*spec.parameters, *(spec.input_names or ())]
    raise UsageError(unknown("parameter", name, known, of=spec.name))


def from_python(value: Any) -> Any:
    """A value handed in by a Python caller, made exact: a float means the decimal that it prints as.

    Raises:
        UsageError: an array holds something other than finite numbers.
    """
    value = exact_array(value)  # before floats: those of numpy are among them
    if isinstance(value, float):
        return normal(Fraction(str(value)))
    if isinstance(value, list | tuple):
        return tuple(from_python(item) for item in value)
    return value
