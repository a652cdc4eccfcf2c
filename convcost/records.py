"""Named tuples that are made quickly, for the classes that small commands import.

``typing.NamedTuple`` compiles the text of every annotation when a class is made, and then a constructor. A command
imports forty such classes, and makes a few records of most of them. The classes that are made here compile a
constructor only when they make many records, and are the same in all else.
"""

from __future__ import annotations

from collections import _tuplegetter, namedtuple  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    _MANY = 100  # records: from then on the compiled constructor pays
    _made: dict[type, int] = {}

    class _Record(tuple):
        """What the classes have in common."""

        __slots__ = ()

        def __new__(cls, *values: Any, **named: Any) -> Any:
            """A record, by the values of its fields."""
            count = _made[cls] = _made.get(cls, 0) + 1
            if count > _MANY:
                cls.__new__ = cls._constructor()
            if not named and len(values) == len(cls._fields):
                return tuple.__new__(cls, values)
            given = cls._field_defaults | named
            try:
                made = (*values, *map(given.pop, cls._fields[len(values) :]))
            except KeyError:
                made = ()
            if len(made) != len(cls._fields) or not named.keys().isdisjoint(given):
                return cls._constructor()(cls, *values, **named)  # which says what is wrong
            return tuple.__new__(cls, made)

        @classmethod
        def _constructor(cls) -> Any:
            defaults = cls._field_defaults.values()
            return namedtuple(cls.__name__, cls._fields, defaults=defaults).__new__  # noqa: PYI024

        @classmethod
        def _make(cls, values: Any) -> Any:
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **changed: Any) -> Any:
            values = map(changed.pop, self._fields, self)
            made = tuple.__new__(type(self), values)
            if changed:
                raise TypeError(f"{type(self).__name__} has no field {', '.join(changed)}")
            return made

        __replace__ = _replace

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            values = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({values})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

    class _Maker(type):
        """Makes a named tuple of the annotated names of a class, as the metaclass in ``typing`` does."""

        def __new__(cls, name: str, _bases: tuple[type, ...], body: dict[str, Any]) -> type:
            """The named tuple, with the other names of the class."""
            fields = tuple(body["__annotations__"])
            defaults = {field: body[field] for field in fields if field in body}
            getters = {field: _tuplegetter(place, None) for place, field in enumerate(fields)}
            own = {"__slots__": (), "__match_args__": fields, "_fields": fields, "_field_defaults": defaults}
            return type(name, (_Record,), {**body, **getters, **own})

    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})

__all__ = ["NamedTuple"]
