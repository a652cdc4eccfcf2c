"""Ready trees of the package's own YAML files, so that commands on bundled specs need no YAML parser.

The record of a file begins with the text of that file. It is used only if that is, byte for byte, the text that the
file has now. An installed package has its records in ``trees/`` beside this file, written when it was built. A checkout
keeps them in the user's cache folder; there a record also states the time and size of the code that reads YAML, so that
a change of that code makes new ones. A folder that cannot be read or written is left alone: the files are parsed. Files
of the user are never recorded.

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
    from convcost.language.tree import Node

SWITCH = "CONVCOST_CACHE"
SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "trees")
_READERS = ("flat.py", "tree.py", "yaml.py")
_CHECKSUM = 8


def find(label: str, data: bytes) -> Node | None:
    """The tree of a bundled file, where there is a record of exactly this text.

    Args:
        label: what errors call the file.
        data: its bytes.
    """
    folder = _folder()
    if not folder:
        return None
    key = _key(label, data, "" if folder == SHIPPED else _readers())
    name = _shipped_name(label) if folder == SHIPPED else _kept_name(label, key)
    try:
        with open(os.path.join(folder, name), "rb") as stream:
            record = stream.read()
    except OSError:
        return None
    checksum, content = record[len(key) : len(key) + _CHECKSUM], record[len(key) + _CHECKSUM :]
    if not record.startswith(key) or checksum != _checksum(content):
        return None
    return form.grown(content.decode(), label)


def keep(label: str, data: bytes, tree: Node) -> None:
    """Record the tree of a bundled file for the next process, unless the package has records of its own.

    Args:
        label: what errors call the file.
        data: its bytes.
        tree: the tree of these bytes.
    """
    folder = _folder()
    if not folder or folder == SHIPPED:
        return
    key = _key(label, data, _readers())
    path = os.path.join(folder, _kept_name(label, key))
    draft = f"{path}.{os.getpid()}"
    with suppress(OSError):
        os.makedirs(folder, 0o700, exist_ok=True)
        with open(draft, "xb") as stream:
            stream.write(_record(key, tree))
        os.replace(draft, path)


def ship(label: str, data: bytes, tree: Node, folder: str) -> None:
    """Write the record of a bundled file into what is to be ``trees/`` of an installed package.

    Args:
        label: what errors call the file.
        data: its bytes.
        tree: the tree of these bytes.
        folder: where the record is written.
    """
    with open(os.path.join(folder, _shipped_name(label)), "xb") as stream:
        stream.write(_record(_key(label, data, ""), tree))


@cache
def _folder() -> str:
    """Where the records are; empty if there is no such place."""
    if os.path.isdir(SHIPPED):
        return SHIPPED
    chosen = os.environ.get(SWITCH)
    if chosen is not None:
        return chosen
    base = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "convcost") if os.path.isabs(base) else ""


def _key(label: str, data: bytes, readers: str) -> bytes:
    """What the record of a file begins with: all that it was made of."""
    return f"{label} {readers}\n".encode() + data + b"\0"


def _record(key: bytes, tree: Node) -> bytes:
    content = form.flattened(tree).encode()
    return key + _checksum(content) + content


def _checksum(content: bytes) -> bytes:
    return f"{crc32(content):08x}".encode()


@cache
def _readers() -> str:
    """Time and size of the code that reads YAML, as Python itself decides whether compiled code is up to date."""
    states = [os.stat(os.path.join(os.path.dirname(form.__file__), name)) for name in _READERS]
    return ",".join(f"{state.st_mtime_ns}:{state.st_size}" for state in states)


def _shipped_name(label: str) -> str:
    return label.replace("/", "-")


def _kept_name(label: str, key: bytes) -> str:
    return f"{_shipped_name(label)}-{crc32(key):08x}"
