"""``convcost solve``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.api.solutions import costs_of
from convcost.cli.completion import parameter
from convcost.cli.context import context_options
from convcost.cli.options import TARGET, format_options, input_option, set_option
from convcost.cli.output import show_view
from convcost.cli.typed import parse_input, setting_of
from convcost.conventions import DEFAULT
from convcost.errors import UsageError
from convcost.language.expression import typed_expression
from convcost.render.views import view

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction

    from convcost.api.context import Context


@click.command("solve")
@click.argument("target", type=TARGET)
@click.option(
    "--for",
    "names",
    required=True,
    multiple=True,
    metavar="NAME,...",
    shell_complete=parameter,
    help="What to solve for.",
)
@click.option(
    "--budget", "budgets", required=True, multiple=True, metavar="BOUND", help="As macs<=300M; may be repeated."
)
@click.option(
    "--max/--min",
    "largest",
    default=None,
    help="The largest or the smallest value; by default the smallest if all budgets are lower bounds.",
)
@click.option("--step", "steps", multiple=True, metavar="[NAME=]VALUE", help="Try only multiples of VALUE.")
@click.option("--range", "ranges", multiple=True, metavar="[NAME=]LOW..HIGH", help="Try only values from LOW to HIGH.")
@click.option(
    "--objective", "objectives", multiple=True, metavar="GOAL NAME", help="Of several: as 'max alpha' or 'min peak'."
)
@set_option
@input_option
@context_options
@format_options
def command(  # noqa: PLR0913 - one argument per option
    target: str,
    names: tuple[str, ...],
    budgets: tuple[str, ...],
    steps: tuple[str, ...],
    ranges: tuple[str, ...],
    objectives: tuple[str, ...],
    settings: tuple[str, ...],
    input_: str | None,
    format_: str,
    output: str | None,
    *,
    context: Context,
    largest: bool | None,
) -> int:
    """The largest, smallest or nearest value of a parameter of TARGET for a budget, with its neighbours.

    BOUND is METRIC<=VALUE, also >=, ==, or ~ for the nearest value. METRIC and the units of VALUE are those of
    `convcost check --budget`: macs<=300M, peak<=512k, time<=3ms with --device. VALUE may be an expression of the
    target's metrics and of other networks and blocks: macs<=1/2*plain. Several names, --for alpha,size with a --step
    for each, give the points that no other beats. Exit code 1 where nothing meets the budget.
    """
    from convcost.metrics.objective import Objective, objectives_of  # noqa: PLC0415
    from convcost.solving.pareto import pareto  # noqa: PLC0415 - only formulas need it
    from convcost.solving.solution import solve  # noqa: PLC0415

    typed = [name.strip() for part in names for name in part.split(",")]
    costs = costs_of(
        target,
        typed,
        budgets,
        map(setting_of, settings),
        input=parse_input(input_),
        context=context,
        objectives=objectives,
        option="--set",
    )
    step, within = _values(steps, costs.names), _ranges(ranges, costs.names)
    if len(costs.names) > 1:
        if largest is not None:
            raise UsageError("--max and --min are for one name; of several, say --objective")
        named = context.convention != DEFAULT
        better = objectives_of(objectives, costs.names, named=named)
        points = pareto(costs, step, within, better or [Objective(name, largest=True) for name in costs.names])
        show_view(view(points), format_, output)
        return 0 if points else 1
    if objectives:
        raise UsageError("--objective is for several names; of one, say --max or --min")
    (name,) = costs.names
    solution = solve(costs, largest=largest, step=step.get(name), within=within.get(name))
    show_view(view(solution), format_, output)
    return 0 if solution.place is not None or solution.unbounded else 1


def _values(texts: Iterable[str], names: Sequence[str]) -> dict[str, Fraction]:
    """The steps by name; of a single name, VALUE alone will do."""
    values = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not equals:
            if len(names) > 1:
                raise UsageError(f"--step takes NAME=VALUE where there are several names, found '{text[:60]}'")
            name = names[0]
        if name not in names:
            raise UsageError(f"--step: '{name[:60]}' is not solved for; --for names {', '.join(names)}")
        values[name] = _number(value, "--step")
    return values


def _ranges(texts: Iterable[str], names: Sequence[str]) -> dict[str, tuple[Fraction, Fraction]]:
    """The least and greatest value to consider, by name; of a single name, LOW..HIGH alone will do."""
    ranges = {}
    for text in texts:
        name, equals, span = text.rpartition("=")
        if not equals and len(names) == 1:
            name = names[0]
        low, dots, high = span.partition("..")
        if not dots or name not in names:
            raise UsageError(f"--range takes NAME=LOW..HIGH with a name of --for, found '{text[:60]}'")
        ranges[name] = (_number(low, "--range"), _number(high, "--range"))
        if ranges[name][0] > ranges[name][1]:
            raise UsageError(f"--range takes LOW..HIGH with LOW at most HIGH, found '{text[:60]}'")
    return ranges


def _number(text: str, option: str) -> Fraction:
    from fractions import Fraction  # noqa: PLC0415 - with what it is used for

    expression = typed_expression(text, option)
    value = expression.evaluate({}) if expression.is_constant else None
    if isinstance(value, bool) or not isinstance(value, int | Fraction) or value <= 0:
        raise UsageError(f"{option} takes positive numbers, found '{text[:60]}'")
    return Fraction(value)
