"""Analytical cost of convolutional networks: parameters, MACs and FLOPs, as numbers and as formulas.

>>> import convcost
>>> network = convcost.load("shufflenet_v1", g=3)
>>> convcost.analyze(network).totals.macs
137460672
"""

__version__ = "0.1.0"

from convcost.api import analyze, check, diff, load, loads, memory, receptive, roofline, table, traffic
from convcost.errors import ConvcostError, ShapeError, SpecError, UnsupportedError, UsageError
from convcost.plugins import plugin
from convcost.questions import compare, equal, explain, formula, scaling, solve, survey, verify

__all__ = [
    "ConvcostError",
    "ShapeError",
    "SpecError",
    "UnsupportedError",
    "UsageError",
    "analyze",
    "check",
    "compare",
    "diff",
    "equal",
    "explain",
    "formula",
    "load",
    "loads",
    "memory",
    "plugin",
    "receptive",
    "roofline",
    "scaling",
    "solve",
    "survey",
    "table",
    "traffic",
    "verify",
]
