"""Loader for conventions: the default, the bundled ones, the one of a network, and files."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from convcost.catalogue.loader import Files, package_folder
from convcost.conventions.model import PLAIN
from convcost.errors import UsageError

if TYPE_CHECKING:
    from convcost.conventions.model import Convention
    from convcost.conventions.written import Implementation

DEFAULT = PLAIN.name
PAPER = "paper"
_ORDER = ("macs", "fvcore", "ptflops", "ptflops-aten", "thop", "torchinfo", "torch", "pycls", "keras")
CONVENTIONS = Files("convention", (package_folder("conventions", "bundled"),), "`convcost conventions`")
IMPLEMENTATIONS = Files("implementation", (package_folder("conventions", "implementations"),), "the documentation")


def names() -> list[str]:
    """Names of all conventions: the default, the bundled ones, ``paper``."""
    bundled = CONVENTIONS.names()
    known = [name for name in _ORDER if name in bundled]
    return [DEFAULT, *known, *(name for name in bundled if name not in known), PAPER]


def convention(target: str = DEFAULT) -> Convention:
    """The convention called ``target``.

    Args:
        target: a name of :func:`names`, or the path of a file; not ``paper``, which is the convention of one network.

    Raises:
        UsageError: there is no such name or file.
        SpecError: the file is wrong.
    """
    if target == DEFAULT:
        return PLAIN
    if target == PAPER:
        raise UsageError("the convention `paper` is that of one network; name the network")
    return _bundled(target) if CONVENTIONS.bundled(target) else _read(target)


@cache
def _bundled(target: str) -> Convention:
    return _read(target)


def _read(target: str) -> Convention:
    from convcost.conventions.read import read_convention  # noqa: PLC0415 - the default convention needs no file

    return read_convention(*CONVENTIONS.open(target, (DEFAULT, PAPER)), CONVENTIONS)


@cache
def implementations() -> tuple[Implementation, ...]:
    """What is known of how bundled networks are written in frameworks."""
    from convcost.conventions.read import read_implementations  # noqa: PLC0415 - the default needs no file

    files = (IMPLEMENTATIONS.open(name)[1] for name in IMPLEMENTATIONS.names())
    return tuple(implementation for tree in files for implementation in read_implementations(tree))
