"""``convcost verify``."""

from __future__ import annotations

import click

from convcost.cli.options import TARGET, output_options, show_table, show_tables, write
from convcost.render.findings import findings_data, findings_tables, flat_table
from convcost.verification import verify


@click.command("verify")
@click.argument("names", type=TARGET, nargs=-1, metavar="[NAME ...]")
@output_options
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...], format_: str, output: str | None, *, exact: bool) -> None:
    """Hold the figures that papers printed against their networks.

    With NAMEs, of these specs; else of every bundled one. Markdown is a page with the specs' notes. Exits 1 if a
    figure is neither reproduced nor explained, unless its spec marks it as open.
    """
    found = verify(names)
    if format_ == "json":
        from convcost.render.formats import as_json  # noqa: PLC0415 - tables do not pay for it

        write(as_json(findings_data(found)), output)
    elif format_ == "markdown":
        from convcost.render.published import published_page  # noqa: PLC0415 - likewise

        write(published_page(found), output)
    elif format_ == "csv":
        show_table(flat_table(found), format_, output, exact=exact)
    else:
        show_tables(findings_tables(found), format_, output, exact=exact)
    if any(one.failed for one in found):
        ctx.exit(1)
