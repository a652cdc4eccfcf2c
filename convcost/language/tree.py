"""The tree of a YAML file: scalars, lists and mappings with the place where each begins; and the values of scalars."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from convcost.errors import Position
from convcost.language.operations import decimal
from convcost.limits import MAX_DIGITS

if TYPE_CHECKING:
    from collections.abc import Collection
    from fractions import Fraction


class _Node:
    """A part of the tree, and where it begins (line and column count from 1)."""

    __slots__ = ("column", "file", "line")

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file = file
        self.line = line
        self.column = column

    @property
    def position(self) -> Position:
        """Where it begins."""
        return Position(self.file, self.line, self.column)


class Scalar(_Node):
    """A word, number or text; ``quoted`` or plain."""

    __slots__ = ("quoted", "text")

    def __init__(self, file: str, line: int, column: int, text: str, quoted: bool) -> None:  # noqa: FBT001 - made a million times
        self.file = file
        self.line = line
        self.column = column
        self.text = text
        self.quoted = quoted


class Wording:
    """The text of an item that is written in one line; all lines of the same text share it.

    Attributes:
        tree: what the text says; positions in it are relative to it (see :meth:`~convcost.errors.Position.within`).
        meaning: what the grammar makes of it, kept here.
    """

    __slots__ = ("meaning", "tree")

    def __init__(self, tree: Node) -> None:
        self.tree = tree
        self.meaning: Any = None


class Line(_Node):
    """An item of a list that is written in one line, as ``- conv: {out: 64, kernel: 3}``."""

    __slots__ = ("wording",)

    def __init__(self, file: str, line: int, column: int, wording: Wording) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.wording = wording

    def node(self) -> Node:
        """The item as a part of the tree, with its own positions."""
        return self._moved(self.wording.tree)

    def _moved(self, node: Node) -> Node:
        if isinstance(node, Scalar):
            return self._scalar(node)
        if isinstance(node, Sequence):
            items = Sequence(*node.position.within(self.position))
            items.written += map(self._moved, node.items)
            return items
        entries = Mapping(*node.position.within(self.position))
        for key, value in node.entries:
            entries.put(self._scalar(key), self._moved(value))
        return entries

    def _scalar(self, node: Scalar) -> Scalar:
        return Scalar(*node.position.within(self.position), node.text, node.quoted)


class Sequence(_Node):
    """A list.

    Attributes:
        written: its items; those that are written in one line may be a :class:`Line`.
    """

    __slots__ = ("written",)

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.written: list[Node | Line] = []

    @property
    def items(self) -> list[Node]:
        """The items as parts of the tree."""
        return [item.node() if isinstance(item, Line) else item for item in self.written]


class Mapping(_Node):
    """Keys and values, in order; every key is a scalar and occurs once."""

    __slots__ = ("_index", "entries")

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.entries: list[tuple[Scalar, Node]] = []
        self._index: dict[str, Node] = {}

    def put(self, key: Scalar, value: Node) -> None:
        """Append an entry; the caller has made sure that the key is new."""
        self.entries.append((key, value))
        self._index[key.text] = value

    def __contains__(self, key: str) -> bool:
        return key in self._index

    def get(self, key: str) -> Node | None:
        """The value of ``key``, if it is there."""
        return self._index.get(key)

    def split(self, keys: Collection[str]) -> tuple[Mapping, Mapping]:
        """The entries whose key is not among ``keys``, and those whose key is."""
        rest, own = (Mapping(self.file, self.line, self.column) for _ in range(2))
        for key, value in self.entries:
            (own if key.text in keys else rest).put(key, value)
        return rest, own


Node: TypeAlias = Scalar | Sequence | Mapping


_DIMS = r"[0-9]{1,9}(?:x[0-9]{1,9}){1,3}"
_WORDS = {"true": True, "false": False, "-": None, "~": None}


def scan(text: str, *, quoted: bool) -> int | Fraction | bool | str | tuple[int, ...] | None:
    """The value a table's cell stands for: a number, true or false, none, the list of ``1x7``, or a word.

    Quotes make no difference to a value, ``quoted`` only distinguishes an empty text from a missing value.

    >>> scan("010", quoted=False), scan("0.75", quoted=False), scan("no", quoted=False)
    (10, Fraction(3, 4), 'no')
    >>> scan("1x7", quoted=False), scan("1_000", quoted=False)
    ((1, 7), 1000)
    """
    if text in _WORDS:
        return _WORDS[text]
    if text == "" and not quoted:
        return None
    if len(text) > MAX_DIGITS:
        return text
    sizes = dims(text)
    if sizes is not None:
        return sizes
    number: int | Fraction | None = decimal(text[1:] if text[:1] in ("+", "-") else text)
    if number is None:
        return text
    return -number if text[0] == "-" else number


def dims(text: str) -> tuple[int, ...] | None:
    """The sizes of ``1x7``; None where ``text`` is something else.

    >>> dims("1x7"), dims("7")
    ((1, 7), None)
    """
    if "x" not in text or re.fullmatch(_DIMS, text) is None:
        return None
    return tuple(int(part) for part in text.split("x"))
