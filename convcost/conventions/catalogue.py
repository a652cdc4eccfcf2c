"""Loader for conventions: the default, the bundled ones, the one of a network, and files."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from convcost.conventions.model import PLAIN
from convcost.errors import UsageError

if TYPE_CHECKING:
    from convcost.catalogue.shelf import Shelf
    from convcost.conventions.model import Convention
    from convcost.conventions.written import Implementation
    from convcost.language.model import Spec

DEFAULT = PLAIN.name
PAPER = "paper"
_ORDER = ("macs", "fvcore", "ptflops", "ptflops-aten", "thop", "torchinfo", "torch", "pycls", "keras")
_HERE = os.path.dirname(os.path.abspath(__file__))


def _shelf() -> Shelf:
    from convcost.catalogue.shelf import Shelf  # noqa: PLC0415 - the default convention needs no file

    return Shelf(os.path.join(_HERE, "bundled"), "convention", "`convcost conventions`")


def names() -> list[str]:
    """Names of all conventions: the default, the bundled ones, ``paper``."""
    bundled = _shelf().names()
    known = [name for name in _ORDER if name in bundled]
    return [DEFAULT, *known, *(name for name in bundled if name not in known), PAPER]


def convention(target: str = DEFAULT, spec: Spec | None = None) -> Convention:
    """The convention called ``target``.

    Args:
        target: a name of :func:`names`, or the path of a file.
        spec: the network, which ``paper`` needs: it is the network's own convention.

    Raises:
        UsageError: there is no such name or file, or the network states no convention.
        SpecError: the file is wrong.
    """
    if target == DEFAULT:
        return PLAIN
    if target == PAPER:
        if spec is None:
            raise UsageError("the convention `paper` is that of one network; name the network")
        from convcost.literature.paper import paper  # noqa: PLC0415 - rarely asked for

        return paper(spec)
    return _bundled(target) if target in _shelf().names() else _read(target)


@cache
def _bundled(target: str) -> Convention:
    return _read(target)


def _read(target: str) -> Convention:
    from convcost.conventions.read import read_convention  # noqa: PLC0415 - the default convention needs no file

    shelf = _shelf()
    name, tree = shelf.open(target, (DEFAULT, PAPER))
    return read_convention(name, tree, shelf)


@cache
def implementations() -> tuple[Implementation, ...]:
    """What is known of how bundled networks are written in frameworks."""
    from convcost.catalogue.shelf import Shelf  # noqa: PLC0415
    from convcost.conventions.read import read_implementations  # noqa: PLC0415 - the default needs no file

    shelf = Shelf(os.path.join(_HERE, "implementations"), "implementation", "the documentation")
    return tuple(one for name in shelf.names() for one in read_implementations(shelf.open(name)[1]))
