"""Results that print themselves: as a text table, as HTML in a notebook, and as the data that commands write as JSON.

A result is made by a room that knows nothing of how it is drawn. What draws it is handed to :class:`Printable` when the
package is imported; see ``convcost/__init__.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from convcost.tables.table import Table

T = TypeVar("T")


class View(NamedTuple):
    """The ways to write a result; each is made when it is asked for.

    Attributes:
        tables: for people.
        data: for JSON.
        flat: the one table that CSV is made of, where that is another than ``tables``.
        text: for people, where that is no table.
        exact: every digit in tables, in place of SI units.
        page: the HTML page, where that is more than ``tables``.
    """

    tables: Callable[[], Sequence[Table]]
    data: Callable[[], dict[str, Any]]
    flat: Callable[[], Table] | None = None
    text: Callable[[], str] | None = None
    exact: bool = False
    page: Callable[[], str] | None = None


class Printable:
    """A result with a table and data; ``print`` writes the table."""

    __slots__ = ()
    view_of: ClassVar[Callable[[Any], View]]

    def data(self) -> Any:
        """What the command writes as JSON: dicts, lists, texts and numbers; integers are exact."""
        from convcost.tables.data import json_value  # noqa: PLC0415 - a result that is not printed does not pay for it

        return json_value(Printable.view_of(self).data())

    def __str__(self) -> str:
        from convcost.tables.text import as_text  # noqa: PLC0415 - likewise

        view = Printable.view_of(self)
        text = as_text(view.tables(), exact=view.exact) if view.text is None else view.text()
        return text.rstrip("\n")

    def _repr_html_(self) -> str:
        from html import escape  # noqa: PLC0415 - only a notebook pays for it

        return f"<pre>{escape(str(self))}</pre>"


class Records(Printable, Sequence[T]):
    """Several results of a kind, in order; they print as one table."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = tuple(items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)})"
