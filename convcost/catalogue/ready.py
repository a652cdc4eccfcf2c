"""What is made of the package's own YAML files and kept: their trees, and the list of specs with their costs.

A record begins with all that it was made of, which includes the text of the files. It is used only if that is, byte for
byte, what the files have now. An installed package has its records in ``trees/`` beside this file, written when it was
built. A checkout keeps them in the user's cache folder; there a record also states the time and size of the code that
makes it, so that a change of that code makes new ones. A folder that cannot be read or written is left alone. Files of
the user are never recorded.

``CONVCOST_CACHE`` is another folder for records; if it is empty, nothing is kept.
"""

from __future__ import annotations

import os
from binascii import crc32
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from convcost.language import flat as form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from convcost.language.tree import Node

SWITCH = "CONVCOST_CACHE"
SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "trees")
_READERS = ("flat.py", "tree.py", "yaml.py")
_CHECKSUM = 8
ROOMS = ("api", "catalogue", "conventions", "language", "layers", "network", "numbers", "tables")  # that count a spec


def find(label: str, data: bytes) -> Node | None:
    """The tree of a bundled file, where there is a record of exactly this text.

    Args:
        label: what errors call the file.
        data: its bytes.
    """
    content = content_of(label, data, readers)
    return None if content is None else form.grown(content, label)


def keep(label: str, data: bytes, tree: Node) -> None:
    """Record the tree of a bundled file for the next process, unless the package has records of its own.

    Args:
        label: what errors call the file.
        data: its bytes.
        tree: the tree of these bytes.
    """
    record(label, data, form.flattened(tree), readers)


def content_of(name: str, data: bytes, code: Callable[[], str]) -> str | None:
    """The text of a record that was made of exactly this; None if there is none.

    Args:
        name: what is recorded.
        data: all bytes that it is made of.
        code: the state of the code that makes it; asked for only where that can have changed.
    """
    folder = _folder()
    if not folder:
        return None
    key = _key(name, data, "" if folder == SHIPPED else code())
    return _read(os.path.join(folder, _shipped_name(name) if folder == SHIPPED else _kept_name(name, key)), key)


def numbers_of(name: str, sources: bytes) -> str | None:
    """The text of a record of numbers, shipped or kept, that were made of exactly this; None if there is none.

    Args:
        name: what is recorded.
        sources: a digest of all that the numbers are made of, code included.
    """
    key = _key(name, sources, "")
    paths = [os.path.join(folder, _shipped_name(name)) for folder in (SHIPPED, _own_folder()) if folder]
    return next((text for path in paths if (text := _read(path, key)) is not None), None)


def _read(path: str, key: bytes) -> str | None:
    """The text of a record that begins with ``key``."""
    try:
        with open(path, "rb") as file:
            written = file.read()
    except OSError:
        return None
    checksum, content = written[len(key) : len(key) + _CHECKSUM], written[len(key) + _CHECKSUM :]
    return content.decode() if written.startswith(key) and checksum == _checksum(content) else None


def record(name: str, data: bytes, content: str, code: Callable[[], str]) -> None:
    """Keep a text for the next process, unless the package has records of its own; arguments as :func:`content_of`."""
    folder = _folder()
    if folder and folder != SHIPPED:
        key = _key(name, data, code())
        _write(folder, _kept_name(name, key), key, content)


def record_numbers(name: str, sources: bytes, content: str) -> None:
    """Keep numbers for the next process, in place of older ones of this name; arguments as :func:`numbers_of`."""
    if _own_folder():
        _write(_own_folder(), _shipped_name(name), _key(name, sources, ""), content)


def keeps_nothing() -> bool:
    """Whether the user wants no records, so that every number is counted anew."""
    return os.environ.get(SWITCH) == ""


def _write(folder: str, name: str, key: bytes, content: str) -> None:
    """Write a record in one step, so that no other process reads a part of it."""
    path = os.path.join(folder, name)
    draft = f"{path}.{os.getpid()}"
    with suppress(OSError):
        os.makedirs(folder, 0o700, exist_ok=True)
        with open(draft, "xb") as stream:
            stream.write(_record(key, content))
        os.replace(draft, path)


def ship(name: str, data: bytes, content: str, folder: str) -> None:
    """Write a record into what is to be ``trees/`` of an installed package; arguments as :func:`content_of`.

    Args:
        name: what is recorded.
        data: all bytes that it is made of.
        content: the text.
        folder: where the record is written.
    """
    with open(os.path.join(folder, _shipped_name(name)), "xb") as stream:
        stream.write(_record(_key(name, data, ""), content))


@cache
def _folder() -> str:
    """Where the records are; empty if there is no such place."""
    return SHIPPED if os.path.isdir(SHIPPED) else _own_folder()


def _own_folder() -> str:
    """Where the records of this user are; empty if there is no such place."""
    chosen = os.environ.get(SWITCH)
    if chosen is not None:
        return chosen
    base = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "convcost") if os.path.isabs(base) else ""


def _key(label: str, data: bytes, readers: str) -> bytes:
    """What the record of a file begins with: all that it was made of."""
    return f"{label} {readers}\n".encode() + data + b"\0"


def _record(key: bytes, text: str) -> bytes:
    content = text.encode()
    return key + _checksum(content) + content


def _checksum(content: bytes) -> bytes:
    return f"{crc32(content):08x}".encode()


@cache
def readers() -> str:
    """Time and size of the code that reads YAML, as Python itself decides whether compiled code is up to date."""
    folder = os.path.dirname(form.__file__)
    return _states(os.path.join(folder, name) for name in _READERS)


@cache
def counting() -> str:
    """Likewise, of all code that reads a spec, builds it and sums its costs."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folders = [top, *(os.path.join(top, room) for room in ROOMS)]
    return _states(os.path.join(folder, name) for folder in folders for name in os.listdir(folder) if _is_code(name))


def _is_code(name: str) -> bool:
    return name.endswith(".py")


def _states(paths: Iterable[str]) -> str:
    return ",".join(f"{state.st_mtime_ns}:{state.st_size}" for state in map(os.stat, sorted(paths)))


def _shipped_name(label: str) -> str:
    return label.replace("/", "-")


def _kept_name(label: str, key: bytes) -> str:
    return f"{_shipped_name(label)}-{crc32(key):08x}"
