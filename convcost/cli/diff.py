"""``convcost diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.cli.asked import analyzed
from convcost.cli.context import context_options
from convcost.cli.options import TARGET, input_option, output_options, set_option
from convcost.cli.output import show
from convcost.cli.typed import targets_of
from convcost.metrics.difference import difference
from convcost.metrics.presets import DIFFERENCE_COLUMNS
from convcost.metrics.rows import GROUPINGS
from convcost.render.differences import difference_data, difference_table

if TYPE_CHECKING:
    from convcost.api.context import Context
    from convcost.tables.table import Table


@click.command("diff")
@click.argument("before", type=TARGET)
@click.argument("after", type=TARGET)
@click.option("--by", type=click.Choice(GROUPINGS), default="stage", show_default=True, help="What a row stands for.")
@click.option("--columns", metavar="NAME,...", default=",".join(DIFFERENCE_COLUMNS), show_default=True, help="Metrics.")
@click.option("--changed", is_flag=True, help="Only rows in which a metric changes.")
@set_option
@input_option
@context_options
@output_options
def command(  # noqa: PLR0913 - one argument per option
    before: str,
    after: str,
    by: str,
    columns: str,
    settings: tuple[str, ...],
    input_: str | None,
    format_: str,
    output: str | None,
    *,
    context: Context,
    changed: bool,
    exact: bool,
) -> None:
    """What changes from one network to another, row by row: before, after, difference and per cent.

    Rows are matched by their paths; what is left is matched by kind and output shape. --set NAME=VALUE reaches both
    networks, --set A:NAME=VALUE only A.
    """
    analyses = [analyzed(context, target, input_, by) for target in targets_of((before, after), settings)]
    compared = difference(*analyses)
    names = columns.split(",")

    def tables() -> list[Table]:
        return [difference_table(compared, names, changed=changed)]

    def page() -> str:
        from convcost.render.report import compared_page  # noqa: PLC0415 - only a page pays for it

        return compared_page(
            analyses, [table._replace(title="Row by row") for table in tables()], by=by, exact_digits=exact
        )

    show(
        format_,
        output,
        exact=exact,
        tables=tables,
        data=lambda: difference_data(compared, names, by, changed=changed),
        page=page,
    )
