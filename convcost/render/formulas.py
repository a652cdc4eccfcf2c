"""Closed forms as text, LaTeX and data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from convcost.formulas.simplify import tidy
from convcost.formulas.views import READABLE, VIEWS, readable, view
from convcost.formulas.views import View as Shape
from convcost.metrics.quantities import REPORTED, meaning
from convcost.numbers.arithmetic import is_symbolic
from convcost.numbers.printing import latex, text
from convcost.numbers.values import evaluate
from convcost.render.results import schema
from convcost.render.whose import quantity_title, whose_data, whose_notes
from convcost.tables.printable import View
from convcost.tables.values import latex_text, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from convcost.formulas.cases import Cases
    from convcost.formulas.closed import Form, FormRow, Formula

IN_ROWS = ("params", "macs")
_COPY = re.compile(r"\[\d+\]")
_LABELS = {
    "ideal": "for such sizes exactly",
    "unrounded": "without rounding",
    "named": "the same",
    "exact": "the same",
}


def as_text(
    formula: Formula,
    shown: Shape,
    quantities: Sequence[str],
    *,
    in_rows: Sequence[str] = IN_ROWS,
    write: Callable[..., str] = text,
) -> str:
    """For people: per layer and in total, the formula, the formula with values put in, and the number.

    Args:
        formula: closed forms.
        shown: the shape to write them in.
        quantities: of the totals.
        in_rows: of each layer; none for totals only.
        write: from an expression to text.
    """
    graph = formula.graph
    titles = {name: quantity_title(formula, name) for name in (*in_rows, *quantities)}
    entering = [(name, _sizes(graph.nodes[index].shape, shown, write)) for name, index in graph.inputs.items()]
    sizes = entering[0][1] if len(entering) == 1 else ", ".join(f"{name} {own}" for name, own in entering)
    lines = [plain(f"{graph.title}, {'input' if len(entering) == 1 else 'inputs'} {sizes}")]
    if formula.witness:
        lines.append("free: " + ", ".join(f"{name} = {value}" for name, value in formula.witness.items()))
    lines += [f"assuming {plain(assumption)}" for assumption in formula.assumptions]
    lines += _legend(shown, write)
    for row, times in _rows_shown(formula.rows, in_rows) if in_rows else ():
        again = f", {times} times" if times > 1 else ""
        copies = "" if type(row.count) is int and row.count == 1 else f", {write(row.count)} copies"
        if row.index is not None:
            copies = f", copies {write(row.index)} = 1 ... {write(row.count)}"
        sizes = f"{_sizes(row.input, shown, write)} -> {_sizes(row.output, shown, write)}"
        lines += ["", plain(f"{row.path} ({row.kind}, {sizes}{copies}{again})")]
        for name in in_rows:
            if _is_counted(row, name):
                form = tidy(shown.change(row.forms[name].polynomial))
                lines.append(f"  {_line(titles[name], form, row.forms[name].value, shown, write)}")
    lines += ["", "total"]
    lines += [
        f"  {_line(titles[name], shown.shown(name), formula.totals[name].value, shown, write)}{_meaning(name)}"
        for name in quantities
    ]
    lines += whose_notes(formula)
    return "\n".join([*lines, *_offers(formula, shown, write)]) + "\n"


def _legend(shown: Shape, write: Callable[..., str]) -> list[str]:
    """The meaning of the names in the form, and what it assumes."""
    lines = [f"with {write(let.symbol)} = {write(let.value)}" for let in shown.lets]
    lines += [
        f"with {write(residue.size)} = {write(residue.period * residue.symbol + residue.rest)}, exact for such sizes"
        for residue in shown.residues
    ]
    if shown.rounded:
        lines.append(f"not exact: {', '.join(shown.rounded)}")
    return lines


def _meaning(name: str) -> str:
    explained = meaning(name)
    return f"  ({explained})" if explained else ""


def _sizes(sizes: Iterable[Any], shown: Shape, write: Callable[..., str]) -> str:
    written = (write(tidy(shown.change(size))) if is_symbolic(size) else str(size) for size in sizes)
    return "x".join(size if size.isalnum() else f"({size})" for size in written)


def _rows_shown(rows: Iterable[FormRow], quantities: Sequence[str]) -> list[tuple[FormRow, int]]:
    """Rows with a cost, and how many equal copies each has; copies are listed once."""
    groups: dict[Any, list[FormRow]] = {}
    for row in rows:
        key = (_COPY.sub("", row.path), row.kind, row.input, row.output, row.count)
        if key in groups or any(_is_counted(row, name) for name in quantities):
            groups.setdefault(key, []).append(row)
    return [(members[0], len(members)) for members in groups.values()]


def _is_counted(row: FormRow, name: str) -> bool:
    return bool(row.forms[name].polynomial != 0)


def _line(name: str, expr: Any, value: Any, shown: Shape, write: Callable[..., str]) -> str:
    """``MACs = I*M = 256*64 = 16,384``, without repetitions and without values in a long formula."""
    written = write(expr)
    number = f"{value:,}" if isinstance(value, int) else str(value)
    if not shown.exact:
        near = evaluate(expr, shown.values)
        at_default = f"{round(near):,}" if near == round(near) else f"{float(near):,.1f}"
        return f"{name} ~ {written}; at the defaults {at_default}, exactly {number}"
    steps = [written]
    if len(written) <= READABLE and not shown.lets:
        steps.append(write(expr, {symbol: str(value) for symbol, value in shown.values.items()}))
    kept = [step for step in dict.fromkeys(steps) if step != str(value)]
    return " = ".join([name, *kept, number])


def _offers(formula: Formula, shown: Shape, write: Callable[..., str]) -> list[str]:
    """A total in other forms that are shorter, and a note if there are other structures."""
    quantity = "macs" if "macs" in shown.exprs else next(iter(shown.exprs))
    here = len(write(shown.shown(quantity)))
    lines = []
    for kind in ("ideal", "unrounded"):
        other = view(formula, kind, [quantity])
        shorter = write(other.shown(quantity))
        new = kind != "unrounded" or bool(other.rounded)
        if kind != shown.kind and new and len(shorter) < here:
            where = ", ".join([*(residue.text for residue in other.residues), *other.rounded])
            lines.append(f"--form {kind}: {quantity_title(formula, quantity)} = {shorter}, {_LABELS[kind]} ({where})")
    if any(condition.structural for condition in formula.conditions):
        lines.append("elsewhere the network may have another structure; --cases shows all")
    return ["", *lines] if lines else []


def formula_view(formula: Formula) -> View:
    """The result of ``formula``: text for people, and data."""
    in_rows = (*IN_ROWS, *((REPORTED,) if formula.reported is not None else ()))
    quantities = formula.quantities
    return View(
        tables=list,
        data=lambda: formula_data(formula),
        text=lambda: as_text(formula, readable(formula, quantities), quantities, in_rows=in_rows),
    )


def cases_view(cases: Cases) -> View:
    """The result of ``formula --cases``: text for people, and data."""
    quantities = cases.formulas[0].quantities
    return View(tables=list, data=lambda: cases_data(cases), text=lambda: cases_text(cases, quantities))


def cases_data(cases: Cases) -> dict[str, Any]:
    """The totals of every structure, each with where it holds."""
    first = cases.formulas[0]
    return {
        "schema": schema("cases"),
        "name": first.graph.name,
        "title": first.graph.title,
        "free": list(first.witness),
        **whose_data(first),
        "complete": cases.complete,
        "cases": [
            {
                "assumptions": list(formula.assumptions),
                "totals": _forms_data(formula.totals, formula.quantities, with_latex=False),
            }
            for formula in cases.formulas
        ],
    }


def cases_text(cases: Cases, quantities: Sequence[str], write: Callable[..., str] = text) -> str:
    """The totals of every structure, each with where it holds."""
    lines = [plain(cases.formulas[0].graph.title)]
    for formula in cases.formulas:
        lines += ["", f"where {plain(', '.join(formula.assumptions)) or 'nothing is assumed'}"]
        exact = view(formula, "exact", quantities)
        lines += [f"  {quantity_title(formula, name)} = {write(exact.shown(name))}" for name in quantities]
    if not cases.complete:
        lines += ["", "there may be more structures"]
    return "\n".join(lines) + "\n"


def as_latex(formula: Formula, shown: Shape, quantities: Sequence[str], *, in_rows: Sequence[str] = IN_ROWS) -> str:
    """An ``align*`` environment: one line per layer and quantity, then the totals; arguments as :func:`as_text`."""
    lines = []
    for row, times in _rows_shown(formula.rows, in_rows) if in_rows else ():
        label = latex_text(row.path) + (rf" $\times {times}$" if times > 1 else "")
        lines += [
            _latex_line(label, quantity_title(formula, name), latex(tidy(shown.change(row.forms[name].polynomial))))
            for name in in_rows
            if _is_counted(row, name)
        ]
    lines += [_latex_line("total", quantity_title(formula, name), latex(shown.shown(name))) for name in quantities]
    lines += [f"{latex(let.symbol)} &= {latex(let.value)}" for let in shown.lets]
    notes = [
        *(f"assuming {condition}" for condition in formula.assumptions),
        *(f"with {condition}" for condition in shown.where),
    ]
    head = "".join(f"% {plain(note)}\n" for note in notes)
    return head + "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}\n"


def _latex_line(label: str, quantity: str, formula: str) -> str:
    return rf"\text{{{label}: {quantity}}} &= {formula}"


def formula_data(formula: Formula, *, with_latex: bool = False) -> dict[str, Any]:
    """The result of ``formula``: formulas as text that reads back, numbers exact."""
    graph = formula.graph
    return {
        "schema": schema("formula"),
        "name": graph.name,
        "title": graph.title,
        "input": [text(size) for size in graph.input],
        "free": list(formula.witness),
        "witness": formula.witness,
        **whose_data(formula),
        "assumptions": list(formula.assumptions),
        "conditions": [
            {"text": condition.text, "structural": condition.structural} for condition in formula.conditions
        ],
        "totals": _forms_data(formula.totals, formula.quantities, with_latex=with_latex),
        "values": {name: formula.totals[name].value for name in formula.quantities},
        "forms": {kind: _view_data(view(formula, kind, formula.quantities)) for kind in VIEWS if kind != "exact"},
        "rows": [_row_data(row, formula.quantities, with_latex=with_latex) for row in formula.rows],
    }


def _view_data(shown: Shape) -> dict[str, Any]:
    return {
        "exact": shown.exact,
        "lets": {let.symbol.name: text(let.value) for let in shown.lets},
        "where": [residue.text for residue in shown.residues],
        "rounding_left_out": list(shown.rounded),
        "totals": {name: text(shown.shown(name)) for name in shown.exprs},
        "values": {name: shown.value(name) for name in shown.exprs},
    }


def _row_data(row: FormRow, quantities: Sequence[str], *, with_latex: bool) -> dict[str, Any]:
    return {
        "path": row.path,
        "kind": row.kind,
        "input": [text(size) for size in row.input],
        "output": [text(size) for size in row.output],
        "count": row.count if isinstance(row.count, int) else text(row.count),
        **({} if row.index is None else {"copy": text(row.index)}),
        **_forms_data(row.forms, quantities, with_latex=with_latex),
        "values": {name: row.forms[name].value for name in quantities},
    }


def _forms_data(forms: dict[str, Form], quantities: Sequence[str], *, with_latex: bool) -> dict[str, Any]:
    tidied = {name: tidy(forms[name].polynomial) for name in quantities}
    data: dict[str, Any] = {name: text(expr) for name, expr in tidied.items()}
    if with_latex:
        data["latex"] = {name: latex(expr) for name, expr in tidied.items()}
    return data
