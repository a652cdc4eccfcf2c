"""Loader for small YAML files: bundled ones by name, files of the user by path."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from convcost.errors import ConvcostError, Problem, SpecError, UsageError, shorten, unknown
from convcost.language.yaml import Mapping, Scalar, contents, read, scan

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NoReturn

    from convcost.language.yaml import Node

_SUFFIXES = (".yaml", ".yml")


class Shelf:
    """Files of one kind.

    Attributes:
        folder: where the bundled ones lie.
        what: what one is called in errors: ``convention``, ``device``.
        listed_by: what lists them, for errors.
    """

    def __init__(self, folder: str, what: str, listed_by: str) -> None:
        self.folder = folder
        self.what = what
        self.listed_by = listed_by

    def names(self) -> list[str]:
        """Names of the bundled files, sorted."""
        return sorted(entry.removesuffix(".yaml") for entry in os.listdir(self.folder) if entry.endswith(".yaml"))

    def open(self, target: str, also: Iterable[str] = ()) -> tuple[str, Mapping]:
        """Name and content of the file that ``target`` means.

        Args:
            target: a bundled name, or a path.
            also: names that are no files, for the hint of an error.

        Raises:
            UsageError: there is no such name or file.
        ConvcostError: the file cannot be read.
            SpecError: it is no YAML, or no mapping.
        """
        names = self.names()
        if target in names:
            path, label = os.path.join(self.folder, f"{target}.yaml"), f"{os.path.basename(self.folder)}/{target}.yaml"
        elif os.path.sep in target or target.endswith(_SUFFIXES):
            path = label = target
        else:
            raise UsageError(unknown(self.what, target, [*names, *also], listed_by=self.listed_by))
        tree = read(_bytes(path, self.what), label)
        if not isinstance(tree, Mapping):
            fail(tree, f"a {self.what} is a mapping of keys and values")
        return os.path.splitext(os.path.basename(path))[0], tree


def _bytes(path: str, what: str) -> bytes:
    try:
        return contents(path)
    except FileNotFoundError:
        raise UsageError(unknown(f"{what} file", path, [])) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConvcostError(f"cannot read the {what} {shorten(path)}: {reason}") from None


def fail(node: Node, message: str) -> NoReturn:
    """Raise an error about ``node``.

    Raises:
        SpecError: always.
    """
    raise SpecError([Problem(node.position, message)])


def check_keys(tree: Mapping, known: Iterable[str], what: str) -> None:
    """Refuse a key that is not in ``known``.

    Raises:
        SpecError: there is one.
    """
    for key, _ in tree.entries:
        if key.text not in known:
            fail(key, unknown("key", key.text, known, of=what))


def text_of(tree: Mapping, key: str, default: str = "") -> str:
    """The text of ``key``.

    Raises:
        SpecError: it is a list or a mapping.
    """
    node = tree.get(key)
    if node is None:
        return default
    if not isinstance(node, Scalar):
        fail(node, f"`{key}` must be text")
    return " ".join(node.text.split())


def number_at(node: Node, what: str) -> object:
    """The exact number at ``node``.

    Raises:
        SpecError: it is none.
    """
    value = scan(node.text, quoted=node.quoted) if isinstance(node, Scalar) else None
    if value is None or isinstance(value, bool | str):
        fail(node, f"{what} must be a number")
    return value
