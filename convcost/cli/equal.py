"""``convcost equal``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost import api
from convcost.api.targets import check_names
from convcost.cli.options import TARGET, free_option, input_option, names_in, output_option, set_option
from convcost.cli.output import format_by_suffix, write
from convcost.cli.typed import parse_input, targets_of
from convcost.errors import UsageError, shorten
from convcost.language.expression import typed_expression
from convcost.metrics.quantities import quantity_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.language.expression import Expression

_FORMATS = ("text", "json")


@click.command("equal")
@click.argument("targets", type=TARGET, nargs=-1, required=True, metavar="A B [C ...]")
@set_option
@click.option("--where", multiple=True, metavar="NAME=EXPR", help="Tie a parameter to others, as O=I; may be repeated.")
@free_option
@input_option
@click.option("--in", "wanted", metavar="NAME,...", default="params,macs", show_default=True, help="Quantities.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(_FORMATS),
    help="What to print; by default what the suffix of -o says, else text.",
)
@output_option
def command(
    targets: tuple[str, ...],
    settings: tuple[str, ...],
    where: tuple[str, ...],
    free: tuple[str, ...],
    input_: str | None,
    wanted: str,
    format_: str | None,
    output: str | None,
) -> int:
    """Prove that all targets cost the same as the last, for all values of their parameters.

    Prints a proof, or the smallest values at which they differ.

    Exit code 0: equal in every quantity; 1: not, or not proved.
    """
    resolved = targets_of(targets, settings)
    tied = ties(where)
    check_names(tied, resolved, "--where: ")
    equalities = api.equal(
        *resolved,
        quantities=quantity_names(wanted),
        where=tied,
        free=names_in(free),
        input=parse_input(input_),
    )
    if (format_ or format_by_suffix(output, _FORMATS)) == "json":
        from convcost.tables.data import as_json  # noqa: PLC0415 - text does not pay for it

        write(as_json(equalities.data()), output)
    else:
        write(f"{equalities}\n", output)
    return 0 if equalities.equal else 1


def ties(texts: Iterable[str]) -> dict[str, Expression]:
    """The names that ``--where`` ties, with the expressions they are tied to.

    Raises:
        UsageError: not NAME=EXPR, no expression, or a name is tied twice.
    """
    tied: dict[str, Expression] = {}
    for tie in texts:
        name, equals, text = (part.strip() for part in tie.partition("="))
        if not equals or not name or not text:
            raise UsageError(f"--where takes NAME=EXPR, found '{shorten(tie)}'")
        if name in tied:
            raise UsageError(f"--where ties `{shorten(name)}` twice")
        tied[name] = typed_expression(text, "--where")
    return tied
