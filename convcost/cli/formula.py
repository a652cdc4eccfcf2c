"""``convcost formula``."""

from __future__ import annotations

import click

from convcost.cli.options import (
    TARGET,
    input_option,
    output_option,
    parse_input,
    parse_settings,
    set_option,
    write,
)
from convcost.spec.catalogue import Catalogue


@click.command("formula")
@click.argument("target", type=TARGET)
@click.option("--free", "free", multiple=True, metavar="NAME,...", help="Parameters to leave as symbols.")
@set_option
@input_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "latex", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
@click.option("--latex", "with_latex", is_flag=True, help="With --format json: formulas as LaTeX too.")
@output_option
def command(
    target: str,
    free: tuple[str, ...],
    settings: tuple[str, ...],
    input_: str | None,
    format_: str,
    output: str | None,
    *,
    with_latex: bool,
) -> None:
    """Closed forms of TARGET, per layer and in total.

    Of a block, every parameter that can be is left free; of a network, its input size and classes.
    """
    from convcost.render import formulas  # noqa: PLC0415 - imports sympy
    from convcost.render.formats import as_json  # noqa: PLC0415
    from convcost.symbolic.closed import formula  # noqa: PLC0415

    spec = Catalogue().target(target)
    names = [name.strip() for part in free for name in part.split(",")] or None
    found = formula(spec, names, parse_settings(spec, settings), parse_input(input_))
    if format_ == "json":
        text = as_json(formulas.formula_data(found, with_latex=with_latex))
    else:
        text = formulas.as_text(found) if format_ == "text" else formulas.as_latex(found)
    write(text, output, reads=(target,))
