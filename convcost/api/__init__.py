"""The library: every command as a function, with the same defaults. Nothing here prints.

A target is a bundled name or a path, or a pair of one and a dict of parameters. Keyword arguments are parameters of
every target that has them. Commands parse their options, call these functions, and show the results.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcost.api.conventions import explain, list_conventions, survey, verify
    from convcost.api.counts import analyze, check, diff, memory, receptive, roofline, table, traffic
    from convcost.api.explorer import explore
    from convcost.api.formulas import cases, compare, equal, formula, scaling
    from convcost.api.pictures import draw, plot
    from convcost.api.solutions import pareto, solve
    from convcost.api.spaces import space
    from convcost.api.specs import (
        convert,
        from_keras,
        from_torch,
        list_layers,
        list_specs,
        load,
        loads,
        schema,
        show,
        to_onnx,
    )
    from convcost.api.sweeps import compile, sweep  # noqa: A004 - the name of the function
    from convcost.catalogue.starter import starter

__all__ = [
    "analyze",
    "cases",
    "check",
    "compare",
    "compile",
    "convert",
    "diff",
    "draw",
    "equal",
    "explain",
    "explore",
    "formula",
    "from_keras",
    "from_torch",
    "list_conventions",
    "list_layers",
    "list_specs",
    "load",
    "loads",
    "memory",
    "pareto",
    "plot",
    "receptive",
    "roofline",
    "scaling",
    "schema",
    "show",
    "solve",
    "space",
    "starter",
    "survey",
    "sweep",
    "table",
    "to_onnx",
    "traffic",
    "verify",
]

_MODULES = {
    "convcost.api.conventions": ("explain", "list_conventions", "survey", "verify"),
    "convcost.api.counts": ("analyze", "check", "diff", "memory", "receptive", "roofline", "table", "traffic"),
    "convcost.api.explorer": ("explore",),
    "convcost.api.formulas": ("cases", "compare", "equal", "formula", "scaling"),
    "convcost.api.pictures": ("draw", "plot"),
    "convcost.api.solutions": ("pareto", "solve"),
    "convcost.api.spaces": ("space",),
    "convcost.api.specs": (
        *("convert", "from_keras", "from_torch", "list_layers", "list_specs"),
        *("load", "loads", "schema", "show", "to_onnx"),
    ),
    "convcost.api.sweeps": ("compile", "sweep"),
    "convcost.catalogue.starter": ("starter",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """A function, imported when it is first asked for: a command pays for no other."""
    if name not in _HOMES:
        raise AttributeError(f"module 'convcost.api' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
