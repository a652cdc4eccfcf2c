"""Headings: which network, with which parameters and input."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcost.network.graph import Graph


def heading(graph: Graph, batch: int = 1) -> str:
    """One line that says what was counted: title, parameters, input."""
    shown = {name: value for name, value in graph.parameters.items() if name not in graph.fixed}
    values = ", ".join(f"{name}={shown_value(value)}" for name, value in shown.items())
    batches = "" if batch == 1 else f", batch {batch}"
    return f"{graph.title}{f' ({values})' if values else ''}, {inputs_line(graph)}{batches}"


def inputs_line(graph: Graph) -> str:
    """The shape of the input; of several, each with its name."""
    return f"{'input' if len(graph.inputs) == 1 else 'inputs'} {graph.entering}"


def shown_value(value: Any) -> str:
    """A parameter's value as ``--set`` takes it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, Fraction):
        decimal = str(float(value))
        return decimal if Fraction(decimal) == value else str(value)
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
