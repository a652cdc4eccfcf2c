"""Closed forms: a spec run over symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy

from convcost import algebra
from convcost.assumptions import Session, assuming
from convcost.cost import sum_work
from convcost.errors import UsageError, did_you_mean
from convcost.report import analyze
from convcost.spec.bind import from_python
from convcost.spec.build import build
from convcost.spec.freedom import fixed_names, free_names
from convcost.symbolic.atoms import evaluate, expanded, to_number, to_sympy
from convcost.symbolic.simplify import tidy
from convcost.symbolic.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from convcost.graph import Graph
    from convcost.layers.base import Work
    from convcost.spec.model import Spec

QUANTITIES = ("params", "macs", "flops")


class Form:
    """One quantity: its closed form, and its value at the witness.

    Attributes:
        expr: an exact sympy expression.
        value: the number it has where the free names have the values they were given or default to.
    """

    __slots__ = ("expr", "value")

    def __init__(self, expr: Any, witness: Mapping[Any, Any]) -> None:
        self.expr = expr
        self.value = evaluate(to_sympy(expr), dict(witness))


class FormRow:
    """The closed forms of one row of a report."""

    __slots__ = ("count", "forms", "input", "kind", "output", "path")

    def __init__(self, path: str, kind: str, input_: Any, output: Any, count: Any, forms: dict[str, Form]) -> None:
        self.path = path
        self.kind = kind
        self.input = input_
        self.output = output
        self.count = count
        self.forms = forms


class Formula:
    """The closed forms of a network or block.

    Attributes:
        graph: the symbolic graph.
        symbols: the free names and their symbols.
        witness: what each free name was given or defaults to; formulas are exact for all values that fulfil
            ``assumptions``, not just for these.
        assumptions: what must hold, as text.
        rows: per layer.
        totals: of the whole.
    """

    __slots__ = ("assumptions", "graph", "rows", "symbols", "totals", "witness")

    def __init__(
        self,
        graph: Graph,
        symbols: dict[str, Any],
        witness: dict[str, Any],
        assumptions: tuple[str, ...],
        rows: tuple[FormRow, ...],
        totals: dict[str, Form],
    ) -> None:
        self.graph = graph
        self.symbols = symbols
        self.witness = witness
        self.assumptions = assumptions
        self.rows = rows
        self.totals = totals


def formula(
    spec: Spec,
    free: Sequence[str] | None = None,
    given: Mapping[str, Any] | None = None,
    input_shape: tuple[int, ...] | None = None,
) -> Formula:
    """Closed forms of ``spec``.

    Args:
        spec: linked.
        free: names that become symbols. Where not given: of a block all that can, of a network those that its
            input depends on and ``classes``.
        given: values; for a free name, the value at which it is evaluated and undecidable questions are decided.
        input_shape: in place of the spec's own.

    Raises:
        UsageError: a name that is no parameter, or cannot be a symbol.
        SpecError: the spec is wrong, or its values do not fit.
    """
    given = {name: from_python(value) for name, value in (given or {}).items()}
    numeric = build(spec, given, input_shape)
    names = _default_free(spec, numeric) if free is None else _checked(spec, free, numeric)
    symbols = {name: symbol(spec, name) for name in names}
    witness = {symbols[name]: numeric.parameters[name] for name in names}
    session = Session(witness)
    with assuming(session):
        graph = build(spec, {**given, **symbols}, input_shape)
        totals = _forms(sum_work(graph.layers), witness)
        known: dict[int, dict[str, Form]] = {}  # equal layers share their counts
        rows = tuple(
            FormRow(
                row.path,
                row.kind,
                row.input,
                row.output,
                row.count,
                known.get(id(row.work)) or known.setdefault(id(row.work), _forms(row.work, witness)),
            )
            for row in analyze(graph).rows
        )
    bounds = [f"{name.name} >= {least}" for name, least in session.least.items() if least != 1]
    values = {name: numeric.parameters[name] for name in names}
    return Formula(graph, symbols, values, (*session.assumptions, *bounds), rows, totals)


def _forms(work: Work, witness: Mapping[Any, Any]) -> dict[str, Form]:
    return {name: Form(expanded(to_sympy(getattr(work, name))), witness) for name in QUANTITIES}


def symbol(spec: Spec, name: str) -> Any:
    """The symbol of a parameter: a positive integer, or a positive rational where it is a ratio."""
    parameter = spec.parameters.get(name)
    if parameter is not None and parameter.type == "ratio":
        return sympy.Symbol(name, positive=True, rational=True)
    return sympy.Symbol(name, positive=True, integer=True)


def _default_free(spec: Spec, numeric: Graph) -> list[str]:
    names = [name for name in free_names(spec) if _can_stand_for(numeric.parameters.get(name))]
    if spec.is_block:
        return names
    shown = spec.size_parameters() | {"classes"}
    return [name for name in names if name in shown and (spec.parameters[name].type != "ratio")]


def _can_stand_for(value: Any) -> bool:
    """Whether a positive symbol can stand for a parameter of this value."""
    return algebra.is_number(value) and value > 0


def _checked(spec: Spec, free: Iterable[str], numeric: Graph) -> list[str]:
    names = list(dict.fromkeys(free))
    known = [*(spec.input_names or ()), *spec.parameters]
    fixed = fixed_names(spec)
    for name in names:
        if name not in known:
            listed = f"; it has {', '.join(known)}" if known else "; it has none"
            raise UsageError(f"{spec.name} has no parameter '{name[:60]}'{did_you_mean(name, known) or listed}")
        if name in fixed:
            raise UsageError(
                f"`{name}` of {spec.name} cannot be free: it shapes the network, not just its sizes; "
                f"free can be {', '.join(free_names(spec)) or 'none'}"
            )
        if name not in numeric.parameters:
            raise UsageError(f"`{name}` cannot be free when --input gives the size")
        if not _can_stand_for(numeric.parameters[name]):
            raise UsageError(f"`{name}` cannot be free at the value {numeric.parameters[name]}; give one with --set")
    return names


def put_in(form: Form, formula_: Formula, expr: Any = None) -> str:
    """The form with values in place of names: ``3^2*64*256``."""
    values = {symbol_: str(formula_.witness[name]) for name, symbol_ in formula_.symbols.items()}
    return text(tidy(form.expr) if expr is None else expr, values)


def number(form: Form) -> Any:
    """The value of a form as an exact number."""
    return to_number(form.value)
