"""``convcost solve``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.compare import settings_for
from convcost.cli.completion import parameter
from convcost.cli.context import context_options
from convcost.cli.options import TARGET, input_option, output_options, parse_input, set_option, show
from convcost.conventions import DEFAULT
from convcost.errors import UsageError
from convcost.language.expression import typed_expression
from convcost.language.model import own_name
from convcost.metrics.devices import device

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction

    from convcost.cli.context import ContextOptions
    from convcost.solving.costs import Costs
    from convcost.solving.pareto import Objective


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
@click.option("--max/--min", "largest", default=None, help="The largest or smallest value; by default as budgets ask.")
@click.option("--step", "steps", multiple=True, metavar="[NAME=]VALUE", help="Only multiples of it count.")
@click.option("--range", "ranges", multiple=True, metavar="[NAME=]LOW..HIGH", help="Where to look.")
@click.option(
    "--objective", "objectives", multiple=True, metavar="GOAL NAME", help="Of several: as 'max alpha' or 'min peak'."
)
@set_option
@input_option
@context_options
@output_options
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
    context: ContextOptions,
    largest: bool | None,
    exact: bool,  # noqa: ARG001 - accepted for consistency; an answer is always exact
) -> int:
    """The largest, smallest or nearest value of a parameter of TARGET for a budget, with its neighbours.

    BOUND is METRIC<=VALUE, also >=, ==, or ~ for the nearest value. METRIC and the units of VALUE are those of
    `convcost check --budget`: macs<=300M, peak<=512k, time<=3ms with --device. VALUE may be an expression of the
    target's metrics and of other networks and blocks: macs<=1/2*plain. Several names, --for alpha,size with a --step
    for each, give the points that no other beats. Exit code 1 where nothing meets the budget.
    """
    from convcost.solving.budgets import parse_budget  # noqa: PLC0415 - what follows imports sympy
    from convcost.solving.costs import Costs, Setting  # noqa: PLC0415
    from convcost.solving.pareto import objective  # noqa: PLC0415

    catalogue = Catalogue()
    spec = catalogue.target(target)
    typed = [name.strip() for part in names for name in part.split(",")]
    wanted = list(dict.fromkeys(own_name(name, spec.parameters) for name in typed))
    named = context.convention_ != DEFAULT
    bounds = [parse_budget(text, catalogue, named=named) for text in budgets]
    others = {name: other for bound in bounds for name, other in bound.others.items()}
    given, *theirs = settings_for([spec, *others.values()], settings)
    goals = [objective(text, wanted, named=named) for part in objectives for text in part.split(",")]
    setting = Setting(
        context.batch,
        context.dtype,
        context.weights_dtype,
        device(context.device) if isinstance(context.device, str) else context.device,
        context.fused,
        context.convention_,
    )
    reported = [goal.key for goal in goals if goal.key not in wanted]
    values = dict(zip(others, theirs, strict=True))
    costs = Costs(spec, wanted, given, bounds, values, parse_input(input_), reported, setting)
    step, within = _values(steps, wanted), _ranges(ranges, wanted)
    if len(wanted) > 1:
        if largest is not None:
            raise UsageError("--max and --min are for one name; of several, say --objective")
        return _several(costs, step, within, goals, format_, output)
    if objectives:
        raise UsageError("--objective is for several names; of one, say --max or --min")
    return _single(costs, step.get(wanted[0]), within.get(wanted[0]), largest, format_, output)


def _single(
    costs: Costs,
    step: Fraction | None,
    within: tuple[Fraction, Fraction] | None,
    largest: bool | None,  # noqa: FBT001 - as click hands it over
    format_: str,
    output: str | None,
) -> int:
    from convcost.render import solutions  # noqa: PLC0415 - imports sympy
    from convcost.solving.solution import solve  # noqa: PLC0415

    solution = solve(costs, largest=largest, step=step, within=within)
    show(
        format_,
        output,
        exact=True,
        tables=lambda: [solutions.solution_table(costs, solution)],
        data=lambda: solutions.solution_data(costs, solution),
    )
    return 0 if solution.place is not None or solution.unbounded else 1


def _several(
    costs: Costs,
    steps: dict[str, Fraction],
    ranges: dict[str, tuple[Fraction, Fraction]],
    objectives: Sequence[Objective],
    format_: str,
    output: str | None,
) -> int:
    from convcost.render import solutions  # noqa: PLC0415 - imports sympy
    from convcost.solving.pareto import Objective, pareto  # noqa: PLC0415

    goals = list(objectives) or [Objective(name, largest=True) for name in costs.names]
    points = pareto(costs, steps, ranges, goals)
    show(
        format_,
        output,
        exact=True,
        tables=lambda: [solutions.points_table(costs, goals, points)],
        data=lambda: solutions.points_data(costs, goals, points),
    )
    return 0 if points else 1


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
