"""YAML text to a tree with the position of every key and value.

It is built from the event stream, not by a YAML loader: every key keeps its line and column, duplicate keys are errors,
and what no spec needs (aliases, anchors, tags, several documents) is refused before it can do harm. Scalars have rules
of their own: YAML's would read ``no`` as false and ``010`` as eight. PyYAML takes longer to import than a small command
takes in all, so that this file is imported only where a text is read.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from convcost.errors import Position, Problem, SpecError
from convcost.language.lines import MARK, Unlike, known, shortened
from convcost.language.signatures import binary_kind
from convcost.language.tree import Line, Mapping, Scalar, Sequence
from convcost.limits import MAX_BYTES, MAX_NESTING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from convcost.language.tree import Node, Wording

try:
    from yaml.cyaml import CParser as _Parser  # type: ignore[attr-defined]
except ImportError:  # libyaml is not there
    from yaml import SafeLoader as _Parser  # type: ignore[assignment]
_QUOTES = ('"', "'")
_TOO_DEEP = f"brackets and indents nest deeper than {MAX_NESTING} levels"


def read(data: bytes, file: str) -> Node:
    """The tree of one YAML document.

    Args:
        data: the file's bytes.
        file: what to call it in errors.

    Raises:
        SpecError: it is no text, no YAML, empty, too large, too deep, or uses aliases, tags, duplicate keys.
    """
    kind = binary_kind(data)
    if kind:
        _fail(file, f"expected YAML, found {kind}; `convcost init NAME` writes a spec to start from")
    if len(data) > MAX_BYTES:
        _fail(file, f"a spec may have {MAX_BYTES:,} bytes, found {len(data):,}")
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SpecError([Problem(Position(file, line, 1), "this is not text in UTF-8; is it a YAML file?")]) from None
    if not text or text.isspace():
        _fail(file, "the file is empty; a spec needs `layers` (`convcost init NAME` writes a starter)")
    try:
        return _tree(text, file)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if error.problem and "end of stream" in error.problem and error.context_mark:
            mark = error.context_mark  # where the quote was opened
        line, column = (mark.line, mark.column) if mark is not None else (0, 0)
        place = Position(file, line + 1, column + 1)
        raise SpecError([Problem(place, _explain(error, text, line, column))]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        where = Position(file, line, 1)
        raise SpecError([Problem(where, "a control character that YAML does not allow; is it a text file?")]) from None


def _fail(file: str, message: str) -> NoReturn:
    raise SpecError([Problem(Position(file, 1, 1), message)])


def _tree(text: str, file: str) -> Node:
    """The tree of a text: lines of the same text are read once, and libyaml sees a mark in the place of each."""
    short, lines = shortened(text)
    if lines:
        try:
            wordings = known(lines, lambda text: _Tree("").build(_events(text)))
            return _Tree(file, wordings).build(_events(short))
        except (Unlike, SpecError, yaml.YAMLError):
            pass  # a line means something else where it is written, or an error needs its place
    return _Tree(file).build(_events(text))


def _events(text: str) -> Iterator[Any]:
    return iter(_Parser(text).get_event, None)


class _Tree:
    """Builds nodes from events with an explicit stack, so that deep nesting is an error and not a crash.

    Args:
        file: what errors call it.
        lines: what each mark in the text stands for, in order.
    """

    def __init__(self, file: str, lines: Collection[Wording] = ()) -> None:
        self._file = file
        self._lines = lines

    def build(self, events: Iterator[Any]) -> Node:  # noqa: C901, PLR0912 - one loop, without calls where it is hot
        """The tree of all ``events``; a large file has a million of them."""
        file = self._file
        root = Sequence(file, 1, 1)
        at: Sequence | Mapping = root  # the innermost collection that is open, and its key that waits for a value
        key: Scalar | None = None
        around: list[Sequence | Mapping] = []
        flow = 0  # how many of the open ones are in brackets or braces
        node: Node | Line
        marks = iter(self._lines)
        marked = bool(self._lines)
        scalar = yaml.ScalarEvent
        for event in events:
            kind = type(event)
            if kind is scalar:
                if event.anchor or event.tag:
                    self._decorated(event)
                mark = event.start_mark
                node = Scalar(file, mark.line + 1, mark.column + 1, event.value, event.style in _QUOTES)
                if flow and "(" in node.text:
                    self._check_brackets(node, event)
                if marked and MARK in node.text:
                    node = _line(node, at, len(around), flow, marks)
            elif kind is yaml.SequenceStartEvent or kind is yaml.MappingStartEvent:
                node = self._collection(event, len(around))
            elif kind is yaml.SequenceEndEvent or kind is yaml.MappingEndEvent:
                at = around.pop()
                if flow:
                    flow -= 1
                continue
            elif kind is yaml.AliasEvent:
                self._refuse(event, f"aliases (*{event.anchor[:40]}) are not part of the language; use `let`")
            elif kind is yaml.DocumentStartEvent and root.written:
                self._refuse(event, "a spec is one document; remove what follows the `---`")
            else:
                continue
            if key is not None:
                at.put(key, node)  # type: ignore[union-attr, arg-type] # only a mapping has keys
                key = None
            elif type(at) is Sequence:
                at.written.append(node)
            else:
                key = _as_key(at, node)  # type: ignore[arg-type] # it is a mapping
                continue
            if kind is not scalar:
                around.append(at)
                at = node  # type: ignore[assignment] # it is no scalar
                flow += bool(event.flow_style)
        if not root.written:
            _fail(file, "the file has no content; a spec needs `layers`")
        if next(marks, None) is not None:
            raise Unlike  # a mark is in a comment
        return root.items[0]

    def _check_brackets(self, node: Scalar, event: Any) -> None:
        if not node.quoted and node.text.count("(") > node.text.count(")"):
            self._refuse(
                event,
                f"a comma ends a value inside {{ }} and [ ], which leaves `{node.text[:60]}`: "
                "put the whole value in double quotes, or make it a function under `let`",
            )

    def _collection(self, event: Any, depth: int) -> Sequence | Mapping:
        if event.anchor or event.tag:
            self._decorated(event)
        if depth >= MAX_NESTING:
            self._refuse(event, _TOO_DEEP)
        make = Sequence if type(event) is yaml.SequenceStartEvent else Mapping
        mark = event.start_mark
        return make(self._file, mark.line + 1, mark.column + 1)

    def _decorated(self, event: Any) -> None:
        if event.anchor:
            self._refuse(event, f"anchors (&{event.anchor[:40]}) are not part of the language; use `let`")
        if event.tag != "!":  # what YAML gives a quoted text
            self._refuse(event, f"tags ({event.tag[:40]}) are not part of the language")

    def _refuse(self, event: Any, message: str) -> NoReturn:
        mark = event.start_mark
        raise SpecError([Problem(Position(self._file, mark.line + 1, mark.column + 1), message)])


def _line(mark: Scalar, at: Sequence | Mapping, depth: int, flow: int, wordings: Iterator[Wording]) -> Line:
    """The line that a mark in the list ``at`` stands for.

    Raises:
        Unlike: the mark is no item of a list of lines, or what it stands for may nest too deep.
    """
    deepest = depth + 2  # a list as the value of an argument
    wording = next(wordings, None)
    if type(at) is not Sequence or flow or mark.text != MARK or deepest >= MAX_NESTING or wording is None:
        raise Unlike
    return Line(mark.file, mark.line, mark.column, wording)


def _as_key(mapping: Mapping, node: Node) -> Scalar:
    """``node`` as the next key of ``mapping``.

    Raises:
        SpecError: it cannot be one.
    """
    if not isinstance(node, Scalar):
        raise SpecError([Problem(node.position, "a key must be a word, found brackets")])
    if node.text in mapping:
        raise SpecError([Problem(node.position, f"duplicate key `{node.text[:60]}`")])
    if node.text == "<<" and not node.quoted:
        raise SpecError([Problem(node.position, "merge keys (<<) are not part of the language; use `extends`")])
    return node


_HINTS = (
    ("could not find expected ':'", "a key without a colon, or a value that runs over the line"),
    (
        "mapping values are not allowed",
        "a second colon in one value, or a wrong indent; quote text that holds `: `",
    ),
    (
        "did not find expected key",
        "the value ends before the line does, or the indent is off; quote a value that begins with [ { ' or \"",
    ),
    ("did not find expected ',' or", "a bracket or brace is not closed, or a comma is missing"),
    ("did not find expected '-'", "an item of this list lacks its dash, or the indent is off"),
    ("did not find expected node", "a value is missing here"),
    ("unexpected end of stream", "a quote is never closed"),
    ("block sequence entries", "a list cannot begin on this line; put its first dash on a line of its own"),
    ("undefined tag", "a value may not begin with `!`; put it in double quotes"),
)


_AFTER_QUOTE = re.compile(r"""[:,\[{]\s*(['"])[^'"]*\1\s+[^\s,}\]#:]""")


def _explain(error: yaml.MarkedYAMLError, text: str, line: int, column: int) -> str:
    """What YAML's complaint means for a spec."""
    lines = text.splitlines()
    here = lines[line] if line < len(lines) else ""
    problem = str(error.problem or error.context or "")
    if _AFTER_QUOTE.search(here):
        return (
            "this is not YAML: a quoted value ends with its quote, and more follows; "
            "put all of it in double quotes, as \"'same' if deep else 0\""
        )
    if "\t" in here[: column + 1]:
        return "a tab; YAML is indented with spaces"
    if "nesting depth" in problem:  # PyYAML's own limit, met before the events of what is nested arrive
        return _TOO_DEEP
    if "cannot start any token" in problem and column < len(here):
        return f"a value may not begin with `{here[column]}`; put it in double quotes"
    for part, hint in _HINTS:
        if part in problem:
            return f"this is not YAML: {hint}"
    return f"this is not YAML: {problem or 'it does not parse'}"
