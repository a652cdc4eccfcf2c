"""The languages of generated code: syntax, helper functions, and the frame of a function."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, NamedTuple

from convcost import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from convcost.codegen.program import Operation


class Source(NamedTuple):
    """The parts of a function, as code.

    Attributes:
        name: of the function.
        title: of the spec.
        conditions: where it holds.
        parameters: each with its arguments: a whole number, or a ratio as two.
        helpers: the operations that need a helper function.
        statements: the name of the result, the operation and its arguments.
        outputs: by name, the top and the bottom of a fraction; no bottom for a whole number.
        unused: arguments that do not occur.
    """

    name: str
    title: str
    conditions: list[str]
    parameters: list[tuple[str, list[str]]]
    helpers: list[Operation]
    statements: list[tuple[str, Operation, list[str]]]
    outputs: dict[str, tuple[str, str | None]]
    unused: list[str]

    @property
    def arguments(self) -> list[str]:
        """Every argument, a ratio as two."""
        return [part for _, parts in self.parameters for part in parts]


class Language(NamedTuple):
    """A programming language.

    Attributes:
        reserved: words that no variable may be called.
        integer: how a whole number is written.
        power: how a power is written.
        helpers: the source of each helper, by the operation it is for.
        write: from the parts of a function to source code.
    """

    reserved: frozenset[str]
    integer: Callable[[int], str]
    power: Callable[[str, int], str]
    helpers: dict[Operation, str]
    write: Callable[[Source], str]


def _head(source: Source, mark: str, *more: str) -> str:
    lines = [
        f"{source.title}: {', '.join(source.outputs)} per sample.",
        f"Written by convcost {__version__}.",
        *(f"Holds where {condition}." for condition in source.conditions),
        *more,
    ]
    return "".join(f"{mark} {line}\n" for line in lines)


def _helpers(source: Source, helpers: dict[Operation, str]) -> str:
    return "".join(helpers[name] for name in source.helpers)


def _assignments(source: Source, form: str, call: Callable[[Operation, list[str]], str]) -> list[str]:
    return [form.format(name, call(operation, arguments)) for name, operation, arguments in source.statements]


PYTHON_HELPERS: dict[Operation, str] = {
    "gcd": """

def _gcd(a, b):
    while b:
        a, b = b, a % b
    return a
""",
    "make_divisible": """

