"""``convcost sweep``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.api.sweeps import QUANTITIES, Wanted, plan_of
from convcost.cli.completion import parameter
from convcost.cli.context import context_options
from convcost.cli.options import TARGET, exact_option, formats, input_option, set_option
from convcost.cli.output import complain, show_view, written_to
from convcost.cli.progress import progress
from convcost.cli.typed import parse_input, setting_of
from convcost.errors import UsageError
from convcost.render.views import view

if TYPE_CHECKING:
    from collections.abc import Callable

    from convcost.api.context import Context
    from convcost.sweeps.sweep import Plan


@click.command("sweep")
@click.argument("target", type=TARGET)
@click.option(
    "--over",
    "axes",
    required=True,
    multiple=True,
    metavar="NAME=VALUES",
    shell_complete=parameter,
    help="A parameter and its values; may be repeated.",
)
@click.option("--zip/--grid", "zipped", default=False, help="The values side by side, or all combinations.")
@click.option("--columns", metavar="NAME,...", default=",".join(QUANTITIES), show_default=True, help="Metrics.")
@click.option("--keep", multiple=True, metavar="BOUND", help="Only points with, as macs<=300M; may be repeated.")
@click.option("--pareto", multiple=True, metavar="GOAL NAME,...", help="Only points that no other beats.")
@click.option("--sort", metavar="[GOAL] NAME", help="Sort by a metric or parameter, largest first, or as 'min macs'.")
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="The first N points only.")
@set_option
@input_option
@context_options
@formats("parquet")
@exact_option
def command(  # noqa: PLR0913 - one argument per option
    target: str,
    axes: tuple[str, ...],
    columns: str,
    keep: tuple[str, ...],
    pareto: tuple[str, ...],
    sort: str | None,
    top: int | None,
    settings: tuple[str, ...],
    input_: str | None,
    format_: str,
    output: str | None,
    *,
    context: Context,
    zipped: bool,
    exact: bool,
) -> int:
    """Metrics of TARGET at all combinations of values of some of its parameters.

    VALUES is a list of values and ranges LOW:HIGH:STEP, as 0.25:1:0.05 or 1,2,4:8; the step is 1 where it is left out,
    and * means every choice. Any parameter may vary, also one that selects a structure. Points without a network are
    left out. GOAL is max or min: --pareto 'max params, min macs'. CSV and Parquet are written while the sweep runs, so
    that a sweep may be larger than the memory. Exit code 1 where no point is left.
    """
    plan = plan_of(
        target,
        map(_over, axes),
        Wanted(columns.split(","), keep, pareto, sort, top, zipped=zipped),
        map(setting_of, settings),
        input=parse_input(input_),
        context=context,
        option="--set",
    )
    if format_ in ("csv", "parquet"):
        return _streamed(plan, format_, output)
    from convcost.sweeps.sweep import collected  # noqa: PLC0415 - imports numpy

    points = collected(plan, _progress())
    show_view(view(points), format_, output, exact=exact)
    return 0 if len(points) else 1


def _streamed(plan: Plan, format_: str, output: str | None) -> int:
    """Write the points while the sweep runs."""
    from convcost.sweeps import csv, parquet  # noqa: PLC0415 - imports numpy
    from convcost.sweeps.sweep import pieces  # noqa: PLC0415

    writer = csv if format_ == "csv" else parquet
    with written_to(output) as put:
        count = writer.write(plan, pieces(plan, _progress()), put)
    if plan.absent:
        from convcost.render.sweeps import notes  # noqa: PLC0415

        complain(f"note: {notes(plan)[1]}")
    return 0 if count else 1


def _over(text: str) -> tuple[str, str]:
    name, equals, values = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--over takes NAME=VALUES, as alpha=0.25:1:0.05; found '{text[:60]}'")
    return name.strip(), values


def _progress() -> Callable[[Plan], None]:
    show = progress("points")
    return lambda plan: show(plan.seen, plan.points)
