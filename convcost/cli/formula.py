"""``convcost formula``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from convcost import api
from convcost.cli.options import (
    TARGET,
    convention_option,
    free_option,
    input_option,
    names_in,
    output_option,
    set_option,
)
from convcost.cli.output import format_by_suffix, write
from convcost.cli.typed import parse_input, target_of
from convcost.conventions import DEFAULT
from convcost.errors import UsageError
from convcost.metrics.quantities import QUANTITIES, REPORTED, quantity_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.formulas.cases import Cases
    from convcost.formulas.closed import Formula

CODE = ("python", "numpy", "c", "javascript")
_FORMATS = ("text", "unicode", "latex", "json", *CODE)
FORMS = ("exact", "named", "ideal", "unrounded")


@click.command("formula")
@click.argument("target", type=TARGET)
@free_option
@set_option
@input_option
@convention_option
@click.option("--form", type=click.Choice(FORMS), help="Shape of the formulas; by default exact, named where too long.")
@click.option("--in", "wanted", metavar="NAME,...", help="Quantities: params, macs, flops, activations ...")
@click.option("--total", is_flag=True, help="Only the total, not each layer.")
@click.option(
    "--cases", "all_cases", is_flag=True, help="The total for every structure that the free parameters can select."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(_FORMATS),
    help="What to print; by default what the suffix of -o says, else text. A language gives a function.",
)
@click.option("--latex", "with_latex", is_flag=True, help="With --format json: formulas as LaTeX too.")
@output_option
def command(  # noqa: PLR0913 - one argument per option
    target: str,
    free: tuple[str, ...],
    settings: tuple[str, ...],
    input_: str | None,
    convention_: str,
    form: str | None,
    wanted: str | None,
    format_: str | None,
    output: str | None,
    *,
    total: bool,
    all_cases: bool,
    with_latex: bool,
) -> None:
    """Closed forms of TARGET, per layer and in total.

    Free by default: in a block all parameters that can be symbols, in a network its input size and classes.
    Forms: exact; named, with names for what is rounded; ideal, exact for sizes such as 32*r; unrounded.
    """
    format_ = format_ or format_by_suffix(output, _FORMATS)
    named = convention_ != DEFAULT
    quantities = quantity_names(wanted or (*QUANTITIES, *((REPORTED,) if named else ())), named=named)
    resolved = target_of(target, settings)
    given: dict[str, Any] = {"free": names_in(free), "input": parse_input(input_), "convention": convention_}
    if all_cases:
        write(_cases(api.cases(resolved, **given), format_, quantities), output)
        return
    forms = api.formula(resolved, **given)
    in_rows = () if total else quantities if wanted else ("params", "macs", *((REPORTED,) if named else ()))
    write(_rendered(forms, format_, form, quantities, in_rows, with_latex=with_latex), output)


def _cases(cases: Cases, format_: str, quantities: Sequence[str]) -> str:
    from convcost.render.formulas import cases_text  # noqa: PLC0415 - only formulas need it

    if format_ == "json":
        from convcost.tables.data import as_json  # noqa: PLC0415

        return as_json(cases.data())
    if format_ not in ("text", "unicode"):
        raise UsageError(f"--cases is shown as text, unicode or json, not as {format_}")
    return cases_text(cases, quantities, _writer(format_))


def _rendered(
    formula: Formula,
    format_: str,
    form: str | None,
    quantities: Sequence[str],
    in_rows: Sequence[str],
    *,
    with_latex: bool,
) -> str:
    from convcost.formulas.views import readable, view  # noqa: PLC0415
    from convcost.render import formulas  # noqa: PLC0415 - only formulas need it

    if format_ == "json":
        from convcost.tables.data import as_json  # noqa: PLC0415

        return as_json(formulas.formula_data(formula, with_latex=with_latex))
    if format_ in CODE:
        from convcost.codegen.code import as_code  # noqa: PLC0415

        return as_code(formula, view(formula, form or "exact", quantities), format_, quantities)
    shown = view(formula, form, quantities) if form else readable(formula, quantities)
    if format_ == "latex":
        return formulas.as_latex(formula, shown, quantities, in_rows=in_rows)
    return formulas.as_text(formula, shown, quantities, in_rows=in_rows, write=_writer(format_))


def _writer(format_: str) -> Any:
    if format_ == "unicode":
        from convcost.numbers.printing import typeset  # noqa: PLC0415 - only formulas need it

        return typeset
    from convcost.numbers.printing import text  # noqa: PLC0415 - only formulas need it

    return text
