"""The options of commands with rows: ``analyze``, ``memory``, ``traffic``, ``receptive`` and ``roofline``."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from convcost.cli.asked import Asked, RowOptions
from convcost.cli.context import context_options
from convcost.cli.options import TARGET, input_option, output_options, set_option
from convcost.metrics.presets import TREE
from convcost.metrics.rows import GROUPINGS

if TYPE_CHECKING:
    from collections.abc import Callable


def rows_options(*, required: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``TARGET ...`` and every option of a command with rows, handed to the command as one :class:`Asked`.

    Args:
        required: whether there must be a target.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_rows(**options: Any) -> Any:
            rows = RowOptions(*(options.pop(name) for name in RowOptions._fields))
            asked = Asked(rows=rows, **{name: options.pop(name) for name in Asked._fields if name != "rows"})
            return command(asked, **options)

        wrapped: Callable[..., Any] = with_rows
        for option in (
            output_options,
            context_options,
            click.option("--fold/--no-fold", default=None, help="One row for equal repeats; by default in tables."),
            click.option("--top", type=click.IntRange(min=1), help="Show this many rows."),
            click.option("--sort", metavar="COLUMN", help="Sort by a column, largest first."),
            click.option("--columns", metavar="NAME,...", help="Metrics to show, in this order."),
            click.option("--depth", type=click.IntRange(min=1), help="Sum up below this many segments of the paths."),
            click.option("--by", type=click.Choice((*GROUPINGS, TREE)), help="What a row stands for."),
            input_option,
            set_option,
            click.argument("targets", type=TARGET, nargs=-1, required=required, metavar="TARGET ..."),
        ):
            wrapped = option(wrapped)
        return wrapped

    return decorated