def _make_divisible(top, bottom, step):
    nearest = max(step, (2*top + step*bottom)//(2*step*bottom)*step)
    return nearest + step if 10*nearest*bottom < 9*top else nearest
""",
    "round_even": """

def _round_even(top, bottom):
    whole, rest = divmod(top, bottom)
    return whole + (2*rest > bottom or (2*rest == bottom and whole % 2))
""",
}


def _python_call(operation: Operation, arguments: list[str]) -> str:
    if operation == "floor_div":
        top, bottom = arguments
        return top if bottom == "1" else _over(top, bottom, "//")
    if operation in ("maximum", "minimum"):
        return f"{operation[:3]}({', '.join(arguments)})"
    return f"_{operation}({', '.join(arguments)})"


def _over(top: str, bottom: str, sign: str) -> str:
    top, bottom = (part if part.isidentifier() or part.isdigit() else f"({part})" for part in (top, bottom))
    return f"{top}{sign}{bottom}"


def _quotient(top: str, bottom: str | None, sign: str = "//") -> str:
    return top if bottom is None else _over(top, bottom, sign)


def _python(source: Source) -> str:
    ratios = [(name, parts) for name, parts in source.parameters if len(parts) > 1]
    lines = []
    for name, (top, bottom) in ratios:
        lines.append(f"    {name} = Fraction(str({name}) if isinstance({name}, float) else {name})")
        lines.append(f"    {top}, {bottom} = {name}.numerator, {name}.denominator")
    lines += _assignments(source, "    {} = {}", _python_call)
    lines.append("    return {")
    lines += [f'        "{name}": {_quotient(*fraction)},' for name, fraction in source.outputs.items()]
    signature = ", ".join(parts[0] if len(parts) == 1 else name for name, parts in source.parameters)
    imports = "\nfrom fractions import Fraction\n" if ratios else ""
    note = ["A ratio is a Fraction, or a float that means the decimal it prints as."] if ratios else []
    body = "\n".join([*lines, "    }"])
    head = _head(source, "#", *note)
    return f"{head}{imports}{_helpers(source, PYTHON_HELPERS)}\n\ndef {source.name}({signature}):\n{body}\n"


NUMPY_HELPERS: dict[Operation, str] = {
    "make_divisible": """

def _make_divisible(top, bottom, step):
    nearest = np.maximum(step, (2*top + step*bottom)//(2*step*bottom)*step)
    return nearest + step*(10*nearest*bottom < 9*top)
""",
    "round_even": """

def _round_even(top, bottom):
    whole, rest = top//bottom, top % bottom
    return whole + ((2*rest > bottom) | ((2*rest == bottom) & (whole % 2 == 1)))
""",
}


def _numpy_call(operation: Operation, arguments: list[str]) -> str:
    if operation == "gcd":
        return f"np.gcd({', '.join(arguments)})"
    if operation in ("maximum", "minimum"):
        result = arguments[0]
        for argument in arguments[1:]:
            result = f"np.{operation}({result}, {argument})"
        return result
    return _python_call(operation, arguments)


def _numpy(source: Source) -> str:
    note = (
        "Arguments are whole numbers or arrays of them; a ratio is given as numerator and denominator.",
        "Exact. dtype=np.int64 is faster, and exact while no result times its divisor reaches 2**63.",
    )
    names = ", ".join(source.arguments)
    lines = [f"    {name} = np.asarray({name}, dtype=dtype)" for name in source.arguments]
    lines += _assignments(source, "    {} = {}", _numpy_call)
    lines.append("    return {")
    lines += [f'        "{name}": {_quotient(*fraction)},' for name, fraction in source.outputs.items()]
    body = "\n".join([*lines, "    }"])
    signature = f"{names}, *, dtype=object" if names else "*, dtype=object"
    helpers = _helpers(source, NUMPY_HELPERS)
    return f"{_head(source, '#', *note)}\nimport numpy as np\n{helpers}\n\ndef {source.name}({signature}):\n{body}\n"


C_HELPERS: dict[Operation, str] = {
    "gcd": """
static wide cost_gcd(wide a, wide b) {
    while (b != 0) { wide rest = a % b; a = b; b = rest; }
    return a;
}
""",
    "floor_div": """
static wide cost_floor_div(wide top, wide bottom) {
    return top/bottom - (top % bottom != 0 && (top < 0) != (bottom < 0));
}
""",
    "make_divisible": """
static wide cost_make_divisible(wide top, wide bottom, wide step) {
    wide nearest = (2*top + step*bottom)/(2*step*bottom)*step;
    if (nearest < step) nearest = step;
    return 10*nearest*bottom < 9*top ? nearest + step : nearest;
}
""",
    "round_even": """
static wide cost_round_even(wide top, wide bottom) {
    wide whole = top/bottom, rest = top % bottom;
    return whole + (2*rest > bottom || (2*rest == bottom && whole % 2 == 1));
}
""",
    "maximum": "\nstatic wide cost_maximum(wide a, wide b) { return a > b ? a : b; }\n",
    "minimum": "\nstatic wide cost_minimum(wide a, wide b) { return a < b ? a : b; }\n",
}


def _c_call(operation: Operation, arguments: list[str]) -> str:
    if operation in ("maximum", "minimum"):
        result = arguments[0]
        for argument in arguments[1:]:
            result = f"cost_{operation}({result}, {argument})"
        return result
    if operation == "floor_div" and arguments[1] == "1":
        return arguments[0]
    return f"cost_{operation}({', '.join(arguments)})"


def _c(source: Source) -> str:
    note = (
        "A ratio is given as numerator and denominator. Exact while every result fits in 64 bits and every",
        "product on the way in 127; needs the __int128 of gcc or clang.",
    )
    fields = "".join(f"    int64_t {name};\n" for name in source.outputs)
    signature = ", ".join(f"wide {name}" for name in source.arguments) or "void"
    lines = [f"    (void){name};" for name in source.unused]
    lines += _assignments(source, "    const wide {} = {};", _c_call)
    lines.append(f"    struct {source.name}_cost cost;")
    for name, (top, bottom) in source.outputs.items():
        lines.append(f"    cost.{name} = (int64_t)({_quotient(top, bottom, '/')});")
    body = "\n".join([*lines, "    return cost;"])
    return (
        f"{_head(source, '//', *note)}\n#include <stdint.h>\n\n__extension__ typedef __int128 wide;\n"
        f"{_helpers(source, C_HELPERS)}\nstruct {source.name}_cost {{\n{fields}}};\n\n"
        f"struct {source.name}_cost {source.name}({signature}) {{\n{body}\n}}\n"
    )


JAVASCRIPT_HELPERS: dict[Operation, str] = {
    "gcd": """
function _gcd(a, b) {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
""",
    "floor_div": """
function _floor_div(top, bottom) {
  return top/bottom - (top % bottom !== 0n && (top < 0n) !== (bottom < 0n) ? 1n : 0n);
}
""",
    "make_divisible": """
function _make_divisible(top, bottom, step) {
  let nearest = (2n*top + step*bottom)/(2n*step*bottom)*step;
  if (nearest < step) nearest = step;
  return 10n*nearest*bottom < 9n*top ? nearest + step : nearest;
}
""",
    "round_even": """
function _round_even(top, bottom) {
  const whole = top/bottom, rest = top % bottom;
  return whole + (2n*rest > bottom || (2n*rest === bottom && whole % 2n === 1n) ? 1n : 0n);
}
""",
    "maximum": "\nfunction _maximum(...values) { return values.reduce((a, b) => a > b ? a : b); }\n",
    "minimum": "\nfunction _minimum(...values) { return values.reduce((a, b) => a < b ? a : b); }\n",
}


def _javascript_call(operation: Operation, arguments: list[str]) -> str:
    if operation == "floor_div" and arguments[1] == "1n":
        return arguments[0]
    return f"_{operation}({', '.join(arguments)})"


def _javascript(source: Source) -> str:
    note = ("Arguments are whole numbers or BigInt; a ratio is given as numerator and denominator. Returns BigInt.",)
    lines = [f"  {name} = BigInt({name});" for name in source.arguments]
    lines += _assignments(source, "  const {} = {};", _javascript_call)
    lines.append("  return {")
    for name, (top, bottom) in source.outputs.items():
        lines.append(f"    {name}: {_quotient(top, bottom, '/')},")
    body = "\n".join([*lines, "  };"])
    export = f"\nif (typeof module !== 'undefined') module.exports = {source.name};\n"
    signature = ", ".join(source.arguments)
    helpers = _helpers(source, JAVASCRIPT_HELPERS)
    return f"{_head(source, '//', *note)}{helpers}\nfunction {source.name}({signature}) {{\n{body}\n}}\n{export}"


_C_WORDS = """auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof
bool true false wide cost int64_t main unix linux"""
_JAVASCRIPT_WORDS = """arguments async await break case catch class const continue debugger default delete do else enum
eval export extends false finally for function if implements import in instanceof interface let new null of package
private protected public return static super switch this throw true try typeof undefined var void while with yield
module BigInt NaN Infinity"""


def _python_power(base: str, power: int) -> str:
    return f"{base}**{power}"


def _product(base: str, power: int) -> str:
    return "*".join([base] * power)  # JavaScript has ** too, but not behind a minus


_PYTHON_WORDS = frozenset(keyword.kwlist)
_BUILTINS = ("Fraction", "max", "min", "divmod", "isinstance", "str", "float")

LANGUAGES = {
    "python": Language(_PYTHON_WORDS | {*_BUILTINS}, str, _python_power, PYTHON_HELPERS, _python),
    "numpy": Language(_PYTHON_WORDS | {"np", "dtype"}, str, _python_power, NUMPY_HELPERS, _numpy),
    "c": Language(
        frozenset([*_C_WORDS.split(), *(f"cost_{name}" for name in C_HELPERS)]), str, _product, C_HELPERS, _c
    ),
    "javascript": Language(
        frozenset(_JAVASCRIPT_WORDS.split()), "{}n".format, _product, JAVASCRIPT_HELPERS, _javascript
    ),
}
