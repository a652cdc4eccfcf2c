"""Counting conventions of tools, papers and frameworks, as weights over the counts of a layer."""

from __future__ import annotations

from convcost.conventions.catalogue import DEFAULT, convention, names
from convcost.conventions.model import Convention, Rules
from convcost.conventions.reported import Reported, reported

__all__ = ["DEFAULT", "Convention", "Reported", "Rules", "convention", "names", "reported"]
