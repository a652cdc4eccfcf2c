"""``convcost check``."""

from __future__ import annotations

import click

from convcost.cli.options import TARGET, input_option, parse_input, parse_settings, set_option
from convcost.render.values import plain
from convcost.spec.build import build
from convcost.spec.catalogue import Catalogue
from convcost.spec.published import claims


@click.command("check")
@click.argument("files", type=TARGET, nargs=-1, required=True, metavar="FILE ...")
@set_option
@input_option
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.pass_context
def command(
    ctx: click.Context, files: tuple[str, ...], settings: tuple[str, ...], input_: str | None, *, strict: bool
) -> None:
    """Check specs without costing them: names, arguments, types, shapes, claims, and what is never used."""
    warned = False
    for file in files:
        catalogue = Catalogue()
        spec = catalogue.target(file)
        claims(spec)
        graph = build(spec, parse_settings(spec, settings), parse_input(input_))
        for warning in catalogue.warnings.found:
            click.echo(plain(f"{warning.position}: warning: {warning.message}"), err=True)
            warned = True
        output = "x".join(map(str, graph.nodes[graph.output].shape))
        click.echo(plain(f"{file}: ok, {len(graph.layers)} layers, {'x'.join(map(str, graph.input))} -> {output}"))
    if warned and strict:
        ctx.exit(1)
