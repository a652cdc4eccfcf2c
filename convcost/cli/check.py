"""``convcost check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.asked import analyzed
from convcost.cli.context import context_options
from convcost.cli.options import TARGET, input_option, set_option
from convcost.cli.typed import target_of
from convcost.literature.claims import claims
from convcost.metrics.budget import budget, check, spec_budgets
from convcost.render.budgets import exceeded
from convcost.tables.values import plain

if TYPE_CHECKING:
    from convcost.api.context import Context
    from convcost.metrics.budget import Verdicts
    from convcost.network.graph import Graph


@click.command("check")
@click.argument("files", type=TARGET, nargs=-1, required=True, metavar="FILE ...")
@click.option(
    "--budget",
    "budgets",
    multiple=True,
    metavar="METRIC<=VALUE",
    help="Exit 1 where it is exceeded, as macs<=150M, peak<=512k or time<=3ms; may be repeated.",
)
@set_option
@input_option
@context_options
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    budgets: tuple[str, ...],
    settings: tuple[str, ...],
    input_: str | None,
    *,
    context: Context,
    strict: bool,
) -> None:
    """Check specs: names, arguments, types, shapes, claims, what is never used, and budgets.

    A budget bounds a metric of the whole network. It is given with --budget or written under `budget` in the spec.
    """
    typed = [budget(text) for text in budgets]
    warned = over = False
    for file in files:
        catalogue = Catalogue()
        target = target_of(file, settings, catalogue)
        claims(target.spec)
        bounds = [*spec_budgets(target.spec), *typed]
        analysis = analyzed(context, target, input_)
        for warning in catalogue.warnings.all:
            click.echo(plain(f"{warning.position}: warning: {warning.message}"), err=True)
            warned = True
        failed = _show(file, analysis.graph, check(analysis, bounds))
        over = over or failed
    if over or (warned and strict):
        ctx.exit(1)


def _show(file: str, graph: Graph, verdicts: Verdicts) -> bool:
    """One line for each budget that is exceeded, or one line that all is well; whether one is exceeded."""
    failed = [verdict for verdict in verdicts if not verdict.met]
    for verdict in failed:
        click.echo(plain(f"{file}: {exceeded(verdict)}"), err=True)
    if not failed:
        output = "x".join(map(str, graph.nodes[graph.output].shape))
        kept = f", {len(verdicts)} budget{'s' if len(verdicts) > 1 else ''} met" if verdicts else ""
        shapes = f"{graph.entering} -> {output}"
        click.echo(plain(f"{file}: ok, {len(graph.layers)} layers, {shapes}{kept}"))
    return bool(failed)
