"""Objectives, such as ``max params`` and ``min macs``: what a better network has more of, or less."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import UsageError, unknown
from convcost.metrics.budget import budget_names
from convcost.metrics.quantities import REPORTED
from convcost.metrics.registry import METRICS, SYNONYMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Objective(NamedTuple):
    """What a better network has more of, or less.

    Attributes:
        key: a metric or a parameter.
        largest: whether more is better.
    """

    key: str
    largest: bool

    def __str__(self) -> str:
        return f"{'max' if self.largest else 'min'} {self.key}"


def objective(text: str, names: Sequence[str] = (), *, named: bool = False, option: str = "--objective") -> Objective:
    """The objective that ``max alpha`` or ``min:macs`` means.

    Args:
        text: a goal and a parameter of ``names``, or a metric that a budget can bound.
        names: the parameters that vary.
        named: whether a convention was named, so that there is a ``reported`` number.
        option: where it was given, for errors.

    Raises:
        UsageError: it is neither, or the metric has no single number.

    >>> objective("min latency"), objective("max alpha", ["alpha"]).key
    (Objective(key='time', largest=False), 'alpha')
    """
    goal, _, key = text.strip().replace(":", " ").partition(" ")
    key = key.strip()
    if goal not in ("max", "min") or not key:
        raise UsageError(f"{option} takes max NAME or min NAME, found '{text[:60]}'")
    if key in names:
        return Objective(key, goal == "max")
    numbers = [name for name in budget_names() if METRICS[name].form != "sizes" and (named or name != REPORTED)]
    if SYNONYMS.get(key, key) not in numbers:
        what = "metric or parameter" if names else "metric"
        raise UsageError(f"{option}: {unknown(what, key, (*names, *numbers, *SYNONYMS))}")
    return Objective(SYNONYMS.get(key, key), goal == "max")


def objectives_of(
    texts: Iterable[str], names: Sequence[str] = (), *, named: bool = False, option: str = "--objective"
) -> list[Objective]:
    """The objectives that some texts mean, each of which may list several: ``max params, min macs``.

    Args:
        texts: see :func:`objective`; one text alone will do.
        names: the parameters that vary.
        named: whether a convention was named.
        option: where they were given, for errors.

    Raises:
        UsageError: one of them is malformed.
    """
    parts = [texts] if isinstance(texts, str) else texts
    return [objective(text, names, named=named, option=option) for part in parts for text in part.split(",")]
