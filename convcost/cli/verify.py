"""``convcost verify``."""

from __future__ import annotations

import click

from convcost import api
from convcost.cli.options import TARGET, format_options
from convcost.cli.output import show_view, write
from convcost.render.views import view


@click.command("verify")
@click.argument("names", type=TARGET, nargs=-1, metavar="[NAME ...]")
@click.option("--where", default="", metavar="TEXT", help="Only figures of this table or section, as 'table 6'.")
@click.option("--cite", default="", metavar="KEY", help="Only figures of this source, as howard2017.")
@format_options
def command(names: tuple[str, ...], where: str, cite: str, format_: str, output: str | None) -> int:
    """Check numbers printed in papers against the networks.

    NAMEs are specs; without any, all bundled specs are checked. The Markdown format is a page with the notes of the
    specs. The exit code is 1 if a figure is neither reproduced nor marked as an erratum or as open, or if a mark, an
    arithmetic or a variant of a claim is wrong.
    """
    verifications = api.verify(*names, where=where, cite=cite)
    if format_ == "markdown":
        from convcost.render.published import published_page  # noqa: PLC0415 - tables do not pay for it

        write(published_page(verifications), output)
    else:
        show_view(view(verifications), format_, output)
    return 1 if verifications.failed else 0
