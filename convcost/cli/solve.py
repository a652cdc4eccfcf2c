"""``convcost solve``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.compare import settings_for
from convcost.cli.completion import parameter
from convcost.cli.options import (
    TARGET,
    convention_option,
    input_option,
    output_options,
    parse_input,
    set_option,
    show,
)
from convcost.conventions import DEFAULT
from convcost.errors import UsageError
from convcost.language.expression import typed_expression
from convcost.language.model import own_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction

    from convcost.solving.grid import Objective
    from convcost.solving.landscape import Landscape


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
@click.option("--range", "ranges", multiple=True, metavar="NAME=LOW..HIGH", help="Of several names: where to look.")
@click.option("--objective", "objectives", multiple=True, metavar="GOAL NAME", help="Of several: as 'max alpha'.")
@set_option
@input_option
@convention_option
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
    convention_: str,
    format_: str,
    output: str | None,
    *,
    largest: bool | None,
    exact: bool,  # noqa: ARG001 - accepted for consistency; an answer is always exact
) -> int:
    """The largest, smallest or nearest value of a parameter of TARGET for a budget, with its neighbours.

    BOUND is QUANTITY<=VALUE, also >=, ==, or ~ for as near as can be. VALUE takes numbers such as 300M or 1.5G, the
    target's quantities, and other networks and blocks: macs<=1/2*plain; with --convention, reported<=300M is that of
    the tool. Several names: --for alpha,size with a
    --step for each gives the points that no other beats. Exit code 1 where nothing meets the budget.
    """
    from convcost.solving.budgets import parse_budget  # noqa: PLC0415 - what follows imports sympy
    from convcost.solving.grid import objective  # noqa: PLC0415
    from convcost.solving.landscape import Landscape  # noqa: PLC0415

    catalogue = Catalogue()
    spec = catalogue.target(target)
    typed = [name.strip() for part in names for name in part.split(",")]
    wanted = list(dict.fromkeys(own_name(name, spec.parameters) for name in typed))
    named = convention_ != DEFAULT
    bounds = [parse_budget(text, catalogue, named=named) for text in budgets]
    others = {name: one for bound in bounds for name, one in bound.others.items()}
    given, *theirs = settings_for([spec, *others.values()], settings)
    goals = [objective(text, wanted, named=named) for part in objectives for text in part.split(",")]
    reported = [one.key for one in goals if one.key not in wanted]
    values = dict(zip(others, theirs, strict=True))
    landscape = Landscape(spec, wanted, given, bounds, values, parse_input(input_), reported, convention_)
    taken = _values(steps, wanted, "--step")
    if len(wanted) == 1:
        if ranges or objectives:
            raise UsageError("--range and --objective are for several names; of one, say --max or --min")
        return _one(landscape, taken.get(wanted[0]), largest, format_, output)
    if largest is not None:
        raise UsageError("--max and --min are for one name; of several, say --objective")
    return _several(landscape, taken, ranges, goals, format_, output)


def _one(
    landscape: Landscape,
    step: Fraction | None,
    largest: bool | None,  # noqa: FBT001 - as click hands it over
    format_: str,
    output: str | None,
) -> int:
    from convcost.render import solutions  # noqa: PLC0415 - imports sympy
    from convcost.solving.one import solve  # noqa: PLC0415

    found = solve(landscape, largest=largest, step=step)
    show(
        format_,
        output,
        exact=True,
        tables=lambda: [solutions.solution_table(landscape, found)],
        data=lambda: solutions.solution_data(landscape, found),
    )
    return 0 if found.place is not None or found.unbounded else 1


def _several(
    landscape: Landscape,
    steps: dict[str, Fraction],
    ranges: tuple[str, ...],
    objectives: Sequence[Objective],
    format_: str,
    output: str | None,
) -> int:
    from convcost.render import solutions  # noqa: PLC0415 - imports sympy
    from convcost.solving.grid import Objective, pareto  # noqa: PLC0415

    goals = list(objectives) or [Objective(name, largest=True) for name in landscape.names]
    found = pareto(landscape, steps, _ranges(ranges, landscape.names), goals)
    show(
        format_,
        output,
        exact=True,
        tables=lambda: [solutions.points_table(landscape, goals, found)],
        data=lambda: solutions.points_data(landscape, goals, found),
    )
    return 0 if found else 1


def _values(texts: Iterable[str], names: Sequence[str], option: str) -> dict[str, Fraction]:
    """``NAME=VALUE`` options as positive numbers; of one name, VALUE alone will do."""
    found = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not equals:
            if len(names) > 1:
                raise UsageError(f"{option} takes NAME=VALUE where there are several names, found '{text[:60]}'")
            name = names[0]
        if name not in names:
            raise UsageError(f"{option}: '{name[:60]}' is not solved for; --for names {', '.join(names)}")
        found[name] = _number(value, option)
    return found


def _ranges(texts: Iterable[str], names: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    found = {}
    for text in texts:
        name, equals, span = text.partition("=")
        low, dots, high = span.partition("..")
        if not equals or not dots or name not in names:
            raise UsageError(f"--range takes NAME=LOW..HIGH with a name of --for, found '{text[:60]}'")
        found[name] = (_number(low, "--range"), _number(high, "--range"))
    return found


def _number(text: str, option: str) -> Fraction:
    from fractions import Fraction  # noqa: PLC0415 - with what it is used for

    expression = typed_expression(text, option)
    value = expression.evaluate({}) if expression.is_constant else None
    if isinstance(value, bool) or not isinstance(value, int | Fraction) or value <= 0:
        raise UsageError(f"{option} takes positive numbers, found '{text[:60]}'")
    return Fraction(value)
