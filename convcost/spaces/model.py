"""A design space as independent choices: their costs add up, and their peaks are compared.

A space is a tree. At its top are *members*: combinations of parameters that change what every layer sees, such as the
size of the input. In a member are *factors*, which are chosen independently of each other: each has options, and an
option may have further factors in it, as a stage of three blocks has three. A network of the space is a member with one
option for each factor that it has.

The cost of a network is the cost of its member plus that of its options. Its peak of activation memory is the largest
of theirs.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from convcost.language.model import Spec

Picks = tuple[tuple["Factor", "Option"], ...]  # options that were taken, those inside an option after it


class Option(NamedTuple):
    """One combination of values.

    Attributes:
        values: of the factor's names.
        cost: what its own layers cost, by quantity; without those of the factors in it.
        live: most elements alive while one of its own layers runs; None where the peak is not that of the parts.
        factors: what is chosen in it.
    """

    values: tuple[Any, ...]
    cost: Mapping[str, int]
    live: int | None
    factors: tuple[Factor, ...]


class Factor(NamedTuple):
    """A choice that is independent of those beside it.

    Attributes:
        path: where in the network it is made; empty for parameters.
        names: what is chosen.
        options: its options.
    """

    path: str
    names: tuple[str, ...]
    options: tuple[Option, ...]

    @property
    def networks(self) -> int:
        """How many combinations it has, with what is chosen inside."""
        return sum(prod(factor.networks for factor in option.factors) for option in self.options)


class Member(NamedTuple):
    """The networks of a space at one combination of the parameters that change what every layer sees.

    Attributes:
        values: of these parameters.
        cost: what the layers cost that are in all of its networks, by quantity.
        live: most elements alive while one of these runs; None where the peak is not that of the parts.
        factors: what is chosen.
        joined: why its peak is not that of the parts; empty where it is.
    """

    values: Mapping[str, Any]
    cost: Mapping[str, int]
    live: int | None
    factors: tuple[Factor, ...]
    joined: str

    @property
    def networks(self) -> int:
        """How many networks it has."""
        return prod(factor.networks for factor in self.factors)


class Tree(NamedTuple):
    """A design space.

    Attributes:
        spec: what describes it.
        given: values that the caller fixed.
        input_shape: in place of the spec's own; None for that.
        members: see :class:`Member`.
        choices: the names and values of the parameters that are chosen.
        scattered: those of them that are read at several places, so that no peak is that of a part.
    """

    spec: Spec
    given: Mapping[str, Any]
    input_shape: Any
    members: tuple[Member, ...]
    choices: Mapping[str, tuple[Any, ...]]
    scattered: tuple[str, ...]

    @property
    def networks(self) -> int:
        """How many networks it has."""
        return sum(member.networks for member in self.members)


class Choice(NamedTuple):
    """A network of a space: its member, and an option for each factor."""

    member: Member
    picks: Picks

    @property
    def values(self) -> dict[str, Any]:
        """The parameters, and what is chosen at each place, as ``path name``."""
        values = dict(self.member.values)
        for factor, option in self.picks:
            for name, value in zip(factor.names, option.values, strict=True):
                values[f"{factor.path} {name}" if factor.path else name] = value
        return values

    def cost(self, key: str) -> int:
        """A quantity."""
        return self.member.cost[key] + sum(option.cost[key] for _, option in self.picks)

    @property
    def live(self) -> int:
        """Most elements alive at once.

        Raises:
            UnsupportedError: the peak is not that of the parts.
        """
        parts = [self.member.live, *(option.live for _, option in self.picks)]
        if self.member.joined:
            raise UnsupportedError(self.member.joined)
        return max(part for part in parts if part is not None)


def all_options(factors: Iterable[Factor]) -> Iterator[Option]:
    """The options of the factors, and those inside them."""
    for factor in factors:
        for option in factor.options:
            yield option
            yield from all_options(option.factors)


def combinations(factors: Sequence[Factor]) -> Iterator[Picks]:
    """Every combination of options, one after another."""
    for parts in product(*(list(_combinations(factor)) for factor in factors)):
        yield tuple(pick for part in parts for pick in part)


def _combinations(factor: Factor) -> Iterator[Picks]:
    for option in factor.options:
        for inner in combinations(option.factors):
            yield ((factor, option), *inner)
