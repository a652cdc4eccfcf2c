"""Headings of outputs: the quantities and their convention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.conventions.model import PLAIN

if TYPE_CHECKING:
    from convcost.conventions.model import Convention
    from convcost.conventions.reported import Reported


def reported_title(convention: Convention) -> str:
    """The heading of a reported number: whose it is, and its unit."""
    return f"{convention.name} {convention.unit}"


def reported_notes(reported: Reported) -> list[str]:
    """What a reader must know of a reported number; nothing for the default convention."""
    convention = reported.convention
    if convention is PLAIN:
        return []
    what = f": {convention.doc}" if convention.doc else ""
    return [f"{reported_title(convention)}{what}", *reported.written.notes]
