"""Records against ``typing.NamedTuple``: the same class in all that a caller sees."""

from __future__ import annotations

import copy
import pickle
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost import records


class Ours(records.NamedTuple):
    """A record."""

    first: int
    second: str
    third: tuple[int, ...] = ()
    fourth: bool = False

    @property
    def twice(self) -> int:
        """Something of its own."""
        return 2 * self.first


class Theirs(typing.NamedTuple):
    """A record."""

    first: int
    second: str
    third: tuple[int, ...] = ()
    fourth: bool = False

    @property
    def twice(self) -> int:
        """Something of its own."""
        return 2 * self.first


class Fresh(records.NamedTuple):
    """A class that makes few records."""

    first: int
    second: str
    third: tuple[int, ...] = ()
    fourth: bool = False


NAMES = (*Theirs._fields, "fifth")
VALUES = st.lists(st.integers(), max_size=5)
NAMED = st.dictionaries(st.sampled_from(NAMES), st.integers(), max_size=4)


def made(kind: Any, values: list[int], named: dict[str, int]) -> tuple[int, ...] | str:
    """The values of a record, or the error without the name of the class."""
    try:
        return tuple(kind(*values, **named))
    except TypeError as error:
        return str(error).replace(kind.__name__, "_")


@given(values=VALUES, named=NAMED)
def test_a_constructor_takes_and_refuses_what_that_of_typing_does(values: list[int], named: dict[str, int]) -> None:
    assert made(Ours, values, named) == made(Theirs, values, named)  # compiled after many examples
    records._made.pop(Fresh, None)  # type: ignore[attr-defined]  # noqa: SLF001 - so that it is not yet compiled
    assert made(Fresh, values, named) == made(Theirs, values, named)


def test_a_constructor_is_compiled_for_many_records_only() -> None:
    class Many(records.NamedTuple):
        value: int

    slow = Many.__new__
    records_made = [Many(n) for n in range(150)]
    assert [record.value for record in records_made] == list(range(150))
    assert Many.__new__ is not slow
    assert type(records_made[0]) is type(records_made[-1]) is Many
    assert Fresh.__new__ is slow


def test_the_rest_of_a_record_is_that_of_typing() -> None:
    ours, theirs = Ours(1, "b", fourth=True), Theirs(1, "b", fourth=True)
    assert ours == theirs
    assert hash(ours) == hash(theirs)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert ours._asdict() == theirs._asdict()
    assert ours._replace(second="c") == theirs._replace(second="c")
    assert type(ours._replace(second="c")) is Ours
    assert Ours._make([1, "b", (), True]) == ours
    assert (ours.first, ours.twice, ours.fourth) == (1, 2, True)
    assert Ours._fields == Theirs._fields
    assert Ours._field_defaults == Theirs._field_defaults
    assert Ours.__match_args__ == Theirs.__match_args__
    assert list(Ours.__annotations__) == list(Theirs.__annotations__)
    assert (Ours.__doc__, Ours.__module__, Ours.__qualname__) == ("A record.", __name__, "Ours")
    for again in (
        pickle.loads(pickle.dumps(ours)),  # noqa: S301 - our own bytes
        copy.copy(ours),
        copy.deepcopy(ours),
    ):
        assert (type(again), again) == (Ours, ours)
    match ours:
        case Ours(first, second, fourth=fourth):
            assert (first, second, fourth) == (1, "b", True)
    for record in (ours, theirs):
        with pytest.raises((TypeError, ValueError), match="fifth"):
            record._replace(fifth=5)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="Expected 4 arguments, got 2"):
            record._make([1, "b"])
        with pytest.raises(AttributeError):
            record.first = 2  # type: ignore[misc]
        with pytest.raises(AttributeError):
            record.fifth = 2  # type: ignore[union-attr]
