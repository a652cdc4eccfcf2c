"""``convcost equal``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.compare import settings_for
from convcost.cli.options import (
    TARGET,
    format_by_suffix,
    free_option,
    input_option,
    names_in,
    output_option,
    parse_input,
    set_option,
    write,
)
from convcost.errors import UsageError, unknown
from convcost.formulas.comparison import unique_names
from convcost.language.expression import typed_expression
from convcost.metrics.quantities import quantity_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.language.expression import Expression
    from convcost.language.model import Spec

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

    A proof, or the smallest values at which they differ. Exit code 0: equal in every quantity; 1: not, or not proved.
    """
    from convcost.formulas.equal import Side, identities  # noqa: PLC0415
    from convcost.render import equalities  # noqa: PLC0415 - imports sympy

    if len(targets) < 2:  # noqa: PLR2004 - one thing is equal to itself
        raise UsageError("equal needs at least two targets")
    catalogue = Catalogue()
    specs = [catalogue.target(target) for target in targets]
    given = settings_for(specs, settings)
    sides = [Side(*parts) for parts in zip(unique_names(specs), specs, given, ties_for(specs, where), strict=True)]
    names, shape, chosen = names_in(free), parse_input(input_), quantity_names(wanted)
    _known(specs, names or [])
    found = [identities(side, sides[-1], chosen, names, shape) for side in sides[:-1]]
    if (format_ or format_by_suffix(output, _FORMATS)) == "json":
        from convcost.tables.data import as_json  # noqa: PLC0415

        write(as_json(equalities.equality_data(found)), output)
    else:
        write(equalities.equality_text(found), output)
    return 0 if all(one.equal for pair in found for one in pair.quantities) else 1


def _known(specs: Sequence[Spec], free: Sequence[str]) -> None:
    known = {name for spec in specs for name in spec.names}
    for name in free:
        if name not in known:
            raise UsageError(unknown("parameter of the targets", name, sorted(known)))


def ties_for(specs: Sequence[Spec], where: tuple[str, ...]) -> list[dict[str, Expression]]:
    """The ties that ``--where`` gives to each of several specs: to each that has the name on the left.

    Raises:
        UsageError: not NAME=EXPR, no expression, or a parameter that none of them has.
    """
    ties: list[dict[str, Expression]] = [{} for _ in specs]
    known = {name for spec in specs for name in spec.names}
    for tie in where:
        name, equals, text = (part.strip() for part in tie.partition("="))
        if not equals or not name or not text:
            raise UsageError(f"--where takes NAME=EXPR, found '{tie[:60]}'")
        if name not in known:
            raise UsageError(f"--where: {unknown('parameter of the targets', name, sorted(known))}")
        expression = typed_expression(text, "--where")
        for spec, own in zip(specs, ties, strict=True):
            if name in spec.names:
                own[name] = expression
    return ties
