"""``convcost compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.options import (
    TARGET,
    convention_option,
    free_option,
    input_option,
    names_in,
    output_options,
    parse_input,
    set_option,
    show,
)
from convcost.errors import UsageError, unknown
from convcost.formulas.comparison import compare, unique_names
from convcost.language.interpret import from_text
from convcost.language.model import own_name
from convcost.render.comparisons import comparison_data, comparison_tables, flat_table, traffic_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.language.model import Spec


@click.command("compare")
@click.argument("targets", type=TARGET, nargs=-1, required=True, metavar="A B [C ...]")
@set_option
@input_option
@free_option
@convention_option
@click.option("--traffic", "with_traffic", is_flag=True, help="Elements moved too, and those moved by additions.")
@output_options
def command(  # noqa: PLR0913 - one argument per option
    targets: tuple[str, ...],
    settings: tuple[str, ...],
    input_: str | None,
    free: tuple[str, ...],
    convention_: str,
    format_: str,
    output: str | None,
    *,
    with_traffic: bool,
    exact: bool,  # noqa: ARG001 - accepted for consistency; a comparison is always exact
) -> None:
    """Costs side by side, and the ratio of each to the last: a fraction, a decimal and a formula.

    --set NAME=VALUE reaches every target that has the parameter, --set A:NAME=VALUE only A.
    """
    catalogue = Catalogue()
    specs = [catalogue.target(target) for target in targets]
    found = compare(specs, settings_for(specs, settings), names_in(free), parse_input(input_), convention_)
    show(
        format_,
        output,
        exact=True,
        tables=lambda: [*comparison_tables(found), *([traffic_table(found)] if with_traffic else [])],
        data=lambda: comparison_data(found, with_traffic=with_traffic),
        flat=lambda: flat_table(found, with_traffic=with_traffic),
    )


def settings_for(specs: Sequence[Spec], settings: tuple[str, ...]) -> list[dict[str, Any]]:
    """The values that ``--set`` gives to each of several specs.

    Raises:
        UsageError: not [A:]NAME=VALUE, no such target, or a parameter that none of them has.
    """
    names = unique_names(specs)
    values: list[dict[str, Any]] = [{} for _ in specs]
    own: list[set[str]] = [set() for _ in specs]
    for setting in settings:
        left, equals, text = setting.partition("=")
        if not equals or not left:
            raise UsageError(f"--set takes NAME=VALUE or A:NAME=VALUE, found '{setting[:60]}'")
        who, colon, name = left.rpartition(":")
        if colon and who not in names:
            raise UsageError(f"--set: {unknown('target', who, names)}")
        reached = [index for index, spec in enumerate(specs) if _has(spec, name) and who in ("", names[index])]
        if not reached:
            known = {own for spec in specs for own in spec.names}
            what = "parameter" if who else "parameter of the targets"
            raise UsageError(unknown(what, name, sorted(known), of=who))
        for index in reached:
            mine = own_name(name, specs[index].parameters)
            if colon or mine not in own[index]:  # A:NAME overrides NAME
                values[index][mine] = from_text(specs[index], mine, text)
            if colon:
                own[index].add(mine)
    return values


def _has(spec: Spec, name: str) -> bool:
    return own_name(name, spec.parameters) in spec.names
