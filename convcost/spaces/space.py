"""A design space and what can be asked of it: how many networks meet a bound, quantiles, samples, and the best."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from functools import cached_property
from math import ceil, prod
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UnsupportedError, UsageError, not_among, unknown
from convcost.language.choices import Choices
from convcost.language.interpret import build
from convcost.limits import MAX_SAMPLE, MAX_SPACES
from convcost.metrics.budget import budget, budgets_of
from convcost.metrics.memory import peak
from convcost.metrics.objective import Objective, objectives_of
from convcost.metrics.registry import SYNONYMS
from convcost.network.cost import ALL_QUANTITIES, PLAIN_QUANTITIES
from convcost.spaces.explore import explore
from convcost.spaces.front import best_of, front
from convcost.spaces.model import all_options
from convcost.spaces.question import PEAKS, Question, in_metric
from convcost.tables.printable import Printable, Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from convcost.metrics.budget import Budget
    from convcost.network.graph import Graph
    from convcost.spaces.model import Choice, Factor, Tree
    from convcost.spaces.question import Distributions

MEASURES = ("networks", "choices")


class Count(NamedTuple):
    """How many networks meet a bound.

    Attributes:
        text: the bound as written.
        networks: those that meet it, beside the bounds of the question; None where choices are measured.
        share: of all that meet the bounds of the question, by the measure.
    """

    text: str
    networks: int | None
    share: Fraction


class Chosen(Records["Choice"]):
    """Networks of a space.

    Attributes:
        space: the space.
        what: what they are, in words.
    """

    def __init__(self, items: Iterable[Choice], space: Space, what: str) -> None:
        super().__init__(items)
        self.space = space
        self.what = what


class Quantile(NamedTuple):
    """The least value of a metric that a share of the networks does not exceed; None if there are no networks."""

    share: Fraction
    key: str
    value: int | None


class Answers(Printable):
    """What was asked of a space.

    Attributes:
        space: the space.
        keys: the metrics that are shown.
        where: the bounds that networks must meet to be looked at.
        measure: what is counted: ``networks`` or ``choices``.
        extremes: the least and the greatest value of each metric; None where no network meets the bounds.
        counts: how many networks meet each bound.
        quantiles: of each metric.
        sample: networks at random; None where none were asked for.
        front: the best networks; None where they were not asked for.
    """

    def __init__(
        self,
        space: Space,
        keys: Sequence[str],
        where: Sequence[str],
        measure: str,
        *,
        counts: Sequence[Count] = (),
        quantiles: Sequence[Quantile] = (),
        sample: Chosen | None = None,
        front: Chosen | None = None,
    ) -> None:
        self.space = space
        self.keys = tuple(keys)
        self.where = tuple(where)
        self.measure = measure
        self.extremes = {key: space.extremes(key, where) for key in keys}
        self.counts = tuple(counts)
        self.quantiles = tuple(quantiles)
        self.sample = sample
        self.front = front

    @classmethod
    def of(cls, space: Space) -> Answers:
        """A space as it prints itself: what it has from least to most."""
        return cls(space, space.usual, (), "networks")


class Space(Printable):
    """A design space; see :func:`convcost.space`.

    Attributes:
        tree: its choices and their costs.
        dtype: number format of feature maps, for ``peak``.
        fused: whether peaks are those of norms and activations that run on the output of the layer before them.
    """

    def __init__(
        self,
        tree: Tree,
        dtype: str = "float32",
        *,
        fused: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.tree = tree
        self.dtype = dtype
        self.fused = fused
        self._progress = progress
        self._known_distributions: tuple[Distributions, Distributions] = ({}, {})

    def __repr__(self) -> str:
        return f"<space {self.tree.spec.name}: {self.networks:,} networks>"

    @property
    def networks(self) -> int:
        """How many networks it has."""
        return self.tree.networks

    @property
    def usual(self) -> tuple[str, ...]:
        """The metrics that are shown where none are asked for."""
        return (*PLAIN_QUANTITIES, "peak") if self.has_peaks else PLAIN_QUANTITIES

    @property
    def has_peaks(self) -> bool:
        """Whether the peak of each network is the largest of its parts, so that it is known without further ado."""
        return not any(member.joined for member in self.tree.members)

    @cached_property
    def _split(self) -> Tree:
        """The space with a member for each combination of the parameters that are read at several places.

        In these members, peaks are those of the parts.
        """
        tree = self.tree
        if not tree.scattered:
            return tree
        count = len(tree.members) * prod(len(tree.choices[name]) for name in tree.scattered)
        if count > MAX_SPACES:
            raise UnsupportedError(
                f"{tree.members[0].joined}; for peaks each of its values is a space, "
                f"which makes {count:,} combinations: at most {MAX_SPACES:,} are tried, fix some with --set"
            )
        apart = (*tree.members[0].values, *tree.scattered)
        return explore(tree.spec, tree.given, tree.input_shape, fused=self.fused, apart=apart, progress=self._progress)

    def value(self, choice: Choice, key: str) -> int:
        """A metric of a network: a quantity that adds up, ``peak`` in bytes or ``live`` in elements.

        Raises:
            UsageError: there is no such metric.
        """
        key = _known(key)
        if key not in PEAKS:
            return choice.cost(key)
        if choice.member.joined:
            live = peak(self.graph(choice), in_place=self.fused, folded=self.fused).elements
        else:
            live = choice.live
        return in_metric(live, key, self.dtype)

    def extremes(self, key: str, where: Sequence[str] = ()) -> tuple[int, int] | None:
        """The least and the greatest value of a metric; None where no network meets the bounds.

        Args:
            key: as for :meth:`value`.
            where: bounds that the networks must meet.

        Raises:
            UsageError: there is no such metric, or a bound is malformed.
            UnsupportedError: a metric does not add up over choices.
        """
        key = _known(key)
        question = self._question(where, "networks", key)
        if key not in PEAKS and not question.sums:
            return question.ends(key)
        least, most = self.quantile(0, key, where), self.quantile(1, key, where)
        return None if least is None or most is None else (least, most)

    def count(self, bound: str, where: Sequence[str] = (), measure: str = "networks") -> Count:
        """How many networks meet a bound, and their share.

        Args:
            bound: as ``macs<=300M``.
            where: bounds that networks must meet to be looked at.
            measure: ``networks``, each of which counts once, or ``choices``, where every option of a choice is as
                likely as the others.

        Raises:
            UsageError: a bound is malformed, or there is no such measure.
            UnsupportedError: a metric does not add up over choices.
        """
        (limit,) = _bounds(bound, "--count")
        question = self._question(where, measure, limit.metric.key)
        met, total = question.narrowed(limit).total, question.total
        share = Fraction(met, total) if total else Fraction(0)
        return Count(bound.strip(), met if measure == "networks" else None, share)

    def quantile(
        self, share: Fraction | float | str, key: str = "macs", where: Sequence[str] = (), measure: str = "networks"
    ) -> int | None:
        """The least value of a metric that so large a share of the networks does not exceed; None if there are none.

        Args:
            share: from 0 for the least value to 1 for the greatest; 0.5 for the median.
            key: as for :meth:`value`.
            where: bounds that the networks must meet.
            measure: see :meth:`count`.

        Raises:
            UsageError: the share is not from 0 to 1, there is no such metric, or a bound is malformed.
            UnsupportedError: a metric does not add up over choices.
        """
        part, key = share_of(share), _known(key)
        question = self._question(where, measure, key)
        if not question.total:
            return None
        needed = max(1, ceil(part * question.total))
        if key not in PEAKS:
            return question.quantile(key, needed)
        values = self._peak_values(key)
        unit = "B" if key == "peak" else ""

        def met(value: int) -> int:
            return question.narrowed(budget(f"{key}<={value}{unit}")).total

        return values[bisect_left(values, needed, key=met)]

    def sample(self, count: int, seed: int = 0, where: Sequence[str] = (), measure: str = "networks") -> Chosen:
        """Networks at random among those that meet the bounds; one may come up twice.

        Args:
            count: how many.
            seed: the same one gives the same networks.
            where: bounds that they must meet.
            measure: see :meth:`count`.

        Raises:
            UsageError: a bound is malformed, or no network meets the bounds.
            UnsupportedError: a metric does not add up over choices.
        """
        from random import Random  # noqa: PLC0415 - only samples pay for it

        if not 0 < count <= MAX_SAMPLE:
            raise UsageError(f"a sample has 1 to {MAX_SAMPLE:,} networks, found {count:,}")
        question = self._question(where, measure)
        if not question.total:
            met = ", ".join(bound.text for bound in question.bounds)
            raise UsageError(f"no network of {self.tree.spec.name} meets {met}")
        pick, random = question.picker(), Random(seed)  # noqa: S311 - no secret
        return Chosen([pick(random.randrange(question.total)) for _ in range(count)], self, "at random")

    def front(self, objectives: Sequence[str], where: Sequence[str] = ()) -> Chosen:
        """The networks that no other one equals or beats in every objective, best in the first one first.

        Of several networks with the same values one is given.

        Args:
            objectives: as ``max params``, ``min macs`` and ``min peak``; a text may list several.
            where: bounds that they must meet.

        Raises:
            UsageError: an objective or a bound is malformed, or there is no objective.
            UnsupportedError: a metric does not add up over choices, or there are too many objectives.
        """
        wanted = objectives_of(objectives, option="--front")
        goals = [Objective("live" if _known(key) in PEAKS else key, largest) for key, largest in wanted]
        if not goals:
            raise UsageError("a front needs objectives, as 'max params, min macs'")
        question = self._question(where, "networks", *(goal.key for goal in goals))
        asked = [*goals]  # a network that meets a bound may be beaten by one that does not: keep what is better in it
        for key, bounds in question.sums.items():
            asked += [
                Objective(key, largest)
                for largest, relation in ((False, "<"), (True, ">"))
                if any(relation in bound.relation or bound.relation == "==" for bound in bounds)
            ]
        members = [member for member, _ in question.members]
        met = [choice for choice in front(members, [*dict.fromkeys(asked)], question.allowed) if question.meets(choice)]
        claim = ", ".join(map(str, wanted))
        return Chosen(best_of(met, goals), self, f"no other is at least as good in {claim}")

    def graph(self, choice: Choice) -> Graph:
        """A network of the space, built."""
        values = {**choice.member.values}
        picks: dict[tuple[int, ...], int] = {}
        _note(choice.member.factors, iter(choice.picks), (), picks, values)
        tree = self.tree
        return build(tree.spec, {**tree.given, **values}, tree.input_shape, choices=Choices(picks, {}))

    def _question(self, where: Sequence[str], measure: str, *keys: str) -> Question:
        """A question about networks that meet some bounds, and the metrics that are asked for."""
        if measure not in MEASURES:
            raise UsageError(not_among("measure", measure, MEASURES))
        bounds = _bounds(where, "--where")
        if not any(key in PEAKS for key in (*keys, *(bound.metric.key for bound in bounds))):
            return Question(self.tree, self.dtype, bounds, measure, self._known_distributions[0])
        if joined := next((member.joined for member in self._split.members if member.joined), ""):
            raise UnsupportedError(joined)
        return Question(self._split, self.dtype, bounds, measure, self._known_distributions[1])

    def _peak_values(self, key: str) -> list[int]:
        """The values that the peak of a network can have, in order."""
        lives = {member.live or 0 for member in self._split.members}
        lives |= {option.live or 0 for member in self._split.members for option in all_options(member.factors)}
        return sorted({in_metric(live, key, self.dtype) for live in lives})


def _bounds(texts: Iterable[str], option: str) -> list[Budget]:
    """The bounds that some texts mean, or one text, on metrics that spaces have."""
    bounds = budgets_of(texts, option)
    for bound in bounds:
        _known(bound.metric.key)
    return bounds


def _known(key: str) -> str:
    """The key of a metric that spaces have.

    Raises:
        UsageError: they do not have it.
    """
    key = SYNONYMS.get(key, key)
    if key not in ALL_QUANTITIES and key not in PEAKS:
        listed = unknown("quantity", key, (*ALL_QUANTITIES, *PEAKS))
        raise UsageError(f"a space has the quantities that add up over choices: {listed}")
    return key


def share_of(share: Fraction | float | str) -> Fraction:
    """A share from 0 to 1, exactly.

    Raises:
        UsageError: it is none.
    """
    try:
        part = Fraction(str(share))
    except (ValueError, ZeroDivisionError):
        part = Fraction(-1)
    if not 0 <= part <= 1:
        raise UsageError(f"a quantile is a number from 0 to 1, found '{str(share)[:20]}'")
    return part


def _note(
    factors: Sequence[Factor],
    rest: Iterator[tuple[Factor, Any]],
    around: tuple[int, ...],
    picks: dict[tuple[int, ...], int],
    values: dict[str, Any],
) -> None:
    """Note the options of a network as the interpreter takes them: by the place of their step, or as parameters."""
    number = 0
    for factor in factors:
        _, option = next(rest)
        if not factor.path:
            values.update(zip(factor.names, option.values, strict=True))
            continue
        picks[*around, number] = next(index for index, own in enumerate(factor.options) if own is option)
        _note(option.factors, rest, (*around, number), picks, values)
        number += 1
