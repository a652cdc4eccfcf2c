"""Analytical cost of convolutional networks: parameters, MACs and FLOPs, as numbers and as formulas.

>>> import convcost
>>> network = convcost.load("shufflenet_v1", g=3)
>>> convcost.analyze(network).totals.macs
137460672
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.errors import ConvcostError, ShapeError, SpecError, UnsupportedError, UsageError
from convcost.plugins import plugin
from convcost.tables import printable as _printable

if TYPE_CHECKING:
    from convcost.api import (
        analyze,
        cases,
        check,
        compare,
        compile,  # noqa: A004 - the name of the function
        convert,
        diff,
        draw,
        equal,
        explain,
        explore,
        formula,
        from_keras,
        from_torch,
        list_conventions,
        list_layers,
        list_specs,
        load,
        loads,
        memory,
        pareto,
        plot,
        receptive,
        roofline,
        scaling,
        schema,
        show,
        solve,
        space,
        starter,
        survey,
        sweep,
        table,
        to_onnx,
        traffic,
        verify,
    )

__version__ = "0.1.0"

__all__ = [
    "ConvcostError",
    "ShapeError",
    "SpecError",
    "UnsupportedError",
    "UsageError",
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
    "plugin",
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


def __getattr__(name: str) -> object:
    """A function of the library, imported when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'convcost' has no attribute {name!r}")
    from convcost import api  # noqa: PLC0415 - `import convcost` alone does not pay for it

    value = globals()[name] = getattr(api, name)
    return value


def __dir__() -> list[str]:
    """The public names."""
    return [*__all__, "__version__"]


def _view_of(result: object) -> _printable.View:
    from convcost.render.views import view  # noqa: PLC0415 - only what is printed pays for it

    return view(result)


_printable.Printable.view_of = staticmethod(_view_of)
