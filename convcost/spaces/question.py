"""A question to a design space: the networks that meet some bounds, as a number, by rank, and in order of a metric."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from math import ceil, floor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from convcost.errors import UnsupportedError, UsageError
from convcost.limits import MAX_TRIED
from convcost.metrics.budget import fulfils
from convcost.metrics.dtypes import bytes_of
from convcost.spaces.distribution import Distribution, Weights
from convcost.spaces.model import Choice, combinations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.metrics.budget import Budget
    from convcost.spaces.model import Member, Option, Tree

Distributions: TypeAlias = "dict[tuple[str, ...], list[tuple[Distribution, int]]]"  # by metric, measure and peaks
PEAKS = ("peak", "live")  # metrics that are the largest of their parts, in bytes and in elements


class _Span(NamedTuple):
    """The values of a metric above ``low`` and at most ``high``; without a number where there is no such bound."""

    low: int | None
    high: int | None


class Question:
    """The networks of a space that meet some bounds.

    Attributes:
        bounds: on quantities that add up and on peaks.
        sums: those on quantities that add up, by key.
        members: the members that can meet them, and how often each counts.
    """

    def __init__(
        self, tree: Tree, dtype: str, bounds: Sequence[Budget], measure: str, known: Distributions | None = None
    ) -> None:
        self._tree = tree
        self._known: Distributions = {} if known is None else known
        self._dtype = dtype
        self._measure = measure
        self.bounds = tuple(bounds)
        self._peaks = [bound for bound in bounds if bound.metric.key in PEAKS]
        for bound in self._peaks:
            if bound.relation not in ("<=", "<"):
                raise UsageError(f"{bound.text}: a peak is bounded from above, with <= or <")
        self.sums: dict[str, list[Budget]] = {}
        for bound in bounds:
            if bound.metric.key not in PEAKS:
                self.sums.setdefault(bound.metric.key, []).append(bound)
        self._weights = Weights(tree.members, measure)
        pairs = zip(tree.members, self._weights.members, strict=True)
        self.members: list[tuple[Member, int]] = [pair for pair in pairs if self._fits(pair[0].live)]

    def narrowed(self, *bounds: Budget) -> Question:
        """The same question with further bounds."""
        return Question(self._tree, self._dtype, (*self.bounds, *bounds), self._measure, self._known)

    def allowed(self, option: Option) -> bool:
        """Whether the option keeps to the bounds on peaks."""
        return self._fits(option.live)

    def _fits(self, live: int | None) -> bool:
        return not self._peaks or all(
            fulfils(in_metric(live or 0, bound.metric.key, self._dtype), bound.relation, bound.bound)
            for bound in self._peaks
        )

    def meets(self, choice: Choice) -> bool:
        """Whether a network meets all bounds."""
        return all(
            fulfils(
                in_metric(choice.live, key, self._dtype) if key in PEAKS else choice.cost(key),
                bound.relation,
                bound.bound,
            )
            for bound in self.bounds
            for key in [bound.metric.key]
        )

    def distributions(self, key: str) -> list[tuple[Distribution, int]]:
        """A quantity over each member, and how often the member counts."""
        asked = (key, self._measure, *sorted(bound.text for bound in self._peaks))
        if asked not in self._known:
            self._known[asked] = [
                (Distribution(member, key, self.allowed, self._weights), times) for member, times in self.members
            ]
        return self._known[asked]

    @cached_property
    def total(self) -> int:
        """How often the networks count that meet the bounds."""
        if len(self.sums) > 1:
            return sum(times for _, times in self._listed)
        key = next(iter(self.sums), "macs")
        return self._between(self.distributions(key), self._span(key))

    def _between(self, distributions: Sequence[tuple[Distribution, int]], span: _Span) -> int:
        return sum(
            times * ((own.networks if span.high is None else own.count(span.high)) - _below(own, span.low))
            for own, times in distributions
        )

    def ends(self, key: str) -> tuple[int, int] | None:
        """The least and the greatest value of a quantity, where none is bounded; None if there are no networks."""
        own = [part for part, _ in self.distributions(key) if part.networks]
        return (min(part.least for part in own), max(part.most for part in own)) if own else None

    def quantile(self, key: str, needed: int) -> int:
        """The least value of a quantity with which ``needed`` networks are reached, counted from the least value."""
        if self.sums.keys() - {key}:
            for value, times in sorted((choice.cost(key), times) for choice, times in self._listed):
                needed -= times
                if needed <= 0:
                    return value
        own = [pair for pair in self.distributions(key) if pair[0].networks]
        span = self._span(key)
        low = min(part.least for part, _ in own) - 1
        high = max(part.most for part, _ in own)
        met_low, met_high = 0, self.total
        while high - low > 1:  # the value is above ``low`` and at most ``high``
            guess = low + (high - low) * (needed - met_low) // max(met_high - met_low, 1)
            margin = (high - low) // 8
            middle = min(max(guess, low + margin, low + 1), high - margin, high - 1)
            met = max(self._between(own, _Span(span.low, middle if span.high is None else min(middle, span.high))), 0)
            if met >= needed:
                high, met_high = middle, met
            else:
                low, met_low = middle, met
        return high

    def picker(self) -> Callable[[int], Choice]:
        """The network with a number from 0 to :attr:`total`, each as often as it counts."""
        if len(self.sums) > 1:
            listed = self._listed
            return lambda rank: _at(listed, rank)
        key = next(iter(self.sums), "macs")
        span, own = self._span(key), self.distributions(key)
        ends = list(accumulate(self._between([pair], span) for pair in own))
        samplers: dict[int, Any] = {}

        def network(rank: int) -> Choice:
            number = bisect_right(ends, rank)
            part, times = own[number]
            rank -= ends[number - 1] if number else 0
            if number not in samplers:
                low = part.least - 1 if span.low is None else span.low
                high = part.most if span.high is None else span.high
                samplers[number] = part.sampler(low, high) if self.sums else part.pick_any
            return Choice(part.member, samplers[number](rank // times))

        return network

    def _span(self, key: str) -> _Span:
        low: int | None = None
        high: int | None = None
        for bound in self.sums.get(key, ()):
            if bound.relation in ("<=", "<", "=="):
                top = ceil(bound.bound) - 1 if bound.relation == "<" else floor(bound.bound)
                high = top if high is None else min(high, top)
            if bound.relation in (">=", ">", "=="):
                bottom = floor(bound.bound) if bound.relation == ">" else ceil(bound.bound) - 1
                low = bottom if low is None else max(low, bottom)
        if low is not None and high is not None:
            high = max(low, high)
        return _Span(low, high)

    @cached_property
    def _listed(self) -> list[tuple[Choice, int]]:
        """The networks that meet the bounds, one by one, and how often each counts."""
        networks = sum(member.networks for member, _ in self.members)
        if networks > MAX_TRIED:
            raise UnsupportedError(
                f"bounds on {' and '.join(self.sums)} together are tried on at most {MAX_TRIED:,} networks, "
                f"this space has {networks:,}; bound one of them"
            )
        listed = []
        for member, times in self.members:
            for picks in combinations(member.factors):
                choice = Choice(member, picks)
                if self.meets(choice):
                    count = times
                    for _, option in picks:
                        count *= self._weights.of(option)
                    listed.append((choice, count))
        return listed


def in_metric(live: int, key: str, dtype: str) -> int:
    """Elements alive as ``live``, or in bytes as ``peak``."""
    return int(bytes_of(live, dtype)) if key == "peak" else live


def _below(own: Distribution, low: int | None) -> int:
    return 0 if low is None else own.count(low)


def _at(listed: Sequence[tuple[Choice, int]], rank: int) -> Choice:
    for choice, times in listed:
        if rank < times:
            return choice
        rank -= times
    raise IndexError(rank)
