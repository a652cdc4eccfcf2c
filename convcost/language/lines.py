"""Items of lists that are written in one line: a large file repeats a few of them, so each text is read once.

A line such as ``- conv: {out: 64, kernel: 3}`` means the same wherever it is an item of a list. Before a file is read,
a mark takes the place of each such item. If the mark turns out to be an item, the line is what the text says by itself.
If it does not (the line may be a part of a longer text), the file is read as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from convcost.language.tree import Mapping, Sequence, Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from convcost.language.tree import Node

MARK = "\ue000"  # for private use, as Unicode has it: no file means anything by it
_ITEM = re.compile(r"^( *- )([a-z_]\w*: \{[\w :,.+*/()\[\]-]{0,200}\})$", re.MULTILINE | re.ASCII | re.IGNORECASE)
_MOST = 10_000  # texts that are kept
_DASH = "- "

_kept: dict[str, Wording] = {}  # by text, within a process


class Unlike(Exception):  # noqa: N818 - no error: the file is read in another way
    """A line means something else in its place than by itself."""


def shortened(text: str) -> tuple[str, list[str]]:
    """``text`` with marks for items that are written in one line, and these items in order."""
    if MARK in text:
        return text, []
    items: list[str] = []

    def mark(match: re.Match[str]) -> str:
        items.append(match[2])
        return match[1] + MARK

    return _ITEM.sub(mark, text), items


def known(items: list[str], read: Callable[[str], Node]) -> list[Wording]:
    """What each of ``items`` says.

    Args:
        items: texts, in order.
        read: what makes a tree of a text.

    Raises:
        Unlike: a text is more or less than an item.
        Exception: what ``read`` raises.
    """
    if len(_kept) >= _MOST:
        _kept.clear()
    wordings = {item: _kept[item] for item in set(items) & _kept.keys()}
    new = [item for item in dict.fromkeys(items) if item not in wordings]
    if new:
        trees = read("\n".join(_DASH + item for item in new))
        if not isinstance(trees, Sequence) or len(trees.written) != len(new):
            raise Unlike
        for number, (item, tree) in enumerate(zip(new, trees.items, strict=True), 1):
            _make_relative(tree, number)
            wordings[item] = Wording(tree)
        for item in new[: _MOST - len(_kept)]:
            _kept[item] = wordings[item]
    return [wordings[item] for item in items]


def _make_relative(node: Node, line: int) -> None:
    """Let the positions in ``node``, which is in one line after a dash, be relative to it.

    Raises:
        Unlike: it goes over the line.
    """
    if node.line != line:
        raise Unlike
    node.file, node.line, node.column = "", 0, node.column - len(_DASH) - 1
    parts: Iterable[Node] = ()
    if isinstance(node, Sequence):
        parts = node.items
    elif isinstance(node, Mapping):
        parts = [part for entry in node.entries for part in entry]
    for part in parts:
        _make_relative(part, line)
