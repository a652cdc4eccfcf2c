"""Numbers of bundled networks that a command keeps for the next one, and that a wheel carries.

A record holds the numbers of the networks that one bundled spec builds. It is used only if nothing has changed that
they are made of: the bytes of all bundled specs and conventions, and of the code that builds networks and counts them.
It is used by commands alone, since a program that imports the package may have other layers and rules, and by none that
has loaded a plug-in. With an empty ``CONVCOST_CACHE`` every number is counted anew.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from convcost.catalogue import ready
from convcost.catalogue.loader import SPECS, all_bytes, package_folder, whole
from convcost.conventions.catalogue import CONVENTIONS, IMPLEMENTATIONS
from convcost.literature.numbers import Book
from convcost.plugins import any_loaded
from convcost.process import began

if TYPE_CHECKING:
    from collections.abc import Callable

    from convcost.language.model import Spec

EXPLAIN, VERIFY = USES = ("explain", "verify")
ROOMS = ("", "catalogue", "conventions", "language", "layers", "literature", "network", "numbers")
_BUNDLED = (SPECS, CONVENTIONS, IMPLEMENTATIONS)
_YOUNG = 5  # seconds: a file that changed so shortly before a command began may be newer than the code that runs


def opened(name: str, use: str, linked: Callable[[], Spec]) -> Book:
    """The numbers of the networks of a spec, as far as they are recorded; a book without pages if none are.

    Args:
        name: of a bundled spec; empty for another one, which has no record.
        use: what the numbers are for: each use has its own record.
        linked: the spec; asked for when a network is built.
    """
    text = ready.numbers_of(f"{use}-{name}", sources()) if name and _usable() else None
    if text is None:
        return Book(linked)
    from json import loads  # noqa: PLC0415 - not needed for numbers that are counted

    return Book(linked, loads(text))


def closed(book: Book, name: str, use: str) -> None:
    """Record the numbers of a book for the next command, if there are new ones; arguments as :func:`opened`."""
    if name and book.grown and _usable() and not _changing():
        ready.record_numbers(f"{use}-{name}", sources(), text_of(book))


def text_of(book: Book) -> str:
    """The content of a record."""
    from json import dumps  # noqa: PLC0415 - only new numbers need it

    return dumps(book.pages, separators=(",", ":"))


def _usable() -> bool:
    """Whether records may be read and written."""
    return began() is not None and not any_loaded() and not ready.keeps_nothing() and sources() != b""


def bundled_name(spec: Spec) -> str:
    """The name of a spec if it is a bundled one, and not a file of the user or a link to one of another name."""
    path = SPECS.bundled(spec.name)
    own = path is not None and spec.folder == _real_folder(os.path.dirname(path))
    return spec.name if own and spec.file.endswith(f"/{spec.name}.yaml") else ""


@cache
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


@cache
def sources() -> bytes:
    """A digest of all that the numbers of bundled networks are made of; empty if a file cannot be read.

    A package may have been frozen or installed without the text of its code.
    """
    try:
        from _blake2 import blake2b  # noqa: PLC0415 - `hashlib` loads OpenSSL, which takes longer than the rest
    except ImportError:
        from hashlib import blake2b  # noqa: PLC0415
    digest = blake2b(digest_size=32)
    try:
        for path in _code():
            data = whole(path)
            digest.update(f"{os.path.basename(path)} {len(data)}\n".encode())
            digest.update(data)
        for files in _BUNDLED:
            digest.update(all_bytes(files))
    except OSError:
        return b""
    return digest.hexdigest().encode()


def _code() -> list[str]:
    """The files of the code that builds networks and counts them, in order.

    Raises:
        OSError: they are not there as text.
    """
    paths: list[str] = []
    for folder in map(package_folder, ROOMS):
        names = sorted(name for name in os.listdir(folder) if name.endswith(".py"))
        if not names:
            raise FileNotFoundError(folder)
        paths += [os.path.join(folder, name) for name in names]
    return paths


def _changing() -> bool:
    """Whether a file has changed since this process read it, or so shortly before that it cannot be known."""
    paths = [*_code(), *(path for files in _BUNDLED for name in files.names() if (path := files.bundled(name)))]
    return max(os.stat(path).st_mtime for path in paths) > (began() or 0) - _YOUNG
