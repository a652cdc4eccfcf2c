"""What a wheel carries beside its sources, made when it is built: ready trees of the bundled YAML files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.catalogue import ready
from convcost.catalogue.loader import SPECS
from convcost.conventions.catalogue import CONVENTIONS, IMPLEMENTATIONS
from convcost.literature.references import REFERENCES
from convcost.metrics.devices import DEVICES

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    for files, path in bundled_files():
        ready.ship(files.label(path), files.bytes(path), files.parsed(path), folder)
