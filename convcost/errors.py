"""What can go wrong, and one way to say it.

ConvcostError            everything this package raises on purpose; the command prints it and exits 1
├── SpecError            a spec is wrong: one or more problems, each with file:line:column
├── ShapeError           a layer refuses its input (kernel larger than the padded map, ...)
│   └── FieldError       a layer refuses the value of one of its fields
├── UnsupportedError     understood, but not something that can be answered
└── UsageError           an argument of a call or of the command line is wrong; exit 2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like ``word``, if one is close enough to be what was meant."""
    import difflib  # noqa: PLC0415 - only an error pays for it

    lowered = {candidate.lower(): candidate for candidate in candidates}
    found = difflib.get_close_matches(word.lower()[:100], lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """The closing words of an error about an unknown ``word``: the nearest valid one, or nothing.

    >>> did_you_mean("cov", ["conv", "linear"])
    "; did you mean 'conv'?"
    >>> did_you_mean("zebra", ["conv", "linear"])
    ''
    """
    found = closest(word, candidates)
    return f"; did you mean '{found}'?" if found else ""
