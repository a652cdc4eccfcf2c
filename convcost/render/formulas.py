"""Closed forms as text, LaTeX and data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from convcost.render.results import schema
from convcost.render.values import plain, shape
from convcost.symbolic.closed import Formula, put_in
from convcost.symbolic.simplify import tidy
from convcost.symbolic.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.symbolic.closed import Form, FormRow

SHOWN = {"params": "params", "macs": "MACs"}
_COPY = re.compile(r"\[\d+\]")


def as_text(formula: Formula) -> str:
    """For people: per layer and in total, the formula, the formula with values put in, and the number."""
    graph = formula.graph
    lines = [plain(f"{graph.title}, input {shape(graph.input)}")]
    if formula.witness:
        lines.append("free: " + ", ".join(f"{name} = {value}" for name, value in formula.witness.items()))
    lines += [f"assuming {plain(one)}" for one in formula.assumptions]
    for row, times in _told(formula.rows):
        again = f", {times} times" if times > 1 else ""
        copies = "" if type(row.count) is int and row.count == 1 else f", {text(row.count)} copies"
        lines += [
            "",
            plain(f"{row.path} ({row.kind}, {_sizes(row.input)} -> {_sizes(row.output)}{copies}{again})"),
        ]
        lines += [f"  {SHOWN[name]} = {_chain(row.forms[name], formula)}" for name in SHOWN if _is_told(row, name)]
    lines += ["", "total"]
    lines += [f"  {title} = {_chain(formula.totals[name], formula)}" for name, title in SHOWN.items()]
    return "\n".join(lines) + "\n"


def _sizes(sizes: Iterable[Any]) -> str:
    written = (text(size) for size in sizes)
    return "x".join(size if size.isalnum() else f"({size})" for size in written)


def _told(rows: Iterable[FormRow]) -> list[tuple[FormRow, int]]:
    """Rows with something to tell; equal copies once, with how many there are."""
    groups: dict[Any, list[FormRow]] = {}
    for row in rows:
        if any(_is_told(row, name) for name in SHOWN):
            key = (_COPY.sub("", row.path), row.kind, row.input, row.output, row.count)
            groups.setdefault(key, []).append(row)
    return [(members[0], len(members)) for members in groups.values()]


def _is_told(row: FormRow, name: str) -> bool:
    return bool(row.forms[name].expr != 0)


def _chain(form: Form, formula: Formula) -> str:
    """``I*M = 256*64 = 16,384``, without what would only repeat itself."""
    shortest = tidy(form.expr)
    steps = [text(shortest), put_in(form, formula, shortest)]
    number = f"{form.value:,}" if isinstance(form.value, int) else str(form.value)
    kept = [step for step in dict.fromkeys(steps) if step != str(form.value)]
    return " = ".join([*kept, number])


def as_latex(formula: Formula) -> str:
    """An ``align*`` environment: one line per layer and quantity, then the totals."""
    from convcost.symbolic.latex import escaped  # noqa: PLC0415 - sympy's printer takes a while to import

    lines = []
    for row, times in _told(formula.rows):
        label = escaped(row.path) + (rf" $\times {times}$" if times > 1 else "")
        lines += [_latex_line(label, SHOWN[name], row.forms[name]) for name in SHOWN if _is_told(row, name)]
    lines += [_latex_line("total", title, formula.totals[name]) for name, title in SHOWN.items()]
    notes = "".join(f"% assuming {plain(one)}\n" for one in formula.assumptions)
    return notes + "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}\n"


def _latex_line(label: str, quantity: str, form: Form) -> str:
    from convcost.symbolic.latex import latex  # noqa: PLC0415 - sympy's printer takes a while to import

    return rf"\text{{{label}: {quantity}}} &= {latex(tidy(form.expr))}"


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
        "assumptions": list(formula.assumptions),
        "totals": _forms_data(formula.totals, with_latex=with_latex),
        "values": {name: form.value for name, form in formula.totals.items()},
        "rows": [_row_data(row, with_latex=with_latex) for row in formula.rows],
    }


def _row_data(row: FormRow, *, with_latex: bool) -> dict[str, Any]:
    return {
        "path": row.path,
        "kind": row.kind,
        "input": [text(size) for size in row.input],
        "output": [text(size) for size in row.output],
        "count": row.count if isinstance(row.count, int) else text(row.count),
        **_forms_data(row.forms, with_latex=with_latex),
        "values": {name: form.value for name, form in row.forms.items()},
    }


def _forms_data(forms: dict[str, Form], *, with_latex: bool) -> dict[str, Any]:
    data: dict[str, Any] = {name: text(tidy(form.expr)) for name, form in forms.items()}
    if with_latex:
        from convcost.symbolic.latex import latex  # noqa: PLC0415 - sympy's printer takes a while to import

        data["latex"] = {name: latex(tidy(form.expr)) for name, form in forms.items()}
    return data
