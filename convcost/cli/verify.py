"""``convcost verify``."""

from __future__ import annotations

import click

from convcost.cli.options import TARGET, output_options, show, write
from convcost.literature.verify import verify
from convcost.render.findings import findings_data, findings_tables, flat_table


@click.command("verify")
@click.argument("names", type=TARGET, nargs=-1, metavar="[NAME ...]")
@output_options
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...], format_: str, output: str | None, *, exact: bool) -> None:
    """Check numbers printed in papers against the networks.

    NAMEs are specs; without any, all bundled specs are checked. The Markdown format is a page with the notes of the
    specs. The exit code is 1 if a figure is neither reproduced nor explained, unless its spec marks it as open.
    """
    found = verify(names)
    if format_ == "markdown":
        from convcost.render.published import published_page  # noqa: PLC0415 - tables do not pay for it

        write(published_page(found), output)
    else:
        show(
            format_,
            output,
            exact=exact,
            tables=lambda: findings_tables(found),
            data=lambda: findings_data(found),
            flat=lambda: flat_table(found),
        )
    if any(one.failed for one in found):
        ctx.exit(1)
