"""Expressions of the spec language: a whitelisted syntax tree, compiled once to closures over any algebra.

Nothing is passed to Python's evaluator: text is parsed, every node must be on the list below, and each node
becomes a small function of a scope. Python's ``^`` is a power here, so that printed formulas can be parsed again.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from convcost.errors import ConvcostError, UsageError, unknown
from convcost.language import operations as ops
from convcost.language.operations import BUILTINS
from convcost.limits import MAX_DEPTH, MAX_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable


CONSTANTS: dict[str, Any] = {"true": True, "false": False, "none": None}
_LONGEST_WHOLE = 18  # digits of a number that is read without the parser
_LEADING_ZEROS = r"""('[^']*'|"[^"]*")|(?<![\w.])0(?:_?0)*_?(?=[0-9])"""  # quoted text is kept
_WORD_AFTER_NUMBER = r"[0-9.][A-Za-z_]"


class ExpressionError(ConvcostError):
    """An expression is not one, or cannot be computed."""


class Expression:
    """A compiled expression.

    Attributes:
        text: as written.
        evaluate: the function of a scope (a mapping from names to values).
        names: every name it reads.
        calls: name and number of arguments of every call that is not to a built-in function.
        comparisons: every ``name == 'word'`` in it.
        counting: the names that choose an entry of a table or the length of a list, and so must be numbers.
    """

    __slots__ = ("calls", "comparisons", "counting", "evaluate", "names", "text")

    def __init__(
        self,
        text: str,
        evaluate: Callable[[Any], Any],
        names: tuple[str, ...] = (),
        calls: tuple[tuple[str, int], ...] = (),
        comparisons: tuple[tuple[str, str], ...] = (),
        counting: tuple[str, ...] = (),
    ) -> None:
        self.text = text
        self.evaluate = evaluate
        self.names = names
        self.calls = calls
        self.comparisons = comparisons
        self.counting = counting

    @property
    def is_constant(self) -> bool:
        """Whether it has the same value in every scope."""
        return not self.names and not self.calls


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Compile ``text``.

    Raises:
        ExpressionError: it is too long, not an expression, or uses what the language does not have.
    """
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression may have {MAX_LENGTH:,} characters, found {len(text):,}")
    if text.isascii():
        if text.isdecimal() and len(text) <= _LONGEST_WHOLE:
            return Expression(text, ops.constant(int(text)))
        if text.isidentifier() and text[0] != "_" and text not in CONSTANTS and text not in _PYTHON_WORDS:
            return Expression(text, ops.lookup(text), (text,))
    return _Compiler(text).compiled()


def typed_expression(text: str, option: str) -> Expression:
    """An expression that a user typed behind ``option``: of names and built-in functions only.

    Raises:
        UsageError: it is no valid expression, or calls something else.
    """
    try:
        expression = compile_expression(text)
    except ExpressionError as error:
        raise UsageError(f"{option}: {error}") from None
    for name, _ in expression.calls:
        raise UsageError(f"{option}: {unknown('function', name, BUILTINS)}")
    return expression


_PYTHON_WORDS = frozenset(keyword.kwlist)


def _python(text: str) -> str:
    """``text`` as Python reads it: a power is ``**``, and a number has no leading zeros."""
    text = text.replace("^", "**")
    return re.sub(_LEADING_ZEROS, lambda match: match[1] or "", text) if "0" in text else text


def _parse(text: str) -> ast.expr:
    if "\\" in text or "\n" in text:
        _refuse(text, "backslashes and line breaks have no place in it")
    source = _python(text)
    try:
        if re.search(_WORD_AFTER_NUMBER, source):  # Python would warn of "1if"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(source, mode="eval").body
        return ast.parse(source, mode="eval").body
    except SyntaxError as error:
        _refuse(text, (error.msg or "it does not parse").split(" (", maxsplit=1)[0])
    except (ValueError, RecursionError, MemoryError):
        _refuse(text, "it does not parse")


def _refuse(text: str, why: str) -> NoReturn:
    shown = text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a readable length
    raise ExpressionError(f"'{shown}' is not an expression: {why}")


class _Compiler:
    def __init__(self, text: str) -> None:
        self._text = text
        self._source = _python(text).encode()
        self._names: list[str] = []
        self._calls: list[tuple[str, int]] = []
        self._comparisons: list[tuple[str, str]] = []
        self._counting: list[str] = []
        self._depth = 0

    def compiled(self) -> Expression:
        evaluate = self._node(_parse(self._text))
        return Expression(
            self._text,
            evaluate,
            tuple(dict.fromkeys(self._names)),
            tuple(dict.fromkeys(self._calls)),
            tuple(self._comparisons),
            tuple(dict.fromkeys(self._counting)),
        )

    def _node(self, node: ast.AST) -> Callable[[Any], Any]:
        method = _METHODS.get(type(node))
        if method is None:
            _refuse(self._text, f"the language has no {_describe(node)}")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _refuse(self._text, f"it nests deeper than {MAX_DEPTH} levels")
        closure: Callable[[Any], Any] = method(self, node)
        self._depth -= 1
        return closure

    def _constant(self, node: ast.Constant) -> Callable[[Any], Any]:
        value = node.value
        if isinstance(value, bool) or value is None:
            _refuse(self._text, f"write {str(value).lower()}")
        if isinstance(value, str):
            return ops.constant(value)
        if not isinstance(value, int | float):
            _refuse(self._text, f"the language has no {type(value).__name__} constants")
        return ops.constant(self._number(node))

    def _number(self, node: ast.Constant) -> Any:
        digits = self._source[node.col_offset : node.end_col_offset].decode()
        value = ops.decimal(digits)
        if value is None:
            _refuse(self._text, f"{digits[:40]}: {ops.NUMBERS}")
        return value

    def _name(self, node: ast.Name) -> Callable[[Any], Any]:
        if node.id in CONSTANTS:
            return ops.constant(CONSTANTS[node.id])
        if node.id.startswith("_"):
            _refuse(self._text, "a name may not begin with an underscore")
        self._names.append(node.id)
        return ops.lookup(node.id)

    def _unary(self, node: ast.UnaryOp) -> Callable[[Any], Any]:
        rule = ops.UNARY.get(type(node.op).__name__)
        if rule is None:
            _refuse(self._text, f"the language has no {_describe(node.op)}")
        return rule(self._node(node.operand))

    def _binary(self, node: ast.BinOp) -> Callable[[Any], Any]:
        rule = ops.BINARY.get(type(node.op).__name__)
        if rule is None:
            _refuse(self._text, f"the language has no {_describe(node.op)}")
        return ops.binary(rule, self._node(node.left), self._node(node.right))

    def _compare(self, node: ast.Compare) -> Callable[[Any], Any]:
        sides = [node.left, *node.comparators]
        closures = [self._node(side) for side in sides]
        links = []
        for left, operator, right, a, b in zip(sides, node.ops, sides[1:], closures, closures[1:], strict=False):
            rule = ops.COMPARE.get(type(operator).__name__)
            if rule is None:
                _refuse(self._text, f"the language has no {_describe(operator)}")
            self._note_words(left, right)
            links.append(ops.binary(rule, a, b))
        return links[0] if len(links) == 1 else ops.every(links)

    def _note_words(self, left: ast.expr, right: ast.expr) -> None:
        for side, other in ((left, right), (right, left)):
            items = other.elts if isinstance(other, ast.List | ast.Tuple) else [other]
            for item in items:
                if isinstance(side, ast.Name) and isinstance(item, ast.Constant) and isinstance(item.value, str):
                    self._comparisons.append((side.id, item.value))

    def _bool(self, node: ast.BoolOp) -> Callable[[Any], Any]:
        closures = [self._node(value) for value in node.values]
        return ops.every(closures) if isinstance(node.op, ast.And) else ops.some(closures)

    def _choice(self, node: ast.IfExp) -> Callable[[Any], Any]:
        return ops.choice(self._node(node.test), self._node(node.body), self._node(node.orelse))

    def _list(self, node: ast.List | ast.Tuple) -> Callable[[Any], Any]:
        return ops.listed([self._node(item) for item in node.elts])

    def _index(self, node: ast.Subscript) -> Callable[[Any], Any]:
        value = self._node(node.value)
        before = len(self._names)
        index = self._node(node.slice)
        self._counting += self._names[before:]
        return ops.binary(ops.item, value, index)

    def _attribute(self, node: ast.Attribute) -> Callable[[Any], Any]:
        if node.attr.startswith("_"):
            _refuse(self._text, "a name may not begin with an underscore")
        return ops.attribute(self._node(node.value), node.attr)

    def _call(self, node: ast.Call) -> Callable[[Any], Any]:
        if not isinstance(node.func, ast.Name) or node.keywords:
            _refuse(self._text, "a call is name(value, ...)")
        before = len(self._names)
        arguments = [self._node(argument) for argument in node.args]
        name = node.func.id
        if name == "range":
            self._counting += self._names[before:]
        if name in BUILTINS:
            function, fewest, most = BUILTINS[name]
            if not fewest <= len(arguments) <= most:
                takes = f"{fewest}" if fewest == most else f"at least {fewest}"
                _refuse(self._text, f"{name} takes {takes} arguments, found {len(arguments)}")
            return ops.apply(function, arguments)
        if name.startswith("_"):
            _refuse(self._text, unknown("function", name, BUILTINS))
        self._calls.append((name, len(arguments)))
        return ops.call(name, arguments)


_METHODS: dict[type[ast.AST], Any] = {
    ast.Constant: _Compiler._constant,  # noqa: SLF001 - the table of this module's own class
    ast.Name: _Compiler._name,  # noqa: SLF001
    ast.UnaryOp: _Compiler._unary,  # noqa: SLF001
    ast.BinOp: _Compiler._binary,  # noqa: SLF001
    ast.Compare: _Compiler._compare,  # noqa: SLF001
    ast.BoolOp: _Compiler._bool,  # noqa: SLF001
    ast.IfExp: _Compiler._choice,  # noqa: SLF001
    ast.List: _Compiler._list,  # noqa: SLF001
    ast.Tuple: _Compiler._list,  # noqa: SLF001
    ast.Subscript: _Compiler._index,  # noqa: SLF001
    ast.Attribute: _Compiler._attribute,  # noqa: SLF001
    ast.Call: _Compiler._call,  # noqa: SLF001
}

_DESCRIPTIONS = {
    "ListComp": "comprehensions",
    "GeneratorExp": "comprehensions",
    "SetComp": "comprehensions",
    "DictComp": "comprehensions",
    "Dict": "mappings in expressions",
    "Set": "sets",
    "Lambda": "lambda",
    "JoinedStr": "f-strings",
    "Starred": "starred values",
    "NamedExpr": "assignments",
    "Slice": "slices",
    "Is": "`is`; write ==",
    "IsNot": "`is not`; write !=",
}


def _describe(node: ast.AST) -> str:
    name = type(node).__name__
    return _DESCRIPTIONS.get(name, f"{name.lower()} operation")
