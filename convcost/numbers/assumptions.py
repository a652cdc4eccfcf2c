"""Assumptions of a symbolic run, and the witness: the values at which undecidable conditions are decided."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Unsettled(Exception):  # noqa: N818 - the run begins again with an answer
    """A run of symbols must know the answer to a question of structure before it goes on.

    Attributes:
        question: as in :attr:`Session.answers`.
        answer: at the witness.
    """

    def __init__(self, question: Any, *, answer: bool) -> None:
        super().__init__()
        self.question = question
        self.answer = answer


class Session:
    """What a symbolic run decided by looking at default values.

    Attributes:
        witness: the value of every free symbol at which undecidable questions are decided.
        forced: answers to questions of structure that are to be given in place of the witness's.
        assumptions: what was decided or needed, as text, with the condition itself, in order of appearance.
        answers: the questions of structure that came up, with the answer given.
        least: the least value of a symbol for which every size stays positive.
        held: relations that were demanded and hold, so that they need no second proof.
    """

    __slots__ = ("answers", "assumptions", "forced", "held", "least", "witness")

    def __init__(self, witness: Mapping[Any, Any], forced: Mapping[Any, bool] | None = None) -> None:
        self.witness = dict(witness)
        self.forced = dict(forced or {})
        self.assumptions: dict[str, Any] = {}
        self.answers: dict[Any, bool] = {}
        self.least: dict[Any, Any] = {}
        self.held: set[tuple[str, Any, Any]] = set()

    def assume(self, condition: Any) -> None:
        """Note a condition, once."""
        self.assumptions.setdefault(condition.text, condition)


_current: ContextVar[Session | None] = ContextVar("convcost_current", default=None)


@contextmanager
def assuming(session: Session) -> Iterator[Session]:
    """Decide undecidable conditions at the witness of ``session`` and record them there."""
    token = _current.set(session)
    try:
        yield session
    finally:
        _current.reset(token)


def current() -> Session | None:
    """The session in force, if any."""
    return _current.get()
