"""A tree as one line of text, from which it is made again without a parser.

The text has parts between zero characters, which no YAML text has: a letter for the kind of every node and for every
end of a list or mapping, in order; as many characters whose codes are the lines, then as many for the columns; then the
text of every scalar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.language.tree import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from convcost.language.tree import Node

_PLAIN, _QUOTED, _LIST, _MAPPING, _END = "pqlme"
_SCALARS = (_PLAIN, _QUOTED)
_NO_PLACE = 1  # an end has no position of its own


def flattened(tree: Node) -> str:
    """``tree`` as text, without the name of its file.

    Raises:
        ValueError: a text in it has a zero character, or a line or column is too large for a character.
    """
    kinds: list[str] = []
    places: list[tuple[int, int]] = []
    texts: list[str] = []
    todo: list[Node | None] = [tree]
    while todo:
        node = todo.pop()
        places.append((_NO_PLACE, _NO_PLACE) if node is None else (node.line, node.column))
        if node is None:
            kinds.append(_END)
        elif isinstance(node, Scalar):
            if "\0" in node.text:
                raise ValueError("a text with a zero character")
            kinds.append(_QUOTED if node.quoted else _PLAIN)
            texts.append(node.text)
        elif isinstance(node, Sequence):
            kinds.append(_LIST)
            todo += [None, *reversed(node.items)]
        else:
            kinds.append(_MAPPING)
            todo += [None, *(part for key, value in reversed(node.entries) for part in (value, key))]
    lines, columns = ("".join(chr(place[axis]) for place in places) for axis in (0, 1))
    flat = "\0".join(["".join(kinds), lines, columns, *texts])
    flat.encode()  # a line or column may be the code of half a character
    return flat


def grown(flat: str, file: str) -> Node:
    """The tree of a text that :func:`flattened` made.

    Args:
        flat: the text.
        file: what errors call the file.
    """
    kinds, lines, columns, *texts = flat.split("\0")
    words = iter(texts)
    root = Sequence(file, _NO_PLACE, _NO_PLACE)
    at: Sequence | Mapping = root
    key: Scalar | None = None
    around: list[Sequence | Mapping] = []
    for kind, line, column in zip(kinds, map(ord, lines), map(ord, columns), strict=True):
        if kind == _END:
            at = around.pop()
            continue
        node: Node
        if kind in _SCALARS:
            node = Scalar(file, line, column, next(words), kind == _QUOTED)
            if key is None and isinstance(at, Mapping):
                key = node
                continue
        else:
            node = Mapping(file, line, column) if kind == _MAPPING else Sequence(file, line, column)
        if isinstance(at, Sequence):
            at.written.append(node)
        elif key is not None:
            at.put(key, node)
            key = None
        if not isinstance(node, Scalar):
            around.append(at)
            at = node
    return root.items[0]
