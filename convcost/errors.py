"""The errors of the package, and helpers for their messages.

ConvcostError            base class; the command line prints it and exits 1
├── SpecError            a spec is wrong: one or more problems, each with file:line:column
├── ShapeError           a layer refuses its input (kernel larger than the padded map, ...)
│   └── FieldError       a layer refuses the value of one of its fields
├── UnsupportedError     a valid question that convcost cannot answer exactly
└── UsageError           an argument of a call or of the command line is wrong; exit 2
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class ConvcostError(Exception):
    """Base of every error this package raises on purpose."""


class ShapeError(ConvcostError):
    """A layer cannot take the tensor or the arguments it was given."""


class FieldError(ShapeError):
    """A layer refuses the value of one of its fields.

    Attributes:
        field: name of the field, so that a reader can point at its value.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnsupportedError(ConvcostError):
    """The question is clear, but it has no answer here."""


class UsageError(ConvcostError):
    """An argument is wrong, whatever the spec says."""


class Position(NamedTuple):
    """A place in a text; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def within(self, step: Position) -> Position:
        """This place, which is relative if its line is 0: then it is in the line of ``step``, columns after it.

        >>> Position("", 0, 6).within(Position("net.yaml", 3, 5))
        Position(file='net.yaml', line=3, column=11)
        """
        return self if self.line else Position(step.file, step.line, step.column + self.column)


class Problem(NamedTuple):
    """One thing that is wrong with a spec, and the calls that led there (innermost last)."""

    position: Position
    message: str
    chain: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n  ".join([f"{self.position}: {self.message}", *self.chain])


class SpecError(ConvcostError):
    """A spec is wrong.

    Attributes:
        problems: all that was found, in the order of the text.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Problems:
    """A list of problems that grows while a spec is read, so that all of them are reported together."""

    def __init__(self) -> None:
        self.all: list[Problem] = []
        self._included: list[SpecError] = []

    def add(self, position: Position, message: str) -> None:
        """Note one more."""
        self.all.append(Problem(position, message))

    def place(self, start: int, step: Position) -> None:
        """Let the problems from the one with index ``start`` on, if they are relative, be in the line of ``step``."""
        for index in range(start, len(self.all)):
            problem = self.all[index]
            self.all[index] = problem._replace(position=problem.position.within(step))

    def include(self, error: SpecError, used_at: Position) -> None:
        """Note, once, what is wrong with another file that is used here."""
        if not any(error is earlier for earlier in self._included):
            self._included.append(error)
            self.all += [problem._replace(chain=(*problem.chain, f"used by {used_at}")) for problem in error.problems]


_LONGEST_WORD = 60  # characters of a word that an error repeats
_MOST_LISTED = 20  # valid names that an error lists


def shorten(text: str) -> str:
    """``text`` as an error repeats it: cut to a readable length, with a mark where it is cut.

    >>> shorten("a" * 100) == "a" * 57 + "..."
    True
    """
    return text if len(text) <= _LONGEST_WORD else f"{text[: _LONGEST_WORD - 3]}..."


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like ``word``, if one is close enough to be what was meant."""
    import difflib  # noqa: PLC0415 - only an error pays for it

    lowered = {candidate.lower(): candidate for candidate in candidates}
    nearest = difflib.get_close_matches(word.lower()[:100], lowered, n=1, cutoff=0.6)
    return lowered[nearest[0]] if nearest else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """The closing words of an error about an unknown ``word``: the nearest valid one, or nothing.

    >>> did_you_mean("cov", ["conv", "linear"])
    "; did you mean 'conv'?"
    >>> did_you_mean("zebra", ["conv", "linear"])
    ''
    """
    nearest = closest(word, candidates)
    return f"; did you mean '{nearest}'?" if nearest else ""


def unknown(what: str, word: str, known: Iterable[str], *, of: str = "", hint: str = "", listed_by: str = "") -> str:
    """The error about a ``word`` that names nothing: what was looked for, the word, and the way to a valid one.

    Args:
        what: what the word was to name: ``layer``, ``parameter``.
        word: as it was written.
        known: the valid names.
        of: what would have it, as ``conv`` has fields; nothing for names that are everybody's.
        hint: a better hint than the nearest of the valid names, if there is one; without its semicolon.
        listed_by: what lists the valid names, where they are too many for an error.

    >>> unknown("layer", "cov", ["conv", "linear"])
    "no layer is called 'cov'; did you mean 'conv'?"
    >>> unknown("field", "zebra", ["out", "kernel"], of="conv")
    "conv has no field 'zebra'; it has out, kernel"
    """
    names = list(dict.fromkeys(known))
    head = f"{of} has no {what} '{shorten(word)}'" if of else f"no {what} is called '{shorten(word)}'"
    if hint:
        return f"{head}; {hint}"
    return head + (did_you_mean(word, names) or _listed(names, "it has" if of else "known are", listed_by))


def _listed(names: list[str], lead: str, listed_by: str) -> str:
    if listed_by:
        return f"; {listed_by} lists them"
    if not names:
        return "; it has none" if lead == "it has" else ""
    more = ", ..." if len(names) > _MOST_LISTED else ""
    return f"; {lead} {', '.join(names[:_MOST_LISTED])}{more}"


def not_among(name: str, value: object, allowed: Iterable[object], shown: str = "") -> str:
    """The error for a value that is not among those ``allowed``.

    Args:
        name: what has the value, a parameter or an argument.
        value: what was given.
        allowed: what it may be.
        shown: how to show the value, where it is no text.

    >>> not_among("by", "kin", ["layer", "kind"])
    "`by` must be one of layer, kind; found 'kin'; did you mean 'kind'?"
    """
    words = [str(word) for word in allowed]
    hint = did_you_mean(value, words) if isinstance(value, str) else ""
    return f"`{name}` must be one of {', '.join(words)}; found {shown or repr_of(value)}{hint}"


def repr_of(value: object) -> str:
    """A value in an error: a text in quotes and cut, anything else as it prints."""
    return f"'{shorten(value)}'" if isinstance(value, str) else shorten(str(value))
