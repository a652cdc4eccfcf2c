"""Values of a spec: expressions, words, lists, tables, and names with expressions in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, Position, Problem, SpecError
from convcost.language.expression import ExpressionError, compile_expression
from convcost.language.operations import NUMBERS, is_misspelt
from convcost.language.parts import BROKEN, Template, Value
from convcost.language.reader import Mapping, Scalar, Sequence
from convcost.language.scalar import dims, scan
from convcost.limits import MAX_DIGITS, MAX_ITEMS

if TYPE_CHECKING:
    from convcost.language.reader import Node


class Problems:
    """What is wrong with a spec so far."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self._included: list[SpecError] = []

    def add(self, position: Position, message: str) -> None:
        """Note one more."""
        self.found.append(Problem(position, message))

    def include(self, error: SpecError, used_at: Position) -> None:
        """Note, once, what is wrong with another file that is used here."""
        if not any(error is one for one in self._included):
            self._included.append(error)
            self.found += [one._replace(chain=(*one.chain, f"used by {used_at}")) for one in error.problems]


def is_identifier(text: str) -> bool:
    """Whether ``text`` can be the name of a variable."""
    return text.isidentifier() and text.isascii() and not text.startswith("_")


def absent(node: Node) -> bool:
    """Whether a key has no value (``key:`` or the shorthand ``{key}``)."""
    return isinstance(node, Scalar) and node.text == "" and not node.quoted


def expression(text: str, position: Position, problems: Problems) -> Value:
    """``text`` compiled; a broken value stands in where that fails and the failure is noted."""
    try:
        compiled = compile_expression(text)
    except ExpressionError as error:
        problems.add(position, str(error))
        return Value(position, constant=BROKEN)
    if not compiled.is_constant:
        return Value(position, expression=compiled)
    try:
        return Value(position, constant=compiled.evaluate({}))
    except ConvcostError as error:
        problems.add(position, str(error))
        return Value(position, constant=BROKEN)


def value(  # noqa: PLR0911 - one answer a kind
    node: Node, problems: Problems, *, name: str = "", words: tuple[Any, ...] = ()
) -> Value:
    """A field's or parameter's value.

    Args:
        node: as read; absent means the variable called ``name``.
        problems: where faults go.
        name: the field's name.
        words: bare words that stand for themselves here.
    """
    if isinstance(node, Sequence):
        _limit(node, len(node.items), problems)
        return Value(node.position, items=tuple(value(item, problems, words=words) for item in node.items))
    if isinstance(node, Mapping):
        problems.add(node.position, "expected a value, found a mapping")
        return Value(node.position, constant=BROKEN)
    if absent(node):
        if not name:
            problems.add(node.position, "a value is missing")
            return Value(node.position, constant=BROKEN)
        return expression(name, node.position, problems)
    if node.text in words:
        return Value(node.position, constant=node.text)
    sizes = dims(node.text)
    if sizes is not None:
        return Value(node.position, constant=sizes)
    found = expression(node.text, node.position, problems)
    found.words = words
    return found


def data(node: Node, problems: Problems) -> Any:
    """A table as data: numbers, words, lists and mappings, never expressions."""
    if isinstance(node, Scalar):
        return _cell(node, problems)
    if isinstance(node, Sequence):
        _limit(node, len(node.items), problems)
        return tuple(data(item, problems) for item in node.items)
    _limit(node, len(node.entries), problems)
    table: dict[Any, Any] = {}
    for key, item in node.entries:
        name = _cell(key, problems)
        if name in table:
            problems.add(key.position, f"the key {key.text} equals an earlier one")
        table[name] = data(item, problems)
    return table


def _cell(node: Scalar, problems: Problems) -> Any:
    found = scan(node.text, quoted=node.quoted)
    if isinstance(found, str) and len(found) <= MAX_DIGITS and is_misspelt(found):
        problems.add(node.position, f"'{found[:60]}' is neither a number nor a word: {NUMBERS}")
    return found


def _limit(node: Node, items: int, problems: Problems) -> None:
    if items > MAX_ITEMS:
        problems.add(node.position, f"a list or table may have {MAX_ITEMS:,} items, found {items:,}")


def data_or_expression(node: Node, problems: Problems) -> Value:
    """A YAML list or mapping is data; a scalar is an expression."""
    if isinstance(node, Scalar):
        return value(node, problems)
    return Value(node.position, constant=data(node, problems))


def template(node: Node, problems: Problems, what: str) -> Template | None:
    """A name such as ``stage {i}``; None (and a problem) where it is no text."""
    if not isinstance(node, Scalar) or not node.text.strip():
        problems.add(node.position, f"{what} must be a word or text")
        return None
    parts: list[str | Value] = []
    rest = node.text
    while rest:
        before, brace, after = rest.partition("{")
        if before:
            parts.append(before)
        if not brace:
            break
        inside, closed, rest = after.partition("}")
        if not closed:
            problems.add(node.position, f"{what}: '{{' is never closed")
            return None
        parts.append(expression(inside.strip(), node.position, problems))
    return Template(node.text, tuple(parts), node.position)


def text(node: Node, problems: Problems, what: str) -> str:
    """Plain text."""
    if isinstance(node, Scalar):
        return node.text
    problems.add(node.position, f"{what} must be text")
    return ""
