"""What a symbolic run takes for granted, and at which values it decides what algebra cannot."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Session:
    """What a symbolic run decided by looking at default values.

    Attributes:
        witness: the value of every free symbol at which undecidable questions are decided.
        assumptions: what was decided there, as text, in order of appearance.
        least: the least value of a symbol for which every size stays positive.
    """

    __slots__ = ("assumptions", "least", "witness")

    def __init__(self, witness: Mapping[Any, Any]) -> None:
        self.witness = dict(witness)
        self.assumptions: dict[str, None] = {}
        self.least: dict[Any, Any] = {}


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
