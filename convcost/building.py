"""What a wheel carries beside its sources, made when it is built.

These are trees of the bundled files, the list of specs, and the numbers that published figures are checked with.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from convcost.api.specs import LIST, as_text, counted
from convcost.catalogue import ready
from convcost.catalogue.loader import SPECS, Catalogue, all_bytes
from convcost.conventions.catalogue import CONVENTIONS, IMPLEMENTATIONS
from convcost.language.flat import flattened
from convcost.literature.numbers import Book
from convcost.literature.references import REFERENCES
from convcost.literature.store import VERIFY, sources, text_of
from convcost.literature.verify import findings, with_figures
from convcost.metrics.devices import DEVICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from convcost.catalogue.loader import Files

BUNDLED = (SPECS, CONVENTIONS, IMPLEMENTATIONS, DEVICES, REFERENCES)


def bundled_files() -> Iterator[tuple[Files, str]]:
    """Every bundled file, with the collection that it is in."""
    for files in BUNDLED:
        for name in files.names():
            path = files.bundled(name)
            if path is not None:
                yield files, path


def write(folder: str) -> None:
    """Write all that is made when a wheel is built into an empty folder, ``convcost/catalogue/trees`` of the wheel.

    Raises:
        OSError: a file cannot be written, or there is one of that name.
    """
    write_files(folder)
    write_numbers(folder, with_figures())


def write_files(folder: str) -> None:
    """The trees of the bundled files, and the list of specs; as :func:`write`."""
    for files, path in bundled_files():
        ready.ship(files.label(path), files.bytes(path), flattened(files.parsed(path)), folder)
    ready.ship(LIST, all_bytes(SPECS), as_text(counted()), folder)


def write_numbers(folder: str, names: Iterable[str]) -> None:
    """The numbers that the published figures of bundled specs are checked with; as :func:`write`."""
    loader = Catalogue()
    for name in names:
        book = Book(partial(loader.target, name))
        findings(loader.target(name), book)
        ready.ship(f"{VERIFY}-{name}", sources(), text_of(book), folder)
