"""The options that say what metrics are evaluated for: samples, number formats, fusing, device, convention."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from convcost.api.context import Context
from convcost.cli import completion
from convcost.cli.options import batch_option, convention_option, dtype_options, fused_option

if TYPE_CHECKING:
    from collections.abc import Callable


def context_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--batch --dtype --weights-dtype --fused --device --convention``, handed to the command as one ``context``."""

    @functools.wraps(command)
    def with_context(*args: Any, **options: Any) -> Any:
        options["convention"] = options.pop("convention_")
        context = Context(**{name: options.pop(name) for name in Context._fields})
        return command(*args, context=context, **options)

    wrapped: Callable[..., Any] = with_context
    for option in (
        convention_option,
        click.option(
            "--device",
            metavar="NAME|FILE",
            shell_complete=completion.device,
            help="Device for metrics of time; `convcost roofline` lists them.",
        ),
        fused_option,
        dtype_options,
        batch_option,
    ):
        wrapped = option(wrapped)
    return wrapped
